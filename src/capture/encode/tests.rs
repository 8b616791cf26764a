use turbojpeg::{Decompressor, YuvImage};

use super::*;

const WIDTH: usize = 48;
const HEIGHT: usize = 32;
const PADDED: usize = 64;

/// Y, U and V of a picture whose four quarters differ, so that each way to turn it over shows.
fn quarter(x: usize, y: usize) -> [u8; 3] {
    match (x * 2 / WIDTH, y * 2 / HEIGHT) {
        (0, 0) => [60, 100, 150],
        (1, 0) => [120, 160, 90],
        (0, 1) => [180, 80, 200],
        _ => [230, 128, 128],
    }
}

/// The picture in `layout`, with rows padded to `stride` luma samples: one slice that holds all planes.
fn memory(layout: Layout, stride: usize) -> Vec<u8> {
    let at = |plane: usize, x: usize, y: usize| if x < WIDTH { quarter(x, y)[plane] } else { 0xaa };
    let rows = |plane: usize, step: usize| {
        (0..HEIGHT).step_by(step).flat_map(move |y| (0..stride).step_by(step).map(move |x| at(plane, x, y)))
    };
    match layout {
        Layout::I420 => rows(0, 1).chain(rows(1, 2)).chain(rows(2, 2)).collect(),
        Layout::Nv12 => rows(0, 1).chain(rows(1, 2).zip(rows(2, 2)).flat_map(|(u, v)| [u, v])).collect(),
        Layout::Yuyv => (0..HEIGHT)
            .flat_map(|y| (0..stride).step_by(2).map(move |x| (x, y)))
            .flat_map(|(x, y)| [at(0, x, y), at(1, x, y), at(0, x + 1, y), at(2, x, y)])
            .collect(),
    }
}

