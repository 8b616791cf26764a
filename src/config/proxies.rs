//! Reverse proxies in front of the daemon, whose word about clients counts.

use std::{fmt, net::IpAddr, str::FromStr, sync::Arc};

use ipnet::{IpNet, Ipv4Net};

/// The addresses of the reverse proxies that are believed. Clones share the list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxies(Arc<[Proxy]>);

impl Proxies {
    /// Whether one of them has this address.
    pub fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|proxy| proxy.0.contains(&address))
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Proxy> {
        self.0.iter()
    }
}

impl FromIterator<Proxy> for Proxies {
    fn from_iter<T: IntoIterator<Item = Proxy>>(proxies: T) -> Self {
        Self(proxies.into_iter().collect())
    }
}

/// An address or a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proxy(IpNet);

impl Proxy {
    /// What [`Proxy::from_str`] accepts.
    pub(super) const EXPECTED: &str = "an address such as 127.0.0.1 or a network such as 10.0.0.0/8";
}

impl FromStr for Proxy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let one = || text.parse::<IpAddr>().ok().map(|address| IpNet::from(address.to_canonical()));
        let network = || text.parse::<IpNet>().ok().map(|network| canonical(network.trunc()));
        one().or_else(network).map(Self).ok_or_else(|| format!("expected {}", Self::EXPECTED))
    }
}

/// The IPv4 network of one that is written as part of IPv6 (`::ffff:10.0.0.0/104`), as addresses are compared.
fn canonical(network: IpNet) -> IpNet {
    const MAPPED: u8 = 96;
    match network {
        IpNet::V6(v6) if v6.prefix_len() >= MAPPED => v6
            .addr()
            .to_ipv4_mapped()
            .and_then(|v4| Ipv4Net::new(v4, v6.prefix_len() - MAPPED).ok())
            .map_or(network, IpNet::V4),
        network => network,
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.prefix_len() == self.0.max_prefix_len() {
            write!(f, "{}", self.0.addr())
        } else {
            write!(f, "{}", self.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(texts: &[&str]) -> Proxies {
        texts.iter().map(|text| text.parse::<Proxy>().unwrap()).collect()
    }

    #[test]
    fn an_address_is_itself_and_a_network_all_that_is_in_it() {
        let known = proxies(&["192.0.2.1", "10.0.0.0/8", "2001:db8::/32", "::1"]);
        for (address, is_known) in [
            ("192.0.2.1", true),
            ("192.0.2.2", false),
            ("10.255.0.1", true),
            ("11.0.0.0", false),
            ("2001:db8:1::1", true),
            ("2001:db9::1", false),
            ("::1", true),
            ("::ffff:10.1.2.3", true),
            ("127.0.0.1", false),
        ] {
            assert_eq!(known.contain(address.parse().unwrap()), is_known, "{address}");
        }
        assert!(!Proxies::default().contain([127, 0, 0, 1].into()));
        assert!(proxies(&["::ffff:10.0.0.0/104"]).contain([10, 1, 2, 3].into()));
        assert!(proxies(&["::ffff:10.0.0.1"]).contain([10, 0, 0, 1].into()));
    }

    #[test]
    fn they_are_written_as_they_are_read() {
        for (written, read) in
            [("10.1.2.3/8", "10.0.0.0/8"), ("::1", "::1"), ("192.0.2.1/32", "192.0.2.1"), ("::/0", "::/0")]
        {
            assert_eq!(written.parse::<Proxy>().unwrap().to_string(), read);
        }
        for bad in ["", "proxy", "10.0.0.0/33", "10.0.0/8", "http://10.0.0.1", "fe80::1%eth0", "10.0.0.1:80"]
        {
            assert!(bad.parse::<Proxy>().is_err(), "{bad}");
        }
    }
}
