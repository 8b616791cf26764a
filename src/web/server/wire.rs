//! The streams that connections come over.

use super::Limits;
use super::io::Transport;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

/// A stream of one of the kinds that there are.
pub(super) enum Wire {
    Tcp(TcpStream),
    Local(UnixStream),
}

impl Wire {
    /// Options of a connection that make it fast, and that end it when its peer is gone.
    pub(super) fn tune(&self, limits: &Limits) {
        let Self::Tcp(stream) = self else { return };
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
        }
    };
}

impl Transport for Wire {
    fn last_words(&mut self, words: &[u8]) {
        each!(self, stream => drop(stream.try_write(words)));
    }

    fn queue_little(&self) {
        // The kernel would let its queue grow to megabytes, which are minutes for a slow reader. It still
        // takes one segment of up to 64 KiB when there is less than this, so large pictures need few calls.
        if let Self::Tcp(stream) = self {
            socket2::SockRef::from(stream).set_tcp_notsent_lowat(4096).ok();
        }
    }

    fn forget_unsent(&self) {
        if let Self::Tcp(stream) = self {
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
