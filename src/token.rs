//! Tokens: texts that nobody can guess. Of each only the hash is kept.

use std::{
    fmt::{self, Write},
    io,
    str::FromStr,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// 256 bits that nobody can guess, in hexadecimal digits.
///
/// # Errors
/// When the system has no random numbers.
pub fn new() -> io::Result<String> {
    let mut text = String::new();
    for byte in random::<32>()? {
        write!(text, "{byte:02x}").expect("a text takes all that is written");
    }
    Ok(text)
}

/// 100 bits that nobody can guess, in a form that people can type: `k3fw-q7ab-xmnd-5yte-hc2r`.
///
/// # Errors
/// When the system has no random numbers.
pub fn for_people() -> io::Result<String> {
    // The alphabet of RFC 4648's base32: no 0, 1, 8 or 9, which look like letters.
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let letters = random::<20>()?.map(|byte| char::from(LETTERS[usize::from(byte % 32)]));
    let groups: Vec<String> = letters.chunks(4).map(String::from_iter).collect();
    Ok(groups.join("-"))
}

fn random<const LENGTH: usize>() -> io::Result<[u8; LENGTH]> {
    let mut bytes = [0; LENGTH];
    getrandom::fill(&mut bytes)
        .map_err(|error| io::Error::other(format!("the system has no random numbers: {error}")))?;
    Ok(bytes)
}

/// The SHA-256 of a token. Who reads it does not know the token. A fast hash is enough for what can't be guessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// What [`TokenHash::from_str`] accepts.
    pub(crate) const EXPECTED: &str = "\"sha256-\" and 64 hexadecimal digits";

    /// What stands before the digits.
    const PREFIX: &str = "sha256-";

    /// The hash of this token.
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }

    /// Whether this is the token. It takes as long whatever is wrong with it.
    pub fn admits(&self, token: &str) -> bool {
        self.0.ct_eq(&Self::of(token).0).into()
    }
}

impl FromStr for TokenHash {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let digits = text.strip_prefix(Self::PREFIX)?.as_bytes();
            let mut hash = [0; 32];
            if digits.len() != 2 * hash.len() {
                return None;
            }
            let digit = |byte: u8| char::from(byte).to_digit(16);
            for (byte, pair) in hash.iter_mut().zip(digits.chunks(2)) {
                *byte = (digit(pair[0])? << 4 | digit(pair[1])?) as u8;
            }
            Some(Self(hash))
        };
        read().ok_or_else(|| format!("expected {}", Self::EXPECTED))
    }
}

impl fmt::Display for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::PREFIX)?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Serialize for TokenHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TokenHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As `printf %s abc | sha256sum` prints it.
    const ABC: &str = "sha256-ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn a_token_is_known_by_the_hash_that_other_programs_make_of_it() {
        let token: TokenHash = ABC.parse().unwrap();
        assert_eq!(token.to_string(), ABC);
        assert_eq!(ABC.to_ascii_uppercase().replace("SHA", "sha").parse(), Ok(token));
        assert!(token.admits("abc"));
        for other in ["", "ab", "abcd", "abC", ABC] {
            assert!(!token.admits(other), "{other}");
        }
    }

    #[test]
    fn what_is_no_hash_is_refused() {
        for text in [
            "",
            "sha256-",
            "abc",
            &ABC[..70],
            &ABC[7..],
            &format!("{ABC}0"),
            &ABC.replace('f', "g"),
            &ABC.replace('6', "é"),
        ] {
            assert!(text.parse::<TokenHash>().is_err(), "{text}");
        }
    }

    #[test]
    fn no_two_tokens_are_the_same_and_what_is_typed_is_of_letters_and_digits() {
        let tokens: std::collections::HashSet<_> = (0..100).map(|_| new().unwrap()).collect();
        assert_eq!(tokens.len(), 100);
        assert!(tokens.iter().all(|token| token.len() == 64));
        let typed: std::collections::HashSet<_> = (0..100).map(|_| for_people().unwrap()).collect();
        assert_eq!(typed.len(), 100);
        assert!(typed.iter().all(|text| text.len() == 24 && text.split('-').count() == 5), "{typed:?}");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again_as_the_same(token in ".*") {
            let hash = TokenHash::of(&token);
            prop_assert!(hash.admits(&token));
            prop_assert_eq!(hash.to_string().parse(), Ok(hash));
        }
    }
}
