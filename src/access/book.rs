//! What is kept of who may come in, and the file with it. No secret stands in it, only hashes.

use std::{
    io,
    path::Path,
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};

use super::password;
use crate::{config::CameraName, state_folder, token::TokenHash};

/// Its name in the state folder.
pub(super) const FILE_NAME: &str = "access.json";

/// No file of ours is larger.
const LARGEST: u64 = 4 << 20;

/// The most sessions of the owner; the one that was used least lately makes room.
const MOST_SESSIONS: usize = 50;

/// Who may come in.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Book {
    /// The owner has chosen that everybody in the network may.
    pub(super) open: bool,
    /// What was kept before could not be read: the owner has to choose anew, on this machine too.
    #[serde(default)]
    pub(super) lost: bool,
    #[serde(default)]
    pub(super) password: Option<password::Hash>,
    #[serde(default)]
    pub(super) sessions: Vec<Session>,
    #[serde(default)]
    pub(super) apps: Vec<App>,
    #[serde(default)]
    pub(super) links: Vec<Link>,
}

/// A browser that has signed in, or has come by a guest link.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) token: TokenHash,
    /// The guest link that it came by; none for the owner's.
    #[serde(default)]
    pub(crate) link: Option<String>,
    pub(crate) since_ms: u64,
    pub(crate) until_ms: u64,
    /// When it was last used. It is not written for its own sake.
    pub(crate) seen_ms: u64,
    /// The address that it was made from.
    pub(crate) from: String,
    /// What the browser says that it is.
    pub(crate) agent: String,
}

/// A password for a program that can't sign in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct App {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) token: TokenHash,
    pub(crate) since_ms: u64,
    #[serde(default)]
    pub(crate) seen_ms: Option<u64>,
}

/// A way in for guests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Link {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) token: TokenHash,
    /// The only camera that they may look at; none for all.
    pub(crate) camera: Option<CameraName>,
    pub(crate) since_ms: u64,
    pub(crate) until_ms: u64,
    /// So many browsers may come in by it.
    pub(crate) viewers: u32,
    /// So many have.
    pub(crate) used: u32,
}

impl Book {
    /// The book that an earlier daemon has kept. One that can't be read is put aside, and is *lost*.
    pub(super) fn load(file: &Path) -> Self {
        let what = match state_folder::read(file, LARGEST) {
            Ok(book) => return book.unwrap_or_default(),
            Err(error) => error,
        };
        let done = state_folder::put_aside(file);
        tracing::error!(
            "who may come in can't be read from {}, so nobody is known any more, and the owner has to choose anew \
             (eyelid setup): {what}; {done}",
            file.display()
        );
        let lost = Self { lost: true, ..Self::default() };
        // So that the next start knows of it too.
        if let Err(error) = lost.write(file) {
            tracing::error!("{} can't be written: {error}", file.display());
        }
        lost
    }

    /// Replaces the file, so that after a power cut it is the old one or the new one.
    pub(super) fn write(&self, file: &Path) -> io::Result<()> {
        state_folder::write(file, self)
    }

    /// Takes out what has expired, and the owner's sessions that are too many. Whether anything went.
    pub(super) fn expire(&mut self, now_ms: u64) -> bool {
        let before = (self.sessions.len(), self.links.len());
        self.links.retain(|link| link.until_ms > now_ms);
        self.sessions.retain(|session| {
            let admitted =
                session.link.as_ref().is_none_or(|id| self.links.iter().any(|link| link.id == *id));
            session.until_ms > now_ms && admitted
        });
        let owners = self.sessions.iter().filter(|session| session.link.is_none()).count();
        for _ in MOST_SESSIONS..owners {
            let of_owner = self.sessions.iter().enumerate().filter(|(_, session)| session.link.is_none());
            if let Some((least, _)) = of_owner.min_by_key(|(_, session)| session.seen_ms) {
                self.sessions.remove(least);
            }
        }
        before != (self.sessions.len(), self.links.len())
    }

    /// When the next thing expires.
    pub(super) fn next_end(&self) -> Option<u64> {
        let sessions = self.sessions.iter().map(|session| session.until_ms);
        sessions.chain(self.links.iter().map(|link| link.until_ms)).min()
    }

