//! The server on real sockets.

use super::*;
use tokio::net::{TcpListener, UnixStream};
use tokio::task::JoinHandle;

pub(super) struct Server {
    address: std::net::SocketAddr,
    pub(super) shutdown: CancellationToken,
    pub(super) task: JoinHandle<()>,
    pub(super) called: mpsc::UnboundedReceiver<String>,
}

fn start(limits: Limits) -> Server {
    start_at(Doors::new, limits)
}

/// A server at a free port, with these doors.
pub(super) fn start_at(doors: impl FnOnce(TcpListener) -> Doors, limits: Limits) -> Server {
    let listener = bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let (routes, called) = routes();
    let task = tokio::spawn(serve(doors(listener), routes, limits, shutdown.clone()));
    Server { address, shutdown, task, called }
}

impl Server {
    pub(super) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// All that comes back for these bytes, until the server ends the connection.
    async fn answer_to(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        stream.write_all(bytes).await.unwrap();
        rest(&mut stream).await
    }
}

pub(super) const SHORT: Duration = Duration::from_millis(30);

/// Deadlines that a test can wait for.
pub(super) fn short() -> Limits {
    Limits {
        head: SHORT,
        idle: SHORT,
        body_progress: SHORT,
        write_progress: SHORT,
        grace: SHORT,
        ..Limits::default()
    }
}

#[tokio::test]
async fn requests_of_one_connection_are_answered_in_order() {
    let server = start(Limits::default());
    let mut stream = server.connect().await;
    let pipelined = "GET /bytes/3 HTTP/1.1\r\nhost: x\r\n\r\nPOST /length HTTP/1.1\r\nhost: x\r\n\
        content-length: 5\r\n\r\n12345GET / HTTP/1.1\r\nhost: x\r\n\r\n";
    stream.write_all(pipelined.as_bytes()).await.unwrap();
    let text = read_until(&mut stream, "hello").await;
    let (xxx, five) = (text.find("\r\n\r\nxxx").unwrap(), text.find("\r\n\r\n5").unwrap());
    assert!(xxx < five, "{text}");
    ask(&mut stream, "/address").await;
    let address = stream.local_addr().unwrap().to_string();
    read_until(&mut stream, &address).await;
}

#[tokio::test]
async fn a_head_in_pieces_is_put_together() {
    let server = start(Limits::default());
    let mut stream = server.connect().await;
    for piece in ["\r\n", "GE", "T / HTTP/1.1\r", "\nhost: x\r\n\r", "\n"] {
        stream.write_all(piece.as_bytes()).await.unwrap();
        tokio::task::yield_now().await;
    }
    read_until(&mut stream, "hello").await;
}

#[tokio::test]
async fn http_1_0_ends_with_its_answer() {
    let server = start(Limits::default());
    let answer = server.answer_to(b"GET / HTTP/1.0\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.0 200 OK\r\n") && answer.ends_with("\r\n\r\nhello"), "{answer}");
}

#[tokio::test]
async fn what_is_not_http_1_is_refused() {
    let mut server = start(Limits::default());
    let (long, many) = ("a".repeat(20_000), "a: b\r\n".repeat(200));
    for (bytes, status) in [
        ("\u{1}\u{2}rubbish \u{3}\r\n\r\n".to_owned(), "HTTP/1.1 400 "),
        ("GET / HTTP/3.0\r\n\r\n".into(), "HTTP/1.1 400 "),
        ("GET / HTTP/1.1\r\nhost : x\r\n\r\n".into(), "HTTP/1.1 400 "),
        ("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: x\r\n\r\n".into(), "HTTP/1.1 400 "),
        (format!("GET /{long} HTTP/1.1\r\nhost: x\r\n\r\n"), "HTTP/1.1 431 "),
        (format!("GET / HTTP/1.1\r\n{many}\r\n"), "HTTP/1.1 431 "),
        // The preface of HTTP/2 without TLS.
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into(), ""),
    ] {
        let answer = server.answer_to(bytes.as_bytes()).await;
        assert!(answer.starts_with(status) && !answer.contains("HTTP/1.1 200"), "{bytes:.40}: {answer}");
    }
    assert!(server.called.try_recv().is_err(), "none of it reached a handler");
    assert!(server.answer_to(b"GET / HTTP/1.0\r\n\r\n").await.ends_with("hello"), "the server goes on");
}

