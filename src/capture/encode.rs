//! From the planes of a YUV picture to JPEG, with libjpeg-turbo.

use std::borrow::Cow;

use turbojpeg::{Compressor, OutputBuf, Subsamp, Transform, TransformOp, YuvPlanesImage};

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
}

/// Which values stand for black and white.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// 0 and 255, as JFIF expects.
    Full,
    /// 16 and 235, as in television.
    Limited,
}

/// How to turn a picture over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mirror {
    /// Left becomes right.
    pub horizontal: bool,
    /// Top becomes bottom.
    pub vertical: bool,
}

impl Mirror {
    /// The picture as it is.
    pub const NONE: Self = Self { horizontal: false, vertical: false };
    /// By 180 degrees.
    pub const HALF_TURN: Self = Self { horizontal: true, vertical: true };

    /// One after the other.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { horizontal: self.horizontal != other.horizontal, vertical: self.vertical != other.vertical }
    }
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
    /// libjpeg-turbo refused.
    #[error(transparent)]
    Jpeg(#[from] turbojpeg::Error),
}

/// Encodes picture after picture, and keeps its buffers from one to the next.
#[derive(Debug)]
pub struct Encoder {
    compressor: Compressor,
    scratch: [Vec<u8>; 3],
    jpeg: OutputBuf<'static>,
}

impl Encoder {
    /// An encoder of JPEG `quality` 1 to 100.
    ///
    /// # Errors
    /// When libjpeg-turbo is out of memory, or the quality out of range.
    pub fn new(quality: u8) -> Result<Self, EncodeError> {
        let mut compressor = Compressor::new()?;
        compressor.set_quality(quality.into())?;
        Ok(Self { compressor, scratch: Default::default(), jpeg: OutputBuf::new_owned() })
    }

    /// The picture as JPEG, turned over by `mirror`. A plane that needs no change is read where it lies.
    ///
    /// # Errors
    /// When a plane is shorter than layout and size say, or libjpeg-turbo refuses.
    pub fn encode(&mut self, picture: &Picture<'_>, mirror: Mirror) -> Result<&[u8], EncodeError> {
        let samples = picture.samples()?;
        let tones = match picture.range {
            Range::Full => [None; 3],
            Range::Limited => [Some(&LUMA), Some(&CHROMA), Some(&CHROMA)],
        };
        let [y, u, v] = &mut self.scratch;
        let [y, u, v] = [(0, y), (1, u), (2, v)].map(|(n, room)| samples[n].plain(mirror, tones[n], room));
        let image = YuvPlanesImage {
            y_plane: y.bytes,
            u_plane: u.bytes,
            v_plane: v.bytes,
            y_stride: y.stride,
            u_stride: u.stride,
            v_stride: v.stride,
            width: picture.width,
            height: picture.height,
            subsamp: match picture.layout {
                Layout::I420 | Layout::Nv12 => Subsamp::Sub2x2,
                Layout::Yuyv => Subsamp::Sub2x1,
            },
        };
        self.compressor.compress_yuv_planes(&image, &mut self.jpeg)?;
        Ok(&self.jpeg)
    }
}

/// Turns a JPEG over without decoding it to pixels. What does not fill a whole block at the far edge is
/// cut off.
///
/// # Errors
/// When it is not a whole JPEG.
pub fn turn_jpeg(jpeg: &[u8], mirror: Mirror) -> Result<Cow<'_, [u8]>, EncodeError> {
    let op = match mirror {
        Mirror::NONE => return Ok(Cow::Borrowed(jpeg)),
        Mirror::HALF_TURN => TransformOp::Rot180,
        Mirror { horizontal: true, .. } => TransformOp::Hflip,
        Mirror { .. } => TransformOp::Vflip,
    };
    let mut transform = Transform::op(op);
    transform.trim = true;
    Ok(Cow::Owned(turbojpeg::transform(&transform, jpeg)?.to_vec()))
}

/// One of Y, U and V: where its samples lie.
struct Samples<'a> {
    bytes: &'a [u8],
    stride: usize,
    arrangement: Arrangement,
    width: usize,
    height: usize,
}

#[derive(Debug, Clone, Copy)]
enum Arrangement {
    EachByte,
    FirstOf2,
    SecondOf2,
    SecondOf4,
    FourthOf4,
}

/// Samples side by side.
struct Plain<'a> {
    bytes: &'a [u8],
    stride: usize,
}

