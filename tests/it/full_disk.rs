//! A tmpfs that is full, in a mount namespace of the daemon's own.

use std::{fs, path::PathBuf};

use rustix::process::Signal;

use crate::support::{Browser, Program, StandIn, eventually, get, jpeg};

#[tokio::test(flavor = "multi_thread")]
async fn a_full_tmpfs_is_told_and_the_old_picture_stays_until_there_is_room() {
    if !rustix::process::getuid().is_root() {
        println!("skipped: only root can mount a tmpfs of its own");
        return;
    }
    let camera = StandIn::new();
    let config = camera.entry("tank", "linger = \"0s\"\nstall_timeout = \"1s\"");
    let folder = Program::folder();
    let path = folder.path().display().to_string();
    let script = format!(
        "cp {path}/config.toml /tmp/config-$$ && mount -t tmpfs -o size=256k,mode=0700 none {path} && \
         mv /tmp/config-$$ {path}/config.toml && exec {} --config {path}/config.toml --listen 127.0.0.1:0",
        env!("CARGO_BIN_EXE_eyelid")
    );
    let command = Program::command_of("unshare", &folder, &config, &["--mount", "sh", "-c", &script]);
    let mut program = Program::watch(command, folder).await;
    let browser = Browser::open(program.address).await;
    browser.say("start-stream");
    browser.picture().await;

    let inside = PathBuf::from(format!("/proc/{}/root/{path}/filler", program.pid()));
    assert!(fs::write(&inside, vec![1; 512 << 10]).is_err(), "it does not fill up");
    let told = browser.told("backoff", |state| state["state"] == "backoff").await;
    let reason = told["reason"].as_str().unwrap();
    assert!(reason.ends_with("eyelid/tank is full, so the picture can't be written"), "{reason}");
    assert!(told["hint"].is_string());
    let reply = get(program.address, "/image_stream.jpg").await;
    assert!(reply.status == 200 && [jpeg(0), jpeg(255)].contains(&reply.body), "the old picture");
    let snapshot = get(program.address, "/snapshot.jpg").await;
    assert_eq!(snapshot.status, 503, "{}", snapshot.text());

    fs::remove_file(&inside).unwrap();
    browser.told("live again", |state| state["state"] == "live").await;
    browser.forget("liveStream");
    browser.picture().await;
    assert!(!camera.was_busy());
    program.signal(Signal::TERM);
    assert_eq!(program.end().await.code(), Some(0));
    eventually("nothing captures", async || program.captures().is_empty().then_some(())).await;
}
