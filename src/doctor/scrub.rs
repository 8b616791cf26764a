//! Takes out of a text what others should not see: names and addresses of the machine, its owner's name, passwords in
//! addresses.
//!
//! No check has a value of the configuration in it; this is for what other programs and the system say.

use std::{env, net::IpAddr};

/// What is replaced, and by what.
#[derive(Debug, Default)]
pub(super) struct Scrub {
    host: String,
    home: String,
}

/// Host names that tell nobody's machine from others, or that are words of ours.
const COMMON: [&str; 8] =
    ["localhost", "raspberrypi", "raspberry", "debian", "eyelid", "camera", "video", "libcamera"];

/// A longer text of another program's says nothing more.
const LONGEST: usize = 400;

impl Scrub {
    pub(super) fn of_this_machine() -> Self {
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let home = env::var("HOME").unwrap_or_default();
        Self::new(&host, &home)
    }

    fn new(host: &str, home: &str) -> Self {
        let host = host.split('.').next().unwrap_or_default().to_ascii_lowercase();
        let common = host.len() < 3 || COMMON.contains(&host.as_str());
        let home = home.trim_end_matches('/');
        // That of root names nobody.
        let home = if home == "/root" { "" } else { home };
        Self { host: if common { String::new() } else { host }, home: home.to_owned() }
    }

    /// The text as a line that anybody may read.
    pub(super) fn clean(&self, text: &str) -> String {
        let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect();
        let line = if self.home.is_empty() { line } else { line.replace(&self.home, "~") };
        let line = without_users(&line);
        let line = words(&without_logins(&line), is_of_a_name, |word| {
            let ours = !self.host.is_empty() && word.eq_ignore_ascii_case(&self.host);
            ours.then_some("HOST")
        });
        words(
            &line,
            |c| c.is_ascii_hexdigit() || c == ':' || c == '.',
            |word| {
                let address = address(word)?;
                (!address.is_loopback() && !address.is_unspecified()).then_some("ADDRESS")
            },
        )
    }
}

fn is_of_a_name(c: char) -> bool {
    c.is_alphanumeric() || c == '-' || c == '_'
}

/// `1.2.3.4`, `1.2.3.4:80`, `fe80::1`; not a time such as `12:30` or a version such as `1.2.3`.
fn address(word: &str) -> Option<IpAddr> {
    let word = word.trim_matches('.');
    let without_port =
        || word.rsplit_once(':').and_then(|(address, _)| address.parse::<std::net::Ipv4Addr>().ok());
    word.parse()
        .ok()
        .or_else(|| without_port().map(IpAddr::V4))
        .or_else(|| word.trim_end_matches(':').parse().ok())
}

/// `/home/anna/config.toml` as `/home/USER/config.toml`: with sudo it is another's home.
fn without_users(text: &str) -> String {
    let mut parts = text.split("/home/");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c| !is_of_a_name(c) && c != '.').unwrap_or(part.len());
        out.push_str("/home/USER");
        out.push_str(&part[end..]);
    }
    out
}

/// Replaces words, which are made of the characters that `belongs` tells.
fn words(
    text: &str,
    belongs: impl Fn(char) -> bool,
    instead: impl Fn(&str) -> Option<&'static str>,
) -> String {
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        out.push_str(instead(word).unwrap_or(word));
        let next = after.find(&belongs).unwrap_or(after.len());
        let (between, after) = after.split_at(next);
        out.push_str(between);
        rest = after;
    }
    out
}

/// `rtsp://NAME:PASSWORD@camera/live` without name, password and path: some cameras have the password there.
fn without_logins(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, url) = rest.split_at(at + 3);
        out.push_str(before);
        let end = url.find(|c: char| c.is_whitespace() || "\"'`<>".contains(c)).unwrap_or(url.len());
        let (url, after) = url.split_at(end);
        let authority = url.find(['/', '?', '#']).unwrap_or(url.len());
        let kept = url[..authority].rfind('@').map_or(0, |at| at + 1);
        if kept > 0 {
            out.push_str("…@");
        }
        out.push_str(&url[kept..authority]);
        if authority < url.len() {
            out.push_str("/…");
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_of_the_machine_are_replaced() {
        let scrub = Scrub::new("annas-pi.example.org", "/home/anna/");
        for (text, cleaned) in [
            ("config /home/anna/config.toml", "config ~/config.toml"),
            ("http://annas-pi.local:3000 and Annas-Pi", "http://HOST.local:3000 and HOST"),
            ("annas-pi2 is another", "annas-pi2 is another"),
            ("192.168.1.5:3000, [fe80::1]:3000.", "ADDRESS, [ADDRESS]:3000."),
            (
                "listens on 127.0.0.1:3000 and 0.0.0.0:3000, [::]:3000",
                "listens on 127.0.0.1:3000 and 0.0.0.0:3000, [::]:3000",
            ),
            (
                "kernel 6.12.47+rpt-rpi-2712, v0.5.2, at 12:30:01",
                "kernel 6.12.47+rpt-rpi-2712, v0.5.2, at 12:30:01",
            ),
            ("two\nlines\u{1b}[31m", "two lines [31m"),
            ("rtsp://anna:s3cret@10.0.0.7/live?token=abc ended", "rtsp://…@ADDRESS/… ended"),
            ("'http://a:b@c@host/' and https://x/#CODE", "'http://…@host/…' and https://x/…"),
            ("/home/ben/config.toml", "/home/USER/config.toml"),
            ("", ""),
        ] {
            assert_eq!(scrub.clean(text), cleaned, "{text}");
        }
        assert_eq!(scrub.clean(&"x".repeat(1000)).len(), LONGEST);
    }

    #[test]
    fn names_that_say_nothing_stay() {
        let scrub = Scrub::new("raspberrypi", "/root");
        assert_eq!(scrub.clean("raspberrypi /root/config.toml"), "raspberrypi /root/config.toml");
        assert_eq!(Scrub::new("", "").clean("/a b"), "/a b");
        assert_eq!(Scrub::new("video", "/").clean("group video, /dev"), "group video, /dev");
    }
}
