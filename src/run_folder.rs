//! The folder on tmpfs that holds the rolling files.

use std::{
    env,
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};

use crate::capture::{own_file, rolling_file};

/// The magic numbers of `statfs(2)` for file systems that live in memory: tmpfs and ramfs.
const IN_MEMORY: [u64; 2] = [0x0102_1994, 0x8584_58f6];

/// The local socket in the folder.
pub(crate) const SOCKET: &str = "eyelid.sock";

/// The folder, ours alone for as long as this value lives, and cleaned up with it.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    _lock: File,
}

/// Where the folder is: `$RUNTIME_DIRECTORY`, which systemd sets, else `$XDG_RUNTIME_DIR/eyelid`, else
/// `/dev/shm/eyelid-UID`.
pub fn usual() -> PathBuf {
    let variable = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    // systemd gives a list with colons where the unit asks for several.
    let first = |list: PathBuf| {
        let text = list.to_string_lossy();
        PathBuf::from(text.split(':').next().unwrap_or_default())
    };
    // A link, where systemd keeps the folder over a restart.
    let resolved = |folder: PathBuf| folder.canonicalize().unwrap_or(folder);
    variable("RUNTIME_DIRECTORY")
        .map(first)
        .map(resolved)
        .or_else(|| variable("XDG_RUNTIME_DIR").map(|folder| folder.join("eyelid")))
        .unwrap_or_else(|| format!("/dev/shm/eyelid-{}", rustix::process::getuid().as_raw()).into())
}

impl RunFolder {
    /// Makes the folder, mode 0700, and takes it.
    ///
    /// # Errors
    /// When it can't be made, lies on a disk and `allow_disk` is false, or another process has taken it.
    pub fn take(path: &Path, allow_disk: bool) -> anyhow::Result<Self> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .with_context(|| format!("the run folder {} can't be made", path.display()))?;
        refuse_a_strangers(path)?;
        if !allow_disk && !in_memory(path)? {
            bail!(
                "the run folder {} is not on tmpfs, and a picture written every moment wears out an SD card; \
                 set RUNTIME_DIRECTORY to a folder on tmpfs, or allow_disk = true in the configuration",
                path.display()
            );
        }
        let lock = lock(&path.join("lock"), path)?;
        let folder = Self { path: path.to_owned(), _lock: lock };
        folder.sweep();
        Ok(folder)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes what an earlier process left: camera folders with a rolling file, temporary files, the local socket.
    fn sweep(&self) {
        let Ok(entries) = fs::read_dir(&self.path) else { return };
        for entry in entries.flatten() {
            let path = entry.path();
            let _ = fs::remove_file(path.join(rolling_file::FILE_NAME));
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("part" | "sock") => drop(fs::remove_file(&path)),
                // Whatever else a command has put there.
                Some(own_file::EXTENSION | own_file::PUSH_EXTENSION) => drop(fs::remove_dir_all(&path)),
                _ => {}
            }
            let _ = fs::remove_dir(&path);
        }
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        self.sweep();
        let _ = fs::remove_file(self.path.join("lock"));
        // Stays where systemd made it: its parent is not ours.
        let _ = fs::remove_dir(&self.path);
    }
}

/// In `/dev/shm` anybody may have made the folder before us, to have us write where they want.
fn refuse_a_strangers(path: &Path) -> anyhow::Result<()> {
    let folder = fs::symlink_metadata(path).with_context(|| format!("the run folder {}", path.display()))?;
    let ours = folder.is_dir() && folder.uid() == rustix::process::geteuid().as_raw();
    if !ours || folder.mode() & 0o022 != 0 {
        bail!(
            "the run folder {} is not a folder of our own that nobody else can write to; \
             remove it, or set RUNTIME_DIRECTORY to another folder on tmpfs",
            path.display()
        );
    }
    Ok(())
}

/// Whether it lies on a file system that lives in memory.
pub(crate) fn in_memory(path: &Path) -> anyhow::Result<bool> {
    let stat = rustix::fs::statfs(path).with_context(|| format!("{}: statfs", path.display()))?;
    Ok(IN_MEMORY.contains(&(stat.f_type as u64 & 0xffff_ffff)))
}

fn lock(file: &Path, folder: &Path) -> anyhow::Result<File> {
    let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(file);
    let mut lock = open.with_context(|| format!("the lock file {} can't be made", file.display()))?;
    match lock.try_lock() {
        // Whoever had it removed the file in between: what we have locked, the next one would not see.
        Ok(())
            if !fs::metadata(file)
                .is_ok_and(|there| lock.metadata().is_ok_and(|ours| ours.ino() == there.ino())) =>
        {
            self::lock(file, folder)
        }
        Ok(()) => {
            lock.set_len(0).and_then(|()| write!(lock, "{}", std::process::id())).context("the lock file")?;
            Ok(lock)
        }
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            let _ = lock.read_to_string(&mut pid);
            bail!(
                "another eyelid (pid {}) uses {}; stop it, or set RUNTIME_DIRECTORY to another folder on tmpfs",
                pid.trim(),
                folder.display()
            )
        }
        Err(TryLockError::Error(error)) => Err::<File, io::Error>(error).context("the lock file"),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn shm() -> tempfile::TempDir {
        tempfile::tempdir_in("/dev/shm").unwrap()
    }

    #[test]
    fn is_private_swept_and_gone_at_the_end() {
        let parent = shm();
        let path = parent.path().join("eyelid");
        let folder = RunFolder::take(&path, false).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        fs::create_dir_all(path.join("tank")).unwrap();
        fs::write(path.join("tank/image_stream.jpg"), "old").unwrap();
        fs::write(path.join("tank.part"), "half").unwrap();
        drop(folder);
        assert!(!path.exists());
    }

    #[test]
    fn is_taken_by_one_process_at_a_time() {
        let parent = shm();
        let _first = RunFolder::take(parent.path(), false).unwrap();
        let error = RunFolder::take(parent.path(), false).unwrap_err().to_string();
        assert!(error.contains(&format!("another eyelid (pid {})", std::process::id())), "{error}");
    }

    #[test]
    fn a_folder_that_others_can_write_to_or_a_link_is_refused() {
        let parent = shm();
        let (loose, link) = (parent.path().join("loose"), parent.path().join("link"));
        fs::create_dir(&loose).unwrap();
        std::os::unix::fs::symlink(parent.path(), &link).unwrap();
        fs::set_permissions(&loose, fs::Permissions::from_mode(0o777)).unwrap();
        for path in [&loose, &link] {
            let error = RunFolder::take(path, false).unwrap_err().to_string();
            assert!(error.contains("not a folder of our own"), "{error}");
            assert!(!path.join("lock").exists());
        }
    }

    #[test]
    fn a_disk_is_refused_unless_allowed() {
        let disk = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        if in_memory(disk.path()).unwrap() {
            return; // The project itself lies on tmpfs.
        }
        let error = RunFolder::take(disk.path(), false).unwrap_err().to_string();
        assert!(error.contains("not on tmpfs") && error.contains("allow_disk"), "{error}");
        RunFolder::take(disk.path(), true).unwrap();
    }
}
