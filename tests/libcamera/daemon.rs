//! The daemon, as it is, with the virtual camera.

use std::{fs, process::Stdio};

use serde_json::{Value, json};

use crate::{
    bars,
    capture::UDMABUF,
    support::{Browser, Program, children, eventually, get},
};

/// A busy machine, and an emulated one, may take their time.
const TANK: &str = "[[camera]]\nname = \"tank\"\nsize = \"640x480\"\nlinger = \"0s\"\n\
                    start_timeout = \"1m\"\nstall_timeout = \"1m\"\n";

async fn daemon(config: &str, preload: Option<&str>) -> Program {
    let folder = Program::folder();
    let mut command = Program::command(&folder, config, &["--listen", "127.0.0.1:0"]);
    command.env_remove("LD_PRELOAD").envs(preload.map(|preload| ("LD_PRELOAD", preload)));
    Program::watch(command, folder).await
}

async fn state(program: &Program) -> Value {
    serde_json::from_slice(&get(program.address, "/api/cameras/tank").await.body).unwrap()
}

async fn off(program: &Program) {
    eventually("the end of the capture process", async || {
        (children(program.pid()).is_empty() && program.captures().is_empty()).then_some(())
    })
    .await;
}

/// Open files, threads and resident KiB of the daemon.
fn holds(program: &Program) -> (usize, usize, u64) {
    let count = |what| fs::read_dir(format!("/proc/{}/{what}", program.pid())).unwrap().count();
    let status = fs::read_to_string(format!("/proc/{}/status", program.pid())).unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    (count("fd"), count("task"), resident.trim().strip_suffix(" kB").unwrap().parse().unwrap())
}

/// Whether the daemon is built for another machine.
fn emulated(program: &Program) -> bool {
    let runs = fs::read_link(format!("/proc/{}/exe", program.pid())).unwrap();
    runs.file_name().is_some_and(|name| name.to_string_lossy().starts_with("qemu-"))
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the virtual camera of tests/libcamera/run.sh"]
async fn auto_is_the_first_libcamera_camera() {
    let program = daemon(TANK, Some(UDMABUF)).await;
    let browser = Browser::open(program.address).await;
    browser.say("start-stream");
    bars::check(&browser.picture().await, 640, 480);
    let state = state(&program).await;
    assert_eq!(state["source"], json!({ "kind": "libcamera", "device": "Bars" }));
    assert_eq!((&state["size"], &state["notice"]), (&json!([640, 480]), &Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the virtual camera of tests/libcamera/run.sh"]
async fn fifty_times_on_and_off_leave_no_process_file_or_memory() {
    let program = daemon(&format!("{TANK}kind = \"libcamera\"\n"), Some(UDMABUF)).await;
    let run_folder = |program: &Program| fs::read_dir(program.run_folder()).unwrap().count();
    let mut after_10 = None;
    for cycle in 0..50 {
        assert!(children(program.pid()).is_empty());
        if cycle % 2 == 0 {
            let reply = get(program.address, "/snapshot.jpg").await;
            assert_eq!(reply.status, 200, "cycle {cycle}");
            bars::check(&reply.body, 640, 480);
        } else {
            let browser = Browser::open(program.address).await;
            browser.say("start-stream");
            bars::check(&browser.picture().await, 640, 480);
            assert_eq!(children(program.pid()).len(), 1);
        }
        off(&program).await;
        if cycle == 9 {
            after_10 = Some((holds(&program), run_folder(&program)));
        }
    }
    // A connection that was just broken may still be there, and a thread lives on for a while when its work is done.
    let ((files, threads, resident), entries) = after_10.unwrap();
    eventually("no more files and threads than after 10 times", async || {
        let (files_later, threads_later, _) = holds(&program);
        (files_later <= files && threads_later <= threads).then_some(())
    })
    .await;
    let (_, _, resident_later) = holds(&program);
    // An emulator keeps what it has translated, and that is part of the process; pictures that leak would be 30 MiB.
    let more = if emulated(&program) { 16 << 10 } else { 2 << 10 };
    assert!(resident_later < resident + more, "{resident} KiB grew to {resident_later} KiB");
    assert_eq!(run_folder(&program), entries);
    assert_eq!(state(&program).await["state"], "idle");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the virtual camera of tests/libcamera/run.sh"]
async fn a_camera_without_memory_tells_viewers_why_and_what_to_do() {
    let program = daemon(&format!("{TANK}kind = \"libcamera\"\n"), None).await;
    let reply = get(program.address, "/snapshot.jpg").await;
    assert_eq!(reply.status, 503);
    let said: Value = serde_json::from_slice(&reply.body).unwrap();
    let text = |key: &str| said[key].as_str().unwrap_or_default().to_owned();
    assert!(text("error").contains("no memory for the camera's pictures"), "{said}");
    assert!(text("hint").contains("udmabuf"), "{said}");
    off(&program).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the virtual camera of tests/libcamera/run.sh"]
async fn the_list_of_cameras_has_those_of_libcamera() {
    let folder = Program::folder();
    let mut command = Program::command(&folder, TANK, &["cameras"]);
    let output = command.stderr(Stdio::inherit()).output().await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && text.contains("Bars") && text.contains("Lines"), "{text}");
}
