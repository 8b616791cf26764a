//! A camera: its handle, which outputs hold, and the task that owns its life and its capture process.

pub mod controls;
pub mod fresh;
pub mod inbox;
pub mod ledger;
pub mod lifecycle;
pub mod process;
pub mod registry;
pub mod status;
pub mod tally;
pub mod viewers;
pub mod waves;

mod bars;
mod on_wave;
mod polled;
mod programme;
mod requests;
mod task;
mod transition_log;

use std::{ops::Range, path::Path, sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

pub use registry::Cameras;
pub use status::Status;
pub use tally::Tally;

use crate::{
    capture::rolling_file::FILE_NAME,
    config::{CameraConfig, CameraName, Kind, Origins},
    feed::{Feed, Frame, watcher::Watcher},
    token::TokenHash,
};
use controls::{Controls, Panel, SetError, Wanted};
use inbox::Inbox;
use ledger::{Book, Ledger};
use process::Program;
use viewers::{Lease, Viewers};
use waves::Waves;

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
    waves: Waves,
    tally: Tally,
    ledger: Book,
    status: watch::Receiver<Status>,
    recorded: mpsc::Sender<programme::Request>,
    panel: watch::Receiver<Panel>,
    wishes: mpsc::Sender<task::Wish>,
    config: watch::Sender<CameraConfig>,
    inbox: Inbox,
    polled: polled::Polled,
    closed: CancellationToken,
}

/// The camera's task; it ends after `shutdown`, when the capture process is reaped.
pub type Task = JoinHandle<()>;

