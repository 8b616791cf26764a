//! The two connections of a browser that watches: a WebSocket for what is announced, and one for pictures.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    sync::atomic::{AtomicU8, Ordering::Relaxed},
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use socket2::{Domain, Protocol, Socket, Type};

/// How many of the machine's own addresses connections come from: 127.0.0.2 and so on.
const OWN_ADDRESSES: u8 = 16;

/// What Chromium says with each of its requests.
pub(crate) const BROWSER: &str = "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
    Chrome/140.0.0.0 Safari/537.36\r\nAccept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-US,en;q=0.9\r\n";

/// How long the server may take to answer while a viewer is being set up.
const PATIENCE: Duration = Duration::from_secs(10);

/// A Socket.IO message, as far as a viewer cares.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Message {
    /// A ping, to be answered with [`PONG`].
    Ping,
    /// A picture's id.
    Picture(u64),
    Other,
}

/// What answers [`Message::Ping`].
pub(crate) const PONG: &str = "3";
pub(crate) const START: &str = "42[\"start-stream\"]";
pub(crate) const STOP: &str = "42[\"stop-stream\"]";

/// A connection for HTTP, without Nagle's delay. From each of the machine's own addresses in turn: between two
/// addresses there are only 28,232 ports, those included whose connections have ended in the last minute.
pub(crate) fn connect(address: SocketAddr) -> anyhow::Result<TcpStream> {
    static NEXT: AtomicU8 = AtomicU8::new(0);
    let own = Ipv4Addr::new(127, 0, 0, 2 + NEXT.fetch_add(1, Relaxed) % OWN_ADDRESSES);
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.bind(&SocketAddr::from((own, 0)).into())?;
    socket.connect(&address.into()).with_context(|| format!("connecting from {own} to {address}"))?;
    let stream = TcpStream::from(socket);
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// A WebSocket that has joined the first camera's namespace, and is blocking.
pub(crate) fn socketio(address: SocketAddr) -> anyhow::Result<(TcpStream, Messages)> {
    let mut stream = connect(address)?;
    let request = format!(
        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\n\
         Pragma: no-cache\r\nCache-Control: no-cache\r\n{BROWSER}Upgrade: websocket\r\nOrigin: http://{address}\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\
         Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"
    );
    stream.write_all(request.as_bytes())?;
    let mut head = Vec::new();
    // Byte by byte, for what follows the head is a message already.
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).context("the answer to the WebSocket's request")?;
        head.push(byte[0]);
    }
    ensure!(head.starts_with(b"HTTP/1.1 101"), "no WebSocket: {}", String::from_utf8_lossy(&head));
    let mut messages = Messages::default();
    wait(&mut stream, &mut messages, |text| text.starts_with('0'))?;
    send(&mut stream, "40")?;
    wait(&mut stream, &mut messages, |text| text.starts_with("40"))?;
    Ok((stream, messages))
}

/// Reads from a blocking WebSocket until a message is the awaited one, and answers pings.
pub(crate) fn wait(
    stream: &mut TcpStream,
    messages: &mut Messages,
    mut awaited: impl FnMut(&str) -> bool,
) -> anyhow::Result<()> {
    let mut buffer = [0; 4096];
    loop {
        while let Some(text) = messages.next()? {
            if awaited(text) {
                return Ok(());
            }
            if text == "2" {
                send(stream, PONG)?;
            }
        }
        let count = stream.read(&mut buffer).context("waiting for a message")?;
        ensure!(count > 0, "the server has closed the WebSocket");
        messages.push(&buffer[..count]);
    }
}

/// Sends a text message of at most 125 bytes.
pub(crate) fn send(stream: &mut TcpStream, text: &str) -> anyhow::Result<()> {
    let mut frame =
        vec![0x81, 0x80 | u8::try_from(text.len()).ok().filter(|n| *n < 126).context("too long")?];
    // A browser has to mask what it sends; with a mask of zeros it stays as it is.
    frame.extend([0; 4]);
    frame.extend(text.as_bytes());
    stream.write_all(&frame).context("sending over the WebSocket")
}

/// Cuts what a WebSocket's server sends into messages.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    buffer: Vec<u8>,
    start: usize,
}

impl Messages {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.start);
        self.start = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole message.
    pub(crate) fn next(&mut self) -> anyhow::Result<Option<&str>> {
        let rest = &self.buffer[self.start..];
        let (Some(&kind), Some(&length)) = (rest.first(), rest.get(1)) else { return Ok(None) };
        let (head, length) = match (length, rest.get(2), rest.get(3)) {
            (0..126, ..) => (2, usize::from(length)),
            (126, Some(high), Some(low)) => (4, usize::from(u16::from_be_bytes([*high, *low]))),
            (126, ..) => return Ok(None),
            _ => bail!("a message too long for us"),
        };
        ensure!(kind == 0x81, "the server has sent a WebSocket frame of type {kind:#x}, not a text message");
        if rest.len() < head + length {
            return Ok(None);
        }
        let from = self.start + head;
        self.start = from + length;
        Ok(Some(std::str::from_utf8(&self.buffer[from..self.start])?))
    }
}

/// What a text message says.
pub(crate) fn understand(text: &str) -> Message {
    if text == "2" {
        return Message::Ping;
    }
    let id =
        text.strip_prefix("42[\"liveStream\",\"image_stream.jpg?_t=").and_then(|t| t.strip_suffix("\"]"));
    id.and_then(|id| id.parse().ok()).map_or(Message::Other, Message::Picture)
}
