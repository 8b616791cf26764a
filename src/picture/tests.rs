use std::time::SystemTime;

use proptest::prelude::*;

use super::*;
use crate::config::{Area, PictureConfig};

/// Noise; hidden parts of it show wherever they get out.
fn noise(width: usize, height: usize, grey: bool) -> Planes {
    let mut random = 7_u32;
    let mut samples = |len: usize| -> Vec<u8> {
        let mut next = || {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            30 + (random >> 24) as u8 % 200
        };
        (0..len).map(|_| next()).collect()
    };
    let quarter = width.div_ceil(2) * height.div_ceil(2);
    let luma = samples(width * height);
    Planes::new(width, height, luma, (!grey).then(|| [samples(quarter), samples(quarter)]))
}

fn steps(config: &PictureConfig, turn: Turn) -> Steps {
    Steps::new(config, turn, "tank", "Tank")
}

fn areas() -> impl Strategy<Value = Area> {
    (0_u32..100_000, 0_u32..100_000, 1_u32..100_000, 1_u32..100_000).prop_map(|(left, top, width, height)| {
        Area { left, top, width: width.min(100_000 - left), height: height.min(100_000 - top) }
    })
}

proptest! {
    #[test]
    fn masked_pixels_are_black_and_all_others_as_they_were(
        masks in prop::collection::vec(areas(), 1..4), turn in (0_u16..4, any::<bool>(), any::<bool>()),
        width in 1_usize..80, height in 1_usize..80, grey in any::<bool>(),
    ) {
        let turn = Turn::clockwise(turn.0).then(Mirror { horizontal: turn.1, vertical: turn.2 }.into());
        let picture = noise(width, height, grey);
        let config = PictureConfig { masks: masks.clone(), ..PictureConfig::default() };
        let masked = steps(&config, turn).apply(picture.clone(), Turn::NONE, SystemTime::now());
        let upright = picture.turned(turn);
        let (width, height) = (upright.width(), upright.height());
        prop_assert_eq!((masked.width(), masked.height()), (width, height));
        // A pixel is hidden if any part of it lies in a mask.
        let hidden = |x: usize, y: usize| masks.iter().any(|mask| {
            let meets = |pixel: usize, whole: usize, from: u32, len: u32| {
                let (from, end) = (u64::from(from) * whole as u64, u64::from(from + len) * whole as u64);
                (pixel as u64 * 100_000) < end && (pixel as u64 + 1) * 100_000 > from
            };
            meets(x, width, mask.left, mask.width) && meets(y, height, mask.top, mask.height)
        });
        for y in 0..height {
            for x in 0..width {
                let at = y * width + x;
                prop_assert_eq!(masked.luma()[at], if hidden(x, y) { 0 } else { upright.luma()[at] });
            }
        }
        for (masked, upright) in masked.chroma().iter().flatten().zip(upright.chroma().iter().flatten()) {
            let (across, down) = (width.div_ceil(2), height.div_ceil(2));
            for (at, (sample, before)) in masked.iter().zip(*upright).enumerate() {
                let (x, y) = (at % across, at / across);
                let near = |radius: usize| {
                    (y.saturating_sub(radius)..(y + radius + 1).min(down)).any(|y| {
                        (x.saturating_sub(radius)..(x + radius + 1).min(across)).any(|x| {
                            (y * 2..(y * 2 + 2).min(height)).any(|y| (x * 2..(x * 2 + 2).min(width)).any(|x| hidden(x, y)))
                        })
                    })
                };
                if near(0) {
                    prop_assert_eq!(*sample, 128);
                } else if !near(1) {
                    prop_assert_eq!(sample, before);
                }
            }
        }
    }

    #[test]
    fn what_is_hidden_makes_no_difference_to_anything_that_is_shown(
        mask in areas(), crop in prop::option::of(areas()), quarters in 0_u16..4, grey in any::<bool>(),
        size in prop::option::of((8_u32..40, 8_u32..40)), width in 1_usize..80, height in 1_usize..80,
    ) {
        let config = PictureConfig {
            masks: vec![mask],
            crop,
            max_size: size.map(|(width, height)| crate::config::Size { width: width * 2, height: height * 2 }),
            grayscale: grey,
            ..PictureConfig::default()
        };
        let turn = Turn::clockwise(quarters);
        let picture = noise(width, height, false);
        // The same picture, with other pixels where the mask is, and there only.
        let blank = PictureConfig { masks: vec![mask], ..PictureConfig::default() };
        let other = steps(&blank, turn).apply(picture.clone(), Turn::NONE, SystemTime::now());
        let back = Turn::clockwise(4 - quarters);
        let shown = |planes: Planes| steps(&config, turn).apply(planes, Turn::NONE, SystemTime::now());
        let expected = shown(other.turned(back));
        prop_assert_eq!(shown(picture.clone()), expected);
        let size = steps(&config, turn).size(width, height);
        let shown = shown(picture);
        prop_assert_eq!((shown.width(), shown.height()), size);
    }

    #[test]
    fn a_crop_is_that_part_of_the_picture(
        crop in areas(), width in 1_usize..80, height in 1_usize..80, grey in any::<bool>(),
    ) {
        let picture = noise(width, height, grey);
        let config = PictureConfig { crop: Some(crop), ..PictureConfig::default() };
        let part = steps(&config, Turn::NONE).apply(picture.clone(), Turn::NONE, SystemTime::now());
        let rect = area::Rect::within(&crop, width, height);
        for (y, row) in part.luma().chunks(part.width()).enumerate() {
            let from = (rect.rows.start + y) * width + rect.columns.start;
            prop_assert_eq!(row, &picture.luma()[from..from + part.width()]);
        }
        let across = width.div_ceil(2);
        for (part_plane, plane) in part.chroma().iter().flatten().zip(picture.chroma().iter().flatten()) {
            for (y, row) in part_plane.chunks(part.width().div_ceil(2)).enumerate() {
                let from = (rect.rows.start / 2 + y) * across + rect.columns.start / 2;
                prop_assert_eq!(row, &plane[from..from + row.len()]);
            }
        }
    }
}

