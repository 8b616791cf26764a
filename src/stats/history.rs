//! What was counted, by camera and day: the contents of the file.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::camera::tally::Counts;

/// So many days are kept of each camera. Days in which nothing was counted are none.
const KEPT: usize = 400;

/// All cameras.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct History {
    /// When counting began, Unix milliseconds.
    since: i64,
    cameras: BTreeMap<String, Record>,
}

/// One camera.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// Of all days, also of those that are not kept any more.
    total: Counts,
    /// By local date.
    days: BTreeMap<Date, Counts>,
}

impl History {
    pub(super) fn since(begin: Timestamp) -> Self {
        Self { since: begin.as_millisecond(), cameras: BTreeMap::new() }
    }

    pub(super) fn begun(&self) -> i64 {
        self.since
    }

    pub(super) fn of(&self, camera: &str) -> Option<&Record> {
        self.cameras.get(camera)
    }

    pub(super) fn cameras(&self) -> impl Iterator<Item = (&str, &Record)> {
        self.cameras.iter().map(|(name, record)| (name.as_str(), record))
    }

    /// Adds to a day. Tells whether that made a difference.
    pub(super) fn add(&mut self, camera: &str, day: Date, counts: Counts) -> bool {
        if counts == Counts::default() {
            return false;
        }
        let record = self.cameras.entry(camera.to_owned()).or_default();
        let before = record.days.get(&day).copied();
        *record.days.entry(day).or_default() += counts;
        record.total += counts;
        // The oldest go, not those that are old: a clock that is wrong for a moment must not cost a year.
        while record.days.len() > KEPT {
            record.days.pop_first();
        }
        record.days.get(&day).copied() != before
    }
}

impl Record {
    pub(super) fn to_json(&self, camera: &str, title: Option<&str>, now: Option<&Value>) -> Value {
        let day = |(day, counts): (&Date, &Counts)| {
            let mut entry = json!(counts);
            entry["day"] = json!(day);
            entry
        };
        let days: Vec<Value> = self.days.iter().map(day).collect();
        json!({ "camera": camera, "title": title, "now": now, "total": self.total, "days": days })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visits(visits: u64) -> Counts {
        Counts { visits, viewers_max: 1, ..Counts::default() }
    }

    #[test]
    fn the_newest_days_are_kept_and_the_total_is_of_all() {
        let mut history = History::since(Timestamp::UNIX_EPOCH);
        let first: Date = "2025-01-01".parse().unwrap();
        let mut day = first;
        for _ in 0..500 {
            assert!(history.add("tank", day, visits(2)));
            day = day.tomorrow().unwrap();
        }
        let record = history.of("tank").unwrap();
        assert_eq!((record.days.len(), record.total), (KEPT, visits(1000)));
        assert!(!record.days.contains_key(&first) && record.days.contains_key(&day.yesterday().unwrap()));
        // A clock that is far ahead for a moment.
        history.add("tank", "2099-01-01".parse().unwrap(), visits(1));
        assert_eq!(history.of("tank").unwrap().days.len(), KEPT);
        assert!(history.of("tank").unwrap().days.contains_key(&day.yesterday().unwrap()));
    }

    #[test]
    fn what_makes_no_difference_is_no_reason_to_write() {
        let mut history = History::since(Timestamp::UNIX_EPOCH);
        let day = "2026-11-21".parse().unwrap();
        assert!(!history.add("tank", day, Counts::default()));
        assert!(history.of("tank").is_none());
        assert!(history.add("tank", day, visits(0)));
        assert!(!history.add("tank", day, visits(0)), "one viewer who stays");
        assert!(history.add("tank", day, visits(1)));
    }
}
