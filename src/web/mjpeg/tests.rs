use futures_util::StreamExt;
use proptest::prelude::*;
use std::time::SystemTime;

use super::*;
use crate::camera::viewers::Viewers;

fn frame(id: u64, jpeg: Vec<u8>) -> Arc<Frame> {
    let id = id.to_string().parse().unwrap();
    let taken = SystemTime::UNIX_EPOCH + Duration::from_micros(1_772_366_400_123_456);
    let read = std::time::Instant::now();
    Arc::new(Frame { id, taken, recorded: false, read, width: 1, height: 1, jpeg: jpeg.into() })
}

fn turn(frames: watch::Receiver<Option<Arc<Frame>>>, first: Arc<Frame>, closed: &CancellationToken) -> Turn {
    let feed = Feed::new();
    let viewers = Viewers::new(Duration::ZERO);
    Turn {
        frames,
        era: feed.era(),
        tally: Tally::new(viewers.clone(), feed.clone()),
        feed,
        period: Duration::ZERO,
        shows_late: false,
        due: Instant::now(),
        last: None,
        repeated: false,
        first: Some(first),
        closed: closed.clone(),
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
async fn a_browser_gets_a_picture_once_more_soon_whatever_rate_it_wants() {
    let closed = CancellationToken::new();
    let (newest, frames) = watch::channel(Some(frame(1, vec![1])));
    let period = Duration::from_secs(1);
    let mut turn = Turn { shows_late: true, period, ..turn(frames, frame(1, vec![1]), &closed) };
    let start = Instant::now();
    let mut next = async || (turn.next().await.unwrap().id.micros(), start.elapsed().as_millis());
    assert_eq!(next().await, (1, 0));
    // It is there, and not due yet.
    newest.send_replace(Some(frame(2, vec![1])));
    let seen = [next().await, next().await, next().await, next().await, next().await];
    assert_eq!(seen, [(1, 200), (2, 1000), (2, 1200), (2, 6200), (2, 11200)]);
    newest.send_replace(Some(frame(3, vec![1])));
    assert_eq!([next().await, next().await], [(3, 11200), (3, 11400)]);
}

#[tokio::test(start_paused = true)]
async fn what_was_forgotten_is_not_sent_again_while_the_next_one_is_not_due() {
    let closed = CancellationToken::new();
    let (newest, frames) = watch::channel(Some(frame(1, vec![1])));
    let period = Duration::from_secs(1);
    let mut turn = Turn { shows_late: true, period, ..turn(frames, frame(1, vec![1]), &closed) };
    turn.next().await.unwrap();
    turn.feed.shut();
    turn.feed.open();
    newest.send_replace(Some(frame(2, vec![1])));
    assert_eq!(turn.next().await.unwrap().id.micros(), 2);
}

#[test]
fn browsers_are_told_by_the_images_that_they_know() {
    for (accept, expected) in [
        ("image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8", true),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8", true),
        ("*/*", false),
        ("multipart/x-mixed-replace", false),
    ] {
        let headers = [(header::ACCEPT, HeaderValue::from_static(accept))].into_iter().collect();
        assert_eq!(is_browser(&headers), expected, "{accept}");
    }
    assert!(!is_browser(&HeaderMap::new()));
}

#[tokio::test(start_paused = true)]
async fn a_picture_that_was_forgotten_is_not_sent_again() {
    let closed = CancellationToken::new();
    let (newest, frames) = watch::channel(Some(frame(1, vec![1])));
    let mut turn = turn(frames, frame(1, vec![1]), &closed);
    turn.next().await.unwrap();
    turn.feed.shut();
    newest.send_replace(None);
    let feed = turn.feed.clone();
    let camera = tokio::spawn(async move {
        tokio::time::sleep(10 * REPEAT).await;
        feed.open();
        newest.send_replace(Some(frame(2, vec![1])));
        newest
    });
    assert_eq!(turn.next().await.unwrap().id.micros(), 2);
    let newest = camera.await.unwrap();
    newest.send_replace(None);
    closed.cancel();
    assert!(turn.next().await.is_none(), "the end of the camera is the end of the wait too");
}
