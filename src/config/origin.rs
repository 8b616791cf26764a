//! Other web sites that may show a camera's pictures.

use std::{fmt, str::FromStr, sync::Arc};

/// The web sites whose pages may show and read a camera's pictures. Clones share the list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origins(Arc<[Origin]>);

impl Origins {
    /// Nobody but the daemon's own pages.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether any site is let in, whatever it is.
    pub fn any(&self) -> bool {
        self.0.iter().any(|origin| origin.0 == Origin::ANY)
    }

    /// Whether a site is let in, of which a browser says that it is this one.
    pub fn allow(&self, site: &str) -> bool {
        self.any() || self.0.iter().any(|origin| origin.0.eq_ignore_ascii_case(site))
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Origin> {
        self.0.iter()
    }
}

impl FromIterator<Origin> for Origins {
    fn from_iter<T: IntoIterator<Item = Origin>>(origins: T) -> Self {
        Self(origins.into_iter().collect())
    }
}

/// A web site as browsers name it: scheme, host, and the port where it is not the scheme's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// What [`Origin::from_str`] accepts.
    pub(super) const EXPECTED: &str =
        "a web site such as https://example.org or http://192.168.1.5:8080, without a path, or *";

    /// Any site.
    const ANY: &str = "*";
}

impl FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            if text == Self::ANY {
                return Some(Self(text.to_owned()));
            }
            let text = text.strip_suffix('/').unwrap_or(text).to_ascii_lowercase();
            let (scheme, host) = text.split_once("://")?;
            let is_scheme = scheme.starts_with(|c: char| c.is_ascii_lowercase())
                && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
            let (name, port) = match host.rsplit_once(':').filter(|(_, port)| !port.ends_with(']')) {
                Some((name, port)) => (name, Some(port)),
                None => (host, None),
            };
            let is_address = name
                .strip_prefix('[')
                .and_then(|name| name.strip_suffix(']'))
                .is_some_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok());
            let is_name = name.len() <= 253
                && name.split('.').all(|label| {
                    (1..=63).contains(&label.len())
                        && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
                });
            if !is_scheme || !(is_address || is_name) {
                return None;
            }
            Some(Self(match (scheme, port) {
                ("http", Some("80")) | ("https", Some("443")) | (_, None) => format!("{scheme}://{name}"),
                (_, Some(port)) if port.starts_with(|c| ('1'..='9').contains(&c)) => {
                    format!("{scheme}://{name}:{}", port.parse::<u16>().ok()?)
                }
                _ => return None,
            }))
        };
        read().ok_or_else(|| format!("expected {}", Self::EXPECTED))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn origins(texts: &[&str]) -> Origins {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn a_site_is_known_however_it_was_written() {
        let origins =
            origins(&["https://Example.org/", "http://octopi.local:80", "http://[fe80::1]:8080", "app://x"]);
        for known in ["https://example.org", "http://octopi.local", "http://[fe80::1]:8080", "app://x"] {
            assert!(origins.allow(known), "{known}");
        }
        for other in [
            "http://example.org",
            "https://example.org:8443",
            "https://a.example.org",
            "https://example.org.evil.example",
            "http://octopi.local:5000",
            "null",
            "",
            "*",
        ] {
            assert!(!origins.allow(other), "{other}");
        }
    }

    #[test]
    fn a_star_lets_everybody_in_and_an_empty_list_nobody() {
        assert!(origins(&["*"]).allow("https://example.org") && origins(&["*"]).allow("null"));
        assert!(!Origins::default().allow("https://example.org") && !Origins::default().any());
    }

    #[test]
    fn what_is_no_site_is_refused() {
        for text in [
            "",
            "example.org",
            "https://",
            "https://example.org/page",
            "https://*.example.org",
            "https://example.org:",
            "https://example.org:0",
            "https://example.org:65536",
            "https://user@example.org",
            "https://exa mple.org",
            "://example.org",
            "null",
            "**",
        ] {
            assert!(text.parse::<Origin>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_read_again_as_the_same(text in "[a-z]{1,5}://[a-z0-9.:\\[\\]-]{1,20}/?") {
            if let Ok(origin) = text.parse::<Origin>() {
                prop_assert_eq!(origin.to_string().parse::<Origin>().unwrap(), origin);
            }
        }
    }
}
