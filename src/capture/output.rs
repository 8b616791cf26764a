//! What every kind of camera delivers its pictures through: from here on they are as the owner wants them.

mod refused;

use std::{borrow::Cow, time::SystemTime};

use self::refused::Refused;
use super::{
    Spec,
    encode::{EncodeError, Encoder, Picture},
    protocol::Failure,
    rolling_file::RollingFile,
};
use crate::{
    jpeg::{Defect, inspect, metadata::without_metadata},
    picture::{Mirror, Steps, Turn, Undecodable, decode},
};

/// Takes pictures, does to them what was asked for, and replaces the rolling file by them.
///
/// What can't be done to a picture keeps it from being published: what is to be hidden in it never gets out.
#[derive(Debug)]
pub struct Output {
    file: RollingFile,
    work: Work,
    refused: Refused,
}

/// What is done to the pictures.
#[derive(Debug)]
struct Work {
    encoder: Encoder,
    steps: Steps,
    recompress: bool,
    keep_metadata: bool,
}

/// Why nothing could be done to a picture.
#[derive(Debug, thiserror::Error)]
enum Unusable {
    #[error(transparent)]
    Undecodable(#[from] Undecodable),
    #[error("can't make a JPEG: {0}")]
    Unencodable(#[from] EncodeError),
}

impl From<Defect> for Unusable {
    fn from(defect: Defect) -> Self {
        Self::Undecodable(defect.into())
    }
}

impl Output {
    /// Where the pictures of a camera go that does nothing to them itself.
    ///
    /// # Errors
    /// When the rolling file has no folder, or it can't be made.
    pub fn open(spec: &Spec) -> Result<Self, Failure> {
        Self::open_left(spec, spec.turn())
    }

    /// Where the pictures of a camera go that was asked to do [`Spec::mirror`]; `left` is what it has not done.
    ///
    /// # Errors
    /// When the rolling file has no folder, or it can't be made.
    pub fn open_turned(spec: &Spec, left: Mirror) -> Result<Self, Failure> {
        Self::open_left(spec, spec.left(left))
    }

    fn open_left(spec: &Spec, turn: Turn) -> Result<Self, Failure> {
        let name = spec.name.as_str();
        let title = if spec.title.is_empty() { name } else { &spec.title };
        let work = Work {
            encoder: Encoder::new(spec.quality)
                .map_err(|error| Failure::unexplained(Unusable::from(error).to_string()))?,
            steps: Steps::new(&spec.picture, turn, name, title),
            recompress: spec.picture.recompress,
            keep_metadata: spec.picture.keep_metadata,
        };
        Ok(Self { file: RollingFile::open(&spec.output)?, work, refused: Refused::default() })
    }

    /// Whether more is asked for than JPEGs as the camera makes them: who could as well give a raw picture should.
    pub fn decodes(&self) -> bool {
        self.work.decodes()
    }

    /// The size of what becomes of pictures of this size.
    pub fn size(&self, width: u32, height: u32) -> (u32, u32) {
        let size = self.work.steps.size(width as usize, height as usize);
        (size.0 as u32, size.1 as u32)
    }

    /// Publishes a picture that is a JPEG already, as of the time when it was taken.
    ///
    /// A picture that nothing can be done to is left out, which is no error before it happens again and again.
    ///
    /// # Errors
    /// When the rolling file can't be written, or picture after picture is of no use.
    pub fn publish(&mut self, jpeg: &[u8], taken: SystemTime) -> Result<(), Failure> {
        match self.work.finished(jpeg, taken) {
            Ok(jpeg) => {
                let published = self.file.publish(&jpeg, taken);
                self.refused.forget();
                published
            }
            Err(reason) => self.refused.add(&reason.to_string()),
        }
    }

    /// Publishes a picture as it lies in the camera's memory.
    ///
    /// # Errors
    /// As [`Output::publish`].
    pub fn publish_raw(&mut self, picture: &Picture<'_>, taken: SystemTime) -> Result<(), Failure> {
        match self.work.finished_raw(picture, taken) {
            Ok(jpeg) => {
                let published = self.file.publish(jpeg, taken);
                self.refused.forget();
                published
            }
            Err(reason) => self.refused.add(&reason.to_string()),
        }
    }
}

impl Work {
    fn decodes(&self) -> bool {
        !self.steps.only_turn() || self.steps.turn() != Turn::NONE || self.recompress
    }

    /// The picture as it is to be published.
    fn finished<'a>(&'a mut self, jpeg: &'a [u8], taken: SystemTime) -> Result<Cow<'a, [u8]>, Unusable> {
        let decodes = self.decodes();
        if !decodes && self.keep_metadata {
            return Ok(Cow::Borrowed(&jpeg[..inspect(jpeg)?.len]));
        }
        let clean = without_metadata(jpeg)?;
        let upright = Turn::of_exif(clean.orientation);
        if !decodes && upright == Turn::NONE {
            return Ok(clean.jpeg);
        }
        let planes = decode(&clean.jpeg)?;
        let planes = self.steps.apply(planes, upright, taken);
        Ok(Cow::Borrowed(self.encoder.encode_planes(&planes)?))
    }

    fn finished_raw(&mut self, picture: &Picture<'_>, taken: SystemTime) -> Result<&[u8], EncodeError> {
        match self.steps.turn().mirror() {
            // Planes that need no change are encoded where they lie.
            Some(mirror) if self.steps.only_turn() => self.encoder.encode(picture, mirror),
            _ => {
                let planes = picture.to_planes(Mirror::NONE)?;
                self.encoder.encode_planes(&self.steps.apply(planes, Turn::NONE, taken))
            }
        }
    }
}

#[cfg(test)]
mod tests;
