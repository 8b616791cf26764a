//! Waves: who sees them, how many are let through, and what is run at each.

use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::{
    Browser, Daemon, Manner, Program, StandIn, Viewer, eventually, exists, get, group, no_process_left,
};

const KEYS: &str = "linger = \"0s\"";
const WAVE: &str = r#"{"wave": true}"#;

/// When a wave says that it was, Unix milliseconds.
fn at(wave: &Value) -> u64 {
    wave["at"].as_u64().unwrap_or_else(|| panic!("no time: {wave}"))
}

/// Waits until no wave can have been at this time.
async fn after(ms: u64) {
    eventually("the next millisecond", async || {
        (SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64 > ms).then_some(())
    })
    .await;
}

/// The times of so many waves that a browser has seen.
async fn seen(browser: &Browser, count: usize) -> Vec<u64> {
    let mut times = Vec::new();
    for _ in 0..count {
        times.push(at(&browser.next("wave").await));
    }
    times
}

/// The times of so many waves that somebody at `ws` has seen.
async fn told(viewer: &mut Viewer, count: usize) -> Vec<u64> {
    let mut times = Vec::new();
    for _ in 0..count {
        times.push(at(&viewer.told("wave", |_| true).await));
    }
    times
}

#[tokio::test(flavor = "multi_thread")]
async fn all_others_of_the_camera_see_it_whatever_they_speak() {
    let (tank, pond) = (StandIn::new(), StandIn::new());
    let daemon = Daemon::start(&(tank.entry("tank", KEYS) + &pond.entry("pond", KEYS))).await;
    let to = daemon.address;
    let main = Browser::open(to).await;
    let own = Browser::with(to, Manner::of("tank")).await;
    let old = Browser::with(to, Manner { protocol: 3, ..Manner::default() }).await;
    let observer = Browser::with(to, Manner::observer()).await;
    let (at_pond, other_at_pond) =
        (Browser::with(to, Manner::of("pond")).await, Browser::with(to, Manner::of("pond")).await);
    let mut socket = Viewer::open(to, "/ws").await;
    let mut named = Viewer::open(to, "/cameras/tank/ws?lease=false").await;
    let mut pond_socket = Viewer::open(to, "/cameras/pond/ws?lease=false").await;
    for viewer in [&mut socket, &mut named, &mut pond_socket] {
        viewer.told("state", |_| true).await;
    }

    // Each wave is of another time, so that it is known which one somebody has seen.
    let mut times = Vec::new();
    assert_eq!(main.ask("wave").await, json!({ "ok": true }));
    times.extend(told(&mut named, 1).await);
    after(times[0]).await;
    socket.say(WAVE).await;
    times.extend(told(&mut named, 1).await);
    for browser in [&old, &own, &observer] {
        after(*times.last().unwrap()).await;
        assert_eq!(browser.ask("wave").await["ok"], true);
        times.extend(told(&mut named, 1).await);
    }
    assert!(times.is_sorted(), "{times:?}");
    let but = |index: usize| [&times[..index], &times[index + 1..]].concat();
    // Who saw its own wave too would have seen it before the last one of these.
    for (browser, index) in [(&main, 0), (&old, 2), (&own, 3)] {
        assert_eq!(seen(browser, 4).await, but(index), "all but its own, {index}");
    }
    assert_eq!(told(&mut socket, 4).await, but(1));
    assert_eq!(seen(&observer, 4).await, but(4));
    observer.ask("clock").await;
    assert_eq!(observer.forget("wave"), 0, "the last wave was its own");

    after(times[4]).await;
    assert_eq!(at_pond.ask("wave").await["ok"], true);
    let times_of_pond = told(&mut pond_socket, 1).await;
    assert!(times_of_pond[0] > times[4], "what came first at the pond was its own wave");
    assert_eq!(seen(&other_at_pond, 1).await, times_of_pond);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_in_both_namespaces_of_a_camera_is_not_told_of_its_own_wave_in_either() {
    let tank = StandIn::new();
    let daemon = Daemon::start(&tank.entry("tank", KEYS)).await;
    // The old protocol connects it to `/` as well.
    let both = Browser::with(daemon.address, Manner { protocol: 3, ..Manner::of("tank") }).await;
    let other = Browser::with(daemon.address, Manner::of("tank")).await;
    both.ask("wave").await;
    let first = seen(&other, 1).await;
    after(first[0]).await;
    other.ask("wave").await;
    let second = seen(&both, 1).await;
    let elsewhere = eventually("the wave in the other namespace", async || {
        both.elsewhere().into_iter().find(|packet| packet.contains("\"wave\""))
    })
    .await;
    assert_eq!(elsewhere, format!("42[\"wave\",{{\"at\":{}}}]", second[0]), "the first that came there");
    assert!(second > first);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn waving_starts_no_camera_and_makes_nobody_a_viewer() {
    let camera = StandIn::new();
    let daemon = Daemon::start(&camera.entry("tank", KEYS)).await;
    let (browser, observer) =
        (Browser::open(daemon.address).await, Browser::with(daemon.address, Manner::observer()).await);
    let mut socket = Viewer::open(daemon.address, "/ws?lease=false").await;
    socket.told("state", |_| true).await;
    assert_eq!(browser.ask("wave").await["ok"], true);
    observer.next("wave").await;
    socket.say(WAVE).await;
    browser.next("wave").await;
    assert_eq!(observer.ask("wave").await["ok"], true);
    told(&mut socket, 2).await;
    let state = daemon.state("tank").await;
    assert_eq!(
        (&state["state"], &state["viewers"], &state["session"]),
        (&json!("idle"), &json!(0), &json!(false))
    );
    daemon.stop().await;
    assert_eq!(camera.starts(), []);
}

/// What `ws` answers to a wave that comes too soon; nothing where so much time had passed that it was let through, and
/// seen by that browser.
async fn refusal(socket: &mut Viewer, watcher: &Browser) -> Option<Value> {
    socket.say(WAVE).await;
    tokio::select! {
        error = socket.told("error", |_| true) => Some(error),
        _ = watcher.next("wave") => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_that_waves_again_at_once_is_told_when_it_may_and_nobody_sees_it() {
    let camera = StandIn::new();
    // Again, where the machine took so long that the limit was over.
    loop {
        let daemon = Daemon::start(&camera.entry("tank", KEYS)).await;
        let (browser, other) = (Browser::open(daemon.address).await, Browser::open(daemon.address).await);
        let mut socket = Viewer::open(daemon.address, "/ws?lease=false").await;
        socket.told("state", |_| true).await;
        let begun = Instant::now();
        assert_eq!(browser.ask("wave").await["ok"], true);
        let first = told(&mut socket, 1).await;
        let again = browser.ask("wave").await;
        after(first[0]).await;
        socket.say(WAVE).await;
        let seen_by_other = seen(&other, 2).await;
        let seen_by_browser = seen(&browser, 1).await;
        socket.say(r#"{"wave": true, "no such wish": 1}"#).await;
        let misunderstood = socket.told("error", |_| true).await;
        let error = refusal(&mut socket, &other).await;
        let quick = begun.elapsed() < Duration::from_secs(5);
        daemon.stop().await;
        if quick {
            assert_eq!(again["ok"], false, "{again}");
            assert!(
                again["error"].as_str().unwrap().starts_with("you have waved just now: wait "),
                "{again}"
            );
            assert!((1..=5000).contains(&again["retry_in_ms"].as_u64().unwrap()), "{again}");
            assert_eq!(seen_by_other, [first, seen_by_browser].concat(), "what was refused was not seen");
            assert!(misunderstood["retry_in_ms"].is_null(), "{misunderstood}");
            let error = error.expect("an answer");
            assert_eq!(error["error"], "you have waved just now");
            assert!((1..=5000).contains(&error["retry_in_ms"].as_u64().unwrap()), "{error}");
            assert!(error["hint"].as_str().unwrap().starts_with("wait "), "{error}");
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_has_five_waves_in_ten_seconds_whoever_waves() {
    let camera = StandIn::new();
    loop {
        let daemon = Daemon::start(&camera.entry("tank", KEYS)).await;
        let watcher = Browser::open(daemon.address).await;
        let mut socket = Viewer::open(daemon.address, "/ws?lease=false").await;
        socket.told("state", |_| true).await;
        let begun = Instant::now();
        for protocol in [4, 3, 4, 3, 4] {
            let browser = Browser::with(daemon.address, Manner { protocol, ..Manner::default() }).await;
            assert_eq!(browser.ask("wave").await, json!({ "ok": true }));
        }
        seen(&watcher, 5).await;
        let sixth = Browser::open(daemon.address).await.ask("wave").await;
        let error = refusal(&mut socket, &watcher).await;
        let quick = begun.elapsed() < Duration::from_secs(10);
        daemon.stop().await;
        if quick {
            assert_eq!(sixth["ok"], false, "{sixth}");
            assert!(sixth["error"].as_str().unwrap().starts_with("many are waving just now"), "{sixth}");
            assert!((1..=10_000).contains(&sixth["retry_in_ms"].as_u64().unwrap()), "{sixth}");
            assert_eq!(error.expect("an answer")["error"], "many are waving just now");
            return;
        }
    }
}

/// A folder for what a program at a wave writes, and the key that runs this script with the folder as its `$1`.
struct Greeter {
    folder: tempfile::TempDir,
}

impl Greeter {
    fn new() -> Self {
        Self { folder: tempfile::tempdir_in("/dev/shm").unwrap() }
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    fn key(&self, script: &str) -> String {
        let words = ["/bin/sh", "-c", script, "greeter", self.folder.path().to_str().unwrap()];
        format!("on_wave = {}\n", json!(words))
    }

    /// What it has written to this file, line by line; nothing while the last line is half written.
    fn lines(&self, file: &str) -> Vec<String> {
        let text = fs::read_to_string(self.path(file)).unwrap_or_default();
        let whole = if text.ends_with('\n') { text.as_str() } else { "" };
        whole.lines().map(str::to_owned).collect()
    }

    async fn wrote(&self, file: &str, lines: usize) -> Vec<String> {
        eventually(&format!("{lines} lines in {file}"), async || {
            Some(self.lines(file)).filter(|found| found.len() >= lines)
        })
        .await
    }
}

/// Waits until the program has logged that so many times.
async fn logged(program: &Program, what: &str, times: usize) {
    eventually(&format!("{times} times in the log: {what}"), async || {
        (program.log().iter().filter(|line| line.contains(what)).count() >= times).then_some(())
    })
    .await;
}

const READY: &str = "on_wave: ready for the next wave";

/// The daemon as a program, which logs all that it does.
async fn verbose(config: &str) -> Program {
    let folder = Program::folder();
    let mut command = Program::command(&folder, config, &["--listen", "127.0.0.1:0"]);
    command.env("EYELID_LOG_LEVEL", "debug").env("LISTEN_SECRET", "x").env("GREETING", "hello");
    Program::watch(command, folder).await
}

async fn wave(to: std::net::SocketAddr) {
    let browser = Browser::with(to, Manner::observer()).await;
    assert_eq!(browser.ask("wave").await, json!({ "ok": true }));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owners_program_gets_its_arguments_and_the_cameras_name_and_nothing_of_the_daemons() {
    let (camera, greeter) = (StandIn::new(), Greeter::new());
    let script = "env >\"$1/env\"; cat >\"$1/input\"; echo \"$2\" $$ $(cut -d' ' -f5 /proc/$$/stat) >>\"$1/ran\"; echo said";
    let key = greeter.key(script).replace("]\n", ", \"a; b $HOME\"]\n");
    let program = verbose(&camera.entry("tank", &key)).await;
    wave(program.address).await;
    let ran = greeter.wrote("ran", 1).await;
    let words: Vec<_> = ran[0].split(' ').collect();
    assert_eq!(words[..3], ["a;", "b", "$HOME"], "no shell reads the arguments");
    assert_eq!(words[3], words[4], "a process group of its own");
    assert_eq!(fs::read(greeter.path("input")).unwrap(), b"");
    let env = greeter.lines("env");
    assert!(
        env.contains(&"EYELID_CAMERA=tank".to_owned()) && env.contains(&"GREETING=hello".to_owned()),
        "{env:?}"
    );
    for not_its in ["EYELID_LOG_LEVEL", "LISTEN_SECRET"] {
        assert!(!env.iter().any(|line| line.starts_with(not_its)), "{env:?}");
    }
    logged(&program, "on_wave: said", 1).await;
    logged(&program, READY, 1).await;
    let warnings: Vec<_> = program.log().into_iter().filter(|line| line.contains("WARN")).collect();
    assert_eq!(warnings, Vec::<String>::new());
    assert_eq!(camera.starts(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_runs_once_at_a_time_and_waves_meanwhile_are_shown_but_do_not_queue() {
    let (camera, greeter) = (StandIn::new(), Greeter::new());
    let script =
        "echo start >>\"$1/log\"; while [ ! -e \"$1/go\" ]; do sleep 0.02; done; echo end >>\"$1/log\"";
    let program = verbose(&camera.entry("tank", &greeter.key(script))).await;
    let watcher = Browser::open(program.address).await;
    wave(program.address).await;
    watcher.next("wave").await;
    greeter.wrote("log", 1).await;
    for _ in 0..2 {
        wave(program.address).await;
        watcher.next("wave").await;
    }
    fs::write(greeter.path("go"), "").unwrap();
    logged(&program, READY, 1).await;
    assert_eq!(greeter.lines("log"), ["start", "end"]);
    wave(program.address).await;
    logged(&program, READY, 2).await;
    assert_eq!(greeter.lines("log"), ["start", "end", "start", "end"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_configuration_changes_what_is_run_and_a_wrong_one_does_not() {
    let (camera, greeter) = (StandIn::new(), Greeter::new());
    let entry = |title: &str, keys: &str| camera.entry("tank", &format!("title = \"{title}\"\n{keys}"));
    let daemon = Daemon::start(&entry("first", "")).await;
    wave(daemon.address).await;
    for (title, script, line) in
        [("second", "echo one >>\"$1/log\"", "one"), ("third", "echo two >>\"$1/log\"", "two")]
    {
        fs::write(daemon.config_file(), entry(title, &greeter.key(script))).unwrap();
        daemon.until_it("tank", title, |state| state["title"] == title).await;
        wave(daemon.address).await;
        let count = if line == "one" { 1 } else { 2 };
        assert_eq!(greeter.wrote("log", count).await.last().unwrap(), line);
    }
    fs::write(daemon.config_file(), entry("fourth", "on_wave = [\"\"]")).unwrap();
    eventually("the refusal", async || {
        let told = get(daemon.address, "/api/status").await.json();
        told["config"]["error"].as_str()?.contains("the program has no name").then_some(())
    })
    .await;
    assert_eq!(greeter.lines("log"), ["one", "two"]);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn however_much_it_says_little_of_it_is_logged() {
    let (camera, greeter) = (StandIn::new(), Greeter::new());
    let script = "head -c 300000 /dev/zero | tr '\\0' x; seq 100000; echo >>\"$1/ran\"";
    let program = verbose(&camera.entry("tank", &greeter.key(script))).await;
    wave(program.address).await;
    logged(&program, READY, 1).await;
    assert_eq!(greeter.lines("ran").len(), 1, "it was let say all of it");
    let said: Vec<_> = program.log().into_iter().filter(|line| line.contains("on_wave: x")).collect();
    assert_eq!(said.len(), 20);
    assert!(said.iter().all(|line| line.len() < 1200));
    assert!(program.log().iter().all(|line| !line.contains("on_wave: 1")), "seq comes after that");
}

/// A program that will not end by itself and not when it is told, with a child like it; it writes its process id.
const STUBBORN: &str = "trap '' TERM; (trap '' TERM; while :; do sleep 1000; done) & \
                        echo $$ >>\"$1/pid\"; while :; do sleep 1000; done";

#[tokio::test(flavor = "multi_thread")]
async fn none_of_its_processes_outlives_the_daemon_or_the_camera() {
    let (tank, pond, greeter) = (StandIn::new(), StandIn::new(), Greeter::new());
    let first = tank.entry("tank", &greeter.key(STUBBORN));
    let daemon = Daemon::start(&(first.clone() + &pond.entry("pond", &greeter.key(STUBBORN)))).await;
    let at_pond = Browser::with(daemon.address, Manner::of("pond")).await;
    assert_eq!(at_pond.ask("wave").await["ok"], true);
    let pids = greeter.wrote("pid", 1).await;
    let of_pond: i32 = pids[0].parse().unwrap();
    assert!(group(of_pond).len() >= 2);
    fs::write(daemon.config_file(), first).unwrap();
    no_process_left(of_pond).await;
    wave(daemon.address).await;
    let of_tank: i32 = greeter.wrote("pid", 2).await[1].parse().unwrap();
    assert!(group(of_tank).len() >= 2);
    daemon.stop().await;
    no_process_left(of_tank).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_dies_with_a_daemon_that_is_killed() {
    let (camera, greeter) = (StandIn::new(), Greeter::new());
    let mut program = verbose(&camera.entry("tank", &greeter.key(STUBBORN))).await;
    wave(program.address).await;
    let pid: i32 = greeter.wrote("pid", 1).await[0].parse().unwrap();
    let left = group(pid);
    program.signal(Signal::KILL);
    program.end().await;
    eventually("its end", async || (!exists(pid)).then_some(())).await;
    // Its own child is nobody's now; the test may not leave it behind.
    for pid in left.into_iter().filter(|pid| exists(*pid)) {
        let _ = rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), Signal::KILL);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_is_one_warning_with_its_reason_however_often() {
    for (script, reason) in [
        (json!(["/no/such/program"]), "/no/such/program can't be started: No such file or directory"),
        (json!(["no-such-program"]), "no-such-program can't be started"),
        (
            json!(["/bin/sh", "-c", "echo no lamp >&2; exit 4"]),
            "/bin/sh ended with exit status: 4; its last words: no lamp",
        ),
    ] {
        let camera = StandIn::new();
        let program = verbose(&camera.entry("tank", &format!("on_wave = {script}"))).await;
        for times in 1..=3 {
            wave(program.address).await;
            logged(&program, READY, times).await;
        }
        logged(&program, reason, 3).await;
        let warnings: Vec<_> = program.log().into_iter().filter(|line| line.contains("WARN")).collect();
        assert_eq!(warnings.len(), 1, "{warnings:#?}");
        assert!(warnings[0].contains(reason) && warnings[0].contains("camera=tank"), "{warnings:#?}");
    }
}

#[test]
fn a_wrong_program_is_an_error_of_the_configuration() {
    let folder = Program::folder();
    let config = "[[camera]]\non_wave = [\"\", \"17\"]\n";
    fs::write(folder.path().join("config.toml"), config).unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_eyelid"))
        .args(["check", "--config"])
        .arg(folder.path().join("config.toml"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success() && said.contains("the program has no name"), "{said}");
}
