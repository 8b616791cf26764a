//! What each route answers.

use std::{borrow::Cow, sync::Arc};

use bytes::{Buf, Bytes};
use futures_util::Stream;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use hyper::upgrade::OnUpgrade;
use tokio::sync::watch;
use warp::{Filter, Reply, filters::BoxedFilter, path::FullPath};

use super::{
    access::{self, Links, Visitor},
    api::{self, About},
    content::{self, Content},
    controls, cors,
    error::{self, Refusal},
    image, latest, ledger, mjpeg,
    page::{self, Page},
    query,
    route::{Route, Way, Which, methods, route},
    server::Line,
    smaller::Smaller,
    snapshot, stats, upload,
    websocket::{self, Heartbeat},
};
use crate::{
    camera::{Camera, Cameras},
    config::PageConfig,
    stats::Stats,
};

/// What the routes serve.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    pub(crate) cameras: Cameras,
    pub(crate) about: Arc<About>,
    pub(crate) stats: Stats,
    pub(crate) page: Page,
    pub(crate) page_config: watch::Receiver<PageConfig>,
    pub(crate) heartbeat: Heartbeat,
    pub(crate) smaller: Smaller,
    pub(super) links: Links,
}

/// A request, as far as the routes care.
struct Asked {
    method: Method,
    path: FullPath,
    query: Option<String>,
    headers: HeaderMap,
    visitor: Visitor,
    line: Option<Line>,
    upgrade: Option<OnUpgrade>,
}

/// The routes as a filter that answers everything.
pub(crate) fn routes(site: Site) -> BoxedFilter<(impl Reply,)> {
    let query = warp::query::raw().map(Some).or_else(|_| async { Ok::<_, warp::Rejection>((None,)) });
    warp::method()
        .and(warp::path::full())
        .and(query)
        .and(warp::header::headers_cloned())
        .and(warp::ext::get())
        .and(warp::ext::optional())
        .and(warp::ext::optional())
        .map(|method, path, query, headers, visitor, line, upgrade| Asked {
            method,
            path,
            query,
            headers,
            visitor,
            line,
            upgrade,
        })
        .and(warp::body::stream())
        .then(move |asked: Asked, body| {
            let site = site.clone();
            async move {
                let head = asked.method == Method::HEAD;
                let mut response = answer(&site, asked, body).await;
                if head
                    && response.status() != StatusCode::NOT_MODIFIED
                    && let Content::Whole(body) = response.body_mut()
                {
                    let length = std::mem::take(body).len();
                    response.headers_mut().entry(header::CONTENT_LENGTH).or_insert(length.into());
                }
                content::reply(response)
            }
        })
        .boxed()
}

async fn answer(
    site: &Site,
    asked: Asked,
    body: impl Stream<Item = Result<impl Buf, warp::Error>>,
) -> Response<Content> {
    let (path, query) = (asked.path.as_str(), asked.query.as_deref());
    let (method, headers) = (&asked.method, &asked.headers);
    let route = route(path, query);
    let methods = methods(&route);
    if !methods.split(", ").any(|allowed| allowed == method.as_str()) {
        return other_method(site, &asked, methods).map(Content::from);
    }
    let whole = match route {
        Route::Home | Route::StatsPage | Route::AccessPage | Route::File => {
            site.page.asset(path, headers, method).unwrap_or_else(|| nothing(path))
        }
        Route::CameraPage(name) => match site.cameras.get(name) {
            Some(camera) => {
                let mut page = site.page.asset("/", headers, method).unwrap_or_else(|| nothing(path));
                page::let_frame(&mut page, &camera.origins());
                page
            }
            None => no_camera(name),
        },
        Route::CameraPageWithoutSlash(name) => match site.cameras.get(name) {
            Some(camera) => redirect(&format!("/cameras/{}/", camera.name())),
            None => no_camera(name),
        },
        Route::Watch(which, way) => match find(&site.cameras, which) {
            Ok(camera) => {
                let mut response = watch(site, &camera, way, &asked).await;
                cors::tell(&mut response, &camera.origins(), headers);
                return response;
            }
            Err(refusal) => *refusal,
        },
        Route::NoAction(action) => *query::refused("action", &action, "stream or snapshot"),
        Route::Upload(name) => upload::upload(&site.cameras, name, headers, body).await,
        Route::Health => api::health(),
        Route::Nothing | Route::SocketIo | Route::SocketIoClient => nothing(path),
        _ if !accepts(headers, "application", "json") => not_acceptable("application/json"),
        Route::Access
        | Route::Setup
        | Route::Login
        | Route::Logout
        | Route::Password
        | Route::Sessions
        | Route::Session(_)
        | Route::Apps
        | Route::App(_)
        | Route::Links
        | Route::Link(_)
        | Route::Guest => {
            access::answer(&route, &asked.visitor, &site.cameras, &site.links, method, headers, body).await
        }
        Route::Cameras => {
            let mut cameras = site.cameras.all();
            cameras.retain(|camera| asked.visitor.may_look(camera));
            api::cameras(&cameras, &site.page_config.borrow())
        }
        Route::Camera(name) => match site.cameras.get(name) {
            Some(camera) => api::camera(&camera),
            None => no_camera(name),
        },
        Route::Controls(name) => match site.cameras.get(name) {
            Some(camera) => controls::controls(&camera, method, headers, body).await,
            None => no_camera(name),
        },
        Route::Ledger(name) => match site.cameras.get(name) {
            Some(camera) => ledger::ledger(&camera, query),
            None => no_camera(name),
        },
        Route::Stats => stats::stats(&site.stats, &site.cameras),
        Route::Status => api::status(&site.about),
    };
    whole.map(Content::from)
}

