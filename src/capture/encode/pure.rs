//! With `jpeg-encoder`.

use jpeg_encoder::{Encoder, ImageBuffer, JpegColorType, SamplingFactor};

use super::{Chroma, View};

pub(super) type Error = jpeg_encoder::EncodingError;

#[derive(Debug)]
pub(super) struct Compressor {
    quality: u8,
    jpeg: Vec<u8>,
}

impl Compressor {
    pub(super) fn new(quality: u8) -> Result<Self, Error> {
        Ok(Self { quality, jpeg: Vec::new() })
    }

    pub(super) fn compress(&mut self, view: &View<'_>) -> Result<&[u8], Error> {
        self.jpeg.clear();
        let mut encoder = Encoder::new(&mut self.jpeg, self.quality);
        encoder.set_sampling_factor(match view.chroma {
            Some((_, Chroma::Quarter)) => SamplingFactor::F_2_2,
            Some((_, Chroma::Half)) => SamplingFactor::F_2_1,
            None => SamplingFactor::F_1_1,
        });
        encoder.encode_image(view)?;
        Ok(&self.jpeg)
    }
}

impl ImageBuffer for &View<'_> {
    fn get_jpeg_color_type(&self) -> JpegColorType {
        if self.chroma.is_some() { JpegColorType::Ycbcr } else { JpegColorType::Luma }
    }

    fn width(&self) -> u16 {
        u16::try_from(self.width).expect("a view was checked")
    }

    fn height(&self) -> u16 {
        u16::try_from(self.height).expect("a view was checked")
    }

    fn fill_buffers(&self, row: u16, buffers: &mut [Vec<u8>; 4]) {
        let row = usize::from(row);
        buffers[0].extend_from_slice(&self.luma.bytes[row * self.luma.stride..][..self.width]);
        let Some((planes, chroma)) = &self.chroma else { return };
        let row = if *chroma == Chroma::Quarter { row / 2 } else { row };
        // It takes each sample at full size, and of each two or four the first.
        for (buffer, plane) in buffers[1..].iter_mut().zip(planes) {
            let samples = &plane.bytes[row * plane.stride..][..self.width.div_ceil(2)];
            buffer.extend(samples.iter().flat_map(|sample| [*sample; 2]).take(self.width));
        }
    }
}
