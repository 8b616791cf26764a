//! Viewers beside many clients that take their time, and beside more than there are files for.

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use eyelid::token::TokenHash;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::{
    arguments::{Arguments, Row, Way},
    audience::Audience,
    besiegers::{Borne, Manner, besiege},
    daemon::Daemon,
    feeder,
    process::{self, Memory},
    report,
    trial::Trial,
    viewers::{BEGIN, CONNECTED, END, Outcome},
};

const ROW: Row = Row { size: 25_000, rate: 2.0, viewers: 200 };

/// How many watch, and how.
pub(crate) const WAYS: [(Way, usize); 3] = [(Way::Socketio, 140), (Way::Mjpeg, 30), (Way::Ws, 30)];

/// How long who is there at the end may stay.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long the daemon may take to close what is left.
const CLOSING: Duration = Duration::from_secs(30);

struct Siege {
    name: &'static str,
    besiegers: Vec<(Manner, usize)>,
    /// How long each manner may be borne with, where that is promised.
    bounds: Vec<Option<Duration>>,
    /// The limit on open files, where it is not as high as it gets.
    files: Option<u64>,
}

/// Runs both sieges and prints their table. An error when a promise was broken.
pub(crate) fn run(arguments: &Arguments, folder: &Path) -> anyhow::Result<()> {
    if !arguments.asks_for("siege") {
        return Ok(());
    }
    let most = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most })?;
    let seconds = arguments.seconds(Row { rate: 0.5, ..ROW });
    let second = Duration::from_secs(1);
    report::line(&format!(
        "Siege, {} s: {} viewers, of them {} by Socket.IO, {} of MJPEG and {} of ws, with pictures of 25 kB, two a\n\
         second; those who are shown out come again a second later. Files open, and resident memory in MB, before, at\n\
         most, and after; the time until files were as before.\n",
        seconds.as_secs(),
        ROW.viewers,
        WAYS[0].1,
        WAYS[1].1,
        WAYS[2].1
    ));
    let sieges = [
        Siege {
            name: "slow clients",
            besiegers: vec![(Manner::Head, 1000), (Manner::Upload, 200), (Manner::Reader, 200)],
            bounds: vec![Some(15 * second), Some(30 * second), Some(30 * second)],
            files: None,
        },
        Siege {
            name: "LimitNOFILE=1024",
            besiegers: vec![(Manner::Silent, 5000)],
            // Most of them wait in the kernel, and try again when it pleases.
            bounds: vec![None],
            files: Some(1024),
        },
    ];
    let trial = Trial::new(ROW, folder, seconds)?;
    let mut broken = Vec::new();
    for siege in sieges {
        broken.extend(siege.run(arguments, folder, &trial, seconds)?);
    }
    ensure!(broken.is_empty(), "promises were broken: {}", broken.join("; "));
    Ok(())
}

impl Siege {
    /// Gives the promises that were broken.
    fn run(
        &self,
        arguments: &Arguments,
        folder: &Path,
        trial: &Trial<'_>,
        length: Duration,
    ) -> anyhow::Result<Vec<String>> {
        let [program, ..] = &arguments.daemons()[..] else { return Ok(Vec::new()) };
        let door = format!(
            "[[camera]]\nname = \"door\"\nkind = \"push\"\nupload_token = \"{}\"\n",
            TokenHash::of(feeder::TOKEN)
        );
        let camera = trial.camera()? + &door;
        let besiegers: usize = self.besiegers.iter().map(|(_, count)| count).sum();
        let connections = 2 * ROW.viewers + besiegers;
        let daemon = match self.files {
            None => Daemon::start(program, folder, connections, &camera)?,
            Some(files) => Daemon::start_with_files(files, program, folder, connections, &camera)?,
        };
        let pid = daemon.pid();
        daemon.off()?;
        let (files, memory) = (process::files(pid)?, process::memory(pid)?);
        let mut audiences = gather(trial, &daemon, &["0"; WAYS.len()])?;
        let address = daemon.address;
        let manners = self.besiegers.clone();
        let siege = thread::spawn(move || besiege(address, &manners, length, PATIENCE));
        let mut most = 0;
        while !siege.is_finished() {
            most = most.max(process::files(pid)?);
            thread::sleep(Duration::from_millis(250));
        }
        let borne = siege.join().ok().context("the besiegers have panicked")??;
        let outcomes = audiences.iter_mut().map(end).collect::<anyhow::Result<Vec<_>>>()?;
        let taken =
            outcomes.iter().map(|outcome| trial.taken(outcome)).collect::<anyhow::Result<Vec<_>>>()?;
        drop(audiences);
        let gone = Instant::now();
        daemon.off()?;
        while process::files(pid)? > files && gone.elapsed() < CLOSING {
            thread::sleep(Duration::from_millis(50));
        }
        let closing = gone.elapsed();
        let after = (process::files(pid)?, process::memory(pid)?);
        self.tell(&outcomes, &taken, &borne);
        report::line(&format!(
            "Files: {files} before, {most} at most, {} after ({:.1} s later). MB: {}.\n",
            after.0,
            closing.as_secs_f64(),
            megabytes(&memory, &after.1),
        ));
        Ok(self.broken(&outcomes, &taken, &borne, (files, after.0)))
    }

