//! The feed: finished pictures in memory, shared by all who watch.
//!
//! One writer, the [`watcher`] of the rolling file; any number of readers, who always get the newest
//! picture and never a queue. A frame's bytes are shared, not copied.
//!
//! ```text
//! watcher ──▶ arrivals ──▶ gate ──▶ screen: the newest picture and those before it
//!                            ▲
//!                    show ───┘ pictures in place of those that arrive
//! ```
//!
//! All that viewers get is on the screen. While the [`Gate`] is open, what arrives is on it at once.

mod frame;
mod gate;
mod ring;
pub mod watcher;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use tokio::sync::watch;

pub use frame::{Frame, FrameId};
pub use gate::Gate;
use ring::Ring;

use crate::jpeg;

/// How many bytes of pictures a camera keeps for viewers who are late to fetch theirs: at 30 kB and 10
/// pictures a second more than 20 s, at 200 kB and 30 a second more than 1 s.
const RING_BYTES: usize = 8 << 20;

/// The finished pictures of one camera. Clones share them.
#[derive(Debug, Clone)]
pub struct Feed {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// Changed with the screen locked, as the next two.
    arrivals: watch::Sender<Option<Arc<Frame>>>,
    newest: watch::Sender<Option<Arc<Frame>>>,
    screen: Mutex<Screen>,
    /// Odd while the feed is shut.
    era: AtomicU64,
    /// Pictures that were published since the last [`Feed::take_count`].
    taken: AtomicU64,
    ignored: AtomicU64,
    last_defect: Mutex<Option<String>>,
}

#[derive(Debug)]
struct Screen {
    ring: Ring,
    gate: Gate,
    /// What has arrived last, if it was not on the screen and may be.
    kept_back: Option<Arc<Frame>>,
}

/// Which pictures may be published: those that were read in the era that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Era(u64);

impl Era {
    fn is_shut(self) -> bool {
        !self.0.is_multiple_of(2)
    }
}

impl Feed {
    /// An empty feed.
    pub fn new() -> Self {
        Self {
            shared: Arc::new(Shared {
                arrivals: watch::channel(None).0,
                newest: watch::channel(None).0,
                screen: Mutex::new(Screen {
                    ring: Ring::new(RING_BYTES),
                    gate: Gate::default(),
                    kept_back: None,
                }),
                era: AtomicU64::new(0),
                taken: AtomicU64::new(0),
                ignored: AtomicU64::new(0),
                last_defect: Mutex::new(None),
            }),
        }
    }

    /// A picture taken at `taken` has arrived. It is told to those who listen to arrivals if it is a whole JPEG, and is
    /// on the screen if the gate is open; nothing happens while the feed is shut.
    ///
    /// # Errors
    /// What is wrong with the picture, which is then counted and otherwise ignored.
    pub fn publish(&self, jpeg: Bytes, taken: SystemTime) -> Result<Option<Arc<Frame>>, jpeg::Defect> {
        self.publish_from(self.era(), jpeg, taken)
    }

    /// As [`Feed::publish`], for a picture that was read in this era.
    ///
    /// # Errors
    /// As [`Feed::publish`].
    pub(crate) fn publish_from(
        &self,
        era: Era,
        jpeg: Bytes,
        taken: SystemTime,
    ) -> Result<Option<Arc<Frame>>, jpeg::Defect> {
        let info = self.inspect(&jpeg)?;
        let taken = sensible(taken);
        let mut screen = self.screen();
        if !self.takes(era) || screen.gate.blocked {
            return Ok(None);
        }
        self.shared.taken.fetch_add(1, Ordering::Relaxed);
        let open = screen.gate.is_open();
        let id =
            if open { screen.ring.take_id(taken) } else { FrameId::after(screen.ring.newest_id(), taken) };
        let (width, height) = (info.width, info.height);
        let frame = Arc::new(Frame { id, taken, recorded: false, read: Instant::now(), width, height, jpeg });
        self.shared.arrivals.send_replace(Some(Arc::clone(&frame)));
        if open {
            self.put(&mut screen, Arc::clone(&frame));
        } else {
            screen.kept_back = Some(Arc::clone(&frame));
        }
        drop(screen);
        Ok(Some(frame))
    }

    /// Shows a picture in place of those that arrive, whatever the gate: one that arrived before, in the era that is
    /// given, or a recorded one. None while the feed is shut.
    ///
    /// # Errors
    /// What is wrong with the picture, which is then not shown.
    pub(crate) fn show(
        &self,
        era: Era,
        jpeg: Bytes,
        taken: SystemTime,
        recorded: bool,
    ) -> Result<Option<Arc<Frame>>, jpeg::Defect> {
        let info = jpeg::inspect(&jpeg)?;
        let mut screen = self.screen();
        if !self.takes(era) {
            return Ok(None);
        }
        let frame = self.frame(&mut screen, &info, jpeg, taken, recorded);
        self.put(&mut screen, Arc::clone(&frame));
        drop(screen);
        Ok(Some(frame))
    }

    /// A picture as [`Feed::show`] would show it, for one viewer alone.
    ///
    /// # Errors
    /// As [`Feed::show`].
    pub(crate) fn aside(
        &self,
        era: Era,
        jpeg: Bytes,
        taken: SystemTime,
        recorded: bool,
    ) -> Result<Option<Arc<Frame>>, jpeg::Defect> {
        let info = jpeg::inspect(&jpeg)?;
        let mut screen = self.screen();
        Ok(self.takes(era).then(|| self.frame(&mut screen, &info, jpeg, taken, recorded)))
    }

