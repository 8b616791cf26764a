//! A camera: its handle, which outputs hold, and the task that owns its life and its capture process.

pub mod controls;
pub mod fresh;
pub mod lifecycle;
pub mod process;
pub mod registry;
pub mod status;
pub mod viewers;

mod bars;
mod requests;
mod task;
mod transition_log;

use std::{path::Path, sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

pub use registry::Cameras;
pub use status::Status;

use crate::{
    capture::rolling_file::FILE_NAME,
    config::{CameraConfig, CameraName, Origins},
    feed::{Feed, watcher::Watcher},
};
use controls::{Controls, Panel, SetError, Wanted};
use process::Program;
use viewers::{Lease, Viewers};

/// How long a capture process and a disk may take until a change is told as if it had come about.
const PATIENCE: Duration = Duration::from_secs(2);

/// A camera, as the outputs see it. Clones are the same camera.
#[derive(Debug, Clone)]
pub struct Camera {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    name: CameraName,
    feed: Feed,
    viewers: Viewers,
    status: watch::Receiver<Status>,
    panel: watch::Receiver<Panel>,
    wishes: mpsc::Sender<task::Wish>,
    config: watch::Sender<CameraConfig>,
    closed: CancellationToken,
}

/// The camera's task; it ends after `shutdown`, when the capture process is reaped.
pub type Task = JoinHandle<()>;

impl Camera {
    /// Begins a camera's life, idle. Its rolling file lies in the folder `run_folder`/NAME, what has been set of
    /// it in `state_folder`/cameras/NAME.
    ///
    /// # Errors
    /// When the folder can't be made or watched.
    pub fn start(
        config: CameraConfig,
        run_folder: &Path,
        state_folder: &Path,
        program: Program,
        shutdown: CancellationToken,
    ) -> notify::Result<(Self, Task)> {
        let feed = Feed::new();
        let viewers = Viewers::new(config.linger);
        let output = run_folder.join(config.name.as_str()).join(FILE_NAME);
        let _ = std::fs::remove_file(&output);
        let watcher = Watcher::start(output.clone(), feed.clone())?;
        let name = config.name.clone();
        let kept = state_folder.join("cameras").join(name.as_str()).join(controls::FILE_NAME);
        let (publish_panel, panel) = watch::channel(Panel::default());
        let controls = Controls::new(&name, kept, publish_panel);
        let (wish, wishes) = mpsc::channel(16);
        let (publish, status) = watch::channel(Status::new(&config));
        let (config, configured) = watch::channel(config);
        let handle = Self {
            inner: Arc::new(Inner {
                name,
                feed: feed.clone(),
                viewers: viewers.clone(),
                status,
                panel,
                wishes: wish,
                config,
                closed: shutdown.clone(),
            }),
        };
        let task = task::CameraTask::new(
            configured,
            viewers,
            feed,
            publish,
            output.clone(),
            program,
            (controls, wishes),
        );
        let task = tokio::spawn(async move {
            task.run(shutdown).await;
            drop(watcher);
            if let Some(folder) = output.parent() {
                let _ = std::fs::remove_dir(folder);
            }
        });
        Ok((handle, task))
    }

    /// Its name in URLs and logs.
    pub fn name(&self) -> &CameraName {
        &self.inner.name
    }

    /// Whether both are handles of one camera.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    /// Its pictures.
    pub fn feed(&self) -> &Feed {
        &self.inner.feed
    }

    /// Who watches it.
    pub fn viewers(&self) -> &Viewers {
        &self.inner.viewers
    }

    /// Watches it without a browser, until the lease is dropped.
    pub fn lease(&self) -> Lease {
        self.inner.viewers.lease()
    }

    /// What it is doing, and a wake-up whenever that changes.
    pub fn status(&self) -> watch::Receiver<Status> {
        self.inner.status.clone()
    }

    /// What can be set of it, and a wake-up whenever that changes.
    pub fn controls(&self) -> watch::Receiver<Panel> {
        self.inner.panel.clone()
    }

    /// Sets controls: at once where it runs, and with each start from now on. All of it is checked first. The panel
    /// in the answer is as the camera has told it; or, if that takes long, as it was asked for.
    ///
    /// # Errors
    /// When nothing is set, and why.
    pub async fn set_controls(&self, wanted: Wanted) -> Result<Panel, SetError> {
        let (answer, answered) = oneshot::channel();
        self.inner.wishes.send((wanted, answer)).await.map_err(|_| SetError::Closed)?;
        let ticket = answered.await.map_err(|_| SetError::Closed)??;
        let mut panel = self.controls();
        let _ = timeout(PATIENCE, panel.wait_for(|panel| panel.has_done(ticket))).await;
        let panel = panel.borrow().clone();
        Ok(panel)
    }

    /// Gives it a new configuration, which takes effect at once; the name stays.
    pub fn configure(&self, config: CameraConfig) {
        let shown =
            |config: &CameraConfig| (config.picture.clone(), config.rotate, config.hflip, config.vflip);
        if shown(&self.inner.config.borrow()) != shown(&config) {
            // What older pictures show may be what is to be hidden now.
            self.inner.feed.shut();
        }
        self.inner.config.send_replace(config);
    }

    /// Other web sites whose pages may show and read its pictures.
    pub fn origins(&self) -> Origins {
        self.inner.config.borrow().origins.clone()
    }

    /// Ends with the camera: what never ends by itself waits for this too.
    pub fn closed(&self) -> &CancellationToken {
        &self.inner.closed
    }
}
