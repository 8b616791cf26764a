//! Who is known: the owner's password and sessions, app passwords, guest links. What each of them may do is the table of
//! [`web`](crate::web), not told here.
//!
//! All of it is one file in the state folder. It is changed by replacing it first and believing it then, so what could
//! not be kept did not happen.

mod book;
mod guesses;
mod keep;
mod password;
#[cfg(test)]
mod tests;

use std::{
    fmt, io,
    net::IpAddr,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{
    config::{AccessRule, CameraName, Config},
    token::{self, TokenHash},
};
use book::{App, Book, FILE_NAME, Link, Session, ms, unix_ms};
use guesses::Guesses;
use keep::Keep;
use password::{Hashing, fits};
pub use password::{LONGEST, SHORTEST};

/// How long the owner stays signed in.
pub(crate) const SIGNED_IN: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// How long a guest link may be good for.
pub(crate) const LONGEST_LINK: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// How many browsers may come in by a guest link.
pub(crate) const MOST_GUESTS: u32 = 1000;

/// The most app passwords, and the most guest links.
pub(crate) const MOST_KEYS: usize = 100;

/// How long a setup code is good for where nobody waits for it: the owner has chosen before.
const CODE: Duration = Duration::from_secs(60 * 60);

/// Whether there is a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// `setup`: nobody has chosen yet, and nobody gets anything.
    Setup,
    /// `password`: whoever signs in.
    Password,
    /// `open`: everybody who gets here.
    Open,
}

impl Mode {
    /// Its name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Setup => "setup",
            Self::Password => "password",
            Self::Open => "open",
        }
    }
}

/// What a request shows of who it is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    /// Nothing.
    None,
    /// It came over the local socket, which only the daemon's user and root may open.
    Local,
    /// A cookie.
    Session(TokenHash),
    /// An app password.
    App(TokenHash),
}

/// Who it is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// Somebody unknown.
    Nobody,
    /// A guest, or a program with an app password: looks, at that camera only or at all.
    Viewer(Option<CameraName>),
    /// Anybody, where it is open: does all but manage who may come in.
    Everybody,
    /// The owner, who has signed in.
    Owner,
    /// Who sits at the machine itself, as the daemon's user or root.
    Local,
}

impl Who {
    /// Its name on the wire.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::Viewer(_) => "viewer",
            Self::Everybody => "everybody",
            Self::Owner | Self::Local => "owner",
        }
    }
}

/// Where a browser comes from, and what it says that it is.
#[derive(Debug, Clone)]
pub(crate) struct Browser {
    pub(crate) address: Option<IpAddr>,
    pub(crate) agent: String,
}

/// What the owner chooses at the start.
#[derive(Debug)]
pub(crate) enum Choice {
    Password(String),
    Open,
}

/// What the owner wishes of a guest link.
#[derive(Debug)]
pub(crate) struct NewLink {
    pub(crate) name: String,
    pub(crate) camera: Option<CameraName>,
    pub(crate) lasts: Duration,
    pub(crate) viewers: u32,
}

/// Why something is not done.
#[derive(Debug)]
pub(crate) enum Refused {
    /// The password is too short or too long.
    BadPassword,
    /// It is another one.
    WrongPassword,
    /// There were too many wrong ones; so long it takes until the next is looked at.
    TooManyGuesses(Duration),
    /// The setup code is not the one, or not any more.
    WrongCode,
    /// There is no password to sign in with.
    NoPassword,
    /// The configuration says who may look, and otherwise.
    Configured(AccessRule),
    /// No such guest link, or not any more.
    WrongLink,
    /// As many have come in by it as may.
    LinkUsedUp,
    /// There are as many as there may be.
    TooMany,
    /// There is none with this id.
    Unknown,
    /// It can't be kept.
    NotKept(io::Error),
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Self::NotKept(error)
    }
}

/// Who is known, for all who ask. Clones are the same.
#[derive(Clone)]
pub struct Access(Arc<Inner>);

struct Inner {
    keep: Arc<Keep>,
    /// Whether it listens to this machine alone.
    loopback: bool,
    rule: Mutex<AccessRule>,
    guesses: Mutex<Guesses>,
    hashing: Hashing,
    code: Mutex<Option<Code>>,
}

struct Code {
    text: String,
    made: Instant,
}

