//! The life of a camera as a pure state machine: an event and the time in, at most one action out.
//!
//! ```text
//!            watched               first frame              nobody watches
//!   Idle ──────────────▶ Starting ─────────────▶ Live ◀────────────────────▶ Lingering
//!    ▲                    │    ▲                  │          watched             │
//!    │                    │    │ back-off over    │ stalled, ended               │ linger over
//!    │                    ▼    │                  ▼                              │
//!    ├─────────────────── Backoff ◀───────────────┘                              │
//!    │  nobody watches                                                           │
//!    └───────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! From Starting, too, it goes to Lingering when nobody watches any more, and back. While it is blocked it is Idle,
//! however many watch.
//!
//! No clock, no task, no process: the camera's task brings the events and carries the actions out. There is
//! never a second capture process: while an old one is still stopping, a start waits for its end.

use std::time::{Duration, Instant};

use humantime::format_duration;

use crate::capture::protocol::Failure;

/// The first back-off after a failure; it doubles with each further one.
const FIRST_BACKOFF: Duration = Duration::from_millis(500);
/// The longest back-off.
const LONGEST_BACKOFF: Duration = Duration::from_secs(30);
/// After this long with pictures, or this long after a back-off in which nobody asked, failures are forgotten.
const HEALTHY_AFTER: Duration = Duration::from_secs(30);

/// The deadlines of a camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long the camera stays on after the last viewer has left.
    pub linger: Duration,
    /// How long the first picture may take.
    pub start_timeout: Duration,
    /// How long a running camera may give no picture.
    pub stall_timeout: Duration,
}

/// Where a camera is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Off: no capture process, or one that is just ending.
    Idle,
    /// Wanted, and no picture yet.
    Starting,
    /// Pictures arrive and somebody watches.
    Live,
    /// On, and nobody watches; off in a moment.
    Lingering,
    /// It failed, and is tried again in a moment.
    Backoff,
}

impl State {
    /// The state's name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Starting => "starting",
            Self::Live => "live",
            Self::Lingering => "lingering",
            Self::Backoff => "backoff",
        }
    }
}

/// What happens to a camera.
#[derive(Debug, Clone)]
pub enum Event {
    /// Somebody watches, or nobody does.
    Watched(bool),
    /// The running capture process has delivered a picture.
    Frame,
    /// The capture process has ended and was reaped, asked or not; why, in case it was not.
    Ended(Failure),
    /// Time has come to [`Lifecycle::deadline`].
    Tick,
    /// It may not run any more, whoever watches; or it may again.
    Blocked(bool),
    /// What to capture has changed: a running capture process is to be replaced.
    Reconfigured,
    /// The daemon stops, or the camera is no longer configured: nothing is started any more.
    Shutdown,
}

/// What the camera's task has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Start a capture process.
    Start,
    /// Stop it. [`Event::Ended`] follows.
    Stop,
}

