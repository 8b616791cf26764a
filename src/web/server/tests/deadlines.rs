//! Each deadline, to the second, on virtual time.

use super::*;
use std::io::{self, IoSlice};
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

impl super::super::io::Transport for DuplexStream {
    fn last_words(&mut self, _: &[u8]) {}
    fn queue_little(&self) {}
    fn forget_unsent(&self) {}
}

const PEER: Peer = Peer { address: None, tls: false };

/// A connection whose kernel buffers hold `buffer` bytes.
fn connect(buffer: usize) -> (DuplexStream, JoinHandle<()>, mpsc::UnboundedReceiver<String>, Arc<Progress>) {
    let (routes, called) = routes();
    let (client, stream) = tokio::io::duplex(buffer);
    let progress = Arc::new(Progress::new());
    let run = connection::run(
        connection::protocol(),
        stream,
        PEER,
        routes,
        progress.clone(),
        Arc::new(Limits::default()),
    );
    (client, tokio::spawn(run), called, progress)
}

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[tokio::test(start_paused = true)]
async fn a_silent_client_is_gone_after_10_seconds() {
    let (mut client, server, ..) = connect(1024);
    let start = Instant::now();
    assert_eq!(rest(&mut client).await, "");
    server.await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_head_that_drips_is_cut_off_after_10_seconds() {
    let (client, server, mut called, _) = connect(1024);
    let start = Instant::now();
    let (mut reader, mut writer) = tokio::io::split(client);
    let drip = async {
        for byte in b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n" {
            sleep(secs(1)).await;
            writer.write_all(&[*byte]).await.ok();
        }
    };
    tokio::select! {
        () = drip => panic!("the head was taken"),
        text = rest(&mut reader) => assert_eq!(text, ""),
    }
    server.await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 10);
    assert!(called.recv().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_kept_for_75_seconds() {
    let (mut client, server, ..) = connect(1024);
    for _ in 0..3 {
        ask(&mut client, "/").await;
        read_until(&mut client, "hello").await;
        sleep(secs(74)).await;
    }
    ask(&mut client, "/").await;
    read_until(&mut client, "hello").await;
    let start = Instant::now();
    assert_eq!(rest(&mut client).await, "");
    server.await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 75);
}

#[tokio::test(start_paused = true)]
async fn a_later_head_has_10_seconds_from_its_first_byte() {
    let (mut client, server, ..) = connect(1024);
    ask(&mut client, "/").await;
    read_until(&mut client, "hello").await;
    sleep(secs(60)).await;
    let start = Instant::now();
    client.write_all(b"GET ").await.unwrap();
    assert_eq!(rest(&mut client).await, "");
    server.await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 10);
}

const UPLOAD: &[u8] = b"POST /length HTTP/1.1\r\nhost: localhost\r\ncontent-length: 40960\r\n\r\n";

