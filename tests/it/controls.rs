//! What can be set of a camera: told, checked, set live, kept, and back to its default.
//!
//! The camera is the test picture, in a capture process of its own: it has a control of each type.

use std::{fs, path::Path};

use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{
    Browser, Daemon, Manner, Program, Reply, StandIn, eventually, get, in_time, request, signal,
};

const CONTROLS: &str = "/api/cameras/tank/controls";
/// The light that [`light`] tells of the test picture as it is, and of one that is as bright as can be.
const BRIGHT: f64 = 200.0;

/// The test picture as a camera that a busy machine does not make us give up.
fn tank(keys: &str) -> String {
    let patience = "start_timeout = \"5m\"\nstall_timeout = \"5m\"";
    format!(
        "[[camera]]\nname = \"tank\"\nkind = \"pattern\"\nsize = \"64x48\"\ninterval = \"50ms\"\n{patience}\n{keys}\n"
    )
}

/// The configuration with a state folder that outlives the daemon.
fn kept_in(folder: &Path, cameras: &str) -> String {
    format!("state_folder = \"{}\"\n{cameras}", folder.display())
}

fn state_folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap()
}

async fn send(daemon: &Daemon, method: &str, body: &str) -> Reply {
    let kind = "Content-Type: application/json\r\n";
    request(daemon.address, method, CONTROLS, kind, body.as_bytes()).await
}

/// Sets something, and gives the answer.
async fn set(daemon: &Daemon, settings: Value) -> Value {
    let reply = send(daemon, "PATCH", &settings.to_string()).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

async fn panel(daemon: &Daemon) -> Value {
    let reply = get(daemon.address, CONTROLS).await;
    assert_eq!((reply.status, reply.header("cache-control")), (200, "no-store"), "{}", reply.text());
    reply.json()
}

/// The value of a control in a panel.
fn value<'a>(panel: &'a Value, id: &str) -> &'a Value {
    let controls = panel["controls"].as_array().unwrap();
    &controls.iter().find(|control| control["id"] == id).unwrap_or_else(|| panic!("no {id} in {panel}"))["value"]
}

/// Starts to watch, and waits until it is known what can be set.
async fn watching(daemon: &Daemon) -> Browser {
    let browser = Browser::open(daemon.address).await;
    browser.say("start-stream");
    browser.picture().await;
    until_known(daemon).await;
    browser
}

async fn until_known(daemon: &Daemon) {
    eventually("the controls", async || (panel(daemon).await["known"] == true).then_some(())).await;
}

/// The mean of all pixels of a picture, from 0 to 255.
fn light(jpeg: &[u8]) -> f64 {
    let pixels = jpeg_decoder::Decoder::new(jpeg).decode().unwrap();
    pixels.iter().map(|level| f64::from(*level)).sum::<f64>() / pixels.len() as f64
}

async fn until_light(browser: &Browser, what: &str, fits: impl Fn(f64) -> bool) {
    in_time(&format!("a picture that is {what}"), async { while !fits(light(&browser.picture().await)) {} })
        .await;
}

