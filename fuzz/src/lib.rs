//! A daemon in the fuzz target's own process, whole and on a real socket, and one connection after the other to it.
//!
//! A panic anywhere in it, whichever thread has it, ends the target: libfuzzer-sys sets a hook that does.

use std::{cell::Cell, fs, net::SocketAddr, os::unix::fs::PermissionsExt, path::PathBuf, time::Duration};

use eyelid::{
    camera::process::Program,
    config::{self, Request},
    daemon::{self, Options},
    token::TokenHash,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::Runtime,
    signal::unix::{SignalKind, signal},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

/// What the sender of the camera `door` says.
pub const TOKEN: &str = "a token";

/// How long a client waits for the end of its connection before it says that it has nothing to say any more, and then
/// once more before it goes.
const SILENCE: Duration = Duration::from_millis(2);

/// Long enough on the busiest machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Every so many connections a new picture is taken, and the daemon has to have done with those before.
const ROUND: u64 = 256;

/// A daemon with the cameras `tank`, which is on and has a picture, and `door`, to which pictures are sent.
pub struct Daemon {
    runtime: Runtime,
    address: SocketAddr,
    rolling_file: PathBuf,
    picture: Vec<u8>,
    connections: Cell<u64>,
    /// Open files while nobody but the one viewer is connected.
    files: Cell<usize>,
    _folder: TempDir,
}

impl Daemon {
    /// Starts it, and somebody who watches `tank` for ever.
    pub fn start() -> Self {
        let folder = tempfile::tempdir_in("/dev/shm").expect("a folder in memory");
        // In place of a capture process: this program takes the pictures.
        let capture = folder.path().join("capture");
        fs::write(&capture, "#!/bin/sh\nexec cat > /dev/null\n").expect("a script");
        fs::set_permissions(&capture, fs::Permissions::from_mode(0o700)).expect("a script");
        let file = folder.path().join("config.toml");
        let text = format!(
            "[socketio]\nping_interval = \"1s\"\nping_timeout = \"1s\"\n\
             [[camera]]\nname = \"tank\"\nkind = \"command\"\ncommand = \"true\"\n\
             start_timeout = \"60s\"\nstall_timeout = \"60s\"\n\
             [[camera]]\nname = \"door\"\nkind = \"push\"\nupload_token = \"{}\"\n",
            TokenHash::of(TOKEN)
        );
        fs::write(&file, text).expect("a configuration");
        let request = Request { file: Some(file), ..Request::default() };
        let loaded = config::load(&request).unwrap_or_else(|errors| panic!("{errors}"));
        let run_folder = folder.path().join("run");
        let rolling_file = run_folder.join("tank").join("image_stream.jpg");
        let options = Options {
            loaded,
            request: None,
            run_folder,
            state_folder: folder.path().join("state"),
            program: Program::at(capture),
            public: None,
            log: None,
        };
        let mut picture = Vec::new();
        let encoder = jpeg_encoder::Encoder::new(&mut picture, 90);
        encoder.encode(&[90; 256], 16, 16, jpeg_encoder::ColorType::Luma).expect("a picture");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let address = runtime.block_on(async {
            // As the Rust runtime has it in a program whose main function is Rust's.
            let mut broken_pipes = signal(SignalKind::pipe()).expect("a signal");
            tokio::spawn(async move { while broken_pipes.recv().await.is_some() {} });
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let address = listener.local_addr().expect("it is bound");
            tokio::spawn(daemon::run(options, listener, CancellationToken::new()));
            address
        });
        let daemon = Self {
            runtime,
            address,
            rolling_file,
            picture,
            connections: Cell::new(0),
            files: Cell::new(0),
            _folder: folder,
        };
        daemon.runtime.block_on(daemon.watch());
        daemon.files.set(open_files());
        daemon
    }

    /// Sends all of `bytes` over a connection, and gives what comes back.
    pub fn exchange(&self, bytes: &[u8]) -> Vec<u8> {
        self.runtime.block_on(async {
            let mut stream = self.connect().await;
            // The answer, and the end, may come before all of it was sent.
            stream.write_all(bytes).await.ok();
            let mut answer = Vec::new();
            self.rest(stream, &mut answer).await;
            answer
        })
    }

    /// As [`Self::exchange`], where there has to be an answer.
    pub fn ask(&self, bytes: &[u8]) -> Vec<u8> {
        self.runtime.block_on(async {
            let mut stream = self.connect().await;
            stream.write_all(bytes).await.ok();
            let mut answer = self.until(&mut stream, b"\r\n\r\n").await;
            self.rest(stream, &mut answer).await;
            answer
        })
    }

    /// Opens a WebSocket of Socket.IO that joins the first camera, sends each of `pieces` when the one before has been
    /// answered or need not be, and leaves. Gives what came back since it had joined.
    pub fn websocket(&self, protocol: u8, pieces: &[Vec<u8>]) -> Vec<u8> {
        // Who speaks the old protocol is in without asking.
        let (join, joined): (_, &[u8]) = match protocol {
            4 => (frame(TEXT, b"40"), b"40{"),
            _ => (Vec::new(), b"\x81\x0240"),
        };
        let head = format!(
            "GET /socket.io/?EIO={protocol}&transport=websocket HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        );
        self.runtime.block_on(async {
            let mut stream = self.connect().await;
            stream.write_all(&[head.as_bytes(), &join].concat()).await.expect("nobody closes it");
            let greeting = self.until(&mut stream, joined).await;
            let is_in = greeting.windows(joined.len()).any(|found| found == joined);
            assert!(is_in, "it is not let in: {}", String::from_utf8_lossy(&greeting));
            let mut answer = Vec::new();
            for piece in pieces {
                stream.write_all(piece).await.ok();
                timeout(SILENCE, stream.read_buf(&mut answer)).await.ok();
            }
            stream.write_all(&frame(CLOSE, b"")).await.ok();
            self.rest(stream, &mut answer).await;
            answer
        })
    }

    /// As [`Self::websocket`], by polling, and gives the last answer.
    pub fn polling(&self, protocol: u8, body: &[u8]) -> Vec<u8> {
        let path = format!("/socket.io/?EIO={protocol}&transport=polling");
        let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        let post = |path: &str, more: &str, body: &[u8]| {
            let length = body.len();
            let head =
                format!("POST {path} HTTP/1.1\r\nHost: localhost\r\n{more}Content-Length: {length}\r\n\r\n");
            [head.as_bytes(), body].concat()
        };
        self.runtime.block_on(async {
            let mut stream = self.connect().await;
            stream.write_all(get(&path).as_bytes()).await.expect("nobody closes it");
            let answer = self.until(&mut stream, b"}").await;
            let answer = String::from_utf8_lossy(&answer);
            let sid = answer.split_once("\"sid\":\"").and_then(|(_, rest)| rest.split('"').next());
            let path = format!("{path}&sid={}", sid.unwrap_or_else(|| panic!("no session: {answer}")));
            if protocol == 4 {
                stream.write_all(&post(&path, "", b"40")).await.expect("nobody closes it");
                self.until(&mut stream, b"ok").await;
                stream.write_all(get(&path).as_bytes()).await.expect("nobody closes it");
                self.until(&mut stream, b"40{").await;
            }
            stream.write_all(&post(&path, "Connection: close\r\n", body)).await.ok();
            let mut answer = Vec::new();
            self.rest(stream, &mut answer).await;
            answer
        })
    }

    /// Reads until this has come, or the end.
    async fn until(&self, stream: &mut TcpStream, awaited: &[u8]) -> Vec<u8> {
        let mut answer = Vec::new();
        while !answer.windows(awaited.len()).any(|found| found == awaited) {
            let more = timeout(PATIENCE, stream.read_buf(&mut answer)).await.expect("an answer");
            if !more.is_ok_and(|bytes| bytes > 0) {
                break;
            }
        }
        answer
    }

    async fn connect(&self) -> TcpStream {
        let count = self.connections.get();
        self.connections.set(count + 1);
        if count.is_multiple_of(ROUND) {
            self.done().await;
        }
        let stream = TcpStream::connect(self.address).await.expect("it listens");
        // Closed without a trace: there are not ports enough for a minute's connections.
        stream.set_zero_linger().ok();
        stream
    }

    /// Reads to the end, or what comes at once.
    async fn rest(&self, mut stream: TcpStream, answer: &mut Vec<u8>) {
        if timeout(SILENCE, stream.read_to_end(answer)).await.is_err() {
            stream.shutdown().await.ok();
            timeout(SILENCE, stream.read_to_end(answer)).await.ok();
        }
    }

    /// Waits until the daemon has closed all that was opened for those who have gone. Who watches a stream is missed when
    /// the next picture comes.
    async fn done(&self) {
        // Files that are read or written just now.
        const BUSY: usize = 8;
        let all_gone = async {
            loop {
                self.take_picture();
                if open_files() <= self.files.get() + BUSY {
                    return;
                }
                tokio::time::sleep(SILENCE).await;
            }
        };
        let gone = timeout(PATIENCE, all_gone).await;
        assert!(gone.is_ok(), "{} files were open, and {} are", self.files.get(), open_files());
    }

    fn take_picture(&self) {
        let part = self.rolling_file.with_extension("part");
        fs::write(&part, &self.picture).expect("a folder in memory");
        fs::rename(&part, &self.rolling_file).expect("a folder in memory");
    }

    /// Watches until the target ends.
    async fn watch(&self) {
        let head = b"GET /stream.mjpg HTTP/1.1\r\nHost: localhost\r\n\r\n";
        let mut stream = TcpStream::connect(self.address).await.expect("it listens");
        stream.write_all(head).await.expect("nobody closes it");
        let mut buffer = vec![0; 1 << 16];
        let mut seen = Vec::new();
        while !seen.windows(2).any(|two| two == [0xFF, 0xD8]) {
            self.take_picture();
            match timeout(Duration::from_millis(100), stream.read(&mut buffer)).await {
                Ok(Ok(count @ 1..)) => seen.extend_from_slice(&buffer[..count]),
                Ok(_) => panic!("tank can't be watched: {}", String::from_utf8_lossy(&seen)),
                Err(_) => {}
            }
        }
        tokio::spawn(async move { while matches!(stream.read(&mut buffer).await, Ok(1..)) {} });
    }
}

fn open_files() -> usize {
    fs::read_dir("/proc/self/fd").expect("this is Linux").count()
}

/// The types of frames of a WebSocket.
pub const TEXT: u8 = 0x1;
pub const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;

/// A frame of a client, with a mask of zeros.
pub fn frame(kind: u8, content: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | kind];
    match u16::try_from(content.len()) {
        Ok(length @ 0..126) => frame.push(0x80 | length as u8),
        Ok(length) => {
            frame.push(0x80 | 126);
            frame.extend(length.to_be_bytes());
        }
        Err(_) => {
            frame.push(0x80 | 127);
            frame.extend((content.len() as u64).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(content);
    frame
}

/// The status of an answer; none where there is not one.
pub fn status(answer: &[u8]) -> Option<u16> {
    std::str::from_utf8(answer.get(9..12)?).ok()?.parse().ok()
}
