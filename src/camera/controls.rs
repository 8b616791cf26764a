//! What can be set of a camera, what has been set of it, and what of that its capture process has done.

mod kept;
mod store;

use std::{collections::BTreeMap, path::PathBuf};

use serde_json::{Value as Json, json};
use tokio::sync::watch;

use crate::{
    capture::protocol::{Offer, Set},
    config::CameraName,
    controls::{Control, ControlKind, Refusal, Settings, Value, find},
};
pub(super) use kept::FILE_NAME;
use store::Store;

/// What can be set of a camera, as viewers see it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Panel {
    /// The camera has told. Until it has run once, nobody knows what can be set of it.
    pub known: bool,
    /// All of it. A camera that is off has the values that it will start with.
    pub controls: Vec<Control>,
    /// Why what is set now will be forgotten when the daemon ends, if so.
    pub notice: Option<String>,
    /// The serial of the last set that needs no more waiting: carried out, or its process is gone.
    answered: u64,
    /// How many times the file has been written, or could not be.
    stored: u64,
}

impl Panel {
    /// The panel as the `controls` event and the API give it.
    pub fn to_json(&self) -> Json {
        json!({ "known": self.known, "controls": self.controls, "notice": self.notice })
    }

    /// Whether somebody who sees the one has to be told of the other.
    pub fn differs_to_viewers(&self, other: &Self) -> bool {
        (self.known, &self.notice) != (other.known, &other.notice) || self.controls != other.controls
    }

    /// Whether all has come about that `ticket` waits for.
    pub(super) fn has_done(&self, ticket: Ticket) -> bool {
        self.answered >= ticket.answer && self.stored >= ticket.store
    }
}

/// What is wanted of a camera's controls.
#[derive(Debug, Clone, PartialEq)]
pub enum Wanted {
    /// These values.
    These(Settings),
    /// All as it is by default.
    Defaults,
}

/// Why nothing is set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetError {
    /// The camera does not take one of the values.
    #[error("{0}")]
    Refused(Refusal),
    /// Nobody knows yet what can be set.
    #[error(
        "it is not known yet what can be set of this camera: it has not run since the daemon was started"
    )]
    Unknown,
    /// A button of a camera that is off.
    #[error("{0} does something at once, and the camera is off")]
    Off(String),
    /// The camera is no more.
    #[error("this camera is being taken down")]
    Closed,
}

/// What to wait for after a change: an answer of the capture process, and a file that is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Ticket {
    answer: u64,
    store: u64,
}

/// The controls of one camera, as its task keeps them.
#[derive(Debug)]
pub(super) struct Controls {
    publish: watch::Sender<Panel>,
    /// What the camera has told, with the values that it has told.
    offered: Option<Vec<Control>>,
    /// What has been set, and is set again with each start. None stands for a default that the camera has not
    /// been told of yet: a webcam keeps its values while it is off.
    wanted: Settings,
    /// What no answer has come to yet, with the serial of the last request for it.
    pending: BTreeMap<String, (u64, Option<Value>)>,
    serial: u64,
    answered: u64,
    store: Store,
}

impl Controls {
    /// The controls of a camera that has not run yet; what has been set of it is in `file`.
    pub(super) fn new(camera: &CameraName, file: PathBuf, publish: watch::Sender<Panel>) -> Self {
        let wanted = kept::load(camera, &file);
        let store = Store::new(camera.clone(), file);
        Self { publish, offered: None, wanted, pending: BTreeMap::new(), serial: 0, answered: 0, store }
    }

    /// What a new capture process has to set.
    pub(super) fn first(&mut self) -> Option<Set> {
        if self.wanted.is_empty() {
            return None;
        }
        self.serial += 1;
        let serial = self.serial;
        let all = self.wanted.iter().map(|(id, value)| (id.clone(), (serial, value.clone())));
        self.pending = all.collect();
        Some(Set { serial, controls: self.wanted.clone() })
    }

    /// The capture process tells what can be set, and how it is set.
    pub(super) fn offered(&mut self, offer: Offer) {
        self.offered = Some(offer.controls);
        self.answered = self.answered.max(offer.answers.min(self.serial));
        let answered = self.answered;
        self.pending.retain(|id, (serial, value)| {
            let done = *serial <= answered;
            if done && value.is_none() && self.wanted.get(id) == Some(&None) {
                self.wanted.remove(id);
                self.store.changed();
            }
            !done
        });
        self.publish();
    }

    /// It is another camera now.
    pub(super) fn forget(&mut self) {
        self.offered = None;
        self.publish();
    }

    /// The capture process is gone: it answers no more.
    pub(super) fn ended(&mut self) {
        self.answered = self.serial;
        self.publish();
    }