#[tokio::test]
async fn a_slow_head_and_a_slow_body_are_told_so() {
    let server = start(short());
    for part in ["", "GET / HTTP", "POST /length HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n1"] {
        let answer = server.answer_to(part.as_bytes()).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 408 "), "{answer}");
        assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{answer}");
        serde_json::from_str::<serde_json::Value>(body).unwrap();
    }
}

#[tokio::test]
async fn clients_that_never_read_are_gone_in_the_end() {
    let mut server = start(Limits { head: Limits::default().head, ..short() });
    let mut streams = Vec::new();
    for path in ["/endless", "/bytes/30000000", "/upgrade"] {
        let mut stream = server.connect().await;
        let head = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: test\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        assert_eq!(server.called.recv().await.unwrap(), path);
        streams.push(stream);
    }
    assert_eq!(server.called.recv().await.unwrap(), "end", "the upgraded one was cut off");
    // What the kernel had not sent is thrown away, so the reader sees a reset and not an end.
    for mut stream in streams {
        let error = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    }
}

#[tokio::test]
async fn one_connection_too_many_is_told_so_and_room_is_found_again() {
    let server = start(Limits { connections: 2, ..Limits::default() });
    let mut inside = Vec::new();
    for _ in 0..2 {
        let mut stream = server.connect().await;
        ask(&mut stream, "/").await;
        read_until(&mut stream, "hello").await;
        inside.push(stream);
    }
    for _ in 0..100 {
        let mut stream = server.connect().await;
        ask(&mut stream, "/").await;
        let mut refusal = String::new();
        stream.read_to_string(&mut refusal).await.expect("an end and not a reset");
        let (head, body) = refusal.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 503 ") && head.contains("\r\nretry-after: 5\r\n"), "{refusal}");
        assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{refusal}");
        serde_json::from_str::<serde_json::Value>(body).unwrap();
    }
    ask(&mut inside[1], "/").await;
    read_until(&mut inside[1], "hello").await;
    drop(inside);
    while !server.answer_to(b"GET / HTTP/1.0\r\n\r\n").await.ends_with("hello") {}
}

#[tokio::test]
async fn shutdown_waits_for_a_request_in_flight_and_closes_the_port() {
    let mut server = start(Limits::default());
    let mut idle = server.connect().await;
    ask(&mut idle, "/").await;
    read_until(&mut idle, "hello").await;
    let mut busy = server.connect().await;
    busy.write_all(b"POST /length HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\n12").await.unwrap();
    while server.called.recv().await.unwrap() != "/length" {}

    server.shutdown.cancel();
    assert_eq!(rest(&mut idle).await, "");
    assert!(TcpStream::connect(server.address).await.is_err());
    assert!(!server.task.is_finished());
    busy.write_all(b"34").await.unwrap();
    let answer = rest(&mut busy).await;
    assert!(answer.ends_with("\r\n\r\n4"), "{answer}");
    server.task.await.unwrap();
}

#[tokio::test]
async fn shutdown_ends_whatever_the_clients_do() {
    let mut server =
        start(Limits { grace: SHORT, write_progress: Duration::from_secs(3600), ..Limits::default() });
    let mut streams = Vec::new();
    for path in ["/endless", "/never", "/bytes/30000000", "/upgrade", ""] {
        let mut stream = server.connect().await;
        let head = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: test\r\n\r\n");
        stream.write_all(if path.is_empty() { b"GET" } else { head.as_bytes() }).await.unwrap();
        if !path.is_empty() {
            assert_eq!(server.called.recv().await.unwrap(), path);
        }
        streams.push(stream);
    }
    server.shutdown.cancel();
    server.task.await.unwrap();
    assert_eq!(server.called.recv().await.unwrap(), "end", "the upgraded one was cut off");
    for mut stream in streams {
        tokio::io::copy(&mut stream, &mut tokio::io::sink()).await.ok();
    }
}

