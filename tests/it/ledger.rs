//! When a camera was on: told, kept across restarts, and true whatever the daemon dies of.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use jiff::civil::Date;
use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Browser, Daemon, Mjpeg, Program, StandIn, eventually, get, no_process_left, request};

const LEDGER: &str = "/api/cameras/tank/ledger";

async fn ledger(address: std::net::SocketAddr) -> Value {
    let reply = get(address, LEDGER).await;
    assert_eq!((reply.status, reply.header("cache-control")), (200, "no-store"), "{}", reply.text());
    reply.json()
}

fn stretches(ledger: &Value) -> &Vec<Value> {
    ledger["stretches"].as_array().unwrap()
}

/// Waits until the camera is off, and all of it is in the ledger.
async fn until_off(address: std::net::SocketAddr) -> Value {
    eventually("the end of the stretch", async || {
        let ledger = ledger(address).await;
        (ledger["now_on"] == false).then_some(ledger)
    })
    .await
}

/// Midnight may pass during a test.
fn assert_today(ledger: &Value, began: Date, expected: &Value) {
    if jiff::Zoned::now().date() == began {
        assert_eq!(&ledger["today"], expected);
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64
}

fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap()
}

fn file_in(state: &Path) -> PathBuf {
    state.join("cameras/tank/ledger.jsonl")
}

