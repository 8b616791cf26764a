//! A film: a file with one JPEG after another.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use super::{LARGEST_PICTURE, Reel, missing, open};
use crate::{
    capture::{protocol::Failure, runner::Stop},
    jpeg::{Info, Splitter},
};

pub(super) struct Film {
    path: PathBuf,
    pub(super) file: File,
    splitter: Splitter,
    chunk: Vec<u8>,
    /// The picture whose turn it is.
    picture: Vec<u8>,
    /// Whether a picture has come since the beginning of the file.
    any: bool,
}

impl Film {
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let file = open(path).map_err(|error| Failure::unexplained(missing(path, &error)))?;
        Ok(Self {
            path: path.to_owned(),
            file,
            splitter: Splitter::new(LARGEST_PICTURE),
            chunk: vec![0; 64 << 10],
            picture: Vec::new(),
            any: false,
        })
    }

    /// Goes on in the file, or from its beginning. Opened anew, it may be another film by now.
    fn read(&mut self) -> Result<(), Failure> {
        let failed = |error: &io::Error| Failure::unexplained(missing(&self.path, error));
        match self.file.read(&mut self.chunk) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(&error)),
            // What is left may be half a picture that hides whole ones.
            Ok(0) if !self.splitter.is_empty() => self.splitter.give_up(),
            Ok(0) if !self.any => {
                return Err(Failure::new(
                    format!("there is no whole JPEG in {}", self.path.display()),
                    "make a film of JPEGs of it: ffmpeg -i FILM -c:v mjpeg -q:v 3 -f mjpeg FILE",
                ));
            }
            Ok(0) => {
                self.file = open(&self.path).map_err(|error| failed(&error))?;
                self.splitter = Splitter::new(LARGEST_PICTURE);
                self.any = false;
            }
            Ok(read) => self.splitter.push(&self.chunk[..read]),
        }
        Ok(())
    }
}

impl Reel for Film {
    fn next(&mut self, stop: &Stop) -> Result<Option<(&[u8], Info)>, Failure> {
        loop {
            if let Some((picture, info)) = self.splitter.next_picture() {
                self.picture.clear();
                self.picture.extend_from_slice(picture);
                self.any = true;
                return Ok(Some((&self.picture, info)));
            }
            if stop.is_set() {
                return Ok(None);
            }
            self.read()?;
        }
    }
}
