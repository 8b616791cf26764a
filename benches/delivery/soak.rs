//! For long: viewers who come and go, and a capture process that is killed again and again.

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::{
    arguments::{Arguments, Row},
    daemon::Daemon,
    process, report,
    siege::{WAYS, end, gather},
    trial::Trial,
    viewers::Outcome,
};

const ROW: Row = Row { size: 25_000, rate: 2.0, viewers: 200 };

/// How many leave and come a second, of each way.
const CHURN: [&str; 3] = ["3", "1", "1"];

/// From the start of a capture process to its end. After 30 s of health it is started anew at once.
const LIFE: Duration = Duration::from_secs(31);

/// From one look at the daemon to the next.
const LOOK: Duration = Duration::from_secs(2);

/// Until then it may still be filling what it keeps; of a shorter soak the first third.
const FILLING: Duration = Duration::from_secs(300);

/// What memory may grow by, in kB a minute: 1 MB in the 15 minutes that are left of 20.
const GROWTH: f64 = 64.0;

/// A shorter soak shows how memory is filled, not whether it grows.
const JUDGED: Duration = Duration::from_secs(600);

/// How long the daemon may take to close what is left.
const CLOSING: Duration = Duration::from_secs(30);

/// One look.
struct Sample {
    at: Duration,
    anonymous: u64,
    files: usize,
    processes: usize,
}

