//! A small HTTP client that also sends what no client sends.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

use super::in_time;

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// A header's value; empty if there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {:?}", self.text()))
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut lines = head.split("\r\n");
        let status = lines.next()?.strip_prefix("HTTP/1.")?.get(2..5)?.parse().ok()?;
        let header = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        };
        Some(Self { status, headers: lines.filter_map(header).collect(), body: bytes[end + 4..].to_vec() })
    }
}

/// Connects; with a receive buffer of so many bytes where that is wanted.
pub(super) async fn connect(address: SocketAddr, buffer: Option<u32>) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    if let Some(size) = buffer {
        socket.set_recv_buffer_size(size).unwrap();
        // Segments as on a network. Loopback's are larger than the buffer, and then the kernel tells of room in
        // it only when asked, at growing intervals.
        socket2::SockRef::from(&socket).set_tcp_mss(1024).unwrap();
    }
    socket.connect(address).await.unwrap()
}

/// Asks for a path.
pub(crate) async fn get(address: SocketAddr, path: &str) -> Reply {
    request(address, "GET", path, "", b"").await
}

/// Sends a request with more header lines, each with its line end, and a body.
pub(crate) async fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &str,
    body: &[u8],
) -> Reply {
    let host = if headers.contains("Host:") { String::new() } else { format!("Host: {address}\r\n") };
    let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    let head = format!("{method} {path} HTTP/1.1\r\n{host}{length}Connection: close\r\n{headers}\r\n");
    let answer = converse(address, &[head.as_bytes(), body].concat(), false).await;
    Reply::parse(&answer)
        .unwrap_or_else(|| panic!("{method} {path}: no answer, but {:?}", String::from_utf8_lossy(&answer)))
}

/// Sends bytes and that no more will come, and gives all that comes back until the other side closes or
/// breaks the connection.
pub(crate) async fn exchange(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    converse(address, bytes, true).await
}

/// Asks for a path over a connection.
pub(crate) async fn request_over(stream: impl AsyncRead + AsyncWrite, path: &str) -> Reply {
    let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let answer = converse_over(stream, head.as_bytes(), false).await;
    Reply::parse(&answer).unwrap_or_else(|| panic!("no answer, but {:?}", String::from_utf8_lossy(&answer)))
}

async fn converse(address: SocketAddr, bytes: &[u8], end: bool) -> Vec<u8> {
    converse_over(TcpStream::connect(address).await.unwrap(), bytes, end).await
}

async fn converse_over(stream: impl AsyncRead + AsyncWrite, bytes: &[u8], end: bool) -> Vec<u8> {
    in_time("the end of an answer", async {
        let (mut input, mut output) = tokio::io::split(stream);
        let send = async {
            // Who refuses a request need not read all of it.
            let _ = output.write_all(bytes).await;
            if end {
                let _ = output.shutdown().await;
            }
        };
        let mut answer = Vec::new();
        let receive = async { drop(input.read_to_end(&mut answer).await) };
        tokio::join!(send, receive);
        answer
    })
    .await
}
