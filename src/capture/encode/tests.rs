use jpeg_decoder::{Decoder, PixelFormat};

use super::{
    samples::{CHROMA, LUMA},
    *,
};

const WIDTH: usize = 48;
const HEIGHT: usize = 32;
const PADDED: usize = 64;

/// Y, U and V of a picture whose four quarters differ, so that each way to turn it over shows.
fn quarter(x: usize, y: usize) -> [u8; 3] {
    match (x * 2 / WIDTH, y * 2 / HEIGHT) {
        (0, 0) => [90, 100, 150],
        (1, 0) => [120, 160, 90],
        (0, 1) => [150, 100, 160],
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
        Layout::Grey => rows(0, 1).collect(),
    }
}

fn picture<'a>(layout: Layout, stride: usize, planes: &'a [&'a [u8]]) -> Picture<'a> {
    let stride = if layout == Layout::Yuyv { stride * 2 } else { stride };
    Picture { layout, width: WIDTH, height: HEIGHT, stride, planes, range: Range::Full }
}

/// Y, U and V of the four quarters' middles.
fn quarters(jpeg: &[u8]) -> [[u8; 3]; 4] {
    let mut decoder = Decoder::new(jpeg);
    let pixels = decoder.decode().unwrap();
    let info = decoder.info().unwrap();
    assert_eq!((usize::from(info.width), usize::from(info.height)), (WIDTH, HEIGHT));
    [(12, 8), (36, 8), (12, 24), (36, 24)].map(|(x, row)| match info.pixel_format {
        PixelFormat::L8 => [pixels[row * WIDTH + x], 128, 128],
        PixelFormat::RGB24 => {
            let at = (row * WIDTH + x) * 3;
            let (y, u, v) = jpeg_encoder::rgb_to_ycbcr(pixels[at], pixels[at + 1], pixels[at + 2]);
            [y, u, v]
        }
        other => panic!("{other:?}"),
    })
}

#[track_caller]
fn assert_near(found: [[u8; 3]; 4], expected: [[u8; 3]; 4]) {
    for (found, expected) in found.as_flattened().iter().zip(expected.as_flattened()) {
        assert!(found.abs_diff(*expected) <= 3, "{found:?} for {expected:?}");
    }
}

fn upright(layout: Layout) -> [[u8; 3]; 4] {
    [(0, 0), (47, 0), (0, 31), (47, 31)].map(|(x, y)| match (layout, quarter(x, y)) {
        (Layout::Grey, [y, ..]) => [y, 128, 128],
        (_, quarter) => quarter,
    })
}

const LAYOUTS: [Layout; 4] = [Layout::I420, Layout::Nv12, Layout::Yuyv, Layout::Grey];

#[test]
fn every_layout_gives_the_same_picture_with_and_without_padding() {
    let mut encoder = Encoder::new(95).unwrap();
    for layout in LAYOUTS {
        for stride in [WIDTH, PADDED] {
            let memory = memory(layout, stride);
            let jpeg = encoder.encode(&picture(layout, stride, &[&memory]), Mirror::NONE).unwrap();
            assert_near(quarters(jpeg), upright(layout));
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
    assert_near(quarters(jpeg), upright(Layout::I420));
}

#[test]
fn mirrors_turn_the_picture_over() {
    let mut encoder = Encoder::new(95).unwrap();
    for layout in LAYOUTS {
        let [a, b, c, d] = upright(layout);
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
fn limited_range_is_stretched_to_full() {
    assert_eq!([LUMA[0], LUMA[16], LUMA[126], LUMA[235], LUMA[255]], [0, 0, 128, 255, 255]);
    assert_eq!([CHROMA[16], CHROMA[128], CHROMA[240], CHROMA[255]], [0, 128, 255, 255]);
    let memory = memory(Layout::I420, WIDTH);
    let planes = [&memory[..]];
    let limited = Picture { range: Range::Limited, ..picture(Layout::I420, WIDTH, &planes) };
    let mut encoder = Encoder::new(95).unwrap();
    let found = quarters(encoder.encode(&limited, Mirror::NONE).unwrap());
    let tone = |[y, u, v]: [u8; 3]| [LUMA[y as usize], CHROMA[u as usize], CHROMA[v as usize]];
    assert_near(found, upright(Layout::I420).map(tone));
}

#[test]
fn planes_are_the_same_picture() {
    let mut encoder = Encoder::new(95).unwrap();
    for layout in LAYOUTS {
        let [a, b, c, d] = upright(layout);
        let memory = memory(layout, PADDED);
        for (mirror, expected) in [(Mirror::NONE, [a, b, c, d]), (Mirror::HALF_TURN, [d, c, b, a])] {
            let planes = picture(layout, PADDED, &[&memory]).to_planes(mirror).unwrap();
            assert_eq!(planes.chroma().is_none(), layout == Layout::Grey);
            assert_near(quarters(encoder.encode_planes(&planes).unwrap()), expected);
        }
    }
}

#[test]
fn odd_sizes_are_encoded_to_their_last_pixel() {
    let mut encoder = Encoder::new(95).unwrap();
    for (width, height) in [(1_usize, 1_usize), (17, 9), (16, 33), (31, 2)] {
        let chroma = [(); 2].map(|()| vec![110; width.div_ceil(2) * height.div_ceil(2)]);
        for chroma in [Some(chroma), None] {
            let planes = Planes::new(width, height, vec![77; width * height], chroma);
            let jpeg = encoder.encode_planes(&planes).unwrap();
            let info = crate::jpeg::inspect(jpeg).unwrap();
            assert_eq!((usize::from(info.width), usize::from(info.height)), (width, height));
            let pixels = Decoder::new(jpeg).decode().unwrap();
            assert!(pixels.chunks(pixels.len() / width / height).all(|pixel| {
                pixel.iter().zip(&pixels).all(|(value, first)| value.abs_diff(*first) <= 2)
            }));
        }
    }
}

#[test]
fn a_picture_that_no_jpeg_can_hold_is_an_error() {
    let mut encoder = Encoder::new(80).unwrap();
    for (width, height) in [(0, 10), (10, 0), (65_536, 1)] {
        let memory = vec![0; width * height];
        let planes: [&[u8]; 1] = [&memory];
        let picture = Picture {
            layout: Layout::Grey,
            width,
            height,
            stride: width,
            planes: &planes,
            range: Range::Full,
        };
        assert!(matches!(encoder.encode(&picture, Mirror::NONE), Err(EncodeError::Size { .. })));
    }
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
