//! The last pictures, bounded in bytes.

use std::{collections::VecDeque, sync::Arc, time::SystemTime};

use super::{Frame, FrameId};

/// The newest pictures whose sizes add up to at most `capacity` bytes; the newest one always.
#[derive(Debug)]
pub(super) struct Ring {
    frames: VecDeque<Arc<Frame>>,
    /// That of the newest picture there ever was.
    newest_id: Option<FrameId>,
    bytes: usize,
    capacity: usize,
}

impl Ring {
    pub(super) fn new(capacity: usize) -> Self {
        Self { frames: VecDeque::new(), newest_id: None, bytes: 0, capacity }
    }

    /// Adds a picture, whose id is higher than that of all before it.
    pub(super) fn push(&mut self, frame: Arc<Frame>) {
        self.bytes += frame.jpeg.len();
        self.newest_id = Some(frame.id);
        self.frames.push_back(frame);
        while self.bytes > self.capacity && self.frames.len() > 1 {
            self.drop_oldest();
        }
    }

    pub(super) fn get(&self, id: FrameId) -> Option<Arc<Frame>> {
        self.frames.binary_search_by_key(&id, |f| f.id).ok().map(|at| Arc::clone(&self.frames[at]))
    }

    pub(super) fn newest_id(&self) -> Option<FrameId> {
        self.newest_id
    }

    /// Takes an id that no other picture will have.
    pub(super) fn take_id(&mut self, taken: SystemTime) -> FrameId {
        let id = FrameId::after(self.newest_id, taken);
        self.newest_id = Some(id);
        id
    }

    pub(super) fn keep_newest(&mut self) {
        while self.frames.len() > 1 {
            self.drop_oldest();
        }
        self.frames.shrink_to_fit();
    }

    pub(super) fn clear(&mut self) {
        self.frames = VecDeque::new();
        self.bytes = 0;
    }

    fn drop_oldest(&mut self) {
        if let Some(oldest) = self.frames.pop_front() {
            self.bytes -= oldest.jpeg.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant, UNIX_EPOCH};

    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;

    fn frame(previous: Option<FrameId>, micros: u64, size: usize) -> Arc<Frame> {
        let taken = UNIX_EPOCH + Duration::from_micros(micros);
        let jpeg = Bytes::from(vec![0; size]);
        let id = FrameId::after(previous, taken);
        Arc::new(Frame { id, taken, recorded: false, read: Instant::now(), width: 1, height: 1, jpeg })
    }

    proptest! {
        #[test]
        fn holds_exactly_the_newest_that_fit(pictures in prop::collection::vec((0..1000u64, 0..400usize), 1..60)) {
            let mut ring = Ring::new(1000);
            let mut all = Vec::new();
            for (micros, size) in pictures {
                let frame = frame(ring.newest_id(), micros, size);
                ring.push(Arc::clone(&frame));
                all.push(frame);
            }
            prop_assert!(all.windows(2).all(|w| w[0].id < w[1].id), "ids strictly increase whatever the clock does");
            let mut room = 1000usize;
            let mut fits = true;
            for (age, frame) in all.iter().rev().enumerate() {
                fits = age == 0 || fits && frame.jpeg.len() <= room;
                room = room.saturating_sub(frame.jpeg.len());
                prop_assert_eq!(ring.get(frame.id).is_some(), fits);
            }
            ring.keep_newest();
            prop_assert_eq!(ring.frames.len(), 1);
            prop_assert_eq!(ring.bytes, all.last().expect("not empty").jpeg.len());
        }
    }
}
