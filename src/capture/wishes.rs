//! What the daemon wants of a source while it runs: controls to set, and in the end to stop.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use super::{protocol::Set, runner::log};
use crate::controls::{self, Control, Settings, Value};

/// Whether the capture is to stop, and what is to be set until then. Clones share one state; a stop stays.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<(Mutex<Wishes>, Condvar)>);

#[derive(Debug, Default)]
struct Wishes {
    stop: bool,
    settings: Option<Set>,
    /// The source has no controls.
    in_vain: bool,
}

/// What [`Stop::wish_until`] waits for.
#[derive(Debug, PartialEq)]
pub enum Wish {
    /// Stop.
    Stop,
    /// Set controls, and answer with [`super::protocol::Event::Controls`].
    Set(Set),
    /// Go on: the time is over.
    Nothing,
}

impl Stop {
    /// Asks the capture to stop.
    pub fn set(&self) {
        self.wishes().stop = true;
        self.0.1.notify_all();
    }

    /// Asks for controls to be set. Of those that nobody has taken yet the newest value counts.
    pub fn hear(&self, set: Set) {
        let mut wishes = self.wishes();
        wishes.settings.get_or_insert_default().merge(set);
        wishes.log_in_vain();
        self.0.1.notify_all();
    }

    /// Says that the source has no controls: what is to be set is logged from now on, and nothing else.
    pub fn without_controls(&self) {
        let mut wishes = self.wishes();
        wishes.in_vain = true;
        wishes.log_in_vain();
    }

    /// Whether the capture is to stop.
    pub fn is_set(&self) -> bool {
        self.wishes().stop
    }

    /// What is to be set and nobody has taken yet.
    pub fn take_settings(&self) -> Option<Set> {
        self.wishes().settings.take()
    }

    /// Waits until the capture is to stop.
    pub fn wait(&self) {
        let _wishes = self.wait_while(None, |wishes| !wishes.stop);
    }

    /// Waits until `deadline`, or until the capture is to stop; true when it is to stop.
    pub fn wait_until(&self, deadline: Instant) -> bool {
        self.wait_while(Some(deadline), |wishes| !wishes.stop).stop
    }

    /// Waits until `deadline`, or until there is something to set, or the capture is to stop.
    pub fn wish_until(&self, deadline: Instant) -> Wish {
        self.wait_while(Some(deadline), |wishes| !wishes.stop && wishes.settings.is_none()).take()
    }

    /// Waits until there is something to set; none when the capture is to stop.
    pub fn next_settings(&self) -> Option<Set> {
        match self.wait_while(None, |wishes| !wishes.stop && wishes.settings.is_none()).take() {
            Wish::Set(set) => Some(set),
            Wish::Stop | Wish::Nothing => None,
        }
    }

    fn wishes(&self) -> MutexGuard<'_, Wishes> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_while(
        &self,
        deadline: Option<Instant>,
        mut condition: impl FnMut(&Wishes) -> bool,
    ) -> MutexGuard<'_, Wishes> {
        let (wishes, changed) = (self.wishes(), &self.0.1);
        match deadline {
            None => {
                changed.wait_while(wishes, |wishes| condition(wishes)).unwrap_or_else(PoisonError::into_inner)
            }
            Some(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                let waited = changed.wait_timeout_while(wishes, left, |wishes| condition(wishes));
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
        }
    }
}

/// What of `settings` these controls take: each with its place among them and the value, which is the default
/// where that is wanted. The rest is logged.
pub fn checked(controls: &[Control], settings: &Settings) -> Vec<(usize, Value)> {
    let place = |id| controls.iter().position(|control| control.id == id).expect("found among them");
    let mut checked = Vec::new();
    for (id, asked) in settings {
        let resolved = controls::find(controls, id).and_then(|control| control.resolve(asked.as_ref()));
        match resolved {
            Ok(value) => checked.extend(value.map(|value| (place(id.as_str()), value))),
            Err(refusal) => log(format_args!("{refusal}: {}", refusal.hint)),
        }
    }
    checked
}

