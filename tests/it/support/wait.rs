//! Waiting for what has to come.

use std::time::Duration;

/// Far longer than anything here takes: it only ends tests that fail.
const DEADLINE: Duration = Duration::from_secs(90);

/// How often [`eventually`] looks.
const PAUSE: Duration = Duration::from_millis(5);

/// Looks until there is something to be seen.
///
/// # Panics
/// When there is nothing within [`DEADLINE`].
#[track_caller]
pub(crate) fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> impl Future<Output = T> {
    in_time(what, async move {
        loop {
            if let Some(seen) = look().await {
                return seen;
            }
            tokio::time::sleep(PAUSE).await;
        }
    })
}

/// Waits for something that tells of itself.
///
/// # Panics
/// When it does not come within [`DEADLINE`].
#[track_caller]
pub(crate) fn in_time<T>(what: &str, coming: impl Future<Output = T>) -> impl Future<Output = T> {
    let (caller, what) = (std::panic::Location::caller(), what.to_owned());
    async move {
        match tokio::time::timeout(DEADLINE, coming).await {
            Ok(come) => come,
            Err(_) => panic!("{caller}: not within {DEADLINE:?}: {what}"),
        }
    }
}
