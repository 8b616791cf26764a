//! What every kind of camera delivers its pictures through.

use std::time::SystemTime;

use super::{
    Spec,
    encode::{EncodeError, Encoder, Mirror, Picture},
    protocol::Failure,
    rolling_file::RollingFile,
};

/// Takes pictures and replaces the rolling file by them.
#[derive(Debug)]
pub struct Output {
    file: RollingFile,
    encoder: Encoder,
    /// What is left to turn over, because the camera hasn't.
    mirror: Mirror,
}

impl Output {
    /// Where the pictures of a camera go that does nothing to them itself.
    ///
    /// # Errors
    /// When the rolling file has no folder, or it can't be made.
    pub fn open(spec: &Spec) -> Result<Self, Failure> {
        Self::open_turned(spec, spec.mirror())
    }

    /// Where the pictures of a camera go that turns them over itself; `left` is what it leaves to us.
    ///
    /// # Errors
    /// When the rolling file has no folder, or it can't be made.
    pub fn open_turned(spec: &Spec, left: Mirror) -> Result<Self, Failure> {
        let encoder = Encoder::new(spec.quality).map_err(|error| unencodable(&error))?;
        Ok(Self { file: RollingFile::open(&spec.output)?, encoder, mirror: left })
    }

    /// Publishes a picture that is a JPEG already, as of the time when it was taken.
    ///
    /// # Errors
    /// When the rolling file can't be written.
    pub fn publish(&mut self, jpeg: &[u8], taken: SystemTime) -> Result<(), Failure> {
        self.file.publish(jpeg, taken)
    }

    /// Publishes a picture as it lies in the camera's memory.
    ///
    /// # Errors
    /// When it can't be encoded, or the rolling file can't be written.
    pub fn publish_raw(&mut self, picture: &Picture<'_>, taken: SystemTime) -> Result<(), Failure> {
        let jpeg = self.encoder.encode(picture, self.mirror).map_err(|error| unencodable(&error))?;
        self.file.publish(jpeg, taken)
    }
}

fn unencodable(error: &EncodeError) -> Failure {
    Failure::unexplained(format!("can't make JPEGs: {error}"))
}
