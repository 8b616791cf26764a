//! What a viewer has said that it wants.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use serde_json::{Map, Value, json};
use tokio::sync::Notify;

use crate::web::query::{RATES, period};

/// A viewer's wishes, told by the half that listens to the half that sends.
#[derive(Debug)]
pub(super) struct Wishes {
    now: Mutex<Wish>,
    heard: Mutex<Instant>,
    changed: Notify,
}

/// What is wanted at some moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Wish {
    /// The least time from one picture to the next.
    pub(super) period: Duration,
    /// A text with the time before each picture.
    pub(super) times: bool,
    /// Pictures are sent only when asked for.
    pub(super) paced: bool,
    /// The next picture was asked for.
    pub(super) ready: bool,
    /// What there is to say to the last message that was not understood: one at most, however many came.
    pub(super) complaint: Option<String>,
}

impl Default for Wishes {
    fn default() -> Self {
        let (now, heard) = (Mutex::default(), Mutex::new(Instant::now()));
        Self { now, heard, changed: Notify::new() }
    }
}

impl Wishes {
    /// Takes a text message.
    pub(super) fn hear(&self, text: &str) {
        let mut now = self.lock();
        match now.with(text) {
            Ok(wish) => *now = wish,
            Err(complaint) => now.complaint = Some(complaint),
        }
        drop(now);
        self.alive();
        self.changed.notify_one();
    }

    /// Takes a message that is none.
    pub(super) fn refuse(&self, what: &str) {
        self.lock().complaint = Some(complaint(&format!("{what} is not understood")));
        self.alive();
        self.changed.notify_one();
    }

    /// There was a sign of life.
    pub(super) fn alive(&self) {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// The last sign of life.
    pub(super) fn heard(&self) -> Instant {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The wishes, after which the complaint is done with.
    pub(super) fn look(&self) -> Wish {
        let mut now = self.lock();
        let complaint = now.complaint.take();
        Wish { complaint, ..now.clone() }
    }

    /// A picture is sent, and so not asked for any more.
    pub(super) fn granted(&self) {
        self.lock().ready = false;
    }

    /// Wakes when there is something new to look at.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, Wish> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wish {
    /// These wishes with those of a message; all of it counts, or nothing.
    fn with(&self, text: &str) -> Result<Self, String> {
        let said: Map<String, Value> =
            serde_json::from_str(text).map_err(|_| complaint("that is no JSON object"))?;
        let mut wish = Self { complaint: None, ..self.clone() };
        for (key, value) in &said {
            match (key.as_str(), value) {
                ("max_fps", Value::Null) => wish.period = Duration::ZERO,
                ("max_fps", rate) => {
                    let period = rate.as_f64().and_then(period);
                    wish.period = period.ok_or_else(|| complaint("max_fps is out of its limits"))?;
                }
                ("times", Value::Bool(times)) => wish.times = *times,
                ("ready", Value::Bool(true)) => (wish.paced, wish.ready) = (true, true),
                ("times" | "ready", _) => return Err(complaint("that value can't be had"))?,
                _ => return Err(complaint("that wish is not known")),
            }
        }
        Ok(wish)
    }
}

fn complaint(error: &str) -> String {
    let (slowest, fastest) = (RATES.start(), RATES.end());
    let hint = format!(
        "a message is a JSON object of at most {} bytes with some of: \"max_fps\", a number from {slowest} to \
         {fastest}, or null for all pictures; \"ready\", which is true; \"times\", true or false",
        super::LONGEST_MESSAGE
    );
    json!({ "event": "error", "error": error, "hint": hint }).to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn after(messages: &[&str]) -> Wish {
        let wishes = Wishes::default();
        messages.iter().for_each(|text| wishes.hear(text));
        wishes.look()
    }

    #[test]
    fn wishes_add_up() {
        let wish = after(&[r#"{"max_fps": 5}"#, r#"{"times": true}"#, "{}"]);
        let expected = Wish { period: Duration::from_millis(200), times: true, ..Wish::default() };
        assert_eq!(wish, expected);
        assert_eq!(after(&[r#"{"max_fps": 5}"#, r#"{"max_fps": null}"#]), Wish::default());
    }

    #[test]
    fn however_often_one_is_ready_one_picture_is_granted() {
        let wishes = Wishes::default();
        for _ in 0..3 {
            wishes.hear(r#"{"ready": true}"#);
        }
        let wish = wishes.look();
        assert!(wish.paced && wish.ready);
        wishes.granted();
        let wish = wishes.look();
        assert!(wish.paced && !wish.ready);
    }

    #[test]
    fn what_is_not_understood_changes_nothing_and_is_told_the_limits() {
        for wrong in [
            "",
            "ready",
            "[]",
            "1",
            r#"{"ready": false}"#,
            r#"{"max_fps": 0}"#,
            r#"{"max_fps": 61}"#,
            r#"{"max_fps": "5"}"#,
            r#"{"max_fps": 1e999}"#,
            r#"{"times": 1}"#,
            r#"{"times": true, "no such wish": 1}"#,
        ] {
            let wish = after(&[wrong]);
            let complaint: Value = serde_json::from_str(wish.complaint.as_deref().unwrap()).unwrap();
            assert_eq!(complaint["event"], "error", "{wrong}");
            assert!(complaint["hint"].as_str().unwrap().contains("0.1 to 60"), "{complaint}");
            assert_eq!(Wish { complaint: None, ..wish }, Wish::default(), "{wrong}");
        }
        assert_eq!(after(&["nonsense", "{}"]).complaint, None, "only the last message is answered");
    }

    proptest! {
        #[test]
        fn no_message_panics(text in ".*") {
            after(&[&text]);
            after(&[&format!("{{\"max_fps\": {text}}}")]);
        }
    }
}
