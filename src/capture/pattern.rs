//! `kind = "pattern"`: a moving test picture, on any machine, with nothing installed.

mod digits;
mod eye;
mod lettering;
mod look;
mod paint;
mod scene;
mod tiles;

use std::time::SystemTime;

use jiff::{Timestamp, tz::TimeZone};

use self::{
    look::Look,
    scene::{Moment, Scene},
    tiles::Tiles,
};
use super::{
    Spec,
    encode::{Layout, Picture, Range},
    output::Output,
    protocol::{Event, Failure, Offer, Set, Streaming},
    runner::{Pacer, Stop, checked},
};
use crate::{
    config::{Kind, Size},
    controls::{Control, ControlKind},
    picture::Mirror,
};

/// Takes test pictures until `stop` is set; `notice` says why, where a camera was wanted.
///
/// # Errors
/// When the pictures can't be written.
pub fn capture(
    spec: &Spec,
    notice: Option<String>,
    stop: &Stop,
    emit: &mut dyn FnMut(Event),
) -> Result<(), Failure> {
    let mut output = Output::open_turned(spec, Mirror::NONE)?;
    let mut pattern = Pattern::new(spec);
    let (width, height) = output.size(spec.size.width, spec.size.height);
    emit(Event::Streaming(Streaming {
        kind: Kind::Pattern,
        device: "test picture".to_owned(),
        width: Some(width),
        height: Some(height),
        notice,
    }));
    // What was kept from last time, before the first picture.
    let offer = pattern.set(stop.take_settings().unwrap_or_default());
    emit(Event::Controls(offer));
    let mut pacer = Pacer::new(spec.interval);
    while pacer.wait_and_set(stop, |set| emit(Event::Controls(pattern.set(set)))) {
        let taken = SystemTime::now();
        if output.decodes() {
            let planes = pattern.take_raw(taken);
            output.publish_raw(&raw(spec.size, &planes.each_ref().map(Vec::as_slice)), taken)?;
        } else {
            output.publish(pattern.take(taken), taken)?;
        }
    }
    Ok(())
}

