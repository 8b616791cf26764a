//! The capture process of libcamera cameras. A program of its own: a libcamera that this build does not fit
//! keeps it from starting, and the daemon goes on and says so.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::{Args, CommandFactory, FromArgMatches, Parser};
use eyelid::capture::{Spec, libcamera, protocol::Event, runner};
use serde::Serialize;

/// Takes pictures with a libcamera camera, each in place of the one before.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Prints the cameras that there are, one JSON object a line, and ends
    #[arg(long, exclusive = true)]
    list: bool,
}

fn main() -> ExitCode {
    // Side by side, and not as an optional part: clap takes a part that has parts itself for one that is never there.
    let matches = Spec::augment_args(Arguments::command()).get_matches();
    if matches.get_flag("list") {
        return list();
    }
    let spec = Spec::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    runner::run(|stop, emit| libcamera::capture(&spec, stop, emit))
}

fn list() -> ExitCode {
    let (lines, code) = match libcamera::list() {
        Ok(cameras) => (cameras.iter().map(line).collect(), ExitCode::SUCCESS),
        Err(failure) => (line(&Event::Error(failure)), ExitCode::FAILURE),
    };
    match io::stdout().write_all(lines.as_bytes()) {
        Ok(()) => code,
        Err(_) => ExitCode::FAILURE,
    }
}

fn line(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("it has string keys only") + "\n"
}
