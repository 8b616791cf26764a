//! What is sent to a camera of kind `push`, on its way to the capture process.
//!
//! It is open while a capture process runs. What comes at other times is for nobody, and kept nowhere.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Instant, SystemTime},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::capture::{own_file, rolling_file::RollingFile};

/// How many uploads a camera takes at one time: one that ends late must not hold the next one up.
pub const MOST_AT_A_TIME: usize = 2;

/// The inbox of one camera. Clones share it.
#[derive(Debug, Clone)]
pub struct Inbox {
    path: PathBuf,
    open: Arc<Mutex<Option<Open>>>,
    seats: Arc<Semaphore>,
}

#[derive(Debug)]
struct Open {
    file: RollingFile,
    /// When the picture that lies there began to come.
    newest: Option<Instant>,
}

/// One of the uploads that a camera takes at one time. Dropping it is its end, whatever that is.
#[derive(Debug)]
pub struct Seat {
    _permit: OwnedSemaphorePermit,
}

impl Inbox {
    /// That of the camera with the rolling file `output`; shut.
    pub(super) fn beside(output: &Path) -> Self {
        let seats = Arc::new(Semaphore::new(MOST_AT_A_TIME));
        Self { path: own_file::pushed(output), open: Arc::default(), seats }
    }

    /// A seat for one more upload, if one is free.
    pub fn seat(&self) -> Option<Seat> {
        let permit = self.seats.clone().try_acquire_owned().ok()?;
        Some(Seat { _permit: permit })
    }

    /// Whether somebody wants what comes.
    pub fn is_open(&self) -> bool {
        self.lock().is_some()
    }

    /// Hands a picture over that began to come then; to nobody where it is shut, or a newer one was quicker.
    ///
    /// # Errors
    /// When the picture can't be written.
    pub fn put(&self, jpeg: &[u8], began: (Instant, SystemTime)) -> io::Result<()> {
        let mut open = self.lock();
        let Some(open) = open.as_mut().filter(|open| open.newest < Some(began.0)) else { return Ok(()) };
        open.file.replace(jpeg, began.1)?;
        open.newest = Some(began.0);
        Ok(())
    }

    /// Takes what comes from now on.
    ///
    /// # Errors
    /// When there can't be a folder for it.
    pub(super) fn open(&self) -> io::Result<()> {
        let mut open = self.lock();
        *open = None;
        self.clear();
        *open = Some(Open { file: RollingFile::new(&self.path)?, newest: None });
        Ok(())
    }

    /// Takes nothing any more, and forgets what is there.
    pub(super) fn shut(&self) {
        if self.lock().take().is_some() {
            self.clear();
        }
    }

    fn clear(&self) {
        if let Some(folder) = self.path.parent() {
            let _ = std::fs::remove_dir_all(folder);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
