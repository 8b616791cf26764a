//! A lease that all share who ask for pictures again and again.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::time::sleep_until;
use tokio_util::sync::CancellationToken;

use super::viewers::Viewers;

/// How long who has asked counts as a viewer, at least.
const HOLD: Duration = Duration::from_secs(10);

/// How long who has asked for a picture of such a camera counts as a viewer.
pub(super) fn hold(interval: Duration) -> Duration {
    HOLD.max(interval.saturating_mul(3))
}

/// The end of the lease, while there is one.
#[derive(Debug, Clone, Default)]
pub(super) struct Polled {
    until: Arc<Mutex<Option<Instant>>>,
}

impl Polled {
    /// Watches for so long from now on: one viewer, however many ask.
    pub(super) fn renew(&self, viewers: &Viewers, hold: Duration, closed: &CancellationToken) {
        let end = Instant::now() + hold;
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        if until.replace(end).is_some() {
            return;
        }
        let (lease, polled, closed) = (viewers.lease(), self.clone(), closed.clone());
        tokio::spawn(async move {
            let mut end = end;
            while closed.run_until_cancelled(sleep_until(end.into())).await.is_some() {
                let mut until = polled.until.lock().unwrap_or_else(PoisonError::into_inner);
                match *until {
                    Some(later) if later > Instant::now() => end = later,
                    _ => {
                        *until = None;
                        break;
                    }
                }
            }
            drop(lease);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_asks_once_in_an_interval_is_a_viewer_all_the_time() {
        for (interval, held) in
            [(100, 10_000), (3_000, 10_000), (4_000, 12_000), (86_400_000, 3 * 86_400_000)]
        {
            assert_eq!(hold(Duration::from_millis(interval)), Duration::from_millis(held));
        }
    }

    #[tokio::test]
    async fn all_who_ask_are_one_viewer_until_a_while_after_the_last() {
        let (viewers, polled, closed) =
            (Viewers::new(Duration::ZERO), Polled::default(), CancellationToken::new());
        let hour = Duration::from_secs(3600);
        let mut count = viewers.count();
        for _ in 0..2 {
            for _ in 0..10 {
                polled.renew(&viewers, Duration::from_millis(20), &closed);
            }
            assert_eq!(*count.borrow(), 1);
            let gone = count.wait_for(|count| *count == 0);
            tokio::time::timeout(hour, gone).await.unwrap().unwrap();
        }
        polled.renew(&viewers, hour, &closed);
        polled.renew(&viewers, hour, &closed);
        assert_eq!(*count.borrow(), 1);
        closed.cancel();
        tokio::time::timeout(hour, count.wait_for(|count| *count == 0)).await.unwrap().unwrap();
    }
}
