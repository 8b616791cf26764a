//! `stream.mjpg`: pictures without end in one answer, as mjpg-streamer sends them.
//!
//! ```text
//! --boundary␍␊
//! Content-Type, Content-Length, X-Timestamp, X-Eyelid-Live␍␊␍␊ JPEG ␍␊--boundary␍␊      once for each picture
//! ```
//!
//! The boundary goes out with the picture that it ends: many clients show a picture only when they see it.
//! Chromium shows it only when it sees the head of the next one, so a browser gets the picture once more if no
//! newer one comes soon.

#[cfg(test)]
mod tests;

use std::{io::Write, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderMap, HeaderName, HeaderValue, Response, Version, header};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::{
    access::Visitor,
    content::{Content, Pieces},
    image, query,
    server::Line,
    snapshot,
};
use crate::{
    camera::{Camera, Tally, fresh::fresh_for, viewers::Lease},
    feed::{Era, Feed, Frame},
};

/// The text between pictures, that of mjpg-streamer and µStreamer: some clients look for it.
macro_rules! boundary {
    () => {
        "boundarydonotcross"
    };
}

const OPENING: &[u8] = concat!("--", boundary!(), "\r\n").as_bytes();
const BETWEEN: &[u8] = concat!("\r\n--", boundary!(), "\r\n").as_bytes();
const CLOSING: &[u8] = concat!("--", boundary!(), "--\r\n").as_bytes();
const CONTENT_TYPE: &str = concat!("multipart/x-mixed-replace;boundary=", boundary!());

/// After so long without a new picture the last one is sent again: proxies and programs give up connections
/// over which nothing comes, browsers may show a picture only when the next one begins, and whoever has
/// vanished without a word is noticed by it.
const REPEAT: Duration = Duration::from_secs(5);

/// The same for browsers, once for each picture: until then they may not show it. Cameras that take five pictures
/// a second or more pay nothing for it.
const SHOWN: Duration = Duration::from_millis(200);

/// nginx keeps answers to itself until it has some of them, unless it is told not to.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Starts the camera if need be, and answers with its pictures for as long as the client takes them; with 503
/// and the reason where there is no first one. With `look` only, a client's HEAD, nothing is started.
pub(crate) async fn mjpeg(
    camera: &Camera,
    visitor: Visitor,
    asked: Option<&str>,
    headers: &HeaderMap,
    line: Option<Line>,
    look: bool,
) -> Response<Content> {
    let period = match query::fps(asked) {
        Ok(period) => period,
        Err(refusal) => return (*refusal).map(Content::from),
    };
    if look {
        return head(Box::pin(stream::empty()));
    }
    let lease = camera.lease();
    let feed = camera.feed().clone();
    let first = match fresh_for(camera, &lease).await {
        Ok(frame) => frame,
        Err(failure) => return snapshot::unavailable(failure).map(Content::from),
    };
    if let Some(line) = &line {
        line.keep_short();
    }
    let turn = Turn {
        frames: feed.subscribe(),
        era: feed.era(),
        feed,
        period: period.unwrap_or_default(),
        shows_late: is_browser(headers),
        due: Instant::now(),
        last: None,
        repeated: false,
        first: Some(first),
        closed: camera.closed().clone(),
        tally: camera.tally().clone(),
        _lease: lease,
    };
    // Whoever may not look any more gets no other picture, nor waits for one.
    let shut_out = Box::pin(visitor.shut_out(camera.clone()));
    head(Box::pin(pieces(turn, line).take_until(shut_out)))
}

/// Whether the answer is for an `<img>`, or a tab of its own: browsers then name kinds of images that they know.
/// Programs, and scripts that read the parts themselves, name none.
fn is_browser(headers: &HeaderMap) -> bool {
    let names_images = |accept: &HeaderValue| memchr::memmem::find(accept.as_bytes(), b"image/").is_some();
    headers.get_all(header::ACCEPT).iter().any(names_images)
}

fn head(pieces: Pieces) -> Response<Content> {
    let mut response = Response::new(Content::Pieces(pieces));
    // The end of the connection is the end of the answer, as with mjpg-streamer: chunks, which is how HTTP/1.1
    // would have it, are more than some cameras' clients know.
    *response.version_mut() = Version::HTTP_10;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    headers.insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
    response
}

