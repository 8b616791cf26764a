//! One connection, from its first byte to its last: HTTP/1.1, and what it was upgraded to.

use super::Limits;
use super::body::{ReplyBody, RequestBody};
use super::io::{Io, Transport};
use super::line::Line;
use super::peer::Peer;
use super::progress::Progress;
use crate::web::forwarded;
use http::{Request, Response, StatusCode};
use http_body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use pin_project_lite::pin_project;
use std::error::Error;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use tower::Service;

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
    peer: Peer,
    service: S,
    progress: Arc<Progress>,
    limits: Arc<Limits>,
) where
    T: Transport,
    S: Service<Request<RequestBody>, Response = Response<B>> + Unpin + Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let io = Io::new(stream, progress.clone());
    let service =
        Noting { inner: Mutex::new(service), peer, progress: progress.clone(), limits: limits.clone() };
    let mut state = State::Resting { io, service };
    let mut stopping = false;
    let first_look = progress.check(&limits).unwrap_or_else(|_| tokio::time::Instant::now());
    let mut timer = pin!(tokio::time::sleep_until(first_look));

    poll_fn(|cx| {
        progress.attach(cx.waker());
        // In a few rounds at most: who has just begun to rest has nothing to read, or not much.
        loop {
            state = match std::mem::replace(&mut state, State::Gone) {
                State::Resting { mut io, mut service } => match io.poll_readable(cx) {
                    Poll::Pending if !progress.is_stopping() => {
                        state = State::Resting { io, service };
                        break;
                    }
                    Poll::Ready(true) => {
                        service.peer.tls = io.is_encrypted();
                        let connection = http.serve_connection(TokioIo::new(io), service);
                        State::Speaking(Box::new(connection.with_upgrades()))
                    }
                    Poll::Pending | Poll::Ready(false) => State::Gone,
                },
                State::Speaking(mut connection) => {
                    let mut ended = Pin::new(&mut *connection).poll(cx);
                    if ended.is_pending() && !stopping && progress.is_stopping() {
                        stopping = true;
                        Pin::new(&mut *connection).graceful_shutdown();
                        ended = Pin::new(&mut *connection).poll(cx);
                    }
                    // hyper does not always ask a body again after the flush that the body waits for.
                    while ended.is_pending() && progress.flush_was_missed() {
                        ended = Pin::new(&mut *connection).poll(cx);
                    }
                    match ended {
                        Poll::Pending if progress.take_settled() => match connection.into_parts() {
                            Some(parts) => {
                                let mut io = parts.io.into_inner();
                                // What came already of the next request.
                                io.unread(parts.read_buf);
                                State::Resting { io, service: parts.service }
                            }
                            None => State::Gone,
                        },
                        Poll::Pending => {
                            state = State::Speaking(connection);
                            break;
                        }
                        Poll::Ready(result) => {
                            if let Err(error) = result {
                                tracing::debug!(%peer, %error, "connection ended");
                            }
                            State::Gone
                        }
                    }
                }
                State::Gone => break,
            };
        }
        loop {
            if matches!(state, State::Gone) && progress.is_closed() {
                return Poll::Ready(());
            }
            ready!(timer.as_mut().poll(cx));
            match progress.check(&limits) {
                Ok(next) => timer.as_mut().reset(next),
                Err(late) => {
                    tracing::debug!(%peer, ?late, "connection ended: it took too long");
                    progress.kill(late);
                    state = State::Gone;
                }
            }
        }
    })
    .await;
}

/// What a connection is to its own task. `C` is hyper's part of it.
enum State<C, T: Transport, S> {
    /// Between requests, and before the first. hyper's buffers, 16 KiB, are not there: most connections are here
    /// most of the time, and those of a thousand viewers leave it nearly one after the other.
    Resting { io: Io<T>, service: Noting<S> },
    /// From a request's first byte to its answer's last.
    Speaking(Box<C>),
    /// Ended, or only a WebSocket is left of it.
    Gone,
}

/// Tells the connection's [`Progress`] where a request begins and its answer ends.
struct Noting<S> {
    // hyper calls a service through a shared reference, tower's wants a unique one.
    inner: Mutex<S>,
    peer: Peer,
    progress: Arc<Progress>,
    limits: Arc<Limits>,
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
        let client = forwarded::client(self.peer, request.headers(), &self.limits.proxies.borrow());
        request.extensions_mut().insert(self.peer);
        request.extensions_mut().insert(client);
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
