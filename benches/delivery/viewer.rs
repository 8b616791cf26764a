//! One viewer, as the page does it: at most one picture is being loaded, and of those announced in the meantime
//! the newest one is next.

use std::{io::Write, net::TcpStream};

use anyhow::{Context, bail, ensure};

use crate::{
    connection::{self, BROWSER, Message, Messages, understand},
    picture::{Check, Pictures},
};

/// A picture that came.
pub(crate) enum Picture {
    /// Taken so many µs after 1970.
    Whole(u64),
    Torn,
}

pub(crate) struct Viewer {
    /// Announcements; none where the folder is watched.
    pub(crate) announcements: Option<(TcpStream, Messages)>,
    pub(crate) pictures: TcpStream,
    loading: Option<Answer>,
    waiting: Option<u64>,
    host: String,
}

/// What has come of an answer.
#[derive(Default)]
struct Answer {
    head: Vec<u8>,
    /// Bytes of the body that are missing; none while the head is.
    missing: Option<usize>,
    check: Check,
}

impl Viewer {
    pub(crate) fn new(
        announcements: Option<(TcpStream, Messages)>,
        pictures: TcpStream,
    ) -> anyhow::Result<Self> {
        let host = pictures.peer_addr()?.to_string();
        Ok(Self { announcements, pictures, loading: None, waiting: None, host })
    }

    /// Takes what the server has sent over the WebSocket.
    pub(crate) fn announced(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        let (stream, messages) = self.announcements.as_mut().context("no WebSocket")?;
        messages.push(bytes);
        let mut newest = None;
        while let Some(text) = messages.next()? {
            match understand(text) {
                Message::Ping => connection::send(stream, connection::PONG)?,
                Message::Picture(id) => newest = Some(id),
                Message::Other => {}
            }
        }
        newest.map_or(Ok(()), |id| self.show(id))
    }

    /// Gets the picture, now or after the one that is being loaded.
    pub(crate) fn show(&mut self, id: u64) -> anyhow::Result<()> {
        if self.loading.is_some() {
            self.waiting = Some(id);
            return Ok(());
        }
        let request = format!(
            "GET /image_stream.jpg?_t={id} HTTP/1.1\r\nHost: {host}\r\nConnection: keep-alive\r\n{BROWSER}\
             sec-ch-ua-platform: \"Linux\"\r\n\
             sec-ch-ua: \"Chromium\";v=\"140\", \"Not=A?Brand\";v=\"24\"\r\nsec-ch-ua-mobile: ?0\r\n\
             Accept: image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8\r\n\
             Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: image\r\n\
             Referer: http://{host}/\r\n\r\n",
            host = self.host
        );
        self.loading = Some(Answer::default());
        self.pictures.write_all(request.as_bytes()).context("asking for a picture")
    }

    /// Takes what came of a picture; gives the picture when that was all of it.
    pub(crate) fn loaded(&mut self, mut bytes: &[u8], made: &Pictures) -> anyhow::Result<Option<Picture>> {
        let answer = self.loading.as_mut().context("bytes that nobody has asked for")?;
        if answer.missing.is_none() {
            let before = answer.head.len();
            answer.head.extend_from_slice(&bytes[..bytes.len().min(8192)]);
            let Some(end) = answer.head.windows(4).position(|four| four == b"\r\n\r\n") else {
                ensure!(answer.head.len() < 8192, "an answer without an end of its head");
                return Ok(None);
            };
            answer.missing = Some(content_length(&answer.head[..end])?);
            bytes = &bytes[end + 4 - before..];
        }
        let missing = answer.missing.as_mut().context("the head has come")?;
        *missing = missing.checked_sub(bytes.len()).context("more bytes than the answer's head told")?;
        answer.check.push(bytes, made);
        if *missing > 0 {
            return Ok(None);
        }
        let picture = answer.check.finish(made).map_or(Picture::Torn, Picture::Whole);
        self.loading = None;
        if let Some(id) = self.waiting.take() {
            self.show(id)?;
        }
        Ok(Some(picture))
    }
}

fn content_length(head: &[u8]) -> anyhow::Result<usize> {
    let head = std::str::from_utf8(head)?;
    if !head.starts_with("HTTP/1.1 200 ") {
        bail!("the server answers {}", head.lines().next().unwrap_or_default());
    }
    let length = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    Ok(length.context("an answer without content-length")?.1.parse()?)
}
