use std::{fs, path::PathBuf};

use clap::{Args, FromArgMatches};
use jpeg_encoder::{ColorType, Encoder as JpegEncoder};

use super::*;
use crate::capture::{
    encode::{Layout, Range},
    rolling_file::FILE_NAME,
};

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir_in("/dev/shm").unwrap())
    }

    fn rolling(&self) -> PathBuf {
        self.0.path().join("camera").join(FILE_NAME)
    }

    fn spec(&self, arguments: &[&str]) -> Spec {
        let command = Spec::augment_args(clap::Command::new("capture").no_binary_name(true));
        let output = format!("--output={}", self.rolling().display());
        let all = [output.as_str(), "--quality=95"].into_iter().chain(arguments.iter().copied());
        Spec::from_arg_matches(&command.get_matches_from(all)).unwrap()
    }

    /// What becomes of this JPEG.
    fn published(&self, arguments: &[&str], jpeg: &[u8]) -> Vec<u8> {
        Output::open(&self.spec(arguments)).unwrap().publish(jpeg, SystemTime::now()).unwrap();
        fs::read(self.rolling()).unwrap()
    }
}

const WIDTH: usize = 64;
const HEIGHT: usize = 48;

/// Four quarters of different light.
fn quarters() -> Vec<u8> {
    (0..WIDTH * HEIGHT)
        .map(|at| [40, 100, 160, 220][at / WIDTH * 2 / HEIGHT * 2 + at % WIDTH * 2 / WIDTH])
        .collect()
}

/// The quarters as a JPEG with EXIF data that has a place, this orientation and a thumbnail.
fn jpeg(orientation: u8) -> Vec<u8> {
    let encode = |exif: &[u8]| {
        let mut jpeg = Vec::new();
        let mut encoder = JpegEncoder::new(&mut jpeg, 95);
        encoder.add_app_segment(1, exif.to_vec()).unwrap();
        let rgb: Vec<u8> = quarters().iter().flat_map(|light| [*light; 3]).collect();
        encoder.encode(&rgb, WIDTH as u16, HEIGHT as u16, ColorType::Rgb).unwrap();
        jpeg
    };
    let tiff =
        [&b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0"[..], &[orientation], b"\0\0GPS 47.37N"]
            .concat();
    encode(&[tiff, encode(b"thumbnail")].concat())
}

/// The light in the middles of the four quarters of a picture of this size.
#[track_caller]
fn assert_quarters(jpeg: &[u8], size: (u16, u16), expected: [u8; 4]) {
    let mut decoder = jpeg_decoder::Decoder::new(jpeg);
    let pixels = decoder.decode().unwrap();
    let info = decoder.info().unwrap();
    assert_eq!((info.width, info.height), size);
    let (width, height) = (usize::from(size.0), usize::from(size.1));
    let step = pixels.len() / width / height;
    let found = [(1, 1), (3, 1), (1, 3), (3, 3)]
        .map(|(x, y)| pixels[(y * height / 4 * width + x * width / 4) * step]);
    assert!(found.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= 4), "{found:?}, not {expected:?}");
}

fn has(jpeg: &[u8], text: &str) -> bool {
    memchr::memmem::find(jpeg, text.as_bytes()).is_some()
}

const SIZE: (u16, u16) = (WIDTH as u16, HEIGHT as u16);

#[test]
fn metadata_goes_and_nothing_else_unless_something_is_asked_for() {
    let place = Place::new();
    let original = jpeg(1);
    let plain = place.published(&[], &original);
    assert!(has(&original, "GPS") && !has(&plain, "GPS") && !has(&plain, "thumbnail"));
    assert_quarters(&plain, SIZE, [40, 100, 160, 220]);
    assert!(original.ends_with(&plain[20..]), "the picture's data is as the camera made it");
    assert_eq!(place.published(&[], &plain), plain);
    assert_eq!(place.published(&["--keep-metadata"], &original), original);
    let padded = [&original[..], &[0; 50]].concat();
    assert_eq!(place.published(&["--keep-metadata"], &padded), original);
    let again = place.published(&["--recompress"], &original);
    assert!(again != plain && !has(&again, "GPS"));
    assert_quarters(&again, SIZE, [40, 100, 160, 220]);
}

#[test]
fn metadata_is_never_kept_beside_a_mask() {
    let place = Place::new();
    let masked = place.published(&["--keep-metadata", "--mask=0%,0%,50%,50%"], &jpeg(1));
    assert!(!has(&masked, "GPS") && !has(&masked, "thumbnail"));
    assert_quarters(&masked, SIZE, [0, 100, 160, 220]);
}