    /// Ends the owner's sessions, all of them or all but one.
    pub(super) fn end_sessions(&mut self, but: Option<TokenHash>) {
        self.sessions.retain(|session| session.link.is_some() || Some(session.token) == but);
    }
}

/// A moment in Unix milliseconds.
pub(super) fn unix_ms(at: SystemTime) -> u64 {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A time in milliseconds.
pub(super) fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;
    use crate::state_folder::with_ending;

    fn session(id: &str, link: Option<&str>, until_ms: u64, seen_ms: u64) -> Session {
        Session {
            id: id.into(),
            token: TokenHash::of(id),
            link: link.map(str::to_owned),
            since_ms: 0,
            until_ms,
            seen_ms,
            from: "192.0.2.1".into(),
            agent: String::new(),
        }
    }

    fn link(id: &str, until_ms: u64) -> Link {
        Link {
            id: id.into(),
            name: String::new(),
            token: TokenHash::of(id),
            camera: Some("tank".parse().unwrap()),
            since_ms: 0,
            until_ms,
            viewers: 3,
            used: 1,
        }
    }

    #[test]
    fn what_was_written_is_read_and_is_nobody_elses() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("state").join(FILE_NAME);
        assert_eq!(Book::load(&file), Book::default());
        let book = Book {
            open: true,
            lost: false,
            password: None,
            sessions: vec![session("a", None, 7, 3), session("b", Some("l"), 7, 3)],
            apps: vec![App {
                id: "p".into(),
                name: "OctoPrint".into(),
                token: TokenHash::of("p"),
                since_ms: 1,
                seen_ms: None,
            }],
            links: vec![link("l", 9)],
        };
        book.write(&file).unwrap();
        assert_eq!(Book::load(&file), book);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn what_can_t_be_read_is_put_aside_and_lets_nobody_in() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE_NAME);
        let large = " ".repeat(LARGEST as usize + 1);
        let cases = [
            "",
            "{",
            "[]",
            "{\"open\": 1}",
            "{\"password\": \"secret\"}",
            "{\"sessions\": [{}]}",
            "\0",
            &large,
        ];
        for text in cases {
            fs::write(&file, text).unwrap();
            assert_eq!(Book::load(&file), Book { lost: true, ..Book::default() }, "{text:.20}");
            assert!(Book::load(&file).lost, "the next start knows of it");
            assert_eq!(fs::read_to_string(with_ending(&file, "bad")).unwrap(), text);
        }
    }

    #[test]
    fn what_has_expired_goes_and_guests_go_with_their_link() {
        let mut book = Book {
            sessions: vec![
                session("owner", None, 100, 0),
                session("guest", Some("short"), 100, 0),
                session("friend", Some("long"), 100, 0),
                session("old", None, 50, 0),
            ],
            links: vec![link("short", 60), link("long", 200)],
            ..Book::default()
        };
        assert_eq!(book.next_end(), Some(50));
        assert!(!book.expire(49));
        assert!(book.expire(60));
        let left = |book: &Book| book.sessions.iter().map(|session| session.id.clone()).collect::<Vec<_>>();
        assert_eq!((left(&book), book.links.len()), (vec!["owner".into(), "friend".into()], 1));
        assert_eq!(book.next_end(), Some(100));
        book.end_sessions(Some(TokenHash::of("owner")));
        assert_eq!(left(&book), ["owner", "friend"]);
        book.end_sessions(None);
        assert_eq!(left(&book), ["friend"]);
        assert!(book.expire(100));
        assert_eq!(left(&book), [""; 0]);
    }

    #[test]
    fn of_too_many_sessions_the_one_not_used_for_longest_goes() {
        let sessions = (0..=MOST_SESSIONS as u64).map(|n| session(&n.to_string(), None, 1000, (n + 40) % 51));
        let mut book = Book { sessions: sessions.collect(), ..Book::default() };
        assert!(book.expire(0));
        assert_eq!(book.sessions.len(), MOST_SESSIONS);
        assert!(book.sessions.iter().all(|session| session.seen_ms != 0));
        assert!(!book.expire(0));
    }
}
