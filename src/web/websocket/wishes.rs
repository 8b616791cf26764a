//! What a viewer has said that it wants.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use serde_json::{Map, Value, json};
use tokio::sync::Notify;

use crate::{
    camera::waves::TooSoon,
    web::{
        error::Refusal,
        query::{self, RATES, period},
    },
};

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
    /// What there is to say to the last message of which nothing was done: one at most, however many came.
    pub(super) complaint: Option<String>,
}

/// What the address says is wished from the beginning, and whether who comes counts as a viewer.
///
/// # Errors
/// With the answer to a value that can't be had.
pub(super) fn asked(query: Option<&str>) -> Result<(Wish, bool), Refusal> {
    let mut wish = Wish::default();
    for key in KEYS {
        if let Some(text) = query::value(query, key) {
            let value = serde_json::from_str(&text).map_err(drop);
            value
                .and_then(|value| wish.set(key, &value).map_err(drop))
                .map_err(|()| query::refused(key, &text, limits(key)))?;
        }
    }
    let counts = match query::value(query, "lease").as_deref() {
        None | Some("true") => true,
        Some("false") => false,
        Some(other) => return Err(query::refused("lease", other, limits("lease"))),
    };
    Ok((wish, counts))
}

impl From<Wish> for Wishes {
    fn from(wish: Wish) -> Self {
        let (now, heard) = (Mutex::new(wish), Mutex::new(Instant::now()));
        Self { now, heard, changed: Notify::new() }
    }
}

impl Wishes {
    /// Takes a text message; `wave` waves to the other viewers.
    pub(super) fn hear(&self, text: &str, wave: impl FnOnce() -> Result<(), TooSoon>) {
        let mut now = self.lock();
        let heard = now.with(text).and_then(|(wish, waves)| {
            if waves {
                wave().map_err(too_soon)?;
            }
            Ok(wish)
        });
        match heard {
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
    /// These wishes with those of a message, and whether it waves; all of it counts, or nothing.
    fn with(&self, text: &str) -> Result<(Self, bool), String> {
        let mut said: Map<String, Value> =
            serde_json::from_str(text).map_err(|_| complaint("that is no JSON object"))?;
        let waves = match said.remove("wave") {
            None => false,
            Some(Value::Bool(true)) => true,
            Some(_) => return Err(complaint("that value can't be had")),
        };
        let mut wish = Self { complaint: None, ..self.clone() };
        for (key, value) in &said {
            wish.set(key, value).map_err(complaint)?;
        }
        Ok((wish, waves))
    }

    fn set(&mut self, key: &str, value: &Value) -> Result<(), &'static str> {
        match (key, value) {
            ("max_fps", Value::Null) => self.period = Duration::ZERO,
            ("max_fps", rate) => {
                let period = rate.as_f64().and_then(period);
                self.period = period.ok_or("max_fps is out of its limits")?;
            }
            ("times", Value::Bool(times)) => self.times = *times,
            ("ready", Value::Bool(true)) => (self.paced, self.ready) = (true, true),
            ("times" | "ready", _) => return Err("that value can't be had"),
            _ => return Err("that wish is not known"),
        }
        Ok(())
    }
}

/// The wishes that there are.
const KEYS: [&str; 3] = ["max_fps", "ready", "times"];

/// What a key takes in an address.
fn limits(key: &str) -> String {
    match key {
        "max_fps" => format!("a number from {} to {}", RATES.start(), RATES.end()),
        "ready" => "true".to_owned(),
        _ => "true or false".to_owned(),
    }
}

fn complaint(error: &str) -> String {
    let (slowest, fastest) = (RATES.start(), RATES.end());
    let hint = format!(
        "a message is a JSON object of at most {} bytes with some of: \"max_fps\", a number from {slowest} to \
         {fastest}, or null for all pictures; \"ready\", which is true; \"times\", true or false; \"wave\", which is true",
        super::LONGEST_MESSAGE
    );
    json!({ "event": "error", "error": error, "hint": hint }).to_string()
}

fn too_soon(refusal: TooSoon) -> String {
    let (error, hint, retry_in_ms) = (refusal.to_string(), refusal.hint(), refusal.retry_in_ms());
    json!({ "event": "error", "error": error, "hint": hint, "retry_in_ms": retry_in_ms }).to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn after(messages: &[&str]) -> Wish {
        let wishes = Wishes::from(Wish::default());
        messages.iter().for_each(|text| wishes.hear(text, || panic!("nobody waves")));
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
        let wishes = Wishes::from(Wish::default());
        for _ in 0..3 {
            wishes.hear(r#"{"ready": true}"#, || Ok(()));
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
            r#"{"wave": false}"#,
            r#"{"wave": true, "no such wish": 1}"#,
        ] {
            let wish = after(&[wrong]);
            let complaint: Value = serde_json::from_str(wish.complaint.as_deref().unwrap()).unwrap();
            assert_eq!(complaint["event"], "error", "{wrong}");
            assert!(complaint["hint"].as_str().unwrap().contains("0.1 to 60"), "{complaint}");
            assert_eq!(Wish { complaint: None, ..wish }, Wish::default(), "{wrong}");
        }
        assert_eq!(after(&["nonsense", "{}"]).complaint, None, "only the last message is answered");
    }

    #[test]
    fn a_message_that_waves_counts_whole_or_not_at_all() {
        let wishes = Wishes::from(Wish::default());
        wishes.hear(r#"{"wave": true, "times": true}"#, || Ok(()));
        assert_eq!(
            wishes.look(),
            Wish { times: true, ..Wish::default() },
            "it was let through without a word"
        );
        let refusal = TooSoon { wait: Duration::from_millis(4200), others: true };
        wishes.hear(r#"{"wave": true, "times": false}"#, || Err(refusal));
        let wish = wishes.look();
        assert!(wish.times, "nothing of a message is done whose wave comes too soon");
        let complaint: Value = serde_json::from_str(&wish.complaint.unwrap()).unwrap();
        let error = "many are waving just now";
        assert_eq!(
            complaint,
            json!({ "event": "error", "error": error, "hint": "wait 5 s", "retry_in_ms": 4200 })
        );
    }

    #[test]
    fn the_address_may_say_it_from_the_beginning() {
        let paced = Wish { times: true, paced: true, ready: true, ..Wish::default() };
        assert_eq!(asked(Some("times=true&ready=true&lease=false&_=1")).unwrap(), (paced, false));
        let slow = Wish { period: Duration::from_millis(250), ..Wish::default() };
        assert_eq!(asked(Some("max_fps=4&lease=true")).unwrap(), (slow, true));
        assert_eq!(asked(None).unwrap(), (Wish::default(), true));
        for (wrong, limits) in [
            ("max_fps=0", "max_fps takes a number from 0.1 to 60"),
            ("max_fps=x", "max_fps takes a number from 0.1 to 60"),
            ("ready=false", "ready takes true"),
            ("times=1", "times takes true or false"),
            ("lease=no", "lease takes true or false"),
        ] {
            let refusal = asked(Some(wrong)).unwrap_err();
            assert_eq!(refusal.status(), http::StatusCode::BAD_REQUEST);
            let body = String::from_utf8(refusal.into_body().to_vec()).unwrap();
            assert!(body.contains(limits), "{body}");
        }
    }

    proptest! {
        #[test]
        fn no_address_panics(query in ".*") {
            let _ = asked(Some(&query));
            let _ = asked(Some(&format!("max_fps={query}")));
        }

        #[test]
        fn no_message_panics(text in ".*") {
            after(&[&text]);
            after(&[&format!("{{\"max_fps\": {text}}}")]);
        }
    }
}
