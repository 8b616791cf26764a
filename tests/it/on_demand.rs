//! The camera is on while somebody watches, and only then.

use std::{collections::HashSet, time::Duration};

use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::support::{Browser, Daemon, Manner, StandIn, eventually, get, group, no_process_left};

/// A linger that no test waits for.
const LONG: &str = "linger = \"1h\"";
/// A linger that is over at once.
const NONE: &str = "linger = \"0s\"";

#[tokio::test(flavor = "multi_thread")]
async fn nothing_runs_until_somebody_asks() {
    let camera = StandIn::new();
    let daemon = Daemon::start(&camera.entry("tank", NONE)).await;
    let browser = Browser::open(daemon.address).await;
    let state = browser.next("state").await;
    assert_eq!(
        (&state["state"], &state["viewers"], &state["session"]),
        (&"idle".into(), &0.into(), &false.into())
    );
    for path in ["/", "/cameras/tank/", "/api/cameras", "/api/status", "/healthz", "/image_stream.jpg"] {
        get(daemon.address, path).await;
    }
    browser.ask("clock").await;
    assert_eq!((daemon.captures(), camera.starts()), (vec![], vec![]));
    daemon.stop().await;
    assert_eq!(camera.starts(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn start_stream_starts_the_camera_for_every_connected_browser() {
    let camera = StandIn::new();
    let daemon = Daemon::start(&camera.entry("tank", NONE)).await;
    let (one, two) = (Browser::open(daemon.address).await, Browser::open(daemon.address).await);
    let done = one.ask("start-stream").await;
    assert_eq!(done["ok"], true);
    assert_eq!(done["state"]["camera"], "tank");
    for _ in 0..5 {
        one.picture().await;
        two.picture().await;
    }
    let state =
        two.told("live with two viewers", |state| state["state"] == "live" && state["viewers"] == 2).await;
    assert_eq!((&state["session"], &state["source"]["kind"]), (&true.into(), &"command".into()));
    let late = Browser::open(daemon.address).await;
    late.picture().await;
    daemon.until_it("tank", "three viewers", |state| state["viewers"] == 3).await;
    assert_eq!((daemon.captures().len(), camera.starts().len()), (1, 1));
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_says_stop_gets_no_more_pictures_and_the_others_go_on() {
    let camera = StandIn::new();
    let daemon = Daemon::start(&camera.entry("tank", NONE)).await;
    let (one, two) = (Browser::open(daemon.address).await, Browser::open(daemon.address).await);
    one.say("start-stream");
    two.picture().await;
    assert_eq!(two.ask("stop-stream").await["ok"], true);
    daemon.until_it("tank", "one viewer", |state| state["viewers"] == 1).await;
    // One may have been on its way when it was asked to stop.
    one.forget("liveStream");
    one.picture().await;
    one.picture().await;
    two.ask("clock").await;
    two.forget("liveStream");
    for _ in 0..10 {
        one.picture().await;
    }
    two.ask("clock").await;
    assert_eq!(two.forget("liveStream"), 0);
    two.ask("start-stream").await;
    two.picture().await;
    assert_eq!(camera.starts().len(), 1);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_last_viewer_and_the_linger_all_its_processes_are_gone() {
    for leave_by_stopping in [true, false] {
        let camera = StandIn::new();
        let daemon = Daemon::start(&camera.entry("tank", "linger = \"500ms\"")).await;
        let observer = Browser::with(daemon.address, Manner::observer()).await;
        let viewer = Browser::open(daemon.address).await;
        viewer.say("start-stream");
        viewer.picture().await;
        let capture = daemon.captures()[0];
        assert!(
            group(capture).contains(&camera.starts()[0].1),
            "the command is in the group of its capture process"
        );
        if leave_by_stopping {
            viewer.ask("stop-stream").await;
        } else {
            drop(viewer);
        }
        for state in ["live", "lingering", "idle"] {
            observer.told(state, |told| told["state"] == state).await;
        }
        no_process_left(capture).await;
        let state = daemon.state("tank").await;
        assert_eq!(
            (&state["viewers"], &state["session"], &state["source"]),
            (&0.into(), &false.into(), &().into())
        );
        let file = daemon.rolling_file("tank");
        eventually("the end of the last picture's file", async || (!file.exists()).then_some(())).await;
        assert_eq!(camera.starts().len(), 1);
        daemon.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_within_the_linger_keeps_the_capture_process() {
    let camera = StandIn::new();
    let daemon = Daemon::start(&camera.entry("tank", LONG)).await;
    let before = Browser::open(daemon.address).await;
    before.say("start-stream");
    before.picture().await;
    let captures = daemon.captures();
    drop(before);
    daemon.until("tank", "lingering").await;
    let after = Browser::open(daemon.address).await;
    after.picture().await;
    daemon.until("tank", "live").await;
    assert_eq!((daemon.captures(), camera.starts().len()), (captures, 1));
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_reloads_in_a_second_start_the_sensor_once() {
    let camera = StandIn::new();
    let daemon = Daemon::start(&camera.entry("tank", LONG)).await;
    for reload in 0..20 {
        let page = Browser::open(daemon.address).await;
        if reload == 0 {
            page.ask("start-stream").await;
        }
    }
    let page = Browser::open(daemon.address).await;
    page.picture().await;
    assert_eq!((daemon.captures().len(), camera.starts().len()), (1, 1));
    assert!(!camera.was_busy());
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_observer_is_told_states_and_gets_no_pictures_until_it_asks() {
    let camera = StandIn::new();
    let daemon = Daemon::start(&camera.entry("tank", NONE)).await;
    let observer = Browser::with(daemon.address, Manner::observer()).await;
    let viewer = Browser::open(daemon.address).await;
    viewer.say("start-stream");
    for _ in 0..5 {
        viewer.picture().await;
    }
    let state = observer.told("live", |state| state["state"] == "live").await;
    assert_eq!(state["viewers"], 1);
    observer.ask("clock").await;
    assert_eq!(observer.forget("liveStream"), 0);
    observer.say("start-stream");
    observer.picture().await;
    daemon.until_it("tank", "two viewers", |state| state["viewers"] == 2).await;
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_makes_no_viewers_of_pages_that_are_only_open() {
    let camera = StandIn::new();
    let daemon = Daemon::start(&camera.entry("tank", "linger = \"100ms\"")).await;
    let page = Browser::open(daemon.address).await;
    let snapshot = get(daemon.address, "/snapshot.jpg").await;
    assert_eq!((snapshot.status, snapshot.header("content-type")), (200, "image/jpeg"));
    assert_eq!(snapshot.header("cache-control"), "no-store");
    // The page is open still, and yet the camera goes off.
    daemon.until("tank", "idle").await;
    page.ask("clock").await;
    assert_eq!(page.forget("liveStream"), 0);
    for state in ["lingering", "idle"] {
        let told = page.told(state, |told| told["state"] == state).await;
        assert_eq!(told["session"], false, "{state}");
    }
    assert_eq!(camera.starts().len(), 1);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_is_one_viewer_and_none_when_its_client_has_gone() {
    let camera = StandIn::still();
    let daemon = Daemon::start(&camera.entry("tank", NONE)).await;
    let _page = Browser::open(daemon.address).await;
    let mut client = TcpStream::connect(daemon.address).await.unwrap();
    let asked = format!("GET /snapshot.jpg HTTP/1.1\r\nHost: {}\r\n\r\n", daemon.address);
    client.write_all(asked.as_bytes()).await.unwrap();
    let state = daemon.until("tank", "starting").await;
    assert_eq!((&state["viewers"], &state["session"]), (&1.into(), &false.into()));
    drop(client);
    let state = daemon.until("tank", "idle").await;
    assert_eq!(state["viewers"], 0);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vanished_browser_is_no_viewer_after_the_ping_interval_and_timeout() {
    let camera = StandIn::new();
    let config = camera.entry("tank", NONE);
    let daemon = Daemon::start_with(&config, env!("CARGO_BIN_EXE_eyelid").as_ref(), |config| {
        config.socketio.ping_interval = Duration::from_millis(300);
        config.socketio.ping_timeout = Duration::from_millis(300);
    })
    .await;
    let present = Browser::open(daemon.address).await;
    let vanished = Browser::with(daemon.address, Manner { answers: 2, ..Manner::default() }).await;
    vanished.say("start-stream");
    vanished.picture().await;
    // 20 ms each at least, so this clock goes slower on a slow machine, never faster.
    let mut pictures = 0;
    while daemon.state("tank").await["viewers"] == 2 {
        present.picture().await;
        pictures += 1;
        assert!(pictures < 400, "it counts as a viewer still");
    }
    eventually("an end of the connection", async || vanished.is_closed().then_some(())).await;
    // One that answers stays.
    for _ in 0..50 {
        present.forget("liveStream");
        present.picture().await;
    }
    assert!(!present.is_closed());
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_test_picture_moves_and_has_the_size_and_pace_that_were_asked_for() {
    let config = "[[camera]]\nname = \"tank\"\nkind = \"pattern\"\nsize = \"320x240\"\ninterval = \"50ms\"\nlinger = \"0s\"\nstall_timeout = \"1m\"\n";
    let daemon = Daemon::start(config).await;
    let browser = Browser::open(daemon.address).await;
    browser.say("start-stream");
    let mut pictures = HashSet::new();
    for _ in 0..10 {
        let picture = browser.picture().await;
        let info = eyelid::jpeg::inspect(&picture).unwrap();
        assert_eq!((info.width, info.height), (320, 240));
        pictures.insert(picture);
    }
    assert!(pictures.len() >= 9, "{} of 10 differ", pictures.len());
    let state = browser.told("live with a rate", |state| state["fps"].as_f64().unwrap() > 0.0).await;
    assert!(state["fps"].as_f64().unwrap() <= 25.0, "{state}");
    assert_eq!((&state["source"]["kind"], &state["notice"]), (&"pattern".into(), &().into()));
    let capture = daemon.captures()[0];
    drop(browser);
    daemon.until("tank", "idle").await;
    no_process_left(capture).await;
    daemon.stop().await;
}
