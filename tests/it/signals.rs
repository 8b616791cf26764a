//! How the real program ends, and what ends with it.

use rustix::process::Signal;

use crate::support::{
    Browser, Program, StandIn, children, eventually, exists, get, group, no_process_left, signal,
};

/// The program with a viewer, a capture process and its command.
async fn watched(camera: &StandIn) -> (Program, Browser, i32) {
    let program = Program::start(&camera.entry("tank", "linger = \"1h\"")).await;
    let browser = Browser::open(program.address).await;
    browser.say("start-stream");
    browser.picture().await;
    let capture = program.captures()[0];
    assert_eq!(camera.starts()[0].0, capture);
    assert_eq!(children(program.pid()), [capture]);
    (program, browser, capture)
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_and_sigint_end_it_in_order_with_viewers_connected() {
    for which in [Signal::TERM, Signal::INT] {
        let camera = StandIn::new();
        let (mut program, browser, capture) = watched(&camera).await;
        program.signal(which);
        assert_eq!(program.end().await.code(), Some(0));
        // It waits for them, so they are gone at once.
        no_process_left(capture).await;
        assert!(!program.run_folder().exists(), "the run folder is left");
        eventually("the end of the connection", async || browser.is_closed().then_some(())).await;
        let log = program.log();
        assert!(log.iter().any(|line| line.contains(": stopping")), "{log:#?}");
        assert!(!log.iter().any(|line| line.contains("ERROR") || line.contains("cutting off")), "{log:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_ends_it_even_when_the_camera_hangs() {
    let camera = StandIn::doing("trap '' TERM INT HUP; cat a.jpg; while :; do sleep 1; done");
    let (mut program, _browser, capture) = watched(&camera).await;
    for pid in group(capture) {
        signal(pid, Signal::STOP);
    }
    program.signal(Signal::TERM);
    assert_eq!(program.end().await.code(), Some(0));
    no_process_left(capture).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_it_at_once() {
    let camera = StandIn::doing("trap '' TERM INT HUP; cat a.jpg; while :; do sleep 1; done");
    let (mut program, _browser, capture) = watched(&camera).await;
    for pid in group(capture) {
        signal(pid, Signal::STOP);
    }
    program.signal(Signal::TERM);
    eventually("the first signal in the log", async || {
        program.log().iter().any(|line| line.contains("SIGTERM: stopping")).then_some(())
    })
    .await;
    program.signal(Signal::TERM);
    assert_eq!(program.end().await.code(), Some(1));
    for pid in group(capture) {
        signal(pid, Signal::CONT);
    }
    no_process_left(capture).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_it_is_killed_its_capture_processes_and_their_children_die_with_it() {
    let camera =
        StandIn::doing("trap '' TERM INT HUP; sleep 1000000 & while :; do cat a.jpg; sleep 0.02; done");
    let (mut program, _browser, capture) = watched(&camera).await;
    let all = group(capture);
    assert!(all.len() >= 4, "the capture process, its guard, the command and its child: {all:?}");
    program.signal(Signal::KILL);
    program.end().await;
    eventually("no process left", async || all.iter().all(|pid| !exists(*pid)).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_it_is_killed_a_capture_process_that_hangs_dies_with_it() {
    let camera = StandIn::new();
    let (mut program, _browser, capture) = watched(&camera).await;
    signal(capture, Signal::STOP);
    program.signal(Signal::KILL);
    program.end().await;
    no_process_left(capture).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_that_waits_does_not_keep_it_from_ending() {
    let camera = StandIn::still();
    let mut program = Program::start(&camera.entry("tank", "start_timeout = \"5m\"")).await;
    let address = program.address;
    let asked = tokio::spawn(async move { get(address, "/snapshot.jpg").await });
    eventually("the camera's start", async || camera.starts().first().copied()).await;
    program.signal(Signal::TERM);
    assert_eq!(program.end().await.code(), Some(0));
    let reply = asked.await.unwrap();
    assert_eq!((reply.status, &reply.json()["error"]), (503, &"the daemon stops".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_one_has_left_is_no_obstacle_to_the_next() {
    let camera = StandIn::new();
    let config = camera.entry("tank", "linger = \"1h\"");
    let folder = Program::folder();
    let start = async || {
        let command = Program::command(&folder, &config, &["--listen", "127.0.0.1:0"]);
        Program::watch(command, tempfile::tempdir_in("/dev/shm").unwrap()).await
    };
    for round in 1..=2 {
        let mut program = start().await;
        let browser = Browser::open(program.address).await;
        browser.say("start-stream");
        browser.picture().await;
        assert_eq!(camera.starts().len(), round);
        program.signal(Signal::KILL);
        program.end().await;
        let (_, script) = *camera.starts().last().unwrap();
        eventually("the end of the camera", async || (!exists(script)).then_some(())).await;
    }
    assert!(folder.path().join("eyelid/tank/image_stream.jpg").exists(), "what it has left");
    let mut program = start().await;
    program.signal(Signal::TERM);
    assert_eq!(program.end().await.code(), Some(0));
    assert!(!folder.path().join("eyelid").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn after_fifty_viewers_came_and_went_no_process_and_no_zombie_is_left() {
    let camera = StandIn::new();
    let mut program = Program::start(&camera.entry("tank", "linger = \"0s\"")).await;
    for round in 1..=50 {
        let browser = Browser::open(program.address).await;
        browser.say("start-stream");
        browser.picture().await;
        assert_eq!(camera.starts().len(), round);
        drop(browser);
        eventually("no child left", async || children(program.pid()).is_empty().then_some(())).await;
    }
    assert!(!camera.was_busy());
    program.signal(Signal::TERM);
    assert_eq!(program.end().await.code(), Some(0));
}
