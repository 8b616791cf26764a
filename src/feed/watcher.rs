//! From the rolling file to the feed.
//!
//! The *folder* is watched: a watch on the file itself is dead after the first rename. A hit is the file's
//! name closed after writing (a program that writes in place) or renamed into place (all others). However
//! many hits have come in the meantime, the file is read once, so the last of a burst wins.

use std::{
    fs::{self, DirBuilder, File},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use notify::{
    EventKind, RecommendedWatcher, RecursiveMode, Watcher as _,
    event::{AccessKind, AccessMode, ModifyKind, RenameMode},
};
use rustix::buffer::spare_capacity;
use tokio::{sync::mpsc, task::JoinHandle, time::sleep};

use super::Feed;

/// A file larger than this is no picture of a camera that we could serve.
const LARGEST_PICTURE: u64 = 32 << 20;

/// How long to wait before trying to watch a folder again that could not be made or watched.
const REARM_PAUSE: Duration = Duration::from_secs(1);

/// Watches one rolling file for as long as it lives.
#[derive(Debug)]
pub struct Watcher {
    task: JoinHandle<()>,
}

impl Watcher {
    /// Publishes to `feed` each picture that `file` becomes. Makes the file's folder, mode 0700, and
    /// makes it again when it is deleted.
    ///
    /// # Errors
    /// When the folder can't be made or watched, such as when the system's inotify instances are used up
    /// (`fs.inotify.max_user_instances`).
    pub fn start(file: PathBuf, feed: Feed) -> notify::Result<Self> {
        let (sender, hits) = mpsc::unbounded_channel();
        let folder = file.parent().unwrap_or(Path::new("/")).to_owned();
        let sight = Sight { file: file.clone(), folder: folder.clone() };
        let mut inotify = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            if let Some(hit) = event.ok().and_then(|event| sight.judge(&event)) {
                let _ = sender.send(hit);
            }
        })?;
        arm(&mut inotify, &folder)?;
        let task = tokio::spawn(follow(file, folder, feed, inotify, hits));
        Ok(Self { task })
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Debug, PartialEq)]
enum Hit {
    /// The file may be a new picture.
    File,
    /// The folder is not where it was.
    FolderGone,
}

struct Sight {
    file: PathBuf,
    folder: PathBuf,
}

impl Sight {
    fn judge(&self, event: &notify::Event) -> Option<Hit> {
        if event.need_rescan() {
            return Some(Hit::File);
        }
        let concerns = |path: &Path| event.paths.iter().any(|p| p == path);
        match event.kind {
            EventKind::Access(AccessKind::Close(AccessMode::Write))
            | EventKind::Modify(ModifyKind::Name(RenameMode::To))
                if concerns(&self.file) =>
            {
                Some(Hit::File)
            }
            EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(RenameMode::From))
                if concerns(&self.folder) =>
            {
                Some(Hit::FolderGone)
            }
            _ => None,
        }
    }
}

async fn follow(
    file: PathBuf,
    folder: PathBuf,
    feed: Feed,
    mut inotify: RecommendedWatcher,
    mut hits: mpsc::UnboundedReceiver<Hit>,
) {
    let mut last_read = None;
    while let Some(hit) = hits.recv().await {
        let mut gone = hit == Hit::FolderGone;
        while let Ok(hit) = hits.try_recv() {
            gone |= hit == Hit::FolderGone;
        }
        if gone {
            tracing::warn!(folder = %folder.display(), "the rolling file's folder was taken away; making it again");
            let _ = inotify.unwatch(&folder);
            while let Err(error) = arm(&mut inotify, &folder) {
                tracing::error!(folder = %folder.display(), %error, "the rolling file's folder can't be watched");
                sleep(REARM_PAUSE).await;
            }
        }
        let era = feed.era();
        match read(&file, &mut last_read) {
            Ok(Some((jpeg, taken, again))) => {
                // Two pictures within a tick of the kernel's clock differ in nothing but their bytes.
                if again && feed.arrived().is_some_and(|last| last.jpeg == jpeg) {
                    continue;
                }
                if let Err(defect) = feed.publish_from(era, jpeg, taken) {
                    tracing::debug!(file = %file.display(), %defect, "ignored what is no whole JPEG");
                }
            }
            Ok(None) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                tracing::debug!(file = %file.display(), %error, "the rolling file can't be read");
                feed.ignore(error.to_string());
            }
        }
    }
}

fn arm(inotify: &mut RecommendedWatcher, folder: &Path) -> notify::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    inotify.watch(folder, RecursiveMode::NonRecursive)
}

/// What tells two states of the file apart without reading it, as a rule.
type Signature = (u64, u64, SystemTime);

fn signature(metadata: &fs::Metadata) -> io::Result<Signature> {
    Ok((metadata.ino(), metadata.len(), metadata.modified()?))
}

/// The file's bytes, its modification time, and whether it looks like what was read last time; `None` when it
/// is being written in place just now, in which case another hit follows.
fn read(path: &Path, last_read: &mut Option<Signature>) -> io::Result<Option<(Bytes, SystemTime, bool)>> {
    let file = File::open(path)?;
    let before = signature(&file.metadata()?)?;
    let (_, size, taken) = before;
    if size > LARGEST_PICTURE {
        return Err(io::Error::other(format!("{size} bytes; a picture has at most {LARGEST_PICTURE}")));
    }
    let size = size as usize;
    let mut bytes = Vec::with_capacity(size);
    // In one call: `read_to_end` begins with 8 KiB and doubles that.
    while bytes.len() < size && rustix::io::read(&file, spare_capacity(&mut bytes))? > 0 {}
    if signature(&file.metadata()?)? != before {
        return Ok(None);
    }
    let again = last_read.replace(before) == Some(before);
    Ok(Some((Bytes::from(bytes), taken, again)))
}
