//! What shows that a sender may send pictures: of its token only the hash is kept.

use std::{fmt, str::FromStr};

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The SHA-256 of a token. Who reads the configuration can't send pictures with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadToken([u8; 32]);

impl UploadToken {
    /// What [`UploadToken::from_str`] accepts.
    pub(super) const EXPECTED: &str = "\"sha256-\" and 64 hexadecimal digits";

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

impl FromStr for UploadToken {
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

impl fmt::Display for UploadToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::PREFIX)?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
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
        let token: UploadToken = ABC.parse().unwrap();
        assert_eq!(token.to_string(), ABC);
        assert_eq!(ABC.to_ascii_uppercase().replace("SHA", "sha").parse(), Ok(token.clone()));
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
            assert!(text.parse::<UploadToken>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again_as_the_same(token in ".*") {
            let hash = UploadToken::of(&token);
            prop_assert!(hash.admits(&token));
            prop_assert_eq!(hash.to_string().parse(), Ok(hash));
        }
    }
}
