//! Reads one value, from the file or from an environment variable.

use std::{net::SocketAddr, ops::Range, str::FromStr, time::Duration};

use toml::de::{DeInteger, DeValue};

use super::origin::{Origin, Origins};
use super::picture::{Area, overlay};
use super::privacy::QuietHours;
use super::proxies::{Proxies, Proxy};
use crate::token::TokenHash;

/// What is wrong with a value, before it is known where it stands.
#[derive(Debug, PartialEq)]
pub(super) struct Fault {
    pub(super) message: String,
    pub(super) hint: Option<String>,
    /// The place within the file, where it is not the whole value.
    pub(super) span: Option<Range<usize>>,
}

impl Fault {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, span: None }
    }

    pub(super) fn expected(expected: &str, found: &str) -> Self {
        Self::new(format!("expected {expected}, found {found}"))
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

/// A value as it was written.
#[derive(Clone, Copy)]
pub(super) enum Value<'a> {
    /// In the file.
    File(&'a DeValue<'a>),
    /// In an environment variable, where everything is text.
    Variable(&'a str),
}

impl<'a> Value<'a> {
    /// A text that `accept` accepts.
    pub(super) fn text<T>(self, expected: &str, accept: impl Fn(&str) -> Option<T>) -> Result<T, Fault> {
        match self {
            Self::File(DeValue::String(text)) => accept(text),
            Self::Variable(text) => accept(text),
            Self::File(DeValue::Integer(number)) => {
                return Err(self.not(expected).hint(format!("write \"{number}\", in quotes")));
            }
            Self::File(_) => None,
        }
        .ok_or_else(|| self.not(expected))
    }

    /// An integer that `accept` accepts.
    pub(super) fn integer<T>(self, expected: &str, accept: impl Fn(u64) -> Option<T>) -> Result<T, Fault> {
        let number = match self {
            Self::File(DeValue::Integer(number)) => integer(number),
            Self::Variable(text) => text.parse().ok(),
            Self::File(DeValue::String(text)) if text.parse::<u64>().is_ok() => {
                return Err(self.not(expected).hint(format!("write {text}, without quotes")));
            }
            Self::File(_) => None,
        };
        number.and_then(accept).ok_or_else(|| self.not(expected))
    }

    /// An integer within these limits.
    pub(super) fn number<T: TryFrom<u64>>(self, from: u64, to: u64) -> Result<T, Fault> {
        self.integer(&format!("an integer from {from} to {to}"), |number| {
            (from..=to).contains(&number).then(|| T::try_from(number).ok()).flatten()
        })
    }

    /// A number from 0 to 1.
    pub(super) fn share(self) -> Result<f64, Fault> {
        const EXPECTED: &str = "a number from 0.0 to 1.0";
        let number: Option<f64> = match self {
            Self::File(DeValue::Float(number)) => number.as_str().parse().ok(),
            Self::File(DeValue::Integer(number)) => number.as_str().parse().ok(),
            Self::Variable(text) => text.parse().ok(),
            Self::File(_) => None,
        };
        // Not -0.0, which is written otherwise than it is read.
        let number = number.filter(|number| (0.0..=1.0).contains(number)).map(f64::abs);
        number.ok_or_else(|| self.not(EXPECTED))
    }

    /// Hours of the day; in a variable with commas between them.
    pub(super) fn quiet(self) -> Result<Vec<QuietHours>, Fault> {
        let list = "a list of hours such as [\"22:00-06:30\"]";
        self.list(list, QuietHours::EXPECTED, |text| text.parse().ok())
    }

    /// `true` or `false`.
    pub(super) fn boolean(self) -> Result<bool, Fault> {
        match self {
            Self::File(DeValue::Boolean(on)) => Ok(*on),
            Self::Variable("true") => Ok(true),
            Self::Variable("false") => Ok(false),
            Self::File(DeValue::String(text)) if matches!(text.as_ref(), "true" | "false") => {
                Err(self.not("true or false").hint(format!("write {text}, without quotes")))
            }
            _ => Err(self.not("true or false")),
        }
    }

    /// A time within these limits, written with its unit as the limits are.
    pub(super) fn time(self, from: &str, to: &str) -> Result<Duration, Fault> {
        let limit = |text| parse_duration(text).expect("a limit is a time");
        let range = limit(from)..=limit(to);
        let expected = format!("a time from {from} to {to}");
        let fault = match self.text(&expected, parse_duration) {
            Ok(time) if range.contains(&time) => return Ok(time),
            Ok(_) => return Err(self.not(&expected)),
            Err(fault) => fault,
        };
        Err(fault.hint("write it with its unit, such as \"100ms\", \"5s\" or \"1m 30s\""))
    }

    /// One of `all`, by its name.
    pub(super) fn choice<T: Copy>(self, all: &[T], name: fn(T) -> &'static str) -> Result<T, Fault> {
        let names: Vec<_> = all.iter().map(|one| name(*one)).collect();
        let expected = format!("one of {}", names.join(", "));
        let choose = |text: &str| all.iter().copied().find(|one| name(*one) == text);
        self.text(&expected, choose).map_err(|_| {
            let near = self.as_text().and_then(|text| nearest(text, names.iter().copied()));
            let hint = near.map(|near| format!("did you mean \"{near}\"?"));
            Fault { hint, ..self.not(&expected) }
        })
    }

    /// An address and a port.
    pub(super) fn listen(self) -> Result<SocketAddr, Fault> {
        let expected = "an address and a port such as 127.0.0.1:3000";
        self.text(expected, listen_address).map_err(|fault| {
            let text = match self {
                Self::File(DeValue::Integer(port)) => port.as_str(),
                _ => self.as_text().unwrap_or_default().trim(),
            };
            let port = text.strip_prefix(':').unwrap_or(text);
            if port.parse::<u16>().is_ok() {
                fault.hint(format!(
                    "write \"127.0.0.1:{port}\" for this machine only, or \"0.0.0.0:{port}\" for the network"
                ))
            } else if text.parse::<std::net::Ipv6Addr>().is_ok() {
                fault.hint(format!("add a port: \"[{text}]:3000\""))
            } else if text == "localhost" || text.parse::<std::net::Ipv4Addr>().is_ok() {
                fault.hint(format!("add a port: \"{text}:3000\""))
            } else {
                fault
            }
        })
    }

    /// A text of this form, or none where it is empty.
    pub(super) fn optional<T: FromStr>(self, expected: &str) -> Result<Option<T>, Fault> {
        self.text(&format!("{expected}, or nothing"), |text| match text {
            "" => Some(None),
            text => text.parse().ok().map(Some),
        })
    }

    /// The hash of a token, or none where it is empty.
    pub(super) fn upload_token(self) -> Result<Option<TokenHash>, Fault> {
        self.optional(TokenHash::EXPECTED).map_err(|fault| {
            // Errors get into logs, and this may be the secret itself.
            let found = match self.as_text() {
                Some(_) => "another text".to_owned(),
                None => self.found(),
            };
            let fault = Fault {
                hint: fault.hint,
                ..Fault::expected(&format!("{}, or nothing", TokenHash::EXPECTED), &found)
            };
            fault.hint("eyelid token NAME makes a token and prints this line")
        })
    }

    /// A list of areas; in a variable with semicolons between them.
    pub(super) fn areas(self) -> Result<Vec<Area>, Fault> {
        const LIST: &str = "a list of areas such as [\"0%,0%,25%,12.5%\"]";
        const MOST: usize = 64;
        let area = |text: &str| text.parse().ok();
        match self {
            Self::File(DeValue::Array(items)) if items.len() > MOST => {
                Err(Fault::expected(&format!("at most {MOST} areas"), &items.len().to_string()))
            }
            Self::File(DeValue::Array(items)) => items
                .iter()
                .map(|item| {
                    Value::File(item.get_ref())
                        .text(Area::EXPECTED, area)
                        .map_err(|fault| Fault { span: Some(item.span()), ..fault })
                })
                .collect(),
            Self::Variable(text) => {
                let items = text.split(';').map(str::trim).filter(|item| !item.is_empty());
                items.map(|item| Value::Variable(item).text(Area::EXPECTED, area)).collect()
            }
            Self::File(DeValue::String(_)) => Err(self.not(LIST).hint("put it in brackets")),
            Self::File(_) => Err(self.not(LIST)),
        }
    }

    /// A text with codes of strftime.
    pub(super) fn overlay(self) -> Result<String, Fault> {
        const EXPECTED: &str =
            "a text of at most 200 characters on one line, with codes of strftime such as %H:%M:%S";
        let text = self.text(EXPECTED, |text| Some(text.to_owned()))?;
        overlay(&text)
            .map_err(|error| self.not(EXPECTED).hint(format!("{error}; a percent sign itself is written %%")))
    }

    /// Host names; in a variable with commas between them.
    pub(super) fn hosts(self) -> Result<Vec<String>, Fault> {
        const ONE: &str = "a host name such as camera.example.org, without scheme, port or path";
        self.list("a list of host names such as [\"camera.example.org\"]", ONE, host_name)
    }

    /// Reverse proxies; in a variable with commas between them.
    pub(super) fn proxies(self) -> Result<Proxies, Fault> {
        let list = "a list of addresses and networks such as [\"127.0.0.1\"]";
        self.list(list, Proxy::EXPECTED, |text| text.parse().ok())
    }

    /// Web sites; in a variable with commas between them.
    pub(super) fn origins(self) -> Result<Origins, Fault> {
        let list = "a list of web sites such as [\"https://example.org\"], or [\"*\"]";
        self.list(list, Origin::EXPECTED, |text| text.parse().ok())
    }

    /// A program and its arguments, or nothing.
    pub(super) fn program(self) -> Result<Vec<String>, Fault> {
        const LIST: &str = "a program and its arguments such as [\"/usr/local/bin/greet\", \"17\"], or []";
        const MOST: usize = 64;
        let words: Vec<String> = self
            .list(LIST, "a text of at most 4000 bytes without a NUL byte", argument)
            .map_err(|fault| match self {
                Self::File(DeValue::String(_)) => {
                    fault.hint("put program and arguments in brackets, each in quotes: there is no shell")
                }
                _ => fault,
            })?;
        if words.len() > MOST {
            return Err(Fault::expected(&format!("at most {MOST} texts"), &words.len().to_string()));
        }
        match words.first() {
            Some(name) if name.trim().is_empty() => {
                Err(Fault::new("the program has no name").hint("write [] to run nothing"))
            }
            // A service and somebody's shell are in different folders.
            Some(name) if name.contains('/') && !name.starts_with('/') => {
                let expected = "an absolute path, or the name of a program in PATH";
                Err(Fault::expected(expected, &shortened(name)))
            }
            _ => Ok(words),
        }
    }

    fn list<T, L: FromIterator<T>>(
        self,
        list: &str,
        one: &str,
        accept: impl Fn(&str) -> Option<T>,
    ) -> Result<L, Fault> {
        match self {
            Self::File(DeValue::Array(items)) => items
                .iter()
                .map(|item| {
                    Value::File(item.get_ref())
                        .text(one, &accept)
                        .map_err(|fault| Fault { span: Some(item.span()), ..fault })
                })
                .collect(),
            Self::Variable(text) => text
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty())
                .map(|item| Value::Variable(item).text(one, &accept))
                .collect(),
            Self::File(DeValue::String(_)) => Err(self.not(list).hint("put it in brackets")),
            Self::File(_) => Err(self.not(list)),
        }
    }

    fn as_text(self) -> Option<&'a str> {
        match self {
            Self::File(value) => value.as_str(),
            Self::Variable(text) => Some(text),
        }
    }

    fn not(self, expected: &str) -> Fault {
        Fault::expected(expected, &self.found())
    }

    /// The value for people.
    pub(super) fn found(self) -> String {
        match self {
            Self::File(DeValue::String(text)) => shortened(text),
            Self::File(DeValue::Integer(number)) => format!("the number {number}"),
            Self::File(DeValue::Float(number)) => format!("the number {number}"),
            Self::File(DeValue::Boolean(on)) => on.to_string(),
            Self::File(DeValue::Datetime(time)) => format!("the date or time {time}"),
            Self::File(DeValue::Array(_)) => "a list".to_owned(),
            Self::File(DeValue::Table(_)) => "a section".to_owned(),
            Self::Variable(text) => shortened(text),
        }
    }
}

