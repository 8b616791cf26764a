//! `eyelid doctor`, on this machine and on one whose programs are stood in for.

use std::{collections::HashSet, fs, net::SocketAddr, os::unix::fs::PermissionsExt, process::Output};

use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;
use tokio::{io::AsyncReadExt, net::TcpListener};

use crate::support::{Program, StandIn, choose_password_at, get, in_time};

/// An address where nobody listens, or nobody of ours.
const NOBODY: &str = "127.0.0.1:9";

/// Runs `eyelid doctor` to its end, with programs of these names and scripts in front of those of the system.
async fn doctor(config: &str, arguments: &[&str], programs: &[(&str, &str)]) -> (Output, TempDir) {
    let folder = Program::folder();
    let bin = folder.path().join("bin");
    fs::create_dir(&bin).unwrap();
    for (name, script) in programs {
        let file = bin.join(name);
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let arguments = [&["doctor"], arguments].concat();
    let mut command = Program::command(&folder, config, &arguments);
    let path = std::env::var("PATH").unwrap();
    command.env("PATH", format!("{}:{path}", bin.display()));
    let output = in_time("the end of eyelid doctor", command.output()).await.unwrap();
    (output, folder)
}

/// Does it again while there is nothing to be seen: on a machine so slow that a program is given up.
async fn repeated<T>(mut run: impl AsyncFnMut() -> Option<T>) -> T {
    const TIMES: usize = 20;
    for _ in 0..TIMES {
        if let Some(seen) = run().await {
            return seen;
        }
    }
    panic!("not seen in {TIMES} times");
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// The check of this key.
fn check<'a>(report: &'a Value, key: &str) -> &'a Value {
    let checks = report["checks"].as_array().unwrap();
    checks.iter().find(|check| check["key"] == key).unwrap_or_else(|| panic!("no {key} in {report:#}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_finds_a_running_daemon_and_its_verdict_is_the_exit_code() {
    let camera = StandIn::new();
    let config = camera.entry("tank", "");
    let mut daemon = Program::start(&config).await;
    let address = daemon.address.to_string();
    let (output, _folder) = doctor(&config, &["--json", "--listen", &address], &[]).await;
    let report = json(&output);
    let port = check(&report, "port");
    assert_eq!((&port["verdict"], &port["do"]), (&"good".into(), &Value::Null), "{report:#}");
    assert_eq!(port["what"], format!("eyelid answers on port {}", daemon.address.port()));
    assert_eq!(report["version"], env!("CARGO_PKG_VERSION"));
    let checks = report["checks"].as_array().unwrap();
    let keys: HashSet<_> = checks.iter().map(|check| check["key"].as_str().unwrap()).collect();
    assert_eq!(keys.len(), checks.len(), "a key is there once: {report:#}");
    for key in
        ["model", "os", "kernel", "libcamera", "cameras", "devices", "memory", "run-folder", "state-folder"]
    {
        assert!(keys.contains(key), "no {key} in {keys:?}");
    }
    for check in checks {
        let remedy = check["do"].as_str().unwrap_or_default();
        assert_eq!(remedy.is_empty(), check["verdict"] == "good", "what is not good has a remedy: {check}");
    }
    let bad = checks.iter().any(|check| check["verdict"] == "bad");
    assert_eq!((output.status.code(), report["worst"] == "bad"), (Some(i32::from(bad)), bad));
    assert_eq!(camera.starts(), [], "no camera is started by it");

    let (output, _folder) = doctor(&config, &["--listen", &address], &[]).await;
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains(&format!("good     port: eyelid answers on port {}", daemon.address.port())),
        "{text}"
    );
    daemon.signal(Signal::TERM);
    assert_eq!(daemon.end().await.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_daemon_is_asked_who_may_look() {
    let config = "[[camera]]\nname = \"tank\"\nkind = \"pattern\"\n";
    let folder = Program::folder();
    let command = Program::command(&folder, config, &["--listen", "127.0.0.1:0"]);
    let mut daemon = Program::watch(command, Program::folder()).await;
    let address = daemon.address.to_string();
    let access = async || {
        let arguments = ["doctor", "--json", "--listen", &address];
        let mut command = Program::command(&folder, config, &arguments);
        let output = in_time("the end of eyelid doctor", command.output()).await.unwrap();
        let report = json(&output);
        let access = check(&report, "access");
        (access["verdict"].as_str().unwrap().to_owned(), access["what"].as_str().unwrap().to_owned())
    };
    // The local socket is there once the port answers.
    get(daemon.address, "/healthz").await;
    assert_eq!(access().await, ("good".to_owned(), "open, to programs of this machine alone".to_owned()));
    choose_password_at(&folder.path().join("eyelid"), daemon.address).await;
    assert_eq!(access().await, ("good".to_owned(), "there is a password".to_owned()));
    daemon.signal(Signal::TERM);
    assert_eq!(daemon.end().await.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_programs_of_a_pi_say_is_judged() {
    let programs = [
        ("vcgencmd", "echo throttled=0x50005"),
        ("timedatectl", "echo no"),
        ("rpicam-vid", "echo rpicam-apps build: v1.9.0; echo libcamera build: v0.5.2+99-bfd68f78"),
    ];
    let (code, report) = repeated(async || {
        let (output, _folder) = doctor("", &["--json", "--listen", NOBODY], &programs).await;
        let report = json(&output);
        report["checks"].as_array()?.iter().find(|check| check["key"] == "power")?;
        (check(&report, "rpicam")["verdict"] == "good").then_some((output.status.code(), report))
    })
    .await;
    assert_eq!(code, Some(1));
    let power = check(&report, "power");
    assert_eq!(
        (&power["verdict"], &power["what"]),
        (&"bad".into(), &"now: undervoltage, throttled (0x50005)".into())
    );
    assert_eq!(check(&report, "clock")["verdict"], "warning");
    assert_eq!(check(&report, "rpicam")["what"], "rpicam-vid, rpicam-apps build: v1.9.0");
    let libcamera = check(&report, "libcamera")["what"].as_str().unwrap();
    assert!(libcamera.starts_with("v0.5.2+99-bfd68f78"), "{libcamera}");
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_that_hang_hold_nothing_up() {
    let hangs = "exec sleep 1000000";
    let programs = ["vcgencmd", "timedatectl", "systemctl", "rpicam-vid"].map(|name| (name, hangs));
    let (output, _folder) = doctor("", &["--json", "--listen", NOBODY], &programs).await;
    let report = json(&output);
    assert_eq!(check(&report, "rpicam")["verdict"], "warning");
    assert_ne!(check(&report, "memory")["what"], Value::Null);
    check(&report, "configuration");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_program_at_the_port_is_bad() {
    let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address: SocketAddr = other.local_addr().unwrap();
    let server = tokio::spawn(async move {
        loop {
            let (mut stream, _) = other.accept().await.unwrap();
            // Reads what is asked and answers nothing.
            let _ = stream.read(&mut [0; 1024]).await;
        }
    });
    let (output, _folder) = doctor("", &["--json", "--listen", &address.to_string()], &[]).await;
    assert_eq!(output.status.code(), Some(1));
    let report = json(&output);
    let port = check(&report, "port");
    assert_eq!(port["verdict"], "bad");
    assert!(
        port["what"].as_str().unwrap().starts_with(&format!("port {} belongs to", address.port())),
        "{port}"
    );
    server.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_secret_is_in_a_report() {
    let hash = eyelid::token::TokenHash::of("a token");
    let good = format!(
        r#"
hosts = ["s3cret.example.org"]
state_folder = "/dev/shm/s3cret-state"
[[camera]]
name = "s3cret-name"
title = "s3cret title"
kind = "command"
command = "ffmpeg -i rtsp://anna:s3cret-password@s3cret-host/live?token=s3cret -"
origins = ["https://s3cret-origin.example.org"]
on_wave = ["/usr/bin/mail", "--password=s3cret-wave"]
[camera.offline]
folder = "/srv/s3cret-pictures"
[camera.privacy]
switch = "/run/s3cret-switch"
[[camera]]
name = "s3cret-push"
kind = "push"
upload_token = "{hash}"
[[camera]]
name = "s3cret-webcam"
kind = "v4l2"
device = "/dev/v4l/by-id/s3cret-serial"
"#
    );
    let token = hash.to_string();
    let digits = token.trim_start_matches("sha256-");
    let mistaken = [
        good.replace("kind = \"push\"", "kind = \"s3cret\""),
        good.replace(&token, "s3cret-token"),
        format!("s3cret = 1\n{good}"),
        "s3cret".to_owned(),
    ];
    for config in std::iter::once(&good).chain(&mistaken) {
        for arguments in [&["--json", "--listen", NOBODY][..], &["--listen", NOBODY]] {
            let (output, _folder) = doctor(config, arguments, &[]).await;
            let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
            assert!(said.contains("configuration"), "it says something: {said}");
            let verdict = said.contains("mistake");
            assert_eq!(verdict, config != &good, "{said}");
            assert!(!said.contains("s3cret") && !said.contains(digits), "{said}");
        }
    }
    // What other programs say is cleaned.
    let failing = ("rpicam-vid", "echo no camera at rtsp://anna:s3cret@10.1.2.3/s3cret?s3cret >&2; exit 3");
    let said = repeated(async || {
        let (output, _folder) = doctor("", &["--listen", NOBODY], &[failing]).await;
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        said.contains("no camera at").then_some(said)
    })
    .await;
    assert!(said.contains("rtsp://…@ADDRESS/…"), "{said}");
    assert!(!said.contains("s3cret") && !said.contains("10.1.2.3") && !said.contains("anna"), "{said}");
}
