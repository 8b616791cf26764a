//! From the planes of a YUV picture to JPEG: with libjpeg-turbo where the cargo feature `encode` is on, else
//! with `jpeg-encoder`, which needs no C compiler and takes about three times as long.

#[cfg(not(feature = "encode"))]
mod pure;
mod samples;
#[cfg(feature = "encode")]
mod turbo;

#[cfg(not(feature = "encode"))]
use self::pure::{Compressor, Error};
#[cfg(feature = "encode")]
use self::turbo::{Compressor, Error};
pub use crate::picture::Mirror;
use crate::picture::Planes;

/// A picture as it lies in the camera's memory.
#[derive(Debug, Clone, Copy)]
pub struct Picture<'a> {
    /// How its samples are arranged.
    pub layout: Layout,
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
    /// Bytes from one row of the first plane to the next; those of the other planes follow from the layout.
    pub stride: usize,
    /// The planes in the layout's order, or one slice that holds them all.
    pub planes: &'a [&'a [u8]],
    /// Which values stand for black and white.
    pub range: Range,
}

/// How the samples of a picture are arranged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Three planes: Y, and at half the size U and V.
    I420,
    /// Two planes: Y, and at half the size U and V in turns.
    Nv12,
    /// One plane: Y U Y V for each two pixels.
    Yuyv,
    /// One plane: Y alone.
    Grey,
}

/// Which values stand for black and white.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// 0 and 255, as JFIF expects.
    Full,
    /// 16 and 235, as in television.
    Limited,
}

/// Why there is no JPEG.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// The camera gave less than it promised.
    #[error("the picture's memory is {have} bytes short of {needed}")]
    TooShort {
        /// Bytes that are there.
        have: usize,
        /// Bytes that the layout asks for.
        needed: usize,
    },
    /// No picture has no pixels, and JPEG has 16 bits for each side.
    #[error("a JPEG can't be {width}x{height} pixels")]
    Size {
        /// Pixels across.
        width: usize,
        /// Pixels down.
        height: usize,
    },
    /// The encoder refused.
    #[error(transparent)]
    Jpeg(#[from] Error),
}

/// Encodes picture after picture, and keeps its buffers from one to the next.
#[derive(Debug)]
pub struct Encoder {
    compressor: Compressor,
    scratch: [Vec<u8>; 3],
}

impl Encoder {
    /// An encoder of JPEG `quality` 1 to 100.
    ///
    /// # Errors
    /// When libjpeg-turbo is out of memory, or the quality out of range.
    pub fn new(quality: u8) -> Result<Self, EncodeError> {
        Ok(Self { compressor: Compressor::new(quality)?, scratch: Default::default() })
    }

    /// The picture as JPEG, turned over by `mirror`. A plane that needs no change is read where it lies.
    ///
    /// # Errors
    /// When a plane is shorter than layout and size say, or the encoder refuses.
    pub fn encode(&mut self, picture: &Picture<'_>, mirror: Mirror) -> Result<&[u8], EncodeError> {
        checked(picture.width, picture.height)?;
        let view = picture.plain(mirror, &mut self.scratch)?;
        self.compressor.compress(&view).map_err(EncodeError::from)
    }

    /// The picture as JPEG.
    ///
    /// # Errors
    /// When the encoder refuses.
    pub fn encode_planes(&mut self, planes: &Planes) -> Result<&[u8], EncodeError> {
        let plain = |bytes, stride| Plain { bytes, stride };
        let (width, height) = checked(planes.width(), planes.height())?;
        let luma = plain(planes.luma(), width);
        let chroma = planes.chroma().map(|[u, v]| {
            let stride = width.div_ceil(2);
            ([plain(u, stride), plain(v, stride)], Chroma::Quarter)
        });
        self.compressor.compress(&View { width, height, luma, chroma }).map_err(EncodeError::from)
    }
}

/// How many samples the colours have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chroma {
    /// One for each two pixels of a row: 4:2:2.
    Half,
    /// One for each 2x2 pixels: 4:2:0.
    Quarter,
}

/// Samples side by side.
#[derive(Debug, Clone, Copy)]
struct Plain<'a> {
    bytes: &'a [u8],
    stride: usize,
}

/// A picture in planes, as the encoders take it.
struct View<'a> {
    width: usize,
    height: usize,
    luma: Plain<'a>,
    /// U and V, none where the picture has no colours.
    chroma: Option<([Plain<'a>; 2], Chroma)>,
}

fn checked(width: usize, height: usize) -> Result<(usize, usize), EncodeError> {
    let fits = |side| (1..=usize::from(u16::MAX)).contains(&side);
    if fits(width) && fits(height) { Ok((width, height)) } else { Err(EncodeError::Size { width, height }) }
}

#[cfg(test)]
mod tests;
