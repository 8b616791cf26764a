//! What a sender is told: one line that a microcontroller can print, or JSON for who asks for it.

use std::{borrow::Cow, fmt, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use serde_json::json;

use crate::{
    camera::{Camera, Uploads},
    web::error,
};

const X_VIEWERS: HeaderName = HeaderName::from_static("x-viewers");
const X_NEXT_MS: HeaderName = HeaderName::from_static("x-next-ms");

/// What senders look for in the answer, since before there was Eyelid.
const SUCCESS: &str = "Success";

/// When the next picture is wanted.
#[derive(Debug)]
pub(super) struct Next {
    viewers: usize,
    after: Duration,
}

impl Next {
    /// The interval while the camera is on or somebody waits for that, else the rest.
    pub(super) fn of(camera: &Camera, terms: &Uploads) -> Self {
        let viewers = *camera.viewers().count().borrow();
        let wanted = viewers > 0 || camera.inbox().is_open();
        Self { viewers, after: if wanted { terms.interval } else { terms.rest } }
    }

    fn tell(&self, headers: &mut HeaderMap) {
        headers.insert(X_VIEWERS, self.viewers.into());
        headers.insert(X_NEXT_MS, self.millis().into());
        // In whole seconds, and never sooner than it is wanted.
        let seconds = self.after.as_secs() + u64::from(self.after.subsec_nanos() > 0);
        headers.insert(header::RETRY_AFTER, seconds.into());
    }

    fn millis(&self) -> u64 {
        self.after.as_millis().try_into().unwrap_or(u64::MAX)
    }
}

/// Why a picture is not taken.
#[derive(Debug)]
pub(super) struct Refused {
    status: StatusCode,
    reason: Cow<'static, str>,
    hint: Cow<'static, str>,
}

impl Refused {
    pub(super) fn new(
        status: StatusCode,
        reason: impl Into<Cow<'static, str>>,
        hint: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { status, reason: reason.into(), hint: hint.into() }
    }

    #[cfg(test)]
    pub(super) fn status(&self) -> u16 {
        self.status.as_u16()
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.reason, self.hint)
    }
}

/// The answer in the form that the sender wants.
pub(super) fn answer(outcome: Result<Next, Refused>, headers: &HeaderMap) -> Response<Bytes> {
    let json = wants_json(headers);
    let mut response = match &outcome {
        Ok(next) if json => {
            let body = json!({ "ok": true, "viewers": next.viewers, "next_ms": next.millis() });
            with_type("application/json", body.to_string())
        }
        Ok(_) => with_type("text/plain; charset=utf-8", SUCCESS.to_owned()),
        Err(refused) if json => error::json(refused.status, &refused.reason, &*refused.hint),
        Err(refused) => with_type("text/plain; charset=utf-8", format!("{refused}\n")),
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    match outcome {
        Ok(next) => next.tell(headers),
        Err(refused) => {
            // The rest of what is sent is of no use, and no next request can be found behind it.
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            match refused.status {
                StatusCode::UNAUTHORIZED => {
                    headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
                }
                StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                    headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
                }
                _ => {}
            }
            *response.status_mut() = refused.status;
        }
    }
    response
}

fn with_type(kind: &'static str, body: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// Whether JSON is asked for by its name; who takes anything gets text.
fn wants_json(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|range| {
            let mut parts = range.split(';').map(str::trim);
            let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("application/json"));
            let refuses = |weight: &str| weight.parse::<f32>().is_ok_and(|weight| weight == 0.0);
            named && !parts.filter_map(|part| part.strip_prefix("q=")).any(refuses)
        })
}
