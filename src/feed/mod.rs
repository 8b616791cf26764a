//! The feed: finished pictures in memory, shared by all who watch.
//!
//! One writer, the [`watcher`] of the rolling file; any number of readers, who always get the newest
//! picture and never a queue. A frame's bytes are shared, not copied.

mod frame;
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
    newest: watch::Sender<Option<Arc<Frame>>>,
    ring: Mutex<Ring>,
    /// Odd while the feed is shut; changed with the ring locked.
    era: AtomicU64,
    /// Pictures that were published since the last [`Feed::take_count`].
    taken: AtomicU64,
    ignored: AtomicU64,
    last_defect: Mutex<Option<String>>,
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
                newest: watch::channel(None).0,
                ring: Mutex::new(Ring::new(RING_BYTES)),
                era: AtomicU64::new(0),
                taken: AtomicU64::new(0),
                ignored: AtomicU64::new(0),
                last_defect: Mutex::new(None),
            }),
        }
    }

    /// Publishes a picture taken at `taken`, if it is a whole JPEG; none while the feed is shut.
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
        let info = match jpeg::inspect(&jpeg) {
            Ok(info) => info,
            Err(defect) => {
                self.ignore(defect.to_string());
                return Err(defect);
            }
        };
        let taken = sensible(taken);
        let mut ring = self.ring();
        if era != self.era() || era.is_shut() {
            return Ok(None);
        }
        self.shared.taken.fetch_add(1, Ordering::Relaxed);
        let frame = Arc::new(Frame {
            id: FrameId::after(ring.newest_id(), taken),
            taken,
            read: Instant::now(),
            width: info.width,
            height: info.height,
            jpeg,
        });
        ring.push(Arc::clone(&frame));
        // Before the ring is let go of, or one that was forgotten meanwhile would be the newest.
        self.shared.newest.send_replace(Some(Arc::clone(&frame)));
        drop(ring);
        Ok(Some(frame))
    }

    /// The newest picture, however old it is.
    pub fn newest(&self) -> Option<Arc<Frame>> {
        self.shared.newest.borrow().clone()
    }

    /// The picture of that id, while it is in memory.
    pub fn get(&self, id: FrameId) -> Option<Arc<Frame>> {
        self.ring().get(id)
    }

    /// Wakes at each new picture and then has the newest one; what came in between is skipped.
    pub fn subscribe(&self) -> watch::Receiver<Option<Arc<Frame>>> {
        self.shared.newest.subscribe()
    }

    /// Forgets all pictures and takes no more: from now on other parts of them are to be hidden.
    pub fn shut(&self) {
        let mut ring = self.ring();
        self.shared.era.fetch_add(if self.era().is_shut() { 2 } else { 1 }, Ordering::Relaxed);
        ring.clear();
        self.shared.newest.send_replace(None);
    }

    /// Takes pictures again, but none that was read before.
    pub fn open(&self) {
        let _ring = self.ring();
        if self.era().is_shut() {
            self.shared.era.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The time between two changes of what is to be hidden.
    pub(crate) fn era(&self) -> Era {
        Era(self.shared.era.load(Ordering::Relaxed))
    }

    /// Gives the memory of all pictures but the newest back. For a camera that has stopped.
    pub fn rest(&self) {
        self.ring().keep_newest();
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

    fn ring(&self) -> std::sync::MutexGuard<'_, Ring> {
        self.shared.ring.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
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
mod tests {
    use super::*;

    fn jpeg() -> Bytes {
        let mut jpeg = Vec::new();
        let encoder = jpeg_encoder::Encoder::new(&mut jpeg, 80);
        encoder.encode(&[7; 64], 8, 8, jpeg_encoder::ColorType::Luma).unwrap();
        jpeg.into()
    }

    #[test]
    fn a_feed_that_is_shut_forgets_and_takes_nothing_that_was_read_before() {
        let feed = Feed::new();
        let publish = || feed.publish(jpeg(), SystemTime::now()).unwrap().map(|frame| frame.id);
        let newest = || feed.newest().map(|frame| frame.id);
        let first = publish().unwrap();
        let before = feed.era();
        feed.shut();
        assert_eq!(newest(), None);
        assert!(feed.get(first).is_none());
        assert_eq!(publish(), None);
        let shut = feed.era();
        feed.shut();
        feed.open();
        feed.open();
        for era in [before, shut] {
            assert!(feed.publish_from(era, jpeg(), SystemTime::now()).unwrap().is_none());
        }
        assert_eq!(newest(), None);
        let second = publish().unwrap();
        assert!(second > first);
        assert_eq!(newest(), Some(second));
    }
}