/// The text in quotes, its control characters escaped.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{:?} and more", &text[..end]),
        None => format!("{text:?}"),
    }
}

fn integer(number: &DeInteger<'_>) -> Option<u64> {
    u64::from_str_radix(number.as_str(), number.radix()).ok()
}

/// Reads a time with its unit, such as `100ms`, `5s` or `1m 30s`.
///
/// Numbers of more than nine digits are refused: humantime 2.4 panics where the seconds of the sum come to
/// `u64::MAX` and its parts of a second come to exactly one, as in `18446744073709551615s 1000ms`.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let small = text.len() <= 32 && text.split(|c: char| !c.is_ascii_digit()).all(|run| run.len() <= 9);
    small.then(|| humantime::parse_duration(text).ok()).flatten()
}

/// Reads an address and a port, as `listen` takes them. `localhost` is `127.0.0.1`.
pub fn listen_address(text: &str) -> Option<SocketAddr> {
    match text.strip_prefix("localhost:") {
        Some(port) => format!("127.0.0.1:{port}").parse().ok(),
        None => text.parse().ok(),
    }
}

/// The kernel and C programs take no NUL byte.
fn argument(text: &str) -> Option<String> {
    (text.len() <= 4000 && !text.contains('\0')).then(|| text.to_owned())
}

fn host_name(text: &str) -> Option<String> {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    (text.len() <= 253 && text.split('.').all(label)).then(|| text.to_ascii_lowercase())
}

/// The one of `names` that `text` was probably meant to be.
pub(super) fn nearest<'n>(text: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let text = text.to_ascii_lowercase();
    names
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&text, name), name))
        .filter(|(likeness, _)| *likeness >= 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}
