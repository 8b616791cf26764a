//! What a camera is doing, as it is told to browsers and to the log.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::lifecycle::State;
use crate::{
    capture::protocol::{Failure, Streaming},
    config::CameraConfig,
};

/// Why a camera may not run, however many watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// What keeps it from running.
    pub by: By,
    /// When that is over, where it can be known.
    pub until: Option<SystemTime>,
    /// The same in words, and what to do about it.
    pub why: Failure,
}

/// What keeps a camera from running.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// Quiet hours.
    Quiet,
    /// A switch.
    Switch,
}

/// When recorded pictures were taken: the first of them and the last.
pub type Span = (SystemTime, SystemTime);

/// What a camera is doing.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// Its name in URLs.
    pub camera: String,
    /// Its name for people.
    pub title: String,
    /// The configured kind.
    pub kind: &'static str,
    /// Where it is in its life.
    pub state: State,
    /// Since when.
    pub since: SystemTime,
    /// Whether pictures go to all connected browsers that have not opted out.
    pub session: bool,
    /// Why it failed last, until it has given a picture again.
    pub failure: Option<Failure>,
    /// What the capture process has opened.
    pub source: Option<Streaming>,
    /// Who watches, leases included.
    pub viewers: usize,
    /// Pictures a second, measured over the last seconds; 0 when none came.
    pub fps: f64,
    /// Pixels across and down of the newest picture of this run.
    pub size: Option<(u16, u16)>,
    /// The configured interval.
    pub interval: Duration,
    /// The stall timeout in force.
    pub stall_timeout: Duration,
    /// When a camera in back-off is tried again.
    pub retry_at: Option<Instant>,
    /// When the recorded pictures were taken that are shown; none of live ones, and none where viewers are not told.
    pub recorded: Option<Span>,
    /// Recorded pictures are shown, whether viewers are told or not.
    pub playing: bool,
    /// There are recorded pictures to show.
    pub can_play: bool,
    /// Why it may not run.
    pub block: Option<Block>,
    /// How much later than they were taken pictures are shown.
    pub delay: Duration,
}

impl Status {
    pub(super) fn new(config: &CameraConfig) -> Self {
        Self {
            camera: config.name.to_string(),
            title: config.display_title().to_owned(),
            kind: config.kind.as_str(),
            state: State::Idle,
            since: SystemTime::now(),
            session: false,
            failure: None,
            source: None,
            viewers: 0,
            fps: 0.0,
            size: None,
            interval: config.interval,
            stall_timeout: config.effective_stall_timeout(),
            retry_at: None,
            recorded: None,
            playing: false,
            can_play: false,
            block: None,
            delay: config.privacy.delay,
        }
    }

    /// The status as the `state` event and the API give it; `docs/protocol.md` tells what each field means.
    pub fn to_json(&self) -> Value {
        let trouble = self.trouble();
        let blocked = |block: &Block| json!({ "by": block.by, "until": block.until.map(whole_ms) });
        let notice = self.source.as_ref().and_then(|s| s.notice.as_deref());
        json!({
            "camera": self.camera,
            "title": self.title,
            "kind": self.kind,
            "state": self.state,
            "since": whole_ms(self.since),
            "session": self.session,
            "reason": trouble.map(|f| &f.reason),
            "hint": trouble.and_then(|f| f.hint.as_deref()),
            "notice": notice,
            "source": self.source.as_ref().map(|s| json!({ "kind": s.kind, "device": s.device })),
            "viewers": self.viewers,
            "fps": self.fps,
            "size": self.size,
            "interval_ms": millis(self.interval),
            "stall_timeout_ms": millis(self.stall_timeout),
            "retry_in_ms": self.retry_at.map(|at| millis(at.saturating_duration_since(Instant::now()))),
            "recorded": self.recorded.map(|(from, to)| json!({ "from": whole_ms(from), "to": whole_ms(to) })),
            "blocked": self.block.as_ref().map(blocked),
            "delay_ms": millis(self.delay),
            "now": whole_ms(SystemTime::now()),
        })
    }

    /// Why it can't run, or failed last.
    pub fn trouble(&self) -> Option<&Failure> {
        self.block.as_ref().map(|block| &block.why).or(self.failure.as_ref())
    }

    /// Whether the two differ in more than what changes from moment to moment.
    pub fn differs_in_kind(&self, other: &Self) -> bool {
        let settled =
            |status: &Self| Self { viewers: 0, fps: 0.0, playing: false, can_play: false, ..status.clone() };
        settled(self) != settled(other)
    }
}

/// Milliseconds since 1970, with fractions.
pub fn unix_ms(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).map_or(0.0, |d| d.as_secs_f64() * 1000.0)
}

fn whole_ms(time: SystemTime) -> u64 {
    unix_ms(time) as u64
}

fn millis(duration: Duration) -> u64 {
    duration.as_millis().try_into().unwrap_or(u64::MAX)
}
