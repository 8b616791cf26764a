//! Who watches: guards for connected browsers, leases for all others.
//!
//! A browser that asks for the stream opens a *session*: from then on every connected browser that has not
//! opted out is a viewer. The session ends when there has been no such viewer for the linger time, so that
//! a browser that is reloaded, or comes back after a moment without network, is a viewer again by itself.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::watch;

/// The audience of one camera. Clones share it.
#[derive(Debug, Clone)]
pub struct Viewers {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    audience: Mutex<Audience>,
    count: watch::Sender<usize>,
}

#[derive(Debug)]
struct Audience {
    /// Connected browsers that have not opted out.
    willing: usize,
    leases: usize,
    session: bool,
    last_left: Option<Instant>,
    linger: Duration,
    /// How many times somebody became a viewer, and the most viewers at a time, since the last [`Viewers::take_visits`].
    visits: u64,
    most: usize,
    /// The most viewers at a time since the last [`Viewers::restart_stretch`].
    most_of_stretch: usize,
}

impl Audience {
    fn session(&self) -> bool {
        self.session && (self.willing > 0 || self.last_left.is_some_and(|left| left.elapsed() < self.linger))
    }

    fn viewers(&self) -> usize {
        self.leases + if self.session() { self.willing } else { 0 }
    }
}

impl Viewers {
    /// Nobody yet.
    pub fn new(linger: Duration) -> Self {
        let audience = Audience {
            willing: 0,
            leases: 0,
            session: false,
            last_left: None,
            linger,
            visits: 0,
            most: 0,
            most_of_stretch: 0,
        };
        Self { shared: Arc::new(Shared { audience: Mutex::new(audience), count: watch::channel(0).0 }) }
    }

    /// A browser has connected. It is a viewer if it wants to be and a session is on.
    pub fn connect(&self, willing: bool) -> Viewer {
        let viewer = Viewer { viewers: self.clone(), seat: Mutex::new(Seat::OptedOut) };
        if willing {
            viewer.set(Seat::Willing);
        }
        viewer
    }

    /// Counts as a viewer until it is dropped, whatever the session.
    pub fn lease(&self) -> Lease {
        self.update(|audience| audience.leases += 1);
        Lease { viewers: self.clone() }
    }

    /// How many watch, and a wake-up whenever that changes.
    pub fn count(&self) -> watch::Receiver<usize> {
        self.shared.count.subscribe()
    }

    /// Whether pictures go to all connected browsers that have not opted out.
    pub fn session(&self) -> bool {
        self.audience().session()
    }

    pub(super) fn set_linger(&self, linger: Duration) {
        self.audience().linger = linger;
    }

    /// From now on [`Viewers::most_of_stretch`] tells of what comes.
    pub(super) fn restart_stretch(&self) {
        let mut audience = self.audience();
        audience.most_of_stretch = audience.viewers();
    }

    /// The most viewers at a time since [`Viewers::restart_stretch`].
    pub(super) fn most_of_stretch(&self) -> usize {
        self.audience().most_of_stretch
    }

    fn update(&self, change: impl FnOnce(&mut Audience)) {
        let mut audience = self.audience();
        change(&mut audience);
        let viewers = audience.viewers();
        audience.most = audience.most.max(viewers);
        audience.most_of_stretch = audience.most_of_stretch.max(viewers);
        // Under the lock, so that counts are published in the order in which they came to be.
        let mut before = viewers;
        self.shared.count.send_if_modified(|count| {
            before = std::mem::replace(count, viewers);
            before != viewers
        });
        audience.visits += viewers.saturating_sub(before) as u64;
    }

    /// How many times somebody has become a viewer since the last call, and the most viewers at a time.
    pub(super) fn take_visits(&self) -> (u64, usize) {
        let mut audience = self.audience();
        let now = audience.viewers();
        (std::mem::take(&mut audience.visits), std::mem::replace(&mut audience.most, now))
    }

