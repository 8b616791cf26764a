//! Where the samples of a raw picture lie, and how they come to lie side by side.

use super::{Chroma, EncodeError, Layout, Mirror, Picture, Plain, Range, View};
use crate::picture::Planes;

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

impl<'a> Picture<'a> {
    /// The picture in planes of its own, turned over by `mirror`; the colours of two rows become one.
    ///
    /// # Errors
    /// When a plane is shorter than layout and size say.
    pub fn to_planes(self, mirror: Mirror) -> Result<Planes, EncodeError> {
        let mut rooms = <[Vec<u8>; 3]>::default();
        let View { width, height, luma, chroma } = self.plain(mirror, &mut rooms)?;
        let rows = |plain: Plain<'_>, width: usize, height: usize| -> Vec<u8> {
            (0..height).flat_map(|y| &plain.bytes[y * plain.stride..][..width]).copied().collect()
        };
        let chroma = chroma.map(|(planes, chroma)| {
            planes.map(|plane| match chroma {
                Chroma::Quarter => rows(plane, width.div_ceil(2), height.div_ceil(2)),
                Chroma::Half => halved(plane, width.div_ceil(2), height),
            })
        });
        Ok(Planes::new(width, height, rows(luma, width, height), chroma))
    }

    /// Its planes, side by side and in full range, in `rooms` where they do not lie so.
    pub(super) fn plain<'b>(
        &self,
        mirror: Mirror,
        rooms: &'b mut [Vec<u8>; 3],
    ) -> Result<View<'b>, EncodeError>
    where
        'a: 'b,
    {
        let [luma, u, v] = self.samples()?;
        let (luma_tone, chroma_tone) = match self.range {
            Range::Full => (None, None),
            Range::Limited => (Some(&LUMA), Some(&CHROMA)),
        };
        let [luma_room, u_room, v_room] = rooms;
        let (width, height) = (self.width, self.height);
        let luma = luma.plain(mirror, luma_tone, luma_room);
        let chroma = match self.layout {
            Layout::I420 | Layout::Nv12 => Chroma::Quarter,
            Layout::Yuyv => Chroma::Half,
            Layout::Grey => return Ok(View { width, height, luma, chroma: None }),
        };
        let planes = [u.plain(mirror, chroma_tone, u_room), v.plain(mirror, chroma_tone, v_room)];
        Ok(View { width, height, luma, chroma: Some((planes, chroma)) })
    }

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
        let none = || Samples { bytes: &[], stride: 0, arrangement: EachByte, width: 0, height: 0 };
        Ok(match layout {
            Layout::Grey => [sample(0, 0, stride, EachByte, width, height)?, none(), none()],
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

/// Each two rows as one.
fn halved(plane: Plain<'_>, width: usize, height: usize) -> Vec<u8> {
    let row = |y: usize| &plane.bytes[y * plane.stride..][..width];
    let pairs = (0..height).step_by(2).map(|y| (row(y), row((y + 1).min(height - 1))));
    pairs.flat_map(|(a, b)| a.iter().zip(b).map(|(a, b)| a.midpoint(*b))).collect()
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
pub(super) static LUMA: [u8; 256] = stretched(16, 219, 0);
pub(super) static CHROMA: [u8; 256] = stretched(128, 224, 128);

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