    fn tell(&self, outcomes: &[Outcome], taken: &[usize], borne: &[Borne]) {
        report::head(&[
            self.name, "viewers", "pictures", "missed", "torn", "older", "lost", "p50, ms", "p99", "worst",
        ]);
        for (((way, viewers), outcome), taken) in WAYS.iter().zip(outcomes).zip(taken) {
            report::row(&[
                way.name().to_owned(),
                viewers.to_string(),
                taken.to_string(),
                missed(outcome, *taken, *viewers).to_string(),
                outcome.torn.to_string(),
                outcome.older.to_string(),
                outcome.lost.to_string(),
                report::millis(outcome.p50 as f64),
                report::millis(outcome.p99 as f64),
                report::millis(outcome.worst as f64),
            ]);
        }
        report::line("");
        report::head(&[
            "besiegers",
            "at a time",
            "shown out",
            "the last one after, s",
            "not let in",
            "never shown out",
        ]);
        for ((manner, count), borne) in self.besiegers.iter().zip(borne) {
            report::row(&[
                manner.name().to_owned(),
                count.to_string(),
                borne.lasted.len().to_string(),
                format!("{:.1}", borne.longest().as_secs_f64()),
                borne.refused.to_string(),
                borne.left.to_string(),
            ]);
        }
        report::line("");
    }

    fn broken(
        &self,
        outcomes: &[Outcome],
        taken: &[usize],
        borne: &[Borne],
        files: (usize, usize),
    ) -> Vec<String> {
        let mut broken = Vec::new();
        for (((way, viewers), outcome), taken) in WAYS.iter().zip(outcomes).zip(taken) {
            let missed = missed(outcome, *taken, *viewers);
            if missed + (outcome.torn + outcome.older + outcome.lost) as i64 > 0 {
                broken.push(format!(
                    "{}: viewers by {} have missed pictures, or worse",
                    self.name,
                    way.name()
                ));
            }
        }
        for (((manner, _), bound), borne) in self.besiegers.iter().zip(&self.bounds).zip(borne) {
            let Some(bound) = bound else { continue };
            if borne.left > 0 || borne.longest() > *bound {
                broken.push(format!("{} were borne with for more than {} s", manner.name(), bound.as_secs()));
            }
        }
        if files.1 > files.0 {
            broken.push(format!("{}: {} files were open before, and {} are", self.name, files.0, files.1));
        }
        broken
    }
}

/// Viewers in all ways, who have begun to watch. Of each way so many a second leave, and others come.
pub(crate) fn gather(
    trial: &Trial<'_>,
    daemon: &Daemon,
    churn: &[&str; WAYS.len()],
) -> anyhow::Result<Vec<Audience>> {
    let mut audiences = Vec::new();
    for ((way, viewers), churn) in WAYS.into_iter().zip(churn) {
        let arguments = ["--way", way.name(), "--churn", churn];
        audiences.push(trial.audience(daemon.address, viewers, &arguments)?);
    }
    for expected in [CONNECTED, BEGIN] {
        for audience in &mut audiences {
            audience.until(expected)?;
        }
    }
    Ok(audiences)
}

/// What they got, when they have watched.
pub(crate) fn end(audience: &mut Audience) -> anyhow::Result<Outcome> {
    audience.until(END)?;
    audience.outcome()
}

fn missed(outcome: &Outcome, taken: usize, viewers: usize) -> i64 {
    (taken * viewers) as i64 - outcome.got as i64
}

fn megabytes(before: &Memory, after: &Memory) -> String {
    let [before, most, after] = [before.resident, after.peak, after.resident].map(report::megabytes);
    format!("{before} before, {most} at most, {after} after")
}
