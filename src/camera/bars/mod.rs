//! What keeps a camera from running: quiet hours, and a switch that is a file or a GPIO line.
//!
//! Where it can't be known whether a switch is on, it counts as on.

mod file;
mod gpio;
mod quiet;
mod switch;

use std::time::{Duration, Instant};

use jiff::Zoned;
use tokio::time::sleep_until;

use super::status::{Block, By};
use crate::{capture::protocol::Failure, config::PrivacyConfig};
use switch::SwitchWatch;

/// The machine's clock may be set, which no timer hears of: so often it is looked at.
const LOOK: Duration = Duration::from_secs(30);

/// What keeps one camera from running.
#[derive(Debug)]
pub(super) struct Bars {
    config: PrivacyConfig,
    switch: Option<SwitchWatch>,
    /// When the clock is to be looked at.
    look: Option<Instant>,
    quiet: Option<Block>,
}

impl Bars {
    /// Knows at once whether the camera may run. Has to be called within the runtime.
    pub(super) fn new(config: &PrivacyConfig) -> Self {
        let switch = config.switch.as_ref().map(SwitchWatch::start);
        let mut bars = Self { config: config.clone(), switch, look: None, quiet: None };
        bars.look(&Zoned::now());
        bars
    }

    /// Goes by another configuration from now on.
    pub(super) fn reconfigure(&mut self, config: &PrivacyConfig) {
        if self.config.switch != config.switch {
            self.switch = config.switch.as_ref().map(SwitchWatch::start);
        }
        self.config = config.clone();
        self.look(&Zoned::now());
    }

    /// Why it may not run; nothing where it may.
    pub(super) fn block(&self) -> Option<Block> {
        let switch = self.switch.as_ref().and_then(SwitchWatch::on);
        let switch = switch.map(|why| Block { by: By::Switch, until: None, why });
        switch.or_else(|| self.quiet.clone())
    }

    /// Wakes when it is worth looking again. May be given up at any time.
    pub(super) async fn changed(&mut self) {
        let look = self.look;
        let switch = async {
            match &mut self.switch {
                Some(switch) => switch.changed().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = switch => {}
            () = sleep_until(look.unwrap_or_else(Instant::now).into()), if look.is_some() => self.look(&Zoned::now()),
        }
    }

    fn look(&mut self, now: &Zoned) {
        let hours = &self.config.quiet;
        if hours.is_empty() {
            (self.look, self.quiet) = (None, None);
            return;
        }
        let change = quiet::next_change(hours, now);
        let left = change.as_ref().map(|at| at.timestamp().duration_since(now.timestamp()).unsigned_abs());
        self.look = Some(Instant::now() + left.map_or(LOOK, |left| left.min(LOOK)));
        self.quiet = quiet::is_quiet(hours, now).then(|| {
            let why = match &change {
                Some(end) => format!("quiet hours until {}", end.strftime("%H:%M")),
                None => "quiet hours all day long".to_owned(),
            };
            Block {
                by: By::Quiet,
                until: change.map(|end| end.timestamp().into()),
                why: Failure::unexplained(why),
            }
        });
    }
}
