//! The outside of a JPEG: where it ends, how large its picture is, and how to cut a stream of them.
//!
//! Pixels are never decoded. The walk follows the markers of ITU-T T.81: segments are skipped by their
//! length, so a thumbnail in an EXIF segment doesn't end the picture, and in the entropy-coded data, where
//! each 0xFF of the picture is followed by a stuffed 0x00, only markers are looked at.

use memchr::{memchr, memmem};

/// What [`inspect`] tells of a whole JPEG.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Info {
    /// Pixels across.
    pub width: u16,
    /// Pixels down.
    pub height: u16,
    /// Bytes from the start of the image marker to the end of the image marker. Cameras pad what follows.
    pub len: usize,
}

/// Why some bytes are not a whole JPEG.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Defect {
    /// The first two bytes are not 0xFF 0xD8.
    #[error("not a JPEG")]
    NotJpeg,
    /// The bytes end before the picture does.
    #[error("JPEG cut off after {0} bytes")]
    Torn(usize),
    /// Something else stands where a marker has to be.
    #[error("JPEG broken at byte {0}")]
    Broken(usize),
    /// The picture's data, or the image, comes before its size.
    #[error("JPEG without a picture")]
    NoPicture,
}

/// Whether `bytes` begin with a whole JPEG; what follows its end is ignored.
///
/// This walks the whole picture but stops at the 0xFF bytes only: 150 kB take about 10 µs on a server's core.
/// A file that was overwritten in place by a shorter or longer picture can pass, because what an encoder wrote
/// as a picture's data is not looked into.
///
/// # Errors
/// What makes it no JPEG or only a part of one.
pub fn inspect(bytes: &[u8]) -> Result<Info, Defect> {
    Walk::default().advance(bytes)?.ok_or(Defect::Torn(bytes.len()))
}

/// A walk through one JPEG whose bytes may not all have come.
#[derive(Debug, Default)]
struct Walk {
    /// The next byte to look at; beyond the bytes at hand while the end of a segment has not come.
    at: usize,
    /// Whether `at` is in entropy-coded data.
    in_scan: bool,
    /// Up to where such data, which can't hold the beginning of a picture, was met; 0 before it was.
    data_end: usize,
    size: Option<(u16, u16)>,
}

