//! The outside of a JPEG: where it ends, how large its picture is, and how to cut a stream of them.
//!
//! Pixels are never decoded. The walk follows the markers of ITU-T T.81: segments are skipped by their
//! length, so a thumbnail in an EXIF segment doesn't end the picture, and in the entropy-coded data, where
//! each 0xFF of the picture is followed by a stuffed 0x00, only markers are looked at.

pub mod huffman;
pub mod metadata;

use std::ops::Range;

use memchr::{memchr, memmem};

/// What [`inspect`] tells of a whole JPEG.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Info {
    /// Pixels across.
    pub width: u16,
    /// Pixels down.
    pub height: u16,
    /// Bytes from the start of the image marker to the end of the image marker. Cameras pad what follows.
    pub len: usize,
}

/// Why some bytes are not a whole JPEG.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Defect {
    /// The first two bytes are not 0xFF 0xD8.
    #[error("not a JPEG")]
    NotJpeg,
    /// The bytes end before the picture does.
    #[error("JPEG cut off after {0} bytes")]
    Torn(usize),
    /// Something else stands where a marker has to be.
    #[error("JPEG broken at byte {0}")]
    Broken(usize),
    /// The picture's data, or the image, comes before its size.
    #[error("JPEG without a picture")]
    NoPicture,
}

/// Whether `bytes` begin with a whole JPEG; what follows its end is ignored.
///
/// This walks the whole picture but stops at the 0xFF bytes only: 150 kB take about 10 µs on a server's core.
/// A file that was overwritten in place by a shorter or longer picture can pass, because what an encoder wrote
/// as a picture's data is not looked into.
///
/// # Errors
/// What makes it no JPEG or only a part of one.
pub fn inspect(bytes: &[u8]) -> Result<Info, Defect> {
    inspect_segments(bytes, |_, _| {})
}

/// As [`inspect`], and hands over each segment: its marker, and where it lies, the marker included.
pub(crate) fn inspect_segments(
    bytes: &[u8],
    mut segment: impl FnMut(u8, Range<usize>),
) -> Result<Info, Defect> {
    Walk::default().advance(bytes, &mut segment)?.ok_or(Defect::Torn(bytes.len()))
}

/// A walk through one JPEG whose bytes may not all have come.
#[derive(Debug, Default)]
struct Walk {
    /// The next byte to look at; beyond the bytes at hand while the end of a segment has not come.
    at: usize,
    /// Whether `at` is in entropy-coded data.
    in_scan: bool,
    /// Up to where such data, which can't hold the beginning of a picture, was met; 0 before it was.
    data_end: usize,
    size: Option<(u16, u16)>,
}

impl Walk {
    /// Goes on in `bytes`, which begin with the picture and may have grown at their end. `None`: more of
    /// them are needed. Each byte is looked at once, however often this is called.
    /// Hands over each segment whose length has come.
    fn advance(
        &mut self,
        bytes: &[u8],
        tell: &mut impl FnMut(u8, Range<usize>),
    ) -> Result<Option<Info>, Defect> {
        loop {
            if self.in_scan {
                let rest = bytes.get(self.at..).unwrap_or_default();
                let found = memchr(0xFF, rest);
                self.at += found.unwrap_or(rest.len());
                self.data_end = self.at;
            }
            let Some(&first) = bytes.get(self.at) else { return Ok(None) };
            if first != 0xFF {
                return Err(if self.at == 0 { Defect::NotJpeg } else { Defect::Broken(self.at) });
            }
            let Some(&marker) = bytes.get(self.at + 1) else { return Ok(None) };
            match marker {
                0xD8 if self.at == 0 => self.at = 2,
                _ if self.at == 0 => return Err(Defect::NotJpeg),
                // Stuffing; and restart markers, which belong into a scan but harm nowhere.
                0x00 if self.in_scan => self.at += 2,
                0x01 | 0xD0..=0xD7 => self.at += 2,
                // Any number of fill bytes may come before a marker.
                0xFF => self.at += 1,
                0xD9 => {
                    let (width, height) = self.size.filter(|_| self.data_end > 0).ok_or(Defect::NoPicture)?;
                    return Ok(Some(Info { width, height, len: self.at + 2 }));
                }
                // 0xD8: the next picture begins, so this one was cut off.
                0x00 | 0x02..=0xBF | 0xD8 => return Err(Defect::Broken(self.at)),
                0xC0..=0xFE => {
                    let start = self.at;
                    if !self.segment(marker, bytes.get(self.at + 2..).unwrap_or_default())? {
                        return Ok(None);
                    }
                    tell(marker, start..self.at);
                }
            }
        }
    }

