//! A configuration that changes while the daemon runs.

use std::{fs, path::Path};

use serde_json::Value;

use crate::support::{Browser, Daemon, Manner, StandIn, eventually, get, request};

const KEYS: &str = "linger = \"0s\"";

/// Saves as editors do that leave no half file behind.
fn save(file: &Path, text: &str) {
    let beside = file.with_extension("toml.new");
    fs::write(&beside, text).unwrap();
    fs::rename(beside, file).unwrap();
}

async fn config_status(daemon: &Daemon) -> Value {
    get(daemon.address, "/api/status").await.json()["config"].clone()
}

async fn names(daemon: &Daemon) -> Vec<String> {
    let cameras = get(daemon.address, "/api/cameras").await.json();
    cameras["cameras"].as_array().unwrap().iter().map(|c| c["camera"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_one_camera_leaves_the_viewers_of_the_others_alone() {
    let (tank, pond) = (StandIn::new(), StandIn::new());
    let config = |title: &str, interval: &str| {
        let changed = pond.entry("pond", KEYS).replace("20ms", interval);
        format!("{}{changed}title = \"{title}\"\n", tank.entry("tank", KEYS))
    };
    let daemon = Daemon::start(&config("Pond", "20ms")).await;
    let at_tank = Browser::open(daemon.address).await;
    let at_pond = Browser::with(daemon.address, Manner::of("pond")).await;
    for browser in [&at_tank, &at_pond] {
        browser.say("start-stream");
        browser.picture().await;
    }
    let before = daemon.captures();
    // In place, as some editors do.
    fs::write(daemon.config_file(), config("Carp", "40ms")).unwrap();
    at_pond
        .told("with the new title and interval", |state| {
            state["title"] == "Carp" && state["interval_ms"] == 40
        })
        .await;
    eventually("the second start of the changed camera", async || (pond.starts().len() == 2).then_some(()))
        .await;
    at_pond.forget("liveStream");
    at_pond.picture().await;
    at_tank.forget("liveStream");
    at_tank.picture().await;
    assert_eq!((tank.starts().len(), pond.starts().len()), (1, 2));
    assert_eq!(daemon.captures().iter().filter(|pid| before.contains(pid)).count(), 1);
    // What is no matter of the capture process does not end it.
    save(&daemon.config_file(), &config("Koi", "40ms"));
    at_pond.told("with another title", |state| state["title"] == "Koi").await;
    at_pond.forget("liveStream");
    at_pond.picture().await;
    assert_eq!(pond.starts().len(), 2);
    assert!(!at_tank.is_closed() && !at_pond.is_closed() && !tank.was_busy() && !pond.was_busy());
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_file_is_refused_and_shown_and_the_old_one_goes_on() {
    let tank = StandIn::new();
    let good = tank.entry("tank", KEYS);
    let daemon = Daemon::start(&good).await;
    let browser = Browser::open(daemon.address).await;
    browser.say("start-stream");
    browser.picture().await;
    assert_eq!(config_status(&daemon).await["file"], daemon.config_file().display().to_string());
    for bad in ["nonsense = [", "[[camera]]\nnmae = \"x\"\n", "", "listen = 80\n[[camera]]\nname = \"A b\"\n"]
    {
        // An empty file says nothing, so it is good: the default camera.
        let bad =
            if bad.is_empty() { "[[camera]]\nname = \"tank\"\n[[camera]]\nname = \"tank\"\n" } else { bad };
        save(&daemon.config_file(), bad);
        let error = eventually("the error on the status route", async || {
            let error = config_status(&daemon).await["error"].as_str()?.to_owned();
            // The next one replaces that of the one before.
            error.contains("config.toml").then_some(error)
        })
        .await;
        assert!(error.contains(":1:") || error.contains(":2:") || error.contains(":4:"), "no line: {error}");
        browser.picture().await;
        save(&daemon.config_file(), &good);
        eventually("no error any more", async || {
            config_status(&daemon).await["error"].is_null().then_some(())
        })
        .await;
    }
    fs::remove_file(daemon.config_file()).unwrap();
    eventually("the error that there is no file", async || {
        config_status(&daemon).await["error"].is_string().then_some(())
    })
    .await;
    browser.forget("liveStream");
    browser.picture().await;
    assert_eq!(tank.starts().len(), 1);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_is_believed_as_long_as_it_is_named() {
    const CAMERA: &str = "[[camera]]\nkind = \"pattern\"\n";
    let daemon = Daemon::start(CAMERA).await;
    let believed = async || {
        let reply = request(daemon.address, "GET", "/api/access", "X-Forwarded-Proto: https\r\n", b"").await;
        reply.json()["tls"].as_bool().unwrap()
    };
    assert!(!believed().await);
    for _ in 0..2 {
        save(&daemon.config_file(), &format!("proxies = [\"127.0.0.0/8\"]\n{CAMERA}"));
        eventually("its word to count", async || believed().await.then_some(())).await;
        save(&daemon.config_file(), CAMERA);
        eventually("its word to count no more", async || (!believed().await).then_some(())).await;
    }
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cameras_come_and_go() {
    let (tank, pond) = (StandIn::new(), StandIn::new());
    let daemon = Daemon::start(&tank.entry("tank", KEYS)).await;
    let at_tank = Browser::with(daemon.address, Manner::of("tank")).await;
    at_tank.say("start-stream");
    at_tank.picture().await;
    for _ in 0..3 {
        // It would go on for an hour, if only its viewer left.
        save(&daemon.config_file(), &(tank.entry("tank", KEYS) + &pond.entry("pond", "linger = \"1h\"")));
        eventually("the second camera", async || (names(&daemon).await == ["tank", "pond"]).then_some(()))
            .await;
        let at_pond = Browser::with(daemon.address, Manner::of("pond")).await;
        at_pond.say("start-stream");
        at_pond.picture().await;
        let (_, camera) = *pond.starts().last().unwrap();
        save(&daemon.config_file(), &tank.entry("tank", KEYS));
        eventually("one camera", async || (names(&daemon).await == ["tank"]).then_some(())).await;
        eventually("the end of its process", async || (!crate::support::exists(camera)).then_some(())).await;
        eventually("the end of its viewer", async || at_pond.is_closed().then_some(())).await;
        assert_eq!(get(daemon.address, "/cameras/pond/").await.status, 404);
    }
    // The only one is another one now, and so is the first.
    let main = Browser::open(daemon.address).await;
    main.picture().await;
    save(&daemon.config_file(), &pond.entry("pond", KEYS));
    main.told("of the other camera", |state| state["camera"] == "pond").await;
    eventually("the end of the first camera's viewer", async || at_tank.is_closed().then_some(())).await;
    main.say("start-stream");
    main.told("of its session", |state| state["camera"] == "pond" && state["state"] == "live").await;
    main.forget("liveStream");
    main.picture().await;
    daemon.until_it("pond", "one viewer", |state| state["viewers"] == 1).await;
    assert_eq!((tank.starts().len(), pond.starts().len()), (1, 4));
    drop(main);
    daemon.until("pond", "idle").await;
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn host_names_are_taken_over_at_once() {
    let tank = StandIn::new();
    let daemon = Daemon::start(&tank.entry("tank", KEYS)).await;
    let ask = async || {
        let host = "Host: camera.example.org\r\n";
        crate::support::request(daemon.address, "GET", "/healthz", host, b"").await.status
    };
    assert_eq!(ask().await, 421);
    save(&daemon.config_file(), &format!("hosts = [\"camera.example.org\"]\n{}", tank.entry("tank", KEYS)));
    eventually("the new name", async || (ask().await == 200).then_some(())).await;
    save(&daemon.config_file(), &tank.entry("tank", KEYS));
    eventually("the end of the name", async || (ask().await == 421).then_some(())).await;
    daemon.stop().await;
}
