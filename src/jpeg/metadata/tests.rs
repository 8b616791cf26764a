use jpeg_encoder::{ColorType, Encoder};
use proptest::prelude::*;

use super::*;
use crate::jpeg::inspect;

fn segment(marker: u8, payload: &[u8]) -> Vec<u8> {
    let len = u16::try_from(payload.len() + 2).unwrap();
    [&[0xFF, marker], &len.to_be_bytes()[..], payload].concat()
}

fn picture(color: ColorType, progressive: bool) -> Vec<u8> {
    let channels = match color {
        ColorType::Luma => 1,
        ColorType::Rgb => 3,
        _ => 4,
    };
    let pixels: Vec<u8> =
        (0..24 * 16 * channels).map(|n: u32| (n.wrapping_mul(2_654_435_761) >> 27) as u8 * 8).collect();
    let mut jpeg = Vec::new();
    let mut encoder = Encoder::new(&mut jpeg, 90);
    encoder.set_progressive(progressive);
    encoder.set_restart_interval(if progressive { 0 } else { 2 });
    encoder.encode(&pixels, 24, 16, color).unwrap();
    jpeg
}

/// A JPEG whose three components are red, green and blue, as some programs write them: Adobe's segment says so.
fn red_green_blue() -> Vec<u8> {
    let jpeg = picture(ColorType::Rgb, false);
    let mut rgb = jpeg[..2].to_vec();
    rgb.extend(segment(0xEE, b"Adobe\0\x64\x80\0\0\0\0"));
    // Without JFIF's segment, which says that they are Y, Cb and Cr.
    rgb.extend_from_slice(&jpeg[20..]);
    assert_eq!(inspect(&rgb).unwrap().len, rgb.len());
    rgb
}

fn exif(orientation: u16) -> Vec<u8> {
    let mut tiff = b"Exif\0\0MM\0*\0\0\0\x08\0\x02".to_vec();
    tiff.extend_from_slice(b"\x01\x0F\0\x02\0\0\0\x04Cam\0");
    tiff.extend_from_slice(b"\x01\x12\0\x03\0\0\0\x01");
    tiff.extend(orientation.to_be_bytes());
    tiff.extend_from_slice(b"\0\0\0\0\0\0GPS 47.3769N 8.5417E");
    tiff
}

fn decoded(jpeg: &[u8]) -> Vec<u8> {
    jpeg_decoder::Decoder::new(jpeg).decode().unwrap()
}

/// The markers of all segments, and what lies in them.
fn segments(jpeg: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut found = Vec::new();
    inspect_segments(jpeg, |marker, place| found.push((marker, jpeg[place.start + 4..place.end].to_vec())))
        .unwrap();
    found
}

/// What is left that could tell something.
fn left(jpeg: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut segments = segments(jpeg);
    segments.retain(|(marker, _)| matches!(marker, 0xE0..=0xEF | 0xFE));
    segments
}

#[test]
fn a_picture_without_metadata_is_the_same_bytes() {
    for color in [ColorType::Rgb, ColorType::Luma] {
        let mut jpeg = picture(color, false);
        let len = jpeg.len();
        jpeg.extend_from_slice(b"\0\0 padding of a camera, or a film that a phone put behind its picture");
        let clean = without_metadata(&jpeg).unwrap();
        assert!(
            matches!(clean.jpeg, Cow::Borrowed(bytes) if bytes.as_ptr() == jpeg.as_ptr() && bytes.len() == len)
        );
        assert_eq!(clean.orientation, 1);
    }
}

