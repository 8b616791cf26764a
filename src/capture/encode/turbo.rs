//! With libjpeg-turbo.

use turbojpeg::{Image, OutputBuf, PixelFormat, Subsamp, YuvPlanesImage};

use super::{Chroma, Plain, View};

pub(super) type Error = turbojpeg::Error;

#[derive(Debug)]
pub(super) struct Compressor {
    compressor: turbojpeg::Compressor,
    padded: Vec<u8>,
    jpeg: OutputBuf<'static>,
}

impl Compressor {
    pub(super) fn new(quality: u8) -> Result<Self, Error> {
        let mut compressor = turbojpeg::Compressor::new()?;
        compressor.set_quality(quality.into())?;
        Ok(Self { compressor, padded: Vec::new(), jpeg: OutputBuf::new_owned() })
    }

    pub(super) fn compress(&mut self, view: &View<'_>) -> Result<&[u8], Error> {
        let (width, height, luma) = (view.width, view.height, view.luma);
        match view.chroma {
            Some(([u, v], chroma)) => {
                let subsamp = match chroma {
                    Chroma::Quarter => Subsamp::Sub2x2,
                    Chroma::Half => Subsamp::Sub2x1,
                };
                let luma = self::padded(view, chroma, &mut self.padded).unwrap_or(luma);
                let image = YuvPlanesImage {
                    y_plane: luma.bytes,
                    u_plane: u.bytes,
                    v_plane: v.bytes,
                    y_stride: luma.stride,
                    u_stride: u.stride,
                    v_stride: v.stride,
                    width,
                    height,
                    subsamp,
                };
                self.compressor.compress_yuv_planes(&image, &mut self.jpeg)?;
            }
            None => {
                self.compressor.set_subsamp(Subsamp::Gray)?;
                let (pixels, pitch) = (luma.bytes, luma.stride);
                let image = Image { pixels, width, pitch, height, format: PixelFormat::GRAY };
                self.compressor.compress(image, &mut self.jpeg)?;
            }
        }
        Ok(&self.jpeg)
    }
}

/// Y with the last column or row once more where the side is odd: libjpeg-turbo asks for four samples to each of
/// U and V. None where it is even.
fn padded<'a>(view: &View<'_>, chroma: Chroma, room: &'a mut Vec<u8>) -> Option<Plain<'a>> {
    let (wide, high) = (view.width % 2 == 1, view.height % 2 == 1 && chroma == Chroma::Quarter);
    if !wide && !high {
        return None;
    }
    room.clear();
    for y in (0..view.height).chain(high.then_some(view.height - 1)) {
        let row = &view.luma.bytes[y * view.luma.stride..][..view.width];
        room.extend_from_slice(row);
        room.extend(row.last().filter(|_| wide));
    }
    Some(Plain { bytes: room, stride: view.width + usize::from(wide) })
}
