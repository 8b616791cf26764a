//! From JPEG to planes.

use zune_jpeg::{
    JpegDecoder,
    errors::DecodeErrors,
    zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions},
};

use super::Planes;
use crate::jpeg::{self, Defect};

/// Pixels that are decoded: 150 MB of memory in passing, and more than any camera of ours has.
const LARGEST: usize = 50_000_000;

/// Why a JPEG can't be decoded.
#[derive(Debug, thiserror::Error)]
pub enum Undecodable {
    /// Only a part of one, or none.
    #[error(transparent)]
    Defect(#[from] Defect),
    /// It would take too much memory.
    #[error("a picture of {0}x{1} pixels is too large")]
    Large(u16, u16),
    /// The decoder has been seen to put pixels of such pictures elsewhere, and so they might not lie under a mask.
    #[error("its components are sampled {0}, and not as 4:4:4, 4:2:2, 4:4:0 or 4:2:0")]
    Sampling(String),
    /// What is in it makes no sense.
    #[error("the JPEG can't be decoded: {0}")]
    Data(String),
}

impl From<DecodeErrors> for Undecodable {
    fn from(error: DecodeErrors) -> Self {
        Self::Data(format!("{error:?}"))
    }
}

/// The picture of a JPEG.
///
/// # Errors
/// When it is no whole JPEG, too large, or can't be decoded.
pub fn decode(bytes: &[u8]) -> Result<Planes, Undecodable> {
    let mut sampling = Vec::new();
    let info = jpeg::inspect_segments(bytes, |marker, place| {
        if matches!(marker, 0xC0..=0xCF) && !matches!(marker, 0xC4 | 0xC8 | 0xCC) {
            // After the precision, the size and their number: three bytes for each component.
            let components = bytes.get(place.start + 10..place.end).unwrap_or_default();
            sampling = components.as_chunks::<3>().0.iter().map(|component| component[1]).collect();
        }
    })?;
    if !is_known(&sampling) {
        let words: Vec<_> = sampling.iter().map(|both| format!("{}x{}", both >> 4, both & 15)).collect();
        return Err(Undecodable::Sampling(words.join(", ")));
    }
    let (width, height) = (usize::from(info.width), usize::from(info.height));
    if width * height > LARGEST {
        return Err(Undecodable::Large(info.width, info.height));
    }
    let mut decoder = JpegDecoder::new(ZCursor::new(&bytes[..info.len]));
    decoder.decode_headers()?;
    let colors = match decoder.input_colorspace() {
        Some(ColorSpace::Luma) => ColorSpace::Luma,
        Some(ColorSpace::YCbCr) => ColorSpace::YCbCr,
        // As printers and some programs of old store it.
        _ => ColorSpace::RGB,
    };
    decoder.set_options(DecoderOptions::default().jpeg_set_out_colorspace(colors));
    let mut pixels = decoder.decode()?;
    // What was inspected and what was decoded have to be of one mind.
    let channels = if colors == ColorSpace::Luma { 1 } else { 3 };
    if pixels.len() != width * height * channels {
        return Err(Undecodable::Data("its size is not what it says".to_owned()));
    }
    if colors == ColorSpace::RGB {
        for pixel in pixels.as_chunks_mut().0 {
            let [red, green, blue] = *pixel;
            let (y, u, v) = jpeg_encoder::rgb_to_ycbcr(red, green, blue);
            *pixel = [y, u, v];
        }
    }
    Ok(match colors {
        ColorSpace::Luma => Planes::new(width, height, pixels, None),
        _ => taken_apart(&pixels, width, height),
    })
}

fn is_known(sampling: &[u8]) -> bool {
    match sampling {
        // Alone, a component has as many samples as there are pixels, whatever it says.
        [_] => true,
        [first, others @ ..] if others.len() == 2 => {
            matches!(first, 0x11 | 0x12 | 0x21 | 0x22) && others == [0x11; 2]
        }
        all => *all == [0x11; 4],
    }
}

/// From Y, U and V of each pixel to planes.
fn taken_apart(pixels: &[u8], width: usize, height: usize) -> Planes {
    let pixels = pixels.as_chunks::<3>().0;
    let luma = pixels.iter().map(|pixel| pixel[0]).collect();
    let mut chroma = [(); 2].map(|()| Vec::with_capacity(width.div_ceil(2) * height.div_ceil(2)));
    for rows in pixels.chunks(width * 2) {
        let (upper, lower) = rows.split_at(width);
        // At an odd edge the last row or column counts twice.
        let lower = if lower.is_empty() { upper } else { lower };
        for (upper, lower) in upper.chunks(2).zip(lower.chunks(2)) {
            let four = [upper[0], upper[upper.len() - 1], lower[0], lower[lower.len() - 1]];
            for (plane, channel) in chroma.iter_mut().zip(1..) {
                let sum: u16 = four.iter().map(|pixel| u16::from(pixel[channel])).sum();
                plane.push(((sum + 2) / 4) as u8);
            }
        }
    }
    Planes::new(width, height, luma, Some(chroma))
}

#[cfg(test)]
mod tests {
    use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
    use proptest::prelude::*;

    use super::*;

    fn encoded(sampling: SamplingFactor, progressive: bool, color: ColorType, pixels: &[u8]) -> Vec<u8> {
        let mut jpeg = Vec::new();
        let mut encoder = Encoder::new(&mut jpeg, 100);
        encoder.set_sampling_factor(sampling);
        encoder.set_progressive(progressive);
        encoder.encode(pixels, 33, 17, color).unwrap();
        jpeg
    }

