//! The streams that connections come over.

use super::Limits;
use super::io::Transport;
use super::secure::Secure;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

/// A stream of one of the kinds that there are.
pub(super) enum Wire {
    Tcp(TcpStream),
    Local(UnixStream),
    /// On a port that speaks TLS.
    Secure(Box<Secure>),
}

impl Wire {
    /// The socket of a connection that comes over a network.
    fn socket(&self) -> Option<&TcpStream> {
        match self {
            Self::Tcp(stream) => Some(stream),
            Self::Local(_) => None,
            Self::Secure(stream) => stream.socket(),
        }
    }

    /// Options of a connection that make it fast, and that end it when its peer is gone.
    pub(super) fn tune(&self, limits: &Limits) {
        let Some(stream) = self.socket() else { return };
        // Failure leaves a working connection.
        stream.set_nodelay(true).ok();
        // Bytes that are not acknowledged for so long, a window that stays closed included, end the
        // connection: a cable that was cut, a browser that was frozen.
        socket2::SockRef::from(stream).set_tcp_user_timeout(Some(limits.write_progress)).ok();
    }
}

/// Does the same with whichever stream it is.
macro_rules! each {
    ($wire:expr, $stream:ident => $what:expr) => {
        match $wire {
            Wire::Tcp($stream) => $what,
            Wire::Local($stream) => $what,
            Wire::Secure($stream) => $what,
        }
    };
}

impl Transport for Wire {
    fn is_encrypted(&self) -> bool {
        matches!(self, Self::Secure(stream) if stream.is_encrypted())
    }

    fn taken(&self) -> Option<u64> {
        match self {
            Self::Secure(stream) => stream.taken(),
            Self::Tcp(_) | Self::Local(_) => None,
        }
    }

    fn last_words(&mut self, words: &[u8]) {
        match self {
            Self::Tcp(stream) => drop(stream.try_write(words)),
            Self::Local(stream) => drop(stream.try_write(words)),
            Self::Secure(stream) => stream.last_words(words),
        }
    }

    fn farewell(&mut self) {
        if let Self::Secure(stream) = self {
            stream.farewell();
        }
    }

    fn queue_little(&self) {
        // The kernel would let its queue grow to megabytes, which are minutes for a slow reader. It still
        // takes one segment of up to 64 KiB when there is less than this, so large pictures need few calls.
        if let Some(stream) = self.socket() {
            socket2::SockRef::from(stream).set_tcp_notsent_lowat(4096).ok();
        }
    }

    fn forget_unsent(&self) {
        if let Some(stream) = self.socket() {
            stream.set_zero_linger().ok();
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        each!(self.get_mut(), stream => Pin::new(stream).poll_read(cx, buf))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        each!(self.get_mut(), stream => Pin::new(stream).poll_write(cx, buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        each!(self.get_mut(), stream => Pin::new(stream).poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        each!(self, stream => stream.is_write_vectored())
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self.get_mut(), stream => Pin::new(stream).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self.get_mut(), stream => Pin::new(stream).poll_shutdown(cx))
    }
}
