//! `eyelid doctor`: what there is to know of this machine when a camera does not work, and what to do.
//!
//! A topic is a file: its `look` collects facts, its `judge` makes [`Check`]s of them and asks nobody. Nothing in a
//! report is secret: no value of the configuration gets in, and what other programs say goes through `scrub`.

mod cameras;
mod clock;
mod configuration;
mod folders;
mod machine;
mod memory;
mod network;
mod permission;
mod power;
mod programs;
mod safety;
mod scrub;
mod service;
mod surroundings;
mod users;

use std::{
    fmt,
    path::Path,
    process::Command,
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use serde::Serialize;

use self::surroundings::Surroundings;
use crate::{child::output_within, config::Request};

/// How long all of it may take. Of the topics the search for cameras takes longest: two programs, 3 s each.
const LIMIT: Duration = Duration::from_secs(15);

/// How long a program that is asked for a fact may take.
const PROGRAM_LIMIT: Duration = Duration::from_secs(5);

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    Good,
    /// It works, or may work, but not as well or as safely as it could.
    Warning,
    /// It does not work, or is not safe.
    Bad,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Good => "good",
            Self::Warning => "warning",
            Self::Bad => "bad",
        })
    }
}

/// A line of the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What it is about; the same for ever.
    pub key: &'static str,
    /// How it is.
    pub verdict: Verdict,
    /// What was found.
    pub what: String,
    /// What to do about it.
    #[serde(rename = "do")]
    pub advice: Option<String>,
}

impl Check {
    fn new(key: &'static str, verdict: Verdict, what: impl Into<String>) -> Self {
        Self { key, verdict, what: what.into(), advice: None }
    }

    fn good(key: &'static str, what: impl Into<String>) -> Self {
        Self::new(key, Verdict::Good, what)
    }

    fn warning(key: &'static str, what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { advice: Some(advice.into()), ..Self::new(key, Verdict::Warning, what) }
    }

    fn bad(key: &'static str, what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { advice: Some(advice.into()), ..Self::new(key, Verdict::Bad, what) }
    }
}

/// All that was found.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The version of this program.
    pub version: &'static str,
    /// The worst of the verdicts.
    pub worst: Verdict,
    /// A line each.
    pub checks: Vec<Check>,
}

impl Report {
    fn new(checks: Vec<Check>) -> Self {
        let worst = checks.iter().map(|check| check.verdict).max().unwrap_or(Verdict::Good);
        Self { version: env!("CARGO_PKG_VERSION"), worst, checks }
    }
}

/// For people.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "eyelid {}", self.version)?;
        for Check { key, verdict, what, advice } in &self.checks {
            writeln!(f, "{verdict:<8} {key}: {what}")?;
            if let Some(advice) = advice {
                writeln!(f, "{:<8} → {advice}", "")?;
            }
        }
        let count = |verdict| self.checks.iter().filter(|check| check.verdict == verdict).count();
        let [good, warning, bad] = [Verdict::Good, Verdict::Warning, Verdict::Bad].map(count);
        write!(f, "{good} good, {warning} warning, {bad} bad")
    }
}