fn lines(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let full = text.lines().filter(|line| !line.trim().is_empty());
    // The last one may be half written.
    full.filter_map(|line| serde_json::from_str(line).ok()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stretch_is_from_the_start_of_the_capture_process_to_its_end_and_has_its_reasons() {
    let camera = StandIn::new();
    let daemon = Daemon::start(&camera.entry("tank", "linger = \"0s\"")).await;
    let today = jiff::Zoned::now().date();
    let nothing = ledger(daemon.address).await;
    assert_eq!(nothing["today"], json!({"on_ms": 0, "times": 0, "unknown": 0}));
    assert_eq!((&nothing["now_on"], stretches(&nothing).len()), (&json!(false), 0));
    assert_eq!(nothing["notice"], Value::Null);

    let begin = now();
    let browser = Browser::open(daemon.address).await;
    browser.say("start-stream");
    browser.picture().await;
    let open = ledger(daemon.address).await;
    assert_eq!(open["now_on"], true);
    let it = &stretches(&open)[0];
    assert_eq!((&it["to"], &it["ended"], &it["why"]), (&Value::Null, &Value::Null, &json!("a viewer came")));
    assert!(it["from"].as_u64().unwrap() >= begin && it["on_ms"].is_u64(), "{it}");
    let stream = Mjpeg::open(daemon.address, "/stream.mjpg").await;
    daemon.until_it("tank", "two viewers", |state| state["viewers"] == 2).await;
    drop((stream, browser));

    let after = until_off(daemon.address).await;
    let it = &stretches(&after)[0];
    assert_eq!((&it["ended"], &it["viewers"]), (&json!("nobody watches"), &json!(2)));
    let (from, to, on_ms) = (it["from"].as_u64(), it["to"].as_u64(), it["on_ms"].as_u64());
    assert!(from < to && to.unwrap() <= now() && on_ms > Some(0), "{it}");
    assert_today(&after, today, &json!({"on_ms": on_ms, "times": 1, "unknown": 0}));
    assert_eq!(daemon.captures(), [0; 0], "what the ledger says is over is over");

    for (since, expected) in [(to.unwrap(), 1), (to.unwrap() + 1, 0), (0, 1)] {
        let reply = get(daemon.address, &format!("{LEDGER}?since={since}")).await;
        assert_eq!(stretches(&reply.json()).len(), expected, "since {since}");
        assert_today(&reply.json(), today, &after["today"]);
    }
    for wrong in ["", "-1", "yesterday", "1e3"] {
        let reply = get(daemon.address, &format!("{LEDGER}?since={wrong}")).await;
        assert_eq!(reply.status, 400, "{wrong}");
        assert!(reply.json()["hint"].as_str().unwrap().contains("Unix milliseconds"));
    }
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_fails_has_a_stretch_for_each_try_with_the_reason_of_its_end() {
    let camera = StandIn::doing("echo the cable is out >&2; exit 3");
    let daemon = Daemon::start(&camera.entry("tank", "")).await;
    let browser = Browser::open(daemon.address).await;
    browser.say("start-stream");
    let tried = eventually("a second try", async || {
        let ledger = ledger(daemon.address).await;
        (stretches(&ledger).len() > 1).then_some(ledger)
    })
    .await;
    let (first, second) = (&stretches(&tried)[0], &stretches(&tried)[1]);
    assert_eq!((&first["why"], &second["why"]), (&json!("a viewer came"), &json!("the back-off is over")));
    assert!(first["ended"].as_str().unwrap().contains("the cable is out"), "{first}");
    drop(browser);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_ends_a_stretch_and_the_next_daemon_tells_it() {
    let camera = StandIn::new();
    let state = folder();
    let config = format!("state_folder = \"{}\"\n{}", state.path().display(), camera.entry("tank", ""));
    let mut program = Program::start(&config).await;
    let browser = Browser::open(program.address).await;
    browser.say("start-stream");
    browser.picture().await;
    program.signal(Signal::TERM);
    assert_eq!(program.end().await.code(), Some(0));
    let written = lines(&file_in(state.path()));
    assert_eq!(written.len(), 2, "its beginning and all of it: {written:?}");

    let daemon = Daemon::start(&config).await;
    let told = ledger(daemon.address).await;
    assert_eq!((&told["now_on"], &stretches(&told)[0]), (&json!(false), &written[1]));
    assert_eq!(written[1]["ended"], "the camera is taken down");
    drop(browser);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stretch_in_which_the_daemon_was_killed_has_no_end_and_nothing_is_guessed() {
    let camera = StandIn::new();
    let state = folder();
    let config = format!("state_folder = \"{}\"\n{}", state.path().display(), camera.entry("tank", ""));
    let mut program = Program::start(&config).await;
    let stream = Mjpeg::open(program.address, "/stream.mjpg").await;
    eventually("its beginning on the disk", async || {
        (lines(&file_in(state.path())).len() == 1).then_some(())
    })
    .await;
    let captures = program.captures();
    program.signal(Signal::KILL);
    program.end().await;
    drop(stream);
    for capture in captures {
        no_process_left(capture).await;
    }
    // And the power cut took half of a line.
    let mut text = fs::read(file_in(state.path())).unwrap();
    text.extend(b"{\"from\":1795");
    fs::write(file_in(state.path()), text).unwrap();

    let folder = Program::folder();
    let command = Program::command(&folder, &config, &["--listen", "127.0.0.1:0"]);
    let mut program = Program::watch(command, folder).await;
    let told = ledger(program.address).await;
    let lost = &stretches(&told)[0];
    assert_eq!(stretches(&told).len(), 1, "{told}");
    assert_eq!([&lost["to"], &lost["on_ms"], &lost["viewers"]], [&Value::Null; 3]);
    assert!(lost["ended"].as_str().unwrap().starts_with("not known"), "{lost}");
    assert_eq!((&told["now_on"], &told["notice"]), (&json!(false), &Value::Null));
    // Midnight may have passed since.
    assert_eq!(told["today"]["unknown"], told["today"]["times"]);
    let warned = || program.log().iter().filter(|line| line.contains("can't be understood")).count();
    assert_eq!(warned(), 1, "{:?}", program.log());

    assert_eq!(get(program.address, "/snapshot.jpg").await.status, 200);
    let told = ledger(program.address).await;
    assert_eq!((stretches(&told).len(), &stretches(&told)[0]), (2, lost));
    program.signal(Signal::TERM);
    assert!(program.end().await.success());
    let daemon = Daemon::start(&config).await;
    let told = ledger(daemon.address).await;
    assert_eq!((stretches(&told).len(), &stretches(&told)[0]), (2, lost), "the torn line took nothing along");
    assert!(stretches(&told)[1]["to"].is_u64());
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_can_be_written_the_camera_runs_and_the_ledger_says_so() {
    let camera = StandIn::new();
    let state = folder();
    // Below a file there can be no folder, not even for root.
    let file = state.path().join("file");
    fs::write(&file, "").unwrap();
    let config =
        format!("state_folder = \"{}\"\n{}", file.display(), camera.entry("tank", "linger = \"0s\""));
    let daemon = Daemon::start(&config).await;
    assert_eq!(get(daemon.address, "/snapshot.jpg").await.status, 200);
    until_off(daemon.address).await;
    let notice =
        eventually("the notice", async || ledger(daemon.address).await["notice"].as_str().map(str::to_owned))
            .await;
    let path = file_in(&file).display().to_string();
    assert!(notice.contains("is forgotten when the daemon ends") && notice.contains(&path), "{notice}");
    assert_eq!(get(daemon.address, "/snapshot.jpg").await.status, 200);
    let told = until_off(daemon.address).await;
    assert_eq!(stretches(&told).len(), 2, "it is known as long as the daemon runs");
    // The trouble is over, and the last write is tried again at the end.
    fs::remove_file(&file).unwrap();
    daemon.stop().await;
    assert_eq!(lines(&file_in(&file)).len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_takes_no_half_line_and_what_it_could_not_take_comes_later() {
    if !rustix::process::getuid().is_root() {
        println!("skipped: only root can mount a tmpfs of its own");
        return;
    }
    let camera = StandIn::new();
    let (folder, state) = (Program::folder(), folder());
    let (path, disk) = (folder.path().display(), state.path().display());
    let config = format!("state_folder = \"{disk}\"\n{}", camera.entry("tank", "linger = \"0s\""));
    // An empty line leaves room for a few others in the file's page, which a full disk does not take away.
    let script = format!(
        "mount -t tmpfs -o size=64k,mode=0700 none {disk} && mkdir -p {disk}/cameras/tank && \
         printf '%3800s\\n' '' > {disk}/cameras/tank/ledger.jsonl && \
         exec {} --config {path}/config.toml --listen 127.0.0.1:0",
        env!("CARGO_BIN_EXE_eyelid")
    );
    let command = Program::command_of("unshare", &folder, &config, &["--mount", "sh", "-c", &script]);
    let mut program = Program::watch(command, folder).await;
    assert_eq!(get(program.address, "/snapshot.jpg").await.status, 200);
    until_off(program.address).await;
    let inside = PathBuf::from(format!("/proc/{}/root{disk}", program.pid()));
    let file = file_in(&inside);
    eventually("the first stretch on the disk", async || (lines(&file).len() == 2).then_some(())).await;

    assert!(fs::write(inside.join("filler"), vec![1; 512 << 10]).is_err(), "it does not fill up");
    let notice = eventually("the notice", async || {
        assert_eq!(get(program.address, "/snapshot.jpg").await.status, 200);
        until_off(program.address).await["notice"].as_str().map(str::to_owned)
    })
    .await;
    assert!(notice.contains("is forgotten when the daemon ends"), "{notice}");
    let before = stretches(&until_off(program.address).await).len();
    fs::remove_file(inside.join("filler")).unwrap();
    assert_eq!(get(program.address, "/snapshot.jpg").await.status, 200);
    // A picture may take more than one start of the camera.
    let expected = eventually("all of it on the disk", async || {
        let told = until_off(program.address).await;
        let all = 2 * stretches(&told).len();
        (told["notice"].is_null() && all > 2 * before && lines(&file).len() == all).then_some(all)
    })
    .await;
    let text = fs::read_to_string(&file).unwrap();
    let written = text.lines().filter(|line| !line.trim().is_empty()).count();
    assert_eq!(written, expected, "no half line is left: {text}");
    program.signal(Signal::TERM);
    assert_eq!(program.end().await.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_is_for_the_cameras_own_pages() {
    let camera = StandIn::new();
    let daemon = Daemon::start(&camera.entry("tank", "origins = [\"http://a.example\"]")).await;
    for from in ["Origin: http://a.example", "Origin: http://evil.example", "Sec-Fetch-Site: cross-site"] {
        let reply = request(daemon.address, "GET", LEDGER, &format!("{from}\r\n"), b"").await;
        assert_eq!(reply.status, 403, "{from}");
    }
    assert_eq!(get(daemon.address, "/api/cameras/pond/ledger").await.status, 404);
    let post = request(daemon.address, "POST", LEDGER, "", b"{}").await;
    assert_eq!((post.status, post.header("allow")), (405, "GET, HEAD"));
    let head = request(daemon.address, "HEAD", LEDGER, "", b"").await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(daemon.state("tank").await["state"], "idle", "reading it starts nothing");
    daemon.stop().await;
}
