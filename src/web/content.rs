//! What an answer consists of: bytes that are there, or pieces that come with the pictures.

use std::{convert::Infallible, pin::Pin};

use bytes::Bytes;
use futures_util::Stream;
use http::Response;
use warp::Reply;

/// A body in pieces.
pub(crate) type Pieces = Pin<Box<dyn Stream<Item = Result<Bytes, Infallible>> + Send + Sync>>;

/// The body of an answer.
pub(crate) enum Content {
    Whole(Bytes),
    Pieces(Pieces),
}

impl From<Bytes> for Content {
    fn from(bytes: Bytes) -> Self {
        Self::Whole(bytes)
    }
}

/// The answer as warp has it.
pub(crate) fn reply(response: Response<Content>) -> warp::reply::Response {
    let (head, content) = response.into_parts();
    match content {
        Content::Whole(bytes) => Response::from_parts(head, bytes).into_response(),
        Content::Pieces(pieces) => {
            let body = warp::reply::stream(pieces).into_response().into_body();
            Response::from_parts(head, body)
        }
    }
}
