//! The Huffman tables that some cameras leave out of their JPEGs.
//!
//! Motion JPEG of the AVI file format goes without them: all use the ones that ITU-T T.81 gives as an example in its
//! annex K.3, and a USB camera may do the same. Browsers want them in each picture.

use std::borrow::Cow;

/// The picture with Huffman tables: as it is where it has any, or needs none.
///
/// Give it what [`super::inspect`] calls a whole JPEG; anything else stays as it is.
pub fn completed(jpeg: &[u8]) -> Cow<'_, [u8]> {
    match place(jpeg) {
        None => Cow::Borrowed(jpeg),
        Some(at) => Cow::Owned([&jpeg[..at], &SEGMENT, &jpeg[at..]].concat()),
    }
}

/// Where the tables have to go: before the first scan of a picture in which none come before it.
fn place(jpeg: &[u8]) -> Option<usize> {
    let byte = |at: usize| jpeg.get(at).copied();
    let mut at = 2;
    let mut huffman = false;
    loop {
        if byte(at)? != 0xFF {
            return None;
        }
        match byte(at + 1)? {
            // Fill bytes.
            0xFF => {
                at += 1;
                continue;
            }
            // No segments: restart markers and one of a temporary kind.
            0x01 | 0xD0..=0xD7 => {
                at += 2;
                continue;
            }
            // Baseline and extended sequential, the two that the example tables serve.
            0xC0 | 0xC1 => huffman = true,
            0xC4 => return None,
            0xDA => return huffman.then_some(at),
            _ => {}
        }
        at += 2 + usize::from(u16::from_be_bytes([byte(at + 2)?, byte(at + 3)?]));
    }
}

/// How many codes there are of each length from 1 to 16 bits, and what they stand for.
struct Table {
    /// 0 for DC, 1 for AC, in the upper half; below it the table's number.
    class: u8,
    lengths: [u8; 16],
    values: &'static [u8],
}

/// Luminance is table 0, chrominance table 1.
const TABLES: [Table; 4] = [
    Table {
        class: 0x00,
        lengths: [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0],
        values: &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
    },
    Table {
        class: 0x10,
        lengths: [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 125],
        values: &[
            0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61, 0x07,
            0x22, 0x71, 0x14, 0x32, 0x81, 0x91, 0xA1, 0x08, 0x23, 0x42, 0xB1, 0xC1, 0x15, 0x52, 0xD1, 0xF0,
            0x24, 0x33, 0x62, 0x72, 0x82, 0x09, 0x0A, 0x16, 0x17, 0x18, 0x19, 0x1A, 0x25, 0x26, 0x27, 0x28,
            0x29, 0x2A, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3A, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49,
            0x4A, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5A, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69,
            0x6A, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7A, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89,
            0x8A, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9A, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7,
            0xA8, 0xA9, 0xAA, 0xB2, 0xB3, 0xB4, 0xB5, 0xB6, 0xB7, 0xB8, 0xB9, 0xBA, 0xC2, 0xC3, 0xC4, 0xC5,
            0xC6, 0xC7, 0xC8, 0xC9, 0xCA, 0xD2, 0xD3, 0xD4, 0xD5, 0xD6, 0xD7, 0xD8, 0xD9, 0xDA, 0xE1, 0xE2,
            0xE3, 0xE4, 0xE5, 0xE6, 0xE7, 0xE8, 0xE9, 0xEA, 0xF1, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8,
            0xF9, 0xFA,
        ],
    },
    Table {
        class: 0x01,
        lengths: [0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0],
        values: &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
    },
    Table {
        class: 0x11,
        lengths: [0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 119],
        values: &[
            0x00, 0x01, 0x02, 0x03, 0x11, 0x04, 0x05, 0x21, 0x31, 0x06, 0x12, 0x41, 0x51, 0x07, 0x61, 0x71,
            0x13, 0x22, 0x32, 0x81, 0x08, 0x14, 0x42, 0x91, 0xA1, 0xB1, 0xC1, 0x09, 0x23, 0x33, 0x52, 0xF0,
            0x15, 0x62, 0x72, 0xD1, 0x0A, 0x16, 0x24, 0x34, 0xE1, 0x25, 0xF1, 0x17, 0x18, 0x19, 0x1A, 0x26,
            0x27, 0x28, 0x29, 0x2A, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3A, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48,
            0x49, 0x4A, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5A, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68,
            0x69, 0x6A, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7A, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87,
            0x88, 0x89, 0x8A, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9A, 0xA2, 0xA3, 0xA4, 0xA5,
            0xA6, 0xA7, 0xA8, 0xA9, 0xAA, 0xB2, 0xB3, 0xB4, 0xB5, 0xB6, 0xB7, 0xB8, 0xB9, 0xBA, 0xC2, 0xC3,
            0xC4, 0xC5, 0xC6, 0xC7, 0xC8, 0xC9, 0xCA, 0xD2, 0xD3, 0xD4, 0xD5, 0xD6, 0xD7, 0xD8, 0xD9, 0xDA,
            0xE2, 0xE3, 0xE4, 0xE5, 0xE6, 0xE7, 0xE8, 0xE9, 0xEA, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8,
            0xF9, 0xFA,
        ],
    },
];