impl Access {
    /// What an earlier daemon has kept in this folder.
    pub fn open(state_folder: &Path, config: &Config) -> Self {
        let book = Book::load(&state_folder.join(FILE_NAME));
        Self(Arc::new(Inner {
            keep: Arc::new(Keep::new(state_folder.join(FILE_NAME), book)),
            loopback: config.listen.ip().is_loopback(),
            rule: Mutex::new(config.access),
            guesses: Mutex::new(Guesses::new(Instant::now())),
            hashing: Hashing::new(),
            code: Mutex::new(None),
        }))
    }

    /// Takes over what the configuration says now.
    pub(crate) fn reconfigure(&self, config: &Config) {
        *lock(&self.0.rule) = config.access;
        self.0.keep.tell();
    }

    /// Whether there is a password.
    pub fn mode(&self) -> Mode {
        self.mode_of(&self.0.keep.book())
    }

    fn mode_of(&self, book: &Book) -> Mode {
        match *lock(&self.0.rule) {
            AccessRule::Open => Mode::Open,
            AccessRule::Auto | AccessRule::Password if book.password.is_some() => Mode::Password,
            AccessRule::Auto if book.open || (self.0.loopback && !book.lost) => Mode::Open,
            AccessRule::Auto | AccessRule::Password => Mode::Setup,
        }
    }

    /// Who it is that shows this.
    pub fn who(&self, credential: Credential) -> Who {
        let mut book = self.0.keep.book();
        let mode = self.mode_of(&book);
        let now = unix_ms(SystemTime::now());
        match (mode, credential) {
            (_, Credential::Local) => Who::Local,
            (Mode::Open, _) => Who::Everybody,
            (Mode::Setup, _) | (_, Credential::None) => Who::Nobody,
            (Mode::Password, Credential::Session(token)) => {
                let Some(session) = book.sessions.iter_mut().find(|session| session.token == token) else {
                    return Who::Nobody;
                };
                if session.until_ms <= now {
                    return Who::Nobody;
                }
                session.seen_ms = now;
                let Some(link) = session.link.clone() else { return Who::Owner };
                let link = book.links.iter().find(|known| known.id == link && known.until_ms > now);
                link.map_or(Who::Nobody, |link| Who::Viewer(link.camera.clone()))
            }
            (Mode::Password, Credential::App(token)) => {
                let Some(app) = book.apps.iter_mut().find(|app| app.token == token) else {
                    return Who::Nobody;
                };
                app.seen_ms = Some(now);
                Who::Viewer(None)
            }
        }
    }

