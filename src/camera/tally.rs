//! What is counted of a camera: pictures taken and sent, bytes, and visits. Only what is new since the last look is
//! here; `stats` adds it up.

use std::{
    ops::AddAssign,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use serde::{Deserialize, Serialize};

use super::viewers::Viewers;
use crate::feed::Feed;

/// Counts of a camera, over some time. The names are those of the API and of the file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// The most viewers at a time.
    pub viewers_max: u64,
    /// How many times somebody became a viewer.
    pub visits: u64,
    /// Pictures that went out, in whatever way.
    pub pictures_sent: u64,
    /// Their bytes.
    pub bytes_sent: u64,
    /// Pictures that the camera took.
    pub pictures_taken: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, later: Self) {
        self.viewers_max = self.viewers_max.max(later.viewers_max);
        for (sum, more) in [
            (&mut self.visits, later.visits),
            (&mut self.pictures_sent, later.pictures_sent),
            (&mut self.bytes_sent, later.bytes_sent),
            (&mut self.pictures_taken, later.pictures_taken),
        ] {
            *sum = sum.saturating_add(more);
        }
    }
}

/// Counts for one camera. Clones count together.
#[derive(Debug, Clone)]
pub struct Tally {
    sent: Arc<Sent>,
    viewers: Viewers,
    feed: Feed,
}

/// Written for each picture of each viewer: atomics, in whose order nobody is interested.
#[derive(Debug, Default)]
struct Sent {
    pictures: AtomicU64,
    bytes: AtomicU64,
}

impl Tally {
    pub(crate) fn new(viewers: Viewers, feed: Feed) -> Self {
        Self { sent: Arc::default(), viewers, feed }
    }

    /// A picture of so many bytes goes out.
    pub fn sent(&self, bytes: usize) {
        self.sent.pictures.fetch_add(1, Ordering::Relaxed);
        self.sent.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// What has been counted since the last call.
    pub fn take(&self) -> Counts {
        let (visits, most) = self.viewers.take_visits();
        Counts {
            viewers_max: most as u64,
            visits,
            pictures_sent: self.sent.pictures.swap(0, Ordering::Relaxed),
            bytes_sent: self.sent.bytes.swap(0, Ordering::Relaxed),
            pictures_taken: self.feed.take_count(),
        }
    }

    /// Whether nobody else counts any more: the camera is gone.
    pub fn is_orphan(&self) -> bool {
        Arc::strong_count(&self.sent) == 1
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn each_is_told_once_and_the_most_viewers_at_a_time_goes_on_from_those_that_there_are() {
        let (viewers, feed) = (Viewers::new(Duration::ZERO), Feed::new());
        let tally = Tally::new(viewers.clone(), feed.clone());
        assert_eq!(tally.take(), Counts::default());
        let (one, two) = (viewers.lease(), viewers.lease());
        drop(two);
        let jpeg = {
            let mut jpeg = Vec::new();
            let encoder = jpeg_encoder::Encoder::new(&mut jpeg, 80);
            encoder.encode(&[7; 64], 8, 8, jpeg_encoder::ColorType::Luma).unwrap();
            bytes::Bytes::from(jpeg)
        };
        feed.publish(jpeg, SystemTime::now()).unwrap().unwrap();
        assert!(feed.publish("no picture".into(), SystemTime::now()).is_err());
        let other = tally.clone();
        assert!(!tally.is_orphan());
        other.sent(100);
        tally.sent(23);
        let counted =
            Counts { viewers_max: 2, visits: 2, pictures_sent: 2, bytes_sent: 123, pictures_taken: 1 };
        assert_eq!(tally.take(), counted);
        assert_eq!(tally.take(), Counts { viewers_max: 1, ..Counts::default() });
        drop((one, other));
        tally.take();
        assert_eq!(tally.take(), Counts::default());
        assert!(tally.is_orphan());
    }

    #[test]
    fn counts_add_up_and_the_most_is_the_larger() {
        let mut sum = Counts { viewers_max: 3, visits: 4, bytes_sent: u64::MAX, ..Counts::default() };
        sum += Counts { viewers_max: 2, visits: 5, pictures_sent: 6, bytes_sent: 7, pictures_taken: 8 };
        let expected =
            Counts { viewers_max: 3, visits: 9, pictures_sent: 6, bytes_sent: u64::MAX, pictures_taken: 8 };
        assert_eq!(sum, expected);
    }
}