/// A topic: its key where it can't be told, and what looks and judges.
type Topic = (&'static str, Box<dyn FnOnce() -> Vec<Check> + Send>);

/// Looks at everything.
pub fn examine(request: &Request) -> Report {
    let surroundings = Surroundings::look(request);
    let topic = |key, judge: fn(&Surroundings) -> Vec<Check>| -> Topic {
        let surroundings = surroundings.clone();
        (key, Box::new(move || judge(&surroundings)))
    };
    let mut checks = gather(
        vec![
            topic("machine", |around| machine::Facts::look().judge(around)),
            topic("programs", |around| programs::Facts::look().judge(around)),
            topic("cameras", |around| cameras::Facts::look().judge(around)),
            topic("camera-users", |around| users::Facts::look().judge(around)),
            topic("devices", |around| permission::Facts::look().judge(around)),
            topic("memory", |around| memory::Facts::look().judge(around)),
            topic("folders", |around| folders::Facts::look(around).judge(around)),
            topic("power", |around| power::Facts::look().judge(around)),
            topic("clock", |_| clock::Facts::look().judge()),
            topic("service", |around| service::Facts::look().judge(around)),
            topic("network", |around| network::Facts::look(around).judge(around)),
            topic("configuration", configuration::judge),
            topic("access", |around| safety::Facts::look().judge(around)),
        ],
        LIMIT,
    );
    let scrub = scrub::Scrub::of_this_machine();
    for check in &mut checks {
        check.what = scrub.clean(&check.what);
        check.advice = check.advice.take().map(|advice| scrub.clean(&advice));
    }
    Report::new(checks)
}

/// Runs all topics at once, each in a thread of its own: a device that hangs holds only its own line up.
fn gather(topics: Vec<Topic>, limit: Duration) -> Vec<Check> {
    let deadline = Instant::now() + limit;
    let run = |(key, look): Topic| {
        let (sender, checks) = mpsc::channel();
        thread::spawn(move || sender.send(look()));
        (key, checks)
    };
    let running: Vec<_> = topics.into_iter().map(run).collect();
    let late = |key, error| match error {
        RecvTimeoutError::Timeout => Check::bad(
            key,
            format!("can't be told: no answer within {}", humantime::format_duration(limit)),
            "a device or a program hangs: sudo dmesg | tail, then restart the machine",
        ),
        RecvTimeoutError::Disconnected => {
            Check::bad(key, "can't be told: eyelid doctor itself failed here", "please report this")
        }
    };
    let wait = |(key, checks): (&'static str, mpsc::Receiver<Vec<Check>>)| {
        let left = deadline.saturating_duration_since(Instant::now());
        checks.recv_timeout(left).unwrap_or_else(|error| vec![late(key, error)])
    };
    running.into_iter().flat_map(wait).collect()
}

/// What a program says on standard output; none where it is not there, fails or takes too long.
fn ask(program: &str, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(program);
    // Words of the system's programs are read, so they have to be those that are expected.
    command.args(arguments).env("LC_ALL", "C");
    let output = output_within(command, PROGRAM_LIMIT).ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The first of what a small file says; none where it can't be read.
fn read(path: impl AsRef<Path>) -> Option<String> {
    let bytes = std::fs::read(path).ok()?;
    // Texts of the device tree end with a zero.
    let text =
        String::from_utf8_lossy(&bytes).trim_matches(|c: char| c == '\0' || c.is_whitespace()).to_owned();
    Some(text).filter(|text| !text.is_empty())
}

/// "3 MiB", "1.8 GiB"
fn size(bytes: u64) -> String {
    const MIB: u64 = 1 << 20;
    match bytes {
        0..MIB => format!("{} KiB", bytes >> 10),
        _ if bytes < 1 << 30 => format!("{} MiB", bytes / MIB),
        _ => format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Longer than anything takes that doesn't hang.
    const PATIENCE: Duration = Duration::from_secs(60);

    fn clock() -> Topic {
        ("clock", Box::new(|| vec![Check::good("clock", "synchronised")]))
    }

    #[test]
    fn a_topic_that_hangs_is_told_and_not_waited_for() {
        let (held, never) = mpsc::channel::<()>();
        let hangs = move || never.recv().map(|()| Vec::new()).unwrap_or_default();
        let checks = gather(vec![("power", Box::new(hangs)), clock()], Duration::from_millis(100));
        assert_eq!((checks[0].key, checks[0].verdict), ("power", Verdict::Bad));
        assert!(checks[0].what.contains("no answer within 100ms"), "{}", checks[0].what);
        // On a slow machine it is late too, and told all the same.
        assert_eq!((checks.len(), checks[1].key), (2, "clock"));
        drop(held);
    }

    #[test]
    fn a_topic_that_panics_is_told_and_the_others_too() {
        let checks = gather(vec![("cameras", Box::new(|| panic!("on purpose"))), clock()], PATIENCE);
        assert_eq!((checks[0].key, checks[0].verdict), ("cameras", Verdict::Bad));
        assert!(checks[0].what.contains("itself failed"), "{}", checks[0].what);
        assert_eq!(checks[1], Check::good("clock", "synchronised"));
    }

    #[test]
    fn the_report_for_people_has_a_line_for_each_and_its_remedy_below() {
        let report = Report::new(vec![
            Check::good("model", "Raspberry Pi 5"),
            Check::warning("power", "undervoltage", "use another supply"),
        ]);
        assert_eq!(report.worst, Verdict::Warning);
        let expected = format!(
            "eyelid {}\ngood     model: Raspberry Pi 5\nwarning  power: undervoltage\n         → use another supply\n\
             1 good, 1 warning, 0 bad",
            env!("CARGO_PKG_VERSION")
        );
        assert_eq!(report.to_string(), expected);
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["worst"], "warning");
        assert_eq!(
            json["checks"][1],
            serde_json::json!({ "key": "power", "verdict": "warning", "what": "undervoltage", "do": "use another supply" })
        );
        assert!(json["checks"][0]["do"].is_null());
    }

    #[test]
    fn sizes_are_told_in_the_unit_that_fits() {
        for (bytes, told) in
            [(0, "0 KiB"), (900 << 10, "900 KiB"), (64 << 20, "64 MiB"), (3 << 29, "1.5 GiB")]
        {
            assert_eq!(size(bytes), told);
        }
    }
}
