//! What is printed.

use std::{io::Write, time::Duration};

/// A line of the report.
pub(crate) fn line(text: &str) {
    let mut out = std::io::stdout().lock();
    // A reader that has gone is no error.
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// A remark, beside the report.
pub(crate) fn note(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// A row of a Markdown table.
pub(crate) fn row(cells: &[String]) {
    line(&format!("| {} |", cells.join(" | ")));
}

/// The head of a Markdown table, with numbers to the right.
pub(crate) fn head(cells: &[&str]) {
    row(&cells.iter().map(ToString::to_string).collect::<Vec<_>>());
    let rule = |at| if at == 0 { "---" } else { "---:" };
    row(&(0..cells.len()).map(|at| rule(at).to_owned()).collect::<Vec<_>>());
}

/// Microseconds as milliseconds, to three digits.
pub(crate) fn millis(micros: f64) -> String {
    let ms = micros / 1000.0;
    match ms {
        0.0..1.0 => format!("{ms:.2}"),
        1.0..10.0 => format!("{ms:.1}"),
        _ => format!("{ms:.0}"),
    }
}

/// kB as MB.
pub(crate) fn megabytes(kilobytes: u64) -> String {
    format!("{:.1}", kilobytes as f64 / 1024.0)
}

/// The middle one.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => values[odd / 2],
        even => f64::midpoint(values[even / 2 - 1], values[even / 2]),
    }
}

/// Per cent of all cores.
pub(crate) fn share(cpu: Duration, of: Duration) -> f64 {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    cpu.as_secs_f64() / of.as_secs_f64() / cores as f64 * 100.0
}
