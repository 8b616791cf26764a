//! The recorded pictures themselves: read from a folder, or remembered, and handed out.

use std::{
    future::pending,
    path::Path,
    time::{Instant, SystemTime},
};

use bytes::Bytes;
use tokio::task::JoinHandle;

use super::{Outlook, Programme, remembered::span};
use crate::capture::{protocol::Failure, replay};

/// A recorded picture and when it was taken.
pub(super) type Recorded = (Bytes, SystemTime);

/// What a look into the folder has brought.
pub(super) type Read = (Option<replay::Folder>, Result<Recorded, Failure>);

impl Programme {
    /// Tells what is being shown: before the first picture of it is on the screen.
    fn tell(&self) {
        let told = self.playing && self.config.offline.announce;
        let span = match &self.folder {
            _ if !told => None,
            Some(folder) => folder.span,
            None => span(&self.reel.0),
        };
        self.parts.outlook.send_if_modified(|outlook| {
            // While the folder is read it is not known when its pictures were taken.
            let span = span.or(outlook.span.filter(|_| told));
            let good = self.trouble.is_none();
            let new = Outlook { material: self.material && good, playing: self.playing && good, span };
            std::mem::replace(outlook, new) != new
        });
    }

    /// Sees to it that the next recorded picture is read, for the screen or for those who wait for one.
    pub(super) fn play(&mut self, playing: bool, show: bool) {
        if playing && !self.playing {
            self.reel = (self.remembered.all(), 0);
        } else if !playing && self.waiting.is_empty() {
            self.reel = (Vec::new(), 0);
        }
        self.playing = playing;
        self.tell();
        self.wanted = playing && (self.wanted || show);
        if !self.wanted && self.waiting.is_empty() || self.reading.is_some() {
            return;
        }
        if !self.wanted
            && let Some(last) = self.of_this_moment()
        {
            self.answer(Some(&last));
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
    pub(super) fn take(&mut self, (folder, read): Read) {
        self.folder = folder;
        let left_out = self.folder.as_mut().and_then(|folder| folder.left_out.take());
        let trouble = read.as_ref().err().map(ToString::to_string);
        if let Some(reason) = trouble.as_ref().filter(|reason| self.trouble.as_ref() != Some(reason)) {
            tracing::warn!(camera = %self.name, "no recorded pictures: {reason}");
        } else if let Some(reason) = left_out {
            tracing::debug!(camera = %self.name, "left out of the recorded pictures: {reason}");
        }
        self.trouble = trouble;
        self.tell();
        self.hand_out(read.ok());
    }

    /// The picture whose time is not over yet, however many ask for it.
    fn of_this_moment(&self) -> Option<Recorded> {
        let (last, shown) = self.last.as_ref()?;
        (self.material && shown.elapsed() < self.config.offline.interval).then(|| last.clone())
    }

    fn hand_out(&mut self, recorded: Option<Recorded>) {
        self.last = recorded.clone().map(|recorded| (recorded, Instant::now()));
        self.answer(recorded.as_ref());
        // Also where there is none: the next look has its time.
        let wanted = std::mem::take(&mut self.wanted);
        if let Some((jpeg, taken)) = recorded.filter(|_| wanted) {
            let announce = self.config.offline.announce;
            let _ = self.parts.feed.show(self.era, jpeg, self.told(taken), announce);
        }
    }

    /// Gives it to those who wait for one.
    fn answer(&mut self, recorded: Option<&Recorded>) {
        for waiting in std::mem::take(&mut self.waiting) {
            let frame = recorded.and_then(|(jpeg, taken)| {
                let (taken, announce) = (self.told(*taken), self.config.offline.announce);
                self.parts.feed.aside(self.era, jpeg.clone(), taken, announce).ok().flatten()
            });
            let _ = waiting.send(frame);
        }
    }

    /// When a picture was taken, as viewers are told.
    fn told(&self, taken: SystemTime) -> SystemTime {
        if self.config.offline.announce { taken } else { SystemTime::now() }
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

/// What a look has brought that was begun.
pub(super) async fn finished(reading: &mut Option<JoinHandle<Read>>) -> Read {
    let Some(task) = reading else { return pending().await };
    let read = task.await;
    *reading = None;
    read.unwrap_or_else(|_| (None, Err(Failure::unexplained("the folder can't be read"))))
}
