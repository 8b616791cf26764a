//! What a client is told when it does not get what it asked for.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;

#[derive(Serialize)]
struct Problem<'a> {
    error: &'a str,
    hint: Option<&'a str>,
}

/// The answer to what can't be had, for a place where that is seldom.
pub(crate) type Refusal = Box<Response<Bytes>>;

/// An answer `{"error": …, "hint": …}` that no cache keeps: what is wrong, and what to do about it.
pub(crate) fn json<'a>(
    status: StatusCode,
    error: &'a str,
    hint: impl Into<Option<&'a str>>,
) -> Response<Bytes> {
    let body = serde_json::to_vec(&Problem { error, hint: hint.into() }).expect("two texts are valid JSON");
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_json_that_no_cache_keeps() {
        let response = json(StatusCode::NOT_FOUND, "no camera \"tank\"", "see /api/cameras");
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        assert_eq!(response.body(), r#"{"error":"no camera \"tank\"","hint":"see /api/cameras"}"#.as_bytes());
        assert_eq!(json(StatusCode::NOT_FOUND, "x", None).body(), r#"{"error":"x","hint":null}"#.as_bytes());
    }
}
