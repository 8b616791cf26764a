//! The page's files: part of the program, or of a folder while somebody works on the page.

use super::answer::Answer;
use super::cors;
use super::etag::is_known;
use crate::config::Origins;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{Either, Full};
use rust_embed::RustEmbed;
use std::borrow::Cow;
use std::fmt::Write;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::task::{Context, Poll};
use tower::{Layer, Service};

#[derive(RustEmbed)]
#[folder = "public/"]
struct Embedded;

/// What a page of ours may do: nothing with other hosts. `'self'` includes WebSockets of the same host
/// and port in browsers since 2022, Safari's the last; in older ones the page goes on without.
const CONTENT_SECURITY_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'self'",
);

/// Lets pages of these sites show a page of ours in a frame.
pub(super) fn let_frame<B>(response: &mut Response<B>, origins: &Origins) {
    let headers = response.headers_mut();
    let Some(policy) = headers.get(header::CONTENT_SECURITY_POLICY).filter(|_| !origins.is_empty()) else {
        return;
    };
    // It is the last of the policy's directives.
    let mut policy = policy.as_bytes().to_vec();
    for origin in origins.iter() {
        policy.extend_from_slice(format!(" {origin}").as_bytes());
    }
    let policy = HeaderValue::from_bytes(&policy).expect("an origin is of letters, digits and a few signs");
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
}

/// Where the page's files come from.
///
/// It is also the layer that answers for the Socket.IO client, `/socket.io/socket.io.js`: all else
/// under `/socket.io/` is the engine's, so this has to stand in front of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Page {
    /// Nothing means those in the program.
    folder: Option<Arc<Path>>,
}

/// The path of what pages of other sites load to show a camera.
pub(super) const EMBED: &str = "/embed.js";

/// How long a page of another site may go without asking for a newer one.
const EMBED_CACHING: HeaderValue = HeaderValue::from_static("public, max-age=600");

struct File {
    data: Bytes,
    /// Absent for what may change at any time.
    etag: Option<HeaderValue>,
}

impl Page {
    /// The files that are part of the program.
    pub(crate) fn embedded() -> Self {
        Self::default()
    }

    /// The files of a folder, read anew for each request.
    ///
    /// # Errors
    /// If the folder can't be found, or is none.
    pub(crate) fn folder(folder: &Path) -> io::Result<Self> {
        let explain = |error: io::Error| {
            io::Error::new(error.kind(), format!("cannot serve the page from {}: {error}", folder.display()))
        };
        let folder = folder.canonicalize().map_err(explain)?;
        fs::read_dir(&folder).map_err(explain)?;
        Ok(Self { folder: Some(folder.into()) })
    }

    /// Answers a `GET` or `HEAD` for one of the page's files; nothing for other methods and paths.
    ///
    /// `/` and `/cameras/NAME/` are `index.html`, whatever NAME is, and `/stats`, say, is `stats.html`.
    pub(crate) fn asset(&self, path: &str, headers: &HeaderMap, method: &Method) -> Option<Response<Bytes>> {
        if !matches!(*method, Method::GET | Method::HEAD) {
            return None;
        }
        let name = file_name(path)?;
        self.read(name).map(|file| respond(name, file, headers, method))
    }

    /// Answers for the Socket.IO client.
    fn socketio_client(&self, path: &str, headers: &HeaderMap, method: &Method) -> Option<Response<Bytes>> {
        let names: &[&str] = match path.strip_prefix("/socket.io/")? {
            "socket.io.js" => &["/vendor/socket.io.js", "/vendor/socket.io.min.js"],
            "socket.io.js.map" => &["/vendor/socket.io.js.map"],
            "socket.io.min.js" => &["/vendor/socket.io.min.js"],
            "socket.io.min.js.map" => &["/vendor/socket.io.min.js.map"],
            _ => return None,
        };
        let find = |page: &Self| names.iter().find_map(|name| page.asset(name, headers, method));
        // A page of somebody's own need not bring the client along.
        find(self).or_else(|| find(&Self::embedded()))
    }

