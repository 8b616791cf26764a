//! What keeps a camera from running, whoever watches.

use std::{fs, path::PathBuf};

use crate::support::{Browser, Daemon, StandIn, Viewer, eventually, get, no_process_left};

/// A switch that is a file, in a folder of its own.
struct Switch(tempfile::TempDir);

impl Switch {
    fn new() -> Self {
        Self(tempfile::tempdir_in("/dev/shm").unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("off")
    }

    fn key(&self) -> String {
        format!("[camera.privacy]\nswitch = \"{}\"", self.path().display())
    }

    fn on(&self) {
        fs::write(self.path(), "").unwrap();
    }

    fn off(&self) {
        fs::remove_file(self.path()).unwrap();
    }
}

async fn blocked(daemon: &Daemon) {
    daemon.until_it("tank", "blocked", |state| !state["blocked"].is_null() && state["state"] == "idle").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_ends_the_capture_process_in_each_state_and_nobody_can_start_one() {
    const LIVE: &str = "while :; do cat a.jpg; sleep 0.02; done";
    let cases = [
        ("starting", "exec sleep 1000000"),
        ("live", LIVE),
        ("lingering", LIVE),
        // It ends, again and again.
        ("backoff", "exit 1"),
    ];
    for (state, does) in cases {
        let (camera, switch) = (StandIn::doing(does), Switch::new());
        let daemon =
            Daemon::start(&camera.entry("tank", &format!("linger = \"1h\"\n{}", switch.key()))).await;
        let browser = Browser::open(daemon.address).await;
        browser.ask("start-stream").await;
        if state == "lingering" {
            daemon.until("tank", "live").await;
            browser.ask("stop-stream").await;
        }
        daemon.until("tank", state).await;
        eventually("a start", async || (!camera.starts().is_empty()).then_some(())).await;
        let captures = daemon.captures();
        switch.on();
        blocked(&daemon).await;
        for capture in captures {
            no_process_left(capture).await;
        }
        // One may have been started in between.
        eventually("the end of all captures", async || daemon.captures().is_empty().then_some(())).await;
        let starts = camera.starts().len();
        // Whatever viewers do now.
        let reply = get(daemon.address, "/snapshot.jpg").await;
        let off = format!("switched off by {}", switch.path().display());
        assert_eq!((reply.status, reply.json()["error"].as_str()), (503, Some(off.as_str())), "in {state}");
        assert_eq!(reply.header("retry-after"), "", "nobody knows");
        assert_eq!(get(daemon.address, "/stream.mjpg").await.status, 503);
        let mut viewer = Viewer::open(daemon.address, "/ws").await;
        viewer.told("state", |told| told["state"]["blocked"]["by"] == "switch").await;
        let done = browser.ask("start-stream").await;
        assert_eq!(
            (&done["ok"], &done["state"]["state"]),
            (&true.into(), &"idle".into()),
            "the wish is taken"
        );
        drop(Browser::open(daemon.address).await);
        let told = daemon.until_it("tank", "two viewers", |state| state["viewers"] == 2).await;
        assert_eq!((&told["state"], &told["reason"]), (&"idle".into(), &off.as_str().into()));
        assert!(told["blocked"]["until"].is_null() && told["blocked"]["by"] == "switch");
        assert_eq!((daemon.captures(), camera.starts().len()), (vec![], starts), "in {state}");
        // And by itself when it may again.
        switch.off();
        eventually("a start", async || (camera.starts().len() > starts).then_some(())).await;
        daemon.until_it("tank", "free", |state| state["blocked"].is_null()).await;
        assert!(!camera.was_busy());
        daemon.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_that_was_on_before_the_daemon_is_heeded_from_the_beginning() {
    let (camera, switch) = (StandIn::new(), Switch::new());
    switch.on();
    let daemon = Daemon::start(&camera.entry("tank", &switch.key())).await;
    assert_eq!(get(daemon.address, "/snapshot.jpg").await.status, 503);
    assert_eq!(camera.starts(), []);
    switch.off();
    daemon.until_it("tank", "free", |state| state["blocked"].is_null()).await;
    assert_eq!(camera.starts(), [], "nobody watches");
    assert_eq!(get(daemon.address, "/snapshot.jpg").await.status, 200);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_is_seen_in_a_folder_that_comes_goes_and_comes_again() {
    let (camera, place) = (StandIn::new(), tempfile::tempdir_in("/dev/shm").unwrap());
    let folder = place.path().join("later");
    let key = format!("[camera.privacy]\nswitch = \"{}\"", folder.join("off").display());
    let daemon = Daemon::start(&camera.entry("tank", &key)).await;
    assert!(daemon.state("tank").await["blocked"].is_null());
    for _ in 0..2 {
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("off"), "").unwrap();
        blocked(&daemon).await;
        fs::remove_dir_all(&folder).unwrap();
        daemon.until_it("tank", "free", |state| state["blocked"].is_null()).await;
    }
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_that_cannot_be_looked_at_counts_as_on() {
    let camera = StandIn::new();
    let no_folder = camera.script().join("off");
    for (switch, reason) in [
        (no_folder.to_str().unwrap(), "can't be looked at, so the camera stays off"),
        ("gpiochip98765:1", "can't be read, so the camera stays off: No such file or directory"),
    ] {
        let key = format!("[camera.privacy]\nswitch = \"{switch}\"");
        let daemon = Daemon::start(&camera.entry("tank", &key)).await;
        let reply = get(daemon.address, "/snapshot.jpg").await;
        assert_eq!(reply.status, 503);
        assert!(reply.text().contains(reason), "{}", reply.text());
        assert!(reply.json()["hint"].is_string());
        daemon.stop().await;
    }
    assert_eq!(camera.starts(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn in_quiet_hours_nothing_runs_and_after_them_it_starts_by_itself() {
    let camera = StandIn::new();
    let entry =
        |quiet: &str| camera.entry("tank", &format!("linger = \"1h\"\n[camera.privacy]\nquiet = {quiet}"));
    let daemon = Daemon::start(&entry("[\"00:00-24:00\"]")).await;
    let browser = Browser::open(daemon.address).await;
    assert_eq!(browser.ask("start-stream").await["ok"], true);
    let told = daemon.until_it("tank", "a viewer", |state| state["viewers"] == 1).await;
    assert_eq!((&told["state"], &told["blocked"]["by"]), (&"idle".into(), &"quiet".into()));
    assert_eq!(told["reason"], "quiet hours all day long");
    assert_eq!((daemon.captures(), camera.starts()), (vec![], vec![]));

    fs::write(daemon.config_file(), entry("[]")).unwrap();
    browser.picture().await;
    let capture = daemon.captures()[0];
    // Hours that have begun and are not about to end. No linger: it is off at once.
    let (hours, end) = match jiff::Zoned::now().hour() {
        0..12 => ("00:00-18:00", "18:00"),
        _ => ("12:00-06:00", "06:00"),
    };
    fs::write(daemon.config_file(), entry(&format!("[\"{hours}\"]"))).unwrap();
    blocked(&daemon).await;
    no_process_left(capture).await;
    let told = daemon.state("tank").await;
    let (now, until) = (told["now"].as_u64().unwrap(), told["blocked"]["until"].as_u64().unwrap());
    assert!(now < until && until - now <= 24 * 60 * 60 * 1000);
    assert_eq!(told["reason"], format!("quiet hours until {end}"));
    let retry: u64 = get(daemon.address, "/snapshot.jpg").await.header("retry-after").parse().unwrap();
    assert!((1..=86_400).contains(&retry));
    daemon.stop().await;
}
