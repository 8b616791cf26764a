//! TLS in front of clients that know nothing of it, and certificates to test with.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use tempfile::TempDir;
use tokio::{
    net::{TcpListener, TcpStream},
    task::AbortHandle,
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring::default_provider,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};

use super::{http::connect, in_time};

/// A certificate for `localhost` and `127.0.0.1`, with its key, in two files.
pub(crate) struct Certificate {
    folder: TempDir,
}

impl Certificate {
    pub(crate) fn new() -> Self {
        let certificate = Self { folder: tempfile::tempdir_in("/dev/shm").unwrap() };
        certificate.write(&certificate.cert(), &certificate.key());
        certificate
    }

    pub(crate) fn cert(&self) -> PathBuf {
        self.folder.path().join("cert.pem")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.folder.path().join("key.pem")
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a new certificate and its key into these files.
    pub(crate) fn write(&self, cert: &Path, key: &Path) {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        fs::write(cert, made.cert.pem()).unwrap();
        fs::write(key, made.signing_key.serialize_pem()).unwrap();
    }

    /// The section of a configuration that uses it.
    pub(crate) fn section(&self) -> String {
        format!("[tls]\ncert = {:?}\nkey = {:?}\n", self.cert(), self.key())
    }
}

/// A client that trusts what is in this file, and nobody else.
fn trusting(cert: &Path) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(cert).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config).into()
}

/// Connects by TLS, through a small buffer where that is wanted, to whoever has the certificate in this file.
pub(crate) async fn connect_tls(
    address: SocketAddr,
    cert: &Path,
    buffer: Option<u32>,
) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = connect(address, buffer).await;
    let name = ServerName::try_from("localhost").unwrap();
    in_time("a TLS handshake", trusting(cert).connect(name, stream)).await
}

/// A port without TLS in front of one with it, for clients that know nothing of TLS.
pub(crate) struct Tunnel {
    pub(crate) address: SocketAddr,
    task: AbortHandle,
}

impl Tunnel {
    /// Leads to this port, whose certificate is in this file.
    pub(crate) async fn to(target: SocketAddr, cert: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, connector) = (listener.local_addr().unwrap(), trusting(cert));
        let run = async move {
            loop {
                let (mut inner, _) = listener.accept().await.unwrap();
                let connector = connector.clone();
                tokio::spawn(async move {
                    let stream = TcpStream::connect(target).await.unwrap();
                    let name = ServerName::try_from("localhost").unwrap();
                    let mut outer = connector.connect(name, stream).await.unwrap();
                    // However it ends, it is over for both.
                    let _ = tokio::io::copy_bidirectional(&mut inner, &mut outer).await;
                });
            }
        };
        Self { address, task: tokio::spawn(run).abort_handle() }
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        self.task.abort();
    }
}
