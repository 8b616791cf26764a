//! A viewer that gets its pictures over one connection without asking for each: MJPEG or the WebSocket.

use std::{io::Write, net::SocketAddr, net::TcpStream};

use anyhow::{Context, ensure};

use crate::{
    again::ComeAgain,
    arguments::Way,
    connection,
    picture::{Check, Pictures},
    viewer::Picture,
};

/// The head of an answer, of a part or of a frame is shorter than this.
const LONGEST_HEAD: usize = 4096;

pub(crate) struct Stream {
    pub(crate) stream: TcpStream,
    way: Way,
    /// The answer's own head has come.
    open: bool,
    head: Vec<u8>,
    /// Bytes of a picture or a message that are missing.
    missing: usize,
    /// The picture that is coming; none where it is a message.
    check: Option<Check>,
    /// How often in a row its viewer came in vain before.
    pub(crate) in_vain: u32,
}

impl Stream {
    pub(crate) fn open(address: SocketAddr, way: Way) -> anyhow::Result<Self> {
        let mut stream = connection::connect(address)?;
        let (path, more) = match way {
            Way::Ws => (
                "/ws",
                "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                 Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n",
            ),
            _ => ("/stream.mjpg", ""),
        };
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\n{more}\r\n")?;
        Ok(Self { stream, way, open: false, head: Vec::new(), missing: 0, check: None, in_vain: 0 })
    }

    /// Takes what came, and tells of each picture whose last byte is in it.
    pub(crate) fn take(
        &mut self,
        mut bytes: &[u8],
        made: &Pictures,
        mut tell: impl FnMut(Picture),
    ) -> anyhow::Result<()> {
        while !bytes.is_empty() {
            if self.missing == 0 {
                let (byte, rest) = bytes.split_first().context("it is not empty")?;
                self.head.push(*byte);
                bytes = rest;
                self.understand()?;
                continue;
            }
            let (piece, rest) = bytes.split_at(bytes.len().min(self.missing));
            bytes = rest;
            self.missing -= piece.len();
            if let Some(check) = &mut self.check {
                check.push(piece, made);
            }
            if self.missing == 0
                && let Some(check) = self.check.take()
            {
                tell(check.finish(made).map_or(Picture::Torn, Picture::Whole));
            }
        }
        Ok(())
    }

    /// Looks whether a head is complete.
    fn understand(&mut self) -> anyhow::Result<()> {
        ensure!(self.head.len() < LONGEST_HEAD, "a head without an end");
        match self.way {
            _ if !self.open => {
                if self.head.ends_with(b"\r\n\r\n") {
                    let head = std::str::from_utf8(&self.head)?;
                    if let Some(later) = ComeAgain::said(head) {
                        return Err(later.into());
                    }
                    let fine = matches!(head.get(9..12), Some("200" | "101"));
                    ensure!(fine, "the server answers {head}");
                    self.open = true;
                    self.head.clear();
                }
            }
            Way::Ws => {
                let Some((kind, length, head)) = frame(&self.head)? else { return Ok(()) };
                debug_assert_eq!(head, self.head.len());
                self.missing = length;
                self.check = (kind == 0x82).then(Check::default);
                self.head.clear();
                if kind == 0x89 {
                    // A pong, masked with zeros as a client has to.
                    self.stream.write_all(&[0x8A, 0x80, 0, 0, 0, 0])?;
                }
            }
            _ => {
                if self.head.ends_with(b"\r\n\r\n") {
                    let head = std::str::from_utf8(&self.head)?;
                    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
                    self.missing = length.context("a part without its length")?.parse()?;
                    self.check = Some(Check::default());
                    self.head.clear();
                }
            }
        }
        Ok(())
    }
}

/// Type, length and head of a frame, once the head is whole.
fn frame(head: &[u8]) -> anyhow::Result<Option<(u8, usize, usize)>> {
    let [kind, length, ..] = head else { return Ok(None) };
    let (start, digits) = match length {
        126 => (2, 2),
        127 => (2, 8),
        _ => return Ok(Some((*kind, usize::from(*length), 2))),
    };
    let Some(length) = head.get(start..start + digits) else { return Ok(None) };
    let length = length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
    Ok(Some((*kind, length, start + digits)))
}