    /// Takes a wish, all of it or, where one of its values can't be, nothing. `running` is whether there is a
    /// process that sets it at once; then what to set is in the answer.
    pub(super) fn change(
        &mut self,
        wanted: Wanted,
        running: bool,
    ) -> Result<(Option<Set>, Ticket), SetError> {
        let settings = match wanted {
            Wanted::These(settings) => self.checked(settings, running)?,
            Wanted::Defaults => self.away_from_default(),
        };
        if settings.is_empty() {
            return Ok((None, Ticket::default()));
        }
        self.serial += 1;
        let mut ticket = Ticket::default();
        let is_button = |id: &str| {
            let control = self.offered.iter().flatten().find(|control| control.id == id);
            control.is_some_and(|control| control.kind == ControlKind::Button)
        };
        let lasting: Vec<_> = settings.iter().filter(|(id, _)| !is_button(id)).collect();
        let mut changed = false;
        for (id, value) in lasting {
            self.pending.insert(id.clone(), (self.serial, value.clone()));
            changed |= self.wanted.insert(id.clone(), value.clone()).as_ref() != Some(value);
        }
        if changed {
            ticket.store = self.store.change(&self.wanted);
        }
        let set = running.then_some(Set { serial: self.serial, controls: settings });
        if running {
            ticket.answer = self.serial;
        } else {
            self.answered = self.serial;
        }
        self.publish();
        Ok((set, ticket))
    }

    /// Writes what is to be written when it is time; returns when something has come of it. Cancel safe.
    pub(super) async fn keep(&mut self) {
        self.store.turn(&self.wanted).await;
        self.publish();
    }

    /// Writes what is not written yet.
    pub(super) async fn close(mut self) {
        self.store.close(&self.wanted).await;
    }

    fn checked(&self, settings: Settings, running: bool) -> Result<Settings, SetError> {
        let controls = self.offered.as_ref().ok_or(SetError::Unknown)?;
        let mut checked = Settings::new();
        for (id, asked) in settings {
            let control = find(controls, &id).map_err(SetError::Refused)?;
            let value = control.resolve(asked.as_ref()).map_err(SetError::Refused)?;
            match (&control.kind, value) {
                (ControlKind::Button, None) => {}
                (ControlKind::Button, Some(_)) if !running => return Err(SetError::Off(id)),
                // A default is left to the camera to know.
                (_, value) => drop(checked.insert(id, value.filter(|_| asked.is_some()))),
            }
        }
        Ok(checked)
    }

    fn away_from_default(&self) -> Settings {
        let set = self.wanted.keys().cloned();
        let differs = |control: &Control| {
            !control.read_only && control.default.is_some() && control.value != control.default
        };
        let found = self.offered.iter().flatten().filter(|control| differs(control));
        set.chain(found.map(|control| control.id.clone())).map(|id| (id, None)).collect()
    }

