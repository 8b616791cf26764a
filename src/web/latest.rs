//! `latest`: the newest picture at once, for pages that ask again and again.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Response};

use super::{image::picture, snapshot::unavailable};
use crate::{
    camera::{
        Camera,
        fresh::{at_hand, refusal},
    },
    capture::protocol::Failure,
    feed::Frame,
};

/// Answers with a live picture, else a recorded one, else the newest there is, and never waits for one; and counts as a
/// viewer for a while.
pub(crate) async fn latest(camera: &Camera, headers: &HeaderMap) -> Response<Bytes> {
    camera.polled();
    match find(camera).await {
        Some(frame) => picture(&frame, None, "no-store", headers),
        None => {
            let why = refusal(&camera.status().borrow());
            let starting =
                || (Failure::unexplained("the camera has no picture yet"), Some(Duration::from_secs(1)));
            unavailable(why.unwrap_or_else(starting))
        }
    }
}

async fn find(camera: &Camera) -> Option<Arc<Frame>> {
    let (playing, can_play) = {
        let status = camera.status();
        let status = status.borrow();
        (status.playing, status.can_play)
    };
    let newest = camera.feed().newest();
    if playing && newest.is_some() {
        return newest;
    }
    if let Some(live) = at_hand(camera) {
        return Some(live);
    }
    let recorded = if can_play { camera.recorded().await } else { None };
    recorded.or(newest)
}
