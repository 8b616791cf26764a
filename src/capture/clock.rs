//! When a picture was taken.

use std::time::{Duration, SystemTime};

use rustix::time::{ClockId, clock_gettime};

/// The time of exposure that a driver's time stamp stands for, or now without one.
pub(super) fn exposed(stamp: Option<Duration>) -> SystemTime {
    let [monotonic, boottime] = [ClockId::Monotonic, ClockId::Boottime].map(|clock| {
        let time = clock_gettime(clock);
        Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
    });
    let now = SystemTime::now();
    let age = stamp.and_then(|stamp| age(stamp, monotonic, boottime)).unwrap_or_default();
    now.checked_sub(age).unwrap_or(now)
}

/// How long ago `stamp` was.
///
/// libcamera documents `CLOCK_BOOTTIME`, but hands the kernel's stamps through, and V4L2 drivers stamp with
/// `CLOCK_MONOTONIC`. The two differ by the time that the machine was suspended, so that a stamp which lies
/// in the future of one is of the other.
fn age(stamp: Duration, monotonic: Duration, boottime: Duration) -> Option<Duration> {
    monotonic.checked_sub(stamp).or_else(|| boottime.checked_sub(stamp))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_stamp_of_either_clock_gives_the_age() {
        let (monotonic, boottime) = (100 * SECOND, 5_000 * SECOND);
        assert_eq!(age(99 * SECOND, monotonic, boottime), Some(SECOND));
        assert_eq!(age(4_998 * SECOND, monotonic, boottime), Some(2 * SECOND));
        assert_eq!(age(5_001 * SECOND, monotonic, boottime), None);
    }

    #[test]
    fn a_stamp_becomes_wall_clock_time() {
        let stamp = clock_gettime(ClockId::Monotonic);
        let before = SystemTime::now();
        let exposed = exposed(Some(Duration::new(stamp.tv_sec.unsigned_abs(), stamp.tv_nsec as u32)));
        let off = exposed.duration_since(before).unwrap_or_else(|error| error.duration());
        assert!(off < SECOND, "{off:?}");
    }

    #[test]
    fn without_a_stamp_it_is_now() {
        let before = SystemTime::now();
        for stamp in [None, Some(Duration::MAX)] {
            assert!(exposed(stamp) >= before, "{stamp:?}");
        }
    }
}
