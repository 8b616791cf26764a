//! Requests that begin a Socket.IO session, cut down to what is needed of them.
//!
//! The engine keeps the request for as long as the session. What was read of a connection is one piece of
//! memory, 8 KiB, that stays while any part of it is held; and a browser says a lot that nobody asks for.

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, header};
use std::task::{Context, Poll};
use tower::{Layer, Service};

/// What the engine needs, and what tells whose page it is.
const KEPT: [HeaderName; 6] = [
    header::HOST,
    header::ORIGIN,
    header::CONNECTION,
    header::UPGRADE,
    header::SEC_WEBSOCKET_KEY,
    header::SEC_WEBSOCKET_VERSION,
];

/// The layer that puts a [`Brief`] in front of a service.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sessions;

impl<S> Layer<S> for Sessions {
    type Service = Brief<S>;

    fn layer(&self, inner: S) -> Brief<S> {
        Brief { inner }
    }
}

/// A service that gets requests of Socket.IO cut down, and others as they are.
#[derive(Debug, Clone)]
pub(crate) struct Brief<S> {
    inner: S,
}

impl<S, A> Service<Request<A>> for Brief<S>
where
    S: Service<Request<A>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<A>) -> Self::Future {
        if request.uri().path().starts_with("/socket.io") && *request.method() == Method::GET {
            cut_down(&mut request);
        }
        self.inner.call(request)
    }
}

/// Copies what is kept, so that nothing holds on to what the request was read into.
fn cut_down<A>(request: &mut Request<A>) {
    let mut kept = HeaderMap::with_capacity(KEPT.len());
    for name in KEPT {
        for value in request.headers().get_all(&name) {
            let copy = HeaderValue::from_bytes(value.as_bytes()).expect("it is a header's value already");
            kept.append(&name, copy);
        }
    }
    *request.headers_mut() = kept;
    if let Ok(copy) = Uri::try_from(request.uri().to_string()) {
        *request.uri_mut() = copy;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use std::convert::Infallible;
    use std::future::{Ready, ready};

    /// Gives back the request.
    #[derive(Clone)]
    struct Echo;

    impl Service<Request<()>> for Echo {
        type Response = Request<()>;
        type Error = Infallible;
        type Future = Ready<Result<Request<()>, Infallible>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, request: Request<()>) -> Self::Future {
            ready(Ok(request))
        }
    }

    /// A request as hyper makes it, each part of it a part of `memory`.
    fn request(method: Method, path: &'static str, memory: &Bytes) -> Request<()> {
        let part = |text: &'static str| {
            let at = memory.windows(text.len()).position(|part| part == text.as_bytes()).unwrap();
            memory.slice(at..at + text.len())
        };
        let mut request = Request::new(());
        *request.method_mut() = method;
        *request.uri_mut() = Uri::from_maybe_shared(part(path)).unwrap();
        for (name, value) in [
            ("host", "tank.local"),
            ("origin", "http://tank.local"),
            ("sec-websocket-key", "AAAA"),
            ("cookie", "a=b"),
            ("x-own", "own"),
        ] {
            let name = HeaderName::from_bytes(&part(name)).unwrap();
            request.headers_mut().insert(name, HeaderValue::from_maybe_shared(part(value)).unwrap());
        }
        request
    }

    const MEMORY: &[u8] =
        b"/socket.io/?EIO=4&transport=websocket /snapshot.jpg http://tank.local/socket.io/ \
        host origin sec-websocket-key AAAA cookie a=b x-own own";

    #[tokio::test]
    async fn a_sessions_request_keeps_what_is_needed_and_nothing_of_the_memory_it_was_read_into() {
        let mut service = Sessions.layer(Echo);
        for path in ["/socket.io/?EIO=4&transport=websocket", "http://tank.local/socket.io/"] {
            let memory = Bytes::copy_from_slice(MEMORY);
            let kept = service.call(request(Method::GET, path, &memory)).await.unwrap();
            assert_eq!(kept.uri(), path);
            let header = |name: &str| kept.headers().get(name).map(|value| value.to_str().unwrap());
            assert_eq!(header("host"), Some("tank.local"));
            assert_eq!(header("origin"), Some("http://tank.local"));
            assert_eq!(header("sec-websocket-key"), Some("AAAA"));
            assert_eq!((header("cookie"), header("x-own")), (None, None));
            assert!(memory.is_unique(), "something still holds the memory");
        }
    }

    #[tokio::test]
    async fn other_requests_stay_as_they_are() {
        let mut service = Sessions.layer(Echo);
        let memory = Bytes::copy_from_slice(MEMORY);
        for (method, path) in
            [(Method::GET, "/snapshot.jpg"), (Method::POST, "/socket.io/?EIO=4&transport=websocket")]
        {
            let kept = service.call(request(method, path, &memory)).await.unwrap();
            assert_eq!(kept.headers().len(), 5);
        }
    }

    #[tokio::test]
    async fn who_says_two_origins_has_said_two() {
        let mut asked = request(Method::GET, "http://tank.local/socket.io/", &Bytes::copy_from_slice(MEMORY));
        asked.headers_mut().append("origin", HeaderValue::from_static("http://evil.example"));
        let kept = Sessions.layer(Echo).call(asked).await.unwrap();
        assert_eq!(kept.headers().get_all("origin").iter().count(), 2);
    }
}
