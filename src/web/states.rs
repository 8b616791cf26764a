//! When viewers are told what a camera is doing.

use std::time::Duration;

use serde_json::Value;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use crate::camera::{Camera, Status};

/// Between two states that differ in nothing but numbers: with a thousand viewers that come at once, each of
/// them told of each would be a million messages.
const NUMBERS_PAUSE: Duration = Duration::from_secs(1);

/// The states of one camera that are worth telling, from now on.
pub(super) struct States {
    status: watch::Receiver<Status>,
    told: Status,
    last_told: Instant,
    due: Option<Instant>,
}

impl States {
    pub(super) fn of(camera: &Camera) -> Self {
        let mut status = camera.status();
        let told = status.borrow_and_update().clone();
        Self { status, told, last_told: Instant::now(), due: None }
    }

    /// What it is doing, for whoever has just come.
    pub(super) fn now(&self) -> Value {
        self.status.borrow().to_json()
    }

    /// The next one; nothing when the camera is gone. May be given up at any time and asked for again.
    pub(super) async fn next(&mut self) -> Option<Value> {
        loop {
            tokio::select! {
                changed = self.status.changed() => {
                    changed.ok()?;
                    let in_kind = self.status.borrow_and_update().differs_in_kind(&self.told);
                    let pause = if in_kind { Duration::ZERO } else { NUMBERS_PAUSE };
                    let earliest = (self.last_told + pause).max(Instant::now());
                    self.due = Some(self.due.map_or(earliest, |due| due.min(earliest)));
                }
                () = sleep_until(self.due.unwrap_or_else(Instant::now)), if self.due.is_some() => {
                    self.due = None;
                    self.last_told = Instant::now();
                    self.told = self.status.borrow().clone();
                    return Some(self.told.to_json());
                }
            }
        }
    }
}
