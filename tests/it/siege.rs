//! Clients that take their time, and more of them than there are files for. Viewers notice nothing.

use std::{net::SocketAddr, time::Duration};

use eyelid::token::TokenHash;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
    time::{interval, timeout},
};

use crate::support::{Browser, Mjpeg, Program, StandIn, eventually};

/// What the sender of the camera `door` says.
const TOKEN: &str = "a token";

/// Far longer than the server bears with anybody.
const PATIENCE: Duration = Duration::from_secs(180);

/// Files that a process has open.
fn files(pid: i32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count()
}

/// Sends a request head, a byte at a time, until it is answered.
async fn drip(address: SocketAddr) -> String {
    let (mut input, mut output) = TcpStream::connect(address).await.unwrap().into_split();
    let head = format!("GET / HTTP/1.1\r\nHost: {address}\r\nX: ");
    output.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let read = input.read_to_end(&mut answer);
    let dripping = async {
        let mut drops = interval(Duration::from_millis(200));
        while output.write_all(b"x").await.is_ok() {
            drops.tick().await;
        }
    };
    // What was sent after the answer breaks the connection.
    tokio::select! {
        _ = read => {}
        () = dripping => {}
    }
    String::from_utf8_lossy(&answer).into_owned()
}

/// Sends the beginning of an upload, and waits for the answer.
async fn stall(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /upload HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {TOKEN}\r\n\
         Content-Type: image/jpeg\r\nContent-Length: 100000\r\n\r\n{}",
        "x".repeat(1000)
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_buf(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// Asks for a stream, of which nothing is read.
async fn never_read(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!("GET /stream.mjpg HTTP/1.1\r\nHost: {address}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn viewers_beside_slow_clients_get_their_pictures_and_all_files_are_closed_again() {
    let camera = StandIn::new();
    let door = format!(
        "[[camera]]\nname = \"door\"\nkind = \"push\"\nupload_token = \"{}\"\n",
        TokenHash::of(TOKEN)
    );
    let daemon = Program::start(&(camera.entry("tank", "linger = \"0s\"") + &door)).await;
    let address = daemon.address;
    let before = files(daemon.pid());

    let viewer = Browser::open(address).await;
    viewer.say("start-stream");
    viewer.picture().await;
    let mut stream = Mjpeg::open(address, "/stream.mjpg").await;
    stream.picture().await;

    let mut readers = Vec::new();
    for _ in 0..20 {
        readers.push(never_read(address).await);
    }
    let (mut heads, mut uploads) = (JoinSet::new(), JoinSet::new());
    (0..50).for_each(|_| drop(heads.spawn(drip(address))));
    (0..20).for_each(|_| drop(uploads.spawn(stall(address))));

    let besieged = async {
        // With its answer, or cut off by what was sent after it.
        while let Some(ended) = heads.join_next().await {
            let answer = ended.unwrap();
            assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408 "), "{answer}");
        }
        let mut too_late = 0;
        while let Some(answer) = uploads.join_next().await {
            let answer = answer.unwrap();
            // Two at a time are borne with.
            let fine = ["HTTP/1.1 408 ", "HTTP/1.1 429 "].iter().any(|status| answer.starts_with(status));
            assert!(fine, "{answer}");
            too_late += usize::from(answer.starts_with("HTTP/1.1 408 "));
        }
        assert!(too_late >= 2, "{too_late}");
    };
    let watched = async {
        loop {
            viewer.forget("liveStream");
            viewer.picture().await;
            stream.picture().await;
        }
    };
    tokio::select! {
        borne = timeout(PATIENCE, besieged) => borne.expect("slow clients are borne with for ever"),
        () = watched => {}
    }
    viewer.forget("liveStream");
    viewer.picture().await;
    assert!(!viewer.is_closed());
    assert_eq!(camera.starts().len(), 1, "the camera was disturbed");

    drop((viewer, stream, readers));
    eventually("all files are closed", async || (files(daemon.pid()) <= before).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_connections_than_files_leave_room_for_the_camera() {
    let camera = StandIn::new();
    let folder = Program::folder();
    let arguments = [
        "-c",
        "ulimit -n 128 && exec \"$0\" \"$@\"",
        env!("CARGO_BIN_EXE_eyelid"),
        "--listen",
        "127.0.0.1:0",
    ];
    let command =
        Program::command_of("/bin/sh", &folder, &camera.entry("tank", "linger = \"0s\""), &arguments);
    let daemon = Program::watch(command, folder).await;
    let address = daemon.address;
    let viewer = Browser::open(address).await;

    let mut crowd = JoinSet::new();
    for _ in 0..200 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        crowd.spawn(async move {
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer).await;
            String::from_utf8_lossy(&answer).into_owned()
        });
    }
    let refused = async {
        while let Some(answer) = crowd.join_next().await {
            if answer.unwrap().starts_with("HTTP/1.1 503 ") {
                return;
            }
        }
        panic!("all were let in");
    };
    timeout(PATIENCE, refused).await.expect("those who are too many are told so");

    // It needs files of its own: to start the program, and to read what that writes.
    viewer.say("start-stream");
    for _ in 0..3 {
        viewer.next("liveStream").await;
    }
    let log = daemon.log().join("\n");
    assert!(log.contains("limits.connections") && !log.contains("os error 24"), "{log}");
}
