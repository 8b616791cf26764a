//! Socket.IO, as clients of all ages speak it.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Browser, Daemon, Manner, Polling, StandIn, eventually, get, jpeg};

#[tokio::test(flavor = "multi_thread")]
async fn both_engine_protocols_watch_over_websockets() {
    let camera = StandIn::new();
    let daemon = Daemon::start(&camera.entry("tank", "linger = \"0s\"")).await;
    for protocol in [4, 3] {
        let browser = Browser::with(daemon.address, Manner { protocol, ..Manner::default() }).await;
        let state = browser.next("state").await;
        assert_eq!(state["camera"], "tank");
        let done = browser.ask("start-stream").await;
        assert_eq!((&done["ok"], &done["state"]["camera"]), (&json!(true), &json!("tank")));
        for _ in 0..5 {
            browser.picture().await;
        }
        let done = browser.ask("stop-stream").await;
        assert_eq!((&done["ok"], &done["state"]["camera"]), (&json!(true), &json!("tank")));
        daemon.until("tank", "idle").await;
    }
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_engine_protocols_watch_over_polling() {
    let camera = StandIn::new();
    let daemon = Daemon::start(&camera.entry("tank", "linger = \"0s\"")).await;
    for protocol in [4, 3] {
        let mut polling = Polling::open(daemon.address, protocol).await;
        if protocol == 4 {
            polling.send("40").await;
        }
        polling.next("40").await;
        polling.send("427[\"start-stream\"]").await;
        let done: Value = serde_json::from_str(&polling.next("437").await).unwrap();
        assert_eq!(done[0]["ok"], true);
        for _ in 0..5 {
            let url: Value =
                serde_json::from_str(&polling.next("42[\"liveStream\",").await.replace(']', "")).unwrap();
            let reply = get(daemon.address, &format!("/{}", url.as_str().unwrap())).await;
            assert_eq!((reply.status, reply.header("content-type")), (200, "image/jpeg"));
        }
        polling.send("42[\"stop-stream\"]").await;
        daemon.until("tank", "idle").await;
    }
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_browser_says_at_once_is_not_lost() {
    let camera = StandIn::new();
    let daemon = Daemon::start(&camera.entry("tank", "linger = \"1h\"")).await;
    for round in 0..100 {
        let protocol = if round % 2 == 0 { 4 } else { 3 };
        let eager = Manner { protocol, says: vec!["stop-stream", "start-stream"], ..Manner::observer() };
        let browser = Browser::with(daemon.address, eager).await;
        daemon.until_it("tank", "one viewer", |state| state["viewers"] == 1).await;
        drop(browser);
        daemon.until("tank", "lingering").await;
    }
    assert_eq!(camera.starts().len(), 1);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn states_tell_the_whole_life_of_a_camera_to_everybody() {
    let camera = StandIn::new();
    let daemon = Daemon::start(
        &camera.entry("tank", "title = \"Aquarium\"\nlinger = \"200ms\"\nstall_timeout = \"40s\""),
    )
    .await;
    let watcher = Browser::with(daemon.address, Manner::observer()).await;
    let first = watcher.next("state").await;
    for (key, value) in [
        ("camera", json!("tank")),
        ("title", json!("Aquarium")),
        ("kind", json!("command")),
        ("state", json!("idle")),
        ("session", json!(false)),
        ("reason", json!(null)),
        ("hint", json!(null)),
        ("notice", json!(null)),
        ("source", json!(null)),
        ("viewers", json!(0)),
        ("fps", json!(0.0)),
        ("size", json!(null)),
        ("interval_ms", json!(20)),
        ("stall_timeout_ms", json!(40_000)),
        ("retry_in_ms", json!(null)),
    ] {
        assert_eq!(first[key], value, "{key}");
    }
    let viewer = Browser::open(daemon.address).await;
    viewer.say("start-stream");
    watcher.told("starting", |state| state["state"] == "starting" && state["session"] == true).await;
    let live = watcher
        .told("live with a size", |state| state["state"] == "live" && state["size"] == json!([16, 16]))
        .await;
    assert_eq!(live["source"]["kind"], "command");
    watcher.told("live with a rate", |state| state["fps"].as_f64().unwrap() > 1.0).await;
    viewer.say("stop-stream");
    watcher.told("lingering", |state| state["state"] == "lingering" && state["viewers"] == 0).await;
    let idle = watcher.told("idle", |state| state["state"] == "idle" && state["session"] == false).await;
    assert!(
        idle["since"].as_u64() >= live["since"].as_u64() && idle["now"].as_u64() >= idle["since"].as_u64()
    );
    assert_eq!((&idle["fps"], &idle["size"]), (&json!(0.0), &json!(null)));
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_is_off_has_no_size_and_no_rate_though_its_process_still_delivers() {
    // It takes as long to end as it is let.
    let camera = StandIn::doing("cat a.jpg; trap '' TERM; while :; do sleep 1; done");
    let daemon = Daemon::start(&camera.entry("tank", "linger = \"0s\"")).await;
    let watcher = Browser::with(daemon.address, Manner::observer()).await;
    let viewer = Browser::open(daemon.address).await;
    viewer.say("start-stream");
    watcher.told("a size", |state| state["size"] == json!([16, 16])).await;
    viewer.say("stop-stream");
    watcher.told("idle", |state| state["state"] == "idle").await;
    let late = jpeg(7);
    std::fs::write(daemon.rolling_file("tank"), &late).unwrap();
    eventually("the late picture", async || {
        (get(daemon.address, "/image_stream.jpg").await.body == late).then_some(())
    })
    .await;
    let (_, pid) = camera.starts()[0];
    eventually("its end", async || {
        let gone = !std::path::Path::new(&format!("/proc/{pid}")).exists();
        let state = daemon.state("tank").await;
        assert_eq!((&state["fps"], &state["size"]), (&json!(0.0), &json!(null)));
        gone.then_some(())
    })
    .await;
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_camera_is_a_namespace_and_the_first_one_is_the_main_one_too() {
    let (tank, pond) = (StandIn::new(), StandIn::new());
    let keys = "linger = \"0s\"";
    let daemon = Daemon::start(&(tank.entry("tank", keys) + &pond.entry("pond", keys))).await;
    let main = Browser::open(daemon.address).await;
    let at_tank = Browser::with(daemon.address, Manner::of("tank")).await;
    let at_pond = Browser::with(daemon.address, Manner::of("pond")).await;
    for (browser, name) in [(&main, "tank"), (&at_tank, "tank"), (&at_pond, "pond")] {
        assert_eq!(browser.next("state").await["camera"], name);
    }
    at_tank.say("start-stream");
    main.picture().await;
    at_tank.picture().await;
    at_pond.ask("clock").await;
    assert_eq!((at_pond.forget("liveStream"), pond.starts()), (0, vec![]));
    at_pond.say("start-stream");
    at_pond.picture().await;
    main.say("stop-stream");
    at_tank.say("stop-stream");
    daemon.until("tank", "idle").await;
    at_pond.picture().await;
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_client_of_one_camera_is_no_viewer_of_the_first() {
    let (tank, pond) = (StandIn::new(), StandIn::new());
    let keys = "linger = \"0s\"";
    let daemon = Daemon::start(&(tank.entry("tank", keys) + &pond.entry("pond", keys))).await;
    let main = Browser::open(daemon.address).await;
    main.say("start-stream");
    main.picture().await;
    // The old protocol connects it to the first camera too.
    let old = Browser::with(daemon.address, Manner { protocol: 3, ..Manner::of("pond") }).await;
    old.say("start-stream");
    old.picture().await;
    daemon.until_it("tank", "one viewer", |state| state["viewers"] == 1).await;
    main.say("stop-stream");
    daemon.until("tank", "idle").await;
    assert_eq!(daemon.state("pond").await["viewers"], 1);
    // The first camera in its own namespace: each picture is announced there.
    let old = Browser::with(daemon.address, Manner { protocol: 3, ..Manner::of("tank") }).await;
    old.say("start-stream");
    for _ in 0..20 {
        old.picture().await;
    }
    daemon.until_it("tank", "one viewer", |state| state["viewers"] == 1).await;
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_without_a_camera_is_refused_in_both_protocols() {
    let camera = StandIn::new();
    let daemon = Daemon::start(&camera.entry("tank", "")).await;
    for protocol in [4, 3] {
        let browser = Browser::knock(daemon.address, Manner { protocol, ..Manner::of("pond") }).await;
        eventually("the refusal", async || browser.refused()).await;
    }
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clock_is_that_of_the_daemon() {
    let camera = StandIn::new();
    let daemon = Daemon::start(&camera.entry("tank", "")).await;
    let browser = Browser::open(daemon.address).await;
    let now =
        || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64() * 1000.0;
    let before = now();
    let told = browser.ask("clock").await["now"].as_f64().unwrap();
    assert!(before - 1.0 <= told && told <= now() + 1.0, "{before} {told} {}", now());
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_event_of_ours_is_ignored() {
    let camera = StandIn::new();
    let daemon = Daemon::start(&camera.entry("tank", "linger = \"0s\"")).await;
    let browser = Browser::open(daemon.address).await;
    for event in ["no-such-event", "", "liveStream", "state", "disconnect", "connect"] {
        browser.say(event);
    }
    for data in [
        json!(["start-stream", {"deep": [[[null]]]}, 1, "x"]),
        json!(["stop-stream", null]),
        json!(["clock", 1]),
    ] {
        browser.send(Message::text(format!("42{data}")));
    }
    browser.ask("clock").await;
    browser.ask("start-stream").await;
    browser.picture().await;
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_for_pages_is_served() {
    let camera = StandIn::new();
    let daemon = Daemon::start(&camera.entry("tank", "")).await;
    let script = get(daemon.address, "/socket.io/socket.io.js").await;
    assert_eq!(script.status, 200);
    assert!(
        script.header("content-type").starts_with("text/javascript"),
        "{}",
        script.header("content-type")
    );
    assert!(script.text().contains("Socket.IO"));
    daemon.stop().await;
}
