//! The rolling file: one JPEG that each picture replaces whole.

use std::{
    fs, io,
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::protocol::Failure;

/// The rolling file's name in its folder.
pub const FILE_NAME: &str = "image_stream.jpg";

/// Replaces the rolling file picture by picture.
///
/// The temporary file lies beside the watched folder, on the same file system: renaming out of the watched
/// folder's sight costs its watcher one event a picture instead of seven.
#[derive(Debug)]
pub struct RollingFile {
    path: PathBuf,
    part: PathBuf,
}

impl RollingFile {
    /// A rolling file at `path`; its folder is made, mode 0700, when it is missing.
    ///
    /// # Errors
    /// When `path` has no folder, or it can't be made.
    pub fn new(path: &Path) -> io::Result<Self> {
        let folder = path.parent().filter(|p| p.file_name().is_some());
        let folder = folder.ok_or_else(|| io::Error::other("the rolling file needs a folder of its own"))?;
        let mut part = folder.as_os_str().to_owned();
        // Not in place of an extension, which tells one camera's folders apart.
        part.push(".part");
        let rolling = Self { path: path.to_owned(), part: part.into() };
        rolling.make_folder()?;
        Ok(rolling)
    }

    /// As [`RollingFile::new`], with the error in words for people.
    ///
    /// # Errors
    /// As [`RollingFile::new`].
    pub fn open(path: &Path) -> Result<Self, Failure> {
        Self::new(path).map_err(|error| explain(path, &error))
    }

    /// Replaces the file by `jpeg`, with the modification time `taken`, the time of exposure.
    ///
    /// # Errors
    /// When the file can't be written, a full file system included; the old picture then stays.
    pub fn replace(&self, jpeg: &[u8], taken: SystemTime) -> io::Result<()> {
        let written = match self.try_replace(jpeg, taken) {
            // Somebody has removed the folder, or the one that it is in.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.make_folder()?;
                self.try_replace(jpeg, taken)
            }
            written => written,
        };
        if written.is_err() {
            // On a full tmpfs the half-written file would keep the space that the next try needs.
            let _ = fs::remove_file(&self.part);
        }
        written
    }

    /// As [`RollingFile::replace`], with the error in words for people.
    ///
    /// # Errors
    /// As [`RollingFile::replace`].
    pub fn publish(&self, jpeg: &[u8], taken: SystemTime) -> Result<(), Failure> {
        self.replace(jpeg, taken).map_err(|error| explain(&self.path, &error))
    }

    fn try_replace(&self, jpeg: &[u8], taken: SystemTime) -> io::Result<()> {
        let mut file =
            fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&self.part)?;
        file.write_all(jpeg)?;
        file.set_modified(taken)?;
        fs::rename(&self.part, &self.path)
    }

    fn make_folder(&self) -> io::Result<()> {
        let folder = self.path.parent().expect("new() asked for a folder");
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
    }
}

fn explain(path: &Path, error: &io::Error) -> Failure {
    use io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    let folder = path.parent().unwrap_or(path).display();
    match error.kind() {
        StorageFull | QuotaExceeded => Failure::new(
            format!("the folder {folder} is full, so the picture can't be written"),
            "see with df what fills it; it is in memory, and a few MB are enough",
        ),
        PermissionDenied | ReadOnlyFilesystem => Failure::new(
            format!("the folder {folder} can't be written: {error}"),
            "give it to the user that the daemon runs as",
        ),
        _ => Failure::unexplained(format!("the picture can't be written to {}: {error}", path.display())),
    }
}

impl Drop for RollingFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.part);
    }
}

#[cfg(test)]
mod tests {
    use std::{
        os::unix::fs::{MetadataExt, PermissionsExt},
        time::{Duration, UNIX_EPOCH},
    };

    use super::*;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir_in("/dev/shm").unwrap()
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn the_picture_is_readable_by_its_owner_only_and_bears_the_time_of_exposure() {
        let run = folder();
        let path = run.path().join("eyelid/tank").join(FILE_NAME);
        let rolling = RollingFile::new(&path).unwrap();
        let taken = UNIX_EPOCH + Duration::new(1_700_000_000, 123_456_000);
        rolling.replace(b"first, longer", taken).unwrap();
        rolling.replace(b"second", taken).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), taken);
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
        assert_eq!(mode(&run.path().join("eyelid")), 0o700);
    }

    #[test]
    fn a_reader_keeps_the_whole_old_picture() {
        let run = folder();
        let path = run.path().join("tank").join(FILE_NAME);
        let rolling = RollingFile::new(&path).unwrap();
        rolling.replace(b"old picture", SystemTime::now()).unwrap();
        let old = fs::File::open(&path).unwrap();
        rolling.replace(b"new", SystemTime::now()).unwrap();
        assert_eq!(io::read_to_string(old).unwrap(), "old picture");
    }

    #[test]
    fn nothing_but_the_picture_is_left_behind() {
        let run = folder();
        let path = run.path().join("tank").join(FILE_NAME);
        let rolling = RollingFile::new(&path).unwrap();
        fs::write(run.path().join("tank.part"), b"left by a crash").unwrap();
        rolling.replace(b"picture", SystemTime::now()).unwrap();
        drop(rolling);
        let names: Vec<_> =
            fs::read_dir(run.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["tank"]);
        assert_eq!(fs::read_dir(run.path().join("tank")).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_that_somebody_removed_is_made_again() {
        let run = folder();
        let path = run.path().join("eyelid/tank").join(FILE_NAME);
        let rolling = RollingFile::new(&path).unwrap();
        for removed in ["eyelid/tank", "eyelid"] {
            fs::remove_dir_all(run.path().join(removed)).unwrap();
            rolling.replace(b"picture", SystemTime::now()).unwrap();
            assert_eq!(fs::read(&path).unwrap(), b"picture");
            assert_eq!(mode(&run.path().join(removed)), 0o700);
        }
    }

    #[test]
    fn a_path_without_a_folder_of_its_own_is_refused() {
        for path in ["image_stream.jpg", "/image_stream.jpg"] {
            assert!(RollingFile::new(Path::new(path)).is_err(), "{path}");
        }
    }

    #[test]
    fn a_file_system_that_is_full_is_told_in_words_and_keeps_the_old_picture() {
        // Writing to /dev/full fails as on a full file system, and a link takes the temporary file there.
        let run = folder();
        let path = run.path().join("tank").join(FILE_NAME);
        let rolling = RollingFile::open(&path).unwrap();
        rolling.publish(b"old picture", SystemTime::now()).unwrap();
        std::os::unix::fs::symlink("/dev/full", run.path().join("tank.part")).unwrap();
        let failure = rolling.publish(b"new picture", SystemTime::now()).unwrap_err();
        let told = format!(
            "the folder {} is full, so the picture can't be written",
            path.parent().unwrap().display()
        );
        assert_eq!(failure.reason, told);
        assert!(failure.hint.is_some());
        assert_eq!(fs::read(&path).unwrap(), b"old picture");
        assert!(
            !fs::exists(run.path().join("tank.part")).unwrap(),
            "it would keep the space that is missing"
        );
        rolling.publish(b"new picture", SystemTime::now()).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().size(), 11);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_told_in_words() {
        let run = folder();
        fs::write(run.path().join("tank"), b"a file").unwrap();
        let failure = RollingFile::open(&run.path().join("tank").join(FILE_NAME)).unwrap_err();
        assert!(failure.reason.starts_with("the picture can't be written to "), "{failure}");
    }
}