    fn read(&self, name: &str) -> Option<File> {
        let Some(folder) = &self.folder else {
            let file = Embedded::get(name)?;
            let etag = etag(&file.metadata.sha256_hash());
            let data = match file.data {
                Cow::Borrowed(data) => Bytes::from_static(data),
                Cow::Owned(data) => data.into(),
            };
            return Some(File { data, etag: Some(etag) });
        };
        let path: PathBuf = folder.join(name).canonicalize().ok()?;
        // A link may lead out of the folder, and a pipe may never end.
        if !path.starts_with(folder) || !path.metadata().ok()?.is_file() {
            return None;
        }
        Some(File { data: fs::read(path).ok()?.into(), etag: None })
    }
}

/// The file that a path stands for. No name leads out of the folder, to hidden files, or is encoded.
fn file_name(path: &str) -> Option<&str> {
    let name = path.strip_prefix('/')?;
    let is_segment = |segment: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        !segment.is_empty() && !segment.starts_with('.') && segment.bytes().all(allowed)
    };
    let camera = name.strip_prefix("cameras/").and_then(|rest| rest.strip_suffix('/'));
    if name.is_empty() || camera.is_some_and(is_segment) {
        return Some("index.html");
    }
    match name {
        "access" => Some("access.html"),
        "guest" => Some("guest.html"),
        "setup" => Some("setup.html"),
        "sign-in" => Some("sign-in.html"),
        "stats" => Some("stats.html"),
        _ => name.split('/').all(is_segment).then_some(name),
    }
}

fn respond(name: &str, file: File, headers: &HeaderMap, method: &Method) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    let content_type = content_type(name);
    let out = response.headers_mut();
    // Pages of different versions would break each other, so each use asks, and is told "not modified".
    let caching = match file.etag {
        Some(_) if is_for_all(name) => EMBED_CACHING,
        Some(_) => HeaderValue::from_static("no-cache"),
        None => HeaderValue::from_static("no-store"),
    };
    out.insert(header::CACHE_CONTROL, caching);
    if is_for_all(name) {
        cors::share(out, HeaderValue::from_static("*"));
    }
    if content_type.starts_with("text/html") {
        out.insert(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
        out.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    }
    if let Some(etag) = file.etag {
        let is_known = is_known(headers, &etag);
        out.insert(header::ETAG, etag);
        if is_known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
    }
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    out.insert(header::CONTENT_LENGTH, file.data.len().into());
    if *method == Method::GET {
        *response.body_mut() = file.data;
    }
    response
}

/// Whether it is for pages of every site.
fn is_for_all(name: &str) -> bool {
    EMBED.strip_prefix('/') == Some(name)
}

fn etag(hash: &[u8; 32]) -> HeaderValue {
    let mut text = String::from('"');
    for byte in &hash[..16] {
        write!(text, "{byte:02x}").expect("a string takes any text");
    }
    text.push('"');
    HeaderValue::try_from(text).expect("hexadecimal digits are valid in a header")
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("webp") => "image/webp",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("txt") => "text/plain; charset=utf-8",
        _ if name.contains("LICENSE") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

impl<S> Layer<S> for Page {
    type Service = WithClient<S>;

    fn layer(&self, inner: S) -> WithClient<S> {
        WithClient { inner, page: self.clone() }
    }
}

/// A service with the Socket.IO client's file in front.
#[derive(Debug, Clone)]
pub(crate) struct WithClient<S> {
    inner: S,
    page: Page,
}

impl<S, A, B> Service<Request<A>> for WithClient<S>
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
        match self.page.socketio_client(request.uri().path(), request.headers(), request.method()) {
            Some(response) => Answer::here(response),
            None => Answer::below(self.inner.call(request)),
        }
    }
}

#[cfg(test)]
mod tests;