#[tokio::test(start_paused = true)]
async fn a_body_that_drips_is_cut_off_after_10_seconds() {
    let (client, server, mut called, _) = connect(1024);
    let (mut reader, mut writer) = tokio::io::split(client);
    writer.write_all(UPLOAD).await.unwrap();
    called.recv().await.unwrap();
    let start = Instant::now();
    let drip = async {
        loop {
            writer.write_all(&[b'x'; 90]).await.ok();
            sleep(secs(1)).await;
        }
    };
    tokio::select! {
        () = drip => {}
        text = rest(&mut reader) => assert_eq!(text, ""),
    }
    server.await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_slow_but_steady_body_is_taken() {
    let (mut client, _server, ..) = connect(4096);
    client.write_all(UPLOAD).await.unwrap();
    for _ in 0..40 {
        sleep(secs(8)).await;
        client.write_all(&[b'x'; 1024]).await.unwrap();
    }
    read_until(&mut client, "\r\n\r\n40960").await;
}

#[tokio::test(start_paused = true)]
async fn a_handler_may_take_its_time_once_the_body_has_come() {
    for (head, rest) in [
        ("GET /slow HTTP/1.1\r\nhost: x\r\n\r\n", ""),
        ("POST /slow HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\no", "k"),
        ("POST /slow HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n", "0\r\n\r\n"),
    ] {
        let (mut client, _server, mut called, _) = connect(1024);
        let start = Instant::now();
        client.write_all(head.as_bytes()).await.unwrap();
        called.recv().await.unwrap();
        client.write_all(rest.as_bytes()).await.unwrap();
        read_until(&mut client, "at last").await;
        assert_eq!(start.elapsed().as_secs(), 300);
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_reads_is_gone_after_25_seconds() {
    for path in ["/bytes/100000", "/endless"] {
        let (mut client, server, ..) = connect(1024);
        ask(&mut client, path).await;
        let start = Instant::now();
        server.await.unwrap();
        assert_eq!(start.elapsed().as_secs(), 25, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_drops_is_gone_too() {
    let (mut client, server, ..) = connect(100);
    ask(&mut client, "/bytes/100000").await;
    let start = Instant::now();
    let sip = async {
        loop {
            sleep(secs(1)).await;
            client.read_exact(&mut [0; 10]).await.ok();
        }
    };
    tokio::select! {
        () = sip => {}
        ended = server => ended.unwrap(),
    }
    assert_eq!(start.elapsed().as_secs(), 25);
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_gets_all_and_may_ask_again() {
    let (mut client, _server, ..) = connect(1024);
    ask(&mut client, "/bytes/20480").await;
    read_until(&mut client, "\r\n\r\n").await;
    // Longer than an idle connection is kept.
    for _ in 0..20 {
        sleep(secs(20)).await;
        client.read_exact(&mut [0; 1024]).await.unwrap();
    }
    sleep(secs(45)).await;
    ask(&mut client, "/").await;
    read_until(&mut client, "hello").await;
}

/// A connection to the route `/newest`, of which nothing was read yet but the head.
async fn numbers(buffer: usize) -> (DuplexStream, Arc<AtomicUsize>) {
    let (routes, _) = routes();
    let newest = routes.newest.clone();
    let (mut client, stream) = tokio::io::duplex(buffer);
    let (progress, limits) = (Arc::new(Progress::new()), Arc::new(Limits::default()));
    tokio::spawn(connection::run(connection::protocol(), stream, PEER, routes, progress, limits));
    client.write_all(b"GET /newest HTTP/1.0\r\nhost: localhost\r\n\r\n").await.unwrap();
    read_until(&mut client, "\r\n\r\n").await;
    (client, newest)
}

#[tokio::test(start_paused = true)]
async fn a_body_that_waits_for_a_clear_line_never_queues() {
    for buffer in [4, 10, 64, 1000] {
        let (mut client, newest) = numbers(buffer).await;
        let mut behind = 0;
        for round in 1..100 {
            // While nobody reads, numbers pass by.
            newest.store(round * 1000, Ordering::Relaxed);
            sleep(secs(1)).await;
            let mut number = [0; 10];
            client.read_exact(&mut number).await.unwrap();
            let number: usize = String::from_utf8_lossy(&number).trim().parse().unwrap();
            behind = behind.max((round * 1000 - number) / 1000);
        }
        // What the pipe held, and the one of which the rest waited for the pipe.
        assert!(behind <= buffer / 10 + 2, "{behind} behind through a pipe of {buffer} bytes");
    }
}

const UPGRADE: &[u8] =
    b"GET /upgrade HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: test\r\n\r\n";

#[tokio::test(start_paused = true)]
async fn an_upgraded_stream_that_nobody_reads_fails_after_25_seconds() {
    let (mut client, server, mut called, _) = connect(1024);
    client.write_all(UPGRADE).await.unwrap();
    assert_eq!(called.recv().await.unwrap(), "/upgrade");
    let start = Instant::now();
    assert_eq!(called.recv().await.unwrap(), "end", "its reader and its writer have failed");
    server.await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 25);
}

#[tokio::test(start_paused = true)]
async fn an_upgraded_stream_that_is_read_lives_on_until_it_is_closed() {
    let (mut client, server, mut called, _) = connect(1024);
    client.write_all(UPGRADE).await.unwrap();
    read_until(&mut client, "\r\n\r\n").await;
    for _ in 0..100 {
        sleep(secs(9)).await;
        client.read_exact(&mut [0; 1024]).await.unwrap();
    }
    assert!(!server.is_finished());
    drop(client);
    server.await.unwrap();
    assert_eq!(called.recv().await.unwrap(), "/upgrade");
    assert_eq!(called.recv().await.unwrap(), "end");
}

#[tokio::test(start_paused = true)]
async fn stop_ends_an_idle_connection_at_once_and_a_busy_one_after_its_answer() {
    let start = Instant::now();
    let (mut idle, server, _called, progress) = connect(1024);
    ask(&mut idle, "/").await;
    read_until(&mut idle, "hello").await;
    progress.stop();
    server.await.unwrap();
    assert_eq!(start.elapsed(), Duration::ZERO);

    let (mut busy, server, mut called, progress) = connect(1024);
    ask(&mut busy, "/slow").await;
    called.recv().await.unwrap();
    progress.stop();
    let answer = rest(&mut busy).await;
    assert!(answer.contains("connection: close") && answer.ends_with("at last"), "{answer}");
    server.await.unwrap();
}

/// A stream that tells of how many buffers each write was, and has the room that was there for the newest read.
struct Telling(DuplexStream, mpsc::UnboundedSender<usize>, Arc<AtomicUsize>);

impl super::super::io::Transport for Telling {
    fn last_words(&mut self, _: &[u8]) {}
    fn queue_little(&self) {}
    fn forget_unsent(&self) {}
}

impl AsyncRead for Telling {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.2.store(buf.remaining(), Ordering::Relaxed);
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Telling {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.1.send(1).unwrap();
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.1.send(bufs.len()).unwrap();
        let all: Vec<u8> = bufs.iter().flat_map(|buf| buf.iter().copied()).collect();
        Pin::new(&mut self.0).poll_write(cx, &all)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

#[tokio::test]
async fn head_and_picture_are_one_write() {
    let (mut client, stream) = tokio::io::duplex(1 << 20);
    let (tell, mut writes) = mpsc::unbounded_channel();
    tokio::spawn(connection::run(
        connection::protocol(),
        Telling(stream, tell, Arc::default()),
        PEER,
        routes().0,
        Arc::new(Progress::new()),
        Arc::new(Limits::default()),
    ));
    for _ in 0..3 {
        ask(&mut client, "/bytes/200000").await;
        read_until(&mut client, "\r\n\r\n").await;
        client.read_exact(&mut vec![0; 200_000]).await.unwrap();
        assert_eq!(writes.try_recv(), Ok(2), "not copied into one buffer");
        assert!(writes.try_recv().is_err(), "one write");
    }
}

#[tokio::test(start_paused = true)]
async fn who_goes_on_with_a_body_that_nobody_wants_is_cut_off_after_15_seconds() {
    let (client, server, ..) = connect(1024);
    let start = Instant::now();
    let (mut reader, mut writer) = tokio::io::split(client);
    let head = b"POST /bytes/3 HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000000\r\n\r\n";
    writer.write_all(head).await.unwrap();
    tokio::spawn(async move {
        while writer.write_all(&[b'x'; 100]).await.is_ok() {
            sleep(secs(1)).await;
        }
    });
    let text = rest(&mut reader).await;
    assert!(text.ends_with("xxx"), "{text}");
    server.await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 15);
}

#[tokio::test(start_paused = true)]
async fn who_goes_on_with_a_body_that_nobody_wants_does_not_hold_up_the_shutdown() {
    let (mut client, server, _called, progress) = connect(1024);
    let start = Instant::now();
    let head = b"POST /bytes/3 HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000000\r\n\r\n";
    client.write_all(head).await.unwrap();
    assert!(rest(&mut client).await.ends_with("xxx"));
    assert!(!server.is_finished(), "it lingers");
    progress.stop();
    server.await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 0);
}

#[tokio::test(start_paused = true)]
async fn between_requests_nothing_is_kept_to_read_into() {
    let (mut client, stream) = tokio::io::duplex(1 << 20);
    let (tell, _writes) = mpsc::unbounded_channel();
    let room = Arc::new(AtomicUsize::new(0));
    tokio::spawn(connection::run(
        connection::protocol(),
        Telling(stream, tell, room.clone()),
        PEER,
        routes().0,
        Arc::new(Progress::new()),
        Arc::new(Limits::default()),
    ));
    for path in ["/", "/bytes/100000", "/"] {
        // Virtual time moves only when the connection has nothing left to do.
        sleep(secs(1)).await;
        assert!(room.load(Ordering::Relaxed) < 8192, "hyper's buffer is there before {path}");
        ask(&mut client, path).await;
        read_until(&mut client, if path == "/" { "hello" } else { "xxxxxxxxxx" }).await;
        let rest = if path == "/" { 0 } else { 100_000 - 10 };
        client.read_exact(&mut vec![0; rest]).await.unwrap();
    }
    client.write_all(b"GET / HTTP").await.unwrap();
    sleep(secs(1)).await;
    assert!(room.load(Ordering::Relaxed) >= 8000, "within a request hyper reads by itself");
}

#[tokio::test(start_paused = true)]
async fn the_beginning_of_a_request_that_came_too_early_is_not_lost() {
    let (mut client, server, ..) = connect(4096);
    let head = "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
    for cut in 1..head.len() {
        let (early, late) = head.split_at(cut);
        client.write_all(format!("{head}{early}").as_bytes()).await.unwrap();
        read_until(&mut client, "hello").await;
        sleep(secs(1)).await;
        client.write_all(late.as_bytes()).await.unwrap();
        read_until(&mut client, "hello").await;
    }
    // Whoever does not go on is told by the end of the time for a head.
    client.write_all(format!("{head}GET / HT").as_bytes()).await.unwrap();
    read_until(&mut client, "hello").await;
    let start = Instant::now();
    assert_eq!(rest(&mut client).await, "");
    server.await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 10);
}
