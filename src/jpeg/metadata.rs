//! What a JPEG tells beside its picture, and how to be rid of it: where and when it was taken, with which camera,
//! and a thumbnail that shows what was there before the picture was changed.

use std::{borrow::Cow, ops::Range};

use super::{Defect, inspect_segments};

/// A JPEG without its metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clean<'a> {
    /// The picture, to its end marker. Where nothing had to go, these are the bytes that were given.
    pub jpeg: Cow<'a, [u8]>,
    /// Which way up the picture is, as the metadata said: 1 to 8, as EXIF counts.
    pub orientation: u16,
}

/// Drops the segments APP1 to APP15 and COM, thumbnails, and what follows the picture's end.
///
/// Three segments can be needed to understand the picture, and stay in a form that tells nothing else: JFIF's and
/// AVI's own APP0, and an APP14 of Adobe's where the picture is not in YCbCr, which nothing else in it says.
///
/// # Errors
/// When it is no whole JPEG.
pub fn without_metadata(bytes: &[u8]) -> Result<Clean<'_>, Defect> {
    let mut orientation = None;
    let mut components = 3;
    let mut changes: Vec<(Range<usize>, Change)> = Vec::new();
    let info = inspect_segments(bytes, |marker, place| {
        // The picture may still be found to be cut off.
        let Some(payload) = bytes.get(place.start + 4..place.end) else { return };
        match marker {
            0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF => {
                components = payload.get(5).copied().unwrap_or(components);
            }
            0xE0 => changes.extend(app0(payload).map(|change| (place, change))),
            0xEE => changes.push((place, adobe(payload))),
            0xE1..=0xEF | 0xFE => {
                if marker == 0xE1 && orientation.is_none() {
                    orientation = payload.strip_prefix(b"Exif\0\0").and_then(exif_orientation);
                }
                changes.push((place, Change::Drop));
            }
            _ => {}
        }
    })?;
    let orientation = orientation.unwrap_or(1);
    if changes.is_empty() {
        return Ok(Clean { jpeg: Cow::Borrowed(&bytes[..info.len]), orientation });
    }
    let mut jpeg = Vec::with_capacity(info.len);
    let mut from = 0;
    for (place, change) in changes {
        jpeg.extend_from_slice(&bytes[from..place.start]);
        match change {
            Change::WithoutThumbnail => {
                jpeg.extend_from_slice(b"\xFF\xE0\0\x10");
                jpeg.extend_from_slice(&bytes[place.start + 4..place.start + 16]);
                jpeg.extend_from_slice(&[0, 0]);
            }
            Change::OnlyColors(transform) if components == 4 || (components == 3 && transform == 0) => {
                jpeg.extend_from_slice(b"\xFF\xEE\0\x0EAdobe\0\x64\0\0\0\0");
                jpeg.push(transform);
            }
            Change::OnlyColors(_) | Change::Drop => {}
        }
        from = place.end;
    }
    jpeg.extend_from_slice(&bytes[from..info.len]);
    Ok(Clean { jpeg: Cow::Owned(jpeg), orientation })
}

enum Change {
    Drop,
    /// An APP0 of JFIF that ends before the thumbnail.
    WithoutThumbnail,
    /// An APP14 of Adobe's that has nothing but the transform of the colours.
    OnlyColors(u8),
}

/// What is to be done with an APP0 of this payload.
fn app0(payload: &[u8]) -> Option<Change> {
    match payload {
        [b'J', b'F', b'I', b'F', 0, _, _, _, _, _, _, _, 0, 0] => None,
        [b'J', b'F', b'I', b'F', 0, rest @ ..] if rest.len() >= 9 => Some(Change::WithoutThumbnail),
        // Which of two fields of a film it is, from capture cards and some webcams; padded with zeros.
        [b'A', b'V', b'I', b'1', rest @ ..] if rest.len() <= 28 => None,
        _ => Some(Change::Drop),
    }
}

fn adobe(payload: &[u8]) -> Change {
    match payload {
        [b'A', b'd', b'o', b'b', b'e', _, _, _, _, _, _, transform, ..] => Change::OnlyColors(*transform),
        _ => Change::Drop,
    }
}

/// The tag `Orientation` of the first folder of a TIFF, which EXIF data is.
fn exif_orientation(tiff: &[u8]) -> Option<u16> {
    let big = match tiff.get(..4)? {
        b"II*\0" => false,
        b"MM\0*" => true,
        _ => return None,
    };
    let bytes = |at: usize| Some([*tiff.get(at)?, *tiff.get(at.checked_add(1)?)?]);
    let word = |at| bytes(at).map(if big { u16::from_be_bytes } else { u16::from_le_bytes });
    let (first, second) = (u32::from(word(4)?), u32::from(word(6)?));
    let folder = if big { first << 16 | second } else { second << 16 | first } as usize;
    let entries = usize::from(word(folder)?);
    let entry = (0..entries).map(|n| folder + 2 + n * 12).find(|at| word(*at) == Some(0x0112))?;
    // Of the type SHORT.
    (word(entry + 2) == Some(3)).then(|| word(entry + 8)).flatten().filter(|value| (1..=8).contains(value))
}

#[cfg(test)]
mod tests;
