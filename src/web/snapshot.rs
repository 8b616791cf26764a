//! `snapshot.jpg`: one fresh picture, for which the camera is started if need be.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};

use super::{error, image::picture, query, smaller::Smaller};
use crate::camera::{
    Camera,
    fresh::{Refusal, fresh},
};

/// Answers with the newest picture if it is young enough for `max_age`; else takes a lease, and answers with the
/// first fresh picture, or with 503 and the reason. With a `width`, the picture is made smaller.
pub(crate) async fn snapshot(
    camera: &Camera,
    smaller: &Smaller,
    query: Option<&str>,
    headers: &HeaderMap,
) -> Response<Bytes> {
    let (max_age, width) = match query::max_age(query).and_then(|age| Ok((age, query::width(query)?))) {
        Ok((age, width)) => (age.unwrap_or_default(), width),
        Err(refusal) => return *refusal,
    };
    let kept = camera.feed().newest().filter(|frame| frame.read.elapsed() < max_age);
    let frame = match kept {
        Some(frame) => Ok(frame),
        None => fresh(camera).await,
    };
    match frame {
        Ok(frame) => {
            let made = match width {
                Some(width) => smaller.get(camera.name(), &frame, width).await.map(|jpeg| (width, jpeg)),
                None => None,
            };
            picture(&frame, made, "no-store", headers)
        }
        Err(failure) => unavailable(failure),
    }
}

/// The answer where the camera can't give a picture.
pub(super) fn unavailable((failure, retry_after): Refusal) -> Response<Bytes> {
    let status = StatusCode::SERVICE_UNAVAILABLE;
    let mut response = error::json(status, failure.reason.as_str(), failure.hint.as_deref());
    if let Some(retry_after) = retry_after {
        let seconds = HeaderValue::from(retry_after.as_secs_f64().ceil().max(1.0) as u64);
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    response
}