const LENGTH: usize = 2 + 2 + 2 * (1 + 16 + 12) + 2 * (1 + 16 + 162);

/// All four tables as one segment, with its marker.
static SEGMENT: [u8; LENGTH] = {
    let mut segment = [0; LENGTH];
    segment[0] = 0xFF;
    segment[1] = 0xC4;
    [segment[2], segment[3]] = (LENGTH as u16 - 2).to_be_bytes();
    let (mut at, mut number) = (4, 0);
    while number < TABLES.len() {
        let table = &TABLES[number];
        segment[at] = table.class;
        let (_, rest) = segment.split_at_mut(at + 1);
        let (lengths, rest) = rest.split_at_mut(16);
        lengths.copy_from_slice(&table.lengths);
        rest.split_at_mut(table.values.len()).0.copy_from_slice(table.values);
        at += 1 + 16 + table.values.len();
        number += 1;
    }
    segment
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jpeg::inspect;

    /// A picture of noise; of colours, or of greys.
    fn picture(color: jpeg_encoder::ColorType, samples: u32, optimised: bool) -> Vec<u8> {
        let pixels: Vec<u8> =
            (0..72 * 40 * samples).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let mut bytes = Vec::new();
        let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 90);
        encoder.set_restart_interval(3);
        encoder.set_optimized_huffman_tables(optimised);
        encoder.add_exif_metadata(b"an EXIF segment").unwrap();
        encoder.encode(&pixels, 72, 40, color).unwrap();
        bytes
    }

    /// The picture as a camera would send it that leaves the tables out.
    fn without_tables(jpeg: &[u8]) -> Vec<u8> {
        let mut bytes = jpeg[..2].to_vec();
        let mut at = 2;
        let mut removed = 0;
        loop {
            let (marker, len) = (jpeg[at + 1], u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
            if marker == 0xDA {
                assert!(removed > 0);
                return [&bytes, &jpeg[at..]].concat();
            }
            let end = at + 2 + usize::from(len);
            if marker == 0xC4 {
                removed += 1;
            } else {
                bytes.extend_from_slice(&jpeg[at..end]);
            }
            at = end;
        }
    }

    fn decoded(jpeg: &[u8]) -> Vec<u8> {
        jpeg_decoder::Decoder::new(jpeg).decode().unwrap()
    }

    #[test]
    fn a_picture_without_tables_is_the_same_picture_with_them() {
        for (color, samples) in [(jpeg_encoder::ColorType::Rgb, 3), (jpeg_encoder::ColorType::Luma, 1)] {
            let whole = picture(color, samples, false);
            let bare = without_tables(&whole);
            assert!(bare.len() < whole.len());
            assert!(!bare.windows(2).any(|marker| marker == [0xFF, 0xC4]));
            let completed = completed(&bare);
            assert_eq!(inspect(&completed).unwrap().len, completed.len());
            assert_eq!(decoded(&completed), decoded(&whole));
        }
    }

    #[test]
    fn what_has_tables_stays_as_it_is() {
        for whole in
            [picture(jpeg_encoder::ColorType::Rgb, 3, false), picture(jpeg_encoder::ColorType::Rgb, 3, true)]
        {
            assert!(matches!(completed(&whole), Cow::Borrowed(same) if same == whole));
        }
    }

    #[test]
    fn what_needs_other_tables_or_is_no_jpeg_stays_as_it_is() {
        let bare = without_tables(&picture(jpeg_encoder::ColorType::Rgb, 3, false));
        let mut progressive = bare.clone();
        let frame = progressive.windows(2).position(|marker| marker == [0xFF, 0xC0]).unwrap();
        progressive[frame + 1] = 0xC2;
        for bytes in
            [&progressive[..], &bare[..40], b"", b"\xFF", b"\xFF\xD8\xFF", b"GIF89a and more", &bare[3..]]
        {
            assert!(matches!(completed(bytes), Cow::Borrowed(same) if same == bytes));
        }
    }

    #[test]
    fn fill_bytes_before_a_marker_are_walked_over() {
        let bare = without_tables(&picture(jpeg_encoder::ColorType::Luma, 1, false));
        let filled = [b"\xFF\xD8\xFF\xFF", &bare[2..]].concat();
        assert_eq!(decoded(&completed(&filled)), decoded(&completed(&bare)));
    }
}
