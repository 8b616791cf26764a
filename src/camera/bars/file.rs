//! A switch that is on while a file is there.

use std::{
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _, event::ModifyKind};
use tokio::{
    sync::{Notify, watch},
    time::sleep,
};

use super::switch::tell;
use crate::capture::protocol::Failure;

/// How often it is looked for where its folder can't be watched, as when there is none yet.
const POLL: Duration = Duration::from_secs(1);

pub(super) struct Watch {
    path: PathBuf,
}

impl Watch {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Why the camera may not run.
    pub(super) fn look(&self) -> Option<Failure> {
        let path = self.path.display();
        match self.path.symlink_metadata() {
            Ok(_) => {
                let off = format!("switched off by {path}");
                Some(Failure::new(off, "remove that file, and the camera may run again"))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => Some(unknown(&path.to_string(), &error)),
        }
    }

    pub(super) async fn follow(self, on: watch::Sender<Option<Failure>>) {
        let folder = self.path.parent().unwrap_or(Path::new("/")).to_owned();
        loop {
            let signs = Arc::new(Signs::default());
            let Ok(_watcher) = arm(&folder, Arc::clone(&signs)) else {
                tell(&on, self.look());
                sleep(POLL).await;
                continue;
            };
            // What happened before it was watched is seen here.
            tell(&on, self.look());
            while !signs.gone.load(Ordering::Acquire) {
                signs.any.notified().await;
                tell(&on, self.look());
            }
        }
    }
}

/// What was seen in a folder.
#[derive(Default)]
struct Signs {
    any: Notify,
    /// It is not where it was, so nothing more will be seen.
    gone: AtomicBool,
}

fn arm(folder: &Path, signs: Arc<Signs>) -> notify::Result<RecommendedWatcher> {
    let own = folder.to_owned();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let Ok(event) = event else { return };
        if matches!(event.kind, EventKind::Access(_)) && !event.need_rescan() {
            return;
        }
        let left = matches!(event.kind, EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)));
        if left && event.paths.contains(&own) {
            signs.gone.store(true, Ordering::Release);
        }
        signs.any.notify_one();
    })?;
    watcher.watch(folder, RecursiveMode::NonRecursive)?;
    Ok(watcher)
}

fn unknown(path: &str, error: &io::Error) -> Failure {
    Failure::new(
        format!("the switch {path} can't be looked at, so the camera stays off: {error}"),
        "let the user that Eyelid runs as look into its folder",
    )
}