#[test]
fn exif_comments_profiles_and_thumbnails_go() {
    let plain = picture(ColorType::Rgb, false);
    let thumbnail = picture(ColorType::Luma, false);
    let jfif = segment(0xE0, &[&b"JFIF\0\x01\x02\0\0\x01\0\x01\x01\x01"[..], &[7; 3]].concat());
    let mut jpeg = plain[..2].to_vec();
    for segment in [
        jfif,
        segment(0xE0, &[&b"JFXX\0\x10"[..], &thumbnail].concat()),
        segment(0xE1, &[exif(6), thumbnail].concat()),
        b"\xFF\xFF\xFF".to_vec(),
        segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta/>"),
        segment(0xE2, b"ICC_PROFILE\0\x01\x01 and so on"),
        segment(0xED, b"Photoshop 3.0\0"),
        segment(0xEE, b"Adobe\0\x64\0\0\0\0\x01"),
        segment(0xEF, b""),
        segment(0xFE, b"taken by somebody"),
    ] {
        jpeg.extend(segment);
    }
    // Before the tables, between them and the data, and after the data.
    jpeg.extend_from_slice(&plain[20..plain.len() - 2]);
    jpeg.extend(segment(0xFE, b"the end"));
    jpeg.extend_from_slice(b"\xFF\xD9");
    let clean = without_metadata(&jpeg).unwrap();
    assert_eq!(clean.orientation, 6);
    assert_eq!(left(&clean.jpeg), [(0xE0, b"JFIF\0\x01\x02\0\0\x01\0\x01\0\0".to_vec())]);
    assert_eq!(decoded(&clean.jpeg), decoded(&plain));
    assert_eq!(inspect(&clean.jpeg).unwrap().len, clean.jpeg.len());
}

#[test]
fn what_adobe_says_of_the_colours_stays_where_nothing_else_says_it() {
    let rgb = red_green_blue();
    let clean = without_metadata(&rgb).unwrap().jpeg;
    assert_eq!(left(&clean), [(0xEE, b"Adobe\0\x64\0\0\0\0\0".to_vec())]);
    assert_eq!(decoded(&clean), decoded(&rgb));
    let mut dropped = rgb[..2].to_vec();
    dropped.extend_from_slice(&rgb[18..]);
    assert_ne!(decoded(&dropped), decoded(&rgb), "without it the colours are others");

    for color in [ColorType::Cmyk, ColorType::CmykAsYcck] {
        let jpeg = picture(color, false);
        let clean = without_metadata(&jpeg).unwrap().jpeg;
        assert!(left(&clean).iter().any(|(marker, payload)| *marker == 0xEE && payload.len() == 12));
        assert_eq!(decoded(&clean), decoded(&jpeg), "{color:?}");
    }

    // In YCbCr, where it says what everybody thinks anyway.
    let ycbcr = [&rgb[..2], &segment(0xEE, b"Adobe\0\x64\0\0\0\0\x01"), &rgb[18..]].concat();
    let clean = without_metadata(&ycbcr).unwrap().jpeg;
    assert_eq!(left(&clean), []);
    assert_eq!(decoded(&clean), decoded(&ycbcr));
}

#[test]
fn the_segment_of_avi_stays_unless_it_holds_something() {
    let plain = picture(ColorType::Rgb, false);
    let with = |payload: &[u8]| [&plain[..2], &segment(0xE0, payload), &plain[20..]].concat();
    let avi = with(b"AVI1\0\0\0\0\0\0\0\0\0\0");
    assert!(matches!(without_metadata(&avi).unwrap().jpeg, Cow::Borrowed(_)));
    for payload in [&[&b"AVI1"[..], &[b'x'; 29]].concat()[..], b"CIFF", b"", b"JFIF\0\x01"] {
        let jpeg = with(payload);
        assert_eq!(left(&without_metadata(&jpeg).unwrap().jpeg), [], "{payload:?}");
    }
}

