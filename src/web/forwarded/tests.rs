use http::HeaderValue;
use proptest::prelude::*;

use super::*;

const PROXY: &str = "10.0.0.1";

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn proxies() -> Proxies {
    ["10.0.0.0/8", "::1"].iter().map(|text| text.parse::<crate::config::Proxy>().unwrap()).collect()
}

fn peer(address: &str) -> Peer {
    Peer { address: Some(SocketAddr::new(ip(address), 4711)), tls: false }
}

fn headers(name: HeaderName, lines: &[impl AsRef<[u8]>]) -> HeaderMap {
    lines.iter().map(|line| (name.clone(), HeaderValue::from_bytes(line.as_ref()).unwrap())).collect()
}

/// Whom a request with these lines of `X-Forwarded-For` is from, that comes from the proxy.
fn through(lines: &[&str]) -> IpAddr {
    client(peer(PROXY), &headers(FOR, lines), &proxies()).address.unwrap()
}

#[test]
fn the_last_address_that_is_no_proxy_is_the_client() {
    for (lines, expected) in [
        (&["192.0.2.1"][..], "192.0.2.1"),
        (&["192.0.2.1, 10.0.0.2"], "192.0.2.1"),
        (&["192.0.2.1,10.0.0.2 , ::1,10.9.9.9"], "192.0.2.1"),
        // What the client wrote itself stands before what the proxy saw.
        (&["127.0.0.1, 192.0.2.1"], "192.0.2.1"),
        (&["10.0.0.3, 192.0.2.66, 192.0.2.1"], "192.0.2.1"),
        (&["192.0.2.66", "192.0.2.1"], "192.0.2.1"),
        (&["192.0.2.66, 192.0.2.1", "10.0.0.2"], "192.0.2.1"),
        // As some proxies write them.
        (&["192.0.2.1:5000"], "192.0.2.1"),
        (&["2001:db8::1"], "2001:db8::1"),
        (&["[2001:db8::1]"], "2001:db8::1"),
        (&["[2001:db8::1]:5000"], "2001:db8::1"),
        (&["::ffff:192.0.2.1"], "192.0.2.1"),
        (&["192.0.2.1, ::ffff:10.0.0.2"], "192.0.2.1"),
    ] {
        assert_eq!(through(lines), ip(expected), "{lines:?}");
    }
}

#[test]
fn where_there_is_no_address_it_is_the_proxy_that_has_said_so() {
    for lines in [
        &[][..],
        &[""],
        &["unknown"],
        &["192.0.2.1,"],
        &["192.0.2.1, unknown"],
        &["192.0.2.1, _hidden"],
        &["192.0.2.1", ""],
        &["192.0.2.1, fe80::1%eth0"],
        &["192.0.2.1, 192.0.2.999"],
    ] {
        assert_eq!(through(lines), ip(PROXY), "{lines:?}");
    }
    assert_eq!(through(&["192.0.2.1, unknown, 10.0.0.2"]), ip("10.0.0.2"));
    assert_eq!(through(&["10.0.0.3, 10.0.0.2"]), ip("10.0.0.3"), "a request of a proxy's own");
}

#[test]
fn nobody_else_is_believed() {
    let mut lies = headers(FOR, &["127.0.0.1"]);
    lies.extend(headers(PROTO, &["https"]));
    let stranger = client(peer("192.0.2.7"), &lies, &proxies());
    assert_eq!(stranger, Client { address: Some(ip("192.0.2.7")), tls: false });
    let nobody = client(peer(PROXY), &lies, &Proxies::default());
    assert_eq!(nobody, Client { address: Some(ip(PROXY)), tls: false });
    let local = client(Peer { address: None, tls: false }, &lies, &proxies());
    assert_eq!(local, Client { address: None, tls: false });
    assert_eq!(client(peer("::ffff:192.0.2.7"), &lies, &proxies()).address, Some(ip("192.0.2.7")));
}

#[test]
fn tls_is_what_the_nearest_proxy_says_or_what_its_own_connection_has() {
    let tls = |lines: &[&str], own| {
        let peer = Peer { tls: own, ..peer(PROXY) };
        client(peer, &headers(PROTO, lines), &proxies()).tls
    };
    assert!(tls(&["https"], false) && tls(&["HTTPS "], false) && tls(&["http, https"], false));
    assert!(!tls(&["http"], true) && !tls(&["https", "http"], true) && !tls(&["https,http"], true));
    for nothing in [&[][..], &[""], &["gopher"], &["https,"]] {
        assert!(tls(nothing, true) && !tls(nothing, false), "{nothing:?}");
    }
}

proptest! {
    #[test]
    fn whatever_a_client_writes_the_proxys_word_stands(
        lies in proptest::collection::vec("[ -~]{0,40}", 0..4),
        real in any::<[u8; 4]>().prop_filter("a proxy", |address| address[0] != 10),
        inner in proptest::collection::vec(any::<[u8; 3]>(), 0..4),
    ) {
        // A proxy adds to the last line, or a line of its own; others add themselves behind it.
        let mut seen = IpAddr::from(real).to_string();
        for [a, b, c] in inner {
            seen.push_str(&format!(", 10.{a}.{b}.{c}"));
        }
        let mut lines = lies;
        let own_line = [&lines[..], std::slice::from_ref(&seen)].concat();
        match lines.last_mut() {
            Some(last) => last.push_str(&format!(",{seen}")),
            None => lines.push(seen),
        }
        for lines in [lines, own_line] {
            let who = client(peer(PROXY), &headers(FOR, &lines), &proxies());
            prop_assert_eq!(who.address, Some(IpAddr::from(real)), "{:?}", lines);
        }
    }

    #[test]
    fn any_bytes_are_survived_and_the_answer_is_in_them_or_the_proxy(
        lines in proptest::collection::vec(
            proptest::collection::vec(any::<u8>().prop_filter("not in headers", |b| *b == 9 || (*b >= 32 && *b != 127)), 0..60),
            0..4,
        ),
    ) {
        let mut all = headers(FOR, &lines);
        all.extend(headers(PROTO, &lines));
        let who = client(peer(PROXY), &all, &proxies());
        prop_assert!(who.address.is_some());
        let stranger = client(peer("192.0.2.7"), &all, &proxies());
        prop_assert_eq!(stranger, Client { address: Some(ip("192.0.2.7")), tls: false });
    }
}
