//! `stream.mjpg`: pictures without end in one answer, as mjpg-streamer sends them.
//!
//! ```text
//! --boundary␍␊
//! Content-Type, Content-Length, X-Timestamp, X-Eyelid-Live␍␊␍␊ JPEG ␍␊--boundary␍␊      once for each picture
//! ```
//!
//! The boundary goes out with the picture that it ends: many clients show a picture only when they see it.

use std::{io::Write, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderName, HeaderValue, Response, Version, header};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::{
    content::{Content, Pieces},
    image, query,
    server::Line,
    snapshot,
};
use crate::{
    camera::{Camera, Tally, fresh::fresh_for, viewers::Lease},
    feed::Frame,
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

/// nginx keeps answers to itself until it has some of them, unless it is told not to.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Starts the camera if need be, and answers with its pictures for as long as the client takes them; with 503
/// and the reason where there is no first one. With `look` only, a client's HEAD, nothing is started.
pub(crate) async fn mjpeg(
    camera: &Camera,
    asked: Option<&str>,
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
    let frames = camera.feed().subscribe();
    let first = match fresh_for(camera, &lease).await {
        Ok(frame) => frame,
        Err(failure) => return snapshot::unavailable(failure).map(Content::from),
    };
    if let Some(line) = &line {
        line.keep_short();
    }
    let turn = Turn {
        frames,
        period: period.unwrap_or_default(),
        due: Instant::now(),
        last: None,
        first: Some(first),
        closed: camera.closed().clone(),
        tally: camera.tally().clone(),
        _lease: lease,
    };
    head(pieces(turn, line))
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
    /// The least time from one picture to the next.
    period: Duration,
    /// When the next picture may be sent.
    due: Instant,
    /// What was sent last, and when.
    last: Option<(Arc<Frame>, Instant)>,
    first: Option<Arc<Frame>>,
    closed: CancellationToken,
    tally: Tally,
    _lease: Lease,
}

impl Turn {
    /// The newest picture when one is due; nothing at the camera's end.
    async fn next(&mut self) -> Option<Arc<Frame>> {
        let closed = self.closed.clone();
        let frame = closed.run_until_cancelled(self.newest()).await??;
        let now = Instant::now();
        // From when it was due, not from when it came, or 10 pictures a second of a camera that gives 30
        // would be less. What was missed is not made up for.
        self.due = (self.due + self.period).max(now + self.period / 2);
        self.last = Some((Arc::clone(&frame), now));
        Some(frame)
    }

    async fn newest(&mut self) -> Option<Arc<Frame>> {
        let Some((last, sent)) = &self.last else { return self.first.take() };
        if !self.period.is_zero() {
            sleep_until(self.due).await;
        }
        let newer = self.frames.wait_for(|newest| newest.as_ref().is_some_and(|frame| frame.id > last.id));
        if let Ok(newest) = timeout_at(*sent + REPEAT, newer).await {
            return newest.ok()?.clone();
        }
        // The same once more, unless it was forgotten: it may show what is to be hidden now.
        self.frames.wait_for(Option::is_some).await.ok()?.clone()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;
    use proptest::prelude::*;
    use std::time::SystemTime;

    use super::*;
    use crate::{camera::viewers::Viewers, feed::Feed};

    fn frame(id: u64, jpeg: Vec<u8>) -> Arc<Frame> {
        let id = id.to_string().parse().unwrap();
        let taken = SystemTime::UNIX_EPOCH + Duration::from_micros(1_772_366_400_123_456);
        Arc::new(Frame {
            id,
            taken,
            recorded: false,
            read: std::time::Instant::now(),
            width: 1,
            height: 1,
            jpeg: jpeg.into(),
        })
    }

    fn turn(
        frames: watch::Receiver<Option<Arc<Frame>>>,
        first: Arc<Frame>,
        closed: &CancellationToken,
    ) -> Turn {
        let viewers = Viewers::new(Duration::ZERO);
        Turn {
            frames,
            period: Duration::ZERO,
            due: Instant::now(),
            last: None,
            first: Some(first),
            closed: closed.clone(),
            tally: Tally::new(viewers.clone(), Feed::new()),
            _lease: viewers.lease(),
        }
    }

    /// What a client makes of the text, by nothing but its rules: the pictures, and whether it came to its end.
    fn read_back(mut text: &[u8]) -> Option<(Vec<Vec<u8>>, bool)> {
        let mut pictures = Vec::new();
        text = text.strip_prefix(b"--boundarydonotcross\r\n")?;
        loop {
            if text.is_empty() {
                return Some((pictures, false));
            }
            if text == b"--boundarydonotcross--\r\n" {
                return Some((pictures, true));
            }
            let end = memchr::memmem::find(text, b"\r\n\r\n")?;
            let head = std::str::from_utf8(&text[..end]).ok()?;
            let field = |name: &str| head.split("\r\n").find_map(|line| line.strip_prefix(name));
            assert_eq!(field("Content-Type: "), Some("image/jpeg"));
            assert_eq!(field("X-Timestamp: "), Some("1772366400.123456"));
            let length: usize = field("Content-Length: ")?.parse().ok()?;
            let (picture, rest) = text[end + 4..].split_at_checked(length)?;
            pictures.push(picture.to_vec());
            text = rest.strip_prefix(b"\r\n--boundarydonotcross\r\n")?;
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back_as_the_same_pictures(
            pictures in prop::collection::vec(
                prop_oneof![
                    prop::collection::vec(any::<u8>(), 1..200),
                    // Nothing that stands in a picture ends it.
                    Just(b"\xFF\xD8\r\n--boundarydonotcross\r\nContent-Length: 1\r\n\r\n\xFF\xD9".to_vec()),
                ],
                1..8,
            ),
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            let text = runtime.block_on(async {
                let closed = CancellationToken::new();
                let (newest, frames) = watch::channel(None);
                let mut stream = pieces(turn(frames, frame(0, pictures[0].clone()), &closed), None);
                let mut text = Vec::new();
                text.extend(stream.next().await.unwrap().unwrap());
                for (id, picture) in (0..).zip(&pictures) {
                    newest.send_replace(Some(frame(id, picture.clone())));
                    // Head, picture, and the boundary right behind it.
                    for _ in 0..3 {
                        text.extend(stream.next().await.unwrap().unwrap());
                    }
                    let (whole, ended) = read_back(&text).expect("each picture is whole before the next one comes");
                    assert_eq!((whole.len() as u64, ended), (id + 1, false));
                }
                closed.cancel();
                while let Some(piece) = stream.next().await {
                    text.extend(piece.unwrap());
                }
                text
            });
            prop_assert_eq!(read_back(&text), Some((pictures, true)));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_rate_is_kept_over_time_and_nothing_is_made_up_for() {
        const PERIOD: Duration = Duration::from_millis(100);
        let closed = CancellationToken::new();
        let (newest, frames) = watch::channel(None);
        let mut turn = Turn { period: PERIOD, ..turn(frames, frame(0, vec![1]), &closed) };
        // The camera gives 33 a second, the viewer wants 10, and then nothing comes for a while.
        let camera = tokio::spawn(async move {
            for id in 1.. {
                tokio::time::sleep(Duration::from_millis(if id == 100 { 1010 } else { 30 })).await;
                newest.send_replace(Some(frame(id, vec![1])));
            }
        });
        let start = Instant::now();
        let mut seen = Vec::new();
        while seen.last().is_none_or(|(id, _)| *id < 150) {
            let id = turn.next().await.unwrap().id.micros();
            seen.push((id, start.elapsed()));
        }
        camera.abort();
        let before: Vec<_> = seen.iter().take_while(|(id, _)| *id < 99).collect();
        assert_eq!(before.len(), 30, "10 a second for 3 seconds: {seen:?}");
        for two in seen.windows(2) {
            assert!(two[0].0 < two[1].0, "always a newer one: {seen:?}");
            assert!(two[1].1 - two[0].1 >= PERIOD / 2, "never two at once: {seen:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_newer_picture_the_last_one_is_sent_again_after_five_seconds() {
        let closed = CancellationToken::new();
        let (newest, frames) = watch::channel(Some(frame(1, vec![1])));
        let mut turn = turn(frames, frame(1, vec![1]), &closed);
        let start = Instant::now();
        let mut next = async || (turn.next().await.unwrap().id.micros(), start.elapsed().as_secs());
        assert_eq!([next().await, next().await, next().await], [(1, 0), (1, 5), (1, 10)]);
        newest.send_replace(Some(frame(2, vec![1])));
        assert_eq!([next().await, next().await], [(2, 10), (2, 15)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_picture_that_was_forgotten_is_not_sent_again() {
        let closed = CancellationToken::new();
        let (newest, frames) = watch::channel(Some(frame(1, vec![1])));
        let mut turn = turn(frames, frame(1, vec![1]), &closed);
        turn.next().await.unwrap();
        newest.send_replace(None);
        let camera = tokio::spawn(async move {
            tokio::time::sleep(10 * REPEAT).await;
            newest.send_replace(Some(frame(2, vec![1])));
            newest
        });
        assert_eq!(turn.next().await.unwrap().id.micros(), 2);
        let newest = camera.await.unwrap();
        newest.send_replace(None);
        closed.cancel();
        assert!(turn.next().await.is_none(), "the end of the camera is the end of the wait too");
    }
}
