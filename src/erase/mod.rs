//! `eyelid erase --all`: what Eyelid keeps on this machine, by name, and its end.
//!
//! Only what Eyelid itself has written is removed: a `state_folder` that holds other things too keeps those. No link
//! is followed but the one that may stand for a whole folder.

mod folder;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    rc::Rc,
};

use rustix::fs::FileType;

use self::folder::Folder;
use crate::{
    capture::{own_file, rolling_file},
    config::CameraName,
    run_folder,
};

/// A file of ours: its name, and what it is.
type Known = (&'static str, &'static str);

/// In the state folder itself.
const STATE: [Known; 2] = [
    ("access.json", "password, sessions, guest links and app passwords, as hashes"),
    ("stats.json", "visitors, pictures and bytes by day"),
];

/// In its folder `cameras/NAME`.
const CAMERA: [Known; 3] = [
    ("controls.json", "what was set of the camera"),
    ("ledger.jsonl", "when the camera was on"),
    ("ledger.jsonl.1", "when the camera was on, before"),
];

/// In its folder `tls`.
const TLS: [Known; 1] =
    [("self-signed.pem", "the certificate that Eyelid made itself, with its private key")];

/// In the run folder. The lock is needed until the end.
const RUN: [Known; 1] = [(run_folder::SOCKET, "the socket for commands")];

/// Where daemons keep what they have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// On tmpfs.
    pub run_folders: Vec<PathBuf>,
    /// On the disk.
    pub state_folders: Vec<PathBuf>,
}

/// What is removed, in this order.
#[derive(Debug, Default)]
pub struct Inventory {
    items: Vec<Item>,
    /// What stays though it may be ours, and why.
    pub left: Vec<String>,
}

/// A file or folder of ours.
#[derive(Debug)]
struct Item {
    parent: Rc<Folder>,
    name: String,
    what: Option<&'static str>,
}

impl Item {
    fn path(&self) -> PathBuf {
        self.parent.path.join(&self.name)
    }
}

/// Keeps daemons from starting, as long as it lives.
#[derive(Debug)]
pub struct Locks(#[allow(dead_code, reason = "the kernel knows who has them open")] Vec<File>);

/// A daemon runs there.
#[derive(Debug)]
pub struct Busy {
    run_folder: PathBuf,
    pid: String,
}

impl fmt::Display for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { run_folder, pid } = self;
        write!(
            f,
            "an eyelid (pid {pid}) runs and uses {}; stop it first, for instance with: sudo systemctl stop eyelid",
            run_folder.display()
        )
    }
}

impl std::error::Error for Busy {}

/// Sees that no daemon runs in these places, nor starts.
///
/// # Errors
/// When one runs.
pub fn lock(places: &Places) -> Result<Locks, Busy> {
    let mut locks = Vec::new();
    for run_folder in &places.run_folders {
        // One that isn't there is no daemon's, and one that can't be read is another user's. Nobody who has made
        // something else of that name holds us up.
        let flags = libc::O_NONBLOCK | libc::O_NOFOLLOW;
        let open = OpenOptions::new().read(true).custom_flags(flags).open(run_folder.join("lock"));
        let Ok(mut file) = open else { continue };
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            let mut pid = String::new();
            let _ = (&mut file).take(20).read_to_string(&mut pid);
            return Err(Busy { run_folder: run_folder.clone(), pid: pid.trim().to_owned() });
        }
        locks.push(file);
    }
    Ok(Locks(locks))
}

