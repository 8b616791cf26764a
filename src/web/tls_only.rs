//! Where the port speaks TLS, who asks without it is sent there, and gets nothing else.

use super::answer::Answer;
use super::error;
use super::forwarded::Client;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{Either, Full};
use std::task::{Context, Poll};
use tower::{Layer, Service};

/// The layer that puts a [`Redirecting`] in front of a service.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TlsOnly {
    /// Whether the port speaks TLS.
    pub(crate) on: bool,
}

impl<S> Layer<S> for TlsOnly {
    type Service = Redirecting<S>;

    fn layer(&self, inner: S) -> Redirecting<S> {
        Redirecting { inner, on: self.on }
    }
}

/// A service that answers only what came by TLS, over the local socket, or from a proxy that was asked by TLS.
#[derive(Debug, Clone)]
pub(crate) struct Redirecting<S> {
    inner: S,
    on: bool,
}

impl<S, A, B> Service<Request<A>> for Redirecting<S>
where
    S: Service<Request<A>, Response = Response<B>>,
{
    type Response = Response<Either<Full<Bytes>, B>>;
    type Error = S::Error;
    type Future = Answer<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        let is_plain = |client: &Client| client.address.is_some() && !client.tls;
        match request.extensions().get::<Client>() {
            Some(client) if self.on && is_plain(client) => Answer::here(send_away(&request)),
            _ => Answer::below(self.inner.call(request)),
        }
    }
}

/// The guard has looked at the host.
fn send_away<A>(request: &Request<A>) -> Response<Bytes> {
    let host = match request.uri().authority() {
        Some(authority) => Some(authority.as_str()),
        None => request.headers().get(header::HOST).and_then(|host| host.to_str().ok()),
    };
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let place = format!("https://{}{path}", host.unwrap_or_default());
    let mut response = error::json(
        StatusCode::BAD_REQUEST,
        "this port speaks HTTPS only",
        format!("ask for {place}").as_str(),
    );
    // A body that was sent in the clear once is not to be sent again unseen.
    if matches!(*request.method(), Method::GET | Method::HEAD)
        && let Ok(place) = HeaderValue::from_str(&place)
    {
        // Not for ever: TLS may be switched off again.
        *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
        response.headers_mut().insert(header::LOCATION, place);
    }
    response
}
