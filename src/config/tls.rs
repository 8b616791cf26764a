//! How connections are encrypted.

use std::path::{Path, PathBuf};

/// The certificate that browsers are shown: `[tls]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsConfig {
    /// A file in PEM with the certificate and those between it and its authority; empty for none.
    pub cert: String,
    /// A file in PEM with its private key; empty for none.
    pub key: String,
    /// Makes and keeps a certificate that no authority has signed.
    pub self_signed: bool,
}

/// Where the certificate comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Certificate {
    /// There is none: connections are not encrypted.
    None,
    /// From files of the owner's, which may change.
    Files {
        /// That with the certificate.
        cert: PathBuf,
        /// That with its key.
        key: PathBuf,
    },
    /// Made here.
    SelfSigned,
}

impl TlsConfig {
    /// Where the certificate comes from.
    pub fn certificate(&self) -> Certificate {
        let path = |text: &String| Path::new(text).to_owned();
        match (self.cert.is_empty(), self.self_signed) {
            (false, _) => Certificate::Files { cert: path(&self.cert), key: path(&self.key) },
            (true, true) => Certificate::SelfSigned,
            (true, false) => Certificate::None,
        }
    }

    /// Whether connections are encrypted.
    pub fn is_on(&self) -> bool {
        self.certificate() != Certificate::None
    }

    /// What does not go together: the key to blame, what is wrong, and what to do.
    pub(super) fn fault(&self) -> Option<(&'static str, &'static str, &'static str)> {
        let either = "leave self_signed out, or cert and key";
        Some(match (!self.cert.is_empty(), !self.key.is_empty(), self.self_signed) {
            (true, _, true) | (_, true, true) => {
                ("tls.self_signed", "there is a certificate already, in cert and key", either)
            }
            (true, false, _) => (
                "tls.key",
                "a certificate needs its private key",
                "set key under [tls] to the file that has it",
            ),
            (false, true, _) => {
                ("tls.cert", "a key needs its certificate", "set cert under [tls] to the file that has it")
            }
            _ => return None,
        })
    }
}
