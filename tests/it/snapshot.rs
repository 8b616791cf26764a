//! `snapshot.jpg` with a width, and with an age that will do.

use std::{fs, time::Duration};

use crate::support::{Daemon, StandIn, eventually, get, jpeg, request};

const NONE: &str = "linger = \"0s\"";
const LONG: &str = "linger = \"1h\"";

/// A camera whose pictures are 64 pixels wide and 48 high.
fn wide() -> StandIn {
    let camera = StandIn::new();
    let mut jpeg = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut jpeg, 90);
    encoder.encode(&[120; 64 * 48], 64, 48, jpeg_encoder::ColorType::Luma).unwrap();
    for name in ["a.jpg", "b.jpg"] {
        fs::write(camera.folder().join(name), &jpeg).unwrap();
    }
    camera
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_is_as_wide_as_was_asked_and_never_wider_than_the_picture() {
    let camera = wide();
    let daemon = Daemon::start(&camera.entry("tank", LONG)).await;
    for (path, expected) in [
        ("/snapshot.jpg?width=32", (32, 24)),
        ("/snapshot?width=16&_=1", (16, 12)),
        ("/?action=snapshot&width=20", (20, 15)),
        ("/cameras/tank/snapshot.jpg?width=64", (64, 48)),
        ("/snapshot.jpg?width=8192", (64, 48)),
    ] {
        let reply = get(daemon.address, path).await;
        assert_eq!((reply.status, reply.header("content-type")), (200, "image/jpeg"), "{path}");
        let info = eyelid::jpeg::inspect(&reply.body).unwrap();
        assert_eq!((info.width, info.height), expected, "{path}");
        let id = reply.header("x-timestamp").replace('.', "");
        let etag = if expected.0 < 64 { format!("\"{id}-{}\"", expected.0) } else { format!("\"{id}\"") };
        assert_eq!(reply.header("etag"), etag, "{path}");
        assert!(!reply.header("last-modified").is_empty());
    }
    assert_eq!(camera.starts().len(), 1);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_young_picture_is_taken_from_memory_and_an_old_one_starts_the_camera() {
    let camera = wide();
    // One picture each time, so that none comes when nobody expects it.
    camera.change("cat a.jpg; exec sleep 1000000");
    let daemon = Daemon::start(&camera.entry("tank", NONE)).await;
    // There is none yet.
    assert_eq!(get(daemon.address, "/snapshot.jpg?max_age=24h").await.status, 200);
    daemon.until("tank", "idle").await;
    eventually("the end of the capture process", async || daemon.captures().is_empty().then_some(())).await;
    let kept = get(daemon.address, "/image_stream.jpg").await.header("etag").to_owned();
    for path in ["/snapshot.jpg?max_age=24h", "/?action=snapshot&max_age=1h%2030m", "/snapshot?max_age=24h"] {
        let reply = get(daemon.address, path).await;
        assert_eq!((reply.status, reply.header("etag")), (200, kept.as_str()), "{path}");
    }
    let reply = get(daemon.address, "/snapshot.jpg?max_age=24h&width=32").await;
    assert_eq!(eyelid::jpeg::inspect(&reply.body).unwrap().width, 32);
    let known = format!("If-None-Match: {}\r\n", reply.header("etag"));
    let again = request(daemon.address, "GET", "/snapshot.jpg?max_age=24h&width=32", &known, b"").await;
    assert_eq!((again.status, again.body.len()), (304, 0));
    assert_eq!((camera.starts().len(), daemon.state("tank").await["state"].clone()), (1, "idle".into()));
    let reply = get(daemon.address, "/snapshot.jpg?max_age=0s").await;
    assert_ne!(reply.header("etag"), kept);
    assert_eq!(camera.starts().len(), 2);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_picture_of_a_camera_that_is_on_will_not_do_and_who_waits_is_told_of_the_end() {
    let camera = StandIn::still();
    let daemon = Daemon::start(&camera.entry("tank", LONG)).await;
    let address = daemon.address;
    let ask = || tokio::spawn(async move { get(address, "/snapshot.jpg").await });
    let waits = async || daemon.until_it("tank", "on for one who waits", |now| now["viewers"] == 1).await;
    let show = |shade| {
        let new = camera.folder().join("new.jpg");
        fs::write(&new, jpeg(shade)).unwrap();
        fs::rename(new, daemon.rolling_file("tank")).unwrap();
    };
    for shade in [1, 2] {
        let asking = ask();
        waits().await;
        eventually("the camera's start", async || (!camera.starts().is_empty()).then_some(())).await;
        show(shade);
        assert_eq!(asking.await.unwrap().body, jpeg(shade));
        daemon.until_it("tank", "on for nobody", |now| now["viewers"] == 0).await;
        // Two intervals, and it is too old.
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    let asking = ask();
    waits().await;
    daemon.stop().await;
    let reply = asking.await.unwrap();
    assert_eq!((reply.status, reply.json()["error"].as_str()), (503, Some("the daemon stops")));
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_values_are_told_their_limits_and_start_nothing() {
    let camera = wide();
    let daemon = Daemon::start(&camera.entry("tank", LONG)).await;
    for (query, limits) in [
        ("width=15", "width takes an integer from 16 to 8192"),
        ("width=8193", "width takes an integer from 16 to 8192"),
        ("width=wide", "width takes an integer from 16 to 8192"),
        ("width=", "width takes an integer from 16 to 8192"),
        ("max_age=2", "max_age takes a time from 0s to 24h with its unit, such as 500ms or 2s"),
        ("max_age=25h", "max_age takes a time from 0s to 24h with its unit, such as 500ms or 2s"),
        ("max_age=soon&width=32", "max_age takes a time from 0s to 24h with its unit, such as 500ms or 2s"),
    ] {
        for path in ["/snapshot.jpg?", "/snapshot?", "/?action=snapshot&", "/cameras/tank/snapshot.jpg?"] {
            let reply = get(daemon.address, &format!("{path}{query}")).await;
            assert_eq!((reply.status, reply.json()["hint"].as_str()), (400, Some(limits)), "{path}{query}");
        }
    }
    assert_eq!(camera.starts(), []);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_may_ask_for_a_size_at_once() {
    let camera = wide();
    let daemon = Daemon::start(&camera.entry("tank", LONG)).await;
    get(daemon.address, "/snapshot.jpg").await;
    let asking: Vec<_> = (0..50)
        .map(|number| {
            let (address, width) = (daemon.address, 16 + number % 5);
            tokio::spawn(async move { (width, get(address, &format!("/snapshot.jpg?width={width}")).await) })
        })
        .collect();
    for asking in asking {
        let (width, reply) = asking.await.unwrap();
        assert_eq!(eyelid::jpeg::inspect(&reply.body).unwrap().width, width);
    }
    daemon.stop().await;
}