    fn publish(&self) {
        let mut controls = self.offered.clone().unwrap_or_default();
        for control in &mut controls {
            if let Some((_, asked)) = self.pending.get(&control.id)
                && let Ok(value) = control.resolve(asked.as_ref())
            {
                control.value = value;
            }
        }
        let new = Panel {
            known: self.offered.is_some(),
            controls,
            notice: self.store.trouble().map(str::to_owned),
            answered: self.answered,
            stored: self.store.rounds(),
        };
        self.publish.send_if_modified(|panel| {
            let changed = *panel != new;
            *panel = new;
            changed
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = r#"[
        {"id": "level", "name": "Level", "group": "image", "type": "integer",
            "min": 0, "max": 9, "step": 1, "default": 5, "value": 5},
        {"id": "auto", "name": "Auto", "group": "image", "type": "boolean", "default": true, "value": true},
        {"id": "fixed", "name": "Fixed", "group": "other", "type": "integer",
            "min": 0, "max": 9, "step": 1, "default": 1, "value": 2, "read_only": true},
        {"id": "go", "name": "Go", "group": "other", "type": "button"}
    ]"#;

    struct Desk {
        controls: Controls,
        panel: watch::Receiver<Panel>,
        _folder: tempfile::TempDir,
    }

    impl Desk {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let (publish, panel) = watch::channel(Panel::default());
            let file = folder.path().join("tank").join(FILE_NAME);
            let controls = Controls::new(&"tank".parse().unwrap(), file, publish);
            Self { controls, panel, _folder: folder }
        }

        /// What the camera tells, with this level.
        fn offer(&mut self, answers: u64, level: i64) {
            let mut controls: Vec<Control> = serde_json::from_str(LIST).unwrap();
            controls[0].value = Some(level.into());
            self.controls.offered(Offer { controls, answers });
        }

        fn change(&mut self, settings: &str, running: bool) -> Result<(Option<Set>, Ticket), SetError> {
            self.controls.change(Wanted::These(serde_json::from_str(settings).unwrap()), running)
        }

        fn level(&self) -> Option<Value> {
            self.panel.borrow().controls[0].value.clone()
        }

        fn has_done(&self, ticket: Ticket) -> bool {
            self.panel.borrow().has_done(Ticket { store: 0, ..ticket })
        }
    }

    fn settings(text: &str) -> Settings {
        serde_json::from_str(text).unwrap()
    }

    #[tokio::test]
    async fn what_is_asked_for_is_shown_until_the_camera_tells_what_came_of_it() {
        let mut desk = Desk::new();
        assert!(!desk.panel.borrow().known);
        desk.offer(0, 5);
        let (set, ticket) = desk.change("{\"level\": 9}", true).unwrap();
        assert_eq!((set.unwrap().controls, desk.level()), (settings("{\"level\": 9}"), Some(9.into())));
        // News from before the change.
        desk.offer(0, 5);
        assert_eq!((desk.level(), desk.has_done(ticket)), (Some(9.into()), false));
        // The driver took less than it was given.
        desk.offer(1, 8);
        assert_eq!((desk.level(), desk.has_done(ticket)), (Some(8.into()), true));
        let first = desk.controls.first().unwrap();
        assert_eq!((first.serial, first.controls), (2, settings("{\"level\": 9}")));
    }

    #[tokio::test]
    async fn an_answer_to_an_earlier_change_does_not_hide_a_later_one() {
        let mut desk = Desk::new();
        desk.offer(0, 5);
        let (_, one) = desk.change("{\"level\": 6}", true).unwrap();
        let (_, two) = desk.change("{\"level\": 7}", true).unwrap();
        desk.offer(1, 6);
        assert_eq!((desk.level(), desk.has_done(one), desk.has_done(two)), (Some(7.into()), true, false));
        // A program that answers what nobody has asked is not believed.
        desk.offer(99, 7);
        let (_, three) = desk.change("{\"level\": 1}", true).unwrap();
        assert!(desk.has_done(two) && !desk.has_done(three));
        desk.controls.ended();
        assert!(desk.has_done(three), "nobody answers any more");
    }

    #[tokio::test]
    async fn a_default_is_told_to_the_camera_once_and_then_kept_no_more() {
        let mut desk = Desk::new();
        desk.offer(0, 5);
        desk.change("{\"level\": 9}", false).unwrap();
        let (set, _) = desk.change("{\"level\": null}", false).unwrap();
        assert_eq!((set, desk.level()), (None, Some(5.into())));
        let first = desk.controls.first().unwrap();
        assert_eq!(first.controls, settings("{\"level\": null}"));
        desk.offer(0, 9);
        assert_eq!(desk.level(), Some(5.into()));
        desk.offer(first.serial, 5);
        assert_eq!(desk.controls.first(), None);
    }

    #[tokio::test]
    async fn all_defaults_are_those_of_what_was_set_and_of_what_differs() {
        let mut desk = Desk::new();
        desk.offer(0, 6);
        desk.change("{\"auto\": true}", true).unwrap();
        let (set, _) = desk.controls.change(Wanted::Defaults, true).unwrap();
        assert_eq!(set.unwrap().controls, settings("{\"auto\": null, \"level\": null}"));
        desk.offer(2, 5);
        assert_eq!(desk.controls.change(Wanted::Defaults, true).unwrap(), (None, Ticket::default()));
    }

    #[tokio::test]
    async fn a_button_is_pressed_and_not_kept() {
        let mut desk = Desk::new();
        assert_eq!(desk.change("{\"go\": true}", true), Err(SetError::Unknown));
        desk.offer(0, 5);
        assert_eq!(desk.change("{\"go\": true, \"level\": 1}", false), Err(SetError::Off("go".to_owned())));
        let (set, _) = desk.change("{\"go\": true}", true).unwrap();
        assert_eq!(set.unwrap().controls, settings("{\"go\": true}"));
        assert_eq!(desk.controls.first(), None);
        assert_eq!(desk.change("{\"go\": null}", true).unwrap(), (None, Ticket::default()));
    }

    #[tokio::test]
    async fn what_another_camera_lacks_is_kept_for_the_one_that_has_it() {
        let mut desk = Desk::new();
        desk.offer(0, 5);
        desk.change("{\"level\": 9}", false).unwrap();
        desk.controls.forget();
        assert!(!desk.panel.borrow().known);
        let serial = desk.controls.first().unwrap().serial;
        desk.controls.offered(Offer { controls: Vec::new(), answers: serial });
        assert!(matches!(desk.change("{\"level\": 1}", true), Err(SetError::Refused(_))));
        assert_eq!(desk.controls.first().unwrap().controls, settings("{\"level\": 9}"));
    }
}
