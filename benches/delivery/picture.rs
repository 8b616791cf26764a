//! The pictures: real JPEGs of an exact size, each with its number and its time in it.

use std::{
    fs,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, ensure};
use jpeg_encoder::{ColorType, Encoder};

/// How many different pictures are shown in turn. Neighbours differ in all of their data, so that no mixture of
/// two passes for one.
const DIFFERENT: usize = 8;

/// A comment segment with a stamp: the marker, the length, and the stamp.
const STAMP_SEGMENT: usize = 4 + STAMP;
/// The picture's number and its time in µs since 1970.
const STAMP: usize = 16;
/// The first stamp comes right after the start-of-image marker.
const HEAD: std::ops::Range<usize> = 6..6 + STAMP;

/// Pictures of one size.
pub(crate) struct Pictures {
    bytes: Vec<u8>,
    size: usize,
}

impl Pictures {
    /// Makes them.
    pub(crate) fn make(size: usize) -> anyhow::Result<Self> {
        let mut bytes = Vec::with_capacity(size * DIFFERENT);
        for number in 0..DIFFERENT {
            bytes.extend(padded(encode(size, number)?, size)?);
        }
        Ok(Self { bytes, size })
    }

    /// Those that [`Pictures::save`] has saved.
    pub(crate) fn load(file: &Path, size: usize) -> anyhow::Result<Self> {
        let bytes = fs::read(file).with_context(|| file.display().to_string())?;
        ensure!(bytes.len() == size * DIFFERENT, "{} holds other pictures", file.display());
        Ok(Self { bytes, size })
    }

    pub(crate) fn save(&self, file: &Path) -> anyhow::Result<()> {
        fs::write(file, &self.bytes).with_context(|| file.display().to_string())
    }

    /// Picture `number`, with an empty place for each of its stamps.
    pub(crate) fn unstamped(&self, number: u64) -> &[u8] {
        let at = number as usize % DIFFERENT * self.size;
        &self.bytes[at..at + self.size]
    }

    /// The stamps that make it picture `number`, taken at `micros` µs since 1970, and where they go.
    pub(crate) fn stamps(&self, number: u64, micros: u64) -> [([u8; STAMP], u64); 2] {
        let mut stamp = [0; STAMP];
        stamp[..8].copy_from_slice(&number.to_be_bytes());
        stamp[8..].copy_from_slice(&micros.to_be_bytes());
        [HEAD, tail(self.size)].map(|place| (stamp, place.start as u64))
    }
}

/// The time in µs since 1970, as it is in a stamp.
pub(crate) fn micros() -> anyhow::Result<u64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros() as u64)
}

/// The place of the second stamp: right before the end-of-image marker.
fn tail(size: usize) -> std::ops::Range<usize> {
    size - 2 - STAMP..size - 2
}

/// Compares one picture with what was made, piece by piece as it comes.
#[derive(Debug, Default)]
pub(crate) struct Check {
    at: usize,
    stamps: [[u8; STAMP]; 2],
    wrong: bool,
}

impl Check {
    /// Takes the next bytes.
    pub(crate) fn push(&mut self, mut piece: &[u8], pictures: &Pictures) {
        while !piece.is_empty() && !self.wrong {
            let tail = tail(pictures.size);
            // The end of the region that `at` is in, and the stamp that this region is.
            let (end, stamp) = match self.at {
                at if at < HEAD.start => (HEAD.start, None),
                at if at < HEAD.end => (HEAD.end, Some((0, HEAD.start))),
                at if at < tail.start => (tail.start, None),
                at if at < tail.end => (tail.end, Some((1, tail.start))),
                at if at < pictures.size => (pictures.size, None),
                _ => {
                    self.wrong = true;
                    return;
                }
            };
            let (part, rest) = piece.split_at(piece.len().min(end - self.at));
            match stamp {
                Some((stamp, start)) => {
                    let at = self.at - start;
                    self.stamps[stamp][at..at + part.len()].copy_from_slice(part);
                }
                None => {
                    let at = self.number() as usize % DIFFERENT * pictures.size + self.at;
                    self.wrong = pictures.bytes[at..at + part.len()] != *part;
                }
            }
            self.at += part.len();
            piece = rest;
        }
    }

    fn number(&self) -> u64 {
        u64::from_be_bytes(*self.stamps[0].first_chunk().expect("a stamp is longer"))
    }

    /// The picture's time in µs since 1970, if it was whole.
    pub(crate) fn finish(&self, pictures: &Pictures) -> Option<u64> {
        let whole = !self.wrong && self.at == pictures.size && self.stamps[0] == self.stamps[1];
        whole.then(|| u64::from_be_bytes(*self.stamps[0].last_chunk().expect("a stamp is longer")))
    }
}

/// A picture of up to `size` bytes with room for its stamps: a gradient under as much noise as fits.
fn encode(size: usize, number: usize) -> anyhow::Result<Vec<u8>> {
    let (width, height): (u16, u16) = if size < 100_000 { (640, 480) } else { (1280, 720) };
    // Any number of bytes from 4 on can be filled with comments.
    let room = size - 2 * STAMP_SEGMENT - 4;
    let (mut fits, mut least, mut most) = (Vec::new(), 0, 255_u32);
    while least <= most {
        let noise = least.midpoint(most);
        let mut random = 0x9E37_79B9_u32.wrapping_mul(number as u32 + 1);
        let mut pixels = Vec::with_capacity(usize::from(width) * usize::from(height) * 3);
        for y in 0..u32::from(height) {
            for x in 0..u32::from(width) {
                random ^= random << 13;
                random ^= random >> 17;
                random ^= random << 5;
                let light = (x + y + 40 * number as u32) / 9 % 200 + random % (noise + 1);
                pixels.extend([light.min(255) as u8, (light / 2) as u8, (255 - light.min(255)) as u8]);
            }
        }
        let mut jpeg = Vec::new();
        Encoder::new(&mut jpeg, 80).encode(&pixels, width, height, ColorType::Rgb)?;
        if jpeg.len() <= room {
            fits = jpeg;
            least = noise + 1;
        } else if noise == 0 {
            break;
        } else {
            most = noise - 1;
        }
    }
    ensure!(!fits.is_empty(), "a picture of {width}x{height} does not fit into {size} bytes");
    Ok(fits)
}

/// The picture with a place for a stamp at either end, and comments before the second to give it the size.
fn padded(jpeg: Vec<u8>, size: usize) -> anyhow::Result<Vec<u8>> {
    const LONGEST_COMMENT: usize = 0xFFFF - 2;
    let comment = |bytes: &mut Vec<u8>, content: usize| {
        bytes.extend([0xFF, 0xFE]);
        bytes.extend((content as u16 + 2).to_be_bytes());
        bytes.resize(bytes.len() + content, b' ');
    };
    let mut padded = vec![0xFF, 0xD8];
    comment(&mut padded, STAMP);
    padded.extend_from_slice(&jpeg[2..jpeg.len() - 2]);
    let mut missing = size - 2 - STAMP_SEGMENT - padded.len();
    while missing > 0 {
        // The last comment must not leave less than a comment needs.
        let length =
            if missing > LONGEST_COMMENT + 4 { (missing - 4).min(LONGEST_COMMENT + 4) } else { missing };
        comment(&mut padded, length - 4);
        missing -= length;
    }
    comment(&mut padded, STAMP);
    padded.extend([0xFF, 0xD9]);
    let whole = eyelid::jpeg::inspect(&padded).context("the benchmark's own picture")?;
    ensure!(whole.len == size && padded.len() == size, "{} bytes in place of {size}", padded.len());
    Ok(padded)
}
