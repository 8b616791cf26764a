//! A program that watches an MJPEG stream.

use std::net::SocketAddr;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};

use super::{http::connect, in_time};

/// The text between pictures.
const BOUNDARY: &str = "--boundarydonotcross";

/// What the stream comes over.
type Stream = Box<dyn AsyncRead + Unpin + Send>;

/// An open stream, whose head has come. Dropping it is how its program is killed.
pub(crate) struct Mjpeg {
    pub(crate) status: String,
    /// The lines of the head, in small letters.
    pub(crate) head: Vec<String>,
    input: BufReader<Stream>,
}

/// A picture of a stream.
#[derive(Debug)]
pub(crate) struct Part {
    /// The time of exposure in microseconds, which is the picture's id.
    pub(crate) id: u64,
    /// Whether it is live, or recorded.
    pub(crate) live: bool,
    pub(crate) jpeg: Vec<u8>,
}

impl Mjpeg {
    /// Asks for a stream, and waits until its first boundary has come.
    pub(crate) async fn open(address: SocketAddr, path: &str) -> Self {
        let stream = Self::knock(address, path, None).await;
        assert_eq!(stream.status, "HTTP/1.0 200 OK");
        stream
    }

    /// Asks for a stream through a small buffer, and waits for the head of the answer.
    pub(crate) async fn knock(address: SocketAddr, path: &str, buffer: Option<u32>) -> Self {
        Self::knock_over(connect(address, buffer).await, address, path).await
    }

    /// Asks for a stream over a connection, and waits for the head of the answer.
    pub(crate) async fn knock_over(
        mut stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        address: SocketAddr,
        path: &str,
    ) -> Self {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        // No byte more than is asked for: a slow reader is one.
        let mut input = BufReader::with_capacity(512, Box::new(stream) as Stream);
        let status = line(&mut input).await;
        let mut head = Vec::new();
        loop {
            match line(&mut input).await.to_ascii_lowercase() {
                empty if empty.is_empty() => break,
                field => head.push(field),
            }
        }
        let mut stream = Self { status, head, input };
        if stream.status.ends_with("200 OK") {
            assert_eq!(stream.line().await, BOUNDARY);
        }
        stream
    }

    /// The next picture, and the boundary that ends it; nothing where the stream has come to its end.
    pub(crate) async fn next(&mut self) -> Option<Part> {
        let first = self.line().await;
        if first == format!("{BOUNDARY}--") {
            let left = in_time("the end", self.input.read_to_end(&mut Vec::new())).await.unwrap();
            assert_eq!(left, 0, "nothing comes after the end");
            return None;
        }
        assert_eq!(first, "Content-Type: image/jpeg");
        let length = self.field("Content-Length: ").await.parse().unwrap();
        let id = self.field("X-Timestamp: ").await.replace('.', "").parse().unwrap();
        let live = self.field("X-Eyelid-Live: ").await == "1";
        assert_eq!(self.line().await, "");
        let mut jpeg = vec![0; length];
        in_time("a picture", self.input.read_exact(&mut jpeg)).await.unwrap();
        eyelid::jpeg::inspect(&jpeg).unwrap();
        assert_eq!(self.line().await, "");
        assert_eq!(self.line().await, BOUNDARY);
        Some(Part { id, live, jpeg })
    }

    /// The next picture of a stream that goes on.
    pub(crate) async fn picture(&mut self) -> Part {
        self.next().await.expect("the stream goes on")
    }

    async fn field(&mut self, name: &str) -> String {
        let line = self.line().await;
        line.strip_prefix(name).unwrap_or_else(|| panic!("{line:?} is not {name:?}")).to_owned()
    }

    async fn line(&mut self) -> String {
        line(&mut self.input).await
    }
}

async fn line(input: &mut BufReader<Stream>) -> String {
    let mut text = String::new();
    in_time("a line of a stream", input.read_line(&mut text)).await.unwrap();
    let text = text.strip_suffix("\r\n").unwrap_or_else(|| panic!("the stream broke off after {text:?}"));
    text.to_owned()
}
