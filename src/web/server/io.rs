//! The stream below HTTP and WebSocket: it notes what moves, and fails at once when its time is over.

use super::progress::{Late, Progress};
use bytes::Bytes;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What the server speaks over.
pub(super) trait Transport: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    /// Whether nobody can read what is spoken; known once something came.
    fn is_encrypted(&self) -> bool {
        false
    }

    /// How many bytes the kernel has taken, where that is not what writes tell.
    fn taken(&self) -> Option<u64> {
        None
    }

    /// Sends what fits into the kernel's buffer, as well as that goes.
    fn last_words(&mut self, words: &[u8]);

    /// Says that no more comes, where the end of the stream alone could be anybody's doing.
    fn farewell(&mut self) {}

    /// Makes the kernel refuse bytes while more than a little waits in it to be sent.
    fn queue_little(&self);

    /// Makes the end of the stream throw away what the peer has not taken. Otherwise the kernel would
    /// hold those bytes, and try to deliver them, for minutes.
    fn forget_unsent(&self);
}

/// How much is read at most of what nobody wants.
const MOST_WASTE: usize = 8 << 20;

pub(super) struct Io<T: Transport> {
    inner: T,
    progress: Arc<Progress>,
    /// Bytes that came already and are to be read next.
    early: Bytes,
    is_shut: bool,
    waste: usize,
    /// What of [`Transport::taken`] is noted.
    noted: u64,
}

impl<T: Transport> Io<T> {
    pub(super) fn new(inner: T, progress: Arc<Progress>) -> Self {
        Self { inner, progress, early: Bytes::new(), is_shut: false, waste: 0, noted: 0 }
    }

    /// Whether nobody can read what is spoken.
    pub(super) fn is_encrypted(&self) -> bool {
        self.inner.is_encrypted()
    }

    /// Gives back bytes that were read from here.
    pub(super) fn unread(&mut self, bytes: Bytes) {
        debug_assert!(self.early.is_empty(), "they would come out of order");
        self.early = bytes;
    }

    /// Waits until there is something to read, and keeps no memory for it meanwhile. False at the end.
    pub(super) fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        if !self.early.is_empty() {
            return Poll::Ready(true);
        }
        // A browser's request for a picture is of half this size.
        let mut buffer = [MaybeUninit::uninit(); 2048];
        let mut buffer = ReadBuf::uninit(&mut buffer);
        let result = ready!(Pin::new(&mut *self).poll_read(cx, &mut buffer));
        self.early = Bytes::copy_from_slice(buffer.filled());
        Poll::Ready(result.is_ok() && !self.early.is_empty())
    }

    /// Reads what the peer still sends, until it has read the answer and closes. The end of a socket with unread
    /// bytes resets the connection, and the peer's kernel throws the answer away.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut waste = [0; 16 << 10];
        while self.waste < MOST_WASTE {
            let mut buf = ReadBuf::new(&mut waste);
            let read = ready!(Pin::new(&mut self.inner).poll_read(cx, &mut buf));
            let bytes = buf.filled().len();
            if read.is_err() || bytes == 0 {
                break;
            }
            self.waste += bytes;
        }
        Poll::Ready(Ok(()))
    }

    fn alive(&self) -> io::Result<()> {
        match self.progress.killed() {
            None => Ok(()),
            Some(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    fn writable(&self) -> io::Result<()> {
        if self.progress.take_shorten() {
            self.inner.queue_little();
        }
        self.alive()
    }

    /// Notes what the kernel took: so many bytes of a write, or what a transport tells that keeps some back.
    fn note(&mut self, written: usize) {
        let bytes = match self.inner.taken() {
            None => written as u64,
            Some(taken) => taken - std::mem::replace(&mut self.noted, taken),
        };
        if bytes > 0 {
            self.progress.wrote(bytes);
        }
    }

    fn blocked(&self, cx: &Context<'_>) -> io::Result<()> {
        self.progress.write_blocked();
        self.progress.park_writer(cx);
        self.alive()
    }

    fn wrote(&mut self, cx: &Context<'_>, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match &result {
            Poll::Ready(Ok(bytes)) => self.note(*bytes),
            Poll::Ready(Err(_)) => {}
            Poll::Pending => {
                self.note(0);
                self.blocked(cx)?;
            }
        }
        result
    }
}

impl<T: Transport> AsyncRead for Io<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.alive()?;
        if !self.early.is_empty() {
            let length = self.early.len().min(buf.remaining());
            buf.put_slice(&self.early.split_to(length));
            self.progress.read();
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        let result = Pin::new(&mut self.inner).poll_read(cx, buf);
        if result.is_pending() {
            self.progress.park_reader(cx);
            self.alive()?;
        } else if buf.filled().len() > before {
            self.progress.read();
        }
        result
    }
}

impl<T: Transport> AsyncWrite for Io<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.writable()?;
        let result = Pin::new(&mut self.inner).poll_write(cx, buf);
        self.wrote(cx, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.writable()?;
        let result = Pin::new(&mut self.inner).poll_write_vectored(cx, bufs);
        self.wrote(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    /// hyper and tungstenite flush only when they have written all that they hold.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.alive()?;
        let result = Pin::new(&mut self.inner).poll_flush(cx);
        self.note(0);
        match &result {
            Poll::Ready(Ok(())) => self.progress.flushed(),
            Poll::Ready(Err(_)) => {}
            Poll::Pending => self.blocked(cx)?,
        }
        result
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.alive()?;
        if !self.is_shut {
            let result = Pin::new(&mut self.inner).poll_shutdown(cx);
            self.note(0);
            if result.is_pending() {
                self.blocked(cx)?;
            }
            ready!(result)?;
            self.is_shut = true;
        }
        if self.progress.lingers() { self.poll_linger(cx) } else { Poll::Ready(Ok(())) }
    }
}

const TOO_SLOW: &[u8] = b"HTTP/1.1 408 Request Timeout\r\n\
    content-type: application/json\r\n\
    content-length: 49\r\n\
    connection: close\r\n\r\n\
    {\"error\":\"the request took too long\",\"hint\":null}";

impl<T: Transport> Drop for Io<T> {
    fn drop(&mut self) {
        match self.progress.killed() {
            Some(Late::Head | Late::Body) if self.progress.can_answer() => self.inner.last_words(TOO_SLOW),
            Some(Late::Write | Late::Shutdown) => self.inner.forget_unsent(),
            _ => self.inner.farewell(),
        }
        self.progress.close();
    }
}
