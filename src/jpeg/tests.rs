use proptest::prelude::*;

use super::*;

const LIMIT: usize = 1 << 20;

/// A real picture of noise, with a thumbnail, itself a JPEG, in its EXIF segment.
fn picture(width: u16, height: u16, seed: u8) -> Vec<u8> {
    let encode = |width: u16, height: u16, exif: &[u8]| {
        let pixels: Vec<u8> = (0..u32::from(width) * u32::from(height) * 3)
            .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8 ^ seed)
            .collect();
        let mut bytes = Vec::new();
        let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 90);
        encoder.set_restart_interval(if seed.is_multiple_of(2) { 3 } else { 0 });
        encoder.set_progressive(seed.is_multiple_of(3));
        encoder.add_exif_metadata(exif).unwrap();
        encoder.encode(&pixels, width, height, jpeg_encoder::ColorType::Rgb).unwrap();
        bytes
    };
    encode(width, height, &encode(16, 8, b"no thumbnail here"))
}

fn cut(splitter: &mut Splitter, chunk: &[u8]) -> Vec<Vec<u8>> {
    splitter.push(chunk);
    std::iter::from_fn(|| splitter.next_picture().map(|(bytes, _)| bytes.to_vec())).collect()
}

fn cut_all<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Vec<Vec<u8>> {
    let mut splitter = Splitter::new(LIMIT);
    let mut pictures: Vec<_> = chunks.into_iter().flat_map(|chunk| cut(&mut splitter, chunk)).collect();
    while !splitter.is_empty() {
        splitter.give_up();
        pictures.extend(cut(&mut splitter, b""));
    }
    pictures
}

#[test]
fn a_whole_jpeg_tells_its_size_and_where_it_ends() {
    for seed in 0..6 {
        let mut bytes = picture(72, 40, seed);
        let whole = Info { width: 72, height: 40, len: bytes.len() };
        assert_eq!(inspect(&bytes), Ok(whole));
        bytes.extend_from_slice(&[0; 300]);
        assert_eq!(inspect(&bytes), Ok(whole), "padded");
        bytes.extend_from_slice(b"\xFF\xD8 and the beginning of something else");
        assert_eq!(inspect(&bytes), Ok(whole), "padded with noise");
    }
}

#[test]
fn every_cut_is_seen() {
    let bytes = picture(40, 24, 0);
    for end in 0..bytes.len() {
        assert_eq!(inspect(&bytes[..end]), Err(Defect::Torn(end)));
    }
}

#[test]
fn what_is_no_jpeg_is_named() {
    let whole = picture(16, 16, 1);
    assert_eq!(inspect(b"GIF89a"), Err(Defect::NotJpeg));
    assert_eq!(inspect(b"\xFF\xD9"), Err(Defect::NotJpeg));
    assert_eq!(inspect(b"\xFF\xD8\xFF\xD9"), Err(Defect::NoPicture));
    assert_eq!(inspect(b"\xFF\xD8\xFF\xDA\0\x08\x01\0\0\0?\0data\xFF\xD9"), Err(Defect::NoPicture));
    assert_eq!(inspect(b"\xFF\xD8\xFF\xC0\0\x0B\x08\0\0\0\x10\x01\x01\x11\0"), Err(Defect::NoPicture));
    assert_eq!(inspect(b"\xFF\xD8\xFF\xE0\0\x01"), Err(Defect::Broken(2)));
    assert_eq!(inspect(b"\xFF\xD8\xFF\xFF\0"), Err(Defect::Broken(3)));
    assert_eq!(inspect(b"\xFF\xD8 text"), Err(Defect::Broken(2)));
    let mut overtaken = whole[..whole.len() - 9].to_vec();
    overtaken.extend_from_slice(&whole);
    assert!(matches!(inspect(&overtaken), Err(Defect::Broken(_))));
}

#[test]
fn fill_bytes_and_a_comment_after_the_data_are_walked_over() {
    let whole = picture(16, 16, 1);
    let mut bytes = b"\xFF\xD8\xFF\xFF".to_vec();
    bytes.extend_from_slice(&whole[2..whole.len() - 2]);
    bytes.extend_from_slice(b"\xFF\xFE\0\x02\xFF\xFF\xD9");
    assert_eq!(inspect(&bytes).map(|info| info.len), Ok(bytes.len()));
}

#[test]
fn a_picture_comes_out_with_its_last_byte() {
    let bytes = picture(40, 24, 0);
    let mut splitter = Splitter::new(LIMIT);
    let (last, all_before) = bytes.split_last().unwrap();
    assert_eq!(cut(&mut splitter, all_before), Vec::<Vec<u8>>::new());
    assert_eq!(cut(&mut splitter, &[*last]), vec![bytes]);
    assert!(splitter.is_empty());
    assert_eq!(splitter.skipped(), 0);
}