/// One picture of a camera that need not be on.
async fn snapshot(daemon: &Daemon) -> f64 {
    let reply = get(daemon.address, "/snapshot.jpg").await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    light(&reply.body)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_be_set_is_known_from_the_first_start_on_and_told_with_its_limits() {
    let daemon = Daemon::start(&tank("linger = \"0s\"")).await;
    assert_eq!(panel(&daemon).await, json!({"known": false, "controls": [], "notice": null}));
    let refused = send(&daemon, "PATCH", "{\"brightness\": 10}").await;
    assert_eq!(refused.status, 409, "{}", refused.text());
    drop(watching(&daemon).await);
    daemon.until("tank", "idle").await;
    let panel = panel(&daemon).await;
    let types: Vec<_> =
        panel["controls"].as_array().unwrap().iter().map(|c| c["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["integer", "boolean", "number", "choice", "button"]);
    assert_eq!(
        panel["controls"][0],
        json!({
            "id": "brightness", "name": "Brightness", "group": "image", "type": "integer",
            "min": -100, "max": 100, "step": 1, "default": 0, "value": 0, "read_only": false, "inactive": false,
        })
    );
    assert_eq!(panel["controls"][3]["choices"][1], json!({"value": "warm", "name": "Warm light"}));
    let head = request(daemon.address, "HEAD", CONTROLS, "", b"").await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_seen_in_the_picture_and_so_is_the_default() {
    let daemon = Daemon::start(&tank("")).await;
    let browser = watching(&daemon).await;
    let started = daemon.captures();
    until_light(&browser, "as it is", |light| light < BRIGHT).await;
    let now = set(&daemon, json!({"brightness": 100, "saturation": 0.5})).await;
    assert_eq!((value(&now, "brightness"), value(&now, "saturation")), (&json!(100), &json!(0.5)));
    assert_eq!(now["notice"], Value::Null);
    until_light(&browser, "bright", |light| light > BRIGHT).await;
    let now = set(&daemon, json!({"brightness": null})).await;
    assert_eq!((value(&now, "brightness"), value(&now, "saturation")), (&json!(0), &json!(0.5)));
    until_light(&browser, "as it was", |light| light < BRIGHT).await;

    set(&daemon, json!({"brightness": 100, "white_balance": "warm", "blink": true})).await;
    let back = send(&daemon, "DELETE", "").await;
    assert_eq!(back.status, 200, "{}", back.text());
    for control in back.json()["controls"].as_array().unwrap() {
        assert_eq!(control["value"], control["default"], "{control}");
    }
    until_light(&browser, "as it was", |light| light < BRIGHT).await;
    assert_eq!(daemon.captures(), started, "all of that was the same capture process");
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_set_outlives_the_daemon_and_what_is_taken_back_does_not() {
    let state = state_folder();
    let config = kept_in(state.path(), &tank("linger = \"0s\""));
    let daemon = Daemon::start(&config).await;
    let browser = watching(&daemon).await;
    set(&daemon, json!({"brightness": 100, "negative": true})).await;
    set(&daemon, json!({"negative": false})).await;
    drop(browser);
    daemon.stop().await;

    let daemon = Daemon::start(&config).await;
    assert!(snapshot(&daemon).await > BRIGHT, "not even the first picture is another");
    until_known(&daemon).await;
    let now = panel(&daemon).await;
    assert_eq!((value(&now, "brightness"), value(&now, "negative")), (&json!(100), &json!(false)));
    assert_eq!(send(&daemon, "DELETE", "").await.status, 200);
    daemon.stop().await;

    let daemon = Daemon::start(&config).await;
    assert!(snapshot(&daemon).await < BRIGHT);
    daemon.stop().await;
    let mut files: Vec<_> =
        fs::read_dir(state.path().join("cameras/tank")).unwrap().map(|f| f.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, ["controls.json", "ledger.jsonl"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_is_off_starts_with_what_was_set_meanwhile() {
    let daemon = Daemon::start(&tank("linger = \"0s\"")).await;
    drop(watching(&daemon).await);
    daemon.until("tank", "idle").await;
    let now = set(&daemon, json!({"brightness": 100})).await;
    assert_eq!(value(&now, "brightness"), 100);
    assert_eq!(value(&panel(&daemon).await, "brightness"), 100);
    let press = send(&daemon, "PATCH", "{\"brightness\": 0, \"blink\": true}").await;
    assert_eq!(press.status, 409, "a button is nothing to be kept: {}", press.text());
    assert_eq!(daemon.state("tank").await["state"], "idle", "none of that starts it");
    assert!(snapshot(&daemon).await > BRIGHT);
    daemon.until("tank", "idle").await;
    set(&daemon, json!({"brightness": null})).await;
    assert!(snapshot(&daemon).await < BRIGHT);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_value_that_does_not_fit_keeps_all_from_being_set_and_is_named_with_its_limits() {
    let daemon = Daemon::start(&tank("")).await;
    let browser = watching(&daemon).await;
    for (body, problem, hint) in [
        (json!({"brightness": 101}), "brightness can't be 101", "it takes a whole number from -100 to 100"),
        (json!({"brightness": 0.5}), "brightness can't be 0.5", "it takes a whole number from -100 to 100"),
        (json!({"brightness": true}), "brightness can't be true", "it takes a whole number from -100 to 100"),
        (json!({"saturation": 2.01}), "saturation can't be 2.01", "it takes a number from 0 to 2"),
        (json!({"negative": 1}), "negative can't be 1", "it takes true or false"),
        (
            json!({"white_balance": "hot"}),
            "white_balance can't be \"hot\"",
            "it takes one of \"neutral\" (Neutral), \"warm\" (Warm light), \"cool\" (Cool light)",
        ),
        (json!({"blink": 5}), "blink can't be 5", "it takes true, which presses it"),
        (json!({"brigthness": 1}), "the camera has no control \"brigthness\"", "did you mean brightness?"),
        (json!({"brightness": {}}), "brightness can't be a list or an object", "send an object"),
    ] {
        let mut body = body;
        for (id, good) in [("brightness", json!(100)), ("negative", json!(true)), ("saturation", json!(0))] {
            body.as_object_mut().unwrap().entry(id).or_insert(good);
        }
        let reply = send(&daemon, "PATCH", &body.to_string()).await;
        let (error, said) = (reply.json()["error"].to_string(), reply.json()["hint"].to_string());
        assert_eq!(reply.status, 422, "{}", reply.text());
        assert!(error.contains(&problem.replace('"', "\\\"")), "{error}");
        assert!(said.contains(&hint.replace('"', "\\\"")), "{said}");
    }
    for control in panel(&daemon).await["controls"].as_array().unwrap() {
        assert_eq!(control["value"], control["default"], "{control}");
    }
    until_light(&browser, "as it was", |light| light < BRIGHT).await;
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_request_to_set_something_is_refused_in_words() {
    let daemon = Daemon::start(&tank("")).await;
    let _browser = watching(&daemon).await;
    for (body, status) in [
        ("", 400),
        ("brightness=10", 400),
        ("[1]", 400),
        ("{\"brightness\": 1", 400),
        ("{\"brightness\": 1e999}", 400),
        (&format!("{{\"{}\": 1}}", "x".repeat(16 << 10)), 413),
        ("{}", 200),
    ] {
        let reply = send(&daemon, "PATCH", body).await;
        assert_eq!(reply.status, status, "{}", reply.text());
        assert!(status == 200 || reply.json()["hint"].is_string(), "{}", reply.text());
    }
    for kind in ["", "Content-Type: text/plain\r\n", "Content-Type: application/x-www-form-urlencoded\r\n"] {
        let reply = request(daemon.address, "PATCH", CONTROLS, kind, b"{\"brightness\": 100}").await;
        assert_eq!(reply.status, 415, "{}", reply.text());
    }
    for method in ["POST", "PUT", "OPTIONS"] {
        let reply = send(&daemon, method, "{}").await;
        assert_eq!((reply.status, reply.header("allow")), (405, "GET, HEAD, PATCH, DELETE"));
    }
    let nowhere = request(daemon.address, "PATCH", "/api/cameras/pond/controls", "", b"{}").await;
    assert_eq!(nowhere.status, 404, "{}", nowhere.text());
    let picky = request(daemon.address, "GET", CONTROLS, "Accept: text/html\r\n", b"").await;
    assert_eq!(picky.status, 406);
    assert_eq!(value(&panel(&daemon).await, "brightness"), 0);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_site_can_set_nothing() {
    let daemon = Daemon::start(&tank("")).await;
    let _browser = watching(&daemon).await;
    let json = "Content-Type: application/json\r\n";
    for from in [
        "Origin: http://evil.example",
        "Origin: null",
        "Sec-Fetch-Site: cross-site",
        "Sec-Fetch-Site: same-site",
        "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document",
    ] {
        for method in ["PATCH", "DELETE"] {
            let headers = format!("{json}{from}\r\n");
            let reply = request(daemon.address, method, CONTROLS, &headers, b"{\"brightness\": 100}").await;
            assert_eq!(reply.status, 403, "{method} {from}");
        }
    }
    let rebound = format!("{json}Host: evil.example\r\n");
    let reply = request(daemon.address, "PATCH", CONTROLS, &rebound, b"{\"brightness\": 100}").await;
    assert_eq!(reply.status, 421);
    assert_eq!(value(&panel(&daemon).await, "brightness"), 0);
    let ours = format!("{json}Origin: http://{}\r\nSec-Fetch-Site: same-origin\r\n", daemon.address);
    let reply = request(daemon.address, "PATCH", CONTROLS, &ours, b"{\"brightness\": 100}").await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_capture_process_that_hangs_holds_nobody_up_and_the_next_one_has_the_value() {
    let config = tank("").replace("stall_timeout = \"5m\"", "stall_timeout = \"1s\"");
    let daemon = Daemon::start(&config).await;
    let browser = watching(&daemon).await;
    let hung = daemon.captures();
    hung.iter().for_each(|pid| signal(*pid, Signal::STOP));
    let now = set(&daemon, json!({"brightness": 100})).await;
    assert_eq!(value(&now, "brightness"), 100);
    until_light(&browser, "bright", |light| light > BRIGHT).await;
    assert!(!hung.is_empty() && daemon.captures() != hung);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_who_looks_is_told_of_a_change() {
    let daemon = Daemon::start(&tank("")).await;
    let observer = Browser::with(daemon.address, Manner::observer()).await;
    let one = watching(&daemon).await;
    assert_eq!(one.next("controls").await["known"], false);
    let late = Browser::with(daemon.address, Manner::of("tank")).await;
    assert_eq!(value(&late.next("controls").await, "brightness"), 0);
    assert_eq!(observer.next("controls").await["known"], false);
    for browser in [&one, &observer] {
        assert_eq!(value(&browser.next("controls").await, "brightness"), 0);
    }
    for level in [1, 2, 77] {
        set(&daemon, json!({"brightness": level})).await;
    }
    for browser in [&one, &late, &observer] {
        in_time("the news", async { while value(&browser.next("controls").await, "brightness") != 77 {} })
            .await;
    }
    assert_eq!(panel(&daemon).await["known"], true);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_configuration_asks_the_camera_anew_and_keeps_what_was_set() {
    let daemon = Daemon::start(&tank("")).await;
    let browser = watching(&daemon).await;
    set(&daemon, json!({"brightness": 100})).await;
    let first = daemon.captures();
    fs::write(daemon.config_file(), tank("quality = 70")).unwrap();
    eventually("another capture process", async || {
        let captures = daemon.captures();
        (captures.len() == 1 && captures != first).then_some(())
    })
    .await;
    until_light(&browser, "bright", |light| light > BRIGHT).await;
    until_known(&daemon).await;
    set(&daemon, json!({"brightness": null})).await;
    until_light(&browser, "as it was", |light| light < BRIGHT).await;
    set(&daemon, json!({"brightness": 100})).await;

    // A kind without controls, and back.
    let command = StandIn::new();
    fs::write(daemon.config_file(), command.entry("tank", "")).unwrap();
    eventually("a camera without controls", async || {
        (panel(&daemon).await == json!({"known": true, "controls": [], "notice": null})).then_some(())
    })
    .await;
    let reply = send(&daemon, "PATCH", "{\"brightness\": 1}").await;
    assert_eq!((reply.status, reply.json()["hint"].as_str()), (422, Some("it has no controls at all")));
    fs::write(daemon.config_file(), tank("")).unwrap();
    until_light(&browser, "bright", |light| light > BRIGHT).await;
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_broken_is_put_aside_and_told_of_and_the_camera_runs() {
    let folder = Program::folder();
    let file = folder.path().join("state/eyelid/cameras/tank/controls.json");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, "{\"controls\": {\"brightness\": 100").unwrap();
    let command = Program::command(&folder, &tank(""), &["--listen", "127.0.0.1:0"]);
    let mut program = Program::watch(command, folder).await;
    let aside = file.with_extension("json.bad");
    eventually("the line in the log", async || {
        let log = program.log();
        log.iter()
            .any(|line| {
                line.contains(&format!("can't be read from {}", file.display()))
                    && line.contains(&format!("it is {} now", aside.display()))
            })
            .then_some(())
    })
    .await;
    assert!(!file.exists() && aside.exists());
    let picture = get(program.address, "/snapshot.jpg").await;
    assert!(light(&picture.body) < BRIGHT);
    program.signal(Signal::TERM);
    assert!(program.end().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_can_be_kept_it_is_set_all_the_same_and_the_answer_says_so() {
    let state = state_folder();
    // Below a file there can be no folder, not even for root.
    let file = state.path().join("file");
    fs::write(&file, "").unwrap();
    let daemon = Daemon::start(&kept_in(&file, &tank("linger = \"0s\""))).await;
    let browser = watching(&daemon).await;
    let now = set(&daemon, json!({"brightness": 100})).await;
    assert_eq!(value(&now, "brightness"), 100);
    let notice =
        eventually("the notice", async || panel(&daemon).await["notice"].as_str().map(str::to_owned)).await;
    assert!(
        notice.contains("is forgotten when the daemon ends") && notice.contains(file.to_str().unwrap()),
        "{notice}"
    );
    until_light(&browser, "bright", |light| light > BRIGHT).await;
    drop(browser);
    daemon.until("tank", "idle").await;
    assert!(snapshot(&daemon).await > BRIGHT, "it is kept as long as the daemon runs");
    // The trouble is over, and the last write is tried again at the end.
    fs::remove_file(&file).unwrap();
    daemon.stop().await;
    assert!(file.join("cameras/tank/controls.json").exists());
}
