//! The task that owns one camera: it brings events to the lifecycle and carries its actions out.

use std::{
    collections::VecDeque,
    fs,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{MissedTickBehavior, interval, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{
    Status,
    bars::Bars,
    controls::{Controls, SetError, Ticket, Wanted},
    inbox::Inbox,
    ledger::Ledger,
    lifecycle::{Action, Event, Lifecycle, Limits, State},
    process::{CaptureProcess, Program, Told},
    programme::Outlook,
    status::Block,
    transition_log::TransitionLog,
    viewers::Viewers,
};
use crate::{
    capture::{
        Spec,
        protocol::{Failure, Streaming},
    },
    config::{CameraConfig, Kind},
    feed::{Feed, Frame},
    memory,
};

/// Over how long the pictures a second are measured.
const RATE_WINDOW: Duration = Duration::from_secs(2);

/// What somebody wants of the controls, and who is told what to wait for.
pub(super) type Wish = (Wanted, oneshot::Sender<Result<Ticket, SetError>>);

/// What a camera's task is made of.
pub(super) struct Parts {
    pub(super) configured: watch::Receiver<CameraConfig>,
    pub(super) viewers: Viewers,
    pub(super) feed: Feed,
    pub(super) publish: watch::Sender<Status>,
    pub(super) outlook: watch::Receiver<Outlook>,
    pub(super) output: PathBuf,
    pub(super) program: Program,
    pub(super) controls: Controls,
    pub(super) wishes: mpsc::Receiver<Wish>,
    pub(super) inbox: Inbox,
    pub(super) ledger: Ledger,
}

pub(super) struct CameraTask {
    configured: watch::Receiver<CameraConfig>,
    config: CameraConfig,
    viewers: Viewers,
    feed: Feed,
    frames: watch::Receiver<Option<Arc<Frame>>>,
    publish: watch::Sender<Status>,
    outlook: watch::Receiver<Outlook>,
    output: PathBuf,
    program: Program,
    controls: Controls,
    wishes: mpsc::Receiver<Wish>,
    inbox: Inbox,
    ledger: Ledger,
    life: Lifecycle,
    bars: Bars,
    block: Option<Block>,
    process: Option<CaptureProcess>,
    source: Option<Streaming>,
    /// The notice that was logged last.
    notice: Option<String>,
    size: Option<(u16, u16)>,
    arrivals: VecDeque<Instant>,
    fps: f64,
    ignored_before: u64,
    /// Whether the capture process was started with other settings.
    outdated: bool,
    log: TransitionLog,
}

impl CameraTask {
    pub(super) fn new(parts: Parts) -> Self {
        let Parts {
            mut configured,
            viewers,
            feed,
            publish,
            outlook,
            output,
            program,
            controls,
            wishes,
            inbox,
            ledger,
        } = parts;
        let config = configured.borrow_and_update().clone();
        let life = Lifecycle::new(limits(&config));
        let bars = Bars::new(&config.privacy);
        Self {
            configured,
            config,
            viewers,
            frames: feed.arrivals(),
            feed,
            publish,
            outlook,
            output,
            program,
            controls,
            wishes,
            inbox,
            ledger,
            life,
            bars,
            block: None,
            process: None,
            source: None,
            notice: None,
            size: None,
            arrivals: VecDeque::new(),
            fps: 0.0,
            ignored_before: 0,
            outdated: false,
            log: TransitionLog::default(),
        }
    }

    /// Runs until `shutdown` and the end of the capture process.
    pub(super) async fn run(mut self, shutdown: CancellationToken) {
        let mut count = self.viewers.count();
        // Somebody may have come before this task was first run.
        count.mark_changed();
        let mut rate = interval(RATE_WINDOW);
        rate.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut closing = false;
        self.heed_bars();
        while !(closing && self.process.is_none()) {
            let deadline = self.life.deadline();
            let running = self.process.is_some();
            // A process that was asked to stop may still deliver: what it does then is nothing of a camera that is off.
            let delivers = running && self.life.state() != State::Idle;
            tokio::select! {
                () = shutdown.cancelled(), if !closing => {
                    closing = true;
                    self.handle(Event::Shutdown);
                }
                Ok(()) = count.changed() => {
                    let watched = *count.borrow_and_update() > 0;
                    self.handle(Event::Watched(watched));
                }
                Ok(()) = self.frames.changed(), if delivers => {
                    let frame = self.frames.borrow_and_update().clone();
                    // None when pictures were forgotten.
                    if let Some(frame) = frame {
                        self.arrived(&frame);
                        self.handle(Event::Frame);
                    }
                }
                () = self.bars.changed() => self.heed_bars(),
                Ok(()) = self.outlook.changed() => self.publish(self.life.state()),
                told = next(&mut self.process), if running => self.told(told),
                Ok(()) = self.configured.changed() => self.reconfigured(),
                Some((wanted, answer)) = self.wishes.recv() => drop(answer.send(self.set(wanted))),
                () = self.controls.keep() => {}
                () = sleep_until(deadline.unwrap_or_else(Instant::now).into()), if deadline.is_some() => {
                    self.handle(Event::Tick);
                }
                _ = rate.tick(), if delivers => self.measure_rate(),
            }
        }
        let _ = fs::remove_file(&self.output);
        self.controls.close().await;
        self.ledger.close().await;
    }

    fn set(&mut self, wanted: Wanted) -> Result<Ticket, SetError> {
        let process = self
            .process
            .as_ref()
            .filter(|_| matches!(self.life.state(), State::Starting | State::Live | State::Lingering));
        let (set, ticket) = self.controls.change(wanted, process.is_some())?;
        if let Some((process, set)) = process.zip(set) {
            process.set(set);
        }
        Ok(ticket)
    }

    /// Stops what runs where the camera may not run any more, and starts it where it may again.
    fn heed_bars(&mut self) {
        let block = self.bars.block();
        if block == self.block {
            return;
        }
        let (before, camera) = (std::mem::replace(&mut self.block, block), &self.config.name);
        self.guard_feed();
        match (&before, &self.block) {
            (_, Some(block)) => tracing::info!(%camera, "the camera can't start: {}", block.why),
            (_, None) => tracing::info!(%camera, "the camera may run again"),
        }
        match (before.is_some(), self.block.is_some()) {
            (before, now) if before != now => self.handle(Event::Blocked(now)),
            _ => self.publish(self.life.state()),
        }
    }

    /// Nothing is to be seen of a camera that may not run, nor of a process that was stopped because of that.
    fn guard_feed(&self) {
        let (blocked, running) = (self.block.is_some(), self.process.is_some());
        self.feed.gate(|gate| gate.blocked = blocked || gate.blocked && running);
    }

    fn handle(&mut self, event: Event) {
        let before = self.life.state();
        let mut action = self.life.handle(Instant::now(), event);
        while let Some(todo) = action.take() {
            match todo {
                Action::Start => action = self.start(),
                Action::Stop => {
                    if let Some(process) = &self.process {
                        self.ledger.stopping(self.life.why());
                        process.stop();
                    }
                }
            }
        }
        if self.life.state() == State::Backoff && before != State::Backoff {
            self.explain_failure();
        }
        self.publish(before);
    }

    fn start(&mut self) -> Option<Action> {
        // What an earlier run has left is no picture of this one.
        let _ = fs::remove_file(&self.output);
        (self.source, self.size, self.fps) = (None, None, 0.0);
        self.frames.mark_unchanged();
        self.arrivals.clear();
        self.ignored_before = self.feed.ignored();
        let spec = Spec::new(&self.config, self.output.clone());
        let inbox = match self.config.kind {
            // Before the process, which finds what comes meanwhile.
            Kind::Push => self.inbox.open().map_err(|error| {
                Failure::unexplained(format!("there can't be a folder for what is sent: {error}"))
            }),
            _ => Ok(()),
        };
        let started = inbox
            .and_then(|()| CaptureProcess::start(&self.program, &spec, self.controls.first()))
            .inspect_err(|_| self.inbox.shut());
        match started {
            Ok(process) => {
                tracing::debug!(camera = %self.config.name, pid = process.pid(), "capture process started");
                self.ledger.begin(self.life.why());
                self.process = Some(process);
                None
            }
            Err(failure) => self.life.handle(Instant::now(), Event::Ended(failure)),
        }
    }

    fn told(&mut self, told: Told) {
        match told {
            Told::Streaming(streaming) => {
                let known = self.notice == streaming.notice;
                self.notice.clone_from(&streaming.notice);
                if let Some(notice) = streaming.notice.as_ref().filter(|_| !known) {
                    tracing::warn!(camera = %self.config.name, "{notice}");
                }
                self.source = Some(streaming);
                self.publish(self.life.state());
            }
            Told::Ignored(reason) => self.feed.ignore(reason),
            Told::Controls(offer) => self.controls.offered(offer),
            Told::Ended(failure) => {
                self.process = None;
                self.inbox.shut();
                self.controls.ended();
                self.ledger.end(&failure.reason);
                let _ = fs::remove_file(&self.output);
                self.outdated = false;
                self.guard_feed();
                self.open_feed();
                self.handle(Event::Ended(failure));
                if self.life.state() == State::Idle {
                    // Pictures may have come until now.
                    self.feed.rest();
                }
            }
        }
    }

    fn arrived(&mut self, frame: &Frame) {
        self.arrivals.push_back(frame.read);
        self.forget_arrivals_before(frame.read);
        let size = (frame.width, frame.height);
        if self.size.replace(size) != Some(size) {
            self.publish(self.life.state());
        }
    }

    /// Forgets the arrivals that are too old at `now` to be measured with: of a timelapse the last three count.
    fn forget_arrivals_before(&mut self, now: Instant) {
        let window = RATE_WINDOW.max(self.config.interval.saturating_mul(3));
        while self.arrivals.front().is_some_and(|at| now.saturating_duration_since(*at) > window) {
            self.arrivals.pop_front();
        }
    }

    fn measure_rate(&mut self) {
        self.forget_arrivals_before(Instant::now());
        let fps = match (self.arrivals.front(), self.arrivals.back()) {
            (Some(first), Some(last)) if last > first => {
                (self.arrivals.len() - 1) as f64 / (*last - *first).as_secs_f64()
            }
            _ => 0.0,
        };
        self.fps = (fps * 10.0).round() / 10.0;
        self.publish(self.life.state());
    }

    fn reconfigured(&mut self) {
        let config = self.configured.borrow_and_update().clone();
        let before = std::mem::replace(&mut self.config, config);
        self.life.set_limits(limits(&self.config));
        self.viewers.set_linger(self.config.linger);
        self.bars.reconfigure(&self.config.privacy);
        self.heed_bars();
        let spec = |config| Spec::new(config, self.output.clone());
        if spec(&before) == spec(&self.config) {
            self.open_feed();
            self.publish(self.life.state());
        } else {
            self.controls.forget();
            self.outdated = self.process.is_some();
            if !self.outdated {
                let _ = fs::remove_file(&self.output);
            }
            self.open_feed();
            self.handle(Event::Reconfigured);
        }
    }

    /// Takes pictures again after a change of what they show, when those of before have ended.
    fn open_feed(&self) {
        if !self.outdated && !self.configured.has_changed().unwrap_or(false) {
            self.feed.open();
        }
    }

    /// Tells browsers what has changed, and the log where the camera is in its life now.
    fn publish(&mut self, before: State) {
        let state = self.life.state();
        if state != before {
            let why = self.life.why().to_owned();
            self.log.transition(&self.config.name, before, state, &why);
            if state == State::Idle {
                (self.source, self.size, self.fps) = (None, None, 0.0);
                self.feed.rest();
                memory::give_back();
            }
        }
        let viewers = *self.viewers.count().borrow();
        let outlook = *self.outlook.borrow_and_update();
        self.publish.send_if_modified(|status| {
            let new = Status {
                state,
                since: if status.state == state { status.since } else { SystemTime::now() },
                // An expired session is noticed by the next browser only; a camera that is off has none.
                session: self.viewers.session()
                    && (state != State::Idle || self.block.is_some() && viewers > 0),
                failure: self.life.failure().cloned(),
                source: self.source.clone(),
                viewers,
                fps: self.fps,
                size: self.size,
                retry_at: self.life.retry_at(),
                recorded: outlook.span,
                playing: outlook.playing,
                can_play: outlook.material,
                block: self.block.clone(),
                ..Status { since: status.since, ..Status::new(&self.config) }
            };
            let changed = *status != new;
            *status = new;
            changed
        });
    }

    /// Adds to a missing picture what was seen in its place.
    fn explain_failure(&mut self) {
        let ignored = self.feed.ignored() - self.ignored_before;
        if let (true, Some(defect)) = (ignored > 0, self.feed.last_defect()) {
            self.life.amend_failure(&format!(
                "; ignored {ignored} times what was no whole JPEG, the last time: {defect}"
            ));
        }
    }
}

fn limits(config: &CameraConfig) -> Limits {
    Limits {
        linger: config.linger,
        start_timeout: config.effective_start_timeout(),
        stall_timeout: config.effective_stall_timeout(),
    }
}

async fn next(process: &mut Option<CaptureProcess>) -> Told {
    match process {
        Some(process) => process.told().await,
        None => std::future::pending().await,
    }
}