    /// Tells each time when somebody may be somebody else than before.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.0.keep.changes()
    }

    /// Ends sessions and links when their time is over, until `shutdown`.
    pub(crate) async fn expire(self, shutdown: CancellationToken) {
        let mut changes = self.changes();
        loop {
            let next = self.0.keep.book().next_end();
            let over = async {
                match next {
                    // The wall clock may be set: nobody sleeps longer than a minute on its word.
                    Some(at) => {
                        let left = Duration::from_millis(at.saturating_sub(unix_ms(SystemTime::now())));
                        tokio::time::sleep(left.min(Duration::from_secs(60))).await;
                    }
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => return,
                _ = changes.changed() => continue,
                () = over => {}
            }
            if next.is_some_and(|at| at <= unix_ms(SystemTime::now())) {
                // Nobody is let in by what has expired, kept or not.
                let kept = self.0.keep.change(|_| ()).await;
                if let Err(refused) = kept {
                    tracing::warn!(?refused, "expired sessions and links can't be taken out of the file");
                    tokio::time::sleep(Duration::from_secs(60)).await;
                }
            }
        }
    }

    /// The code with which the owner chooses, and may choose anew: good once, and for an hour unless nobody has chosen.
    pub(crate) fn code(&self) -> io::Result<String> {
        let mut code = lock(&self.0.code);
        let waits = self.mode() == Mode::Setup;
        if let Some(code) = code.as_ref().filter(|code| waits || code.made.elapsed() < CODE / 2) {
            return Ok(code.text.clone());
        }
        let text = token::for_people()?;
        *code = Some(Code { text: text.clone(), made: Instant::now() });
        Ok(text)
    }

    /// Chooses. With a password it gives the token of a session.
    pub(crate) async fn set_up(
        &self,
        code: &str,
        choice: Choice,
        browser: Browser,
    ) -> Result<Option<String>, Refused> {
        let rule = *lock(&self.0.rule);
        match (&choice, rule) {
            (Choice::Password(_), AccessRule::Open) | (Choice::Open, AccessRule::Password) => {
                return Err(Refused::Configured(rule));
            }
            (Choice::Password(password), _) if !fits(password) => return Err(Refused::BadPassword),
            _ => {}
        }
        self.check_code(code)?;
        let (hash, session) = match choice {
            Choice::Open => (None, None),
            Choice::Password(password) => {
                let hash = self.0.hashing.hash(password).await?;
                (Some(hash), Some(new_session(&browser, None)?))
            }
        };
        // Once: whoever comes second with the same code, while the first one's password was hashed, is too late.
        let mut taken = self.take_code(code)?;
        let (token, session) = session.unzip();
        let open = hash.is_none();
        let done = self.0.keep.change(move |book| {
            *book = Book { open, password: hash, apps: std::mem::take(&mut book.apps), ..Book::default() };
            book.sessions.extend(session);
        });
        if let Err(refused) = done.await {
            *lock(&self.0.code) = taken.take();
            return Err(refused);
        }
        Ok(token)
    }

    fn check_code(&self, code: &str) -> Result<(), Refused> {
        let waits = self.mode() == Mode::Setup;
        let is = |known: &Code| {
            let same = TokenHash::of(&known.text).admits(code.trim());
            same && (waits || known.made.elapsed() < CODE)
        };
        if lock(&self.0.code).as_ref().is_some_and(is) { Ok(()) } else { Err(Refused::WrongCode) }
    }

    fn take_code(&self, code: &str) -> Result<Option<Code>, Refused> {
        self.check_code(code)?;
        Ok(lock(&self.0.code).take())
    }

    /// Signs in, in place of the session that the browser had. It gives the token of the new one.
    pub(crate) async fn login(
        &self,
        password: String,
        browser: Browser,
        before: Credential,
    ) -> Result<String, Refused> {
        self.verify(password, browser.address).await?;
        let (token, session) = new_session(&browser, None)?;
        let change = move |book: &mut Book| {
            book.sessions.retain(|session| Credential::Session(session.token) != before);
            book.sessions.push(session);
        };
        self.0.keep.change(change).await?;
        Ok(token)
    }

    /// Whether it is the owner's password, as far as guessing is allowed.
    async fn verify(&self, password: String, from: Option<IpAddr>) -> Result<(), Refused> {
        if self.mode() != Mode::Password {
            return Err(Refused::NoPassword);
        }
        let hash = self.0.keep.book().password.clone();
        let Some(hash) = hash else { return Err(Refused::NoPassword) };
        // Over the local socket comes who could read the hash.
        let from = from.unwrap_or(std::net::Ipv4Addr::LOCALHOST.into());
        lock(&self.0.guesses).begin(from, Instant::now()).map_err(Refused::TooManyGuesses)?;
        if !fits(&password) || !self.0.hashing.is(password, hash).await {
            return Err(Refused::WrongPassword);
        }
        lock(&self.0.guesses).right(from);
        Ok(())
    }

    /// Ends a session; or with `everywhere` all of the owner's.
    pub(crate) async fn logout(&self, credential: Credential, everywhere: bool) -> Result<(), Refused> {
        let change = move |book: &mut Book| {
            book.sessions.retain(|session| Credential::Session(session.token) != credential);
            if everywhere {
                book.end_sessions(None);
            }
        };
        self.0.keep.change(change).await
    }

    /// Changes the password, and ends all sessions of the owner but the one that this is said in.
    pub(crate) async fn change_password(
        &self,
        old: String,
        new: String,
        from: Option<IpAddr>,
        credential: Credential,
    ) -> Result<(), Refused> {
        if !fits(&new) {
            return Err(Refused::BadPassword);
        }
        self.verify(old, from).await?;
        let hash = self.0.hashing.hash(new).await?;
        let but = match credential {
            Credential::Session(token) => Some(token),
            _ => None,
        };
        let change = move |book: &mut Book| {
            book.password = Some(hash);
            book.end_sessions(but);
        };
        self.0.keep.change(change).await
    }

    /// The owner's sessions, and those of guests.
    pub(crate) fn sessions(&self) -> Vec<Session> {
        self.0.keep.book().sessions.clone()
    }

    /// Ends one of them.
    pub(crate) async fn end_session(&self, id: &str) -> Result<(), Refused> {
        self.remove(id, |book, id| book.sessions.retain(|session| session.id != id)).await
    }

    /// The app passwords.
    pub(crate) fn apps(&self) -> Vec<App> {
        self.0.keep.book().apps.clone()
    }

    /// Makes an app password; it is told once.
    pub(crate) async fn add_app(&self, name: String) -> Result<(String, App), Refused> {
        if self.0.keep.book().apps.len() >= MOST_KEYS {
            return Err(Refused::TooMany);
        }
        let password = token::for_people()?;
        let now = unix_ms(SystemTime::now());
        let app = App { id: new_id()?, name, token: TokenHash::of(&password), since_ms: now, seen_ms: None };
        let kept = app.clone();
        self.0.keep.change(move |book| book.apps.push(kept)).await?;
        Ok((password, app))
    }

    /// Revokes an app password.
    pub(crate) async fn remove_app(&self, id: &str) -> Result<(), Refused> {
        self.remove(id, |book, id| book.apps.retain(|app| app.id != id)).await
    }

    /// The guest links that are good.
    pub(crate) fn links(&self) -> Vec<Link> {
        let now = unix_ms(SystemTime::now());
        self.0.keep.book().links.iter().filter(|link| link.until_ms > now).cloned().collect()
    }

    /// Makes a guest link; its token is told once.
    pub(crate) async fn add_link(&self, new: NewLink) -> Result<(String, Link), Refused> {
        if self.links().len() >= MOST_KEYS {
            return Err(Refused::TooMany);
        }
        let token = token::new()?;
        let now = unix_ms(SystemTime::now());
        let link = Link {
            id: new_id()?,
            name: new.name,
            token: TokenHash::of(&token),
            camera: new.camera,
            since_ms: now,
            until_ms: now + ms(new.lasts),
            viewers: new.viewers,
            used: 0,
        };
        let kept = link.clone();
        self.0.keep.change(move |book| book.links.push(kept)).await?;
        Ok((token, link))
    }

    /// Revokes a guest link, and ends the sessions of those who came by it.
    pub(crate) async fn remove_link(&self, id: &str) -> Result<(), Refused> {
        self.remove(id, |book, id| book.links.retain(|link| link.id != id)).await
    }

    /// Lets a guest in by a link: the token of a session, and the link. Who has come by it before needs no other one.
    pub(crate) async fn redeem(
        &self,
        token: &str,
        browser: Browser,
        before: Credential,
    ) -> Result<(Option<String>, Link), Refused> {
        let hash = TokenHash::of(token.trim());
        let now = unix_ms(SystemTime::now());
        let known = {
            let book = self.0.keep.book();
            let session = book.sessions.iter().find(|session| Credential::Session(session.token) == before);
            let link = session.and_then(|session| session.link.as_ref());
            let good = |link: &&Link| link.token == hash && link.until_ms > now;
            link.and_then(|id| book.links.iter().find(|link| link.id == *id).filter(good)).cloned()
        };
        if let Some(link) = known {
            return Ok((None, link));
        }
        let (session_token, mut session) = new_session(&browser, Some(String::new()))?;
        let change = move |book: &mut Book| {
            let link = book.links.iter_mut().find(|link| link.token == hash && link.until_ms > now);
            let link = link.ok_or(Refused::WrongLink)?;
            if link.used >= link.viewers {
                return Err(Refused::LinkUsedUp);
            }
            link.used += 1;
            (session.link, session.until_ms) = (Some(link.id.clone()), link.until_ms);
            let link = link.clone();
            book.sessions.push(session);
            Ok(link)
        };
        let link = self.0.keep.try_change(change).await?;
        Ok((Some(session_token), link))
    }

    async fn remove(
        &self,
        id: &str,
        change: impl FnOnce(&mut Book, &str) + Send + 'static,
    ) -> Result<(), Refused> {
        let size = |book: &Book| book.sessions.len() + book.apps.len() + book.links.len();
        let id = id.to_owned();
        let change = move |book: &mut Book| {
            let before = size(book);
            change(book, &id);
            if size(book) == before { Err(Refused::Unknown) } else { Ok(()) }
        };
        self.0.keep.try_change(change).await
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access").field("mode", &self.mode()).finish()
    }
}

fn new_session(browser: &Browser, link: Option<String>) -> io::Result<(String, Session)> {
    let token = token::new()?;
    let now = unix_ms(SystemTime::now());
    let session = Session {
        id: new_id()?,
        token: TokenHash::of(&token),
        link,
        since_ms: now,
        until_ms: now + ms(SIGNED_IN),
        seen_ms: now,
        from: browser.address.map(|address| address.to_canonical().to_string()).unwrap_or_default(),
        agent: browser.agent.chars().filter(|c| !c.is_control()).take(200).collect(),
    };
    Ok((token, session))
}

/// A name for something that is no secret.
fn new_id() -> io::Result<String> {
    Ok(token::new()?.split_off(48))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
