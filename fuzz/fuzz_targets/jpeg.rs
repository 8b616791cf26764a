//! The parser of JPEG segments: whatever comes, it neither panics nor contradicts itself.

#![no_main]

use eyelid::jpeg::{Splitter, inspect, metadata::without_metadata};
use libfuzzer_sys::fuzz_target;

const LIMIT: usize = 1 << 20;

fuzz_target!(|bytes: &[u8]| {
    let info = inspect(bytes);
    let clean = without_metadata(bytes);
    assert_eq!(info.is_ok(), clean.is_ok());
    if let (Ok(info), Ok(clean)) = (info, clean) {
        let again = inspect(&clean.jpeg).expect("a clean picture is whole");
        assert_eq!((again.width, again.height, again.len), (info.width, info.height, clean.jpeg.len()));
        assert!(clean.jpeg.len() <= info.len);
        let twice = without_metadata(&clean.jpeg).expect("a clean picture is whole");
        assert_eq!(twice.jpeg, clean.jpeg, "nothing is left to be dropped");
        let left = markers(&clean.jpeg).find(|marker| matches!(marker, 0xE1..=0xED | 0xEF | 0xFE));
        assert_eq!(left, None, "a segment of metadata");
    }

    let mut whole = Splitter::new(LIMIT);
    whole.push(bytes);
    let mut first = None;
    while let Some((picture, info)) = whole.next_picture() {
        assert_eq!(inspect(picture), Ok(info));
        first.get_or_insert_with(|| picture.to_vec());
    }
    // In pieces, whose size the input itself tells, the first picture is the same.
    let size = usize::from(bytes.first().copied().unwrap_or(1)).max(1);
    let mut pieces = Splitter::new(LIMIT);
    let mut found = None;
    for piece in bytes.chunks(size) {
        pieces.push(piece);
        while let Some((picture, _)) = pieces.next_picture() {
            found.get_or_insert_with(|| picture.to_vec());
        }
    }
    assert_eq!(found, first);
});

/// The segments of a whole JPEG, found in another way than by the parser: from each one's end the next marker is looked
/// for, over the picture's own data too.
fn markers(jpeg: &[u8]) -> impl Iterator<Item = u8> {
    let mut at = 2;
    std::iter::from_fn(move || {
        // In the data a 0xFF has a zero or a restart after it; a marker TEM (1) has no length either.
        let is_marker = |two: &[u8]| two[0] == 0xFF && !matches!(two[1], 0 | 1 | 0xD0..=0xD7 | 0xFF);
        at += jpeg.get(at..)?.windows(2).position(is_marker)?;
        let marker = jpeg[at + 1];
        let length = jpeg.get(at + 2..at + 4).map_or(0, |two| usize::from(two[0]) << 8 | usize::from(two[1]));
        at += 2 + length;
        (marker != 0xD9).then_some(marker)
    })
}
