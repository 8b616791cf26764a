//! Who is let in: the layer that finds out who asks, and sends away who may not.
//!
//! It stands in front of everything, Socket.IO included, so what it does not know of it does not let through either: each
//! path is a [`Route`](super::route::Route), and each route has a row in the [`table`].

mod requests;
mod table;
#[cfg(test)]
mod tests;
mod visitor;

pub(crate) use requests::Links;
pub(super) use requests::answer;
pub(super) use table::Needs;
pub(crate) use visitor::Visitor;

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use form_urlencoded::byte_serialize;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use http_body_util::{Either, Full};
use pin_project_lite::pin_project;
use tower::{Layer, Service};

use super::{answer::Answer, error, forwarded::Client, guard::SEC_FETCH_MODE, route};
use crate::{
    access::{Access, Mode, Who},
    camera::Cameras,
};

/// The layer that puts a [`Doorman`] in front of a service.
#[derive(Debug, Clone)]
pub(crate) struct Door {
    access: Access,
    cameras: Cameras,
}

impl Door {
    pub(crate) fn new(access: Access, cameras: Cameras) -> Self {
        Self { access, cameras }
    }
}

impl<S> Layer<S> for Door {
    type Service = Doorman<S>;

    fn layer(&self, inner: S) -> Doorman<S> {
        Doorman { inner, door: self.clone() }
    }
}

/// A service that gets only requests of those who may have what they ask for, with who they are.
#[derive(Debug, Clone)]
pub(crate) struct Doorman<S> {
    inner: S,
    door: Door,
}

impl<S, A, B> Service<Request<A>> for Doorman<S>
where
    S: Service<Request<A>, Response = Response<B>>,
{
    type Response = Response<Either<Full<Bytes>, B>>;
    type Error = S::Error;
    type Future = DoormanFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<A>) -> Self::Future {
        let Door { access, cameras } = &self.door;
        // A request without one is nobody's.
        let known = request.extensions().get::<Client>().copied();
        let client =
            known.unwrap_or(Client { address: Some(std::net::Ipv4Addr::UNSPECIFIED.into()), tls: false });
        let visitor = Visitor::new(access, cameras, client, request.headers());
        let (method, uri) = (request.method(), request.uri());
        let needs = table::needs(&route::route(uri.path(), uri.query()), method);
        // What a page of another site may ask is not for it alone, and tells nothing.
        if *method != Method::OPTIONS && !visitor.may(needs) {
            let refusal = refuse(&visitor, needs, method, uri, request.headers());
            return DoormanFuture { answer: Answer::here(refusal), private: false };
        }
        let private = matches!(needs, Needs::Look(_)) && visitor.mode() == Mode::Password;
        request.extensions_mut().insert(visitor);
        DoormanFuture { answer: Answer::below(self.inner.call(request)), private }
    }
}

pin_project! {
    /// Keeps what not everybody may see out of caches that are everybody's.
    pub(crate) struct DoormanFuture<F> {
        #[pin]
        answer: Answer<F>,
        private: bool,
    }
}

impl<F, B, E> Future for DoormanFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<Either<Full<Bytes>, B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = ready!(this.answer.poll(cx))?;
        if *this.private {
            make_private(response.headers_mut());
        }
        Poll::Ready(Ok(response))
    }
}

fn make_private(headers: &mut HeaderMap) {
    let Some(caching) = headers.get(header::CACHE_CONTROL).and_then(|value| value.to_str().ok()) else {
        return;
    };
    if caching == "no-store" || caching.starts_with("private") {
        return;
    }
    let caching = caching.strip_prefix("public, ").unwrap_or(caching);
    let private = HeaderValue::from_str(&format!("private, {caching}"));
    headers.insert(header::CACHE_CONTROL, private.expect("two header values are one"));
}

/// Sends somebody away: a person's browser to where they can sign in, everything else with the reason.
fn refuse(
    visitor: &Visitor,
    needs: Needs<'_>,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
) -> Response<Bytes> {
    let (who, mode) = (visitor.who(), visitor.mode());
    tracing::debug!(who = who.as_str(), mode = mode.as_str(), path = uri.path(), "sent away");
    if matches!(who, Who::Nobody | Who::Viewer(_)) && *method == Method::GET && is_navigation(headers) {
        let asked = uri.path_and_query().map_or("/", |asked| asked.as_str());
        let to = match mode {
            Mode::Setup => "/setup".to_owned(),
            _ => format!("/sign-in?to={}", byte_serialize(asked.as_bytes()).collect::<String>()),
        };
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::SEE_OTHER;
        let to = HeaderValue::from_str(&to).expect("it is of letters, digits and percent signs");
        response.headers_mut().insert(header::LOCATION, to);
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        return response;
    }
    match (who, mode, needs) {
        (_, _, Needs::Local) => error::json(
            StatusCode::FORBIDDEN,
            "this is told on the machine itself only",
            "on it: sudo eyelid setup",
        ),
        (Who::Nobody, Mode::Setup, _) => error::json(
            StatusCode::UNAUTHORIZED,
            "nobody has chosen yet who may look",
            "open the setup link that the log of Eyelid has; on the machine itself, sudo eyelid setup prints it",
        ),
        (Who::Nobody, ..) => {
            let hint = "sign in at /sign-in; a program sends an app password (HTTP Basic) that the owner makes at /access";
            let mut refusal = error::json(StatusCode::UNAUTHORIZED, "sign in first", hint);
            if is_program(headers) {
                let challenge = HeaderValue::from_static("Basic realm=\"Eyelid\", charset=\"UTF-8\"");
                refusal.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
            }
            refusal
        }
        (Who::Everybody, ..) => error::json(
            StatusCode::FORBIDDEN,
            "where everybody is let in, nobody says who may come in",
            "choose a password: on the machine itself, sudo eyelid setup prints the link for it",
        ),
        (Who::Viewer(_) | Who::Owner | Who::Local, ..) => error::json(
            StatusCode::FORBIDDEN,
            "this is not for guests and app passwords",
            "the owner signs in at /sign-in",
        ),
    }
}

/// Whether somebody opens an address in a browser, and is to see a page.
fn is_navigation(headers: &HeaderMap) -> bool {
    let mode = headers.get(SEC_FETCH_MODE).map(HeaderValue::as_bytes);
    let pages = |accept: &HeaderValue| memchr::memmem::find(accept.as_bytes(), b"text/html").is_some();
    mode.is_none_or(|mode| mode == b"navigate") && headers.get_all(header::ACCEPT).iter().any(pages)
}

/// Whether it may be asked for a name and a password. A browser would ask whoever sits in front of it, for each picture of
/// a page; all browsers say that they are Mozilla.
fn is_program(headers: &HeaderMap) -> bool {
    let agent = headers.get(header::USER_AGENT).map_or(&b""[..], HeaderValue::as_bytes);
    !agent.starts_with(b"Mozilla/") && !headers.contains_key(SEC_FETCH_MODE)
}
