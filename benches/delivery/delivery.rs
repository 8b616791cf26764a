//! The matrix: size, rate and viewers, with the daemon and with nginx.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    arguments::{Arguments, Row, Way},
    nginx, report,
    trial::{Run, Trial},
};

/// One server under one load.
#[derive(Debug, Default, Clone, Copy)]
struct Measured {
    p50: f64,
    p99: f64,
    /// Per cent of the pictures that were taken.
    missed: f64,
    torn: f64,
    lost: f64,
    /// µs of the server's and the viewers' CPU for each picture that was delivered.
    server: f64,
    viewers: f64,
    /// Most memory resident, in kB.
    peak: f64,
    /// Per cent of the machine that was used by programs that have nothing to do with this.
    others: f64,
}

/// Runs the rows and prints the table.
pub(crate) fn run(arguments: &Arguments, folder: &Path) -> anyhow::Result<()> {
    let rows = arguments.rows();
    if rows.is_empty() {
        return Ok(());
    }
    let daemons = arguments.daemons();
    let nginx = nginx::find().filter(|_| !arguments.no_nginx);
    let ways = arguments.ways();
    head(&nginx, &ways);
    for row in rows {
        let seconds = arguments.seconds(row);
        let trial = Trial::new(row, folder, seconds)?;
        // Of each daemon, for the page's way and each of the others.
        let mut ours = vec![vec![Vec::new(); 1 + ways.len()]; daemons.len()];
        let mut theirs = Vec::new();
        for _ in 0..arguments.repeat.max(1) {
            for (daemon, measured) in daemons.iter().zip(&mut ours) {
                for (way, measured) in [Way::Socketio].iter().chain(&ways).zip(measured) {
                    measured.push(Measured::of(row, seconds, &trial.daemon(daemon, *way)?));
                }
            }
            if let Some(nginx) = &nginx {
                theirs.push(Measured::of(row, seconds, &trial.nginx(nginx)?));
            }
        }
        let theirs = nginx.is_some().then(|| Measured::median(&theirs));
        for (daemon, measured) in daemons.iter().zip(&ours) {
            let name =
                if daemons.len() > 1 { format!("{} {}", row.name(), daemon.display()) } else { row.name() };
            let medians: Vec<_> = measured.iter().map(|way| Measured::median(way)).collect();
            tell(name, &medians[0], &medians[1..], theirs.as_ref());
        }
    }
    report::line("");
    Ok(())
}

fn head(nginx: &Option<PathBuf>, ways: &[Way]) {
    report::line(
        "From rename to the last byte at the viewer, in ms; µs of CPU for each delivered picture. Rows are\n\
         size/pictures a second/viewers.\n",
    );
    let mut cells =
        vec!["row", "p50", "p99", "missed", "torn", "CPU", "peak MB", "viewers' CPU", "other programs"];
    let of_ways: Vec<_> = ways
        .iter()
        .flat_map(|way| ["p50", "p99", "missed", "CPU"].map(|cell| format!("{} {cell}", way.name())))
        .collect();
    cells.extend(of_ways.iter().map(String::as_str));
    match nginx {
        Some(_) => cells.extend(["nginx p50", "p99", "missed", "CPU", "CPU, times nginx"]),
        None => cells.push("nginx: not installed or not wanted"),
    }
    report::head(&cells);
}

fn tell(name: String, ours: &Measured, others: &[Measured], theirs: Option<&Measured>) {
    let percent = |value: f64| format!("{value:.1} %");
    let mut cells = vec![
        name,
        report::millis(ours.p50),
        report::millis(ours.p99),
        percent(ours.missed),
        ours.torn.to_string(),
        format!("{:.1}", ours.server),
        report::megabytes(ours.peak as u64),
        format!("{:.1}", ours.viewers),
        format!("{:.0} %", ours.others),
    ];
    for other in others {
        cells.extend([
            report::millis(other.p50),
            report::millis(other.p99),
            percent(other.missed),
            format!("{:.1}", other.server),
        ]);
    }
    match theirs {
        Some(theirs) => cells.extend([
            report::millis(theirs.p50),
            report::millis(theirs.p99),
            percent(theirs.missed),
            format!("{:.1}", theirs.server),
            format!("{:.2}", ours.server / theirs.server),
        ]),
        None => cells.push("–".to_owned()),
    }
    report::row(&cells);
    for measured in others.iter().chain([ours]) {
        if measured.lost + measured.torn > 0.0 {
            let (lost, torn) = (measured.lost, measured.torn);
            report::note(&format!("{lost} viewers lost their connection, {torn} pictures were torn"));
        }
    }
}

impl Measured {
    fn of(row: Row, seconds: Duration, run: &Run) -> Self {
        let outcome = &run.outcome;
        let all = (run.taken * row.viewers) as f64;
        let each = |cpu: Duration| cpu.as_secs_f64() * 1e6 / outcome.delivered as f64;
        Self {
            p50: outcome.p50 as f64,
            p99: outcome.p99 as f64,
            missed: (1.0 - outcome.got as f64 / all) * 100.0,
            torn: outcome.torn as f64,
            lost: outcome.lost as f64,
            server: each(run.server),
            viewers: each(run.viewers),
            peak: run.memory.after.peak as f64,
            others: report::share(run.others, seconds),
        }
    }

    /// The median of each figure; of torn pictures and lost viewers, all.
    fn median(all: &[Self]) -> Self {
        let of = |figure: fn(&Self) -> f64| report::median(all.iter().map(figure));
        Self {
            p50: of(|m| m.p50),
            p99: of(|m| m.p99),
            missed: of(|m| m.missed),
            torn: all.iter().map(|m| m.torn).sum(),
            lost: all.iter().map(|m| m.lost).sum(),
            server: of(|m| m.server),
            viewers: of(|m| m.viewers),
            peak: of(|m| m.peak),
            others: of(|m| m.others),
        }
    }
}
