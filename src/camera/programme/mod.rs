//! What is on a camera's screen: live pictures as they come, later than they come, or recorded ones in their place.
//!
//! ```text
//! arrivals ──▶ delay ──▶ schedule ──▶ gate open: what arrives is on the screen
//!                           │
//!                           └───────▶ gate shut: a folder's pictures or those remembered, shown by `Feed::show`
//! ```
//!
//! One task for each camera, which sleeps where nothing of this is configured and while nobody watches.

mod delay;
mod reel;
mod remembered;
mod schedule;
mod stretches;

use std::{sync::Arc, time::Instant};

use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
    time::sleep_until,
};
use tokio_util::sync::CancellationToken;

use super::{
    lifecycle::State,
    status::{Span, Status},
    viewers::Viewers,
};
use crate::{
    capture::replay,
    config::{CameraConfig, CameraName},
    feed::{Era, Feed, Frame},
};
use delay::Queue;
use reel::{Read, Recorded, finished};
use remembered::Remembered;
use schedule::{Event, Plan, Schedule};
pub(super) use stretches::chance;

/// What a programme tells of itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Outlook {
    /// There are recorded pictures to show.
    pub(super) material: bool,
    /// They are being shown.
    pub(super) playing: bool,
    /// When they were taken.
    pub(super) span: Option<Span>,
}

/// Whoever wants a recorded picture for itself alone.
pub(super) type Request = oneshot::Sender<Option<Arc<Frame>>>;

/// What a programme is made of.
pub(super) struct Parts {
    pub(super) configured: watch::Receiver<CameraConfig>,
    pub(super) viewers: Viewers,
    pub(super) feed: Feed,
    pub(super) status: watch::Receiver<Status>,
    pub(super) requests: mpsc::Receiver<Request>,
    pub(super) outlook: watch::Sender<Outlook>,
    /// What gives numbers from 0 to just below 1.
    pub(super) chance: fn() -> f64,
}

/// The programme of one camera.
pub(super) struct Programme {
    name: CameraName,
    config: CameraConfig,
    parts: Parts,
    arrivals: watch::Receiver<Option<Arc<Frame>>>,
    schedule: Schedule,
    /// That of all that is kept here.
    era: Era,
    queue: Queue,
    /// A picture was left out for want of room.
    overflowed: bool,
    remembered: Remembered,
    /// The pictures that are remembered, as they were when the first of them was shown; the next one.
    reel: (Vec<Arc<Frame>>, usize),
    folder: Option<replay::Folder>,
    reading: Option<JoinHandle<Read>>,
    /// The picture that is read is for the screen.
    wanted: bool,
    waiting: Vec<Request>,
    /// What was shown last, and when.
    last: Option<(Recorded, Instant)>,
    /// What was wrong with the folder the last time.
    trouble: Option<String>,
    /// There is something to play, for all that is known.
    material: bool,
    playing: bool,
    /// Live pictures are kept back.
    cut: bool,
}

/// Sets the gate for what is configured, before the first picture can come through it.
pub(super) fn prepare(feed: &Feed, config: &CameraConfig) {
    feed.gate(|gate| {
        gate.delay = !config.privacy.delay.is_zero();
        gate.programme |= config.privacy.interleave > 0.0;
    });
}

impl Programme {
    pub(super) fn new(mut parts: Parts) -> Self {
        let config = parts.configured.borrow_and_update().clone();
        Self {
            name: config.name.clone(),
            schedule: Schedule::new(Plan::new(&config), Instant::now()),
            arrivals: parts.feed.arrivals(),
            era: parts.feed.era(),
            config,
            parts,
            queue: Queue::default(),
            overflowed: false,
            remembered: Remembered::default(),
            reel: (Vec::new(), 0),
            folder: None,
            reading: None,
            wanted: false,
            waiting: Vec::new(),
            last: None,
            trouble: None,
            material: false,
            playing: false,
            cut: false,
        }
    }

    /// Runs until `shutdown`.
    pub(super) async fn run(mut self, shutdown: CancellationToken) {
        let mut count = self.parts.viewers.count();
        // Somebody may have come before this task was first run.
        count.mark_changed();
        self.parts.status.mark_changed();
        loop {
            let active = self.is_active();
            self.turn(active);
            let deadline = self.deadline().filter(|_| active);
            tokio::select! {
                () = shutdown.cancelled() => return,
                Ok(()) = self.parts.configured.changed() => self.reconfigured(),
                Ok(()) = count.changed() => {
                    let watched = *count.borrow_and_update() > 0;
                    self.schedule.handle(Instant::now(), Event::Watched(watched));
                }
                Ok(()) = self.parts.status.changed(), if active => self.heed_status(),
                Ok(()) = self.arrivals.changed(), if active => self.arrived(),
                Some(request) = self.parts.requests.recv() => {
                    // A folder may be slow, and who has asked may have gone.
                    self.waiting.retain(|waiting| !waiting.is_closed());
                    self.waiting.push(request);
                }
                read = finished(&mut self.reading) => self.take(read),
                () = sleep_until(deadline.unwrap_or_else(Instant::now).into()), if deadline.is_some() => {}
            }
        }
    }