#[test]
fn an_orientation_is_carried_out_and_then_what_was_asked() {
    let place = Place::new();
    // Clockwise by a quarter.
    let upright = place.published(&[], &jpeg(6));
    assert_quarters(&upright, (SIZE.1, SIZE.0), [160, 40, 220, 100]);
    assert!(!has(&upright, "GPS"));
    let masked = place.published(&["--mask=50%,0%,50%,50%", "--rotate=90"], &jpeg(6));
    assert_quarters(&masked, SIZE, [220, 0, 100, 40]);
    assert_eq!(place.published(&["--keep-metadata"], &jpeg(6)), jpeg(6));
}

#[test]
fn a_raw_picture_is_turned_and_masked_as_a_jpeg_is() {
    let place = Place::new();
    let pixels = quarters();
    let grey = Picture {
        layout: Layout::Grey,
        width: WIDTH,
        height: HEIGHT,
        stride: WIDTH,
        planes: &[&pixels],
        range: Range::Full,
    };
    for (arguments, size, expected) in [
        (&[][..], SIZE, [40, 100, 160, 220]),
        (&["--rotate=180"], SIZE, [220, 160, 100, 40]),
        (&["--hflip"], SIZE, [100, 40, 220, 160]),
        (&["--rotate=90"], (SIZE.1, SIZE.0), [160, 40, 220, 100]),
        (&["--rotate=270", "--vflip"], (SIZE.1, SIZE.0), [40, 160, 100, 220]),
        (&["--vflip", "--mask=0%,0%,50%,50%"], SIZE, [0, 220, 40, 100]),
    ] {
        let mut output = Output::open(&place.spec(arguments)).unwrap();
        output.publish_raw(&grey, SystemTime::now()).unwrap();
        assert_quarters(&fs::read(place.rolling()).unwrap(), size, expected);
        assert_quarters(&place.published(arguments, &jpeg(1)), size, expected);
    }
}

#[test]
fn what_the_camera_has_turned_over_is_not_turned_again() {
    let place = Place::new();
    let published = |arguments: &[&str], left: Mirror| {
        let mut output = Output::open_turned(&place.spec(arguments), left).unwrap();
        output.publish(&jpeg(1), SystemTime::now()).unwrap();
        fs::read(place.rolling()).unwrap()
    };
    assert_quarters(&published(&["--rotate=180"], Mirror::NONE), SIZE, [40, 100, 160, 220]);
    assert_quarters(&published(&["--rotate=180"], Mirror::HALF_TURN), SIZE, [220, 160, 100, 40]);
    // A camera is not asked for half of a quarter turn, so all of it is left to us.
    assert_eq!(place.spec(&["--rotate=90", "--hflip"]).mirror(), Mirror::NONE);
    let size = (SIZE.1, SIZE.0);
    assert_quarters(&published(&["--rotate=90", "--hflip"], Mirror::NONE), size, [40, 160, 100, 220]);
}

#[test]
fn a_picture_that_cannot_be_masked_is_never_published() {
    let place = Place::new();
    let mut output = Output::open(&place.spec(&["--mask=0%,0%,50%,50%"])).unwrap();
    let (good, taken) = (jpeg(1), SystemTime::now());
    let mut lossless = good.clone();
    let frame = memchr::memmem::rfind(&lossless, b"\xFF\xC0").unwrap();
    lossless[frame + 1] = 0xC3;
    let torn = &good[..good.len() - 9];
    assert_eq!(output.publish(&lossless, taken), Ok(()));
    assert_eq!(output.publish(torn, taken), Ok(()));
    assert!(!place.rolling().exists());
    assert_eq!(output.publish(&good, taken), Ok(()));
    let masked = fs::read(place.rolling()).unwrap();
    for _ in 0..9 {
        assert_eq!(output.publish(&lossless, taken), Ok(()), "a camera may stumble");
    }
    let failure = output.publish(torn, taken).unwrap_err();
    assert!(
        failure
            .reason
            .starts_with("10 pictures in a row could not be used, the last one because: JPEG cut off")
    );
    assert_eq!(fs::read(place.rolling()).unwrap(), masked);
    let mut unmasked = Output::open(&place.spec(&[])).unwrap();
    assert_eq!(unmasked.publish(torn, taken), Ok(()));
    assert_eq!(fs::read(place.rolling()).unwrap(), masked, "nor is half a picture");
}
