//! The last live pictures that were seen, to be shown when there are no more.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, SystemTime},
};

use crate::{config::OfflineConfig, feed::Frame};

/// The most that a camera remembers.
const MOST_BYTES: usize = 8 << 20;

/// Pictures, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    frames: VecDeque<Arc<Frame>>,
    bytes: usize,
}

impl Remembered {
    /// Remembers a picture, if it is time for one more, and forgets what is too much.
    pub(super) fn add(&mut self, frame: &Arc<Frame>, offline: &OfflineConfig) {
        // A little less, or a camera of the same interval would lose each second picture.
        let pause = offline.interval.mul_f64(0.9);
        let soon = |last: &Arc<Frame>| frame.read.saturating_duration_since(last.read) < pause;
        if offline.remember.is_zero() || self.frames.back().is_some_and(soon) {
            return;
        }
        self.bytes += frame.jpeg.len();
        self.frames.push_back(Arc::clone(frame));
        let most = most(offline.remember, offline.interval);
        while self.frames.len() > 1 && (self.frames.len() > most || self.bytes > MOST_BYTES) {
            let oldest = self.frames.pop_front();
            self.bytes -= oldest.map_or(0, |frame| frame.jpeg.len());
        }
    }

    /// All of them, as they are now.
    pub(super) fn all(&self) -> Vec<Arc<Frame>> {
        self.frames.iter().cloned().collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// As many pictures as that time has, whenever they were taken: a camera that has only just come back has not forgotten
/// what was before.
fn most(remember: Duration, interval: Duration) -> usize {
    (remember.as_secs_f64() / interval.as_secs_f64()).ceil().max(1.0) as usize
}

/// When the first and the last of some pictures were taken.
pub(super) fn span(frames: &[Arc<Frame>]) -> Option<(SystemTime, SystemTime)> {
    let taken = || frames.iter().map(|frame| frame.taken);
    taken().min().zip(taken().max())
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn one_picture_an_interval_is_remembered_for_as_long_as_was_asked_for_and_no_more_than_fit() {
        let offline = OfflineConfig { remember: Duration::from_secs(5), ..OfflineConfig::default() };
        let (start, mut remembered) = (Instant::now(), Remembered::default());
        let mut add = |ms: u64, size: usize| {
            let read = start + Duration::from_millis(ms);
            let (id, jpeg) = (ms.to_string().parse().unwrap(), vec![0; size].into());
            let taken = SystemTime::UNIX_EPOCH + Duration::from_millis(ms);
            let frame = Arc::new(Frame { id, taken, recorded: false, read, width: 1, height: 1, jpeg });
            remembered.add(&frame, &offline);
            remembered.all().iter().map(|frame| frame.id.micros()).collect::<Vec<_>>()
        };
        for ms in (0..=7000).step_by(100) {
            add(ms, 10);
        }
        assert_eq!(add(7001, 10), [2700, 3600, 4500, 5400, 6300]);
        // The camera was off for an hour.
        assert_eq!(add(3_600_000, 10), [3600, 4500, 5400, 6300, 3_600_000]);
        assert_eq!(add(3_601_000, MOST_BYTES - 5), [3_601_000]);
        assert_eq!(add(3_602_000, 6), [3_602_000]);
        assert!(span(&remembered.all()).is_some_and(|(from, to)| from == to));
        remembered.clear();
        assert!(remembered.is_empty() && span(&remembered.all()).is_none());
    }
}