/// Soaks, and prints a table. An error when a promise was broken.
pub(crate) fn run(arguments: &Arguments, folder: &Path) -> anyhow::Result<()> {
    if !arguments.asks_for("soak") {
        return Ok(());
    }
    let length = Duration::from_secs(arguments.minutes * 60);
    let [program, ..] = &arguments.daemons()[..] else { return Ok(()) };
    let trial = Trial::new(ROW, folder, length)?;
    let daemon = Daemon::start_as_a_service(program, folder, 4 * ROW.viewers, &trial.camera()?)?;
    let pid = daemon.pid();
    daemon.off()?;
    let folder = folder.to_string_lossy();
    let before = (process::files(pid)?, process::memory(pid)?.anonymous, process::naming(&folder)?);

    let mut audiences = gather(&trial, &daemon, &CHURN)?;
    let began = Instant::now();
    let (mut samples, mut kills) = (Vec::new(), 0);
    let mut capture: Option<(u32, Instant)> = None;
    while began.elapsed() < length {
        thread::sleep(LOOK);
        samples.push(Sample {
            at: began.elapsed(),
            anonymous: process::memory(pid)?.anonymous,
            files: process::files(pid)?,
            processes: process::naming(&folder)?,
        });
        capture = match (process::children(pid)?.first(), capture) {
            (Some(child), Some((known, since))) if *child == known => {
                if since.elapsed() < LIFE {
                    Some((known, since))
                } else {
                    let child = Pid::from_raw(known as i32).context("a process has a number")?;
                    // It may just have ended by itself.
                    let _ = kill_process(child, Signal::KILL);
                    kills += 1;
                    None
                }
            }
            (Some(child), _) => Some((*child, Instant::now())),
            (None, _) => None,
        };
    }
    let outcomes = audiences.iter_mut().map(end).collect::<anyhow::Result<Vec<_>>>()?;
    drop(audiences);
    let gone = Instant::now();
    daemon.off()?;
    while process::files(pid)? > before.0 && gone.elapsed() < CLOSING {
        thread::sleep(Duration::from_millis(50));
    }
    let after = (process::files(pid)?, process::memory(pid)?.anonymous, process::naming(&folder)?);
    let filling = FILLING.min(length / 3);
    let full: Vec<&Sample> = samples.iter().filter(|sample| sample.at >= filling).collect();
    let slope = slope(full.iter().map(|sample| (sample.at.as_secs_f64() / 60.0, sample.anonymous as f64)));
    ensure!(!slope.is_nan(), "too few looks at the daemon for a trend");

    report::line(&format!(
        "Soak, {} minutes: {} viewers, of whom five a second leave and as many come, pictures of 25 kB, two a second; the\n\
         capture process was killed {kills} times, {} s after each start.\n",
        arguments.minutes,
        ROW.viewers,
        LIFE.as_secs()
    ));
    report::head(&[
        "ways to watch",
        "viewers",
        "pictures that came",
        "torn",
        "older",
        "lost",
        "told to come again",
        "p50, ms",
        "p99",
    ]);
    for ((way, viewers), outcome) in WAYS.iter().zip(&outcomes) {
        report::row(&[
            way.name().to_owned(),
            viewers.to_string(),
            outcome.delivered.to_string(),
            outcome.torn.to_string(),
            outcome.older.to_string(),
            outcome.lost.to_string(),
            outcome.in_vain.to_string(),
            report::millis(outcome.p50 as f64),
            report::millis(outcome.p99 as f64),
        ]);
    }
    report::line("");
    let spread = |of: fn(&Sample) -> f64| {
        let range = full.iter().map(|sample| of(sample));
        (range.clone().fold(f64::INFINITY, f64::min), range.fold(0.0, f64::max))
    };
    let [memory, files, processes] = [
        spread(|sample| sample.anonymous as f64 / 1024.0),
        spread(|sample| sample.files as f64),
        spread(|sample| sample.processes as f64),
    ];
    let mean = |samples: &[&Sample]| {
        samples.iter().map(|sample| sample.files as f64).sum::<f64>() / samples.len().max(1) as f64
    };
    let third = (full.len() / 3).max(1);
    let (first, last) = (mean(&full[..third]), mean(&full[full.len() - third..]));
    report::head(&["of the daemon", "before", "least", "most", "after", "trend"]);
    report::row(&[
        "memory that is no file's, MB".into(),
        report::megabytes(before.1),
        format!("{:.1}", memory.0),
        format!("{:.1}", memory.1),
        report::megabytes(after.1),
        format!("{slope:.1} kB a minute"),
    ]);
    report::row(&[
        "open files".into(),
        before.0.to_string(),
        files.0.to_string(),
        files.1.to_string(),
        after.0.to_string(),
        format!("{first:.1} in the first third, {last:.1} in the last"),
    ]);
    report::row(&[
        "processes, with the viewers'".into(),
        before.2.to_string(),
        processes.0.to_string(),
        processes.1.to_string(),
        after.2.to_string(),
        String::new(),
    ]);
    report::line(&format!(
        "\nLeast, most and trend are of the time after the first {:.1} minutes; the trend of memory counts from {} minutes on.\n",
        filling.as_secs_f64() / 60.0,
        JUDGED.as_secs() / 60
    ));

    let mut broken = Vec::new();
    let faults = |outcome: &Outcome| outcome.torn + outcome.older + outcome.lost;
    if outcomes.iter().map(faults).sum::<u64>() > 0 {
        broken.push(
            "pictures were torn or older than the one before, or viewers lost their connection".to_owned(),
        );
    }
    if slope > GROWTH && length >= JUDGED {
        broken.push(format!("memory grows by {slope:.0} kB a minute"));
    }
    if last > first + 10.0 || after.0 > before.0 {
        broken.push("files are left open".to_owned());
    }
    // The viewers, and a capture process with what it runs.
    if processes.1 > (before.2 + WAYS.len() + 2) as f64 || after.2 > before.2 {
        broken.push("processes are left behind".to_owned());
    }
    ensure!(broken.is_empty(), "promises were broken: {}", broken.join("; "));
    Ok(())
}

/// How much a line through these points rises, by least squares.
fn slope(points: impl Iterator<Item = (f64, f64)> + Clone) -> f64 {
    let count = points.clone().count() as f64;
    let (x, y) = points.clone().fold((0.0, 0.0), |sum, point| (sum.0 + point.0, sum.1 + point.1));
    let (x, y) = (x / count, y / count);
    let (above, below) = points.fold((0.0, 0.0), |sum, point| {
        (sum.0 + (point.0 - x) * (point.1 - y), sum.1 + (point.0 - x).powi(2))
    });
    above / below
}