    fn is_active(&self) -> bool {
        let privacy = &self.config.privacy;
        self.config.offline.has_material() || !privacy.delay.is_zero()
    }

    fn reconfigured(&mut self) {
        let config = self.parts.configured.borrow_and_update().clone();
        let before = std::mem::replace(&mut self.config, config);
        self.schedule.set_plan(Plan::new(&self.config));
        if before.offline.folder != self.config.offline.folder {
            (self.folder, self.reading, self.trouble, self.last) = (None, None, None, None);
        }
        if before.offline.remember != self.config.offline.remember {
            self.remembered.clear();
            (self.reel, self.last) = ((Vec::new(), 0), None);
        }
        // It may have slept through what has happened.
        self.parts.status.mark_changed();
        self.arrivals.mark_unchanged();
    }

    fn heed_status(&mut self) {
        let (blocked, idle) = {
            let status = self.parts.status.borrow_and_update();
            (status.block.is_some(), status.state == State::Idle)
        };
        if idle {
            self.queue.clear();
        }
        // The camera may have stopped before its first picture was seen here.
        let last = self.parts.feed.newest().filter(|last| (idle || blocked) && !last.recorded);
        if let Some(last) = last.filter(|_| self.remembered.is_empty() && self.era == self.parts.feed.era()) {
            self.remembered.add(&last, &self.config.offline);
        }
        self.schedule.handle(Instant::now(), Event::Blocked(blocked));
    }

    fn arrived(&mut self) {
        // First, so that a picture that came before a mask was set never counts as one that came after it.
        let era = self.parts.feed.era();
        let frame = self.arrivals.borrow_and_update().clone();
        self.forget_before(era);
        // None when pictures were forgotten.
        let Some(frame) = frame else { return };
        if self.config.privacy.delay.is_zero() {
            let was_cut = self.cut;
            self.schedule.handle(Instant::now(), Event::Live);
            self.turn(true);
            // Only what has been seen live may be seen later.
            if !was_cut && !self.cut && self.era == era {
                self.remembered.add(&frame, &self.config.offline);
            }
        } else if !self.queue.push(frame) && !std::mem::replace(&mut self.overflowed, true) {
            tracing::warn!(camera = %self.name, "pictures are left out: more wait for the delay than there is room for");
        }
    }

    /// Forgets all pictures in which something else was hidden.
    fn forget_before(&mut self, era: Era) {
        if era != self.era {
            self.era = era;
            self.queue.clear();
            self.remembered.clear();
            (self.reel, self.last) = ((Vec::new(), 0), None);
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let due = self.schedule.deadline(Instant::now());
        let watched = *self.parts.viewers.count().borrow() > 0;
        let delayed = self.queue.due(self.config.privacy.delay).filter(|_| watched);
        due.into_iter().chain(delayed).min()
    }

    /// Does what is to be done now.
    fn turn(&mut self, active: bool) {
        self.forget_before(self.parts.feed.era());
        let now = Instant::now();
        let delay = self.config.privacy.delay;
        let late = self.queue.pop(now, delay).filter(|_| !delay.is_zero());
        if late.is_some() {
            self.schedule.handle(now, Event::Live);
        }
        let offline = &self.config.offline;
        let remembered = !self.remembered.is_empty() || !self.reel.0.is_empty();
        // A folder is looked into again and again, whatever was wrong with it.
        let material = active && (!offline.folder.is_empty() || remembered);
        self.schedule.handle(now, Event::Material(material));
        let turn = self.schedule.turn(now, &mut self.parts.chance);
        self.cut = turn.cut;
        let feed = &self.parts.feed;
        if turn.back {
            feed.back_to_live();
        } else {
            feed.gate(|gate| gate.programme = turn.cut);
        }
        if let Some(frame) = late.filter(|_| !turn.cut) {
            let shown = feed.show(self.era, frame.jpeg.clone(), frame.taken, false);
            if let Ok(Some(_)) = shown {
                self.remembered.add(&frame, &self.config.offline);
            }
        }
        self.material = material;
        self.play(turn.playing, turn.show);
    }
}

#[cfg(test)]
mod tests;
