//! What would fill the log: it is told at its first time, and after that counted and told once a minute.

use std::time::Duration;

use tokio::time::Instant;

const EACH: Duration = Duration::from_secs(60);

/// How often something has happened since it was last told.
#[derive(Debug, Default)]
pub(crate) struct Repeats {
    told: Option<Instant>,
    untold: u64,
}

impl Repeats {
    /// Notes that it has happened. Where it is to be told now, how often it was not told since the last time.
    pub(crate) fn note(&mut self) -> Option<u64> {
        if self.told.is_some_and(|at| at.elapsed() < EACH) {
            self.untold += 1;
            return None;
        }
        self.told = Some(Instant::now());
        Some(std::mem::take(&mut self.untold))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_is_told_once_and_then_counted_for_a_minute() {
        let mut repeats = Repeats::default();
        assert_eq!(repeats.note(), Some(0));
        assert_eq!((repeats.note(), repeats.note()), (None, None));
        tokio::time::advance(EACH - Duration::from_millis(1)).await;
        assert_eq!(repeats.note(), None);
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(repeats.note(), Some(3));
        assert_eq!(repeats.note(), None);
    }
}
