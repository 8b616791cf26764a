//! `/api/stats`: visitors, pictures and bytes of each camera, day by day.

use bytes::Bytes;
use http::Response;

use super::api;
use crate::{camera::Cameras, stats::Stats};

/// `GET /api/stats`
pub(crate) fn stats(stats: &Stats, cameras: &Cameras) -> Response<Bytes> {
    api::answer(&stats.to_json(cameras))
}
