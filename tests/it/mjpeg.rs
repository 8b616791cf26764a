//! `stream.mjpg`, and the same under the addresses of other programs.

use std::{
    fs,
    net::SocketAddr,
    time::{Duration, SystemTime},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinHandle,
};

use crate::support::{
    Certificate, Daemon, Mjpeg, StandIn, Tunnel, connect_tls, eventually, get, in_time, jpeg, request,
};

const NONE: &str = "linger = \"0s\"";
const LONG: &str = "linger = \"1h\"\nstall_timeout = \"1h\"";

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_starts_the_camera_shows_each_newer_picture_and_stops_it_when_its_program_is_killed() {
    let camera = StandIn::new();
    let daemon = Daemon::start(&camera.entry("tank", NONE)).await;
    let mut stream = Mjpeg::open(daemon.address, "/stream.mjpg").await;
    let expected = [
        "content-type: multipart/x-mixed-replace;boundary=boundarydonotcross",
        "cache-control: no-store",
        "connection: close",
        "x-accel-buffering: no",
        "cross-origin-resource-policy: same-origin",
    ];
    for line in expected {
        assert!(stream.head.iter().any(|have| have == line), "{line} is not in {:?}", stream.head);
    }
    let mut last = 0;
    for _ in 0..20 {
        let part = stream.picture().await;
        assert!(part.live && part.id > last);
        last = part.id;
    }
    daemon.until_it("tank", "live with one viewer", |now| now["viewers"] == 1).await;
    drop(stream);
    daemon.until("tank", "idle").await;
    eventually("the end of the capture process", async || daemon.captures().is_empty().then_some(())).await;
    assert_eq!(camera.starts().len(), 1);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_addresses_of_other_programs_answer_alike() {
    let (one, two) = (StandIn::new(), StandIn::new());
    let config = one.entry("one", LONG) + &two.entry("two", LONG);
    let daemon = Daemon::start(&config).await;
    for path in ["/stream", "/?action=stream", "/?action=stream_0&n=5", "/cameras/one/stream.mjpg"] {
        Mjpeg::open(daemon.address, path).await.picture().await;
    }
    assert_eq!((one.starts().len(), two.starts().len()), (1, 0));
    for path in ["/?action=stream_1", "/cameras/two/stream", "/cameras/two/?action=stream"] {
        Mjpeg::open(daemon.address, path).await.picture().await;
    }
    assert_eq!((one.starts().len(), two.starts().len()), (1, 1));
    for path in
        ["/snapshot", "/?action=snapshot&bypassCache=123", "/?action=snapshot_1", "/cameras/two/snapshot"]
    {
        let reply = get(daemon.address, path).await;
        assert_eq!((reply.status, reply.header("content-type")), (200, "image/jpeg"), "{path}");
        eyelid::jpeg::inspect(&reply.body).unwrap();
    }
    for (path, status) in [
        ("/?action=command", 400),
        ("/?action=stream_x", 400),
        ("/?action=stream_2", 404),
        ("/cameras/two/?action=stream_1", 404),
        ("/cameras/none/stream", 404),
        ("/stream.mjpg?fps=0", 400),
        ("/stream?fps=many", 400),
        ("/?action=stream&fps=61", 400),
    ] {
        let reply = get(daemon.address, path).await;
        assert_eq!(reply.status, status, "{path}");
        assert!(reply.json()["error"].is_string());
        if path.contains("fps") {
            assert_eq!(reply.json()["hint"], "fps takes a number from 0.1 to 60", "{path}");
        }
    }
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_only_asks_for_the_head_starts_nothing() {
    let camera = StandIn::new();
    let daemon = Daemon::start(&camera.entry("tank", LONG)).await;
    let mut stream = TcpStream::connect(daemon.address).await.unwrap();
    stream.write_all(b"HEAD /stream.mjpg HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    in_time("the answer", stream.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.0 200 OK\r\n") && answer.ends_with("\r\n\r\n"), "{answer}");
    assert!(answer.contains("multipart/x-mixed-replace"), "{answer}");
    let reply = request(daemon.address, "POST", "/stream.mjpg", "", b"").await;
    assert_eq!(reply.status, 405);
    daemon.stop().await;
    assert_eq!(camera.starts(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_cannot_start_is_an_error_with_its_reason() {
    let camera = StandIn::doing("echo 'no such sensor' >&2; exit 3");
    let daemon = Daemon::start(&camera.entry("tank", NONE)).await;
    let reply = get(daemon.address, "/stream.mjpg").await;
    assert_eq!(reply.status, 503, "{}", reply.text());
    assert!(reply.text().contains("no such sensor"), "{}", reply.text());
    assert!(reply.header("retry-after").parse::<u32>().is_ok());
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_outlives_a_failure_of_the_camera() {
    // It ends after its first pictures, and works from its second start on.
    let body = "if [ -e been ]; then while :; do cat b.jpg; sleep 0.02; done; fi; >been; cat a.jpg; sleep 0.1; exit 3";
    let camera = StandIn::doing(body);
    let daemon = Daemon::start(&camera.entry("tank", NONE)).await;
    let mut stream = Mjpeg::open(daemon.address, "/stream.mjpg").await;
    assert_eq!(stream.picture().await.jpeg, jpeg(0));
    while stream.picture().await.jpeg != jpeg(255) {}
    assert_eq!(camera.starts().len(), 2);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_picture_that_is_there_is_sent_at_once_and_again_while_there_is_no_newer_one() {
    let camera = StandIn::still();
    let daemon = Daemon::start(&camera.entry("tank", NONE).replace("20ms", "1h")).await;
    let mut first = tokio::spawn({
        let address = daemon.address;
        async move {
            let mut stream = Mjpeg::open(address, "/stream.mjpg").await;
            (stream.picture().await, stream)
        }
    });
    eventually("the camera's start", async || (!camera.starts().is_empty()).then_some(())).await;
    let file = daemon.rolling_file("tank");
    show(&file, 7);
    let (part, mut stream) = in_time("the first picture", &mut first).await.unwrap();
    assert_eq!(part.jpeg, jpeg(7));
    // Nobody writes another one, and yet whoever comes has one, and whoever is there sees that it goes on.
    let mut second = Mjpeg::open(daemon.address, "/stream.mjpg").await;
    assert_eq!(second.picture().await.id, part.id);
    assert_eq!(stream.picture().await.id, part.id, "again");
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_of_the_last_time_the_camera_was_on_is_not_shown() {
    let camera = StandIn::doing("cat a.jpg; exec sleep 1000000");
    let daemon = Daemon::start(&camera.entry("tank", NONE)).await;
    let old: u64 =
        get(daemon.address, "/snapshot.jpg").await.header("x-timestamp").replace('.', "").parse().unwrap();
    daemon.until("tank", "idle").await;
    assert!(Mjpeg::open(daemon.address, "/stream.mjpg").await.picture().await.id > old);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fewer_pictures_are_sent_to_whoever_wants_fewer() {
    let camera = StandIn::still();
    let daemon = Daemon::start(&camera.entry("tank", LONG)).await;
    let file = daemon.rolling_file("tank");
    let writer = tokio::spawn(async move {
        let mut shade = 0u8;
        loop {
            if file.parent().is_some_and(std::path::Path::exists) {
                show(&file, shade);
            }
            shade = shade.wrapping_add(1);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    let mut stream = Mjpeg::open(daemon.address, "/stream.mjpg?fps=4").await;
    let mut ids = Vec::new();
    for _ in 0..9 {
        ids.push(stream.picture().await.id);
    }
    writer.abort();
    // 8 times 250 ms by the time of exposure, which is that of the machine's clock when each was sent; half a
    // period may be gained where one was late.
    let micros = ids[8] - ids[0];
    assert!(micros > 8 * 125_000, "9 pictures within {micros} µs");
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_sees_recent_pictures_and_holds_up_nobody() {
    let camera = StandIn::still();
    // A picture stays fresh until this test takes the next one.
    let daemon = Daemon::start(&camera.entry("tank", NONE).replace("20ms", "1h")).await;
    let address = daemon.address;
    let slow = tokio::spawn(async move { Mjpeg::knock(address, "/stream.mjpg", Some(8192)).await });
    slow_and_fast(&camera, &daemon, address, slow, 30_000).await;
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_over_tls_sees_recent_pictures_too() {
    let (camera, certificate) = (StandIn::still(), Certificate::new());
    let config = camera.entry("tank", NONE).replace("20ms", "1h");
    let daemon = Daemon::start(&(certificate.section() + &config)).await;
    let tunnel = Tunnel::to(daemon.address, &certificate.cert()).await;
    let address = daemon.address;
    let slow = tokio::spawn(async move {
        let stream = connect_tls(address, &certificate.cert(), Some(8192)).await.unwrap();
        Mjpeg::knock_over(stream, address, "/stream.mjpg").await
    });
    // A record of TLS is 16 KiB, which its reader keeps beside what the kernel keeps.
    slow_and_fast(&camera, &daemon, tunnel.address, slow, 60_000).await;
    daemon.stop().await;
}

/// The slow reader reads one picture while ten are taken, which the fast one, at `address`, sees all.
async fn slow_and_fast(
    camera: &StandIn,
    daemon: &Daemon,
    address: SocketAddr,
    slow: JoinHandle<Mjpeg>,
    size: usize,
) {
    let file = daemon.rolling_file("tank");
    eventually("the camera's start", async || (!camera.starts().is_empty()).then_some(())).await;
    show_large(&file, 0, size);
    let mut slow = in_time("the slow reader's stream", slow).await.unwrap();
    let mut fast = Mjpeg::open(address, "/stream.mjpg").await;
    // All that the fast reader sees is numbered.
    let mut ids = vec![fast.picture().await.id];
    for round in 0..30 {
        for _ in 0..10 {
            show_large(&file, ids.len(), size);
            let last = *ids.last().unwrap();
            loop {
                let part = fast.picture().await;
                if part.id > last {
                    ids.push(part.id);
                    break;
                }
            }
        }
        let part = slow.picture().await;
        let place = ids.iter().position(|id| *id == part.id).expect("it is one that the fast one saw");
        // Chosen when the one before was all gone but for what fits into a small buffer: rounds ago at most two.
        assert!(ids.len() - place <= 30, "round {round}: picture {place} of {}", ids.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_end_cleanly_with_the_daemon() {
    let camera = StandIn::new();
    let daemon = Daemon::start(&camera.entry("tank", LONG)).await;
    let mut streams = Vec::new();
    for _ in 0..50 {
        let mut stream = Mjpeg::open(daemon.address, "/stream.mjpg").await;
        stream.picture().await;
        streams.push(stream);
    }
    daemon.until_it("tank", "50 viewers", |now| now["viewers"] == 50).await;
    let reading: Vec<_> = streams
        .into_iter()
        .map(|mut stream| tokio::spawn(async move { while stream.next().await.is_some() {} }))
        .collect();
    daemon.stop().await;
    for stream in reading {
        in_time("the end of a stream", stream).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_when_its_camera_is_taken_out_of_the_configuration() {
    let (stays, goes) = (StandIn::new(), StandIn::new());
    let one = stays.entry("one", LONG);
    let daemon = Daemon::start(&(one.clone() + &goes.entry("two", LONG))).await;
    let mut stream = Mjpeg::open(daemon.address, "/cameras/two/stream.mjpg").await;
    let mut other = Mjpeg::open(daemon.address, "/stream.mjpg").await;
    stream.picture().await;
    fs::write(daemon.config_file(), one).unwrap();
    while stream.next().await.is_some() {}
    other.picture().await;
    other.picture().await;
    daemon.stop().await;
}

/// Makes a picture the newest, as a capture process does.
fn show(file: &std::path::Path, shade: u8) {
    replace(file, &jpeg(shade));
}

/// The same with a picture of about that size; the number tells it from others.
fn show_large(file: &std::path::Path, number: usize, size: usize) {
    let mut picture = jpeg((number % 256) as u8);
    // A comment before the end: 0xFFFE, and its length with that of the length.
    let end = picture.split_off(2);
    let comment = size.saturating_sub(picture.len() + end.len() + 4);
    picture.extend([0xFF, 0xFE]);
    picture.extend(((comment + 2) as u16).to_be_bytes());
    picture.extend(vec![b'x'; comment]);
    picture.extend(end);
    replace(file, &picture);
}

fn replace(file: &std::path::Path, picture: &[u8]) {
    let new = file.with_extension("new");
    // The camera's folder may be on its way out, as at the end of a test.
    if fs::write(&new, picture).is_ok() {
        fs::File::options()
            .write(true)
            .open(&new)
            .and_then(|file| file.set_modified(SystemTime::now()))
            .unwrap();
        fs::rename(&new, file).unwrap();
    }
}
