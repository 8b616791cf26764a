//! Recorded pictures in place of live ones, and pictures that are shown later, by every way to watch.

use std::{
    fs,
    path::Path,
    time::{Duration, SystemTime},
};

use eyelid::token::TokenHash;
use serde_json::{Value, json};

use crate::support::{Browser, Daemon, Mjpeg, StandIn, Viewer, eventually, get, in_time, jpeg, request};

/// The shades of recorded pictures; the stand-in's are 0 and 255.
const SHADES: [u8; 2] = [100, 150];
/// When they were taken: 12 November 2023.
const TAKEN: u64 = 1_699_794_180;

/// A folder of recorded pictures, a second between them.
fn recordings() -> tempfile::TempDir {
    let folder = tempfile::tempdir_in("/dev/shm").unwrap();
    for (at, shade) in (0..).zip(SHADES) {
        let path = folder.path().join(format!("{at}.jpg"));
        fs::write(&path, jpeg(shade)).unwrap();
        let taken = SystemTime::UNIX_EPOCH + Duration::from_secs(TAKEN + at);
        fs::File::open(path).unwrap().set_modified(taken).unwrap();
    }
    folder
}

fn is_recorded(picture: &[u8]) -> bool {
    SHADES.iter().any(|shade| picture == jpeg(*shade))
}

fn offline(folder: &Path, more: &str) -> String {
    let folder = folder.display();
    format!(
        "linger = \"0s\"\n[camera.offline]\nfolder = \"{folder}\"\nafter = \"0s\"\ninterval = \"100ms\"\n{more}"
    )
}

