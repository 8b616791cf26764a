//! The server with TLS, on real sockets.

use super::sockets::{SHORT, Server, short, start_at};
use super::*;
use crate::config::Certificate;
use crate::web::tls;
use std::io::ErrorKind;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};

struct Secured {
    server: Server,
    connector: TlsConnector,
}

fn secured(limits: Limits) -> Secured {
    let folder = tempfile::tempdir().unwrap();
    let shown = tls::open(&Certificate::SelfSigned, folder.path(), &[], CancellationToken::new()).unwrap();
    let mut roots = RootCertStore::empty();
    let file = folder.path().join("tls/self-signed.pem");
    roots.add(CertificateDer::from_pem_file(file).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let server = start_at(|listener| Doors::new(listener).with_tls(shown), limits);
    Secured { server, connector: Arc::new(config).into() }
}

impl Secured {
    async fn connect(&self) -> TlsStream<TcpStream> {
        let name = ServerName::try_from("localhost").unwrap();
        self.connector.connect(name, self.server.connect().await).await.unwrap()
    }
}

/// Begins as every TLS connection does: a record of the handshake, 512 bytes long, of which these are the first.
const GREETING: [u8; 9] = [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc];

#[tokio::test]
async fn handshakes_that_drip_hold_up_nobody() {
    let secured = secured(Limits { head: Duration::from_secs(3600), ..Limits::default() });
    let mut dripping = Vec::new();
    for count in 0..100 {
        let mut stream = secured.server.connect().await;
        stream.write_all(&GREETING[..count % GREETING.len()]).await.unwrap();
        dripping.push(stream);
    }
    let mut stream = secured.connect().await;
    ask(&mut stream, "/").await;
    read_until(&mut stream, "hello").await;
    // They are there still: none has an end or an answer to read.
    for stream in &mut dripping {
        assert_eq!(stream.try_read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    }
}

#[tokio::test]
async fn handshakes_that_drip_end_with_the_time_for_a_head() {
    let mut secured = secured(short());
    let mut dripping = JoinSet::new();
    for count in 0..100 {
        let mut stream = secured.server.connect().await;
        dripping.spawn(async move {
            // A byte at a time, for as long as it lasts.
            for byte in GREETING.into_iter().chain(std::iter::repeat(0)).take(500) {
                if count % 3 == 0 || stream.write_all(&[byte]).await.is_err() {
                    break;
                }
                tokio::time::sleep(SHORT / 4).await;
            }
            rest(&mut stream).await
        });
    }
    for end in dripping.join_all().await {
        assert_eq!(end, "", "nothing can be said before a handshake");
    }
    assert!(secured.server.called.try_recv().is_err(), "none of it reached a handler");
}

#[tokio::test]
async fn a_slow_body_is_told_so_in_its_own_connection() {
    let secured = secured(Limits { head: Limits::default().head, ..short() });
    let mut stream = secured.connect().await;
    stream.write_all(b"POST /length HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n1").await.unwrap();
    assert!(rest(&mut stream).await.starts_with("HTTP/1.1 408 "));
}

#[tokio::test]
async fn who_never_reads_is_gone_in_the_end() {
    let mut secured = secured(Limits { head: Limits::default().head, ..short() });
    let mut streams = Vec::new();
    for path in ["/endless", "/bytes/30000000", "/upgrade"] {
        let mut stream = secured.connect().await;
        let head = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: test\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        assert_eq!(secured.server.called.recv().await.unwrap(), path);
        streams.push(stream);
    }
    assert_eq!(secured.server.called.recv().await.unwrap(), "end", "the upgraded one was cut off");
    for mut stream in streams {
        let error = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    }
}

#[tokio::test]
async fn answers_of_any_length_come_whole_and_the_connection_is_kept() {
    let secured = secured(Limits::default());
    let mut stream = secured.connect().await;
    for length in [0, 1, 16_384, 16_385, 3_000_000] {
        ask(&mut stream, &format!("/bytes/{length}")).await;
        let head = read_until(&mut stream, "\r\n\r\n").await;
        assert!(head.contains(&format!("content-length: {length}\r\n")), "{head}");
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.unwrap();
        assert!(body.iter().all(|byte| *byte == b'x'));
    }
    let mut busy = secured.connect().await;
    busy.write_all(b"POST /length HTTP/1.1\r\nhost: x\r\ncontent-length: 200000\r\n\r\n").await.unwrap();
    busy.write_all(&[b'x'; 200_000]).await.unwrap();
    read_until(&mut busy, "200000").await;
    // The end is told in TLS: nobody has cut it off.
    secured.server.shutdown.cancel();
    for mut stream in [stream, busy] {
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
    }
    secured.server.task.await.unwrap();
}
