//! When the camera was on: each stretch from the start of a capture process to its end, why, for how many viewers,
//! and why it ended. Nobody has to believe that a camera is off while nobody looks: it is written down.

mod file;
mod writer;

use std::{
    collections::VecDeque,
    ops::Range,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Instant, SystemTime},
};

use serde::Serialize;
use serde_json::{Value, json};

use super::{status::unix_ms, viewers::Viewers};
use crate::config::CameraName;
pub(super) use file::FILE_NAME;
use file::Line;
use writer::Writer;

/// How many stretches are kept in memory; the files have room for some 3,000.
const MOST: usize = 4000;
/// How many stretches are told at once.
const TOLD: usize = 1000;
/// Reasons may be the words of any program. So many characters of them are kept.
const LONGEST_REASON: usize = 200;
/// Why a stretch ended whose end was never written down.
const LOST: &str = "not known: Eyelid was killed, the power failed, or the end could not be written";

/// A stretch in which the camera was on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stretch {
    /// When it began, Unix milliseconds.
    pub from: u64,
    /// When it ended; nothing while it lasts, and where that is not known.
    pub to: Option<u64>,
    /// How long it was, by a clock that is not set; nothing where it is not known.
    pub on_ms: Option<u64>,
    /// The most viewers at a time; nothing where it is not known.
    pub viewers: Option<u64>,
    /// Why it began.
    pub why: Arc<str>,
    /// Why it ended; nothing while it lasts.
    pub ended: Option<Arc<str>>,
}

/// The ledger of one camera, to be read. Clones are the same one.
#[derive(Debug, Clone, Default)]
pub struct Book {
    pages: Arc<Mutex<Pages>>,
}

#[derive(Debug, Default)]
struct Pages {
    stretches: VecDeque<Stretch>,
    /// The last of them lasts, since then.
    on_since: Option<Instant>,
    /// Why what is written here will be forgotten when the daemon ends.
    trouble: Option<String>,
}

/// A moment, by the clock on the wall, which may be set, and by one that only goes on.
#[derive(Debug, Clone, Copy)]
struct Moment {
    wall: u64,
    steady: Instant,
}

impl Moment {
    fn now() -> Self {
        Self { wall: unix_ms(SystemTime::now()) as u64, steady: Instant::now() }
    }
}

impl Book {
    /// The ledger as the API gives it: what of it reaches beyond `since`, and the sum of `day`, both in Unix milliseconds.
    pub fn to_json(&self, viewers: &Viewers, since: u64, day: &Range<u64>) -> Value {
        self.told_at(Moment::now(), viewers.most_of_stretch(), since, day)
    }