impl Inventory {
    /// Looks at what there is, and changes nothing.
    pub fn take(places: &Places) -> Self {
        let mut inventory = Self::default();
        for folder in &places.state_folders {
            inventory.top(folder, Self::state);
        }
        for folder in &places.run_folders {
            inventory.top(folder, Self::run);
        }
        inventory
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Removes all of it. Says of each file what it was, and of what can't be removed why.
    pub fn remove(self, mut say: impl FnMut(String)) -> Vec<String> {
        let mut left = self.left;
        for item in self.items {
            let removed = match item.what {
                Some(_) => item.parent.remove_file(&item.name),
                None => item.parent.remove_folder(&item.name),
            };
            match (removed, item.what) {
                (Ok(()), Some(what)) => say(format!("removed {}: {what}", item.path().display())),
                (Err(error), Some(_)) if error.kind() != io::ErrorKind::NotFound => {
                    left.push(format!("{}: {error}", item.path().display()));
                }
                // A folder that still has something in it is told by that.
                _ => {}
            }
        }
        left
    }

    fn top(&mut self, path: &Path, look: fn(&mut Self, &Rc<Folder>) -> io::Result<()>) {
        let looked = Folder::open(path).and_then(|folder| look(self, &folder.into()));
        match looked {
            Err(error) if !is_absent(&error) => self.left.push(format!("{}: {error}", path.display())),
            _ => {}
        }
    }

    fn state(&mut self, state: &Rc<Folder>) -> io::Result<()> {
        self.files(state, &STATE)?;
        if let Some(tls) = self.folder(state, "tls") {
            self.files(&tls, &TLS)?;
            self.end_of(state, "tls");
        }
        if let Some(cameras) = self.folder(state, "cameras") {
            for name in cameras.names()?.into_iter().filter(|name| name.parse::<CameraName>().is_ok()) {
                let Some(camera) = self.folder(&cameras, &name) else { continue };
                self.files(&camera, &CAMERA)?;
                self.end_of(&cameras, &name);
            }
            self.end_of(state, "cameras");
        }
        Ok(())
    }

    fn run(&mut self, run: &Rc<Folder>) -> io::Result<()> {
        const PICTURE: &str = "the newest picture";
        self.files(run, &RUN)?;
        let private = run.is_private()?;
        for name in run.names()? {
            let (camera, ending) = name.split_once('.').unwrap_or((&name, ""));
            if camera.parse::<CameraName>().is_err() {
                continue;
            }
            match ending {
                "" => {
                    if !run.kind(&name)?.0.is_dir() {
                        continue;
                    }
                    let Some(folder) = self.folder(run, &name) else { continue };
                    self.files(&folder, &[(rolling_file::FILE_NAME, PICTURE)])?;
                    self.end_of(run, &name);
                }
                "part" => self.file(run, &name, PICTURE)?,
                own_file::EXTENSION | own_file::PUSH_EXTENSION if !private => {
                    self.left.push(format!("{}: others may write there", run.path.join(&name).display()));
                }
                own_file::EXTENSION | own_file::PUSH_EXTENSION => {
                    // Whatever a camera's command has put there.
                    if let Some(folder) = self.folder(run, &name) {
                        self.all(&folder, 0)?;
                        self.end_of(run, &name);
                    }
                }
                _ => {}
            }
        }
        // Last, so that whoever finds no lock finds nothing else either.
        self.file(run, "lock", "the lock")
    }

    /// All in a folder that is ours with whatever is in it.
    fn all(&mut self, folder: &Rc<Folder>, depth: usize) -> io::Result<()> {
        /// Nobody puts pictures deeper.
        const DEEPEST: usize = 16;
        for name in folder.names()? {
            if !folder.kind(&name)?.0.is_dir() {
                self.items.push(Item {
                    parent: folder.clone(),
                    name,
                    what: Some("a picture, or what a command kept"),
                });
            } else if depth < DEEPEST
                && let Some(inner) = self.folder(folder, &name)
            {
                self.all(&inner, depth + 1)?;
                self.end_of(folder, &name);
            }
        }
        Ok(())
    }

    /// The files of a folder that have one of these names, or such a name and an ending of ours.
    fn files(&mut self, folder: &Rc<Folder>, known: &[Known]) -> io::Result<()> {
        for name in folder.names()? {
            let known = known.iter().find(|(base, _)| is_of(base, &name));
            if let Some((_, what)) = known {
                self.file(folder, &name, what)?;
            }
        }
        Ok(())
    }

    fn file(&mut self, folder: &Rc<Folder>, name: &str, what: &'static str) -> io::Result<()> {
        match folder.kind(name) {
            Ok((FileType::RegularFile | FileType::Socket, _)) => {
                self.items.push(Item { parent: folder.clone(), name: name.to_owned(), what: Some(what) });
            }
            Ok((FileType::Symlink, _)) => self.leave(folder, name, "a link, which Eyelid does not make"),
            Ok(_) => self.leave(folder, name, "not a file"),
            Err(error) if is_absent(&error) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Opens a folder of ours; none where it is no folder.
    fn folder(&mut self, parent: &Rc<Folder>, name: &str) -> Option<Rc<Folder>> {
        match parent.inner(name) {
            Ok(folder) => Some(folder.into()),
            Err(error) if is_absent(&error) => None,
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                self.leave(parent, name, "no permission");
                None
            }
            Err(_) => {
                self.leave(parent, name, "not a folder, or a link");
                None
            }
        }
    }

    fn leave(&mut self, folder: &Folder, name: &str, why: &str) {
        self.left.push(format!("{}: {why}", folder.path.join(name).display()));
    }

    /// The folder itself, if it is empty then.
    fn end_of(&mut self, parent: &Rc<Folder>, name: &str) {
        self.items.push(Item { parent: parent.clone(), name: name.to_owned(), what: None });
    }
}

/// What would be removed.
impl fmt::Display for Inventory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files = self.items.iter().filter_map(|item| Some((item.path(), item.what?)));
        for (index, (path, what)) in files.enumerate() {
            let line_end = if index > 0 { "\n" } else { "" };
            write!(f, "{line_end}{}: {what}", path.display())?;
        }
        Ok(())
    }
}

/// Whether a file's name is `base`, or that with an ending for what is half written or was found broken:
/// `stats.json.broken.2`.
fn is_of(base: &str, name: &str) -> bool {
    let Some(ending) = name.strip_prefix(base) else { return false };
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    matches!(ending, "" | ".part" | ".bad" | ".broken") || ending.strip_prefix(".broken.").is_some_and(number)
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound)
}
