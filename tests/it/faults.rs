//! Cameras and capture processes that fail. The state says what is wrong, and they come back by themselves.

use std::fs;

use futures_util::future::join_all;
use rustix::process::Signal;
use serde_json::Value;

use crate::support::{
    Browser, Daemon, Program, StandIn, eventually, exists, get, group, jpeg, no_process_left, signal,
};

/// A linger that is over at once.
const NONE: &str = "linger = \"0s\"";
/// A camera that is given up soon when it gives no first picture.
const START: &str = "linger = \"0s\"\nstart_timeout = \"1s\"";
/// A camera that is given up soon when it gives no further picture.
const STALL: &str = "linger = \"0s\"\nstall_timeout = \"1s\"";

/// A daemon whose camera somebody wants to watch.
async fn watched(camera: &StandIn, keys: &str) -> (Daemon, Browser) {
    let daemon = Daemon::start(&camera.entry("tank", keys)).await;
    let browser = Browser::open(daemon.address).await;
    browser.say("start-stream");
    (daemon, browser)
}

/// Waits until the browser is told that the camera can't run, and why.
async fn told_why(browser: &Browser) -> (String, Value) {
    let state = browser.told("backoff", |state| state["state"] == "backoff").await;
    assert!(state["retry_in_ms"].is_u64(), "{state}");
    (state["reason"].as_str().unwrap().to_owned(), state["hint"].clone())
}

/// Sees that there are pictures again, and no complaint any more.
async fn recovers(browser: &Browser) {
    let live = browser.told("live again", |state| state["state"] == "live").await;
    assert_eq!((&live["reason"], &live["retry_in_ms"]), (&Value::Null, &Value::Null));
    browser.forget("liveStream");
    browser.picture().await;
}

