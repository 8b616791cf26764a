//! The local socket, and the commands that ask the daemon over it.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use eyelid::cli::ask::ask_one_of;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::{Daemon, Program, in_time};

const PATTERN: &str = "[[camera]]\nkind = \"pattern\"\n";

/// Asks as a command does, which has no runtime of its own yet.
async fn ask(
    sockets: &[PathBuf],
    method: &'static str,
    path: &'static str,
    body: Option<Value>,
) -> anyhow::Result<Value> {
    let sockets = sockets.to_vec();
    let asked = tokio::task::spawn_blocking(move || ask_one_of(&sockets, method, path, body.as_ref()));
    in_time("an answer", asked).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_local_socket_answers_as_the_port_does_and_is_its_users_alone() {
    let daemon = Daemon::start(PATTERN).await;
    // The port waits for its daemon; the socket is not there before it.
    daemon.state("camera").await;
    let socket = daemon.run_folder().join("eyelid.sock");
    let sockets = [daemon.run_folder().join("not-there.sock"), socket.clone()];
    let status = ask(&sockets, "GET", "/api/status", None).await.unwrap();
    assert_eq!(status["version"], env!("CARGO_PKG_VERSION"), "{status}");
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    let error = ask(&sockets, "GET", "/api/cameras/nobody", None).await.unwrap_err().to_string();
    assert!(error.contains("nobody") && error.contains("; "), "error and hint: {error}");
    // A body arrives: what is wrong with it is said.
    let error = ask(&sockets, "PATCH", "/api/cameras/camera/controls", Some(json!([1]))).await.unwrap_err();
    assert!(error.to_string().contains("object"), "{error}");
    daemon.stop().await;
    let error = ask(&[socket], "GET", "/api/status", None).await.unwrap_err().to_string();
    assert!(error.contains("no daemon runs here") && error.contains("eyelid run"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_a_killed_daemon_has_left_leads_nowhere_and_is_swept() {
    let folder = Program::folder();
    let sockets = [folder.path().join("eyelid/eyelid.sock")];
    let start = async || {
        let command = Program::command(&folder, PATTERN, &["--listen", "127.0.0.1:0"]);
        Program::watch(command, Program::folder()).await
    };
    let mut killed = start().await;
    ask(&sockets, "GET", "/api/status", None).await.unwrap();
    killed.signal(Signal::KILL);
    killed.end().await;
    assert!(sockets[0].exists(), "what it has left");
    let error = ask(&sockets, "GET", "/api/status", None).await.unwrap_err().to_string();
    assert!(error.contains("no daemon runs here"), "{error}");
    let mut next = start().await;
    ask(&sockets, "GET", "/api/status", None).await.unwrap();
    next.signal(Signal::TERM);
    assert_eq!(next.end().await.code(), Some(0));
    assert!(!sockets[0].exists(), "left after a clean end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_is_not_ones_own_is_said_so() {
    if rustix::process::geteuid().is_root() {
        return; // Root may open all of them.
    }
    let folder = Program::folder();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o000)).unwrap();
    let error = ask(&[folder.path().join("eyelid.sock")], "GET", "/", None).await.unwrap_err().to_string();
    assert!(error.contains("no permission") && error.contains("sudo eyelid"), "{error}");
}
