//! The state of a switch, kept up to date by a task or a thread of its own.

use std::thread;

use tokio::{sync::watch, task::JoinHandle};

use super::{file, gpio};
use crate::{capture::protocol::Failure, config::Switch};

/// A switch that is watched for as long as this lives.
#[derive(Debug)]
pub(super) struct SwitchWatch {
    /// Why the camera may not run.
    on: watch::Receiver<Option<Failure>>,
    task: Option<JoinHandle<()>>,
}

impl SwitchWatch {
    /// Has looked at it before it returns.
    pub(super) fn start(switch: &Switch) -> Self {
        match switch.clone() {
            Switch::File(path) => {
                let watch = file::Watch::new(path.into());
                let (tell, on) = watch::channel(watch.look());
                Self { on, task: Some(tokio::spawn(watch.follow(tell))) }
            }
            Switch::Gpio { chip, line, low } => {
                let mut line = gpio::Line::new(&chip, line, low);
                let (tell, on) = watch::channel(line.look());
                let report = tell.clone();
                let thread =
                    thread::Builder::new().name("gpio-switch".into()).spawn(move || line.follow(tell));
                if let Err(error) = thread {
                    report.send_replace(Some(Failure::unexplained(format!(
                        "the switch can't be watched: {error}"
                    ))));
                }
                Self { on, task: None }
            }
        }
    }

    /// Why the camera may not run, while the switch is on.
    pub(super) fn on(&self) -> Option<Failure> {
        self.on.borrow().clone()
    }

    /// Wakes when that changes.
    pub(super) async fn changed(&mut self) {
        if self.on.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for SwitchWatch {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// Tells what has changed.
pub(super) fn tell(to: &watch::Sender<Option<Failure>>, on: Option<Failure>) {
    to.send_if_modified(|known| {
        let changed = *known != on;
        *known = on;
        changed
    });
}
