//! The owner's password: what it has to be, and its hash.

use std::{fmt, str::FromStr};

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use tokio::sync::Semaphore;

/// The fewest characters that it may have.
pub const SHORTEST: usize = 10;

/// The most characters that it may have.
pub const LONGEST: usize = 200;

/// Whether a text can be a password.
pub(super) fn fits(text: &str) -> bool {
    (SHORTEST..=LONGEST).contains(&text.chars().count())
}

/// The hash of a password, with its salt and cost: argon2id of 19 MiB in two passes, the first of the settings that
/// OWASP's password storage cheat sheet recommends for it. More memory would be felt on a machine of 512 MB.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Hash(PasswordHash);

/// Hashes passwords one at a time, on threads that serve nobody: what it takes in memory and on the processor is taken once.
#[derive(Debug)]
pub(super) struct Hashing(Semaphore);

impl Hashing {
    pub(super) fn new() -> Self {
        Self(Semaphore::new(1))
    }

    /// The hash of a new password.
    pub(super) async fn hash(&self, password: String) -> std::io::Result<Hash> {
        let hash = self.alone(move || Argon2::default().hash_password(password.as_bytes())).await?;
        hash.map(Hash)
            .map_err(|error| std::io::Error::other(format!("the password can't be hashed: {error}")))
    }

    /// Whether this is the password.
    pub(super) async fn is(&self, password: String, hash: Hash) -> bool {
        let verify = move || Argon2::default().verify_password(password.as_bytes(), &hash.0).is_ok();
        self.alone(verify).await.unwrap_or(false)
    }

    async fn alone<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> std::io::Result<T> {
        let _turn = self.0.acquire().await.expect("nobody closes it");
        tokio::task::spawn_blocking(work).await.map_err(std::io::Error::other)
    }
}

impl FromStr for Hash {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        PasswordHash::new(text).map(Self).map_err(|error| error.to_string())
    }
}

/// Without the hash itself: this gets into logs.
impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hash")
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_known_by_its_hash_and_by_nothing_else() {
        let hashing = Hashing::new();
        let hash = hashing.hash("correct horse".into()).await.unwrap();
        let text = serde_json::to_string(&hash).unwrap();
        assert!(text.starts_with("\"$argon2id$v=19$m=19456,t=2,p=1$"), "{text}");
        let read: Hash = serde_json::from_str(&text).unwrap();
        assert!(hashing.is("correct horse".into(), read.clone()).await);
        for wrong in ["", "correct hors", "correct horse ", "Correct horse"] {
            assert!(!hashing.is(wrong.into(), read.clone()).await, "{wrong}");
        }
        assert!(hashing.hash("correct horse".into()).await.unwrap() != hash, "the salt is another one");
        assert_eq!(format!("{hash:?}"), "Hash");
    }

    #[test]
    fn a_password_has_ten_characters_at_least_of_whatever_script() {
        assert!(fits("ten--chars") && fits("zehn Zöpfe") && fits(&"ü".repeat(LONGEST)));
        assert!(!fits("") && !fits("nine-char") && !fits("üüüüüüüüü") && !fits(&"x".repeat(LONGEST + 1)));
    }
}
