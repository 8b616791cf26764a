//! Where browsers find this daemon.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// Addresses of the page for a daemon that listens there, the best one first.
pub(crate) fn addresses(listen: SocketAddr, tls: bool) -> Vec<String> {
    let own = rustix::system::uname().nodename().to_string_lossy().into_owned();
    list(listen, tls, &own, outward)
}

/// This machine's addresses in its networks, as far as it has any.
pub(crate) fn outward() -> Vec<IpAddr> {
    // The address from which packets to the rest of the world would go; connecting a UDP socket sends none. These two
    // are of the networks for documentation, where nobody is.
    let ways: [(IpAddr, IpAddr); 2] = [
        (Ipv4Addr::UNSPECIFIED.into(), Ipv4Addr::new(192, 0, 2, 1).into()),
        (Ipv6Addr::UNSPECIFIED.into(), Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into()),
    ];
    let from = |(here, there)| {
        let socket = UdpSocket::bind(SocketAddr::new(here, 0)).ok()?;
        socket.connect(SocketAddr::new(there, 9)).ok()?;
        socket.local_addr().ok().map(|address| address.ip())
    };
    ways.into_iter().filter_map(from).filter(|address| !address.is_loopback()).collect()
}

fn list(listen: SocketAddr, tls: bool, own: &str, outward: impl Fn() -> Vec<IpAddr>) -> Vec<String> {
    let (scheme, usual) = if tls { ("https", 443) } else { ("http", 80) };
    let url = |host: String| match listen.port() {
        port if port == usual => format!("{scheme}://{host}"),
        port => format!("{scheme}://{host}:{port}"),
    };
    let of = |address: IpAddr| match address.to_canonical() {
        IpAddr::V4(v4) => url(v4.to_string()),
        IpAddr::V6(v6) => url(format!("[{v6}]")),
    };
    if !listen.ip().is_unspecified() {
        return vec![of(listen.ip())];
    }
    // Names of the network at home end in .local, and are those that machines give themselves.
    let name = own.split('.').next().filter(|name| !name.is_empty() && *name != "localhost");
    let mut found: Vec<_> = name.map(|name| url(format!("{name}.local"))).into_iter().collect();
    // "0.0.0.0" is IPv4 alone, "[::]" is both.
    let heard = |address: &IpAddr| listen.is_ipv6() || address.is_ipv4();
    found.extend(outward().into_iter().filter(heard).map(of));
    if found.is_empty() {
        found.push(of(Ipv4Addr::LOCALHOST.into()));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(listen: &str, tls: bool, own: &str, outward: &[&str]) -> Vec<String> {
        list(listen.parse().unwrap(), tls, own, || {
            outward.iter().map(|address| address.parse().unwrap()).collect()
        })
    }

    const BOTH: &[&str] = &["192.168.1.5", "2001:db8::5"];

    #[test]
    fn one_address_is_that_and_no_other() {
        assert_eq!(at("127.0.0.1:3000", false, "pi", BOTH), ["http://127.0.0.1:3000"]);
        assert_eq!(at("[::1]:3000", true, "pi", BOTH), ["https://[::1]:3000"]);
        assert_eq!(at("192.168.1.5:80", false, "pi", BOTH), ["http://192.168.1.5"]);
        assert_eq!(at("192.168.1.5:80", true, "pi", BOTH), ["https://192.168.1.5:80"]);
    }

    #[test]
    fn any_address_is_the_name_first_and_then_those_that_others_reach() {
        let all = ["https://pi.local", "https://192.168.1.5", "https://[2001:db8::5]"];
        assert_eq!(at("[::]:443", true, "pi.example.org", BOTH), all);
        let v4 = ["http://pi.local:3000", "http://192.168.1.5:3000"];
        assert_eq!(at("0.0.0.0:3000", false, "pi", BOTH), v4);
    }

    #[test]
    fn without_a_name_and_a_network_there_is_this_machine() {
        for own in ["localhost", ""] {
            assert_eq!(at("[::]:3000", false, own, &[]), ["http://127.0.0.1:3000"]);
        }
    }

    #[test]
    fn what_this_machine_is_called_here_can_be_looked_up() {
        for address in addresses("[::]:3000".parse().unwrap(), false) {
            let url: http::Uri = address.parse().unwrap();
            assert_eq!((url.scheme_str(), url.port_u16()), (Some("http"), Some(3000)), "{address}");
        }
    }
}