/// Ends the viewing, and sees that nothing is left of the camera.
async fn end(camera: &StandIn, daemon: Daemon, browser: Browser) {
    assert!(!camera.was_busy(), "it was started while a part of it was still running");
    drop(browser);
    daemon.until("tank", "idle").await;
    for (capture, script) in camera.starts() {
        no_process_left(capture).await;
        eventually("the end of the script", async || (!exists(script)).then_some(())).await;
    }
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_capture_process_that_is_killed_is_started_again() {
    let camera = StandIn::new();
    let (daemon, browser) = watched(&camera, NONE).await;
    browser.picture().await;
    let first = daemon.captures()[0];
    signal(first, Signal::KILL);
    let (reason, _) = told_why(&browser).await;
    assert!(reason.contains("SIGKILL") || reason.contains("signal: 9"), "{reason}");
    recovers(&browser).await;
    no_process_left(first).await;
    assert_eq!(camera.starts().len(), 2);
    end(&camera, daemon, browser).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_is_killed_is_started_again() {
    let camera = StandIn::new();
    let (daemon, browser) = watched(&camera, NONE).await;
    browser.picture().await;
    signal(camera.starts()[0].1, Signal::KILL);
    assert_eq!(told_why(&browser).await.0, "the command ended, killed by SIGKILL");
    recovers(&browser).await;
    end(&camera, daemon, browser).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_capture_process_that_is_stopped_is_replaced() {
    let camera = StandIn::new();
    let (daemon, browser) = watched(&camera, STALL).await;
    browser.picture().await;
    let first = daemon.captures()[0];
    for pid in group(first) {
        signal(pid, Signal::STOP);
    }
    let (reason, hint) = told_why(&browser).await;
    assert_eq!(reason, "the camera has stalled: no picture for 1s");
    assert!(hint.is_string());
    recovers(&browser).await;
    no_process_left(first).await;
    end(&camera, daemon, browser).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_writes_garbage_is_told_from_a_camera() {
    let noise = "head -c 100000 /dev/urandom";
    let to_file = format!("{noise} >\"$EYELID_FILE\"");
    join_all([noise, &to_file, "yes", "cat /dev/zero"].map(async |garbage| {
        let camera = StandIn::doing(&format!("{garbage}; sleep 1000000"));
        let (daemon, browser) = watched(&camera, START).await;
        let (reason, _) = told_why(&browser).await;
        assert!(reason.starts_with("no picture within 1s of the start"), "{garbage}: {reason}");
        assert_eq!(reason.contains("was no whole JPEG"), garbage.contains("EYELID_FILE"), "{reason}");
        assert_eq!(get(daemon.address, "/image_stream.jpg").await.status, 404);
        camera.change("while :; do cat a.jpg; sleep 0.02; done");
        recovers(&browser).await;
        end(&camera, daemon, browser).await;
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_picture_is_none() {
    join_all(["head -c 300 a.jpg", "head -c 300 a.jpg >\"$EYELID_FILE\""].map(async |half| {
        let camera = StandIn::doing(&format!("{half}; exec sleep 1000000"));
        assert!(jpeg(0).len() > 300);
        let (daemon, browser) = watched(&camera, START).await;
        let (reason, _) = told_why(&browser).await;
        assert!(reason.starts_with("no picture within 1s of the start"), "{half}: {reason}");
        assert_eq!(get(daemon.address, "/image_stream.jpg").await.status, 404);
        // A whole one, half a one, and the whole one once more.
        camera
            .change(&format!("cat a.jpg >\"$EYELID_FILE\"; {half}; while :; do sleep 0.02; cat b.jpg; done"));
        recovers(&browser).await;
        end(&camera, daemon, browser).await;
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_gives_no_picture_is_given_up_after_the_start_timeout() {
    let camera = StandIn::doing("exec sleep 1000000");
    let (daemon, browser) = watched(&camera, START).await;
    let (reason, hint) = told_why(&browser).await;
    assert_eq!(reason, "no picture within 1s of the start");
    assert!(hint.is_string());
    camera.change("while :; do cat a.jpg; sleep 0.02; done");
    recovers(&browser).await;
    end(&camera, daemon, browser).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_ends_at_once_is_tried_again_and_less_and_less_often() {
    let camera = StandIn::doing("echo 'no lens' >&2; exit 3");
    let (daemon, browser) = watched(&camera, NONE).await;
    let mut last = 0;
    for _ in 0..3 {
        let state = browser.told("backoff", |state| state["state"] == "backoff").await;
        assert_eq!(state["reason"], "the command ended, exit code 3: no lens");
        let pause = state["retry_in_ms"].as_u64().unwrap();
        assert!(pause > last, "{pause} ms after {last} ms");
        last = pause;
        browser.told("starting", |state| state["state"] == "starting").await;
    }
    camera.change("while :; do cat a.jpg; sleep 0.02; done");
    recovers(&browser).await;
    assert!(camera.starts().len() <= 5, "{} starts", camera.starts().len());
    end(&camera, daemon, browser).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_that_repeats_is_logged_once_and_counted() {
    let camera = StandIn::doing("echo 'no lens' >&2; exit 3");
    let mut program = Program::start(&camera.entry("tank", NONE)).await;
    let browser = Browser::open(program.address).await;
    browser.say("start-stream");
    eventually("three tries", async || (camera.starts().len() == 3).then_some(())).await;
    camera.change("while :; do cat a.jpg; sleep 0.02; done");
    browser.picture().await;
    let line = eventually("the recovery in the log", async || {
        program.log().into_iter().find(|line| line.contains("recovered"))
    })
    .await;
    assert!(line.contains("repeats=2"), "{line}");
    let log = program.log();
    assert_eq!(log.iter().filter(|line| line.contains("no lens")).count(), 1, "{log:#?}");
    program.signal(Signal::TERM);
    assert_eq!(program.end().await.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_without_permission_or_with_another_user_says_so() {
    for (says, code) in
        [("failed to open /dev/video0: Permission denied", 13), ("Device or resource busy", 16)]
    {
        let camera = StandIn::doing(&format!("echo '{says}' >&2; exit {code}"));
        let (daemon, browser) = watched(&camera, NONE).await;
        assert_eq!(told_why(&browser).await.0, format!("the command ended, exit code {code}: {says}"));
        let snapshot = get(daemon.address, "/snapshot.jpg").await;
        assert_eq!(snapshot.status, 503);
        assert!(snapshot.text().contains(says), "{}", snapshot.text());
        end(&camera, daemon, browser).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_is_not_there_or_no_program_is_told_with_a_remedy() {
    let camera = StandIn::new();
    for break_it in [|file| fs::remove_file(file), |file| fs::write(file, [0x7F, b'E', b'L', b'F', 0, 0])] {
        break_it(camera.script()).unwrap();
        let (daemon, browser) = watched(&camera, NONE).await;
        let (reason, hint) = told_why(&browser).await;
        assert!(reason.starts_with("the command ended, exit code 12"), "{reason}");
        assert!(hint.is_string());
        end(&camera, daemon, browser).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_ignores_everything_is_ended_all_the_same() {
    let camera =
        StandIn::doing("trap '' TERM INT HUP PIPE; sleep 1000000 & while :; do cat a.jpg; sleep 0.02; done");
    let (daemon, browser) = watched(&camera, NONE).await;
    browser.picture().await;
    end(&camera, daemon, browser).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_a_command_that_is_left_behind_is_ended_too() {
    // It ends by itself, and what it has started holds the camera and its output.
    let camera =
        StandIn::doing("trap '' TERM INT HUP; (while :; do cat a.jpg; sleep 0.02; done) & sleep 0.3; exit 0");
    let (daemon, browser) = watched(&camera, NONE).await;
    for _ in 0..2 {
        browser.picture().await;
        told_why(&browser).await;
    }
    end(&camera, daemon, browser).await;
}
