//! Who may ask: the check of `Host` and `Origin` in front of all that the port serves, Socket.IO included.
//!
//! A web site that somebody visits can make their browser send requests to this daemon. `Host` shows a
//! site that uses a name of its own for this machine; `Origin` and `Sec-Fetch-Site` show a request that
//! comes from a page that is not ours. Programs that are no browsers send neither, and may do without.

mod host;
#[cfg(test)]
mod tests;

pub(crate) use host::Hosts;

use super::answer::Answer;
use super::cors::{self, CROSS_ORIGIN_RESOURCE_POLICY};
use super::page::EMBED;
use super::route::{Route, route};
use super::{error, routes};
use crate::camera::Cameras;
use bytes::Bytes;
use host::{Authority, Host};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use http_body_util::{Either, Full};
use pin_project_lite::pin_project;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::sync::watch;
use tower::{Layer, Service};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
pub(super) const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// The layer that puts a [`Guarded`] in front of a service.
#[derive(Debug, Clone)]
pub(crate) struct Guard {
    hosts: watch::Receiver<Hosts>,
    cameras: Cameras,
}

impl Guard {
    /// Follows the names that are sent, and what the cameras are told of other sites: a new configuration
    /// counts for the next request.
    pub(crate) fn new(hosts: watch::Receiver<Hosts>, cameras: Cameras) -> Self {
        Self { hosts, cameras }
    }

    /// What becomes of a request of another site's page.
    fn foreign<A>(&self, request: &Request<A>) -> Foreign {
        let (method, uri, headers) = (request.method(), request.uri(), request.headers());
        if uri.path() == EMBED && matches!(*method, Method::GET | Method::HEAD) {
            return Foreign::LetIn(None);
        }
        if is_socketio(uri.path()) {
            // Scripts say whose page they are of; an image has no business there.
            let cameras = if headers.contains_key(header::ORIGIN) { self.cameras.all() } else { Vec::new() };
            // The engine is that of all cameras; each of them looks again at who connects.
            return match cameras.iter().find_map(|camera| cors::reader(&camera.origins(), headers)) {
                Some(who) if *method == Method::OPTIONS => Foreign::MayAsk(who),
                Some(who) => Foreign::LetIn(Some(who)),
                None => Foreign::Refused,
            };
        }
        // A frame shows the page of one camera. What the page then asks for, it asks for as one of ours.
        let dest = headers.get(&SEC_FETCH_DEST).map(HeaderValue::as_bytes);
        let framed = matches!(dest, Some(b"iframe" | b"frame")) && *method == Method::GET;
        let page = framed.then(|| routes::page_of(&self.cameras, uri.path())).flatten();
        match page.or_else(|| routes::watched(&self.cameras, uri.path(), uri.query())) {
            Some(camera) if cors::allowed(&camera.origins(), headers) => Foreign::LetIn(None),
            _ => Foreign::Refused,
        }
    }
}

/// What becomes of a request of another site's page.
enum Foreign {
    Refused,
    /// It is answered, and the answer is for this page where that has not been said below.
    LetIn(Option<HeaderValue>),
    /// It asks whether it may send what it wants to send, and this page may.
    MayAsk(HeaderValue),
}

impl<S> Layer<S> for Guard {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { inner, guard: self.clone() }
    }
}

/// A service that answers only requests from programs and from pages of its own.
#[derive(Debug, Clone)]
pub(crate) struct Guarded<S> {
    inner: S,
    guard: Guard,
}

impl<S, A, B> Service<Request<A>> for Guarded<S>
where
    S: Service<Request<A>, Response = Response<B>>,
{
    type Response = Response<Either<Full<Bytes>, B>>;
    type Error = S::Error;
    type Future = GuardedFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        let (answer, reader) = match check(&request, &self.guard.hosts) {
            Ok(()) => (Answer::below(self.inner.call(request)), None),
            Err(Refusal::OtherSite(site)) => match self.guard.foreign(&request) {
                Foreign::LetIn(reader) => (Answer::below(self.inner.call(request)), reader),
                Foreign::MayAsk(reader) => {
                    (Answer::here(cors::preflight("GET, POST", "content-type")), Some(reader))
                }
                Foreign::Refused => (Answer::here(Refusal::OtherSite(site).into_response()), None),
            },
            Err(refusal) => (Answer::here(refusal.into_response()), None),
        };
        GuardedFuture { answer, reader }
    }
}

pin_project! {
    /// Adds to each answer what keeps other sites from using it.
    pub(crate) struct GuardedFuture<F> {
        #[pin]
        answer: Answer<F>,
        reader: Option<HeaderValue>,
    }
}

impl<F, B, E> Future for GuardedFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<Either<Full<Bytes>, B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = ready!(this.answer.poll(cx))?;
        let headers = response.headers_mut();
        if let Some(reader) = this.reader.take() {
            cors::share(headers, reader);
        }
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        // Unless the answer has one of its own.
        headers
            .entry(CROSS_ORIGIN_RESOURCE_POLICY)
            .or_insert(const { HeaderValue::from_static("same-origin") });
        Poll::Ready(Ok(response))
    }
}

