//! A service to test with, and the tests: deadlines on virtual time, the rest on real sockets.

mod deadlines;
mod secure;
mod sockets;
mod whole;

use super::*;
use crate::web::forwarded::Client;
use bytes::Bytes;
use http::StatusCode;
use http_body::Frame;
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

type Reply = Response<BoxBody<Bytes, Infallible>>;

/// `/`: a greeting; `/bytes/N`: that many; `/length`: that of the request's body; `/address`: the
/// peer's; `/client`: the client's; `/endless`: a body without end; `/newest`: the number of [`Routes::newest`], ten bytes for each
/// time that the line is clear; `/never`: no answer; `/slow`: one after five minutes;
/// `/upgrade`: a protocol that sends without end.
#[derive(Clone)]
struct Routes {
    /// Gets the path of each request when its handler begins, and "end" when an upgraded stream fails.
    calls: mpsc::UnboundedSender<String>,
    newest: Arc<AtomicUsize>,
}

fn routes() -> (Routes, mpsc::UnboundedReceiver<String>) {
    let (calls, called) = mpsc::unbounded_channel();
    (Routes { calls, newest: Arc::default() }, called)
}

fn full(bytes: impl Into<Bytes>) -> Reply {
    Response::new(Full::new(bytes.into()).boxed())
}

impl Service<Request<RequestBody>> for Routes {
    type Response = Reply;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Reply, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<RequestBody>) -> Self::Future {
        let (calls, newest) = (self.calls.clone(), self.newest.clone());
        let path = request.uri().path().to_owned();
        calls.send(path.clone()).ok();
        Box::pin(async move {
            Ok(match path.as_str() {
                "/" => full("hello"),
                "/length" => match request.into_body().collect().await {
                    Ok(body) => full(body.to_bytes().len().to_string()),
                    Err(_) => full("broken"),
                },
                "/address" => full(request.extensions().get::<Peer>().unwrap().to_string()),
                "/client" => full(format!("{:?}", request.extensions().get::<Client>().unwrap())),
                "/endless" => Response::new(Endless.boxed()),
                "/newest" => {
                    let line = request.extensions().get::<Line>().unwrap().clone();
                    let numbers = futures_util::stream::unfold(line, move |line| {
                        let newest = newest.clone();
                        async move {
                            line.clear().await;
                            line.filled();
                            let number = format!("{:09} ", newest.load(Ordering::Relaxed));
                            Some((Ok(Frame::data(Bytes::from(number))), line))
                        }
                    });
                    Response::new(BoxBody::new(http_body_util::StreamBody::new(Box::pin(numbers))))
                }
                "/never" => std::future::pending().await,
                "/slow" => {
                    let body = request.body_mut();
                    while !body.is_end_stream() && body.frame().await.is_some() {}
                    tokio::time::sleep(Duration::from_secs(300)).await;
                    full("at last")
                }
                "/upgrade" => {
                    let upgrade = hyper::upgrade::on(&mut request);
                    tokio::spawn(async move {
                        let stream = upgrade.await.unwrap();
                        let (mut reader, mut writer) = tokio::io::split(TokioIo::new(stream));
                        // A task each, as the engine has: both have to be woken.
                        let read = tokio::spawn(async move {
                            while matches!(reader.read(&mut [0; 100]).await, Ok(1..)) {}
                        });
                        while writer.write_all(&[7; 100]).await.is_ok() {}
                        read.await.unwrap();
                        calls.send("end".into()).ok();
                    });
                    let mut reply = full("");
                    *reply.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
                    reply.headers_mut().insert("upgrade", http::HeaderValue::from_static("test"));
                    reply
                }
                path => match path.strip_prefix("/bytes/").map(str::parse) {
                    Some(Ok(length)) => full(vec![b'x'; length]),
                    _ => panic!("no such route in this test: {path}"),
                },
            })
        })
    }
}

struct Endless;

impl Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b'.'; 1000])))))
    }
}

/// What a peer gets until the end, however the end comes.
async fn rest(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> String {
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await.ok();
    String::from_utf8_lossy(&all).into_owned()
}

/// Reads until the text has come.
async fn read_until(stream: &mut (impl tokio::io::AsyncRead + Unpin), end: &str) -> String {
    let mut text = String::new();
    while !text.ends_with(end) {
        text.push(stream.read_u8().await.unwrap_or_else(|_| panic!("ended after {text:?}")).into());
    }
    text
}

/// Sends a request for a path.
async fn ask(stream: &mut (impl tokio::io::AsyncWrite + Unpin), path: &str) {
    let head = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
}