#[test]
fn a_picture_that_was_cut_off_gives_neither_itself_nor_its_thumbnail() {
    let (first, second) = (picture(64, 64, 0), picture(40, 24, 1));
    let torn = &first[..first.len() - 50];
    assert_eq!(cut_all([torn, &second, torn]), vec![second]);
}

#[test]
fn a_picture_above_the_limit_is_left_out_and_the_next_comes() {
    let (large, small) = (picture(200, 200, 1), picture(16, 16, 1));
    let mut splitter = Splitter::new(large.len() - 1);
    let mut pictures = Vec::new();
    for chunk in [&large[..], &small, &large, &small].concat().chunks(777) {
        pictures.extend(cut(&mut splitter, chunk));
        assert!(splitter.buffer.len() < large.len() + 777);
    }
    assert_eq!(pictures, [small.clone(), small]);
    assert_eq!(splitter.skipped(), 2 * large.len() as u64);
}

#[test]
fn the_work_does_not_grow_with_the_number_of_chunks() {
    let bytes = picture(200, 200, 0);
    let mut splitter = Splitter::new(LIMIT);
    let mut walked = 0;
    for end in 1..bytes.len() {
        let before = splitter.walk.at;
        assert_eq!(cut(&mut splitter, &bytes[end - 1..end]).len(), 0);
        walked += splitter.walk.at - before;
    }
    assert!(walked <= bytes.len() && splitter.walk.at + 2 >= bytes.len() - 1, "the walk never goes back");
}

fn chunked(bytes: &[u8], sizes: &[usize]) -> Vec<Vec<u8>> {
    let mut rest = bytes;
    let mut chunks = Vec::new();
    for size in sizes.iter().cycle() {
        let (chunk, left) = rest.split_at((*size).min(rest.len()));
        chunks.push(chunk.to_vec());
        rest = left;
        if rest.is_empty() {
            return chunks;
        }
    }
    vec![bytes.to_vec()]
}

/// Noise that looks like a part of a picture more often than chance would have it. Lengths of segments are
/// such that none ends by chance within a real picture's head, of which the rest would then belong to it.
fn noise() -> impl Strategy<Value = Vec<u8>> {
    let head = b"\xFF\xD8\xFF\xC0\0\x0B\x08\0\x10\0\x10\x01\x01\x11\0\xFF\xDA\0\x08\x01\0\0\0?\0";
    let piece = prop_oneof![
        prop::collection::vec(0_u8..0xFF, 0..60),
        Just(b"\xFF\xD8".to_vec()),
        Just(b"\xFF\xD8\xFF\xE1\0\x05\x01\x02\x03".to_vec()),
        Just(b"\xFF\xD8\xFF\xE1\xFF\xFF".to_vec()),
        Just(head.to_vec()),
        Just(b"\xFF\xDB\xFF\xFF".to_vec()),
        Just(b"\xFF\xD9".to_vec()),
        Just(vec![0; 40]),
    ];
    prop::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn chunks_make_no_difference(
        seeds in prop::collection::vec(0_u8..12, 1..5),
        sizes in prop::collection::vec(1_usize..5_000, 1..20),
    ) {
        let pictures: Vec<_> = seeds.iter().map(|s| picture(24 + u16::from(*s) * 8, 24, *s)).collect();
        let chunks = chunked(&pictures.concat(), &sizes);
        prop_assert_eq!(cut_all(chunks.iter().map(Vec::as_slice)), pictures);
    }

    #[test]
    fn noise_between_pictures_costs_none(
        parts in prop::collection::vec((noise(), 0_u8..12), 1..5),
        tail in noise(),
        sizes in prop::collection::vec(1_usize..5_000, 1..20),
    ) {
        let mut stream = Vec::new();
        let mut pictures = Vec::new();
        for (noise, seed) in parts {
            stream.extend_from_slice(&noise);
            pictures.push(picture(32, 24, seed));
            stream.extend_from_slice(&pictures[pictures.len() - 1]);
        }
        stream.extend_from_slice(&tail);
        let cut = cut_all(chunked(&stream, &sizes).iter().map(Vec::as_slice));
        let mut cut = cut.iter();
        for picture in &pictures {
            prop_assert!(cut.any(|bytes| bytes == picture), "a picture is missing");
        }
    }

    #[test]
    fn nothing_panics(bytes in prop::collection::vec(prop_oneof![Just(0xFF_u8), Just(0xD8), any::<u8>()], 0..2_000)) {
        let _ = inspect(&bytes);
        for picture in cut_all(bytes.chunks(17)) {
            prop_assert!(inspect(&picture).is_ok());
        }
    }
}
