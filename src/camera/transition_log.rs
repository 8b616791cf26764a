//! One log line a transition of a camera; a failure that repeats is logged once, then counted.

use std::time::{Duration, Instant};

use super::lifecycle::State;
use crate::config::CameraName;

/// A failure that comes back so soon after a recovery is the same one: a camera that gives a picture now and
/// then is no news each time.
const SAME_FAILURE_WITHIN: Duration = Duration::from_secs(60);

/// What was logged of one camera.
#[derive(Debug, Default)]
pub(super) struct TransitionLog {
    /// The failure that was logged last, since the camera was off.
    failure: Option<String>,
    /// How often it has come again since.
    repeats: u32,
    recovered: Option<Instant>,
    on_since: Option<Instant>,
}

impl TransitionLog {
    /// Logs that `camera` has gone from one state to another, and why.
    pub(super) fn transition(&mut self, camera: &CameraName, from: State, to: State, why: &str) {
        let (from, to_name) = (from.as_str(), to.as_str());
        let recovered_lately = self.recovered.is_some_and(|at| at.elapsed() < SAME_FAILURE_WITHIN);
        match to {
            State::Backoff if self.repeats_now(why, recovered_lately) => {
                self.repeats += 1;
                tracing::debug!(%camera, from, to = to_name, repeats = self.repeats, "{why}");
            }
            State::Backoff => {
                self.failure = Some(why.to_owned());
                self.repeats = 0;
                self.recovered = None;
                tracing::warn!(%camera, from, to = to_name, "{why}");
            }
            // Between two equal failures it is only tried again.
            State::Starting if self.failure.is_some() => {
                tracing::debug!(%camera, from, to = to_name, "{why}");
            }
            State::Live if self.failure.is_some() && recovered_lately => {
                tracing::debug!(%camera, from, to = to_name, "{why}");
            }
            State::Live if self.failure.is_some() && self.recovered.is_none() => {
                self.recovered = Some(Instant::now());
                let repeats = std::mem::take(&mut self.repeats);
                tracing::info!(%camera, from, to = to_name, repeats, "{why}; recovered");
            }
            State::Idle => {
                let after = self
                    .on_since
                    .map_or(String::new(), |since| format!(" after {:.1} s", since.elapsed().as_secs_f64()));
                match self.repeats {
                    0 => tracing::info!(%camera, from, to = to_name, "off{after}: {why}"),
                    repeats => tracing::info!(%camera, from, to = to_name, repeats, "off{after}: {why}"),
                }
                *self = Self::default();
            }
            State::Starting | State::Live | State::Lingering => {
                tracing::info!(%camera, from, to = to_name, "{why}");
            }
        }
        if to != State::Idle {
            self.on_since.get_or_insert_with(Instant::now);
        }
    }

    fn repeats_now(&self, why: &str, recovered_lately: bool) -> bool {
        self.failure.as_deref() == Some(why) && (self.recovered.is_none() || recovered_lately)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logging::tests::Buffer;

    /// The lines at level info and above that these transitions leave.
    fn lines(transitions: &[(State, State, &str)]) -> Vec<String> {
        let buffer = Buffer::default();
        let writer = buffer.clone();
        let subscriber = tracing_subscriber::fmt()
            .without_time()
            .with_target(false)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        let camera = "tank".parse().unwrap();
        let mut log = TransitionLog::default();
        tracing::subscriber::with_default(subscriber, || {
            for (from, to, why) in transitions {
                log.transition(&camera, *from, *to, why);
            }
        });
        let text = buffer.text();
        text.lines().map(|line| line.trim_start().to_owned()).collect()
    }

    #[test]
    fn each_transition_is_a_line_with_its_reason() {
        use State::{Idle, Lingering, Live, Starting};
        let lines = lines(&[
            (Idle, Starting, "a viewer came"),
            (Starting, Live, "first picture"),
            (Live, Lingering, "nobody watches"),
        ]);
        assert_eq!(lines[0], r#"INFO a viewer came camera=tank from="idle" to="starting""#);
        assert_eq!(lines.len(), 3);
    }

    #[test]
    fn a_failure_that_repeats_is_logged_once_and_counted() {
        use State::{Backoff, Idle, Live, Starting};
        let mut transitions = vec![(Idle, Starting, "a viewer came")];
        for _ in 0..5 {
            transitions.extend([(Starting, Backoff, "broken"), (Backoff, Starting, "again")]);
        }
        transitions.push((Starting, Live, "first picture"));
        let lines = lines(&transitions);
        assert_eq!(lines.len(), 3, "{lines:#?}");
        assert!(lines[1].starts_with("WARN broken"), "{lines:#?}");
        assert!(lines[2].contains("recovered") && lines[2].contains("repeats=4"), "{lines:#?}");
    }

    #[test]
    fn a_camera_that_gives_a_picture_between_two_equal_failures_is_no_news_each_time() {
        use State::{Backoff, Idle, Live, Starting};
        let mut transitions = vec![(Idle, Starting, "a viewer came"), (Starting, Live, "first picture")];
        for _ in 0..5 {
            let flap =
                [(Live, Backoff, "full"), (Backoff, Starting, "again"), (Starting, Live, "first picture")];
            transitions.extend(flap);
        }
        transitions.extend([(Live, Backoff, "something else"), (Backoff, Idle, "nobody watches")]);
        let lines = lines(&transitions);
        let warnings: Vec<_> = lines.iter().filter(|line| line.starts_with("WARN")).collect();
        assert_eq!(warnings.len(), 2, "{lines:#?}");
        assert_eq!(lines.iter().filter(|line| line.contains("recovered")).count(), 1, "{lines:#?}");
    }
}
