//! What the owner wants to be run at a wave: a program, one at a time, for a few seconds at most.

use std::{
    env, io,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::AsyncRead,
    process::{Child, Command},
    sync::watch,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    process::{end, for_each_line},
    waves::Seen,
};
use crate::{
    child::die_with_parent,
    config::{CameraConfig, CameraName},
    repeats::Repeats,
};

/// How long the program may take; SIGTERM follows, and a moment later SIGKILL.
pub(super) const LIMIT: Duration = Duration::from_secs(10);

/// How long its last lines may take once it has ended: what has left its process group may still hold the other end.
const LAST_WORDS_DEADLINE: Duration = Duration::from_secs(3);

/// So many lines of what it says are logged.
const MOST_LINES: usize = 20;

/// Longer lines are split.
const LONGEST_LINE: u64 = 1024;

/// What it has no business with: the daemon's own settings, and what is between the daemon and its service manager.
const NOT_ITS: [&str; 4] = ["EYELID_", "NOTIFY_SOCKET", "WATCHDOG_", "LISTEN_"];

/// Runs the configured program at each wave, for `limit` at most, until `shutdown`. Nothing is run for waves that come
/// while it runs.
pub(super) async fn follow(
    mut seen: Seen,
    configured: watch::Receiver<CameraConfig>,
    limit: Duration,
    shutdown: CancellationToken,
) {
    let mut troubles = Repeats::default();
    while let Some(Some(_)) = shutdown.run_until_cancelled(seen.next()).await {
        let (camera, words) = {
            let config = configured.borrow();
            (config.name.clone(), config.on_wave.clone())
        };
        if words.is_empty() {
            continue;
        }
        let enough = async {
            tokio::select! {
                () = sleep(limit) => Enough::TooLong(limit),
                () = shutdown.cancelled() => Enough::Stop,
            }
        };
        if let Some(trouble) = run(&camera, &words, enough).await {
            warn(&mut troubles, &camera, &trouble);
        }
        seen.forget();
        tracing::debug!(%camera, "on_wave: ready for the next wave");
    }
}

/// Why a program is ended.
enum Enough {
    TooLong(Duration),
    Stop,
}

/// Runs the program until it ends, or for as long as `enough` takes; says what went wrong.
async fn run(camera: &CameraName, words: &[String], enough: impl Future<Output = Enough>) -> Option<String> {
    let name = words.first()?;
    let mut child = match start(camera, words) {
        Ok(child) => child,
        Err(error) => return Some(format!("{name} can't be started: {error}")),
    };
    let group = child.id().and_then(|pid| Pid::from_raw(pid as i32)).expect("it is not reaped");
    let output = child.stdout.take().expect("piped");
    let errors = child.stderr.take().expect("piped");
    let output = tokio::spawn(log_lines(camera.clone(), output));
    let mut errors = tokio::spawn(log_lines(camera.clone(), errors));
    let (ended, enough) = tokio::select! {
        ended = child.wait() => (ended, None),
        enough = enough => (end(&mut child, group).await, Some(enough)),
    };
    // Nothing that it has started may hold up the next one.
    let _ = kill_process_group(group, Signal::KILL);
    let last = match enough {
        None => timeout(LAST_WORDS_DEADLINE, &mut errors).await.ok().and_then(Result::ok).flatten(),
        Some(_) => None,
    };
    output.abort();
    errors.abort();
    match enough {
        Some(Enough::Stop) => None,
        Some(Enough::TooLong(limit)) => Some(format!("{name} took longer than {limit:?} and was ended")),
        None => trouble(name, ended, last),
    }
}

fn start(camera: &CameraName, words: &[String]) -> io::Result<Child> {
    let (name, arguments) = words.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut command = std::process::Command::new(name);
    command.args(arguments);
    for (name, _) in env::vars_os() {
        if NOT_ITS.iter().any(|prefix| name.as_encoded_bytes().starts_with(prefix.as_bytes())) {
            command.env_remove(name);
        }
    }
    command.env("EYELID_CAMERA", camera.as_str());
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    die_with_parent(&mut command);
    Command::from(command).kill_on_drop(true).spawn()
}

/// Logs the first lines of what it says, and takes in the rest; returns the last one.
async fn log_lines(camera: CameraName, input: impl AsyncRead + Unpin) -> Option<String> {
    let (mut last, mut lines) = (None, 0);
    for_each_line(input, LONGEST_LINE, |line| {
        let line: String = line.chars().filter(|c| !c.is_control()).collect();
        if lines < MOST_LINES {
            tracing::debug!(%camera, "on_wave: {line}");
        }
        lines += 1;
        last = Some(line);
    })
    .await;
    last
}

fn trouble(name: &str, ended: io::Result<ExitStatus>, last: Option<String>) -> Option<String> {
    let how = match ended {
        Ok(status) if status.success() => return None,
        Ok(status) => format!("{name} ended with {status}"),
        Err(error) => format!("{name} can't be waited for: {error}"),
    };
    Some(match last {
        Some(line) => format!("{how}; its last words: {line}"),
        None => how,
    })
}

/// A warning, where the last one is long enough ago.
fn warn(repeats: &mut Repeats, camera: &CameraName, trouble: &str) {
    match repeats.note() {
        Some(more_since_last) => tracing::warn!(%camera, more_since_last, "on_wave: {trouble}"),
        None => tracing::debug!(%camera, "on_wave: {trouble}"),
    }
}

#[cfg(test)]
mod tests;
