//! One finished picture.

use std::{
    fmt,
    num::ParseIntError,
    str::FromStr,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;

/// One finished picture, as the camera or its encoder made it.
#[derive(Debug)]
pub struct Frame {
    /// Its id in URLs.
    pub id: FrameId,
    /// The time of exposure, as near as the camera tells it.
    pub taken: SystemTime,
    /// It is not what the camera sees now, and is to be told so: `taken` is when it was recorded.
    pub recorded: bool,
    /// When it came into memory; of a recorded one, when it was shown.
    pub read: Instant,
    /// Pixels across.
    pub width: u16,
    /// Pixels down.
    pub height: u16,
    /// A whole JPEG.
    pub jpeg: Bytes,
}

/// A picture's id: the time of exposure in microseconds since 1970, or of a recorded picture that at which it is shown.
///
/// Strictly increasing within a run of the daemon, and not repeated by a later run unless the machine's
/// clock shows the same microsecond again: browsers and CDNs keep a picture under its id for a year.
/// Below 2⁵³, so a number in JavaScript.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FrameId(u64);

impl FrameId {
    /// The id of a picture taken at `taken`, later than `previous`.
    pub(super) fn after(previous: Option<Self>, taken: SystemTime) -> Self {
        let micros = taken.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_micros() as u64);
        Self(previous.map_or(micros, |p| micros.max(p.0 + 1)))
    }

    /// The id as a number.
    pub fn micros(self) -> u64 {
        self.0
    }
}

impl fmt::Display for FrameId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for FrameId {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}
