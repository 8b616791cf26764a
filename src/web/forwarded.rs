//! Who the client is behind the proxies that are believed.
//!
//! `X-Forwarded-For` is a list to which each proxy adds, at its end, where its request came from. What a client
//! wrote there itself stands before that, so the list is read from its end for as long as proxies are named that
//! are known; and at all only when the connection is that of a known proxy.

use super::server::Peer;
use crate::config::Proxies;
use http::{HeaderMap, HeaderName};
use std::fmt;
use std::net::{IpAddr, SocketAddr};

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Who a request is from, as an extension of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Client {
    /// Its address; `None` on the local socket.
    pub(crate) address: Option<IpAddr>,
    /// Whether it came to the daemon, or to the proxy in front of it, by TLS.
    pub(crate) tls: bool,
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            Some(address) => write!(f, "{address}"),
            None => f.write_str("the local socket"),
        }
    }
}

/// Who a request is from that came from this peer with these headers.
pub(crate) fn client(peer: Peer, headers: &HeaderMap, proxies: &Proxies) -> Client {
    let Some(address) = peer.address.map(|address| address.ip().to_canonical()) else {
        return Client { address: None, tls: peer.tls };
    };
    if !proxies.contain(address) {
        return Client { address: Some(address), tls: peer.tls };
    }
    Client { address: Some(origin(address, headers, proxies)), tls: scheme(headers).unwrap_or(peer.tls) }
}

/// The last address that is no known proxy. Where something else stands in its place, such as "unknown", it is
/// the proxy that has said so.
fn origin(proxy: IpAddr, headers: &HeaderMap, proxies: &Proxies) -> IpAddr {
    let mut last = proxy;
    // Header lines of the same name are one list. A line that is no text has no address in it.
    let lines = headers.get_all(FOR).iter().map(|line| line.to_str().unwrap_or_default());
    for hop in lines.rev().flat_map(|line| line.rsplit(',')) {
        match address(hop.trim()) {
            Some(address) => last = address,
            None => return last,
        }
        if !proxies.contain(last) {
            return last;
        }
    }
    last
}

/// An address as proxies write it: with a port or without, IPv6 in brackets or without.
fn address(text: &str) -> Option<IpAddr> {
    let in_brackets = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<std::net::Ipv6Addr>().ok();
    let address = text
        .parse::<IpAddr>()
        .ok()
        .or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
        .or_else(|| in_brackets().map(IpAddr::V6));
    address.map(|address| address.to_canonical())
}

/// Whether the nearest proxy says that it was reached by TLS: the last item, for a client may have written the others.
fn scheme(headers: &HeaderMap) -> Option<bool> {
    let line = headers.get_all(PROTO).iter().next_back()?.to_str().ok()?;
    let last = line.rsplit(',').next()?.trim();
    match last.to_ascii_lowercase().as_str() {
        "https" | "wss" => Some(true),
        "http" | "ws" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
