//! Which path is what, and who may ask how.

use std::sync::Arc;

use bytes::{Buf, Bytes};
use futures_util::Stream;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use warp::{Filter, Reply, filters::BoxedFilter, path::FullPath};

use super::{
    api::{self, About},
    controls, error, image,
    page::Page,
    snapshot,
};
use crate::camera::{Camera, Cameras};

/// What the routes serve.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    pub(crate) cameras: Cameras,
    pub(crate) about: Arc<About>,
    pub(crate) page: Page,
}

/// Where a path leads.
#[derive(Debug, PartialEq, Eq)]
enum Route<'a> {
    /// A file of the page, or nothing.
    Page,
    /// The page of one camera.
    CameraPage(&'a str),
    /// The same without the slash that its relative URLs need.
    CameraPageWithoutSlash(&'a str),
    /// A way to watch a camera; the default one where none is named.
    Watch(Option<&'a str>, Way),
    Cameras,
    Camera(&'a str),
    Controls(&'a str),
    Status,
    Health,
    /// Nothing, below `/api` or a camera.
    Nothing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Image,
    Snapshot,
}

fn route(path: &str) -> Route<'_> {
    let way = |name| match name {
        "image_stream.jpg" => Some(Way::Image),
        "snapshot.jpg" => Some(Way::Snapshot),
        _ => None,
    };
    let segments: Vec<&str> = path.strip_prefix('/').unwrap_or(path).split('/').collect();
    match segments[..] {
        ["healthz"] => Route::Health,
        ["api", "status"] => Route::Status,
        ["api", "cameras"] => Route::Cameras,
        ["api", "cameras", name] => Route::Camera(name),
        ["api", "cameras", name, "controls"] => Route::Controls(name),
        ["api", ..] => Route::Nothing,
        ["cameras", name] => Route::CameraPageWithoutSlash(name),
        ["cameras", name, ""] => Route::CameraPage(name),
        ["cameras", name, file] => way(file).map_or(Route::Nothing, |way| Route::Watch(Some(name), way)),
        ["cameras", ..] => Route::Nothing,
        [file] => way(file).map_or(Route::Page, |way| Route::Watch(None, way)),
        _ => Route::Page,
    }
}

/// The methods that a route answers, as in `Allow`.
fn methods(route: &Route<'_>) -> &'static str {
    match route {
        Route::Controls(_) => controls::METHODS,
        _ => "GET, HEAD",
    }
}

/// The routes as a filter that answers everything.
pub(crate) fn routes(site: Site) -> BoxedFilter<(impl Reply,)> {
    let query = warp::query::raw().map(Some).or_else(|_| async { Ok::<_, warp::Rejection>((None,)) });
    warp::method()
        .and(warp::path::full())
        .and(query)
        .and(warp::header::headers_cloned())
        .and(warp::body::stream())
        .then(move |method: Method, path: FullPath, query: Option<String>, headers: HeaderMap, body| {
            let site = site.clone();
            async move {
                let mut response =
                    answer(&site, &method, path.as_str(), query.as_deref(), &headers, body).await;
                if method == Method::HEAD && response.status() != StatusCode::NOT_MODIFIED {
                    let length = response.body().len();
                    response.headers_mut().entry(header::CONTENT_LENGTH).or_insert(length.into());
                    *response.body_mut() = Bytes::new();
                }
                response
            }
        })
        .boxed()
}

async fn answer(
    site: &Site,
    method: &Method,
    path: &str,
    query: Option<&str>,
    headers: &HeaderMap,
    body: impl Stream<Item = Result<impl Buf, warp::Error>>,
) -> Response<Bytes> {
    let route = route(path);
    let methods = methods(&route);
    if !methods.split(", ").any(|allowed| allowed == method.as_str()) {
        return not_allowed(methods);
    }
    match route {
        Route::Page => site.page.asset(path, headers, method).unwrap_or_else(|| nothing(path)),
        Route::CameraPage(name) => match site.cameras.get(name) {
            Some(_) => site.page.asset("/", headers, method).unwrap_or_else(|| nothing(path)),
            None => no_camera(name),
        },
        Route::CameraPageWithoutSlash(name) => match site.cameras.get(name) {
            Some(camera) => redirect(&format!("/cameras/{}/", camera.name())),
            None => no_camera(name),
        },
        Route::Watch(name, way) => match name
            .map_or_else(|| site.cameras.first(), |name| site.cameras.get(name))
        {
            Some(camera) if accepts(headers, "image", "jpeg") => watch(&camera, way, query, headers).await,
            Some(_) => not_acceptable("image/jpeg"),
            None => no_camera(name.unwrap_or_default()),
        },
        Route::Health => api::health(),
        Route::Nothing => nothing(path),
        _ if !accepts(headers, "application", "json") => not_acceptable("application/json"),
        Route::Cameras => api::cameras(&site.cameras),
        Route::Camera(name) => match site.cameras.get(name) {
            Some(camera) => api::camera(&camera),
            None => no_camera(name),
        },
        Route::Controls(name) => match site.cameras.get(name) {
            Some(camera) => controls::controls(&camera, method, headers, body).await,
            None => no_camera(name),
        },
        Route::Status => api::status(&site.about),
    }
}

async fn watch(camera: &Camera, way: Way, query: Option<&str>, headers: &HeaderMap) -> Response<Bytes> {
    match way {
        Way::Image => image::image(camera, query, headers),
        Way::Snapshot => snapshot::snapshot(camera, headers).await,
    }
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

fn not_allowed(methods: &'static str) -> Response<Bytes> {
    let hint = format!("ask with one of {methods}");
    let error = "this can't be done here";
    let mut refusal = error::json(StatusCode::METHOD_NOT_ALLOWED, error, hint.as_str());
    refusal.headers_mut().insert(header::ALLOW, HeaderValue::from_static(methods));
    refusal
}

fn not_acceptable(have: &str) -> Response<Bytes> {
    let hint = format!("accept {have}");
    let error = "what there is here does not fit the request's Accept header";
    error::json(StatusCode::NOT_ACCEPTABLE, error, hint.as_str())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_path_leads_where_the_documentation_says() {
        let cases = [
            ("/", Route::Page),
            ("/app.js", Route::Page),
            ("/image_stream.jpg", Route::Watch(None, Way::Image)),
            ("/snapshot.jpg", Route::Watch(None, Way::Snapshot)),
            ("/cameras/tank", Route::CameraPageWithoutSlash("tank")),
            ("/cameras/tank/", Route::CameraPage("tank")),
            ("/cameras/tank/image_stream.jpg", Route::Watch(Some("tank"), Way::Image)),
            ("/cameras/tank/snapshot.jpg", Route::Watch(Some("tank"), Way::Snapshot)),
            ("/cameras/tank/app.js", Route::Nothing),
            ("/api/cameras", Route::Cameras),
            ("/api/cameras/tank", Route::Camera("tank")),
            ("/api/cameras/tank/controls", Route::Controls("tank")),
            ("/api/cameras/tank/controls/", Route::Nothing),
            ("/api/status", Route::Status),
            ("/api", Route::Nothing),
            ("/api/", Route::Nothing),
            ("/healthz", Route::Health),
        ];
        for (path, expected) in cases {
            assert_eq!(route(path), expected, "{path}");
        }
    }

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

    proptest! {
        #[test]
        fn no_path_panics(path in ".*") {
            route(&path);
        }
    }
}