    fn told_at(&self, now: Moment, most: usize, since: u64, day: &Range<u64>) -> Value {
        let pages = self.pages();
        let lasting =
            pages.on_since.map(|begun| now.steady.saturating_duration_since(begun).as_millis() as u64);
        let now_on = lasting.is_some();
        let all = pages.stretches.iter().rev().enumerate().map(|(back, stretch)| match lasting {
            Some(on_ms) if back == 0 => {
                Stretch { on_ms: Some(on_ms), viewers: Some(most.max(1) as u64), ..stretch.clone() }
            }
            _ => stretch.clone(),
        });
        let (mut on_ms, mut times, mut unknown) = (0, 0, 0);
        let mut told = VecDeque::new();
        for stretch in all {
            let lasts = stretch.ended.is_none();
            let to = if lasts { now.wall } else { stretch.to.unwrap_or(stretch.from) };
            if stretch.from < day.end && to.max(stretch.from) >= day.start {
                times += 1;
                match stretch.on_ms {
                    None => unknown += 1,
                    Some(whole) if stretch.from >= day.start => on_ms += whole,
                    Some(whole) => on_ms += whole.min(to - day.start),
                }
            }
            if to.max(stretch.from) >= since && told.len() < TOLD {
                told.push_front(stretch);
            }
        }
        json!({
            "today": { "on_ms": on_ms, "times": times, "unknown": unknown },
            "now_on": now_on,
            "now": now.wall,
            "stretches": told,
            "notice": pages.trouble,
        })
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The ledger of one camera, as its task writes it.
#[derive(Debug)]
pub(super) struct Ledger {
    book: Book,
    viewers: Viewers,
    /// Nothing where it is not to be written down.
    writer: Option<Writer>,
    /// Why the stretch that lasts is being ended.
    stopping: Option<Arc<str>>,
}

impl Ledger {
    /// The ledger in `file`, if there is one, with what an earlier daemon has written. Stretches that it has not ended stay without an
    /// end.
    pub(super) fn open(camera: &CameraName, file: Option<PathBuf>, book: Book, viewers: Viewers) -> Self {
        let writer = file.map(|file| {
            file::load(camera, &file).into_iter().for_each(|line| book.pages().read(line));
            let told = book.clone();
            Writer::start(camera.clone(), file, move |trouble| told.pages().trouble = trouble)
        });
        Self { writer, book, viewers, stopping: None }
    }

    /// A capture process was started.
    pub(super) fn begin(&mut self, why: &str) {
        self.begin_at(Moment::now(), why);
    }

    /// It is asked to stop.
    pub(super) fn stopping(&mut self, why: &str) {
        self.stopping.get_or_insert_with(|| short(why));
    }

    /// It has ended and is reaped; by itself and for this reason if it was not asked to stop.
    pub(super) fn end(&mut self, by_itself: &str) {
        self.end_at(Moment::now(), by_itself);
    }

    /// Returns when all is written, or can't be.
    pub(super) async fn close(self) {
        if let Some(writer) = self.writer {
            writer.close().await;
        }
    }

    fn begin_at(&mut self, now: Moment, why: &str) {
        self.viewers.restart_stretch();
        self.stopping = None;
        let stretch =
            Stretch { from: now.wall, to: None, on_ms: None, viewers: None, why: short(why), ended: None };
        if let Some(writer) = &self.writer {
            writer.write(&stretch);
        }
        let mut pages = self.book.pages();
        pages.on_since = Some(now.steady);
        pages.push(stretch);
    }

    fn end_at(&mut self, now: Moment, by_itself: &str) {
        let mut pages = self.book.pages();
        let Some(begun) = pages.on_since.take() else { return };
        let ended = self.stopping.take().unwrap_or_else(|| short(by_itself));
        let Some(stretch) = pages.stretches.back_mut() else { return };
        stretch.to = Some(now.wall);
        stretch.on_ms = Some(now.steady.saturating_duration_since(begun).as_millis() as u64);
        // Who came may have left before the process was started.
        stretch.viewers = Some(self.viewers.most_of_stretch().max(1) as u64);
        stretch.ended = Some(ended);
        if let Some(writer) = &self.writer {
            writer.write(stretch);
        }
    }
}

impl Pages {
    fn push(&mut self, mut stretch: Stretch) {
        // Most reasons are those of the stretch before.
        if let Some(last) = self.stretches.back() {
            if last.why == stretch.why {
                stretch.why = Arc::clone(&last.why);
            }
            if last.ended == stretch.ended {
                stretch.ended.clone_from(&last.ended);
            }
        }
        if self.stretches.len() == MOST {
            self.stretches.pop_front();
        }
        self.stretches.push_back(stretch);
    }

    /// Takes over what an earlier daemon has written: that a stretch began, or all of it when it ended.
    fn read(&mut self, line: Line) {
        let lost = line.to.is_none();
        let stretch = Stretch {
            from: line.from,
            to: line.to,
            on_ms: line.on_ms.filter(|_| !lost),
            viewers: line.viewers.filter(|_| !lost),
            why: short(&line.why),
            ended: Some(if lost { LOST.into() } else { short(&line.ended) }),
        };
        // `eyelid snapshot` may have written between the two lines of a stretch.
        let begun = self.stretches.iter_mut().rev().take(8).find(|known| {
            !lost && known.to.is_none() && known.from == stretch.from && known.why == stretch.why
        });
        match begun {
            Some(begun) => *begun = stretch,
            None => self.push(stretch),
        }
    }
}

fn short(reason: &str) -> Arc<str> {
    match reason.char_indices().nth(LONGEST_REASON) {
        None => reason.into(),
        Some((end, _)) => format!("{}…", &reason[..end]).into(),
    }
}

#[cfg(test)]
mod tests;
