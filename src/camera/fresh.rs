//! One fresh picture, for which the camera is started if need be.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use tokio::time::timeout;

use super::{Camera, Status, lifecycle::State, viewers::Lease};
use crate::{capture::protocol::Failure, feed::Frame};

/// Longer than any start timeout that makes sense to wait for with an open request.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Why there is no picture, and when it is worth trying again, where anybody knows.
pub type Refusal = (Failure, Option<Duration>);

/// A picture that is the newest the camera can give, from a camera that is on; or why there is none.
///
/// # Errors
/// When the camera fails, does not answer in time, or the daemon stops.
pub async fn fresh(camera: &Camera) -> Result<Arc<Frame>, Refusal> {
    // Even for a picture that is there: who asks again and again keeps the camera on.
    fresh_for(camera, &camera.lease()).await
}

/// As [`fresh`], for who watches already and is not to be counted twice.
///
/// # Errors
/// As [`fresh`].
pub async fn fresh_for(camera: &Camera, _watching: &Lease) -> Result<Arc<Frame>, Refusal> {
    let asked = Instant::now();
    let mut frames = camera.feed().subscribe();
    let mut status = camera.status();
    let fresh = |frame: &Arc<Frame>| frame.read >= asked;
    let wait = async {
        loop {
            let newest = frames.borrow_and_update().clone();
            // Recorded pictures come soon where there are no live ones.
            let refusal = Some(status.borrow_and_update()).filter(|now| !now.can_play);
            let refusal = refusal.and_then(|now| self::refusal(&now));
            // A picture may have come just before, and its camera be known to be on just after this began.
            if let Some(frame) = newest.filter(&fresh).or_else(|| at_hand(camera)) {
                return Ok(frame);
            }
            if let Some(refusal) = refusal {
                return Err(refusal);
            }
            tokio::select! {
                Ok(()) = frames.changed() => {}
                Ok(()) = status.changed() => {}
                () = camera.closed().cancelled() => {
                    return Err((Failure::unexplained("the daemon stops"), Some(Duration::from_secs(5))));
                }
            }
        }
    };
    timeout(LONGEST_WAIT, wait).await.unwrap_or_else(|_| {
        let failure = Failure::unexplained(format!("no picture within {LONGEST_WAIT:?}"));
        Err((failure, Some(Duration::from_secs(10))))
    })
}

/// The newest picture, if the camera is on and the picture no older than the next one should be.
pub fn at_hand(camera: &Camera) -> Option<Arc<Frame>> {
    let newest = camera.feed().newest()?;
    let status = camera.status();
    let status = status.borrow();
    let on = matches!(status.state, State::Live | State::Lingering);
    (on && newest.read.elapsed() < status.interval * 2).then_some(newest)
}

/// Why a camera has no picture to give now.
pub fn refusal(status: &Status) -> Option<Refusal> {
    if let Some(block) = &status.block {
        let until = block.until.map(|until| until.duration_since(SystemTime::now()).unwrap_or_default());
        return Some((block.why.clone(), until));
    }
    let failure = status.failure.clone().filter(|_| status.state == State::Backoff)?;
    let retry = status.retry_at.map_or(Duration::ZERO, |at| at.saturating_duration_since(Instant::now()));
    Some((failure, Some(retry)))
}
