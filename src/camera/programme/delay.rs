//! Pictures that wait until they are old enough to be seen.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::feed::Frame;

/// The most that a camera keeps.
const MOST_BYTES: usize = 64 << 20;

/// The pictures that wait, in the order in which they came.
#[derive(Debug)]
pub(super) struct Queue {
    frames: VecDeque<Arc<Frame>>,
    bytes: usize,
    most: usize,
}

impl Default for Queue {
    fn default() -> Self {
        Self { frames: VecDeque::new(), bytes: 0, most: MOST_BYTES }
    }
}

impl Queue {
    /// Adds a picture; not where there is no more room.
    pub(super) fn push(&mut self, frame: Arc<Frame>) -> bool {
        let fits = self.bytes + frame.jpeg.len() <= self.most;
        if fits {
            self.bytes += frame.jpeg.len();
            self.frames.push_back(frame);
        }
        fits
    }

    /// When the first one is old enough. It counts from when it came, which is after it was taken, whatever the
    /// machine's clock does.
    pub(super) fn due(&self, delay: Duration) -> Option<Instant> {
        self.frames.front().map(|first| first.read + delay)
    }

    /// The newest of those that are old enough; those before it are let go of.
    pub(super) fn pop(&mut self, now: Instant, delay: Duration) -> Option<Arc<Frame>> {
        let mut last = None;
        while self.due(delay).is_some_and(|due| due <= now) {
            last = self.frames.pop_front();
            self.bytes -= last.as_ref().map_or(0, |frame| frame.jpeg.len());
        }
        last
    }

    pub(super) fn clear(&mut self) {
        (self.frames, self.bytes) = (VecDeque::new(), 0);
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    fn frame(read: Instant, size: usize) -> Arc<Frame> {
        let (id, jpeg) = ("1".parse().unwrap(), vec![0; size].into());
        Arc::new(Frame { id, taken: SystemTime::now(), recorded: false, read, width: 1, height: 1, jpeg })
    }

    #[test]
    fn a_picture_is_let_go_when_it_is_old_enough_and_of_several_the_newest() {
        let (start, delay) = (Instant::now(), Duration::from_secs(5));
        let second = |second| start + Duration::from_secs(second);
        let mut queue = Queue::default();
        for at in 0..4 {
            assert!(queue.push(frame(second(at), 1)));
        }
        assert_eq!(queue.due(delay), Some(second(5)));
        assert!(queue.pop(second(4), delay).is_none());
        assert_eq!(queue.pop(second(5), delay).unwrap().read, second(0));
        assert_eq!(queue.pop(second(7), delay).unwrap().read, second(2));
        queue.clear();
        assert!(queue.due(delay).is_none() && queue.bytes == 0);
    }

    #[test]
    fn what_has_no_room_is_left_out_until_there_is_some() {
        let now = Instant::now();
        let mut queue = Queue { most: 100, ..Queue::default() };
        assert!(queue.push(frame(now, 60)) && !queue.push(frame(now, 60)) && queue.push(frame(now, 40)));
        queue.pop(now, Duration::ZERO);
        assert!(queue.push(frame(now, 100)));
    }
}
