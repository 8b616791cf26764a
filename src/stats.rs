//! Visitors, pictures and bytes of each camera, day by day, kept across restarts.
//!
//! Each camera counts for itself, in its [`Tally`]. Every now and then, and whenever somebody asks, what is new there
//! is added to the day that it is.

mod file;
mod history;
mod keeper;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::{Zoned, civil::Date};
use serde_json::{Value, json};

use crate::camera::{Camera, Cameras, Tally};
use history::{History, Record};
pub use keeper::Keeper;

/// Tells local time.
type Clock = Box<dyn Fn() -> Zoned + Send + Sync>;

/// What has been counted of all cameras. Clones share it.
#[derive(Clone)]
pub struct Stats {
    shared: Arc<Shared>,
}

struct Shared {
    desk: Mutex<Desk>,
    clock: Clock,
    /// Nothing where it must not be written.
    file: Option<PathBuf>,
}

struct Desk {
    history: History,
    /// The day that what comes now belongs to.
    day: Date,
    following: Vec<(String, Tally)>,
    /// There is something that is not written.
    changed: bool,
    /// Why what is counted will be forgotten when the daemon ends.
    trouble: Option<String>,
}

impl Stats {
    /// What earlier daemons have counted, from the state folder.
    pub fn open(state_folder: &Path) -> Self {
        Self::with_clock(state_folder, Box::new(Zoned::now))
    }

    fn with_clock(state_folder: &Path, clock: Clock) -> Self {
        let now = clock();
        let path = state_folder.join(file::FILE_NAME);
        let (history, trouble) = match file::load(&path) {
            Ok(history) => (history, None),
            Err(trouble) => (None, Some(trouble)),
        };
        let history = history.unwrap_or_else(|| History::since(now.timestamp()));
        let file = trouble.is_none().then_some(path);
        let desk = Desk { history, day: now.date(), following: Vec::new(), changed: false, trouble };
        Self { shared: Arc::new(Shared { desk: Mutex::new(desk), clock, file }) }
    }

    /// Counts this camera too, until it is no more.
    pub fn follow(&self, camera: &Camera) {
        self.follow_tally(camera.name().as_str(), camera.tally().clone());
    }

    fn follow_tally(&self, name: &str, tally: Tally) {
        self.desk().following.push((name.to_owned(), tally));
    }

    /// All that was counted, as the API gives it: these cameras, and then those that were taken out of the
    /// configuration.
    pub fn to_json(&self, cameras: &Cameras) -> Value {
        let cameras = cameras.all();
        let desk = self.collected();
        let empty = Record::default();
        let known = cameras.iter().map(|camera| {
            let status = camera.status();
            let status = status.borrow();
            let now = json!({ "viewers": status.viewers });
            let record = desk.history.of(camera.name().as_str()).unwrap_or(&empty);
            record.to_json(camera.name().as_str(), Some(&status.title), Some(&now))
        });
        let removed =
            desk.history.cameras().filter(|(name, _)| !cameras.iter().any(|c| c.name().as_str() == *name));
        let removed = removed.map(|(name, record)| record.to_json(name, None, None));
        let cameras: Vec<Value> = known.chain(removed).collect();
        let now = (self.shared.clock)();
        json!({
            "since": desk.history.begun(),
            "now": now.timestamp().as_millisecond(),
            "today": now.date(),
            "cameras": cameras,
            "notice": desk.trouble,
        })
    }

    /// Adds what is new to the day in which it was counted.
    fn collected(&self) -> MutexGuard<'_, Desk> {
        let mut desk = self.desk();
        let Desk { history, day, following, changed, .. } = &mut *desk;
        following.retain(|(camera, tally)| {
            // Before it is read: what comes between the two would be lost.
            let ended = tally.is_orphan();
            *changed |= history.add(camera, *day, tally.take());
            !ended
        });
        *day = (self.shared.clock)().date();
        desk
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.shared.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stats").field("file", &self.shared.file).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
