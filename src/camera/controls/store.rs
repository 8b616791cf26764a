//! When the file with what has been set is written: at once after a pause, and seldom while somebody drags a
//! slider. An SD card wears out by each write.

use std::{io, path::PathBuf, time::Duration};

use tokio::{
    task::{JoinError, JoinHandle, spawn_blocking},
    time::{Instant, sleep_until, timeout},
};

use super::kept;
use crate::{config::CameraName, controls::Settings};

/// From one write to the next at least.
const PAUSE: Duration = Duration::from_secs(5);
/// How long the end of the daemon waits for a disk that hangs.
const LAST_WRITE: Duration = Duration::from_secs(3);

/// Writes the file of one camera, one write at a time and never in the camera's task itself: a disk may hang.
#[derive(Debug)]
pub(super) struct Store {
    camera: CameraName,
    file: PathBuf,
    changed: bool,
    /// Before this nothing is written.
    next: Option<Instant>,
    writing: Option<JoinHandle<io::Result<()>>>,
    rounds: u64,
    trouble: Option<String>,
}

impl Store {
    pub(super) fn new(camera: CameraName, file: PathBuf) -> Self {
        Self { camera, file, changed: false, next: None, writing: None, rounds: 0, trouble: None }
    }

    /// There is something to write, at the next occasion.
    pub(super) fn changed(&mut self) {
        self.changed = true;
    }

    /// There is something to write. Tells at which of the [`Store::rounds`] it is known whether it is written,
    /// and 0 where it is too early for that.
    pub(super) fn change(&mut self, settings: &Settings) -> u64 {
        self.changed = true;
        if self.writing.is_some() || self.next.is_some_and(|next| next > Instant::now()) {
            return 0;
        }
        self.write(settings);
        self.rounds + 1
    }

    /// How many writes have ended, well or not.
    pub(super) fn rounds(&self) -> u64 {
        self.rounds
    }

    /// Why the last one failed, if it did.
    pub(super) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// Returns after the next write has begun or ended. Cancel safe.
    pub(super) async fn turn(&mut self, settings: &Settings) {
        if let Some(writing) = &mut self.writing {
            let ended = writing.await;
            self.written(ended);
        } else if self.changed {
            sleep_until(self.next.unwrap_or_else(Instant::now)).await;
            self.write(settings);
        } else {
            std::future::pending::<()>().await;
        }
    }

    /// Writes what is not written yet.
    pub(super) async fn close(&mut self, settings: &Settings) {
        self.next = None;
        // What could not be written before is tried once more.
        self.changed |= self.trouble.is_some();
        while self.writing.is_some() || self.changed {
            if timeout(LAST_WRITE, self.turn(settings)).await.is_err() {
                tracing::error!(camera = %self.camera, "{} can't be written: the disk hangs", self.file.display());
                return;
            }
            if self.writing.is_none() {
                // A write that failed is not tried again.
                self.changed &= self.trouble.is_none();
            }
            self.next = None;
        }
    }

    fn write(&mut self, settings: &Settings) {
        self.changed = false;
        self.next = Some(Instant::now() + PAUSE);
        let (file, settings) = (self.file.clone(), settings.clone());
        self.writing = Some(spawn_blocking(move || kept::write(&file, &settings)));
    }

    fn written(&mut self, ended: Result<io::Result<()>, JoinError>) {
        self.writing = None;
        self.rounds += 1;
        let trouble = ended.map_err(io::Error::other).flatten().err().map(|error| {
            format!(
                "what is set of this camera is forgotten when the daemon ends: {} can't be written: {error}",
                self.file.display()
            )
        });
        match &trouble {
            Some(trouble) if self.trouble.is_none() => tracing::error!(camera = %self.camera, "{trouble}"),
            None if self.trouble.is_some() => {
                tracing::info!(camera = %self.camera, "{} can be written again", self.file.display());
            }
            _ => {}
        }
        self.trouble = trouble;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(level: i64) -> Settings {
        [("level".to_owned(), Some(level.into()))].into()
    }

    fn store(folder: &tempfile::TempDir) -> Store {
        Store::new("tank".parse().unwrap(), folder.path().join("tank").join(kept::FILE_NAME))
    }

    #[tokio::test(start_paused = true)]
    async fn a_single_change_is_written_at_once_and_many_in_a_row_seldom() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = store(&folder);
        assert_eq!(store.change(&settings(0)), 1, "it is known after the first write");
        store.turn(&settings(0)).await;
        assert_eq!(kept::load(&store.camera, &store.file), settings(0));
        // A slider that is dragged for a minute, five times a second.
        let (begin, mut level) = (Instant::now(), 0);
        while begin.elapsed() < Duration::from_secs(60) {
            level += 1;
            store.change(&settings(level));
            let step = Instant::now() + Duration::from_millis(200);
            while tokio::time::timeout_at(step, store.turn(&settings(level))).await.is_ok() {}
        }
        assert!((2..=14).contains(&store.rounds()), "{}", store.rounds());
        store.close(&settings(level)).await;
        assert_eq!(kept::load(&store.camera, &store.file), settings(level));
    }

    #[tokio::test(start_paused = true)]
    async fn a_disk_that_can_be_written_again_is_told_of_no_more() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("tank"), "a file where the folder should be").unwrap();
        let mut store = store(&folder);
        store.change(&settings(1));
        store.turn(&settings(1)).await;
        assert!(store.trouble().is_some_and(|trouble| trouble.contains("is forgotten when the daemon ends")));
        std::fs::remove_file(folder.path().join("tank")).unwrap();
        store.close(&settings(1)).await;
        assert_eq!((store.trouble(), kept::load(&store.camera, &store.file)), (None, settings(1)));
    }
}
