//! The virtual camera's picture: eight upright bars.

use turbojpeg::PixelFormat;

/// From left to right, as red, green and blue.
const BARS: [[u8; 3]; 8] = [
    [255, 255, 255],
    [255, 255, 0],
    [0, 255, 255],
    [0, 255, 0],
    [255, 0, 255],
    [255, 0, 0],
    [0, 0, 255],
    [0, 0, 0],
];

/// Sees that a JPEG shows the bars in their colours, at this size.
pub(crate) fn check(jpeg: &[u8], width: usize, height: usize) {
    let picture = turbojpeg::decompress(jpeg, PixelFormat::RGB).unwrap();
    assert_eq!((picture.width, picture.height), (width, height));
    // The bars wander, so any may be the first; pixels next to an edge between two are mixed.
    let row = &picture.pixels[picture.pitch * height / 2..][..width * 3];
    let mut seen: Vec<_> = row.chunks(3).filter_map(bar).collect();
    assert!(seen.len() > width * 9 / 10, "{} of {width} pixels are of a bar", seen.len());
    seen.dedup();
    assert!(seen.len() >= BARS.len(), "{seen:?}");
    for pair in seen.windows(2) {
        assert_eq!(pair[1], (pair[0] + 1) % BARS.len(), "{seen:?}");
    }
}

/// Which bar a colour is of, however the JPEG has rounded it.
fn bar(pixel: &[u8]) -> Option<usize> {
    BARS.iter().position(|bar| bar.iter().zip(pixel).all(|(expected, found)| expected.abs_diff(*found) <= 10))
}
