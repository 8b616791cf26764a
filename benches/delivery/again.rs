//! Viewers of a camera that had no picture when they came, and were told when to come again.

use std::{
    fmt,
    time::{Duration, Instant},
};

/// The answer to who comes at a bad time: 503 with `Retry-After`.
#[derive(Debug)]
pub(crate) struct ComeAgain(pub(crate) Duration);

impl ComeAgain {
    /// What the head of an answer says to that end.
    pub(crate) fn said(head: &str) -> Option<Self> {
        let mut lines = head.lines();
        lines.next().filter(|line| line.starts_with("HTTP/1.1 503 "))?;
        let after = lines
            .filter_map(|line| line.split_once(": "))
            .find(|(name, _)| name.eq_ignore_ascii_case("retry-after"))?
            .1;
        Some(Self(Duration::from_secs(after.parse().ok()?)))
    }
}

impl fmt::Display for ComeAgain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "told again and again to come again, the last time after {:?}", self.0)
    }
}

impl std::error::Error for ComeAgain {}

/// How often in a row somebody comes again.
const PATIENCE: u32 = 3;

/// Those who come again, in the order in which they do.
#[derive(Debug, Default)]
pub(crate) struct Waiting(Vec<(Instant, usize, u32)>);

impl Waiting {
    /// This viewer, who has come in vain so many times before, comes again after that time; false where it has had enough.
    pub(crate) fn wait(&mut self, viewer: usize, before: u32, pause: &ComeAgain) -> bool {
        if before >= PATIENCE {
            return false;
        }
        self.0.push((Instant::now() + pause.0, viewer, before + 1));
        self.0.sort_unstable();
        true
    }

    /// When the next one comes.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.0.first().map(|(at, ..)| *at)
    }

    /// One whose time has come, and how many times that viewer came in vain.
    pub(crate) fn take(&mut self) -> Option<(usize, u32)> {
        self.due().filter(|at| *at <= Instant::now())?;
        let (_, viewer, before) = self.0.remove(0);
        Some((viewer, before))
    }

    /// This viewer goes away instead.
    pub(crate) fn forget(&mut self, viewer: usize) {
        self.0.retain(|(_, waiting, _)| *waiting != viewer);
    }
}