/// The state machine.
#[derive(Debug)]
pub struct Lifecycle {
    limits: Limits,
    phase: Phase,
    process: Process,
    watched: bool,
    blocked: bool,
    failures: u32,
    not_before: Option<Instant>,
    failure: Option<Failure>,
    why: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Process {
    None,
    Running,
    Stopping,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    Idle,
    /// Starting, as soon as the old process has ended.
    Pending,
    Running(Run),
    Lingering(Run, Instant),
    Backoff(Instant),
    Closed,
}

#[derive(Debug, Clone, Copy)]
struct Run {
    started: Instant,
    first_frame: Option<Instant>,
    last_frame: Instant,
}

impl Lifecycle {
    /// A camera that is off.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            phase: Phase::Idle,
            process: Process::None,
            watched: false,
            blocked: false,
            failures: 0,
            not_before: None,
            failure: None,
            why: String::new(),
        }
    }

    /// Where the camera is in its life.
    pub fn state(&self) -> State {
        match self.phase {
            Phase::Idle | Phase::Closed => State::Idle,
            Phase::Pending => State::Starting,
            Phase::Running(run) if run.first_frame.is_none() => State::Starting,
            Phase::Running(_) => State::Live,
            Phase::Lingering(..) => State::Lingering,
            Phase::Backoff(_) => State::Backoff,
        }
    }

    /// Why it is in this state, for the log.
    pub fn why(&self) -> &str {
        &self.why
    }

    /// Why it failed last, until it has given a picture again.
    pub fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    /// Adds to the reason of the last failure what was seen beside it.
    pub fn amend_failure(&mut self, seen: &str) {
        if let Some(failure) = &mut self.failure {
            failure.reason.push_str(seen);
            self.why.push_str(seen);
        }
    }

    /// When a camera in back-off is tried again.
    pub fn retry_at(&self) -> Option<Instant> {
        match self.phase {
            Phase::Backoff(until) => Some(until),
            _ => None,
        }
    }

    /// When [`Event::Tick`] is due.
    pub fn deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Running(run) => Some(match run.first_frame {
                None => run.started + self.limits.start_timeout,
                Some(_) => run.last_frame + self.limits.stall_timeout,
            }),
            Phase::Lingering(_, until) => Some(until),
            // Before the old process has ended there is nothing to be done at any time.
            Phase::Backoff(until) if self.process == Process::None => Some(until),
            Phase::Backoff(_) | Phase::Idle | Phase::Pending | Phase::Closed => None,
        }
    }

    /// Changes the deadlines of a camera, whatever it is doing.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// What has to be done now that this has happened.
    pub fn handle(&mut self, now: Instant, event: Event) -> Option<Action> {
        match event {
            Event::Watched(watched) => self.watched(now, watched),
            Event::Frame => {
                self.frame(now);
                None
            }
            Event::Ended(failure) => self.ended(now, failure),
            Event::Tick => self.tick(now),
            Event::Blocked(blocked) => self.blocked(now, blocked),
            Event::Reconfigured => self.reconfigured(now),
            Event::Shutdown => {
                self.enter(Phase::Closed, "the camera is taken down");
                self.stop()
            }
        }
    }

    fn watched(&mut self, now: Instant, watched: bool) -> Option<Action> {
        self.watched = watched;
        match (self.phase, watched) {
            (Phase::Idle, true) if self.blocked => None,
            (Phase::Idle, true) => {
                if let Some(until) = self.not_before.filter(|until| *until > now) {
                    self.enter(Phase::Backoff(until), "a viewer came, soon after a failure");
                    return None;
                }
                if self.not_before.is_some_and(|end| now.duration_since(end) > HEALTHY_AFTER) {
                    self.failures = 0;
                }
                self.start(now, "a viewer came")
            }
            (Phase::Lingering(run, _), true) => {
                self.enter(Phase::Running(run), "a viewer came back");
                None
            }
            (Phase::Running(run), false) => {
                self.enter(Phase::Lingering(run, now + self.limits.linger), "nobody watches");
                None
            }
            (Phase::Pending | Phase::Backoff(_), false) => {
                self.enter(Phase::Idle, "nobody watches");
                None
            }
            _ => None,
        }
    }

    fn blocked(&mut self, now: Instant, blocked: bool) -> Option<Action> {
        self.blocked = blocked;
        match self.phase {
            Phase::Closed => None,
            Phase::Idle if blocked || !self.watched => None,
            Phase::Idle => self.watched(now, true),
            _ if !blocked => None,
            // No linger: it is to be off now.
            Phase::Pending | Phase::Running(_) | Phase::Lingering(..) | Phase::Backoff(_) => {
                self.enter(Phase::Idle, "it may not run now");
                self.stop()
            }
        }
    }

    fn frame(&mut self, now: Instant) {
        let (Phase::Running(run) | Phase::Lingering(run, _)) = &mut self.phase else { return };
        run.last_frame = now;
        match run.first_frame {
            None => {
                run.first_frame = Some(now);
                self.why = format!("first picture after {:.0?}", now - run.started);
                self.failure = None;
            }
            Some(first) if now - first >= HEALTHY_AFTER => self.failures = 0,
            Some(_) => {}
        }
    }

    fn ended(&mut self, now: Instant, failure: Failure) -> Option<Action> {
        self.process = Process::None;
        match self.phase {
            Phase::Running(_) | Phase::Lingering(..) => {
                self.fail(now, failure);
                None
            }
            Phase::Pending => self.start(now, "the old capture process has ended"),
            Phase::Idle | Phase::Backoff(_) | Phase::Closed => None,
        }
    }

    fn tick(&mut self, now: Instant) -> Option<Action> {
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return None;
        }
        match self.phase {
            Phase::Running(run) => {
                let failure = match run.first_frame {
                    None => Failure::new(
                        format!(
                            "no picture within {} of the start",
                            format_duration(self.limits.start_timeout)
                        ),
                        "see the log for what the camera says, or give it a longer start_timeout",
                    ),
                    Some(_) => Failure::new(
                        format!(
                            "the camera has stalled: no picture for {}",
                            format_duration(self.limits.stall_timeout)
                        ),
                        "it is started again; if this repeats, see the cable and the power supply",
                    ),
                };
                self.fail(now, failure);
                self.stop()
            }
            Phase::Lingering(..) => {
                self.enter(Phase::Idle, "nobody watches");
                self.stop()
            }
            Phase::Backoff(_) => self.start(now, "the back-off is over"),
            Phase::Idle | Phase::Pending | Phase::Closed => None,
        }
    }

    fn reconfigured(&mut self, now: Instant) -> Option<Action> {
        self.failures = 0;
        self.not_before = None;
        self.failure = None;
        match self.phase {
            Phase::Running(_) => {
                self.enter(Phase::Pending, "the configuration has changed");
                self.stop()
            }
            Phase::Lingering(..) => {
                self.enter(Phase::Idle, "the configuration has changed, and nobody watches");
                self.stop()
            }
            Phase::Backoff(_) => self.start(now, "the configuration has changed"),
            Phase::Idle | Phase::Pending | Phase::Closed => None,
        }
    }

    fn start(&mut self, now: Instant, why: &str) -> Option<Action> {
        if self.process == Process::None {
            self.process = Process::Running;
            self.enter(Phase::Running(Run { started: now, first_frame: None, last_frame: now }), why);
            Some(Action::Start)
        } else {
            self.enter(Phase::Pending, why);
            None
        }
    }

    fn stop(&mut self) -> Option<Action> {
        (self.process == Process::Running).then(|| {
            self.process = Process::Stopping;
            Action::Stop
        })
    }

    fn fail(&mut self, now: Instant, failure: Failure) {
        let backoff = FIRST_BACKOFF * 2u32.saturating_pow(self.failures.min(16));
        self.failures += 1;
        let until = now + backoff.min(LONGEST_BACKOFF);
        self.not_before = Some(until);
        let phase = if self.watched { Phase::Backoff(until) } else { Phase::Idle };
        self.enter(phase, &failure.reason);
        self.failure = Some(failure);
    }

    fn enter(&mut self, phase: Phase, why: &str) {
        self.phase = phase;
        why.clone_into(&mut self.why);
    }
}

#[cfg(test)]
#[path = "lifecycle_tests.rs"]
mod tests;