    /// Steps over a segment whose length is at the beginning of `rest`; false when too little of it has come.
    fn segment(&mut self, marker: u8, rest: &[u8]) -> Result<bool, Defect> {
        let word = |at: usize| Some(u16::from_be_bytes([*rest.get(at)?, *rest.get(at + 1)?]));
        let Some(len) = word(0) else { return Ok(false) };
        if len < 2 {
            return Err(Defect::Broken(self.at));
        }
        match marker {
            0xC4 | 0xC8 | 0xCC => {}
            0xC0..=0xCF => {
                let (Some(height), Some(width)) = (word(3), word(5)) else { return Ok(false) };
                if len < 8 || width == 0 || height == 0 {
                    return Err(Defect::NoPicture);
                }
                self.size = Some((width, height));
            }
            0xDA if self.size.is_none() => return Err(Defect::NoPicture),
            _ => {}
        }
        self.in_scan = marker == 0xDA;
        self.at += 2 + usize::from(len);
        Ok(true)
    }
}

/// Cuts a stream of JPEGs that stand one after another, as `rpicam-vid` and `ffmpeg` write them.
///
/// What is between pictures is left out, and so is a picture that is broken or was cut off; none of it costs
/// a whole picture that follows.
#[derive(Debug)]
pub struct Splitter {
    buffer: Vec<u8>,
    /// Where in the buffer the walk began: at a picture's start, unless it has not moved yet.
    start: usize,
    walk: Walk,
    limit: usize,
    skipped: u64,
}

impl Splitter {
    /// A splitter for pictures of at most `limit` bytes; larger ones are left out.
    pub fn new(limit: usize) -> Self {
        Self { buffer: Vec::new(), start: 0, walk: Walk::default(), limit, skipped: 0 }
    }

    /// Adds the next bytes of the stream. Take all pictures out before the next call.
    pub fn push(&mut self, chunk: &[u8]) {
        self.buffer.drain(..self.start);
        self.start = 0;
        self.buffer.extend_from_slice(chunk);
    }

    /// The next whole picture among the bytes that have come.
    pub fn next_picture(&mut self) -> Option<(&[u8], Info)> {
        loop {
            let bytes = &self.buffer[self.start..];
            match self.walk.advance(bytes, &mut |_, _| {}) {
                Ok(Some(info)) if info.len <= self.limit => {
                    let picture = self.start..self.start + info.len;
                    self.start = picture.end;
                    self.walk = Walk::default();
                    return Some((&self.buffer[picture], info));
                }
                Ok(None) if bytes.len() <= self.limit => return None,
                Ok(_) | Err(_) => self.skip_to_next_start(),
            }
        }
    }

    /// Declares the end of the stream: the last picture, when it is only a part of one, may have hidden whole
    /// ones. Take these out with [`Splitter::next_picture`] until [`Splitter::is_empty`].
    pub fn give_up(&mut self) {
        self.skip_to_next_start();
    }

    /// Whether no byte is waiting for more.
    pub fn is_empty(&self) -> bool {
        self.start == self.buffer.len()
    }

    /// The bytes so far that belonged to no whole picture.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    fn skip_to_next_start(&mut self) {
        const START: &[u8] = b"\xFF\xD8\xFF";
        let bytes = &self.buffer[self.start..];
        // Noise can look like a start, and then its segments may lie across a real one. Within what looks like a
        // picture's data there is none, and to go back before it would take its thumbnail for a picture.
        let from = self.walk.data_end.max(1).min(bytes.len());
        let next = memmem::find(&bytes[from..], START).map_or_else(
            // The last two bytes may be the beginning of a start.
            || {
                (from.max(bytes.len().saturating_sub(2))..bytes.len())
                    .find(|&at| START.starts_with(&bytes[at..]))
            },
            |found| Some(from + found),
        );
        let next = next.unwrap_or(bytes.len());
        self.skipped += next as u64;
        self.start += next;
        self.walk = Walk::default();
    }
}

#[cfg(test)]
mod tests;