fn raw<'a>(size: Size, planes: &'a [&'a [u8]; 3]) -> Picture<'a> {
    let (width, height) = (size.width as usize, size.height as usize);
    Picture { layout: Layout::I420, width, height, stride: width, planes, range: Range::Full }
}

/// The test picture.
struct Pattern {
    scene: Scene,
    tiles: Tiles,
    controls: Vec<Control>,
    zone: TimeZone,
    number: u64,
}

impl Pattern {
    fn new(spec: &Spec) -> Self {
        let scene = Scene::new(spec.size, spec.name.as_str());
        let tiles = Tiles::new(spec.size, spec.quality, spec.mirror());
        Self { scene, tiles, controls: look::controls(), zone: TimeZone::system(), number: 0 }
    }

    /// Sets what is wanted, and tells how all is set now.
    fn set(&mut self, wanted: Set) -> Offer {
        for (place, value) in checked(&self.controls, &wanted.controls) {
            let control = &mut self.controls[place];
            match control.kind {
                ControlKind::Button => self.scene.blink(),
                _ => control.value = Some(value),
            }
        }
        self.tiles.set_look(Look::new(&self.controls));
        Offer { controls: self.controls.clone(), answers: wanted.serial }
    }

    /// The picture at this time, a JPEG.
    fn take(&mut self, taken: SystemTime) -> &[u8] {
        self.set_moment(taken);
        self.tiles.encode(&self.scene)
    }

    /// The picture at this time: Y, U and V.
    fn take_raw(&mut self, taken: SystemTime) -> [Vec<u8>; 3] {
        self.set_moment(taken);
        self.tiles.raw(&self.scene)
    }

    fn set_moment(&mut self, taken: SystemTime) {
        self.number += 1;
        // A clock outside of jiff's years -9999 to 9999 shows 1970.
        let at = Timestamp::try_from(taken).unwrap_or_default();
        let local = at.to_zoned(self.zone.clone());
        self.scene.set(&Moment {
            clock: local.strftime("%H:%M:%S%.3f").to_string(),
            date: local.strftime("%Y-%m-%d").to_string(),
            number: self.number,
            seconds: at.as_millisecond().rem_euclid(3_600_000) as f32 / 1000.0,
        });
    }
}

#[cfg(test)]
mod tests {
    use std::{str::FromStr, time::Duration};

    use clap::{Args, FromArgMatches};
    use jpeg_decoder::Decoder;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::jpeg;

    fn spec(size: Size, arguments: &[&str]) -> Spec {
        let command = Spec::augment_args(clap::Command::new("capture").no_binary_name(true));
        let matches = command.get_matches_from(["--output=/unused"].iter().chain(arguments));
        Spec { size, ..Spec::from_arg_matches(&matches).unwrap() }
    }

    /// The picture's red, green and blue, as a browser decodes them.
    fn decoded(bytes: &[u8], size: Size) -> Vec<[u8; 3]> {
        let mut decoder = Decoder::new(bytes);
        let pixels = decoder.decode().unwrap();
        let info = decoder.info().unwrap();
        assert_eq!((u32::from(info.width), u32::from(info.height)), (size.width, size.height));
        pixels.chunks(3).map(|rgb| [rgb[0], rgb[1], rgb[2]]).collect()
    }

    fn at(millis: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_000 + millis)
    }

    const SIZE: Size = Size { width: 640, height: 360 };

    #[test]
    fn the_colours_are_those_of_the_bars() {
        let pixels = decoded(Pattern::new(&spec(SIZE, &["--quality=95"])).take(at(0)), SIZE);
        for (place, expected) in
            [(10, [0xE6, 0xE2, 0xD8]), (630, [0x8B, 0xA0, 0xCB]), (359 * 640 + 639, [255; 3])]
        {
            let off = pixels[place].iter().zip(expected).map(|(a, b)| a.abs_diff(b)).max().unwrap();
            assert!(off <= 3, "{:?} is not {expected:?}", pixels[place]);
        }
    }

    #[test]
    fn turned_and_mirrored_it_is_the_same_picture() {
        let take = |arguments: &[&str]| decoded(Pattern::new(&spec(SIZE, arguments)).take(at(0)), SIZE);
        let (width, plain) = (SIZE.width as usize, take(&["--quality=95"]));
        let rows = || plain.chunks(width);
        let mirrored: Vec<_> = rows().flat_map(|row| row.iter().rev().copied()).collect();
        let flipped: Vec<_> = rows().rev().flatten().copied().collect();
        let turned: Vec<_> = plain.iter().rev().copied().collect();
        for (arguments, expected) in [
            (&["--quality=95", "--hflip"][..], &mirrored),
            (&["--quality=95", "--vflip"], &flipped),
            (&["--quality=95", "--rotate=180"], &turned),
            (&["--quality=95", "--rotate=180", "--hflip", "--vflip"], &plain),
        ] {
            let got = take(arguments);
            let off: u64 = got
                .iter()
                .flatten()
                .zip(expected.iter().flatten())
                .map(|(a, b)| u64::from(a.abs_diff(*b)))
                .sum();
            // The blocks lie elsewhere on the picture, so that edges are encoded a little differently.
            assert!(off / (got.len() as u64 * 3) < 2, "{arguments:?}");
            assert!(*expected == plain || got != plain, "{arguments:?}");
        }
    }

    #[test]
    fn raw_it_is_the_same_picture() {
        for arguments in [&["--quality=95"][..], &["--quality=95", "--rotate=180", "--vflip"]] {
            let spec = spec(SIZE, arguments);
            let planes = Pattern::new(&spec).take_raw(at(0));
            let planes = planes.each_ref().map(Vec::as_slice);
            let mut encoder = crate::capture::encode::Encoder::new(95).unwrap();
            let raw = decoded(encoder.encode(&raw(SIZE, &planes), Mirror::NONE).unwrap(), SIZE);
            let jpeg = decoded(Pattern::new(&spec).take(at(0)), SIZE);
            let off = raw.iter().flatten().zip(jpeg.iter().flatten()).map(|(a, b)| u64::from(a.abs_diff(*b)));
            assert!(off.sum::<u64>() / (raw.len() as u64) < 3, "{arguments:?}");
        }
    }

    #[test]
    fn it_moves_and_each_picture_has_its_number() {
        let mut pattern = Pattern::new(&spec(SIZE, &[]));
        let first = pattern.take(at(0)).to_vec();
        let same_time = pattern.take(at(0)).to_vec();
        assert_ne!(first, same_time, "its number is another");
        assert_ne!(pattern.take(at(1)), same_time, "its clock shows milliseconds");
    }

    /// The mean of each of red, green and blue.
    fn mean(pixels: &[[u8; 3]]) -> [f64; 3] {
        std::array::from_fn(|channel| {
            pixels.iter().map(|rgb| f64::from(rgb[channel])).sum::<f64>() / pixels.len() as f64
        })
    }

    #[test]
    fn each_control_changes_what_it_says_and_goes_back() {
        let mut pattern = Pattern::new(&spec(SIZE, &["--quality=95"]));
        let mut take = |settings| {
            let controls = serde_json::from_value(settings).unwrap();
            pattern.set(Set { serial: 1, controls });
            pattern.number = 0;
            decoded(pattern.take(at(0)), SIZE)
        };
        let plain = take(json!({}));
        let [red, green, blue] = mean(&plain);
        let level = |pixels: &[[u8; 3]]| mean(pixels).iter().sum::<f64>() / 3.0;

        let bright = take(json!({"brightness": 40}));
        assert!(level(&bright) > level(&plain) + 20.0);
        let negative = take(json!({"brightness": null, "negative": true}));
        assert!((level(&negative) - (255.0 - level(&plain))).abs() < 3.0);
        let grey = take(json!({"negative": false, "saturation": 0}));
        assert!(grey.iter().all(|[r, g, b]| r.abs_diff(*g) < 6 && g.abs_diff(*b) < 6));
        let warm = mean(&take(json!({"saturation": null, "white_balance": "warm"})));
        assert!(warm[0] > red + 8.0 && warm[2] < blue - 8.0, "{warm:?}");
        let cool = mean(&take(json!({"white_balance": "cool"})));
        assert!(cool[0] < red - 8.0 && cool[2] > blue + 8.0 && (cool[1] - green).abs() < 8.0, "{cool:?}");
        let closed = take(json!({"white_balance": null, "blink": true}));
        let (height, differing) = (SIZE.height as usize, closed.iter().zip(&plain).filter(|(a, b)| a != b));
        assert!(differing.count() > height, "the lid covers the eye");
        let mut fresh = Pattern::new(&spec(SIZE, &["--quality=95"]));
        assert_eq!(pattern.controls, fresh.controls, "all is back");
        fresh.number = 1;
        assert_eq!(pattern.take(at(5_000)), fresh.take(at(5_000)));
    }

    #[test]
    fn every_size_from_the_smallest_to_a_large_one_is_a_whole_picture() {
        for size in ["16x16", "18x1000", "1000x16", "64x48", "98x102", "320x240", "1366x766", "1920x1080"] {
            let size = Size::from_str(size).unwrap();
            let mut pattern = Pattern::new(&spec(size, &[]));
            for millis in [0, 700] {
                let bytes = pattern.take(at(millis)).to_vec();
                let info = jpeg::inspect(&bytes).unwrap();
                assert_eq!(
                    (u32::from(info.width), u32::from(info.height), info.len),
                    (size.width, size.height, bytes.len())
                );
                decoded(&bytes, size);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn what_was_kept_from_pictures_before_is_as_if_encoded_anew(
            width in 8_u32..200, height in 8_u32..150, flips in 0..4,
            times in prop::collection::vec(0_u64..20_000, 1..5),
        ) {
            let size = Size { width: width * 2, height: height * 2 };
            let flips = [&[][..], &["--hflip"], &["--vflip"], &["--rotate=180"]][flips as usize];
            let spec = spec(size, flips);
            let mut pattern = Pattern::new(&spec);
            for (number, time) in times.into_iter().enumerate() {
                let kept = pattern.take(at(time)).to_vec();
                let mut anew = Pattern::new(&spec);
                anew.number = number as u64;
                prop_assert_eq!(anew.take(at(time)), kept);
            }
        }
    }
}