impl Wishes {
    fn take(&mut self) -> Wish {
        match self.settings.take() {
            _ if self.stop => Wish::Stop,
            Some(set) => Wish::Set(set),
            None => Wish::Nothing,
        }
    }

    fn log_in_vain(&mut self) {
        if self.in_vain
            && let Some(set) = self.settings.take()
        {
            let ids: Vec<_> = set.controls.into_keys().collect();
            log(format_args!("this kind of camera has no controls, so {} is not set", ids.join(", ")));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{thread, time::Duration};

    use super::*;
    use crate::controls::Value;

    fn far() -> Instant {
        Instant::now() + Duration::from_secs(600)
    }

    fn set(serial: u64, id: &str, value: i64) -> Set {
        Set { serial, controls: [(id.to_owned(), Some(Value::Integer(value)))].into() }
    }

    #[test]
    fn a_wait_ends_at_its_deadline_or_with_the_stop() {
        let stop = Stop::default();
        assert!(!stop.wait_until(Instant::now()));
        assert_eq!(stop.wish_until(Instant::now()), Wish::Nothing);
        let waiter = stop.clone();
        let waiting = thread::spawn(move || waiter.wait_until(far()));
        stop.set();
        assert!(waiting.join().unwrap());
        assert!(stop.wait_until(far()));
        assert_eq!(stop.wish_until(far()), Wish::Stop);
        assert_eq!(stop.next_settings(), None);
    }

    #[test]
    fn what_is_to_be_set_ends_a_wait_for_wishes_and_no_other() {
        let stop = Stop::default();
        let (one, two) = (stop.clone(), stop.clone());
        let waiting = thread::spawn(move || one.wish_until(far()));
        stop.hear(set(1, "a", 1));
        assert_eq!(waiting.join().unwrap(), Wish::Set(set(1, "a", 1)));
        let waiting = thread::spawn(move || two.next_settings());
        stop.hear(set(2, "a", 2));
        assert_eq!(waiting.join().unwrap(), Some(set(2, "a", 2)));
        stop.hear(set(3, "a", 3));
        assert!(!stop.wait_until(Instant::now()));
    }

    #[test]
    fn of_what_has_not_been_taken_the_newest_counts_and_a_stop_comes_first() {
        let stop = Stop::default();
        stop.hear(set(1, "a", 1));
        stop.hear(set(2, "b", 2));
        stop.hear(set(3, "a", 3));
        let both = Set {
            serial: 3,
            controls: [set(3, "a", 3), set(3, "b", 2)].map(|s| s.controls).into_iter().flatten().collect(),
        };
        assert_eq!(stop.take_settings(), Some(both));
        assert_eq!(stop.take_settings(), None);
        stop.hear(set(4, "a", 4));
        stop.set();
        assert_eq!(stop.wish_until(far()), Wish::Stop);
    }

    #[test]
    fn only_what_the_controls_take_is_set() {
        let text = r#"[
            {"id": "a", "name": "A", "group": "image", "type": "integer", "min": 0, "max": 9, "step": 1, "default": 5},
            {"id": "go", "name": "Go", "group": "other", "type": "button"},
            {"id": "z", "name": "Z", "group": "image", "type": "boolean"}
        ]"#;
        let controls: Vec<Control> = serde_json::from_str(text).unwrap();
        let settings = |text: &str| checked(&controls, &serde_json::from_str(text).unwrap());
        assert_eq!(settings(r#"{"z": true, "a": 3, "nothing": 1}"#), [(0, 3.into()), (2, true.into())]);
        assert_eq!(settings(r#"{"z": 7, "a": 10}"#), []);
        assert_eq!(settings(r#"{"z": null, "a": null, "go": null}"#), [(0, 5.into())]);
        assert_eq!(settings(r#"{"go": true}"#), [(1, true.into())]);
    }

    #[test]
    fn a_source_without_controls_never_sees_any() {
        let stop = Stop::default();
        stop.hear(set(1, "a", 1));
        stop.without_controls();
        assert_eq!(stop.take_settings(), None);
        stop.hear(set(2, "a", 2));
        assert_eq!(stop.take_settings(), None);
    }
}
