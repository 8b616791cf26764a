//! A layer's answer: its own, given at once, or that of the service below it.

use bytes::Bytes;
use http::Response;
use http_body_util::{Either, Full};
use pin_project_lite::pin_project;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// Resolves to an answer from here or from below.
    #[project = AnswerProjection]
    pub(crate) enum Answer<F> {
        Here { response: Option<Response<Bytes>> },
        Below { #[pin] future: F },
    }
}

impl<F> Answer<F> {
    pub(crate) fn here(response: Response<Bytes>) -> Self {
        Self::Here { response: Some(response) }
    }

    pub(crate) fn below(future: F) -> Self {
        Self::Below { future }
    }
}

impl<F, B, E> Future for Answer<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<Either<Full<Bytes>, B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(Ok(match self.project() {
            AnswerProjection::Here { response } => {
                let response = response.take().expect("a future is not polled after its end");
                response.map(|body| Either::Left(Full::new(body)))
            }
            AnswerProjection::Below { future } => ready!(future.poll(cx))?.map(Either::Right),
        }))
    }
}