/// The body: one picture at a time, the next one chosen when all of the last one has gone.
fn pieces(turn: Turn, line: Option<Line>) -> Pieces {
    Box::pin(stream::unfold((turn, line, Part::Opening), async |(mut turn, line, part)| {
        let (bytes, next) = match part {
            Part::Opening => (Bytes::from_static(OPENING), Part::Next),
            Part::Next => {
                if let Some(line) = &line {
                    line.clear().await;
                }
                match turn.next().await {
                    Some(frame) => (headers(&frame), Part::Picture(frame)),
                    None => (Bytes::from_static(CLOSING), Part::End),
                }
            }
            Part::Picture(frame) => {
                turn.tally.sent(frame.jpeg.len());
                (frame.jpeg.clone(), Part::Between)
            }
            Part::Between => (Bytes::from_static(BETWEEN), Part::Next),
            Part::End => return None,
        };
        if let Some(line) = &line {
            line.filled();
        }
        Some((Ok(bytes), (turn, line, next)))
    }))
}

/// What is sent next.
enum Part {
    Opening,
    Next,
    Picture(Arc<Frame>),
    Between,
    End,
}

fn headers(frame: &Frame) -> Bytes {
    let mut text = Vec::with_capacity(128);
    let length = frame.jpeg.len();
    let (timestamp, live) = (image::timestamp(frame), image::live(frame));
    write!(text, "Content-Type: image/jpeg\r\nContent-Length: {length}\r\nX-Timestamp: {timestamp}\r\n")
        .and_then(|()| write!(text, "X-Eyelid-Live: {live}\r\n\r\n"))
        .expect("memory can be written to");
    text.into()
}

/// A viewer's turn: which picture it gets, and when.
struct Turn {
    frames: watch::Receiver<Option<Arc<Frame>>>,
    feed: Feed,
    /// That of the picture sent last, or an earlier one.
    era: Era,
    /// The least time from one picture to the next.
    period: Duration,
    /// When the next picture may be sent.
    due: Instant,
    /// The client shows a picture only when another one begins.
    shows_late: bool,
    /// What was sent last, and when.
    last: Option<(Arc<Frame>, Instant)>,
    /// That was not its first time.
    repeated: bool,
    first: Option<Arc<Frame>>,
    closed: CancellationToken,
    tally: Tally,
    _lease: Lease,
}

impl Turn {
    /// The newest picture when one is due; nothing at the camera's end.
    async fn next(&mut self) -> Option<Arc<Frame>> {
        let (closed, era) = (self.closed.clone(), self.feed.era());
        let frame = closed.run_until_cancelled(self.newest()).await??;
        let now = Instant::now();
        if self.last.as_ref().is_some_and(|(last, _)| last.id == frame.id) {
            (self.last, self.repeated) = (Some((frame.clone(), now)), true);
            return Some(frame);
        }
        // From when it was due, not from when it came, or 10 pictures a second of a camera that gives 30
        // would be less. What was missed is not made up for.
        self.due = (self.due + self.period).max(now + self.period / 2);
        (self.last, self.repeated, self.era) = (Some((Arc::clone(&frame), now)), false, era);
        Some(frame)
    }

    async fn newest(&mut self) -> Option<Arc<Frame>> {
        let Some((last, sent)) = &self.last else { return self.first.take() };
        let newer = async {
            if self.due > Instant::now() {
                sleep_until(self.due).await;
            }
            let is_newer =
                |newest: &Option<Arc<Frame>>| newest.as_ref().is_some_and(|frame| frame.id > last.id);
            self.frames.wait_for(is_newer).await.ok()?.clone()
        };
        let pause = if self.shows_late && !self.repeated { SHOWN } else { REPEAT };
        if let Ok(newest) = timeout_at(*sent + pause, newer).await {
            return newest;
        }
        // The same once more, unless it was forgotten: it may show what is to be hidden now.
        let newest = self.frames.wait_for(Option::is_some).await.ok()?.clone();
        if self.feed.era() == self.era { Some(Arc::clone(last)) } else { newest }
    }
}
