//! The command line of the real program.

use std::{
    fs,
    process::{Output, Stdio},
};

use rustix::process::Signal;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;

use crate::support::{Program, StandIn, eventually, in_time, jpeg, no_process_left, signal};

/// Runs the program to its end in a folder of its own.
async fn run(config: &str, arguments: &[&str]) -> (Output, TempDir) {
    let folder = Program::folder();
    let output = in_time("the end of the program", Program::command(&folder, config, arguments).output());
    (output.await.unwrap(), folder)
}

fn said(output: &[u8]) -> String {
    String::from_utf8_lossy(output).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn check_prints_every_error_with_its_line_and_exits_with_2() {
    let config =
        "lisen = \"127.0.0.1:1\"\n[[camera]]\nname = \"A b\"\nquality = 101\n[[camera]]\nsize = 1280\n";
    let (output, _folder) = run(config, &["check"]).await;
    assert_eq!(output.status.code(), Some(2));
    let said = said(&output.stderr);
    for expected in
        ["config.toml:1:1", "listen", "config.toml:3:8", "config.toml:4:11", "config.toml:6:8", "4 errors"]
    {
        assert!(said.contains(expected), "no {expected} in:\n{said}");
    }
    assert!(output.stdout.is_empty());
    for arguments in [&["run"][..], &["snapshot"], &[]] {
        let (output, _folder) = run(config, arguments).await;
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn check_tells_what_each_camera_would_do() {
    let camera = StandIn::new();
    let config = camera.entry("tank", "") + "[[camera]]\nname = \"pond\"\nkind = \"pattern\"\n";
    let (output, _folder) = run(&config, &["check"]).await;
    assert_eq!((output.status.code(), said(&output.stderr)), (Some(0), String::new()));
    let said = said(&output.stdout);
    assert!(said.contains("config.toml: good") && said.contains(camera.script().to_str().unwrap()), "{said}");
    assert!(said.contains("camera tank at /") && said.contains("camera pond at /cameras/pond/"), "{said}");
    assert_eq!(camera.starts(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshot_writes_one_picture_and_leaves_nothing_running() {
    let (tank, pond) =
        (StandIn::doing("cat a.jpg; exec sleep 1000000"), StandIn::doing("cat b.jpg; exec sleep 1000000"));
    let config = tank.entry("tank", "") + &pond.entry("pond", "");
    let (output, folder) = run(&config, &["snapshot", "-o", "new.jpg"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", said(&output.stderr));
    assert!(said(&output.stderr).contains("new.jpg: 16x16"), "{}", said(&output.stderr));
    assert_eq!(fs::read(folder.path().join("new.jpg")).unwrap(), jpeg(0));
    let names: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "the configuration and the picture: {names:?}");
    assert!(
        tank.starts()
            .iter()
            .all(|(capture, script)| !crate::support::exists(*capture) && !crate::support::exists(*script))
    );

    let (output, _folder) = run(&config, &["snapshot", "pond", "-o", "-"]).await;
    assert_eq!((output.status.code(), output.stdout), (Some(0), jpeg(255)));
    let (output, folder) = run(&config, &["snapshot"]).await;
    assert_eq!(output.status.code(), Some(0));
    assert!(folder.path().join("snapshot.jpg").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshot_says_what_is_wrong_and_exits_with_1() {
    let camera = StandIn::doing("echo 'no lens' >&2; exit 3");
    let config = camera.entry("tank", "") + &StandIn::new().entry("pond", "");
    let (output, _folder) = run(&config, &["snapshot", "lake"]).await;
    assert_eq!(output.status.code(), Some(1));
    let text = said(&output.stderr);
    assert!(text.contains("there is no camera \"lake\"") && text.contains("tank, pond"), "{text}");
    let (output, folder) = run(&config, &["snapshot"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said(&output.stderr).contains("the command ended, exit code 3: no lens"),
        "{}",
        said(&output.stderr)
    );
    assert!(!folder.path().join("snapshot.jpg").exists());
    camera.change("cat a.jpg; exec sleep 1000000");
    let (output, _folder) = run(&config, &["snapshot", "-o", "no/such/folder.jpg"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output.stderr).contains("no/such/folder.jpg can't be written"), "{}", said(&output.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_that_is_interrupted_leaves_nothing_behind() {
    for which in [Signal::TERM, Signal::INT] {
        let camera = StandIn::still();
        let folder = Program::folder();
        let mut command =
            Program::command(&folder, &camera.entry("tank", "start_timeout = \"5m\""), &["snapshot"]);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let (capture, _) = eventually("the camera's start", async || camera.starts().first().copied()).await;
        signal(child.id().unwrap() as i32, which);
        let output = in_time("its end", child.wait()).await.unwrap();
        assert_eq!(output.code(), Some(1));
        no_process_left(capture).await;
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "the configuration alone");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn capture_runs_by_hand_until_its_input_ends_or_says_stop() {
    for stop in [&b""[..], b"{\"request\":\"stop\"}\n"] {
        let folder = Program::folder();
        let file = folder.path().join("tank/image_stream.jpg");
        let output = format!("--output={}", file.display());
        let arguments = ["capture", "--kind=pattern", "--size=320x240", &output];
        let mut child = Program::command(&folder, "", &arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        eventually("a picture", async || eyelid::jpeg::inspect(&fs::read(&file).ok()?).ok()).await;
        input.write_all(stop).await.unwrap();
        let kept = if stop.is_empty() {
            drop(input);
            None
        } else {
            Some(input)
        };
        let output = in_time("its end", child.wait_with_output()).await.unwrap();
        drop(kept);
        assert_eq!(output.status.code(), Some(0));
        let said = String::from_utf8(output.stdout).unwrap();
        let said: Vec<serde_json::Value> =
            said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((&said[0]["event"], &said[0]["kind"]), (&"streaming".into(), &"pattern".into()));
        assert_eq!((said.len(), &said[1]["event"]), (2, &"controls".into()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn version_and_help_are_told() {
    let (output, _folder) = run("", &["--version"]).await;
    assert_eq!(said(&output.stdout), format!("eyelid {}\n", env!("CARGO_PKG_VERSION")));
    let (output, _folder) = run("", &["--help"]).await;
    assert_eq!(output.status.code(), Some(0));
    for word in [
        "run",
        "check",
        "doctor",
        "erase",
        "cameras",
        "snapshot",
        "capture",
        "--config",
        "--listen",
        "--version",
        "Exit codes",
    ] {
        assert!(said(&output.stdout).contains(word), "no {word} in:\n{}", said(&output.stdout));
    }
    let (output, _folder) = run("", &["--no-such-flag"]).await;
    assert_eq!(output.status.code(), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use_is_told_with_its_user_and_exits_with_1() {
    let camera = StandIn::new();
    let config = camera.entry("tank", "");
    let mut first = Program::start(&config).await;
    let (output, _folder) = run(&config, &["--listen", &first.address.to_string()]).await;
    assert_eq!(output.status.code(), Some(1));
    let (port, pid) = (first.address.port(), first.pid());
    let expected =
        format!("port {port} is already in use by eyelid (pid {pid}); choose another with --listen");
    assert!(said(&output.stderr).contains(&expected), "{}", said(&output.stderr));
    first.signal(Signal::TERM);
    first.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_folder_in_use_is_told_with_its_user_and_exits_with_1() {
    let camera = StandIn::new();
    let config = camera.entry("tank", "");
    let folder = Program::folder();
    let command = Program::command(&folder, &config, &["--listen", "127.0.0.1:0"]);
    let mut first = Program::watch(command, Program::folder()).await;
    let mut command = Program::command(&folder, &config, &["--listen", "127.0.0.1:0"]);
    let output = in_time("the end of the program", command.output()).await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    let expected = format!("another eyelid (pid {}) uses", first.pid());
    assert!(said(&output.stderr).contains(&expected), "{}", said(&output.stderr));
    // A snapshot has a folder of its own.
    let mut command = Program::command(&folder, &config, &["snapshot"]);
    assert!(in_time("a snapshot", command.output()).await.unwrap().status.success());
    first.signal(Signal::TERM);
    assert_eq!(first.end().await.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_has_gone_is_no_panic() {
    let camera = StandIn::new();
    let config = camera.entry("tank", "");
    for command in ["cameras", "check", "doctor", "erase", "--help", "--version", "snapshot -o -"] {
        let folder = Program::folder();
        let line = format!("{} {command} 2>error | true", env!("CARGO_BIN_EXE_eyelid"));
        let mut shell = Program::command_of("/bin/sh", &folder, &config, &["-c", &line]);
        in_time("the end of the pipe", shell.status()).await.unwrap();
        let error = fs::read_to_string(folder.path().join("error")).unwrap();
        assert!(!error.contains("panicked"), "{command}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_configuration_that_counts_is_said_in_the_log() {
    let camera = StandIn::new();
    let mut program = Program::start(&camera.entry("tank", "")).await;
    assert!(
        program.log().iter().any(|line| line.ends_with("configuration from config.toml")),
        "{:#?}",
        program.log()
    );
    program.signal(Signal::TERM);
    assert_eq!(program.end().await.code(), Some(0));
    let folder = Program::folder();
    let mut command = Program::command(&folder, "", &["--listen", "127.0.0.1:0", "--log-format", "json"]);
    fs::remove_file(folder.path().join("config.toml")).unwrap();
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut lines =
        tokio::io::AsyncBufReadExt::lines(tokio::io::BufReader::new(child.stderr.take().unwrap()));
    let first = in_time("a line", lines.next_line()).await.unwrap().unwrap();
    let line: serde_json::Value = serde_json::from_str(&first).unwrap();
    assert_eq!(line["message"], "no configuration file, so the defaults hold");
    child.kill().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_made_for_a_camera_that_takes_uploads_and_only_its_hash_is_in_the_line() {
    let config =
        "[[camera]]\nname = \"tank\"\nkind = \"pattern\"\n[[camera]]\nname = \"gate\"\nkind = \"push\"\n";
    let mut tokens = Vec::new();
    for _ in 0..2 {
        let (output, _folder) = run(config, &["token", "gate"]).await;
        assert_eq!((output.status.code(), said(&output.stderr)), (Some(0), String::new()));
        let said = said(&output.stdout);
        let is_token = |line: &&str| line.len() == 64 && line.bytes().all(|byte| byte.is_ascii_hexdigit());
        let token =
            said.lines().map(str::trim).find(is_token).unwrap_or_else(|| panic!("no token in:\n{said}"));
        let hash = eyelid::token::TokenHash::of(token);
        for line in
            ["[[camera]]", "name = \"gate\"", "kind = \"push\"", &format!("upload_token = \"{hash}\"")]
        {
            assert!(said.lines().any(|said| said.trim() == line), "no line {line} in:\n{said}");
        }
        tokens.push(token.to_owned());
    }
    assert_ne!(tokens[0], tokens[1]);
    for (name, reason) in
        [("lake", "there is no camera \"lake\""), ("tank", "of kind \"pattern\", which takes no uploads")]
    {
        let (output, _folder) = run(config, &["token", name]).await;
        assert_eq!(output.status.code(), Some(1));
        assert!(
            output.stdout.is_empty() && said(&output.stderr).contains(reason),
            "{}",
            said(&output.stderr)
        );
    }
    let (output, _folder) = run(config, &["check"]).await;
    assert!(said(&output.stdout).contains("every upload is refused"), "{}", said(&output.stdout));
    let (output, _folder) = run(config, &["snapshot", "gate"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output.stderr).contains("are sent to the daemon"), "{}", said(&output.stderr));
}
