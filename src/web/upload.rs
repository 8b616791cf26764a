//! `/upload`: a camera that nobody can reach sends its pictures, and is told how long it may rest.
//!
//! Each check comes before what costs more than it: nothing of a body is read before its sender is known, its length
//! is bounded, and a seat is free.

mod answer;
mod body;

use std::time::{Duration, Instant, SystemTime};

use bytes::{Buf, Bytes};
use futures_util::Stream;
use http::{HeaderMap, Response, StatusCode, header};

use self::{
    answer::{Next, Refused},
    body::Form,
};
use crate::{
    camera::{Camera, Cameras, Uploads},
    token::TokenHash,
};

/// The methods that it answers.
pub(super) const METHODS: &str = "POST";

/// How long an upload may take, from its head to its last byte: an ESP32 sends 150 kB at 20 kB/s in that time.
const LONGEST: Duration = Duration::from_secs(10);

/// Takes a picture for the camera of that name, or for the first one that pictures are sent to.
pub(super) async fn upload<B: Buf, E>(
    cameras: &Cameras,
    name: Option<&str>,
    headers: &HeaderMap,
    body: impl Stream<Item = Result<B, E>>,
) -> Response<Bytes> {
    let began = (Instant::now(), SystemTime::now());
    let outcome = match find(cameras, name) {
        Ok((camera, terms)) => receive(&camera, &terms, began, headers, body)
            .await
            .inspect_err(|refused| tell(&camera, refused))
            .map(|()| Next::of(&camera, &terms)),
        Err(refused) => Err(refused),
    };
    answer::answer(outcome, headers)
}

fn tell(camera: &Camera, refused: &Refused) {
    let camera_name = camera.name();
    match camera.inbox().refused() {
        Some(more_since_last) => {
            tracing::warn!(camera = %camera_name, %refused, more_since_last, "refused an upload");
        }
        None => tracing::debug!(camera = %camera_name, %refused, "refused an upload"),
    }
}

/// The camera that is meant, and on which terms it takes pictures.
fn find(cameras: &Cameras, name: Option<&str>) -> Result<(Camera, Uploads), Refused> {
    let no = |reason: String, hint| Err(Refused::new(StatusCode::NOT_FOUND, reason, hint));
    let Some(name) = name else {
        let mut all = cameras.all().into_iter();
        return all.find_map(|camera| camera.uploads().map(|terms| (camera, terms))).map_or_else(
            || {
                no(
                    "there is no camera that takes uploads".into(),
                    "set kind = \"push\" in a [[camera]] entry",
                )
            },
            Ok,
        );
    };
    match cameras.get(name).map(|camera| (camera.uploads(), camera)) {
        Some((Some(terms), camera)) => Ok((camera, terms)),
        Some((None, _)) => {
            no(format!("the camera {name} takes no uploads"), "set kind = \"push\" in its [[camera]] entry")
        }
        None => no(format!("there is no camera {name:?}"), "GET /api/cameras lists those that there are"),
    }
}

async fn receive<B: Buf, E>(
    camera: &Camera,
    terms: &Uploads,
    began: (Instant, SystemTime),
    headers: &HeaderMap,
    body: impl Stream<Item = Result<B, E>>,
) -> Result<(), Refused> {
    let Some(token) = &terms.token else {
        let reason = format!("the camera {} has no upload_token", camera.name());
        let hint = format!("eyelid token {} makes one", camera.name());
        return Err(Refused::new(StatusCode::UNAUTHORIZED, reason, hint));
    };
    if !is_admitted(token, headers) {
        let reason = "the token is missing or wrong";
        return Err(Refused::new(StatusCode::UNAUTHORIZED, reason, "send Authorization: Bearer TOKEN"));
    }
    let Some(length) =
        headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok())
    else {
        let reason = "the upload has no Content-Length";
        return Err(Refused::new(StatusCode::LENGTH_REQUIRED, reason, "send it whole, not in chunks"));
    };
    if length == 0 && !headers.contains_key(header::CONTENT_TYPE) {
        // It only asks whether somebody watches, before it wakes its camera.
        return Ok(());
    }
    let form = Form::of(headers);
    form.as_ref().unwrap_or(&Form::Picture).check_length(length)?;
    let form = form.ok_or_else(|| {
        let reason = "the upload is neither a JPEG nor a form";
        let hint = "send Content-Type: image/jpeg, or multipart/form-data with a field img";
        Refused::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, reason, hint)
    })?;
    let Some(_seat) = camera.inbox().seat() else {
        let reason = "two uploads to this camera are on their way already";
        return Err(Refused::new(StatusCode::TOO_MANY_REQUESTS, reason, "send one picture at a time"));
    };
    let bytes = body::read(body, (began.0 + LONGEST).into()).await?;
    let picture = form.picture(bytes).await?;
    body::check(&picture)?;
    camera.inbox().put(&picture, began).map_err(|error| {
        let reason = format!("the picture can't be kept: {error}");
        Refused::new(StatusCode::SERVICE_UNAVAILABLE, reason, "send the next one in a moment")
    })
}

fn is_admitted(token: &TokenHash, headers: &HeaderMap) -> bool {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(only), None) = (given.next(), given.next()) else { return false };
    let Some((scheme, given)) = only.to_str().ok().and_then(|text| text.trim().split_once(' ')) else {
        return false;
    };
    scheme.eq_ignore_ascii_case("Bearer") && token.admits(given.trim_start())
}
