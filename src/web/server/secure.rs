//! TLS on a connection: the handshake is part of waiting for the first request, and under its deadline.

use std::io::{self, IoSlice, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::server::TlsStream;
use tokio_rustls::{Accept, TlsAcceptor};

/// The first byte of every TLS connection: a record of the handshake.
const HANDSHAKE: u8 = 0x16;

/// A connection to a port that speaks TLS, on which somebody may speak plain HTTP nevertheless.
pub(super) enum Secure {
    /// Nothing was looked at yet.
    Fresh(TcpStream, Arc<ServerConfig>),
    /// No TLS: the client gets its answer as it has asked.
    Plain(TcpStream),
    Greeting(Accept<Counted>),
    Open(TlsStream<Counted>),
    Failed,
}

impl Secure {
    pub(super) fn is_encrypted(&self) -> bool {
        matches!(self, Self::Greeting(_) | Self::Open(_))
    }

    /// The socket, as long as there is one.
    pub(super) fn socket(&self) -> Option<&TcpStream> {
        match self {
            Self::Fresh(stream, _) | Self::Plain(stream) => Some(stream),
            Self::Greeting(accept) => accept.get_ref().map(|counted| &counted.stream),
            Self::Open(stream) => Some(&stream.get_ref().0.stream),
            Self::Failed => None,
        }
    }

    /// How many bytes the kernel has taken, where what was written is not that: TLS keeps some back.
    pub(super) fn taken(&self) -> Option<u64> {
        match self {
            Self::Greeting(accept) => accept.get_ref().map(|counted| counted.written),
            Self::Open(stream) => Some(stream.get_ref().0.written),
            _ => None,
        }
    }

    pub(super) fn last_words(&mut self, words: &[u8]) {
        match self {
            Self::Plain(stream) => drop(stream.try_write(words)),
            // What is still to be sent goes first, or the client could make nothing of it.
            Self::Open(stream) => {
                stream.get_mut().1.writer().write_all(words).ok();
                self.farewell();
            }
            // Without a handshake there is no way to say anything.
            _ => {}
        }
    }

    /// Says that no more comes, as far as there is room for that in the kernel's buffer.
    pub(super) fn farewell(&mut self) {
        if let Self::Open(stream) = self {
            let (counted, session) = stream.get_mut();
            session.send_close_notify();
            while session.wants_write() && session.write_tls(&mut Now(&counted.stream)).is_ok() {}
        }
    }

    /// Goes on with the handshake, until there is a stream to read from and write to.
    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<&mut dyn Stream>> {
        loop {
            match self {
                Self::Fresh(stream, _) => {
                    let mut first = [0];
                    let mut first = ReadBuf::new(&mut first);
                    ready!(stream.poll_peek(cx, &mut first))?;
                    let is_tls = first.filled() == [HANDSHAKE];
                    let Self::Fresh(stream, config) = std::mem::replace(self, Self::Failed) else {
                        unreachable!("it was fresh a moment ago");
                    };
                    *self = if is_tls {
                        Self::Greeting(TlsAcceptor::from(config).accept(Counted { stream, written: 0 }))
                    } else {
                        Self::Plain(stream)
                    };
                }
                Self::Greeting(accept) => {
                    let outcome = ready!(Pin::new(accept).poll(cx));
                    *self = Self::Failed;
                    let stream = outcome.inspect_err(|error| tracing::debug!(%error, "no TLS handshake"))?;
                    *self = Self::Open(stream);
                }
                Self::Plain(_) | Self::Open(_) => break,
                Self::Failed => return Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
            }
        }
        match self {
            Self::Plain(stream) => Poll::Ready(Ok(stream)),
            Self::Open(stream) => Poll::Ready(Ok(stream)),
            _ => unreachable!("the loop has ended with a stream"),
        }
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin {}

impl<T: AsyncRead + AsyncWrite + Unpin> Stream for T {}

impl AsyncRead for Secure {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let stream = ready!(self.get_mut().poll_open(cx))?;
        Pin::new(stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Secure {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let stream = ready!(self.get_mut().poll_open(cx))?;
        Pin::new(stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let stream = ready!(self.get_mut().poll_open(cx))?;
        Pin::new(stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let stream = ready!(self.get_mut().poll_open(cx))?;
        Pin::new(stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) | Self::Fresh(stream, _) => Pin::new(stream).poll_shutdown(cx),
            Self::Open(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Greeting(_) | Self::Failed => Poll::Ready(Ok(())),
        }
    }
}

/// Counts what the kernel takes.
pub(super) struct Counted {
    stream: TcpStream,
    written: u64,
}

impl Counted {
    fn count(&mut self, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = &result {
            self.written += *bytes as u64;
        }
        result
    }
}

impl AsyncRead for Counted {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.count(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.count(result)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Writes what fits into the kernel's buffer now.
struct Now<'a>(&'a TcpStream);

impl Write for Now<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
