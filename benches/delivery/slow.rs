//! Many slow viewers: what each of them costs, and how old the pictures are that reach them all at once.

use std::{path::Path, time::Duration};

use crate::{
    arguments::{Arguments, Row, Way},
    process::Memory,
    report,
    trial::{Run, Trial},
};

/// Runs the rows and prints the table.
pub(crate) fn run(arguments: &Arguments, folder: &Path) -> anyhow::Result<()> {
    let rows = arguments.slow_rows();
    if rows.is_empty() {
        return Ok(());
    }
    head();
    let daemons = arguments.daemons();
    let ways = if arguments.way.is_empty() { &[Way::Socketio][..] } else { &arguments.way };
    for row in rows {
        let seconds = arguments.seconds(row);
        let trial = Trial::new(row, folder, seconds)?;
        for _ in 0..arguments.repeat.max(1) {
            for (way, program) in ways.iter().flat_map(|way| daemons.iter().map(move |daemon| (way, daemon)))
            {
                let mut name = format!("{} {}", row.name(), way.name());
                if daemons.len() > 1 {
                    name = format!("{name} {}", program.display());
                }
                tell(name, row, seconds, &trial.daemon(program, *way)?);
            }
        }
    }
    report::line("");
    Ok(())
}

fn head() {
    report::line(
        "Many slow viewers: from rename to the last byte at the viewer, in ms; the daemon's CPU in per cent of one\n\
         core and in µs for each delivered picture; its resident memory in MB before anybody came, with all\n\
         connected, watching, at most, and when all have gone; and for each viewer in kB, connected, watching and\n\
         at most. Rows are size/pictures a second/viewers. A line for each run.\n",
    );
    report::head(&[
        "row",
        "p50",
        "p99",
        "worst",
        "pictures",
        "missed",
        "torn",
        "lost",
        "CPU",
        "CPU a picture",
        "before",
        "connected",
        "watching",
        "peak",
        "after",
        "kB a viewer, connected",
        "watching",
        "peak",
        "connecting, s",
        "viewers' CPU",
        "other programs",
    ]);
}

fn tell(name: String, row: Row, seconds: Duration, run: &Run) {
    let (outcome, memory) = (&run.outcome, &run.memory);
    let of_one_core = |cpu: Duration| format!("{:.1} %", cpu.as_secs_f64() / seconds.as_secs_f64() * 100.0);
    let more = |kilobytes: u64| {
        format!("{:.1}", (kilobytes as f64 - memory.before.resident as f64) / row.viewers as f64)
    };
    let resident = |memory: &Memory| report::megabytes(memory.resident);
    report::row(&[
        name,
        report::millis(outcome.p50 as f64),
        report::millis(outcome.p99 as f64),
        report::millis(outcome.worst as f64),
        run.taken.to_string(),
        ((run.taken * row.viewers) as i64 - outcome.got as i64).to_string(),
        outcome.torn.to_string(),
        outcome.lost.to_string(),
        of_one_core(run.server),
        format!("{:.1}", run.server.as_secs_f64() * 1e6 / outcome.delivered as f64),
        resident(&memory.before),
        resident(&memory.connected),
        resident(&memory.watched),
        report::megabytes(memory.after.peak),
        resident(&memory.after),
        more(memory.connected.resident),
        more(memory.watched.resident),
        more(memory.after.peak),
        format!("{:.1}", outcome.connecting as f64 / 1e6),
        of_one_core(run.viewers),
        format!("{:.0} %", report::share(run.others, seconds)),
    ]);
}
