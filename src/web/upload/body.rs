//! From the body of an upload to a picture.

use std::convert::Infallible;

use bytes::{Buf, Bytes};
use futures_util::{Stream, TryStreamExt, stream};
use http::{HeaderMap, StatusCode, header};
use multer::Multipart;
use tokio::time::{Instant, timeout_at};

use super::{LONGEST, answer::Refused};
use crate::jpeg;

/// The largest picture that is taken.
const LARGEST_PICTURE: usize = 2 << 20;

/// What a form may have around its picture.
const FORM_OVERHEAD: usize = 16 << 10;

/// The most pixels that a picture may have: 16 MP, or 4096 times 4096.
const MOST_PIXELS: u32 = 16 << 20;

/// The field of a form that has the picture.
const FIELD: &str = "img";

/// The form in which a picture comes.
#[derive(Debug, PartialEq)]
pub(super) enum Form {
    /// As the body itself.
    Picture,
    /// In a form, between lines with this text.
    Multipart(String),
}

impl Form {
    /// What the head of the request says that the body is.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut types = headers.get_all(header::CONTENT_TYPE).iter();
        let (Some(only), None) = (types.next(), types.next()) else { return None };
        let only = only.to_str().ok()?;
        let name = only.split(';').next().unwrap_or_default().trim();
        if name.eq_ignore_ascii_case("image/jpeg") || name.eq_ignore_ascii_case("image/jpg") {
            return Some(Self::Picture);
        }
        multer::parse_boundary(only).ok().map(Self::Multipart)
    }

    /// Refuses a body that is longer than any picture, before it is read.
    pub(super) fn check_length(&self, length: u64) -> Result<(), Refused> {
        let most = match self {
            Self::Picture => LARGEST_PICTURE,
            Self::Multipart(_) => LARGEST_PICTURE + FORM_OVERHEAD,
        };
        if length > most as u64 { Err(too_large()) } else { Ok(()) }
    }

    /// The picture in a whole body.
    pub(super) async fn picture(self, body: Bytes) -> Result<Bytes, Refused> {
        let Self::Multipart(boundary) = self else { return Ok(body) };
        let broken = |error: multer::Error| {
            unusable(format!("the form is broken: {error}"), "end it with its boundary and two hyphens")
        };
        let mut form = Multipart::new(stream::iter([Ok::<_, Infallible>(body)]), boundary);
        let mut picture = None;
        while let Some(field) = form.next_field().await.map_err(broken)? {
            if field.name() != Some(FIELD) {
                continue;
            }
            let bytes = field.bytes().await.map_err(broken)?;
            if picture.replace(bytes).is_some() {
                return Err(unusable(
                    format!("the form has more than one field {FIELD}"),
                    "send one picture",
                ));
            }
        }
        let picture = picture.ok_or_else(|| {
            unusable(format!("the form has no field {FIELD}"), "send the picture as a file with that name")
        })?;
        if picture.len() > LARGEST_PICTURE { Err(too_large()) } else { Ok(picture) }
    }
}

/// Reads all of a body, whose length has been looked at, until then.
pub(super) async fn read<B: Buf, E>(
    body: impl Stream<Item = Result<B, E>>,
    deadline: Instant,
) -> Result<Bytes, Refused> {
    timeout_at(deadline, whole(body)).await.map_err(|_| {
        let reason = format!("the upload took longer than {} s", LONGEST.as_secs());
        let hint = "send smaller pictures, or from a better place for the network";
        Refused::new(StatusCode::REQUEST_TIMEOUT, reason, hint)
    })?
}

async fn whole<B: Buf, E>(body: impl Stream<Item = Result<B, E>>) -> Result<Bytes, Refused> {
    let mut body = std::pin::pin!(body);
    let mut bytes = Vec::new();
    loop {
        match body.try_next().await {
            Ok(None) => return Ok(bytes.into()),
            Ok(Some(mut piece)) => {
                while piece.has_remaining() {
                    let chunk = piece.chunk();
                    bytes.extend_from_slice(chunk);
                    let moved = chunk.len();
                    piece.advance(moved);
                }
            }
            Err(_) => {
                return Err(Refused::new(StatusCode::BAD_REQUEST, "the upload breaks off", "send all of it"));
            }
        }
    }
}

/// Whether a picture is whole, and not too much to decode.
pub(super) fn check(picture: &[u8]) -> Result<(), Refused> {
    let info = jpeg::inspect(picture).map_err(|defect| {
        let size = picture.len();
        unusable(format!("the picture is of no use: {defect} ({size} bytes came)"), "send a whole JPEG")
    })?;
    let (width, height) = (u32::from(info.width), u32::from(info.height));
    if width * height > MOST_PIXELS {
        let reason = format!("the picture has {width}x{height} pixels, which is more than 16 MP");
        return Err(unusable(reason, "send smaller pictures"));
    }
    Ok(())
}

fn too_large() -> Refused {
    let reason = format!("the picture has more than {} MiB", LARGEST_PICTURE >> 20);
    Refused::new(StatusCode::PAYLOAD_TOO_LARGE, reason, "send smaller pictures, or with a lower quality")
}

fn unusable(reason: String, hint: &'static str) -> Refused {
    Refused::new(StatusCode::UNPROCESSABLE_ENTITY, reason, hint)
}

#[cfg(test)]
mod tests;