impl Camera {
    /// Begins a camera's life, idle. Its rolling file lies in the folder `run_folder`/NAME, what has been set of
    /// it and when it was on in `state_folder`/cameras/NAME.
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
        Self::bring_up(config, run_folder, state_folder, program, shutdown, true)
    }

    /// As [`Camera::start`], for a picture that somebody takes by hand: nothing of it is written down.
    ///
    /// # Errors
    /// As [`Camera::start`].
    pub fn start_unrecorded(
        config: CameraConfig,
        run_folder: &Path,
        state_folder: &Path,
        program: Program,
        shutdown: CancellationToken,
    ) -> notify::Result<(Self, Task)> {
        Self::bring_up(config, run_folder, state_folder, program, shutdown, false)
    }

    fn bring_up(
        config: CameraConfig,
        run_folder: &Path,
        state_folder: &Path,
        program: Program,
        shutdown: CancellationToken,
        recorded: bool,
    ) -> notify::Result<(Self, Task)> {
        let feed = Feed::new();
        let viewers = Viewers::new(config.linger);
        let waves = Waves::new();
        let output = run_folder.join(config.name.as_str()).join(FILE_NAME);
        let _ = std::fs::remove_file(&output);
        let watcher = Watcher::start(output.clone(), feed.clone())?;
        let name = config.name.clone();
        let kept = state_folder.join("cameras").join(name.as_str());
        let (publish_panel, panel) = watch::channel(Panel::default());
        let controls = Controls::new(&name, kept.join(controls::FILE_NAME), publish_panel);
        let book = Book::default();
        let ledger = Ledger::open(
            &name,
            recorded.then(|| kept.join(ledger::FILE_NAME)),
            book.clone(),
            viewers.clone(),
        );
        let (wish, wishes) = mpsc::channel(16);
        let (publish, status) = watch::channel(Status::new(&config));
        let (tell_outlook, outlook) = watch::channel(programme::Outlook::default());
        let (want_recorded, requests) = mpsc::channel(16);
        programme::prepare(&feed, &config);
        let inbox = Inbox::beside(&output);
        warn_of(None, &config);
        let (config, configured) = watch::channel(config);
        let handle = Self {
            inner: Arc::new(Inner {
                name,
                feed: feed.clone(),
                ledger: book,
                viewers: viewers.clone(),
                waves: waves.clone(),
                tally: Tally::new(viewers.clone(), feed.clone()),
                status: status.clone(),
                recorded: want_recorded,
                panel,
                wishes: wish,
                config,
                inbox: inbox.clone(),
                polled: polled::Polled::default(),
                closed: shutdown.clone(),
            }),
        };
        let programme = programme::Programme::new(programme::Parts {
            configured: configured.clone(),
            viewers: viewers.clone(),
            feed: feed.clone(),
            status,
            requests,
            outlook: tell_outlook,
            chance: programme::chance,
        });
        tokio::spawn(programme.run(shutdown.clone()));
        let on_wave =
            tokio::spawn(on_wave::follow(waves.seen(), configured.clone(), on_wave::LIMIT, shutdown.clone()));
        let task = task::CameraTask::new(task::Parts {
            configured,
            viewers,
            feed,
            publish,
            outlook,
            output: output.clone(),
            program,
            controls,
            wishes,
            inbox,
            ledger,
        });
        let task = tokio::spawn(async move {
            task.run(shutdown).await;
            let _ = on_wave.await;
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

    /// Greetings of viewers to each other.
    pub fn waves(&self) -> &Waves {
        &self.inner.waves
    }

    /// Counts what is sent of it.
    pub fn tally(&self) -> &Tally {
        &self.inner.tally
    }

    /// When it was on, since `since`, and for how long on that day, all in Unix milliseconds: as the API tells it.
    pub fn ledger(&self, since: u64, day: &Range<u64>) -> serde_json::Value {
        self.inner.ledger.to_json(&self.inner.viewers, since, day)
    }

    /// The recorded picture of this moment, for one viewer alone; none where there are none.
    pub async fn recorded(&self) -> Option<Arc<Frame>> {
        let (request, answer) = oneshot::channel();
        self.inner.recorded.send(request).await.ok()?;
        timeout(PATIENCE, answer).await.ok()?.ok()?
    }

    /// Watches it for a while, for who asks for pictures again and again: all of them are one viewer.
    pub fn polled(&self) {
        let hold = polled::hold(self.inner.config.borrow().interval);
        self.inner.polled.renew(&self.inner.viewers, hold, &self.inner.closed);
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
        let delay = self.inner.config.borrow().privacy.delay;
        if shown(&self.inner.config.borrow()) != shown(&config) || delay != config.privacy.delay {
            // What older pictures show may be what is to be hidden now.
            self.inner.feed.shut();
        }
        programme::prepare(&self.inner.feed, &config);
        warn_of(Some(&self.inner.config.borrow()), &config);
        self.inner.config.send_replace(config);
    }

    /// Other web sites whose pages may show and read its pictures.
    pub fn origins(&self) -> Origins {
        self.inner.config.borrow().origins.clone()
    }

    /// Whether everybody may look at it.
    pub fn public(&self) -> bool {
        self.inner.config.borrow().public
    }

    /// On which terms pictures may be sent to it; none where its pictures come another way.
    pub fn uploads(&self) -> Option<Uploads> {
        let config = self.inner.config.borrow();
        let (interval, rest) = (config.interval, config.rest);
        let token = config.upload_token;
        (config.kind == Kind::Push).then_some(Uploads { token, interval, rest })
    }

    /// Where pictures that are sent to it go.
    pub fn inbox(&self) -> &Inbox {
        &self.inner.inbox
    }

    /// Ends with the camera: what never ends by itself waits for this too.
    pub fn closed(&self) -> &CancellationToken {
        &self.inner.closed
    }
}

/// On which terms pictures may be sent to a camera.
#[derive(Debug, Clone)]
pub struct Uploads {
    /// Who may; nobody where there is none.
    pub token: Option<TokenHash>,
    /// From one picture to the next while somebody watches.
    pub interval: Duration,
    /// How long a sender may rest while nobody does.
    pub rest: Duration,
}

/// Tells the log of a camera that nobody can send pictures to, when that is news.
fn warn_of(before: Option<&CameraConfig>, config: &CameraConfig) {
    let locked = |config: &CameraConfig| config.kind == Kind::Push && config.upload_token.is_none();
    if locked(config) && !before.is_some_and(locked) {
        tracing::warn!(
            camera = %config.name,
            "every upload is refused: the camera has no upload_token; eyelid token {} makes one", config.name
        );
    }
}
