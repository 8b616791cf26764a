//! Bodies that note their progress. They move the bytes as they are.

use super::progress::Progress;
use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use pin_project_lite::pin_project;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// The body of a request, whose sender has to go on sending while a handler waits for it.
pub(crate) struct RequestBody {
    inner: Incoming,
    /// Absent where there is no body.
    progress: Option<Arc<Progress>>,
}

impl RequestBody {
    pub(super) fn new(inner: Incoming, progress: &Arc<Progress>) -> Self {
        let progress = (!inner.is_end_stream()).then(|| progress.clone());
        Self { inner, progress }
    }

    fn done(&mut self) {
        if let Some(progress) = self.progress.take() {
            progress.body_done();
        }
    }
}

impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        if let Some(progress) = &self.progress {
            progress.body_left();
        }
        self.done();
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        let frame = Pin::new(&mut self.inner).poll_frame(cx);
        match (&frame, &self.progress) {
            (Poll::Pending, Some(progress)) => progress.body_awaited(),
            (Poll::Ready(Some(Ok(frame))), Some(progress)) => {
                progress.body_moved(frame.data_ref().map_or(0, Buf::remaining));
                // Who knows the length does not ask for the end.
                if self.inner.is_end_stream() {
                    self.done();
                }
            }
            (Poll::Ready(_), _) => self.done(),
            _ => {}
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// Notes the end of an answer: hyper drops a body when it has all of it.
struct Answering(Arc<Progress>);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.replied();
    }
}

pin_project! {
    /// The body of an answer.
    pub(super) struct ReplyBody<B> {
        #[pin]
        inner: B,
        answering: Answering,
    }
}

impl<B> ReplyBody<B> {
    pub(super) fn new(inner: B, progress: Arc<Progress>) -> Self {
        Self { inner, answering: Answering(progress) }
    }
}

impl<B: Body> Body for ReplyBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Poll::Ready(ready!(self.project().inner.poll_frame(cx)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
