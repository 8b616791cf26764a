//! What the daemon tells systemd: that it is ready, that it stops, how it is, and that its event loop runs.
//!
//! Without `$NOTIFY_SOCKET`, which systemd sets for `Type=notify`, all of this does nothing.

use sd_notify::NotifyState;
use tokio::time::{self, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

/// The daemon listens; `status` says in words how it is.
pub fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(&one_line(status))]);
}

/// The daemon has begun to stop.
pub fn stopping() {
    tell(&[NotifyState::Stopping, NotifyState::Status("stopping")]);
}

/// How the daemon is, in words: the `Status:` line of `systemctl status`.
pub fn status(text: &str) {
    tell(&[NotifyState::Status(&one_line(text))]);
}

/// Tells systemd, twice in each `WatchdogSec`, that the event loop runs. A loop that hangs falls silent, and
/// systemd then kills and restarts the daemon. Cameras don't come into it: a camera that hangs is the
/// business of its own time limits, and restarting the daemon would help no other camera.
///
/// Returns when `shutdown` is cancelled, and at once where no watchdog is set.
pub async fn watchdog(shutdown: CancellationToken) {
    let Some(limit) = sd_notify::watchdog_enabled().filter(|limit| !limit.is_zero()) else { return };
    let mut tick = time::interval(limit / 2);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while shutdown.run_until_cancelled(tick.tick()).await.is_some() {
        tell(&[NotifyState::Watchdog]);
    }
}

/// A failure is worth a log line only: the daemon serves viewers with or without a supervisor.
fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!("systemd did not take a message: {error}");
    }
}

/// Each line of a message to systemd is a setting of its own, and texts from a capture process must not be
/// able to set any.
fn one_line(text: &str) -> String {
    text.replace(|c: char| c.is_control(), " ")
}

#[cfg(test)]
mod tests {
    use std::{
        collections::HashSet,
        env,
        io::{self, Read},
        os::unix::net::UnixDatagram,
        process::{self, Command, Stdio},
    };

    use super::*;

    /// The variable that makes the test `child` the child process of another test. The environment of a test
    /// process is shared by all tests in it, so those that need one of their own run in a child.
    const ROLE: &str = "EYELID_TEST_SYSTEMD_ROLE";

    #[tokio::test]
    async fn child() {
        match env::var(ROLE).as_deref() {
            Ok("life") => {
                ready("2 cameras\nMAINPID=1");
                status("camera tank: live");
                stopping();
            }
            Ok("watchdog") => {
                let shutdown = CancellationToken::new();
                let stop = shutdown.clone();
                tokio::task::spawn_blocking(move || {
                    let _ = io::stdin().read(&mut [0]);
                    stop.cancel();
                });
                watchdog(shutdown).await;
            }
            _ => {}
        }
    }

    /// Runs this test binary again as `role`, with a notify socket and more variables.
    fn spawn(role: &str, more: &[(&str, &str)]) -> (tempfile::TempDir, UnixDatagram, process::Child) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        let child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "systemd::tests::child"])
            .env(ROLE, role)
            .env("NOTIFY_SOCKET", &path)
            .env_remove("WATCHDOG_USEC")
            .env_remove("WATCHDOG_PID")
            .envs(more.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        (folder, socket, child)
    }

    fn receive(socket: &UnixDatagram) -> String {
        let mut buffer = [0; 1024];
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    }

    #[test]
    fn systemd_hears_of_start_state_and_stop() {
        let (_folder, socket, mut child) = spawn("life", &[]);
        assert_eq!(receive(&socket), "READY=1\nSTATUS=2 cameras MAINPID=1\n");
        assert_eq!(receive(&socket), "STATUS=camera tank: live\n");
        assert_eq!(receive(&socket), "STOPPING=1\nSTATUS=stopping\n");
        assert!(child.wait().unwrap().success());
    }

    #[test]
    fn the_watchdog_pings_until_shutdown() {
        let (_folder, socket, mut child) = spawn("watchdog", &[("WATCHDOG_USEC", "20000")]);
        let pings: HashSet<String> = (0..5).map(|_| receive(&socket)).collect();
        assert_eq!(pings, HashSet::from(["WATCHDOG=1\n".to_owned()]));
        drop(child.stdin.take());
        assert!(child.wait().unwrap().success());
    }

    #[test]
    fn there_is_no_watchdog_without_one_or_for_another_process() {
        for variables in
            [&[][..], &[("WATCHDOG_USEC", "0")], &[("WATCHDOG_USEC", "20000"), ("WATCHDOG_PID", "1")]]
        {
            let (_folder, socket, mut child) = spawn("watchdog", variables);
            assert!(child.wait().unwrap().success(), "{variables:?}");
            socket.set_nonblocking(true).unwrap();
            assert!(socket.recv(&mut [0]).is_err(), "{variables:?}");
        }
    }

    #[tokio::test]
    async fn without_a_socket_nothing_happens() {
        ready("");
        status("");
        stopping();
        watchdog(CancellationToken::new()).await;
    }
}