    fn frame(
        &self,
        screen: &mut Screen,
        info: &jpeg::Info,
        jpeg: Bytes,
        taken: SystemTime,
        recorded: bool,
    ) -> Arc<Frame> {
        let taken = sensible(taken);
        let id = screen.ring.take_id(if recorded { SystemTime::now() } else { taken });
        let (width, height) = (info.width, info.height);
        Arc::new(Frame { id, taken, recorded, read: Instant::now(), width, height, jpeg })
    }

    fn inspect(&self, jpeg: &Bytes) -> Result<jpeg::Info, jpeg::Defect> {
        jpeg::inspect(jpeg).inspect_err(|defect| self.ignore(defect.to_string()))
    }

    fn takes(&self, era: Era) -> bool {
        era == self.era() && !era.is_shut()
    }

    /// Puts a picture on the screen, which is locked: or one that was forgotten meanwhile would be the newest.
    fn put(&self, screen: &mut Screen, frame: Arc<Frame>) {
        screen.ring.push(Arc::clone(&frame));
        self.shared.newest.send_replace(Some(frame));
    }

    /// Changes the gate. What was kept back stays unseen.
    pub(crate) fn gate(&self, change: impl FnOnce(&mut Gate)) {
        let mut screen = self.screen();
        change(&mut screen.gate);
        if screen.gate.is_open() {
            screen.kept_back = None;
        }
    }

    /// The programme shows nothing more in place of what arrives; and what has arrived last is on the screen at once.
    pub(crate) fn back_to_live(&self) {
        let mut screen = self.screen();
        screen.gate.programme = false;
        if let Some(last) = screen.kept_back.take().filter(|_| screen.gate.is_open()) {
            let id = screen.ring.take_id(last.taken);
            let (width, height, jpeg) = (last.width, last.height, last.jpeg.clone());
            let (taken, read) = (last.taken, last.read);
            let frame = Arc::new(Frame { id, taken, recorded: false, read, width, height, jpeg });
            self.put(&mut screen, frame);
        }
    }

    /// Wakes at each picture that arrives, on the screen or not, and then has the newest of them.
    pub fn arrivals(&self) -> watch::Receiver<Option<Arc<Frame>>> {
        self.shared.arrivals.subscribe()
    }

    /// The picture that has arrived last, since the camera was started.
    pub(crate) fn arrived(&self) -> Option<Arc<Frame>> {
        self.shared.arrivals.borrow().clone()
    }

    /// The newest picture on the screen, however old it is.
    pub fn newest(&self) -> Option<Arc<Frame>> {
        self.shared.newest.borrow().clone()
    }

    /// The picture of that id, while it is in memory and has been on the screen.
    pub fn get(&self, id: FrameId) -> Option<Arc<Frame>> {
        self.screen().ring.get(id)
    }

    /// Wakes at each new picture on the screen and then has the newest one; what came in between is skipped.
    pub fn subscribe(&self) -> watch::Receiver<Option<Arc<Frame>>> {
        self.shared.newest.subscribe()
    }

    /// Forgets all pictures and takes no more: from now on other parts of them are to be hidden.
    pub fn shut(&self) {
        let mut screen = self.screen();
        self.shared.era.fetch_add(if self.era().is_shut() { 2 } else { 1 }, Ordering::Relaxed);
        screen.ring.clear();
        screen.kept_back = None;
        self.shared.arrivals.send_replace(None);
        self.shared.newest.send_replace(None);
    }

    /// Takes pictures again, but none that was read before.
    pub fn open(&self) {
        let _screen = self.screen();
        if self.era().is_shut() {
            self.shared.era.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The time between two changes of what is to be hidden.
    pub(crate) fn era(&self) -> Era {
        Era(self.shared.era.load(Ordering::Relaxed))
    }

    /// Gives the memory of all pictures but the newest back. For a camera that has stopped: what has arrived will
    /// not be on the screen any more.
    pub fn rest(&self) {
        let mut screen = self.screen();
        screen.ring.keep_newest();
        screen.kept_back = None;
        self.shared.arrivals.send_replace(None);
    }

    /// How many pictures have come since the last call.
    pub(crate) fn take_count(&self) -> u64 {
        self.shared.taken.swap(0, Ordering::Relaxed)
    }

    /// Counts something in the rolling file that was no picture.
    pub(crate) fn ignore(&self, defect: String) {
        self.shared.ignored.fetch_add(1, Ordering::Relaxed);
        *self.shared.last_defect.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(defect);
    }

    /// How many times the rolling file held no picture, since the daemon's start.
    pub fn ignored(&self) -> u64 {
        self.shared.ignored.load(Ordering::Relaxed)
    }

    /// What was wrong the last time that the rolling file held no picture.
    pub fn last_defect(&self) -> Option<String> {
        self.shared.last_defect.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    fn screen(&self) -> std::sync::MutexGuard<'_, Screen> {
        self.shared.screen.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// The time itself where HTTP can tell it, in the years 1970 to 9999; else now. A file's time is whatever its
/// writer has set.
fn sensible(taken: SystemTime) -> SystemTime {
    const YEAR_10000: Duration = Duration::from_secs(253_402_300_800);
    let told = taken.duration_since(UNIX_EPOCH).is_ok_and(|since| since < YEAR_10000);
    if told { taken } else { SystemTime::now() }
}

impl Default for Feed {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