fn picture<'a>(layout: Layout, stride: usize, planes: &'a [&'a [u8]]) -> Picture<'a> {
    let stride = if layout == Layout::Yuyv { stride * 2 } else { stride };
    Picture { layout, width: WIDTH, height: HEIGHT, stride, planes, range: Range::Full }
}

/// Y, U and V of the four quarters' middles.
fn quarters(jpeg: &[u8]) -> [[u8; 3]; 4] {
    let mut decompressor = Decompressor::new().unwrap();
    let header = decompressor.read_header(jpeg).unwrap();
    assert_eq!((header.width, header.height), (WIDTH, HEIGHT));
    let (width, height, subsamp) = (header.width, header.height, header.subsamp);
    let mut pixels = vec![0; turbojpeg::yuv_pixels_len(width, 1, height, subsamp).unwrap()];
    let image = YuvImage { pixels: &mut pixels[..], width, align: 1, height, subsamp };
    decompressor.decompress_to_yuv(jpeg, image).unwrap();
    let (y, chroma) = pixels.split_at(width * height);
    let (u, v) = chroma.split_at(chroma.len() / 2);
    let down = if subsamp == Subsamp::Sub2x2 { 2 } else { 1 };
    [(12, 8), (36, 8), (12, 24), (36, 24)].map(|(x, row)| {
        let chroma = row / down * 24 + x / 2;
        [y[row * 48 + x], u[chroma], v[chroma]]
    })
}

#[track_caller]
fn assert_near(found: [[u8; 3]; 4], expected: [[u8; 3]; 4]) {
    for (found, expected) in found.as_flattened().iter().zip(expected.as_flattened()) {
        assert!(found.abs_diff(*expected) <= 3, "{found:?} for {expected:?}");
    }
}

fn upright() -> [[u8; 3]; 4] {
    [quarter(0, 0), quarter(47, 0), quarter(0, 31), quarter(47, 31)]
}

const LAYOUTS: [Layout; 3] = [Layout::I420, Layout::Nv12, Layout::Yuyv];

#[test]
fn every_layout_gives_the_same_picture_with_and_without_padding() {
    let mut encoder = Encoder::new(95).unwrap();
    for layout in LAYOUTS {
        for stride in [WIDTH, PADDED] {
            let memory = memory(layout, stride);
            let jpeg = encoder.encode(&picture(layout, stride, &[&memory]), Mirror::NONE).unwrap();
            assert_near(quarters(jpeg), upright());
        }
    }
}

#[test]
fn planes_may_lie_apart() {
    let memory = memory(Layout::I420, PADDED);
    let (y, chroma) = memory.split_at(PADDED * HEIGHT);
    let (u, v) = chroma.split_at(chroma.len() / 2);
    let mut encoder = Encoder::new(95).unwrap();
    let jpeg = encoder.encode(&picture(Layout::I420, PADDED, &[y, u, v]), Mirror::NONE).unwrap();
    assert_near(quarters(jpeg), upright());
}

#[test]
fn mirrors_turn_the_picture_over() {
    let [a, b, c, d] = upright();
    let mut encoder = Encoder::new(95).unwrap();
    for layout in LAYOUTS {
        let memory = memory(layout, PADDED);
        for (mirror, expected) in [
            (Mirror { horizontal: true, vertical: false }, [b, a, d, c]),
            (Mirror { horizontal: false, vertical: true }, [c, d, a, b]),
            (Mirror::HALF_TURN, [d, c, b, a]),
        ] {
            let jpeg = encoder.encode(&picture(layout, PADDED, &[&memory]), mirror).unwrap();
            assert_near(quarters(jpeg), expected);
        }
    }
}

#[test]
fn a_jpeg_is_turned_over_too() {
    let [a, b, c, d] = upright();
    let memory = memory(Layout::Nv12, WIDTH);
    let mut encoder = Encoder::new(95).unwrap();
    let jpeg = encoder.encode(&picture(Layout::Nv12, WIDTH, &[&memory]), Mirror::NONE).unwrap();
    assert!(matches!(turn_jpeg(jpeg, Mirror::NONE).unwrap(), Cow::Borrowed(_)));
    assert_near(quarters(&turn_jpeg(jpeg, Mirror::HALF_TURN).unwrap()), [d, c, b, a]);
    let mirror = Mirror { horizontal: false, vertical: true };
    assert_near(quarters(&turn_jpeg(jpeg, mirror).unwrap()), [c, d, a, b]);
    assert!(turn_jpeg(b"\xff\xd8 not a picture", mirror).is_err());
}

#[test]
fn limited_range_is_stretched_to_full() {
    assert_eq!([LUMA[0], LUMA[16], LUMA[126], LUMA[235], LUMA[255]], [0, 0, 128, 255, 255]);
    assert_eq!([CHROMA[16], CHROMA[128], CHROMA[240], CHROMA[255]], [0, 128, 255, 255]);
    let memory = memory(Layout::I420, WIDTH);
    let planes = [&memory[..]];
    let limited = Picture { range: Range::Limited, ..picture(Layout::I420, WIDTH, &planes) };
    let mut encoder = Encoder::new(95).unwrap();
    let found = quarters(encoder.encode(&limited, Mirror::NONE).unwrap());
    let tone = |[y, u, v]: [u8; 3]| [LUMA[y as usize], CHROMA[u as usize], CHROMA[v as usize]];
    assert_near(found, upright().map(tone));
}

#[test]
fn memory_that_is_too_short_is_an_error() {
    let mut encoder = Encoder::new(80).unwrap();
    for layout in LAYOUTS {
        let mut memory = memory(layout, PADDED);
        memory.truncate(memory.len() - PADDED * 4);
        let short = encoder.encode(&picture(layout, PADDED, &[&memory]), Mirror::NONE);
        assert!(matches!(short, Err(EncodeError::TooShort { .. })), "{layout:?}");
        assert!(encoder.encode(&picture(layout, PADDED, &[]), Mirror::NONE).is_err());
    }
}

#[test]
fn two_mirrors_in_a_row_undo_each_other() {
    let horizontal = Mirror { horizontal: true, vertical: false };
    assert_eq!(Mirror::HALF_TURN.and(Mirror::HALF_TURN), Mirror::NONE);
    assert_eq!(horizontal.and(Mirror::HALF_TURN), Mirror { horizontal: false, vertical: true });
}