#[test]
fn the_orientation_is_read_in_both_byte_orders_and_only_where_it_makes_sense() {
    let read = |payload: &[u8]| {
        let plain = picture(ColorType::Luma, false);
        let jpeg = [&plain[..2], &segment(0xE1, payload), &plain[2..]].concat();
        without_metadata(&jpeg).unwrap().orientation
    };
    for orientation in 1..=8 {
        assert_eq!(read(&exif(orientation)), orientation);
        let mut little = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
        little.extend(orientation.to_le_bytes());
        assert_eq!(read(&little), orientation);
    }
    assert_eq!(read(&exif(0)), 1);
    assert_eq!(read(&exif(9)), 1);
    for end in 0..exif(6).len() {
        assert!(matches!(read(&exif(6)[..end]), 1 | 6), "{end}");
    }
    assert_eq!(read(b"Exif\0\0MM\0*\xFF\xFF\xFF\xFF\0\x01"), 1, "beyond the end");
}

#[test]
fn what_is_no_whole_jpeg_is_refused() {
    let jpeg = picture(ColorType::Rgb, false);
    for end in 0..jpeg.len() {
        assert!(without_metadata(&jpeg[..end]).is_err(), "{end}");
    }
}

/// Segments as they come, many of them almost what they seem to be.
fn any_segment() -> impl Strategy<Value = Vec<u8>> {
    let head = prop_oneof![
        Just(b"".to_vec()),
        Just(b"JFIF\0".to_vec()),
        Just(b"JFXX\0".to_vec()),
        Just(b"AVI1".to_vec()),
        Just(b"Exif\0\0".to_vec()),
        Just(exif(6)),
        Just(b"Exif\0\0II*\0".to_vec()),
        Just(b"Adobe".to_vec()),
        Just(b"ICC_PROFILE\0".to_vec()),
        Just(b"\xFF\xD8\xFF\xD9".to_vec()),
    ];
    let marker = prop_oneof![4 => 0xE0_u8..=0xEF, 1 => Just(0xFE)];
    (marker, head, prop::collection::vec(any::<u8>(), 0..40), 0_usize..3).prop_map(
        |(marker, head, rest, fill)| {
            // An Adobe segment that says something else of the colours would make it another picture.
            let head = if marker == 0xEE && head == b"Adobe" { b"adobe".to_vec() } else { head };
            [vec![0xFF; fill], segment(marker, &[head, rest].concat())].concat()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn whatever_was_in_it_the_picture_is_the_same_and_nothing_else_is_left(
        color in prop_oneof![Just(ColorType::Rgb), Just(ColorType::Luma), Just(ColorType::Cmyk)],
        progressive in any::<bool>(),
        before in prop::collection::vec(any_segment(), 0..6),
        after in prop::collection::vec(any_segment(), 0..3),
        tail in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        let plain = picture(color, progressive);
        let end = plain.len() - 2;
        let jpeg = [
            // Behind JFIF's own segment, which has to be the first.
            &plain[..20], &before.concat(), &plain[20..end], &after.concat(), &plain[end..], &tail,
        ].concat();
        let clean = without_metadata(&jpeg).unwrap().jpeg;
        prop_assert_eq!(inspect(&clean).unwrap().len, clean.len());
        for (marker, payload) in left(&clean) {
            let small = match marker {
                0xE0 if payload.starts_with(b"JFIF\0") => payload.len() == 14 && payload.ends_with(&[0, 0]),
                0xE0 => payload.starts_with(b"AVI1") && payload.len() <= 32,
                0xEE => color == ColorType::Cmyk && payload.starts_with(b"Adobe\0\x64\0\0\0\0"),
                _ => false,
            };
            prop_assert!(small, "{marker:X} {payload:?}");
        }
        prop_assert_eq!(decoded(&clean), decoded(&plain));
        let again = without_metadata(&clean).unwrap().jpeg;
        prop_assert_eq!(&again, &clean);
    }

    #[test]
    fn nothing_panics(bytes in prop::collection::vec(prop_oneof![Just(0xFF_u8), Just(0xE1), any::<u8>()], 0..600)) {
        let _ = without_metadata(&bytes);
        let _ = exif_orientation(&bytes);
        let _ = exif_orientation(&[b"II*\0", &bytes[..]].concat());
    }
}
