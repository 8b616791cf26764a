//! The binary WebSocket, `ws`.

use std::{fs, time::Duration};

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Daemon, StandIn, Viewer, eventually, get, in_time, jpeg, request};

const NONE: &str = "linger = \"0s\"";
const LONG: &str = "linger = \"1h\"";

#[tokio::test(flavor = "multi_thread")]
async fn each_message_is_a_picture_and_the_state_is_told_as_it_changes() {
    let camera = StandIn::new();
    let daemon = Daemon::start(&camera.entry("tank", NONE)).await;
    let mut viewer = Viewer::open(daemon.address, "/ws").await;
    let Some(Message::Text(first)) = viewer.message().await else { panic!("no state at first") };
    let first: serde_json::Value = serde_json::from_str(&first).unwrap();
    assert_eq!((&first["event"], &first["state"]["camera"]), (&json!("state"), &json!("tank")));
    let live = viewer.told("state", |told| told["state"]["state"] == "live").await;
    assert_eq!(live["state"]["session"], false, "as with all but pages");
    for _ in 0..20 {
        let (picture, told) = viewer.picture().await;
        assert!(picture == jpeg(0) || picture == jpeg(255));
        assert!(told.iter().all(|told| told["event"] == "state"), "{told:?}");
    }
    daemon.until_it("tank", "live with one viewer", |now| now["viewers"] == 1).await;
    drop(viewer);
    daemon.until("tank", "idle").await;
    eventually("the end of the capture process", async || daemon.captures().is_empty().then_some(())).await;
    assert_eq!(camera.starts().len(), 1);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_websocket_gets_an_error_and_the_daemon_goes_on() {
    let camera = StandIn::new();
    let daemon = Daemon::start(&camera.entry("tank", NONE)).await;
    let upgrade = "Upgrade: websocket\r\n";
    let key = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
    for (headers, status) in [
        (String::new(), 426),
        ("Upgrade: h2c\r\n".to_owned(), 426),
        (format!("{upgrade}{key}"), 426),
        (format!("{upgrade}{key}Sec-WebSocket-Version: 8\r\n"), 426),
        (format!("{upgrade}Sec-WebSocket-Version: 13\r\n"), 400),
        (format!("{upgrade}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\n"), 400),
        (format!("{upgrade}{key}Sec-WebSocket-Version: 13\r\nOrigin: http://evil.example\r\n"), 403),
        (format!("{upgrade}{key}Sec-WebSocket-Version: 13\r\nHost: evil.example\r\n"), 421),
    ] {
        let reply = request(daemon.address, "GET", "/ws", &headers, b"").await;
        assert_eq!(reply.status, status, "{headers}: {}", reply.text());
        assert!(reply.json()["error"].is_string());
    }
    let reply = get(daemon.address, "/ws").await;
    assert_eq!((reply.status, reply.header("upgrade")), (426, "websocket"));
    let reply = request(daemon.address, "HEAD", "/ws", "", b"").await;
    assert_eq!(reply.status, 426);
    assert_eq!(camera.starts(), []);
    Viewer::open(daemon.address, "/cameras/tank/ws").await.picture().await;
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_paces_gets_a_picture_for_each_time_that_it_asks() {
    let camera = StandIn::new();
    let daemon = Daemon::start(&camera.entry("tank", LONG)).await;
    let mut viewer = Viewer::open(daemon.address, "/ws").await;
    let mut other = Viewer::open(daemon.address, "/ws").await;
    viewer.picture().await;
    // With the times, each picture says which one it is.
    viewer.say(r#"{"ready": true, "times": true}"#).await;
    let mut last = viewer.told("picture", |_| true).await["id"].as_u64().unwrap();
    viewer.picture().await;
    for _ in 0..10 {
        for _ in 0..5 {
            other.picture().await;
        }
        // An answer to something else shows that no picture has come in between.
        viewer.say("nonsense").await;
        loop {
            match viewer.message().await {
                Some(Message::Text(text)) if text.contains("\"error\"") => break,
                Some(Message::Text(text)) => assert!(text.contains("\"state\""), "{text}"),
                other => panic!("not asked for: {other:?}"),
            }
        }
        viewer.say(r#"{"ready": true}"#).await;
        let told = viewer.told("picture", |_| true).await;
        let id = told["id"].as_u64().unwrap();
        assert!(id > last);
        assert_eq!(told["taken_ms"].as_f64().unwrap().trunc() as u64, id / 1000);
        viewer.picture().await;
        last = id;
    }
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_lease_it_starts_nothing_and_is_no_viewer_but_sees_what_runs() {
    let camera = StandIn::new();
    let daemon = Daemon::start(&camera.entry("tank", NONE)).await;
    let mut page = Viewer::open(daemon.address, "/ws?lease=false&times=true&ready=true").await;
    page.told("state", |told| told["state"]["state"] == "idle").await;
    let now = daemon.state("tank").await;
    assert_eq!((&now["viewers"], &now["state"]), (&json!(0), &json!("idle")));
    let mut other = Viewer::open(daemon.address, "/ws").await;
    // The wishes of the address hold from the beginning: no picture without its time, none that is not asked for.
    let mut last = 0;
    for _ in 0..5 {
        let (_, told) = page.picture().await;
        let id =
            told.iter().filter(|told| told["event"] == "picture").map(|told| told["id"].as_u64().unwrap());
        let ids: Vec<u64> = id.collect();
        assert!(ids.len() == 1 && ids[0] > last, "{ids:?} after {last}");
        last = ids[0];
        for _ in 0..3 {
            other.picture().await;
        }
        page.say(r#"{"ready": true}"#).await;
    }
    daemon.until_it("tank", "live with one viewer", |now| now["viewers"] == 1).await;
    drop(other);
    daemon.until("tank", "idle").await;
    let reply = get(daemon.address, "/ws?lease=no").await;
    assert_eq!(reply.status, 426, "what is no WebSocket hears that first");
    assert_eq!(camera.starts().len(), 1);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_told_how_pictures_are_to_come() {
    let camera = StandIn::new();
    let entry = camera.entry("tank", NONE);
    let daemon = Daemon::start(&entry).await;
    let transport = async || {
        let told = get(daemon.address, "/api/cameras").await.json();
        told["page"]["transport"].as_str().unwrap().to_owned()
    };
    assert_eq!(transport().await, "auto");
    fs::write(daemon.config_file(), format!("[page]\ntransport = \"ws\"\n{entry}")).unwrap();
    eventually("the changed way", async || (transport().await == "ws").then_some(())).await;
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_messages_are_answered_with_the_limits_and_too_long_ones_end_it() {
    let camera = StandIn::new();
    let daemon = Daemon::start(&camera.entry("tank", LONG)).await;
    let mut viewer = Viewer::open(daemon.address, "/ws").await;
    for wrong in ["", "[]", r#"{"max_fps": 1000}"#, r#"{"max_fps": "5"}"#, r#"{"speed": 1}"#] {
        viewer.say(wrong).await;
        let error = viewer.told("error", |_| true).await;
        assert!(error["hint"].as_str().unwrap().contains("0.1 to 60"), "{error}");
    }
    viewer.send(Message::binary(vec![1, 2, 3])).await;
    viewer.told("error", |error| error["error"].as_str().unwrap().contains("binary")).await;
    viewer.say(r#"{"max_fps": 60}"#).await;
    viewer.picture().await;
    viewer.say(&"x".repeat(5000)).await;
    assert_eq!(u16::from(viewer.goodbye().await.unwrap().code), 1009);
    assert!(viewer.message().await.is_none());
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_that_reads_nothing_holds_up_nobody() {
    let camera = StandIn::new();
    let daemon = Daemon::start(&camera.entry("tank", LONG)).await;
    let _silent = Viewer::with_buffer(daemon.address, "/ws", Some(4096)).await;
    let mut other = Viewer::open(daemon.address, "/ws").await;
    for _ in 0..50 {
        other.picture().await;
    }
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_that_gives_no_sign_of_life_is_no_viewer_any_more() {
    let camera = StandIn::new();
    let set = |config: &mut eyelid::config::Config| {
        config.socketio.ping_interval = Duration::from_millis(500);
        config.socketio.ping_timeout = Duration::from_millis(500);
    };
    let program = env!("CARGO_BIN_EXE_eyelid").as_ref();
    let daemon = Daemon::start_with(&camera.entry("tank", NONE), program, set).await;
    let _silent = Viewer::with_buffer(daemon.address, "/ws", Some(4096)).await;
    eventually("the camera's start", async || (!camera.starts().is_empty()).then_some(())).await;
    daemon.until("tank", "idle").await;
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_answers_pings_stays_and_whoever_does_not_goes_though_nothing_else_is_said() {
    let camera = StandIn::still();
    // Far longer than a busy machine keeps an answer back.
    let set = |config: &mut eyelid::config::Config| {
        config.socketio.ping_interval = Duration::from_millis(500);
        config.socketio.ping_timeout = Duration::from_secs(8);
    };
    let program = env!("CARGO_BIN_EXE_eyelid").as_ref();
    let daemon = Daemon::start_with(&camera.entry("tank", NONE), program, set).await;
    let mut answering = Viewer::open(daemon.address, "/ws?ready=true").await;
    answering.pinged(1).await;
    let _silent = Viewer::open(daemon.address, "/ws?ready=true").await;
    daemon.until_it("tank", "on for two", |now| now["viewers"] == 2).await;
    loop {
        answering.pinged(1).await;
        if daemon.state("tank").await["viewers"] == 1 {
            break;
        }
    }
    answering.pinged(2).await;
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_pictures_come_than_were_wished_for() {
    let camera = StandIn::new();
    let daemon = Daemon::start(&camera.entry("tank", LONG)).await;
    let mut by_address = Viewer::open(daemon.address, "/ws?times=true&max_fps=1").await;
    let mut by_message = Viewer::open(daemon.address, "/ws?times=true").await;
    by_message.say(r#"{"max_fps": 1}"#).await;
    // The answer to the next one shows that this one was heard.
    by_message.say("nonsense").await;
    by_message.told("error", |_| true).await;
    for viewer in [&mut by_address, &mut by_message] {
        let mut ids = Vec::new();
        for _ in 0..5 {
            ids.push(viewer.told("picture", |_| true).await["id"].as_u64().unwrap());
        }
        // What is on its way already may be the first two.
        let micros = ids[4] - ids[1];
        assert!(micros > 1_000_000, "4 pictures within {micros} µs");
    }
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_asks_for_what_cannot_be_had_opens_nothing() {
    let camera = StandIn::new();
    let daemon = Daemon::start(&camera.entry("tank", NONE)).await;
    let opening = "Upgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
    let reply = request(daemon.address, "GET", "/ws?max_fps=0", opening, b"").await;
    assert_eq!(reply.status, 400, "{}", reply.text());
    assert_eq!(reply.json()["hint"], "max_fps takes a number from 0.1 to 60");
    daemon.stop().await;
    assert_eq!(camera.starts(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn viewers_are_told_that_the_daemon_or_their_camera_goes_away() {
    let (stays, goes) = (StandIn::new(), StandIn::new());
    let one = stays.entry("one", LONG);
    let daemon = Daemon::start(&(one.clone() + &goes.entry("two", LONG))).await;
    let mut first = Viewer::open(daemon.address, "/ws").await;
    let mut second = Viewer::open(daemon.address, "/cameras/two/ws").await;
    second.picture().await;
    fs::write(daemon.config_file(), one).unwrap();
    assert_eq!(u16::from(second.goodbye().await.unwrap().code), 1001);
    first.picture().await;
    let goodbye = tokio::spawn(async move { first.goodbye().await });
    daemon.stop().await;
    let goodbye = in_time("the goodbye", goodbye).await.unwrap();
    assert_eq!(u16::from(goodbye.unwrap().code), 1001);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_camera_is_told_in_words_and_the_viewer_stays() {
    let camera = StandIn::doing("echo 'no such sensor' >&2; exit 3");
    let daemon = Daemon::start(&camera.entry("tank", LONG)).await;
    let mut viewer = Viewer::open(daemon.address, "/ws").await;
    let told = viewer.told("state", |told| told["state"]["state"] == "backoff").await;
    assert!(told["state"]["reason"].as_str().unwrap().contains("no such sensor"), "{told}");
    camera.change("while :; do cat a.jpg; sleep 0.02; done");
    viewer.picture().await;
    eventually("the second start", async || (camera.starts().len() > 1).then_some(())).await;
    daemon.stop().await;
}
