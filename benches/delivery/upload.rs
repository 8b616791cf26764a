//! From a camera that sends its pictures to those who watch it.

use std::path::Path;

use crate::{
    arguments::{Arguments, Row, Way},
    report,
    trial::{Run, Trial},
};

/// Measures each way to watch, and prints the table.
pub(crate) fn run(arguments: &Arguments, folder: &Path) -> anyhow::Result<()> {
    if !arguments.wants("upload") {
        return Ok(());
    }
    let row = Row::UPLOADED;
    report::line(&format!(
        "Uploads, {}: from the first byte that is sent to the last byte at the viewer, in ms; µs of the daemon's CPU\n\
         for each delivered picture, without its capture process. A line for each run.\n",
        row.name()
    ));
    report::head(&[
        "way",
        "p50",
        "p99",
        "worst",
        "pictures",
        "missed",
        "torn",
        "lost",
        "CPU",
        "other programs",
    ]);
    let [program, ..] = &arguments.daemons()[..] else { return Ok(()) };
    let seconds = arguments.seconds(row);
    let trial = Trial::new(row, folder, seconds)?;
    for _ in 0..arguments.repeat.max(1) {
        for way in [Way::Socketio].into_iter().chain(Way::OTHERS) {
            if arguments.way.is_empty() || arguments.way.contains(&way) {
                let run = trial.upload(program, way)?;
                tell(way, row, report::share(run.others, seconds), &run);
            }
        }
    }
    report::line("");
    Ok(())
}

fn tell(way: Way, row: Row, others: f64, run: &Run) {
    let outcome = &run.outcome;
    report::row(&[
        way.name().to_owned(),
        report::millis(outcome.p50 as f64),
        report::millis(outcome.p99 as f64),
        report::millis(outcome.worst as f64),
        run.taken.to_string(),
        ((run.taken * row.viewers) as i64 - outcome.got as i64).to_string(),
        outcome.torn.to_string(),
        outcome.lost.to_string(),
        format!("{:.1}", run.server.as_secs_f64() * 1e6 / outcome.delivered as f64),
        format!("{others:.0} %"),
    ]);
}