#[test]
fn a_smaller_picture_shows_the_same() {
    let gradient = |width: usize, height: usize| -> Vec<u8> {
        (0..height)
            .flat_map(|y| (0..width).map(move |x| (x * 100 / width + y * 100 / height + 20) as u8))
            .collect()
    };
    let picture = Planes::new(640, 360, gradient(640, 360), Some([gradient(320, 180), gradient(320, 180)]));
    let config = PictureConfig { max_size: "200x200".parse().ok(), ..PictureConfig::default() };
    let small = steps(&config, Turn::NONE).apply(picture, Turn::NONE, SystemTime::now());
    assert_eq!((small.width(), small.height()), (200, 113));
    let near = |found: &[u8], expected: &[u8]| found.iter().zip(expected).all(|(a, b)| a.abs_diff(*b) <= 2);
    assert!(near(small.luma(), &gradient(200, 113)));
    let chroma = small.chroma().unwrap();
    assert!(chroma.iter().all(|plane| near(plane, &gradient(100, 57))));
}

#[test]
fn everything_at_once_happens_in_its_order() {
    let config = PictureConfig {
        // The right half of the upright picture, and then its right half again.
        crop: "50%,0%,50%,100%".parse().ok(),
        masks: vec!["75%,0%,25%,100%".parse().unwrap()],
        max_size: "16x16".parse().ok(),
        grayscale: true,
        overlay: "x".to_owned(),
        ..PictureConfig::default()
    };
    let light = Planes::new(64, 128, vec![200; 64 * 128], Some([vec![90; 32 * 64], vec![90; 32 * 64]]));
    let done = steps(&config, Turn::clockwise(1)).apply(light, Turn::NONE, SystemTime::now());
    assert_eq!((done.width(), done.height()), (16, 16), "of 128x64, 64x64 was kept and scaled down");
    assert!(done.chroma().is_none());
    assert!(done.luma()[..6].iter().all(|sample| *sample == 200) && done.luma()[10..16] == [0; 6]);
    assert!(done.luma().contains(&255), "the text is on top");
}
