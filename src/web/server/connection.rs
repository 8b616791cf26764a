//! One connection, from its first byte to its last: HTTP/1.1, and what it was upgraded to.

use super::Limits;
use super::body::{ReplyBody, RequestBody};
use super::io::{Io, Transport};
use super::line::Line;
use super::progress::Progress;
use http::{Request, Response, StatusCode};
use http_body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use pin_project_lite::pin_project;
use std::error::Error;
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use tower::Service;

/// The address that a request came from, as an extension of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClientAddr(pub(crate) SocketAddr);

/// How HTTP is spoken; the same for all connections.
pub(super) fn protocol() -> http1::Builder {
    let mut http = http1::Builder::new();
    http
        // hyper would make a timer for each request; `Progress` keeps one for the connection.
        .header_read_timeout(None)
        .max_header_size(16 * 1024)
        // Also the most of a body that is read ahead.
        .max_buf_size(64 * 1024);
    http
}

/// Serves a connection until its stream is gone, whoever holds it then.
pub(super) async fn run<T, S, B>(
    http: http1::Builder,
    stream: T,
    client: SocketAddr,
    service: S,
    progress: Arc<Progress>,
    limits: Arc<Limits>,
) where
    T: Transport,
    S: Service<Request<RequestBody>, Response = Response<B>> + Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let io = TokioIo::new(Io::new(stream, progress.clone()));
    let service = Noting { inner: Mutex::new(service), client, progress: progress.clone() };
    // In a box, so that its memory is gone when only a WebSocket is left of it.
    let mut http = Some(Box::pin(http.serve_connection(io, service).with_upgrades()));
    let mut stopping = false;
    let first_look = progress.check(&limits).unwrap_or_else(|_| tokio::time::Instant::now());
    let mut timer = pin!(tokio::time::sleep_until(first_look));

    poll_fn(|cx| {
        progress.attach(cx.waker());
        if let Some(connection) = &mut http {
            let mut ended = connection.as_mut().poll(cx);
            if ended.is_pending() && !stopping && progress.is_stopping() {
                stopping = true;
                connection.as_mut().graceful_shutdown();
                ended = connection.as_mut().poll(cx);
            }
            // hyper does not always ask a body again after the flush that the body waits for.
            while ended.is_pending() && progress.flush_was_missed() {
                ended = connection.as_mut().poll(cx);
            }
            if let Poll::Ready(result) = ended {
                if let Err(error) = result {
                    tracing::debug!(%client, %error, "connection ended");
                }
                http = None;
            }
        }
        loop {
            if http.is_none() && progress.is_closed() {
                return Poll::Ready(());
            }
            ready!(timer.as_mut().poll(cx));
            match progress.check(&limits) {
                Ok(next) => timer.as_mut().reset(next),
                Err(late) => {
                    tracing::debug!(%client, ?late, "connection ended: it took too long");
                    progress.kill(late);
                    http = None;
                }
            }
        }
    })
    .await;
}

/// Tells the connection's [`Progress`] where a request begins and its answer ends.
struct Noting<S> {
    // hyper calls a service through a shared reference, tower's wants a unique one.
    inner: Mutex<S>,
    client: SocketAddr,
    progress: Arc<Progress>,
}

impl<S, B> hyper::service::Service<Request<Incoming>> for Noting<S>
where
    S: Service<Request<RequestBody>, Response = Response<B>>,
{
    type Response = Response<ReplyBody<B>>;
    type Error = S::Error;
    type Future = NotingFuture<S::Future>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        self.progress.request();
        let mut request = request.map(|body| RequestBody::new(body, &self.progress));
        request.extensions_mut().insert(ClientAddr(self.client));
        request.extensions_mut().insert(Line::new(self.progress.clone()));
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner).call(request);
        NotingFuture { inner, progress: Some(self.progress.clone()) }
    }
}

pin_project! {
    struct NotingFuture<F> {
        #[pin]
        inner: F,
        progress: Option<Arc<Progress>>,
    }
}

impl<F, B, E> Future for NotingFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<ReplyBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = ready!(this.inner.poll(cx))?;
        let progress = this.progress.take().expect("a future is not polled after its end");
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            progress.upgrade();
        } else {
            progress.reply();
        }
        Poll::Ready(Ok(response.map(|body| ReplyBody::new(body, progress))))
    }
}
