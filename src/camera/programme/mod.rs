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
mod remembered;
mod schedule;
mod stretches;

use std::{
    future::pending,
    path::Path,
    sync::Arc,
    time::{Instant, SystemTime},
};

use bytes::Bytes;
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
    capture::{protocol::Failure, replay},
    config::{CameraConfig, CameraName},
    feed::{Era, Feed, Frame},
};
use delay::Queue;
pub(super) use stretches::chance;

use remembered::{Remembered, span};
use schedule::{Event, Plan, Schedule};

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

/// A recorded picture and when it was taken.
type Recorded = (Bytes, SystemTime);

/// What a look into the folder has brought.
type Read = (Option<replay::Folder>, Result<Recorded, Failure>);

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
    /// What was wrong with the folder the last time.
    trouble: Option<String>,
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
            trouble: None,
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
                Some(request) = self.parts.requests.recv() => self.waiting.push(request),
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
            (self.folder, self.reading, self.trouble) = (None, None, None);
        }
        if before.offline.remember != self.config.offline.remember {
            self.remembered.clear();
            self.reel = (Vec::new(), 0);
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
            self.reel = (Vec::new(), 0);
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
        self.play(turn.playing, turn.show);
        let span = match &self.folder {
            _ if !self.config.offline.announce || !turn.playing => None,
            Some(folder) => folder.span,
            None => span(&self.reel.0),
        };
        self.parts.outlook.send_if_modified(|outlook| {
            // While the folder is read it is not known when its pictures were taken.
            let span = span.or(outlook.span.filter(|_| turn.playing && self.config.offline.announce));
            let good = self.trouble.is_none();
            let new = Outlook { material: material && good, playing: turn.playing && good, span };
            std::mem::replace(outlook, new) != new
        });
    }

    /// Sees to it that the next recorded picture is read, for the screen or for those who wait for one.
    fn play(&mut self, playing: bool, show: bool) {
        if playing && !self.playing {
            self.reel = (self.remembered.all(), 0);
        } else if !playing && self.waiting.is_empty() {
            self.reel = (Vec::new(), 0);
        }
        self.playing = playing;
        self.wanted = playing && (self.wanted || show);
        if !self.wanted && self.waiting.is_empty() || self.reading.is_some() {
            return;
        }
        if !self.config.offline.folder.is_empty() {
            let (folder, path) = (self.folder.take(), self.config.offline.folder.clone());
            self.reading = Some(tokio::task::spawn_blocking(move || read(folder, &path)));
            return;
        }
        if self.reel.0.is_empty() {
            self.reel = (self.remembered.all(), 0);
        }
        let (frames, next) = &mut self.reel;
        let recorded = frames.get(*next % frames.len().max(1)).map(|frame| (frame.jpeg.clone(), frame.taken));
        *next += 1;
        self.hand_out(recorded);
    }

    /// Takes what was read from the folder.
    fn take(&mut self, (folder, read): Read) {
        self.folder = folder;
        let left_out = self.folder.as_mut().and_then(|folder| folder.left_out.take());
        let trouble = read.as_ref().err().map(ToString::to_string);
        if let Some(reason) = trouble.as_ref().filter(|reason| self.trouble.as_ref() != Some(reason)) {
            tracing::warn!(camera = %self.name, "no recorded pictures: {reason}");
        } else if let Some(reason) = left_out {
            tracing::debug!(camera = %self.name, "left out of the recorded pictures: {reason}");
        }
        self.trouble = trouble;
        self.hand_out(read.ok());
    }

    fn hand_out(&mut self, recorded: Option<Recorded>) {
        let (feed, era, announce) = (&self.parts.feed, self.era, self.config.offline.announce);
        let shown =
            recorded.map(|(jpeg, taken)| if announce { (jpeg, taken) } else { (jpeg, SystemTime::now()) });
        for waiting in self.waiting.drain(..) {
            let frame =
                shown.clone().and_then(|(jpeg, taken)| feed.aside(era, jpeg, taken, announce).ok().flatten());
            let _ = waiting.send(frame);
        }
        if let Some((jpeg, taken)) = shown.filter(|_| std::mem::take(&mut self.wanted)) {
            let _ = feed.show(era, jpeg, taken, announce);
        }
    }
}

/// Reads the next picture of the folder; where that has failed it is opened anew the next time.
fn read(folder: Option<replay::Folder>, path: &str) -> Read {
    let opened = folder.map_or_else(|| replay::Folder::open(Path::new(path), false), Ok);
    let mut folder = match opened {
        Ok(folder) => folder,
        Err(failure) => return (None, Err(failure)),
    };
    let read = folder.picture(|| false).map(|picture| picture.map(|(jpeg, _)| Bytes::copy_from_slice(jpeg)));
    match read {
        Ok(Some(jpeg)) => {
            let written = folder.written;
            (Some(folder), Ok((jpeg, written)))
        }
        Ok(None) => (Some(folder), Err(Failure::unexplained("the folder was left"))),
        Err(failure) => (None, Err(failure)),
    }
}

async fn finished(reading: &mut Option<JoinHandle<Read>>) -> Read {
    let Some(task) = reading else { return pending().await };
    let read = task.await;
    *reading = None;
    read.unwrap_or_else(|_| (None, Err(Failure::unexplained("the folder can't be read"))))
}

#[cfg(test)]
mod tests;
