//! Waves: a viewer greets all others of a camera. It starts nothing, and nothing of it is kept.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use tokio::sync::broadcast::{self, error::RecvError};

/// From one wave of a viewer to its next.
pub const VIEWER_PAUSE: Duration = Duration::from_secs(5);

/// So many waves of a camera are let through in [`CAMERA_TIME`].
pub const CAMERA_MOST: usize = 5;

/// The time in which a camera has [`CAMERA_MOST`] waves at most.
pub const CAMERA_TIME: Duration = Duration::from_secs(10);

/// Who is slower than this many waves misses some.
const KEPT: usize = 8;

/// The waves of one camera. Clones share them.
#[derive(Debug, Clone)]
pub struct Waves {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    recent: Mutex<Recent>,
    told: broadcast::Sender<Wave>,
}

/// A wave that was let through.
#[derive(Debug, Clone)]
pub struct Wave {
    /// When that was.
    pub at: SystemTime,
    by: Arc<str>,
}

impl Wave {
    /// The name of who waves, as [`Waves::waver`] was told.
    pub fn by(&self) -> &str {
        &self.by
    }
}

impl Waves {
    /// None yet.
    pub(super) fn new() -> Self {
        let (recent, told) = (Mutex::default(), broadcast::channel(KEPT).0);
        Self { shared: Arc::new(Shared { recent, told }) }
    }

    /// Somebody who may wave. Whoever tells of waves may give it a name, to know its waves by.
    pub fn waver(&self, name: impl Into<Arc<str>>) -> Waver {
        Waver { waves: self.clone(), name: name.into(), last: Mutex::default() }
    }

    /// The waves from now on.
    pub fn seen(&self) -> Seen {
        Seen { told: self.shared.told.subscribe() }
    }
}

/// A viewer, as far as it waves.
#[derive(Debug)]
pub struct Waver {
    waves: Waves,
    name: Arc<str>,
    last: Mutex<Option<Instant>>,
}

impl Waver {
    /// Waves to all others.
    ///
    /// # Errors
    /// When it was too soon: nobody sees anything then.
    pub fn wave(&self) -> Result<(), TooSoon> {
        self.wave_at(Instant::now())
    }

    fn wave_at(&self, now: Instant) -> Result<(), TooSoon> {
        let Shared { recent, told } = &*self.waves.shared;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let mut recent = recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.let_through(&mut last, now)?;
        // Under the lock, so that they are told in the order in which they were let through. An error means that
        // nobody is there to see it.
        let _ = told.send(Wave { at: SystemTime::now(), by: Arc::clone(&self.name) });
        Ok(())
    }

    /// Whether it is this one who waves.
    pub fn is_from_me(&self, wave: &Wave) -> bool {
        Arc::ptr_eq(&self.name, &wave.by)
    }
}

/// A camera's waves, as they come.
#[derive(Debug)]
pub struct Seen {
    told: broadcast::Receiver<Wave>,
}

impl Seen {
    /// The next one; nothing when the camera is gone. May be given up at any time and asked for again.
    pub async fn next(&mut self) -> Option<Wave> {
        loop {
            match self.told.recv().await {
                Ok(wave) => return Some(wave),
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    }

    /// Forgets what has not been looked at yet.
    pub(super) fn forget(&mut self) {
        self.told = self.told.resubscribe();
    }
}

/// Why a wave was not let through, and when the same viewer may try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooSoon {
    /// Time to wait: then it is let through, unless others have waved meanwhile.
    pub wait: Duration,
    /// It is others who have waved.
    pub others: bool,
}

impl TooSoon {
    /// The time to wait, in whole milliseconds.
    pub fn retry_in_ms(&self) -> u64 {
        self.wait.as_nanos().div_ceil(1_000_000) as u64
    }

    /// What to do, for people.
    pub fn hint(&self) -> String {
        format!("wait {} s", self.retry_in_ms().div_ceil(1000))
    }
}

impl fmt::Display for TooSoon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.others { "many are waving just now" } else { "you have waved just now" })
    }
}

/// When the last waves of a camera were let through. No clock is in here.
#[derive(Debug, Default)]
struct Recent {
    /// A ring, whose oldest entry is at `oldest`.
    at: [Option<Instant>; CAMERA_MOST],
    oldest: usize,
}

impl Recent {
    /// Lets a wave of a viewer through whose last one was at `own`, and notes it; or changes nothing.
    fn let_through(&mut self, own: &mut Option<Instant>, now: Instant) -> Result<(), TooSoon> {
        let left = |since: Option<Instant>, pause: Duration| {
            since.map_or(Duration::ZERO, |since| (since + pause).saturating_duration_since(now))
        };
        let viewer = left(*own, VIEWER_PAUSE);
        let camera = left(self.at[self.oldest], CAMERA_TIME);
        if !viewer.max(camera).is_zero() {
            return Err(TooSoon { wait: viewer.max(camera), others: camera > viewer });
        }
        self.at[self.oldest] = Some(now);
        self.oldest = (self.oldest + 1) % CAMERA_MOST;
        *own = Some(now);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
