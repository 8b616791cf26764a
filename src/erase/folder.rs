//! A folder that is held open, so that what is removed in it is in it, whatever is renamed or linked meanwhile.

use std::{
    io,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, openat, statat, unlinkat};

/// An open folder.
#[derive(Debug)]
pub(super) struct Folder {
    fd: OwnedFd,
    pub(super) path: PathBuf,
}

const FLAGS: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

impl Folder {
    /// Opens the folder of this path, which itself may be a link: `/var/lib/eyelid` is one.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { fd: openat(CWD, path, FLAGS, Mode::empty())?, path: path.to_owned() })
    }

    /// Opens a folder in it, no link.
    pub(super) fn inner(&self, name: &str) -> io::Result<Self> {
        let fd = openat(&self.fd, name, FLAGS | OFlags::NOFOLLOW, Mode::empty())?;
        Ok(Self { fd, path: self.path.join(name) })
    }

    /// What is in it, by name; names that are no UTF-8 are none of ours.
    pub(super) fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.fd)? {
            match entry?.file_name().to_str() {
                Ok("." | "..") | Err(_) => {}
                Ok(name) => names.push(name.to_owned()),
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// What is there of that name; a link is told as a link.
    pub(super) fn kind(&self, name: &str) -> io::Result<(FileType, Stat)> {
        let stat = statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok((FileType::from_raw_mode(stat.st_mode), stat))
    }

    /// Whether nobody but its owner can write to it.
    pub(super) fn is_private(&self) -> io::Result<bool> {
        let stat = rustix::fs::fstat(&self.fd)?;
        Ok(stat.st_mode & 0o022 == 0)
    }

    /// Removes a file. Of a link it would be the link.
    pub(super) fn remove_file(&self, name: &str) -> io::Result<()> {
        Ok(unlinkat(&self.fd, name, AtFlags::empty())?)
    }

    /// Removes a folder that is empty.
    pub(super) fn remove_folder(&self, name: &str) -> io::Result<()> {
        Ok(unlinkat(&self.fd, name, AtFlags::REMOVEDIR)?)
    }
}
