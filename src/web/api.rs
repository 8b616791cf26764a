//! The JSON API.

use std::time::Instant;

use bytes::Bytes;
use http::{HeaderValue, Response, header};
use serde_json::{Value, json};

use crate::{camera::Camera, config::PageConfig};

/// What the daemon tells of itself at `/api/status`.
#[derive(Debug)]
pub struct About {
    /// When it was started.
    pub started: Instant,
    /// The configuration file, if one was read.
    pub file: Option<String>,
    /// Why the last change of that file was refused, if it was.
    pub error: std::sync::Mutex<Option<String>>,
}

/// `GET /api/cameras`
pub(crate) fn cameras(cameras: &[Camera], page: &PageConfig) -> Response<Bytes> {
    let all: Vec<Value> = cameras.iter().map(|camera| camera.status().borrow().to_json()).collect();
    answer(&json!({ "cameras": all, "page": { "transport": page.transport } }))
}

/// `GET /api/cameras/NAME`
pub(crate) fn camera(camera: &Camera) -> Response<Bytes> {
    answer(&camera.status().borrow().to_json())
}

/// `GET /api/status`
pub(crate) fn status(about: &About) -> Response<Bytes> {
    let error = about.error.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    answer(&json!({
        "version": env!("CARGO_PKG_VERSION"),
        "uptime_s": about.started.elapsed().as_secs(),
        "config": { "file": about.file, "error": error },
    }))
}

/// `GET /healthz`
pub(crate) fn health() -> Response<Bytes> {
    answer(&json!({ "status": "ok" }))
}

/// A value as an answer that no cache keeps.
pub(super) fn answer(value: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(value.to_string()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
