//! What the daemon costs while nobody watches.

use std::{
    io::Read,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use crate::{arguments::Arguments, connection, daemon::Daemon, process, report};

/// How many have watched, and for how long, before the daemon is idle again.
const VIEWERS: usize = 100;
const WATCHED: Duration = Duration::from_secs(3);

/// Measures CPU, wake-ups and memory before anybody has watched and after many have.
pub(crate) fn run(arguments: &Arguments, folder: &Path) -> anyhow::Result<()> {
    if !arguments.wants("idle") {
        return Ok(());
    }
    let length = Duration::from_secs(if arguments.quick { 3 } else { 10 });
    report::line(&format!(
        "Idle, over {} s each, with the camera of kind `pattern`; memory in MB.\n",
        length.as_secs()
    ));
    report::head(&["daemon", "CPU", "wake-ups", "threads", "resident", "anonymous", "proportional"]);
    for program in arguments.daemons() {
        let daemon = Daemon::start(&program, folder, 2 * VIEWERS, "kind = \"pattern\"\nlinger = \"1s\"\n")?;
        let name = if arguments.daemon.len() > 1 { format!(" {}", program.display()) } else { String::new() };
        thread::sleep(Duration::from_secs(1));
        tell(&format!("never used{name}"), &daemon, length)?;
        watch(&daemon)?;
        daemon.off()?;
        thread::sleep(Duration::from_secs(1));
        tell(&format!("after {VIEWERS} viewers{name}"), &daemon, length)?;
    }
    report::line("");
    Ok(())
}

fn tell(when: &str, daemon: &Daemon, length: Duration) -> anyhow::Result<()> {
    let pid = daemon.pid();
    let (cpu, sleeps) = (process::cpu(&[pid])?, process::sleeps(pid)?);
    thread::sleep(length);
    let (cpu, sleeps) = (process::cpu(&[pid])? - cpu, process::sleeps(pid)? - sleeps);
    let memory = process::memory(pid)?;
    report::row(&[
        when.to_owned(),
        format!("{:.3} %", cpu.as_secs_f64() / length.as_secs_f64() * 100.0),
        sleeps.to_string(),
        process::threads(pid)?.to_string(),
        report::megabytes(memory.resident),
        report::megabytes(memory.anonymous),
        report::megabytes(memory.proportional),
    ]);
    Ok(())
}

/// Watches with many browsers, each of which gets its announcements and one picture.
fn watch(daemon: &Daemon) -> anyhow::Result<()> {
    let mut browsers = Vec::new();
    for _ in 0..VIEWERS {
        browsers.push((connection::socketio(daemon.address)?, connection::connect(daemon.address)?));
    }
    connection::send(&mut browsers[0].0.0, connection::START)?;
    let started = Instant::now();
    let mut buffer = vec![0; 256 << 10];
    for ((stream, _), pictures) in &mut browsers {
        let _ = stream.read(&mut buffer)?;
        let request = format!("GET /image_stream.jpg HTTP/1.1\r\nHost: {}\r\n\r\n", daemon.address);
        std::io::Write::write_all(pictures, request.as_bytes())?;
        let _ = pictures.read(&mut buffer)?;
    }
    thread::sleep(WATCHED.saturating_sub(started.elapsed()));
    Ok(())
}