/// Runs in a process of its own, whose limit on open files it lowers.
#[test]
fn running_out_of_files_is_survived() {
    const CHILD: &str = "EYELID_TEST_FEW_FILES";
    if std::env::var_os(CHILD).is_none() {
        let name = "web::server::tests::sockets::running_out_of_files_is_survived";
        let child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture"])
            .env(CHILD, "1")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&child.stdout);
        assert!(child.status.success() && said.contains("survived"), "{child:?}");
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let server = start(Limits::default());
        let lower = |current| {
            setrlimit(Resource::Nofile, Rlimit { current: Some(current), ..getrlimit(Resource::Nofile) })
                .unwrap();
        };
        // The clients have their files before there are too few. A connection's first file is one
        // that was closed for it, or the limit.
        let sockets: Vec<_> = (0..8).map(|_| tokio::net::TcpSocket::new_v4().unwrap()).collect();
        let files = || std::fs::read_dir("/proc/self/fd").unwrap().count() as u64;
        lower(files() + 2);
        let mut clients = Vec::new();
        for socket in sockets {
            clients.push(socket.connect(server.address).await.unwrap());
        }
        // Some wait in the kernel's queue, accepted by nobody; as others go, their turn comes.
        for mut client in clients {
            ask(&mut client, "/").await;
            read_until(&mut client, "hello").await;
        }
        server.shutdown.cancel();
        server.task.await.unwrap();
        println!("survived");
    });
}

#[tokio::test]
async fn a_client_that_sends_all_of_a_body_that_nobody_wants_still_reads_the_answer() {
    let server = start(Limits::default());
    let mut stream = server.connect().await;
    // More than the kernel keeps for a reader that does not read.
    let body = vec![b'x'; 7 << 20];
    let head = format!("POST /bytes/3 HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&body).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nxxx"), "{answer}");
}

#[tokio::test]
async fn of_a_body_without_end_that_nobody_wants_only_so_much_is_read() {
    let server = start(Limits::default());
    let (mut reader, mut writer) = server.connect().await.into_split();
    writer
        .write_all(b"POST /bytes/3 HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000000\r\n\r\n")
        .await
        .unwrap();
    let sent = async {
        let mut sent = 0_usize;
        while writer.write_all(&[b'x'; 65536]).await.is_ok() {
            sent += 65536;
        }
        sent
    };
    let (sent, _) = tokio::join!(sent, rest(&mut reader));
    assert!(sent < 1_000_000_000, "{sent}");
}

/// A server with a local socket too, and a connection to it.
async fn local(limits: Limits) -> (Server, UnixStream) {
    let folder = tempfile::tempdir().unwrap();
    let server = start_at(|listener| Doors::new(listener).with_local(folder.path()), limits);
    let stream = UnixStream::connect(folder.path().join("eyelid.sock")).await.unwrap();
    (server, stream)
}

#[tokio::test]
async fn the_local_socket_lets_in_when_the_port_is_full() {
    let (server, mut owner) = local(Limits { connections: 1, ..Limits::default() }).await;
    let mut inside = server.connect().await;
    ask(&mut inside, "/").await;
    read_until(&mut inside, "hello").await;
    ask(&mut owner, "/address").await;
    read_until(&mut owner, "the local socket").await;
    server.shutdown.cancel();
    assert_eq!(rest(&mut owner).await, "");
    server.task.await.unwrap();
}

#[tokio::test]
async fn the_local_socket_has_the_same_deadlines() {
    let (_server, mut silent) = local(short()).await;
    assert!(rest(&mut silent).await.starts_with("HTTP/1.1 408 "));
}

#[tokio::test]
async fn a_known_proxys_word_about_its_client_is_passed_on() {
    let head = b"GET /client HTTP/1.0\r\nx-forwarded-for: 192.0.2.1\r\nx-forwarded-proto: https\r\n\r\n";
    let known = |proxy: &str| [proxy.parse::<crate::config::Proxy>().unwrap()].into_iter().collect();
    let (sender, proxies) = watch::channel(known("127.0.0.0/8"));
    let server = start(Limits { proxies, ..Limits::default() });
    let answer = server.answer_to(head).await;
    assert!(answer.ends_with("Client { address: Some(192.0.2.1), tls: true }"), "{answer}");
    sender.send_replace(known("192.0.2.0/24"));
    let answer = server.answer_to(head).await;
    assert!(answer.ends_with("Client { address: Some(127.0.0.1), tls: false }"), "{answer}");
}
