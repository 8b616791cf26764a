//! Who is let in, and how much of the daemon one client may use.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Browser, Daemon, Manner, StandIn, eventually, get, in_time, request};

const KEYS: &str = "linger = \"0s\"";

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_not_ours_gets_nothing_whatever_it_asks_for() {
    let camera = StandIn::new();
    let daemon = Daemon::start(&camera.entry("tank", KEYS)).await;
    let polling = "/socket.io/?EIO=4&transport=polling";
    let paths = [
        "/",
        "/app.js",
        "/api/cameras",
        "/snapshot.jpg",
        "/image_stream.jpg",
        polling,
        "/socket.io/socket.io.js",
    ];
    for path in paths {
        for host in ["evil.example", "evil.example:3000", "127.0.0.1.evil.example", "localhost.evil.example"]
        {
            let reply = request(daemon.address, "GET", path, &format!("Host: {host}\r\n"), b"").await;
            assert_eq!(reply.status, 421, "{host} {path}");
            assert!(reply.json()["hint"].as_str().unwrap().contains("hosts = ["), "{}", reply.text());
        }
        for host in ["evil example", "", "a\r\nHost: b", "[::1"] {
            let reply = request(daemon.address, "GET", path, &format!("Host: {host}\r\n"), b"").await;
            assert_eq!(reply.status, 400, "{host} {path}");
        }
    }
    for host in ["localhost", "LOCALHOST:1", "10.0.0.7:3000", "[fe80::1]:3000", "eyelid.local"] {
        let reply = request(daemon.address, "GET", polling, &format!("Host: {host}\r\n"), b"").await;
        assert_eq!(reply.status, 200, "{host}");
    }
    assert_eq!(camera.starts(), []);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_site_can_neither_watch_nor_embed() {
    let camera = StandIn::new();
    let daemon = Daemon::start(&camera.entry("tank", KEYS)).await;
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let (polling, socket) = ("/socket.io/?EIO=4&transport=polling", "/socket.io/?EIO=4&transport=websocket");
    let other_port = format!("http://127.0.0.1:{}", daemon.address.port() ^ 1);
    for origin in
        ["http://evil.example", "null", "https://127.0.0.1.evil.example", &other_port, "file://", "x"]
    {
        let headers = format!("Origin: {origin}\r\n");
        for (path, more) in
            [(polling, ""), (socket, upgrade), ("/snapshot.jpg", ""), ("/image_stream.jpg", "")]
        {
            let reply = request(daemon.address, "GET", path, &format!("{headers}{more}"), b"").await;
            assert_eq!(reply.status, 403, "{origin} {path}");
        }
        let post = request(daemon.address, "POST", polling, &headers, b"40").await;
        assert_eq!(post.status, 403, "{origin}");
    }
    // A browser says so even where it sends no Origin.
    let embedded = "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: image\r\n";
    assert_eq!(request(daemon.address, "GET", "/snapshot.jpg", embedded, b"").await.status, 403);
    let own = format!("Origin: http://{}\r\n", daemon.address);
    let reply = request(daemon.address, "GET", polling, &own, b"").await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("x-content-type-options"), "nosniff");
    assert_eq!(reply.header("access-control-allow-origin"), "");
    assert_eq!(camera.starts(), []);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_may_load_nothing_from_elsewhere() {
    let camera = StandIn::new();
    let daemon = Daemon::start(&camera.entry("tank", KEYS)).await;
    for path in ["/", "/cameras/tank/"] {
        let reply = get(daemon.address, path).await;
        assert_eq!(reply.status, 200);
        assert!(reply.header("content-type").starts_with("text/html"));
        let policy = reply.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'self'")
                && !policy.contains("unsafe")
                && !policy.contains("http"),
            "{policy}"
        );
    }
    let reply = get(daemon.address, "/cameras/tank").await;
    assert_eq!((reply.status, reply.header("location")), (308, "/cameras/tank/"));
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_never_reads_slows_nobody_down() {
    let camera = StandIn::new();
    let daemon = Daemon::start(&camera.entry("tank", KEYS)).await;
    // Asks for everything, for ever, and reads nothing.
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut greedy = socket.connect(daemon.address).await.unwrap();
    let request =
        format!("GET /vendor/socket.io.js HTTP/1.1\r\nHost: {}\r\n\r\n", daemon.address).repeat(100);
    let stuck = async {
        loop {
            let sent = tokio::time::timeout(Duration::from_secs(1), greedy.write_all(request.as_bytes()));
            // An error or a full window: no more is taken.
            if !matches!(sent.await, Ok(Ok(()))) {
                break;
            }
        }
    };
    in_time("a full window", stuck).await;
    // Watches, and reads nothing of what it is told.
    let deaf = Browser::with(daemon.address, Manner { stops_reading: true, ..Manner::default() }).await;
    for _ in 0..20_000 {
        deaf.send(Message::text("421[\"clock\"]"));
    }
    deaf.say("start-stream");
    let viewer = Browser::open(daemon.address).await;
    viewer.say("start-stream");
    for _ in 0..50 {
        viewer.picture().await;
    }
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_gets_so_many_connections_and_no_more() {
    let camera = StandIn::new();
    let config =
        format!("[limits]\nconnections = 12\nconnections_per_address = 3\n{}", camera.entry("tank", KEYS));
    let daemon = Daemon::start(&config).await;
    let mut open = Vec::new();
    let full = eventually("the limit", async || {
        let mut stream = TcpStream::connect(daemon.address).await.unwrap();
        let asked = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\n\r\n", daemon.address);
        stream.write_all(asked.as_bytes()).await.unwrap();
        let mut answer = vec![0; 1024];
        let read = in_time("an answer", stream.read(&mut answer)).await.unwrap();
        let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
        open.push(stream);
        (!answer.contains(" 200 ")).then_some(answer)
    })
    .await;
    // This machine's own are exempt from the limit for one address, and not from that for all.
    assert_eq!(open.len(), 13);
    assert!(full.starts_with("HTTP/1.1 503 "), "{full}");
    drop(open);
    eventually("room again", async || {
        let mut stream = TcpStream::connect(daemon.address).await.unwrap();
        let asked = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", daemon.address);
        stream.write_all(asked.as_bytes()).await.ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.ok()?;
        answer.contains(" 200 ").then_some(())
    })
    .await;
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_who_never_reads_is_gone_with_the_heartbeat() {
    let camera = StandIn::new();
    let config = camera.entry("tank", KEYS);
    let daemon = Daemon::start_with(&config, env!("CARGO_BIN_EXE_eyelid").as_ref(), |config| {
        config.socketio.ping_interval = Duration::from_secs(1);
        config.socketio.ping_timeout = Duration::from_secs(1);
    })
    .await;
    let deaf = Browser::with(daemon.address, Manner { stops_reading: true, ..Manner::default() }).await;
    deaf.say("start-stream");
    daemon.until_it("tank", "a viewer", |state| state["viewers"] == 1).await;
    // More answers than the buffers on the way hold, so that not even a ping gets through.
    for _ in 0..100_000 {
        deaf.send(Message::text("421[\"clock\"]"));
    }
    daemon.until_it("tank", "off", |state| state["viewers"] == 0 && state["state"] == "idle").await;
    daemon.stop().await;
}
