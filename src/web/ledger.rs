//! `/api/cameras/NAME/ledger`: when the camera was on.

use std::ops::Range;

use bytes::Bytes;
use http::Response;
use jiff::{Timestamp, Zoned};

use super::{api, query};
use crate::camera::Camera;

/// How far back it goes unless it is said, in milliseconds.
const USUALLY: u64 = 24 * 60 * 60 * 1000;

/// `GET /api/cameras/NAME/ledger`
pub(crate) fn ledger(camera: &Camera, asked: Option<&str>) -> Response<Bytes> {
    let now = Zoned::now();
    let since = match query::since(asked) {
        Ok(since) => since.unwrap_or_else(|| millis(now.timestamp()).saturating_sub(USUALLY)),
        Err(refusal) => return *refusal,
    };
    api::answer(&camera.ledger(since, &day(&now)))
}

/// The day that it is, from its first moment to that of the next one, in Unix milliseconds. It may have 23 hours or 25.
fn day(now: &Zoned) -> Range<u64> {
    let begin = now.start_of_day().ok();
    let end = now.tomorrow().and_then(|tomorrow| tomorrow.start_of_day()).ok();
    // Both fail in the years -9999 and 9999 only.
    let moment = |at: Option<Zoned>| at.map_or(0, |at| millis(at.timestamp()));
    moment(begin)..moment(end)
}

fn millis(at: Timestamp) -> u64 {
    at.as_millisecond().try_into().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_that_of_the_place_and_may_be_short_or_long() {
        for (now, hours) in [
            ("2026-11-21T13:00:00+01:00[Europe/Berlin]", 24),
            ("2026-03-29T12:00:00+02:00[Europe/Berlin]", 23),
            ("2026-10-25T00:00:00+02:00[Europe/Berlin]", 25),
        ] {
            let now: Zoned = now.parse().unwrap();
            let day = day(&now);
            assert_eq!((day.end - day.start) / 3_600_000, hours, "{now}");
            assert!(day.contains(&millis(now.timestamp())));
        }
    }
}
