//! A certificate that no authority has signed: made here, kept, and made anew before it expires.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use anyhow::Context;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose,
};

use super::pair::{Pair, contents};
use crate::{state_folder, web::addresses::outward};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Apple's systems take none that lasts for more than 825 days.
const LASTS: Duration = Duration::from_secs(800 * 24 * 3600);

/// A new one is made so long before the end of the old one.
const BEFORE: Duration = Duration::from_secs(30 * 24 * 3600);

/// Certificate and key are in one file, so that after a power cut they fit.
pub(super) fn file(state_folder: &Path) -> PathBuf {
    state_folder.join("tls/self-signed.pem")
}

/// The names and addresses under which browsers may look for this machine.
pub(super) fn names(hosts: &[String]) -> Vec<String> {
    let own = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let label = own.split('.').next().unwrap_or_default();
    let mut names: Vec<String> = vec![own.clone(), format!("{label}.local"), "localhost".into()];
    names.extend_from_slice(hosts);
    // What can't be in a certificate can't be in an address either.
    names.retain(|name| {
        name.is_ascii() && !name.starts_with('.') && name.parse::<IpAddr>().is_err() && !name.is_empty()
    });
    let here: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    names.extend(here.into_iter().chain(outward()).map(|address| address.to_string()));
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

/// The one that is kept, unless it is no good.
pub(super) fn kept(file: &Path) -> Option<Pair> {
    let text = contents(file).ok()?;
    Pair::new(file, file, &text, &text).ok()
}

/// The one that is kept, or a new one where there is none, it ends soon, or lacks a name.
///
/// Addresses change, and each new certificate is a new warning in browsers, so that one which lacks an address is kept.
pub(super) fn get(file: &Path, names: &[String], now: SystemTime) -> anyhow::Result<Pair> {
    let has_names = |pair: &Pair| {
        let mut wanted = names.iter().filter(|name| name.parse::<IpAddr>().is_err());
        wanted.all(|name| pair.names.contains(name))
    };
    if let Some(kept) = kept(file).filter(|kept| kept.ends > now + BEFORE && has_names(kept)) {
        return Ok(kept);
    }
    let text = make(names, now)?;
    let pair = Pair::new(file, file, text.as_bytes(), text.as_bytes())?;
    state_folder::replace(file, text.as_bytes())
        .with_context(|| format!("{} can't be written; make the folder writable", file.display()))?;
    Ok(pair)
}

fn make(names: &[String], now: SystemTime) -> anyhow::Result<String> {
    let mut params = CertificateParams::new(names)?;
    let mut subject = DistinguishedName::new();
    // A name of more than 64 characters is not allowed there.
    let machine: String = names.first().map(String::as_str).unwrap_or("camera").chars().take(50).collect();
    subject.push(DnType::CommonName, format!("Eyelid on {machine}"));
    params.distinguished_name = subject;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // A browser's clock may be behind ours.
    params.not_before = (now - DAY).into();
    params.not_after = (now + LASTS).into();
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    Ok(certificate.pem() + &key.serialize_pem())
}
