//! When the file is written: seldom, as an SD card wears out by each write.

use std::{io, time::Duration};

use jiff::Zoned;
use tokio::{
    task::{JoinHandle, spawn_blocking},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::Stats;
use crate::state_folder;

/// From one write to the next, but for midnight.
const EACH: Duration = Duration::from_secs(10 * 60);
/// How long the end of the daemon waits for a disk that hangs.
const LAST_WRITE: Duration = Duration::from_secs(3);

/// The task that keeps what is counted.
#[derive(Debug)]
pub struct Keeper {
    task: JoinHandle<()>,
    stop: CancellationToken,
}

impl Keeper {
    /// Writes from now on what is new, every ten minutes at most, and at midnight.
    pub fn start(stats: Stats) -> Self {
        let stop = CancellationToken::new();
        let task = tokio::spawn(keep(stats, stop.clone()));
        Self { task, stop }
    }

    /// Writes what is not written yet; to be called when all cameras have ended.
    pub async fn close(self) {
        self.stop.cancel();
        let mut task = self.task;
        if timeout(LAST_WRITE, &mut task).await.is_err() {
            task.abort();
            tracing::error!("what was counted can't be written: the disk hangs");
        }
    }
}

async fn keep(stats: Stats, stop: CancellationToken) {
    let mut stopping = false;
    while !stopping {
        let pause = until_midnight(&(stats.shared.clock)()).min(EACH);
        stopping = stop.run_until_cancelled(sleep(pause)).await.is_none();
        write(&stats).await;
    }
}

/// To the day's end; a clock that is set meanwhile is noticed within [`EACH`].
fn until_midnight(now: &Zoned) -> Duration {
    let midnight = now.tomorrow().and_then(|tomorrow| tomorrow.start_of_day());
    // A little more: timers have milliseconds, and the day must be over.
    midnight.map_or(EACH, |midnight| now.duration_until(&midnight).unsigned_abs() + Duration::from_millis(2))
}

async fn write(stats: &Stats) {
    let text = {
        let mut desk = stats.collected();
        if !std::mem::take(&mut desk.changed) {
            return;
        }
        serde_json::to_vec(&desk.history).expect("numbers and texts are JSON")
    };
    let Some(file) = stats.shared.file.clone() else { return };
    let shown = file.display().to_string();
    let written = spawn_blocking(move || state_folder::replace(&file, &text)).await;
    let trouble = written.map_err(io::Error::other).flatten().err().map(|error| {
        format!("what is counted now is forgotten when the daemon ends: {shown} can't be written: {error}")
    });
    let mut desk = stats.desk();
    match &trouble {
        Some(trouble) if desk.trouble.is_none() => tracing::error!("{trouble}"),
        None if desk.trouble.is_some() => tracing::info!("{shown} can be written again"),
        _ => {}
    }
    desk.changed |= trouble.is_some();
    desk.trouble = trouble;
}
