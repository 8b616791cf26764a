//! How fast a camera may run: no faster than pictures are wanted.

use std::{
    ops::RangeInclusive,
    time::{Duration, Instant},
};

/// A sensor runs at least this fast, however seldom a picture is wanted: its exposure must follow the light.
const SLOWEST: Duration = Duration::from_millis(200);

/// The time from one sensor picture to the next for one picture kept each `interval`: a whole part of the
/// interval, as far as the camera's `limits` allow.
pub(super) fn frame_duration(interval: Duration, limits: Option<&RangeInclusive<Duration>>) -> Duration {
    let parts = interval.as_nanos().div_ceil(SLOWEST.as_nanos()).max(1);
    let duration = interval / u32::try_from(parts).unwrap_or(u32::MAX);
    match limits {
        Some(limits) => duration.clamp(*limits.start(), *limits.end()),
        None => duration,
    }
}

/// Lets requests through to the camera, one each frame duration and a few more after a pause.
///
/// A camera that runs at this pace by itself gets each request back at once, so that it always has some to
/// fill. One that would run faster waits for requests.
#[derive(Debug)]
pub(super) struct Flow {
    step: Duration,
    opens: Option<Instant>,
}

impl Flow {
    pub(super) fn new(frame_duration: Duration) -> Self {
        // Sensors count in whole rows, so the pace that they take up is a little off: never be the slower one.
        Self { step: frame_duration - frame_duration / 1_000, opens: None }
    }

    /// Whether a request may go to the camera now.
    pub(super) fn is_open(&self, now: Instant) -> bool {
        self.opens.is_none_or(|opens| opens <= now)
    }

    /// When the next request may go to the camera.
    pub(super) fn opens(&self) -> Option<Instant> {
        self.opens
    }

    /// Lets one request through; true for the first.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let earliest = now.checked_sub(self.step).unwrap_or(now);
        let first = self.opens.is_none();
        self.opens = Some(self.opens.map_or(now, |opens| opens.max(earliest)) + self.step);
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn the_sensor_runs_at_the_interval_but_never_slowly() {
        for (interval, expected) in
            [(33, 33), (100, 100), (200, 200), (250, 125), (1_000, 200), (60_000, 200)]
        {
            assert_eq!(frame_duration(interval * MS, None), expected * MS, "{interval}");
        }
        assert!(frame_duration(Duration::from_secs(u64::MAX), None) >= SLOWEST);
        assert_eq!(frame_duration(Duration::ZERO, None), Duration::ZERO);
    }

    #[test]
    fn the_cameras_limits_hold() {
        let limits = 50 * MS..=120 * MS;
        for (interval, expected) in [(33, 50), (100, 100), (200, 120)] {
            assert_eq!(frame_duration(interval * MS, Some(&limits)), expected * MS, "{interval}");
        }
    }

    /// Requests that a camera fills in `frame` each, from one millisecond to the next.
    fn filled(frame: u32, seconds: u32) -> usize {
        let start = Instant::now();
        let mut flow = Flow::new(100 * MS);
        let (mut idle, mut queued, mut filled) = (4, 0, 0);
        for ms in 0..seconds * 1_000 {
            let now = start + ms * MS;
            while idle > 0 && flow.is_open(now) {
                flow.take(now);
                (idle, queued) = (idle - 1, queued + 1);
            }
            if ms % frame == 0 && queued > 0 {
                (idle, queued, filled) = (idle + 1, queued - 1, filled + 1);
            }
        }
        filled
    }

    #[test]
    fn a_camera_that_would_run_faster_is_held_back() {
        for frame in [1, 33] {
            assert!((99..=103).contains(&filled(frame, 10)), "{}", filled(frame, 10));
        }
    }

    #[test]
    fn a_camera_at_the_pace_or_slower_never_waits() {
        assert_eq!(filled(100, 60), 600);
        assert_eq!(filled(150, 60), 400);
    }

    #[test]
    fn only_the_first_is_the_first() {
        let mut flow = Flow::new(100 * MS);
        let now = Instant::now();
        assert!(flow.is_open(now) && flow.take(now));
        assert!(!flow.is_open(now) && !flow.take(now));
        assert!(flow.opens().is_some_and(|opens| opens > now));
    }
}
