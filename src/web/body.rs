//! What clients send as JSON.

use bytes::Buf;
use futures_util::{Stream, TryStreamExt};
use http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;

use super::error::{self, Refusal};

/// The longest body that is read, in bytes.
const LONGEST: usize = 16 << 10;

/// Reads a body of JSON; `form` tells who sends something else what is wanted.
pub(super) async fn json<T: DeserializeOwned, B: Buf, E>(
    headers: &HeaderMap,
    body: impl Stream<Item = Result<B, E>>,
    form: &str,
) -> Result<T, Refusal> {
    serde_json::from_slice(&read(headers, body).await?).map_err(|wrong| {
        refuse(StatusCode::BAD_REQUEST, &format!("the body is not what is wanted: {wrong}"), form)
    })
}

fn refuse(status: StatusCode, error: &str, hint: &str) -> Refusal {
    Box::new(error::json(status, error, hint))
}

fn is_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(only), None) = (types.next(), types.next()) else { return false };
    let name = only.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
    name.trim_ascii().eq_ignore_ascii_case(b"application/json")
}

/// Reads a body that says that it is JSON.
pub(super) async fn read<B: Buf, E>(
    headers: &HeaderMap,
    body: impl Stream<Item = Result<B, E>>,
) -> Result<Vec<u8>, Refusal> {
    if !is_json(headers) {
        let error = "only JSON is understood here";
        let hint = "send it with Content-Type: application/json";
        return Err(refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, error, hint));
    }
    whole(body).await
}

async fn whole<B: Buf, E>(body: impl Stream<Item = Result<B, E>>) -> Result<Vec<u8>, Refusal> {
    let mut body = std::pin::pin!(body);
    let mut bytes = Vec::new();
    loop {
        match body.try_next().await {
            Ok(None) => return Ok(bytes),
            Ok(Some(mut piece)) => {
                while piece.has_remaining() {
                    let chunk = piece.chunk();
                    bytes.extend_from_slice(chunk);
                    let moved = chunk.len();
                    piece.advance(moved);
                }
                if bytes.len() > LONGEST {
                    let error = format!("the body has more than {LONGEST} bytes");
                    return Err(refuse(StatusCode::PAYLOAD_TOO_LARGE, &error, "send less at a time"));
                }
            }
            Err(_) => {
                return Err(refuse(StatusCode::BAD_REQUEST, "the body breaks off", "send all of it"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures_util::stream;

    use super::*;

    fn headers(types: &[&'static str]) -> HeaderMap {
        let value = |text: &&'static str| (header::CONTENT_TYPE, http::HeaderValue::from_static(text));
        types.iter().map(value).collect()
    }

    #[test]
    fn json_is_known_by_its_media_type_alone() {
        for (types, expected) in [
            (&["application/json"][..], true),
            (&["Application/JSON ; charset=utf-8"], true),
            (&[], false),
            (&["text/plain"], false),
            (&["application/json-patch+json"], false),
            (&["text/plain; application/json"], false),
        ] {
            assert_eq!(is_json(&headers(types)), expected, "{types:?}");
        }
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_its_limit() {
        let pieces = |sizes: &[usize]| {
            stream::iter(
                sizes.iter().map(|size| Ok::<_, ()>(Bytes::from(vec![b'x'; *size]))).collect::<Vec<_>>(),
            )
        };
        assert_eq!(whole(pieces(&[0, 1, LONGEST - 1])).await.unwrap().len(), LONGEST);
        assert_eq!(whole(pieces(&[LONGEST, 1])).await.unwrap_err().status(), 413);
        let broken = stream::iter([Ok(Bytes::from_static(b"{")), Err(())]);
        assert_eq!(whole(broken).await.unwrap_err().status(), 400);
    }
}
