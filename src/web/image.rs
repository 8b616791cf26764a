//! `image_stream.jpg`: one picture from memory.

use std::{
    fmt,
    io::{Cursor, Write},
    time::{Duration, UNIX_EPOCH},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use httpdate::HttpDate;

use super::{error, etag::is_known};
use crate::{
    camera::Camera,
    feed::{Frame, FrameId},
};

/// The exposure time in seconds since 1970 with microseconds, under the name that mjpg-streamer gave it.
const X_TIMESTAMP: &str = "x-timestamp";

/// Whether a picture is what the camera sees, 1, or recorded, 0.
const X_EYELID_LIVE: &str = "x-eyelid-live";

/// The picture that the query's `_t` names, which caches may keep for ever; else the newest one, which they
/// may not keep at all.
pub(crate) fn image(camera: &Camera, query: Option<&str>, headers: &HeaderMap) -> Response<Bytes> {
    let asked = query.and_then(id).and_then(|id| camera.feed().get(id));
    let caching = if asked.is_some() { "public, max-age=31536000, immutable" } else { "no-store" };
    match asked.or_else(|| camera.feed().newest()) {
        Some(frame) => picture(&frame, None, caching, headers),
        None => error::json(
            StatusCode::NOT_FOUND,
            "this camera has taken no picture yet",
            "open the page and click Start Camera, or get snapshot.jpg, which starts it",
        ),
    }
}

/// A picture as an answer, or the same made smaller, with its width; 304 where the client has it already.
pub(super) fn picture(
    frame: &Frame,
    smaller: Option<(u16, Bytes)>,
    caching: &'static str,
    asked: &HeaderMap,
) -> Response<Bytes> {
    let (etag, jpeg) = match smaller {
        None => (text(format_args!("\"{}\"", frame.id)), frame.jpeg.clone()),
        Some((width, jpeg)) => (text(format_args!("\"{}-{width}\"", frame.id)), jpeg),
    };
    let known = is_known(asked, &etag);
    let mut response = Response::new(if known { Bytes::new() } else { jpeg });
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = response.headers_mut();
    // These, and those of the guard.
    headers.reserve(9);
    headers.insert(X_EYELID_LIVE, HeaderValue::from_static(live(frame)));
    headers.insert(X_TIMESTAMP, text(format_args!("{}", timestamp(frame))));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("image/jpeg"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    headers.insert(header::ETAG, etag);
    headers.insert(header::LAST_MODIFIED, text(format_args!("{}", HttpDate::from(frame.taken))));
    response
}

/// The value of `X-Eyelid-Live`.
pub(super) fn live(frame: &Frame) -> &'static str {
    if frame.recorded { "0" } else { "1" }
}

/// The value of `X-Timestamp`.
pub(super) fn timestamp(frame: &Frame) -> impl fmt::Display {
    Timestamp(frame.taken.duration_since(UNIX_EPOCH).unwrap_or_default())
}

/// Seconds with microseconds.
struct Timestamp(Duration);

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.0.as_secs(), self.0.subsec_micros())
    }
}

/// A short header value. It is written to the stack first: these are made for each picture of each viewer, and a
/// string that grows cost half of what the whole answer did.
fn text(value: fmt::Arguments<'_>) -> HeaderValue {
    let mut text = Cursor::new([0; 32]);
    text.write_fmt(value).expect("ids, times and dates have at most 29 characters");
    let (text, length) = (text.get_ref(), text.position() as usize);
    HeaderValue::from_bytes(&text[..length]).expect("digits, letters and quotes are a header value")
}

fn id(query: &str) -> Option<FrameId> {
    query.split('&').find_map(|pair| pair.strip_prefix("_t=")).and_then(|id| id.parse().ok())
}