fn now_ms() -> f64 {
    SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs_f64() * 1e3
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_is_gone_is_replaced_by_recorded_pictures_in_every_way_to_watch() {
    let (camera, folder) = (StandIn::doing("exit 1"), recordings());
    let daemon = Daemon::start(&camera.entry("tank", &offline(folder.path(), ""))).await;
    assert_eq!(
        get(daemon.address, "/image_stream.jpg").await.status,
        404,
        "nobody watches, so nothing is shown"
    );

    let browser = Browser::open(daemon.address).await;
    browser.say("start-stream");
    assert!(is_recorded(&browser.picture().await));
    let late = Browser::open(daemon.address).await;
    assert!(is_recorded(&late.picture().await));
    drop(late);

    let mut viewer = Viewer::open(daemon.address, "/ws?times=true").await;
    let (picture, told) = viewer.picture().await;
    let event = told.iter().rev().find(|event| event["event"] == "picture").unwrap();
    assert!(is_recorded(&picture) && event["live"] == false);
    assert!([TAKEN as f64 * 1e3, (TAKEN + 1) as f64 * 1e3].contains(&event["taken_ms"].as_f64().unwrap()));
    let mut stream = Mjpeg::open(daemon.address, "/stream.mjpg").await;
    for _ in 0..3 {
        let part = stream.picture().await;
        assert!(is_recorded(&part.jpeg) && !part.live);
    }
    for path in ["/image_stream.jpg", "/snapshot.jpg", "/latest", "/cameras/tank/latest"] {
        let reply = get(daemon.address, path).await;
        assert_eq!((reply.status, reply.header("x-eyelid-live")), (200, "0"), "{path}");
        assert!(is_recorded(&reply.body) && reply.header("x-timestamp").starts_with("16997941"), "{path}");
        assert_eq!(reply.header("cache-control"), "no-store");
    }
    let state = daemon.until_it("tank", "recorded", |state| !state["recorded"].is_null()).await;
    assert_eq!(state["recorded"], json!({ "from": TAKEN * 1000, "to": (TAKEN + 1) * 1000 }));

    // It is back.
    camera.change("while :; do cat a.jpg; sleep 0.02; done");
    in_time("a live picture", async { while !stream.picture().await.live {} }).await;
    daemon.until_it("tank", "live", |state| state["state"] == "live" && state["recorded"].is_null()).await;
    // On a busy machine it may be gone for a moment more than once.
    eventually("the latest picture is live", async || {
        (get(daemon.address, "/latest").await.header("x-eyelid-live") == "1").then_some(())
    })
    .await;
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_may_not_run_shows_recorded_pictures_and_no_process_runs() {
    let (camera, folder) = (StandIn::new(), recordings());
    let quiet = "[camera.privacy]\nquiet = [\"00:00-24:00\"]";
    let later = offline(folder.path(), quiet).replace("after = \"0s\"", "after = \"1h\"");
    let daemon = Daemon::start(&camera.entry("tank", &later)).await;
    for path in ["/latest", "/snapshot.jpg"] {
        let reply = get(daemon.address, path).await;
        assert_eq!((reply.status, reply.header("x-eyelid-live")), (200, "0"), "{path}");
    }
    let browser = Browser::open(daemon.address).await;
    browser.say("start-stream");
    for _ in 0..3 {
        assert!(is_recorded(&browser.picture().await));
    }
    let state = daemon.state("tank").await;
    assert_eq!((&state["state"], &state["session"]), (&"idle".into(), &true.into()));
    assert_eq!((daemon.captures(), camera.starts()), (vec![], vec![]));
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_seen_live_is_remembered_and_not_announced_where_nobody_is_to_know() {
    let camera = StandIn::new();
    let switch = camera.folder().join("off");
    let keys = format!(
        "[camera.offline]\nremember = \"2s\"\ninterval = \"100ms\"\nannounce = false\n[camera.privacy]\nswitch = \"{}\"",
        switch.display()
    );
    let daemon = Daemon::start(&camera.entry("tank", &keys)).await;
    let mut viewer = Viewer::open(daemon.address, "/ws?times=true").await;
    let taken = |told: &[Value]| {
        let event = told.iter().rev().find(|event| event["event"] == "picture").unwrap();
        assert_eq!(event["live"], true);
        event["taken_ms"].as_f64().unwrap()
    };
    viewer.picture().await;
    fs::write(&switch, "").unwrap();
    daemon.until_it("tank", "blocked", |state| state["blocked"]["by"] == "switch").await;
    eventually("the end of the capture", async || daemon.captures().is_empty().then_some(())).await;
    // Nothing tells that these are recorded: neither the time nor the state nor a header.
    let off = now_ms();
    in_time("a later picture", async { while taken(&viewer.picture().await.1) < off {} }).await;
    let reply = get(daemon.address, "/snapshot.jpg").await;
    assert_eq!((reply.status, reply.header("x-eyelid-live")), (200, "1"));
    assert!(daemon.state("tank").await["recorded"].is_null());
    // Now something else is to be hidden, and what is remembered may show it.
    let masked = camera.entry("tank", &format!("masks = [\"0%,0%,50%,50%\"]\n{keys}"));
    fs::write(daemon.config_file(), masked).unwrap();
    eventually("nothing to show", async || {
        (get(daemon.address, "/snapshot.jpg").await.status == 503).then_some(())
    })
    .await;
    assert_eq!(get(daemon.address, "/image_stream.jpg").await.status, 404);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_delay_nothing_younger_is_seen_in_any_way() {
    const DELAY: f64 = 500.0;
    let camera = StandIn::new();
    let keys = "linger = \"1h\"\n[camera.privacy]\ndelay = \"500ms\"";
    let daemon = Daemon::start(&camera.entry("tank", keys)).await;
    let mut viewer = Viewer::open(daemon.address, "/ws?times=true").await;
    assert_eq!(daemon.state("tank").await["delay_ms"], 500);
    let old_enough = |taken: f64| assert!(now_ms() - taken >= DELAY, "{taken} is too young");
    let browser = Browser::open(daemon.address).await;
    browser.say("start-stream");
    for _ in 0..5 {
        let (_, told) = viewer.picture().await;
        old_enough(
            told.iter().rev().find(|event| event["event"] == "picture").unwrap()["taken_ms"]
                .as_f64()
                .unwrap(),
        );
        let url = browser.next("liveStream").await;
        let (_, id) = url.as_str().unwrap().split_once("?_t=").unwrap();
        old_enough(id.parse::<f64>().unwrap() / 1e3);
        for path in ["/image_stream.jpg", "/snapshot.jpg", "/latest"] {
            let reply = get(daemon.address, path).await;
            assert_eq!(reply.header("x-eyelid-live"), "1");
            old_enough(reply.header("x-timestamp").parse::<f64>().unwrap() * 1e3);
        }
    }
    let mut stream = Mjpeg::open(daemon.address, "/stream.mjpg").await;
    for _ in 0..5 {
        let part = stream.picture().await;
        old_enough(part.id as f64 / 1e3);
    }
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_for_the_latest_picture_starts_the_camera_and_is_never_kept_waiting() {
    let camera = StandIn::doing("exec sleep 1000000");
    let daemon = Daemon::start(&camera.entry("tank", "linger = \"0s\"")).await;
    for _ in 0..3 {
        let reply = get(daemon.address, "/latest").await;
        assert_eq!((reply.status, reply.header("retry-after")), (503, "1"));
    }
    let state = daemon.until("tank", "starting").await;
    assert_eq!(state["viewers"], 1, "all who ask are one viewer");
    assert_eq!(camera_starts(&camera).await, 1);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_latest_picture_is_a_viewers_and_counted_and_where_there_is_none_it_is_said_why() {
    let camera = StandIn::new();
    // Who has asked counts for three intervals.
    let entry = camera.entry("tank", "linger = \"0s\"").replace("interval = \"20ms\"", "interval = \"1h\"");
    let daemon = Daemon::start(&entry).await;
    let total = async || {
        let stats = get(daemon.address, "/api/stats").await.json();
        stats["cameras"][0]["total"].clone()
    };
    let first = eventually("a picture", async || {
        Some(get(daemon.address, "/latest").await).filter(|reply| reply.status == 200)
    })
    .await;
    let counted = total().await;
    assert_eq!((&counted["pictures_sent"], &counted["visits"]), (&json!(1), &json!(1)));
    assert_eq!((first.header("x-eyelid-live"), first.header("content-type")), ("1", "image/jpeg"));
    daemon.until_it("tank", "a viewer, for a while", |state| state["viewers"] == 1).await;
    let head = request(daemon.address, "HEAD", "/cameras/tank/latest", "", b"").await;
    assert_eq!((head.status, head.header("cache-control"), head.body.len()), (200, "no-store", 0));
    assert_eq!(total().await["pictures_sent"], 1, "nothing was sent");
    assert_eq!(get(daemon.address, "/cameras/pond/latest").await.status, 404);
    let post = request(daemon.address, "POST", "/latest", "", b"x").await;
    assert_eq!((post.status, post.header("allow")), (405, "GET, HEAD"));
    let html = request(daemon.address, "GET", "/latest", "Accept: text/html\r\n", b"").await;
    assert_eq!(html.status, 406);
    daemon.stop().await;

    let camera = StandIn::new();
    let keys = "[camera.privacy]\nquiet = [\"00:00-24:00\"]";
    let daemon = Daemon::start(&camera.entry("tank", keys)).await;
    let reply = get(daemon.address, "/latest").await;
    assert_eq!((reply.status, reply.json()["error"].as_str()), (503, Some("quiet hours all day long")));
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_recorded_stretches_between_live_pictures_each_picture_tells_which_it_is() {
    let (camera, folder) = (StandIn::new(), recordings());
    let switch = folder.path().join("off");
    // It is by chance whether one is on now.
    let keys = format!(
        "[camera.privacy]\ninterleave = 1.0\nshortest = \"1h\"\nlongest = \"1h\"\nswitch = \"{}\"",
        switch.display()
    );
    let daemon = Daemon::start(&camera.entry("tank", &offline(folder.path(), &keys))).await;
    let mut viewer = Viewer::open(daemon.address, "/ws?times=true").await;
    let mut stream = Mjpeg::open(daemon.address, "/stream.mjpg").await;
    for state in ["live", "idle"] {
        daemon.until("tank", state).await;
        for _ in 0..3 {
            let (picture, told) = viewer.picture().await;
            let event = told.into_iter().rfind(|event| event["event"] == "picture").unwrap();
            assert_eq!(event["live"], !is_recorded(&picture));
            let part = stream.picture().await;
            assert_eq!(part.live, !is_recorded(&part.jpeg));
            for path in ["/image_stream.jpg", "/snapshot.jpg", "/latest"] {
                let reply = get(daemon.address, path).await;
                let live = if is_recorded(&reply.body) { "0" } else { "1" };
                assert_eq!((reply.status, reply.header("x-eyelid-live")), (200, live), "{path}");
            }
        }
        // Now the camera may not run either.
        fs::write(&switch, "").unwrap();
    }
    // Not that one: it may bring what was under way.
    let mut stream = Mjpeg::open(daemon.address, "/stream.mjpg").await;
    in_time("recorded pictures", async { while !is_recorded(&stream.picture().await.jpeg) {} }).await;
    for _ in 0..3 {
        assert!(is_recorded(&stream.picture().await.jpeg), "nothing else any more");
    }
    eventually("the end of the capture", async || daemon.captures().is_empty().then_some(())).await;
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_leaves_while_recorded_pictures_are_shown_lets_the_camera_rest() {
    let (camera, folder) = (StandIn::still(), recordings());
    let daemon = Daemon::start(&camera.entry("tank", &offline(folder.path(), ""))).await;
    let mut viewer = Viewer::open(daemon.address, "/ws").await;
    let browser = Browser::open(daemon.address).await;
    browser.say("start-stream");
    for _ in 0..3 {
        assert!(is_recorded(&viewer.picture().await.0) && is_recorded(&browser.picture().await));
    }
    assert_eq!(daemon.until("tank", "starting").await["viewers"], 2);
    drop(viewer);
    drop(browser);
    let state =
        daemon.until_it("tank", "off", |now| now["state"] == "idle" && now["recorded"].is_null()).await;
    assert_eq!((&state["viewers"], &state["session"]), (&json!(0), &json!(false)));
    eventually("the end of the capture", async || daemon.captures().is_empty().then_some(())).await;
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_camera_has_sent_last_is_shown_when_it_sends_no_more() {
    const TOKEN: &str = "b1946ac92492d2347c6235b4d2611184";
    let config = format!(
        "[[camera]]\nname = \"gate\"\nkind = \"push\"\nupload_token = \"{}\"\ninterval = \"100ms\"\n\
         start_timeout = \"5m\"\nstall_timeout = \"5m\"\nlinger = \"0s\"\n\
         [camera.offline]\nremember = \"10s\"\nafter = \"0s\"\ninterval = \"100ms\"\n",
        TokenHash::of(TOKEN)
    );
    let daemon = Daemon::start(&config).await;
    let mut viewer = Viewer::open(daemon.address, "/ws?times=true").await;
    daemon.until("gate", "starting").await;
    let headers = format!("Authorization: Bearer {TOKEN}\r\nContent-Type: image/jpeg\r\n");
    let before = now_ms();
    for shade in SHADES {
        let reply = request(daemon.address, "POST", "/upload", &headers, &jpeg(shade)).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        in_time("what was sent", async { while viewer.picture().await.0 != jpeg(shade) {} }).await;
    }
    let after = now_ms();
    let recorded = in_time("a recorded picture", async {
        loop {
            let (picture, told) = viewer.picture().await;
            let event = told.into_iter().rfind(|event| event["event"] == "picture").unwrap();
            if event["live"] == false {
                assert!(is_recorded(&picture));
                return event["taken_ms"].as_f64().unwrap();
            }
        }
    })
    .await;
    assert!((before..=after).contains(&recorded), "{before} {recorded} {after}");
    let state = daemon.until_it("gate", "recorded", |state| !state["recorded"].is_null()).await;
    assert!(state["recorded"]["from"].as_f64() >= Some(before.floor()), "{state}");
    assert_eq!(get(daemon.address, "/latest").await.header("x-eyelid-live"), "0");
    // It has woken up.
    let reply = request(daemon.address, "POST", "/upload", &headers, &jpeg(200)).await;
    assert_eq!(reply.status, 200);
    in_time("what was sent", async { while viewer.picture().await.0 != jpeg(200) {} }).await;
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_delay_the_last_pictures_of_a_camera_that_fails_come_when_it_is_their_time() {
    // One picture, and it has failed.
    let camera = StandIn::doing("cat a.jpg; sleep 0.1; exit 1");
    let keys = "[camera.privacy]\ndelay = \"700ms\"";
    let daemon = Daemon::start(&camera.entry("tank", keys)).await;
    let mut viewer = Viewer::open(daemon.address, "/ws?times=true").await;
    for _ in 0..2 {
        let (picture, told) = viewer.picture().await;
        let event = told.into_iter().rfind(|event| event["event"] == "picture").unwrap();
        assert_eq!((picture, &event["live"]), (jpeg(0), &json!(true)));
        assert!(now_ms() - event["taken_ms"].as_f64().unwrap() >= 700.0);
    }
    daemon.stop().await;
}

async fn camera_starts(camera: &StandIn) -> usize {
    eventually("a start", async || Some(camera.starts().len()).filter(|starts| *starts > 0)).await
}
