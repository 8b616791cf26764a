//! The JPEGs of a folder, in the order in which people count: 2 before 10.

use std::{
    ffi::{OsStr, OsString},
    fs,
    io::Read,
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::{LARGEST_PICTURE, Reel, missing, open};
use crate::{
    capture::{protocol::Failure, runner, runner::Stop},
    jpeg::{Info, inspect},
};

/// A folder of JPEGs, read one at a time.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    shuffle: bool,
    /// The names that are left of this round, the next one last.
    left: Vec<OsString>,
    /// The files whose names are not those of JPEGs.
    others: usize,
    last: Option<OsString>,
    bytes: Vec<u8>,
    /// When the last picture's file was written.
    pub(crate) written: SystemTime,
    /// When the first and the last of the files were written that this round began with.
    pub(crate) span: Option<(SystemTime, SystemTime)>,
    /// The first file that was left out since the last picture, and why.
    pub(crate) left_out: Option<String>,
}

impl Folder {
    pub(crate) fn open(path: &Path, shuffle: bool) -> Result<Self, Failure> {
        let mut folder = Self {
            path: path.to_owned(),
            shuffle,
            left: Vec::new(),
            others: 0,
            last: None,
            bytes: Vec::new(),
            written: SystemTime::UNIX_EPOCH,
            span: None,
            left_out: None,
        };
        folder.list()?;
        Ok(folder)
    }

    /// Begins a round with what is in the folder now.
    fn list(&mut self) -> Result<(), Failure> {
        let failed = |error| Failure::unexplained(missing(&self.path, &error));
        (self.others, self.span) = (0, None);
        for entry in fs::read_dir(&self.path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            // What begins with a dot is hidden, as half-written files of rsync and others are.
            if name.as_encoded_bytes().starts_with(b".") {
                continue;
            }
            if is_jpeg(&name) {
                if let Ok(written) = entry.metadata().and_then(|metadata| metadata.modified()) {
                    let (from, to) = self.span.unwrap_or((written, written));
                    self.span = Some((from.min(written), to.max(written)));
                }
                self.left.push(name);
            } else if entry.file_type().is_ok_and(|kind| !kind.is_dir()) {
                self.others += 1;
            }
        }
        if self.shuffle {
            fastrand::shuffle(&mut self.left);
            if self.left.len() > 1 && self.left.last() == self.last.as_ref() {
                self.left.reverse();
            }
        } else {
            alphanumeric_sort::sort_os_str_slice_rev(&mut self.left);
        }
        Ok(())
    }

    /// Reads the file, if it is a picture.
    fn read(&mut self, name: &OsStr) -> Result<Info, String> {
        let file = open(&self.path.join(name)).map_err(|error| error.to_string())?;
        self.written =
            file.metadata().and_then(|metadata| metadata.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
        self.bytes.clear();
        let most = LARGEST_PICTURE as u64 + 1;
        file.take(most).read_to_end(&mut self.bytes).map_err(|error| error.to_string())?;
        if self.bytes.len() > LARGEST_PICTURE {
            return Err(format!("larger than {LARGEST_PICTURE} bytes"));
        }
        inspect(&self.bytes).map_err(|defect| defect.to_string())
    }
}

fn is_jpeg(name: &OsStr) -> bool {
    let extension = Path::new(name).extension().unwrap_or_default();
    ["jpg", "jpeg"].iter().any(|jpeg| extension.eq_ignore_ascii_case(jpeg))
}

impl Folder {
    /// The next picture; none where it is to stop before there is one.
    pub(crate) fn picture(&mut self, stop: impl Fn() -> bool) -> Result<Option<(&[u8], Info)>, Failure> {
        self.left_out = None;
        let mut rounds = 0;
        let mut why: Option<String> = None;
        let info = loop {
            if stop() {
                return Ok(None);
            }
            let Some(name) = self.left.pop() else {
                rounds += 1;
                // The rest of one round, and then a whole one.
                if rounds > 1 {
                    let folder = self.path.display();
                    return Err(match why {
                        None => Failure::new(
                            format!("there is no picture in {folder}"),
                            "put JPEGs there, with names that end in .jpg or .jpeg",
                        ),
                        Some(why) => {
                            Failure::unexplained(format!("no picture in {folder} can be shown: {why}"))
                        }
                    });
                }
                self.list()?;
                continue;
            };
            match self.read(&name) {
                Ok(info) => {
                    self.last = Some(name);
                    break info;
                }
                // It may be half written, or gone since the round began.
                Err(reason) => {
                    let reason = format!("{}: {reason}", name.to_string_lossy());
                    self.left_out.get_or_insert_with(|| reason.clone());
                    why = Some(reason);
                }
            }
        };
        Ok(Some((&self.bytes, info)))
    }
}

impl Reel for Folder {
    fn next(&mut self, stop: &Stop) -> Result<Option<(&[u8], Info)>, Failure> {
        let played = self.picture(|| stop.is_set()).map(|picture| picture.map(|(_, info)| info));
        if let Some(reason) = self.left_out.take() {
            runner::log(format_args!("left out: {reason}"));
        }
        Ok(played?.map(|info| (&self.bytes[..], info)))
    }

    fn notice(&self) -> Option<String> {
        match self.others {
            0 => None,
            1 => Some("1 file in the folder is no .jpg and is left out".to_owned()),
            others => Some(format!("{others} files in the folder are no .jpg and are left out")),
        }
    }
}
