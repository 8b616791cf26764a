//! A certificate and its key, read and found to fit.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use anyhow::{Context, anyhow, bail};
use sha2::{Digest, Sha256};
use tokio_rustls::rustls::{
    self, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use x509_parser::{certificate::X509Certificate, extensions::GeneralName, prelude::FromDer};

/// Longer than any chain of certificates is.
const MOST_BYTES: u64 = 1 << 20;

/// A certificate that can be shown.
#[derive(Debug, Clone)]
pub(super) struct Pair {
    /// Where it is from.
    pub(super) file: PathBuf,
    /// The SHA-256 of the certificate, as browsers show it.
    pub(super) fingerprint: String,
    /// The names and addresses that it is for.
    pub(super) names: Vec<String>,
    /// When it expires.
    pub(super) ends: SystemTime,
    pub(super) config: Arc<ServerConfig>,
    chain: Vec<CertificateDer<'static>>,
    key: Arc<PrivateKeyDer<'static>>,
}

impl Pair {
    /// Reads the two files that the owner has named.
    ///
    /// # Errors
    /// With the configuration's key that is to blame, the file, and what to do.
    pub(super) fn read(cert: &Path, key: &Path) -> anyhow::Result<Self> {
        let text = |name: &str, file: &Path| {
            contents(file).with_context(|| {
                format!("{name}: {} can't be read; let the daemon's user read it", file.display())
            })
        };
        Self::new(cert, key, &text("tls.cert", cert)?, &text("tls.key", key)?)
    }

    /// What the contents of the two files are; they may be one.
    pub(super) fn new(
        cert_file: &Path,
        key_file: &Path,
        cert_text: &[u8],
        key_text: &[u8],
    ) -> anyhow::Result<Self> {
        let (cert, key) = (cert_file.display(), key_file.display());
        let chain: Vec<_> = CertificateDer::pem_slice_iter(cert_text)
            .collect::<Result<_, _>>()
            .map_err(|error| anyhow!("tls.cert: {cert} is no PEM file: {error}"))?;
        let Some(first) = chain.first() else {
            bail!("tls.cert: {cert} has no certificate; it begins with -----BEGIN CERTIFICATE-----");
        };
        let (_, about) = X509Certificate::from_der(first)
            .map_err(|error| anyhow!("tls.cert: the first certificate of {cert} can't be read: {error}"))?;
        let (names, ends) = (names(&about), after_1970(about.validity().not_after.timestamp()));
        let secret = PrivateKeyDer::from_pem_slice(key_text).map_err(|error| {
            let encrypted = key_text.windows(9).any(|window| window == b"ENCRYPTED");
            match error {
                _ if encrypted => anyhow!(
                    "tls.key: {key} is encrypted with a password; openssl pkey -in {key} -out NEW writes it without"
                ),
                rustls::pki_types::pem::Error::NoItemsFound => {
                    anyhow!("tls.key: {key} has no private key; it begins with -----BEGIN PRIVATE KEY-----")
                }
                error => anyhow!("tls.key: {key} is no PEM file: {error}"),
            }
        })?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(
            rustls::crypto::ring::default_provider(),
        ))
        .with_safe_default_protocol_versions()
        .context("TLS")?
        .with_no_client_auth()
        .with_single_cert(chain.clone(), secret.clone_key())
        .map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => {
                anyhow!("tls.key: {key} is not the key of the certificate in {cert}; set both from one issue")
            }
            error => anyhow!("tls.key: {key} can't be used with the certificate in {cert}: {error}"),
        })?;
        // HTTP/1.1 is all that the port speaks.
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            file: cert_file.to_owned(),
            fingerprint: fingerprint(first),
            names,
            ends,
            config: Arc::new(config),
            chain,
            key: Arc::new(secret),
        })
    }

    /// Whether both show and know the same.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.chain == other.chain && self.key.secret_der() == other.key.secret_der()
    }

    /// The day on which it expires.
    pub(super) fn last_day(&self) -> String {
        jiff::Timestamp::try_from(self.ends)
            .map_or_else(|_| "an unknown day".to_owned(), |ends| ends.strftime("%Y-%m-%d").to_string())
    }

    /// What people want to know of it.
    pub(super) fn in_words(&self) -> String {
        format!(
            "TLS certificate from {}: for {}, until {}, SHA-256 fingerprint {}",
            self.file.display(),
            if self.names.is_empty() { "no name".to_owned() } else { self.names.join(", ") },
            self.last_day(),
            self.fingerprint
        )
    }
}

/// Not `/dev/zero`.
pub(super) fn contents(file: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(file)?.take(MOST_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn fingerprint(certificate: &[u8]) -> String {
    let bytes = Sha256::digest(certificate);
    bytes.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
}

fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let address = |bytes: &[u8]| match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(|bytes| std::net::IpAddr::from(bytes).to_string()),
        _ => <[u8; 16]>::try_from(bytes).ok().map(|bytes| std::net::IpAddr::from(bytes).to_string()),
    };
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => address(bytes),
        _ => None,
    };
    let all = certificate.subject_alternative_name().ok().flatten();
    all.map(|names| names.value.general_names.iter().filter_map(name).collect()).unwrap_or_default()
}

fn after_1970(seconds: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}