    /// Found by the fuzz target `decode`.
    #[test]
    fn coefficients_that_are_too_large_are_no_panic() {
        let _ = decode(include_bytes!("../../fuzz/seeds/jpeg/too_large.jpg"));
    }

    #[test]
    fn every_form_of_jpeg_is_decoded() {
        let rgb: Vec<u8> = (0..33 * 17).flat_map(|n| [100 + (n % 33) as u8, 90, 140]).collect();
        let cmyk: Vec<u8> =
            rgb.chunks(3).flat_map(|rgb| [255 - rgb[0], 255 - rgb[1], 255 - rgb[2], 0]).collect();
        let luma: Vec<u8> =
            rgb.chunks(3).map(|rgb| jpeg_encoder::rgb_to_ycbcr(rgb[0], rgb[1], rgb[2]).0).collect();
        let all =
            [SamplingFactor::F_1_1, SamplingFactor::F_2_1, SamplingFactor::F_1_2, SamplingFactor::F_2_2];
        for (sampling, progressive) in
            all.into_iter().flat_map(|sampling| [(sampling, false), (sampling, true)])
        {
            for (color, pixels) in [
                (ColorType::Rgb, &rgb),
                (ColorType::Cmyk, &cmyk),
                (ColorType::CmykAsYcck, &cmyk),
                (ColorType::Luma, &luma),
            ] {
                // Nobody leaves out a part of the inks.
                if color != ColorType::Rgb && color != ColorType::Luma && sampling != SamplingFactor::F_1_1 {
                    continue;
                }
                let planes = decode(&encoded(sampling, progressive, color, pixels)).unwrap();
                assert_eq!((planes.width(), planes.height()), (33, 17));
                let off = planes.luma().iter().zip(&luma).map(|(a, b)| a.abs_diff(*b)).max();
                assert!(off <= Some(4), "{sampling:?} {progressive} {color:?}: {off:?}");
                let expected = jpeg_encoder::rgb_to_ycbcr(108, 90, 140);
                match planes.chroma() {
                    Some([u, v]) => {
                        assert!(
                            u[8 * 17 + 4].abs_diff(expected.1) <= 4,
                            "{sampling:?} {color:?}: {}",
                            u[8 * 17 + 4]
                        );
                        assert!(
                            v[8 * 17 + 4].abs_diff(expected.2) <= 4,
                            "{sampling:?} {color:?}: {}",
                            v[8 * 17 + 4]
                        );
                    }
                    None => assert_eq!(color, ColorType::Luma),
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_decoded_is_told() {
        let rgb = [99; 33 * 17 * 3];
        let jpeg = encoded(SamplingFactor::F_1_1, false, ColorType::Rgb, &rgb);
        assert!(matches!(decode(&jpeg[..jpeg.len() - 2]), Err(Undecodable::Defect(Defect::Torn(_)))));
        let at = memchr::memmem::find(&jpeg, b"\xFF\xC0").unwrap();
        let mut large = jpeg.clone();
        large[at + 5..at + 9].copy_from_slice(&[0x27, 0x10, 0x27, 0x10]);
        assert!(matches!(decode(&large), Err(Undecodable::Large(10_000, 10_000))));
        let strange = encoded(SamplingFactor::F_4_1, false, ColorType::Rgb, &rgb);
        let told = decode(&strange).unwrap_err().to_string();
        assert_eq!(told, "its components are sampled 4x1, 1x1, 1x1, and not as 4:4:4, 4:2:2, 4:4:0 or 4:2:0");
        let mut lossless = jpeg;
        lossless[at + 1] = 0xC3;
        assert!(matches!(decode(&lossless), Err(Undecodable::Data(_))));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        /// Another decoder is of the same mind: a mask lies where people see it.
        #[test]
        fn every_pixel_is_in_its_place(
            width in 1_u16..100, height in 1_u16..100, sampling in 0_usize..4, progressive in any::<bool>(),
            restart in 0_u16..5, luma in any::<bool>(),
        ) {
            use SamplingFactor::{F_1_1, F_1_2, F_2_1, F_2_2};
            let mut jpeg = Vec::new();
            let mut encoder = Encoder::new(&mut jpeg, 95);
            encoder.set_sampling_factor([F_1_1, F_2_1, F_1_2, F_2_2][sampling]);
            encoder.set_progressive(progressive);
            encoder.set_restart_interval(restart);
            let (w, h) = (usize::from(width), usize::from(height));
            let value = |x: usize, y: usize| ((x / 8 * 37 + y / 8 * 91) % 256) as u8;
            let grey: Vec<u8> = (0..w * h).map(|at| value(at % w, at / w)).collect();
            let (pixels, color) = match luma {
                true => (grey, ColorType::Luma),
                false => (grey.iter().flat_map(|value| [*value; 3]).collect(), ColorType::Rgb),
            };
            encoder.encode(&pixels, width, height, color).unwrap();
            if luma {
                // As some encoders say of a picture without colours.
                let frame = memchr::memmem::find(&jpeg, if progressive { b"\xFF\xC2" } else { b"\xFF\xC0" }).unwrap();
                jpeg[frame + 11] = [0x11, 0x21, 0x12, 0x22][sampling];
            }
            let mut other = jpeg_decoder::Decoder::new(&jpeg[..]);
            let expected = other.decode().unwrap();
            let planes = decode(&jpeg).unwrap();
            prop_assert_eq!((planes.width(), planes.height()), (w, h));
            let step = if luma { 1 } else { 3 };
            for (at, (found, expected)) in planes.luma().iter().zip(expected.chunks(step)).enumerate() {
                prop_assert!(found.abs_diff(expected[0]) <= 6, "{} {}: {found} {expected:?}", at % w, at / w);
            }
        }
    }
}
