//! Host names as browsers write them, and which of them are ours.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A host and a port, as in a `Host` header. Takes no memory of its own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Authority<'a> {
    pub(super) host: Host<'a>,
    pub(super) port: Option<u16>,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Host<'a> {
    Ip(IpAddr),
    /// Letters, digits, `-`, `_` and inner dots; without the dot that may end a name.
    Name(&'a str),
}

impl PartialEq for Host<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Ip(one), Self::Ip(other)) => one == other,
            (Self::Name(one), Self::Name(other)) => one.eq_ignore_ascii_case(other),
            _ => false,
        }
    }
}

impl<'a> Authority<'a> {
    /// Reads `HOST`, `HOST:PORT`, `[IPV6]` or `[IPV6]:PORT`.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (host, port) = if let Some(rest) = text.strip_prefix('[') {
            let (address, rest) = rest.split_once(']')?;
            let port = if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) };
            (Host::Ip(address.parse::<Ipv6Addr>().ok()?.into()), port)
        } else {
            let (host, port) = match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            };
            (Host::parse(host)?, port)
        };
        let port = match port {
            // "host:" is valid, and means the default port.
            None | Some("") => None,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => Some(digits.parse().ok()?),
            Some(_) => return None,
        };
        Some(Self { host, port })
    }
}

impl<'a> Host<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        if let Ok(address) = text.parse::<Ipv4Addr>() {
            return Some(Self::Ip(address.into()));
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        let is_label = |label: &str| {
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
            (1..=63).contains(&label.len()) && label.bytes().all(allowed)
        };
        (name.len() <= 253 && name.split('.').all(is_label)).then_some(Self::Name(name))
    }
}

/// The names under which browsers may reach the daemon. Any other name that leads here may be a trick of
/// a web site, which makes its own name point to this machine to get at the pictures (DNS rebinding).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Hosts {
    names: Vec<Box<str>>,
}

impl Hosts {
    /// The names from the configuration and the machine's own.
    pub(crate) fn new(configured: &[String]) -> Self {
        let own = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let names = configured.iter().chain([&own]);
        Self { names: names.map(|name| name.strip_suffix('.').unwrap_or(name).into()).collect() }
    }

    /// An address can't be rebound, and the names `localhost` and `.local` are not those of the DNS.
    pub(super) fn allow(&self, host: Host<'_>) -> bool {
        let Host::Name(name) = host else { return true };
        let last_label = name.rsplit('.').next().unwrap_or(name);
        last_label.eq_ignore_ascii_case("localhost")
            || (last_label.eq_ignore_ascii_case("local") && last_label.len() < name.len())
            || self.names.iter().any(|own| own.eq_ignore_ascii_case(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hosts() -> Hosts {
        Hosts { names: vec!["cam.example".into(), "Aquarium".into()] }
    }

    #[test]
    fn our_names_are_allowed_however_they_are_written() {
        for host in [
            "127.0.0.1",
            "127.0.0.1:3000",
            "192.168.1.20:3000",
            "[::1]",
            "[::1]:3000",
            "[fe80::1:2]:80",
            "[::ffff:192.0.2.1]",
            "localhost",
            "LOCALHOST:3000",
            "localhost.",
            "localhost.:3000",
            "cam.localhost",
            "raspberrypi.local",
            "raspberrypi.local.:3000",
            "a.b.LOCAL",
            "cam.example",
            "Cam.Example.:443",
            "cam.example:",
            "aquarium",
            "aquarium:3000",
        ] {
            let authority = Authority::parse(host).unwrap_or_else(|| panic!("{host} is valid"));
            assert!(hosts().allow(authority.host), "{host}");
        }
    }

    #[test]
    fn other_names_are_not() {
        for host in [
            "evil.example",
            "evil.cam.example",
            "cam.example.evil.example",
            "aquarium.evil.example",
            "local",
            "notlocal",
            "evil-local",
            "mylocalhost",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "127.1",
            "0x7f000001",
            "2130706433",
            "256.0.0.1",
        ] {
            let authority = Authority::parse(host).unwrap_or_else(|| panic!("{host} is valid"));
            assert!(!hosts().allow(authority.host), "{host}");
        }
    }

    #[test]
    fn what_is_no_host_is_nothing() {
        for host in [
            "",
            ".",
            "..",
            ":80",
            "a..b",
            ".a",
            "a..",
            "a b",
            "a/b",
            "a@b",
            "user@localhost",
            "localhost:3000:1",
            "localhost:65536",
            "localhost:+80",
            "localhost:-1",
            "localhost:http",
            "::1",
            "[::1",
            "[::1]3000",
            "[::1]x",
            "[::g]",
            "[127.0.0.1]",
            "[fe80::1%eth0]",
            "[]",
            "]",
            "l\u{f6}calhost",
            "localhost,evil.example",
            "localhost\\",
            "localhost#",
            "%6cocalhost",
        ] {
            assert!(Authority::parse(host).is_none(), "{host}");
        }
        assert!(Authority::parse(&"a".repeat(64)).is_none());
        assert!(Authority::parse(&["a"; 200].join(".")).is_none());
    }

    #[test]
    fn the_machine_answers_to_its_own_name() {
        let own = rustix::system::uname().nodename().to_string_lossy().into_owned();
        assert!(Hosts::new(&[]).allow(Host::Name(&own)));
        assert!(Hosts::new(&["Cam.example.".into()]).allow(Host::Name("cam.EXAMPLE")));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC*") {
            Authority::parse(&text);
        }

        #[test]
        fn nothing_near_a_host_panics_and_what_is_read_is_short(text in "[\\[\\]:.0-9a-f%@_-]{0,80}") {
            if let Some(Authority { host: Host::Name(name), .. }) = Authority::parse(&text) {
                prop_assert!(text.starts_with(name) && !name.is_empty());
            }
        }

        #[test]
        fn every_address_and_port_is_read_back(address: IpAddr, port: u16) {
            let text = std::net::SocketAddr::new(address, port).to_string();
            let authority = Authority::parse(&text).expect("the standard library writes valid addresses");
            prop_assert_eq!(authority.host, Host::Ip(address));
            prop_assert_eq!(authority.port, Some(port));
        }
    }
}
