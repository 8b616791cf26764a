//! Many things at once. A stand-in can be opened once at a time, as a real camera, and says if it was not.

use crate::support::{Browser, Daemon, StandIn, eventually, exists, get, no_process_left};

/// Sees that the camera can go on and off as ever, and that no process of it was left behind.
async fn end(camera: &StandIn, daemon: Daemon) {
    daemon.until_it("tank", "nobody", |state| state["viewers"] == 0).await;
    let last = Browser::open(daemon.address).await;
    last.say("start-stream");
    last.picture().await;
    assert_eq!(daemon.captures().len(), 1);
    drop(last);
    daemon.until("tank", "idle").await;
    assert!(!camera.was_busy(), "there were two captures at once");
    for (capture, script) in camera.starts() {
        no_process_left(capture).await;
        eventually("the end of the script", async || (!exists(script)).then_some(())).await;
    }
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_browsers_that_start_and_stop_a_thousand_times_never_have_two_captures() {
    let camera = StandIn::new();
    let daemon = Daemon::start(&camera.entry("tank", "linger = \"0s\"")).await;
    let race = async |browser: Browser, beat: usize| {
        for round in 1..=1000 {
            browser.ask("start-stream").await;
            // Now and then it gets as far as a picture, so that processes are started and stopped in earnest.
            if round % beat == 0 {
                browser.forget("liveStream");
                browser.picture().await;
            }
            if round % 10 == 0 {
                assert!(daemon.captures().len() <= 1);
            }
            browser.ask("stop-stream").await;
        }
    };
    let (one, two) = (Browser::open(daemon.address).await, Browser::open(daemon.address).await);
    tokio::join!(race(one, 97), race(two, 101));
    let starts = camera.starts().len();
    assert!(starts >= 10, "{starts} starts are no race");
    end(&camera, daemon).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn browsers_that_come_and_go_and_snapshots_between_them_never_have_two_captures() {
    let camera = StandIn::new();
    let daemon = Daemon::start(&camera.entry("tank", "linger = \"0s\"")).await;
    let address = daemon.address;
    let browse = async || {
        for round in 0..60 {
            let browser = Browser::open(address).await;
            browser.say("start-stream");
            if round % 3 == 0 {
                browser.picture().await;
            }
        }
    };
    let snap = async || {
        for _ in 0..30 {
            assert_eq!(get(address, "/snapshot.jpg").await.status, 200);
        }
    };
    tokio::join!(browse(), browse(), snap(), snap());
    end(&camera, daemon).await;
}
