//! Who may connect: limits on connections in all and from one address.

use super::Limits;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

/// A connection that was let in; given back to [`Admission::leave`] when it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket(Option<IpAddr>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Full {
    InAll,
    FromAddress,
}

/// The count of open connections.
#[derive(Debug, Default)]
pub(super) struct Admission {
    all: usize,
    of: HashMap<IpAddr, usize>,
}

impl Admission {
    pub(super) fn enter(&mut self, from: IpAddr, limits: &Limits) -> Result<Ticket, Full> {
        if self.all >= limits.connections {
            return Err(Full::InAll);
        }
        let party = party(from).filter(|_| !limits.proxies.borrow().contain(from));
        if let Some(party) = party {
            let count = self.of.entry(party).or_default();
            if *count >= limits.connections_per_address {
                if *count == 0 {
                    self.of.remove(&party);
                }
                return Err(Full::FromAddress);
            }
            *count += 1;
        }
        self.all += 1;
        Ok(Ticket(party))
    }

    pub(super) fn leave(&mut self, ticket: Ticket) {
        self.all -= 1;
        if let Some(party) = ticket.0
            && let Some(count) = self.of.get_mut(&party)
        {
            *count -= 1;
            if *count == 0 {
                self.of.remove(&party);
            }
        }
    }
}

/// What counts as one address: an IPv6 household has a /64 of them, while all neighbours share the
/// link-local one. Nothing for loopback, where a reverse proxy brings everybody's connections.
fn party(address: IpAddr) -> Option<IpAddr> {
    match address.to_canonical() {
        address if address.is_loopback() => None,
        IpAddr::V6(v6) if v6.is_unicast_link_local() => Some(v6.into()),
        IpAddr::V6(v6) => Some(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64)).into()),
        v4 => Some(v4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits { connections: 3, connections_per_address: 2, ..Limits::default() }
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn one_address_gets_its_share_and_all_together_get_theirs() {
        let (mut admission, limits) = (Admission::default(), limits());
        let first = admission.enter(ip("192.0.2.1"), &limits).unwrap();
        admission.enter(ip("192.0.2.1"), &limits).unwrap();
        assert_eq!(admission.enter(ip("192.0.2.1"), &limits), Err(Full::FromAddress));
        admission.enter(ip("192.0.2.2"), &limits).unwrap();
        assert_eq!(admission.enter(ip("192.0.2.3"), &limits), Err(Full::InAll));
        admission.leave(first);
        admission.enter(ip("192.0.2.1"), &limits).unwrap();
    }

    #[test]
    fn a_proxy_that_is_known_may_bring_everybody() {
        let proxies = ["192.0.2.0/24".parse::<crate::config::Proxy>().unwrap()].into_iter().collect();
        let (_sender, proxies) = tokio::sync::watch::channel(proxies);
        let (mut admission, limits) = (Admission::default(), Limits { proxies, ..limits() });
        let tickets: Vec<_> = (0..3).map(|_| admission.enter(ip("192.0.2.1"), &limits)).collect();
        assert_eq!(admission.enter(ip("192.0.2.1"), &limits), Err(Full::InAll));
        for ticket in tickets {
            admission.leave(ticket.unwrap());
        }
        assert_eq!((admission.all, admission.of.len()), (0, 0));
    }

    #[test]
    fn who_has_left_is_forgotten() {
        let (mut admission, limits) = (Admission::default(), limits());
        for host in 0..200 {
            let ticket = admission.enter(IpAddr::from([192, 0, 2, host]), &limits).unwrap();
            admission.leave(ticket);
        }
        assert_eq!((admission.all, admission.of.len()), (0, 0));
    }

    #[test]
    fn a_household_is_one_address_and_loopback_is_none() {
        assert_eq!(party(ip("2001:db8:1:2:3::4")), Some(ip("2001:db8:1:2::")));
        assert_eq!(party(ip("2001:db8:1:2:ffff::")), party(ip("2001:db8:1:2::1")));
        assert_ne!(party(ip("2001:db8:1:3::")), party(ip("2001:db8:1:2::")));
        assert_ne!(party(ip("fe80::1")), party(ip("fe80::2")));
        assert_eq!(party(ip("::ffff:192.0.2.1")), Some(ip("192.0.2.1")));
        for loopback in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(party(ip(loopback)), None);
        }
    }
}
