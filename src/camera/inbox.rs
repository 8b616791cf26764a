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

use crate::{
    capture::{own_file, rolling_file::RollingFile},
    repeats::Repeats,
};

/// How many uploads a camera takes at one time: one that ends late must not hold the next one up.
pub const MOST_AT_A_TIME: usize = 2;

/// The inbox of one camera. Clones share it.
#[derive(Debug, Clone)]
pub struct Inbox {
    path: PathBuf,
    open: Arc<Mutex<Option<Open>>>,
    seats: Arc<Semaphore>,
    refusals: Arc<Mutex<Repeats>>,
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
        Self { path: own_file::pushed(output), open: Arc::default(), seats, refusals: Arc::default() }
    }

    /// A seat for one more upload, if one is free.
    pub fn seat(&self) -> Option<Seat> {
        let permit = self.seats.clone().try_acquire_owned().ok()?;
        Some(Seat { _permit: permit })
    }

    /// Notes that an upload was refused. Where the log is to tell, how many it has not told of since the last time:
    /// whoever may send anything to this port must not fill it.
    pub fn refused(&self) -> Option<u64> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner).note()
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

#[cfg(test)]
mod tests {
    use std::{fs, time::Duration};

    use super::*;

    fn began(seconds: u64) -> (Instant, SystemTime) {
        static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
        let (start, after) = (*START.get_or_init(Instant::now), Duration::from_secs(seconds));
        (start + after, SystemTime::UNIX_EPOCH + after)
    }

    #[test]
    fn what_comes_while_nobody_wants_it_is_kept_nowhere() {
        let run = tempfile::tempdir_in("/dev/shm").unwrap();
        let inbox = Inbox::beside(&run.path().join("gate/image_stream.jpg"));
        let kept = || fs::read_dir(run.path()).unwrap().count();
        inbox.put(b"before", began(1)).unwrap();
        assert_eq!((inbox.is_open(), kept()), (false, 0));
        inbox.open().unwrap();
        assert!(inbox.is_open());
        inbox.put(b"picture", began(2)).unwrap();
        let file = run.path().join("gate.push/image_stream.jpg");
        assert_eq!(fs::read(&file).unwrap(), b"picture");
        assert_eq!(fs::metadata(&file).unwrap().modified().unwrap(), began(2).1);
        inbox.open().unwrap();
        assert!(!file.exists(), "what an earlier run has left is no picture of this one");
        inbox.put(b"picture", began(3)).unwrap();
        inbox.shut();
        inbox.put(b"after", began(4)).unwrap();
        assert_eq!((inbox.is_open(), kept()), (false, 0));
    }

    #[test]
    fn a_picture_that_was_overtaken_does_not_replace_the_newer_one() {
        let run = tempfile::tempdir_in("/dev/shm").unwrap();
        let inbox = Inbox::beside(&run.path().join("gate/image_stream.jpg"));
        inbox.open().unwrap();
        for (picture, seconds, there) in [("b", 2, "b"), ("a", 1, "b"), ("b again", 2, "b"), ("c", 3, "c")] {
            inbox.put(picture.as_bytes(), began(seconds)).unwrap();
            let file = run.path().join("gate.push/image_stream.jpg");
            assert_eq!(fs::read_to_string(file).unwrap(), there, "after {picture}");
        }
    }

    #[test]
    fn a_seat_is_free_again_when_its_upload_has_ended() {
        let inbox = Inbox::beside(Path::new("/nowhere/gate/image_stream.jpg"));
        let seats: Vec<_> = (0..MOST_AT_A_TIME).map(|_| inbox.seat().unwrap()).collect();
        assert!(inbox.seat().is_none() && inbox.clone().seat().is_none());
        drop(seats);
        assert!(inbox.seat().is_some());
    }
}