    fn audience(&self) -> MutexGuard<'_, Audience> {
        self.shared.audience.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connected browser. Dropping it is leaving.
#[derive(Debug)]
pub struct Viewer {
    viewers: Viewers,
    seat: Mutex<Seat>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seat {
    Willing,
    OptedOut,
    Left,
}

impl Viewer {
    /// Asks for the stream: opens a session for all, and ends one's own opting out.
    pub fn start(&self) {
        if self.set(Seat::Willing) {
            self.viewers.update(|audience| audience.session = true);
        }
    }

    /// Whether it has not opted out, and so gets the pictures of a session.
    pub fn willing(&self) -> bool {
        *self.seat.lock().unwrap_or_else(PoisonError::into_inner) == Seat::Willing
    }

    /// Whether it has left for good.
    pub fn has_left(&self) -> bool {
        *self.seat.lock().unwrap_or_else(PoisonError::into_inner) == Seat::Left
    }

    /// Opts out until the next [`Viewer::start`].
    pub fn stop(&self) {
        self.set(Seat::OptedOut);
    }

    /// Leaves for good, for where the guard itself can't be dropped yet.
    pub fn leave(&self) {
        self.set(Seat::Left);
    }

    /// Takes a new seat; false where the viewer has left before.
    fn set(&self, new: Seat) -> bool {
        let mut seat = self.seat.lock().unwrap_or_else(PoisonError::into_inner);
        let old = *seat;
        if old == Seat::Left {
            return false;
        }
        *seat = new;
        if old == new {
            return true;
        }
        self.viewers.update(|audience| match (old, new) {
            (_, Seat::Willing) => {
                audience.session = audience.session();
                audience.willing += 1;
            }
            (Seat::Willing, _) => {
                audience.willing -= 1;
                audience.last_left = Some(Instant::now());
            }
            _ => {}
        });
        true
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        self.leave();
    }
}

/// A viewer without a browser's connection, such as a snapshot. Dropping it is leaving.
#[derive(Debug)]
pub struct Lease {
    viewers: Viewers,
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.viewers.update(|audience| audience.leases -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINGER: Duration = Duration::from_secs(60);

    #[test]
    fn a_connected_browser_is_a_viewer_only_in_a_session() {
        let viewers = Viewers::new(LINGER);
        let (one, two) = (viewers.connect(true), viewers.connect(true));
        assert_eq!(*viewers.count().borrow(), 0);
        one.start();
        one.start();
        assert_eq!(*viewers.count().borrow(), 2);
        one.stop();
        assert_eq!(*viewers.count().borrow(), 1);
        let late = viewers.connect(true);
        assert_eq!(*viewers.count().borrow(), 2);
        drop((one, two, late));
        assert_eq!(*viewers.count().borrow(), 0);
    }

    #[test]
    fn an_observer_counts_only_after_it_has_asked() {
        let viewers = Viewers::new(LINGER);
        let (one, observer) = (viewers.connect(true), viewers.connect(false));
        one.start();
        assert_eq!(*viewers.count().borrow(), 1);
        observer.start();
        assert_eq!(*viewers.count().borrow(), 2);
    }

    #[test]
    fn a_reload_within_the_linger_is_a_viewer_again_and_a_later_visit_is_not() {
        for (linger, expected) in [(LINGER, 1), (Duration::ZERO, 0)] {
            let viewers = Viewers::new(linger);
            let before = viewers.connect(true);
            before.start();
            drop(before);
            assert_eq!(*viewers.count().borrow(), 0);
            let _after = viewers.connect(true);
            assert_eq!(*viewers.count().borrow(), expected, "linger {linger:?}");
        }
    }

    #[test]
    fn a_lease_counts_without_making_viewers_of_idle_browsers() {
        let viewers = Viewers::new(LINGER);
        let _page_that_is_only_open = viewers.connect(true);
        let lease = viewers.lease();
        assert_eq!(*viewers.count().borrow(), 1);
        assert!(!viewers.session());
        drop(lease);
        assert_eq!(*viewers.count().borrow(), 0);
    }

    #[test]
    fn whoever_has_left_cannot_come_back_through_a_late_message() {
        let viewers = Viewers::new(LINGER);
        let (viewer, _other) = (viewers.connect(true), viewers.connect(true));
        viewer.leave();
        viewer.start();
        assert_eq!(*viewers.count().borrow(), 0);
        assert!(!viewers.session());
    }
}