impl Walk {
    /// Goes on in `bytes`, which begin with the picture and may have grown at their end. `None`: more of
    /// them are needed. Each byte is looked at once, however often this is called.
    fn advance(&mut self, bytes: &[u8]) -> Result<Option<Info>, Defect> {
        loop {
            if self.in_scan {
                let rest = bytes.get(self.at..).unwrap_or_default();
                let found = memchr(0xFF, rest);
                self.at += found.unwrap_or(rest.len());
                self.data_end = self.at;
            }
            let Some(&first) = bytes.get(self.at) else { return Ok(None) };
            if first != 0xFF {
                return Err(if self.at == 0 { Defect::NotJpeg } else { Defect::Broken(self.at) });
            }
            let Some(&marker) = bytes.get(self.at + 1) else { return Ok(None) };
            match marker {
                0xD8 if self.at == 0 => self.at = 2,
                _ if self.at == 0 => return Err(Defect::NotJpeg),
                // Stuffing; and restart markers, which belong into a scan but harm nowhere.
                0x00 if self.in_scan => self.at += 2,
                0x01 | 0xD0..=0xD7 => self.at += 2,
                // Any number of fill bytes may come before a marker.
                0xFF => self.at += 1,
                0xD9 => {
                    let (width, height) = self.size.filter(|_| self.data_end > 0).ok_or(Defect::NoPicture)?;
                    return Ok(Some(Info { width, height, len: self.at + 2 }));
                }
                // 0xD8: the next picture begins, so this one was cut off.
                0x00 | 0x02..=0xBF | 0xD8 => return Err(Defect::Broken(self.at)),
                0xC0..=0xFE => {
                    if !self.segment(marker, bytes.get(self.at + 2..).unwrap_or_default())? {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// Steps over a segment whose length is at the beginning of `rest`; false when too little of it has come.
    fn segment(&mut self, marker: u8, rest: &[u8]) -> Result<bool, Defect> {
        let word = |at: usize| Some(u16::from_be_bytes([*rest.get(at)?, *rest.get(at + 1)?]));
        let Some(len) = word(0) else { return Ok(false) };
        if len < 2 {
            return Err(Defect::Broken(self.at));
        }
        match marker {
            0xC4 | 0xC8 | 0xCC => {}
            0xC0..=0xCF => {
                let (Some(height), Some(width)) = (word(3), word(5)) else { return Ok(false) };
                if len < 8 || width == 0 || height == 0 {
                    return Err(Defect::NoPicture);
                }
                self.size = Some((width, height));
            }
            0xDA if self.size.is_none() => return Err(Defect::NoPicture),
            _ => {}
        }
        self.in_scan = marker == 0xDA;
        self.at += 2 + usize::from(len);
        Ok(true)
    }
}

/// Cuts a stream of JPEGs that stand one after another, as `rpicam-vid` and `ffmpeg` write them.
///
/// What is between pictures is left out, and so is a picture that is broken or was cut off; none of it costs
/// a whole picture that follows.
#[derive(Debug)]
pub struct Splitter {
    buffer: Vec<u8>,
    /// Where in the buffer the walk began: at a picture's start, unless it has not moved yet.
    start: usize,
    walk: Walk,
    limit: usize,
    skipped: u64,
}

impl Splitter {
    /// A splitter for pictures of at most `limit` bytes; larger ones are left out.
    pub fn new(limit: usize) -> Self {
        Self { buffer: Vec::new(), start: 0, walk: Walk::default(), limit, skipped: 0 }
    }

    /// Adds the next bytes of the stream. Take all pictures out before the next call.
    pub fn push(&mut self, chunk: &[u8]) {
        self.buffer.drain(..self.start);
        self.start = 0;
        self.buffer.extend_from_slice(chunk);
    }

    /// The next whole picture among the bytes that have come.
    pub fn next_picture(&mut self) -> Option<(&[u8], Info)> {
        loop {
            let bytes = &self.buffer[self.start..];
            match self.walk.advance(bytes) {
                Ok(Some(info)) if info.len <= self.limit => {
                    let picture = self.start..self.start + info.len;
                    self.start = picture.end;
                    self.walk = Walk::default();
                    return Some((&self.buffer[picture], info));
                }
                Ok(None) if bytes.len() <= self.limit => return None,
                Ok(_) | Err(_) => self.skip_to_next_start(),
            }
        }
    }

    /// Declares the end of the stream: the last picture, when it is only a part of one, may have hidden whole
    /// ones. Take these out with [`Splitter::next_picture`] until [`Splitter::is_empty`].
    pub fn give_up(&mut self) {
        self.skip_to_next_start();
    }

    /// Whether no byte is waiting for more.
    pub fn is_empty(&self) -> bool {
        self.start == self.buffer.len()
    }

    /// The bytes so far that belonged to no whole picture.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    fn skip_to_next_start(&mut self) {
        const START: &[u8] = b"\xFF\xD8\xFF";
        let bytes = &self.buffer[self.start..];
        // Noise can look like a start, and then its segments may lie across a real one. Within what looks like a
        // picture's data there is none, and to go back before it would take its thumbnail for a picture.
        let from = self.walk.data_end.max(1).min(bytes.len());
        let next = memmem::find(&bytes[from..], START).map_or_else(
            // The last two bytes may be the beginning of a start.
            || {
                (from.max(bytes.len().saturating_sub(2))..bytes.len())
                    .find(|&at| START.starts_with(&bytes[at..]))
            },
            |found| Some(from + found),
        );
        let next = next.unwrap_or(bytes.len());
        self.skipped += next as u64;
        self.start += next;
        self.walk = Walk::default();
    }
}

#[cfg(test)]
mod tests {
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
}