impl<'a> Picture<'a> {
    fn samples(&self) -> Result<[Samples<'a>; 3], EncodeError> {
        use Arrangement::{EachByte, FirstOf2, FourthOf4, SecondOf2, SecondOf4};
        let Self { layout, width, height, stride, .. } = *self;
        let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
        let luma_len = stride * height;
        let sample = |plane: usize, offset: usize, stride, arrangement, width, height| {
            // One slice may hold all planes: later ones then lie at the offset that the sizes give.
            let bytes = match self.planes.get(plane) {
                Some(bytes) => bytes,
                None => self.planes.first().and_then(|all| all.get(offset..)).unwrap_or_default(),
            };
            Samples { bytes, stride, arrangement, width, height }.checked()
        };
        Ok(match layout {
            Layout::I420 => {
                let (stride_2, chroma_len) = (stride / 2, stride / 2 * half_height);
                [
                    sample(0, 0, stride, EachByte, width, height)?,
                    sample(1, luma_len, stride_2, EachByte, half_width, half_height)?,
                    sample(2, luma_len + chroma_len, stride_2, EachByte, half_width, half_height)?,
                ]
            }
            Layout::Nv12 => [
                sample(0, 0, stride, EachByte, width, height)?,
                sample(1, luma_len, stride, FirstOf2, half_width, half_height)?,
                sample(1, luma_len, stride, SecondOf2, half_width, half_height)?,
            ],
            Layout::Yuyv => [
                sample(0, 0, stride, FirstOf2, width, height)?,
                sample(0, 0, stride, SecondOf4, half_width, height)?,
                sample(0, 0, stride, FourthOf4, half_width, height)?,
            ],
        })
    }
}

impl<'a> Samples<'a> {
    fn checked(self) -> Result<Self, EncodeError> {
        let row = self.width * self.arrangement.step();
        let needed = self.height.saturating_sub(1) * self.stride + row;
        if self.bytes.len() < needed || self.stride < row {
            return Err(EncodeError::TooShort { have: self.bytes.len(), needed });
        }
        Ok(self)
    }

    /// The samples side by side: where they lie, if that is how they lie, else copied into `room`.
    fn plain<'b>(&self, mirror: Mirror, tone: Option<&[u8; 256]>, room: &'b mut Vec<u8>) -> Plain<'b>
    where
        'a: 'b,
    {
        if matches!(self.arrangement, Arrangement::EachByte) && mirror == Mirror::NONE && tone.is_none() {
            return Plain { bytes: self.bytes, stride: self.stride };
        }
        room.clear();
        match self.arrangement {
            Arrangement::EachByte => self.gather::<1, 0>(mirror, room),
            Arrangement::FirstOf2 => self.gather::<2, 0>(mirror, room),
            Arrangement::SecondOf2 => self.gather::<2, 1>(mirror, room),
            Arrangement::SecondOf4 => self.gather::<4, 1>(mirror, room),
            Arrangement::FourthOf4 => self.gather::<4, 3>(mirror, room),
        }
        if let Some(tone) = tone {
            room.iter_mut().for_each(|value| *value = tone[usize::from(*value)]);
        }
        Plain { bytes: room, stride: self.width }
    }

    fn gather<const STEP: usize, const AT: usize>(&self, mirror: Mirror, room: &mut Vec<u8>) {
        for row in 0..self.height {
            let row = if mirror.vertical { self.height - 1 - row } else { row };
            let row = &self.bytes[row * self.stride..][..self.width * STEP];
            let values = row.as_chunks::<STEP>().0.iter().map(|group| group[AT]);
            if mirror.horizontal {
                room.extend(values.rev());
            } else {
                room.extend(values);
            }
        }
    }
}

impl Arrangement {
    fn step(self) -> usize {
        match self {
            Self::EachByte => 1,
            Self::FirstOf2 | Self::SecondOf2 => 2,
            Self::SecondOf4 | Self::FourthOf4 => 4,
        }
    }
}

/// From limited to full range: Y from 16..=235, U and V from 16..=240, as ITU-R BT.601 has them.
static LUMA: [u8; 256] = stretched(16, 219, 0);
static CHROMA: [u8; 256] = stretched(128, 224, 128);

const fn stretched(from: i32, span: i32, to: i32) -> [u8; 256] {
    let mut table = [0; 256];
    let mut value = 0;
    while value < 256 {
        let scaled = (value - from) * 255;
        let rounded = (scaled + if scaled < 0 { -span / 2 } else { span / 2 }) / span + to;
        table[value as usize] = if rounded < 0 {
            0
        } else if rounded > 255 {
            255
        } else {
            rounded as u8
        };
        value += 1;
    }
    table
}

#[cfg(test)]
mod tests;
