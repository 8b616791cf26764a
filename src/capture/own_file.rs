//! A file that somebody else replaces: a command, or the daemon with what was sent to it.
//!
//! It lies beside the rolling file's folder, where nobody else looks: what comes there is not what viewers
//! may see before it went through the output.

use std::{
    fs::{self, DirBuilder, File},
    io::{self, Read},
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::SystemTime,
};

use notify::{
    EventKind, RecommendedWatcher, RecursiveMode, Watcher as _,
    event::{AccessKind, AccessMode, ModifyKind, RenameMode},
};

use super::rolling_file::FILE_NAME;

/// The extension of a command's folder, which no camera's name can have.
pub(crate) const EXTENSION: &str = "command";

/// The extension of the folder of what is sent to the daemon.
pub(crate) const PUSH_EXTENSION: &str = "push";

/// A file larger than this is no picture.
const LARGEST_PICTURE: u64 = 32 << 20;

/// The file that is sent to the daemon for the camera with the rolling file `output`.
pub(crate) fn pushed(output: &Path) -> PathBuf {
    output.parent().unwrap_or(output).with_extension(PUSH_EXTENSION).join(FILE_NAME)
}

/// The file, and a command's folder for as long as this value lives.
#[derive(Debug)]
pub(super) struct OwnFile {
    folder: PathBuf,
    path: PathBuf,
    /// Whether the folder goes with this value.
    is_ours: bool,
    last: Vec<u8>,
    last_state: Option<State>,
    told: Arc<AtomicBool>,
    watcher: Option<RecommendedWatcher>,
}

impl OwnFile {
    /// A place for such a file, beside the folder of the rolling file `output`.
    pub(super) fn beside(output: &Path) -> io::Result<Self> {
        let folder = output.parent().unwrap_or(output).with_extension(EXTENSION);
        // What a killed process has left.
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        // The command may work in another folder than we.
        let folder = fs::canonicalize(folder)?;
        Ok(Self::new(folder.join(FILE_NAME), true))
    }

    /// The file of what is sent to the daemon, which makes and removes the folder. What is there already counts: it
    /// may have come before this process.
    pub(super) fn pushed(output: &Path) -> io::Result<Self> {
        let path = pushed(output);
        let file = Self::new(path, false);
        DirBuilder::new().recursive(true).mode(0o700).create(&file.folder)?;
        Ok(file)
    }

    fn new(path: PathBuf, is_ours: bool) -> Self {
        let folder = path.parent().unwrap_or(&path).to_owned();
        let (last, told) = (Vec::new(), Arc::default());
        Self { folder, path, is_ours, last, last_state: None, told, watcher: None }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Calls `tell`, in a thread of its own, when there may be a new picture: once until the next
    /// [`OwnFile::read`].
    pub(super) fn watch(&mut self, tell: impl Fn() + Send + 'static) -> notify::Result<()> {
        let (path, told) = (self.path.clone(), self.told.clone());
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let is_hit = event.is_ok_and(|event| is_hit(&event, &path));
            if is_hit && !told.swap(true, Ordering::AcqRel) {
                tell();
            }
        })?;
        watcher.watch(&self.folder, RecursiveMode::NonRecursive)?;
        self.watcher = Some(watcher);
        Ok(())
    }

    /// What is in the file and when it was written, if that is another picture than the last time. An error is
    /// what keeps it from being read.
    pub(super) fn read(&mut self) -> io::Result<Option<(&[u8], SystemTime)>> {
        self.told.store(false, Ordering::Release);
        let mut file = match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        let written = state(&file)?;
        let mut bytes = Vec::new();
        (&mut file).take(LARGEST_PICTURE + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > LARGEST_PICTURE {
            return Err(io::Error::other(format!(
                "more than {LARGEST_PICTURE} bytes, too much for a picture"
            )));
        }
        if state(&file)? != written {
            // Just being written in place; we are told again.
            return Ok(None);
        }
        // Two pictures within a tick of the kernel's clock differ in nothing but their bytes.
        if self.last_state.replace(written) == Some(written) && bytes == self.last {
            return Ok(None);
        }
        self.last = bytes;
        Ok(Some((&self.last, written.2)))
    }
}

/// What tells two states of a file apart without reading it, as a rule.
type State = (u64, u64, SystemTime);

fn state(file: &File) -> io::Result<State> {
    let metadata = file.metadata()?;
    Ok((metadata.ino(), metadata.len(), metadata.modified()?))
}

/// Closed after writing, as by a program that writes in place, or renamed into place.
fn is_hit(event: &notify::Event, path: &Path) -> bool {
    let concerns = event.paths.iter().any(|p| p == path);
    event.need_rescan()
        || concerns
            && matches!(
                event.kind,
                EventKind::Access(AccessKind::Close(AccessMode::Write))
                    | EventKind::Modify(ModifyKind::Name(RenameMode::To))
            )
}

impl Drop for OwnFile {
    fn drop(&mut self) {
        if self.is_ours {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}