/// Why a request is not answered.
#[derive(Debug, PartialEq, Eq)]
enum Refusal {
    NoHost,
    ManyHosts,
    BadHost,
    UnknownHost(String),
    /// The origin, or what the browser said of it.
    OtherSite(String),
}

impl Refusal {
    fn into_response(self) -> Response<Bytes> {
        tracing::debug!(refusal = ?self, "refused a request");
        let bad = |error| {
            error::json(
                StatusCode::BAD_REQUEST,
                error,
                "send one Host header: a name or address, and the port",
            )
        };
        match self {
            Self::NoHost => bad("the request has no Host header"),
            Self::ManyHosts => bad("the request has more than one Host header"),
            Self::BadHost => bad("the request's host is not valid"),
            Self::UnknownHost(name) => error::json(
                StatusCode::MISDIRECTED_REQUEST,
                &format!("this camera does not go by the name {name}"),
                format!("if {name} is meant to lead here, set hosts = [\"{name}\"] in the configuration")
                    .as_str(),
            ),
            Self::OtherSite(site) => error::json(
                StatusCode::FORBIDDEN,
                &format!("the request comes from another site ({site})"),
                "open the camera's own page; a site that may show the camera is named in its key origins; a proxy in \
                 front of it has to pass the Host header on unchanged",
            ),
        }
    }
}

fn check<A>(request: &Request<A>, hosts: &watch::Receiver<Hosts>) -> Result<(), Refusal> {
    let host = host(request.uri(), request.headers())?;
    if let Host::Name(name) = host.host
        && !hosts.borrow().allow(host.host)
    {
        return Err(Refusal::UnknownHost(name.to_ascii_lowercase()));
    }
    let headers = request.headers();
    match one(headers, &header::ORIGIN) {
        One::None => {}
        One::Some(origin) if is_same(origin, host) => return Ok(()),
        One::Some(origin) => return Err(Refusal::OtherSite(origin.into())),
        One::Bad => return Err(Refusal::OtherSite("unreadable Origin".into())),
    }
    // Not all browsers' requests have an Origin, but those to HTTPS and localhost have this.
    let said = |name| headers.get(&name).map(HeaderValue::as_bytes);
    let site = match said(SEC_FETCH_SITE) {
        None | Some(b"same-origin" | b"none") => return Ok(()),
        // "same-site", another port or a sister name of this machine, is another site like any other: an image
        // there would start the camera, and not even be shown.
        Some(site) => String::from_utf8_lossy(site).into_owned(),
    };
    // Somebody followed a link. That is no way to embed a picture or to act unseen.
    let followed =
        said(SEC_FETCH_MODE) == Some(b"navigate") && matches!(said(SEC_FETCH_DEST), None | Some(b"document"));
    if followed && !changes_state(request) { Ok(()) } else { Err(Refusal::OtherSite(site)) }
}

/// The site of a page that is not of the daemon that was asked, from a request that the guard has let in.
pub(super) fn other_site(request: &Parts) -> Option<&str> {
    let origin = match one(&request.headers, &header::ORIGIN) {
        One::None => return None,
        One::Some(origin) => origin,
        One::Bad => "null",
    };
    let own = host(&request.uri, &request.headers).is_ok_and(|host| is_same(origin, host));
    (!own).then_some(origin)
}

/// The host that the client means.
fn host<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Result<Authority<'a>, Refusal> {
    let header = match one(headers, &header::HOST) {
        One::Some(host) => Authority::parse(host).ok_or(Refusal::BadHost)?,
        One::None => return Err(Refusal::NoHost),
        One::Bad if headers.get_all(header::HOST).iter().nth(1).is_some() => {
            return Err(Refusal::ManyHosts);
        }
        One::Bad => return Err(Refusal::BadHost),
    };
    // "GET http://host/path HTTP/1.1", the form for proxies: its host counts and not the header's.
    match uri.authority() {
        Some(target) => Authority::parse(target.as_str()).ok_or(Refusal::BadHost),
        None => Ok(header),
    }
}

/// Whether a request can do more than read.
fn changes_state<A>(request: &Request<A>) -> bool {
    is_socketio(request.uri().path())
        || request.headers().contains_key(header::UPGRADE)
        || !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS)
}

fn is_socketio(path: &str) -> bool {
    matches!(route(path, None), Route::SocketIo | Route::SocketIoClient)
}

/// Whether an `Origin` is that of a page that came from `host`. The scheme may differ: a proxy may end TLS.
fn is_same(origin: &str, host: Authority<'_>) -> bool {
    let (default_port, authority) = match origin.split_once("://") {
        Some(("http", authority)) => (80, authority),
        Some(("https", authority)) => (443, authority),
        _ => return false,
    };
    let Some(origin) = Authority::parse(authority) else { return false };
    let origin_port = origin.port.unwrap_or(default_port);
    origin.host == host.host && origin_port == host.port.unwrap_or(default_port)
}

/// A header that may come once at most.
enum One<'a> {
    None,
    Some(&'a str),
    Bad,
}

fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> One<'a> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => One::None,
        (Some(value), None) => value.to_str().map_or(One::Bad, One::Some),
        _ => One::Bad,
    }
}
