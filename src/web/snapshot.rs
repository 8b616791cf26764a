//! `snapshot.jpg`: one fresh picture, for which the camera is started if need be.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};

use super::{error, image::picture};
use crate::{
    camera::{Camera, fresh::fresh},
    capture::protocol::Failure,
};

/// Takes a lease, and answers with the first fresh picture, or with 503 and the reason.
pub(crate) async fn snapshot(camera: &Camera, headers: &HeaderMap) -> Response<Bytes> {
    match fresh(camera).await {
        Ok(frame) => picture(&frame, "no-store", headers),
        Err(failure) => unavailable(failure),
    }
}

/// The answer where the camera can't give a picture.
pub(super) fn unavailable((failure, retry_after): (Failure, Duration)) -> Response<Bytes> {
    let status = StatusCode::SERVICE_UNAVAILABLE;
    let mut response = error::json(status, failure.reason.as_str(), failure.hint.as_deref());
    let seconds = HeaderValue::from(retry_after.as_secs_f64().ceil().max(1.0) as u64);
    response.headers_mut().insert(header::RETRY_AFTER, seconds);
    response
}