/// What a route has no method for: a browser that asks what a page of another site may do, or a mistake.
fn other_method(site: &Site, asked: &Asked, methods: &'static str) -> Response<Bytes> {
    let origins = watched(&site.cameras, asked.path.as_str(), asked.query.as_deref())
        .filter(|_| asked.method == Method::OPTIONS)
        .map(|camera| camera.origins())
        .filter(|origins| cors::allowed(origins, &asked.headers));
    if let Some(origins) = origins {
        // A page may ask for a picture that it may have already, and for one past all caches.
        let mut response = cors::preflight("GET, HEAD", "cache-control, if-none-match, pragma");
        cors::tell(&mut response, &origins, &asked.headers);
        return response;
    }
    let hint = format!("ask with one of {methods}");
    let error = "this can't be done here";
    let mut refusal = error::json(StatusCode::METHOD_NOT_ALLOWED, error, hint.as_str());
    refusal.headers_mut().insert(header::ALLOW, HeaderValue::from_static(methods));
    refusal
}

/// The camera that such a request would watch.
pub(super) fn watched(cameras: &Cameras, path: &str, query: Option<&str>) -> Option<Camera> {
    match route(path, query) {
        Route::Watch(which, _) => find(cameras, which).ok(),
        _ => None,
    }
}

/// The camera whose page it is.
pub(super) fn page_of(cameras: &Cameras, path: &str) -> Option<Camera> {
    match route(path, None) {
        Route::CameraPage(name) => cameras.get(name),
        _ => None,
    }
}

fn find(cameras: &Cameras, which: Which<'_>) -> Result<Camera, Refusal> {
    let name = || match which {
        Which::Numbered(number) => Cow::from(number.to_string()),
        Which::Named(name) => name.into(),
    };
    which.camera(cameras).ok_or_else(|| Box::new(no_camera(&name())))
}

async fn watch(site: &Site, camera: &Camera, way: Way, asked: &Asked) -> Response<Content> {
    let (query, headers) = (asked.query.as_deref(), &asked.headers);
    let look = asked.method == Method::HEAD;
    let whole = match way {
        Way::Mjpeg => {
            let visitor = asked.visitor.clone();
            return mjpeg::mjpeg(camera, visitor, query, headers, asked.line.clone(), look).await;
        }
        Way::WebSocket => {
            let upgrade = asked.upgrade.clone().filter(|_| !look);
            let visitor = asked.visitor.clone();
            websocket::websocket(camera, visitor, query, headers, upgrade, asked.line.clone(), site.heartbeat)
        }
        Way::Image | Way::Snapshot | Way::Latest if !accepts(headers, "image", "jpeg") => {
            not_acceptable("image/jpeg")
        }
        Way::Image => image::image(camera, query, headers),
        Way::Latest => latest::latest(camera, headers).await,
        Way::Snapshot => snapshot::snapshot(camera, &site.smaller, query, headers).await,
    };
    if whole.status() == StatusCode::OK && !look {
        camera.tally().sent(whole.body().len());
    }
    whole.map(Content::from)
}

/// Whether one of the client's ranges takes such an answer. A range of weight 0 takes nothing; other weights
/// are of no account, as there is only one form of each answer.
fn accepts(headers: &HeaderMap, kind: &str, form: &str) -> bool {
    // This is asked for each picture of each viewer, so it works on bytes and allocates nothing.
    let is = |asked: &[u8], have: &str| asked == b"*" || asked.eq_ignore_ascii_case(have.as_bytes());
    let mut ranges = headers
        .get_all(header::ACCEPT)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|range| !range.is_empty())
        .peekable();
    ranges.peek().is_none()
        || ranges.any(|range| {
            let mut parts = range.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
            let named = parts.next().unwrap_or_default();
            let Some(slash) = named.iter().position(|byte| *byte == b'/') else { return false };
            let (asked, of) = (&named[..slash], &named[slash + 1..]);
            let fits = is(asked, kind) && is(of, form) && (asked != b"*" || of == b"*");
            let refuses = |weight: &str| weight.parse::<f32>().is_ok_and(|weight| weight == 0.0);
            fits && !parts.filter_map(|part| std::str::from_utf8(part.strip_prefix(b"q=")?).ok()).any(refuses)
        })
}

fn redirect(to: &str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    let to = HeaderValue::from_str(to).expect("a camera's name is a header value");
    response.headers_mut().insert(header::LOCATION, to);
    response
}

fn no_camera(name: &str) -> Response<Bytes> {
    let error = format!("there is no camera {name:?}");
    error::json(StatusCode::NOT_FOUND, &error, "GET /api/cameras lists those that there are")
}

fn nothing(path: &str) -> Response<Bytes> {
    error::json(StatusCode::NOT_FOUND, &format!("there is nothing at {path}"), None)
}

fn not_acceptable(have: &str) -> Response<Bytes> {
    let hint = format!("accept {have}");
    let error = "what there is here does not fit the request's Accept header";
    error::json(StatusCode::NOT_ACCEPTABLE, error, hint.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accept_headers_are_read_as_browsers_and_programs_send_them() {
        let cases = [
            (None, true),
            (Some("*/*"), true),
            (Some("image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"), true),
            (Some("IMAGE/JPEG"), true),
            (Some("text/html"), false),
            (Some("image/png, */jpeg, jpeg"), false),
            (Some("image/jpeg;q=0"), false),
            (Some(""), true),
        ];
        for (accept, expected) in cases {
            let mut headers = HeaderMap::new();
            if let Some(accept) = accept {
                headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
            }
            assert_eq!(accepts(&headers, "image", "jpeg"), expected, "{accept:?}");
        }
    }
}
