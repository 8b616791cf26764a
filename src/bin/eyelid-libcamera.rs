//! The capture process of libcamera cameras. A program of its own: a libcamera that this build does not fit
//! keeps it from starting, and the daemon goes on and says so.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::{Arg, ArgAction, Args, Command, FromArgMatches};
use eyelid::capture::{Spec, libcamera, protocol::Event, runner};
use serde::Serialize;

fn main() -> ExitCode {
    let matches = command().get_matches();
    if matches.get_flag("list") {
        return list();
    }
    match Spec::from_arg_matches(&matches) {
        Ok(spec) => runner::run(|stop, emit| libcamera::capture(&spec, stop, emit)),
        Err(error) => error.exit(),
    }
}

/// Not derived: an `Option` of arguments that have groups of arguments in them is always none to clap.
fn command() -> Command {
    let command = Command::new("eyelid-libcamera")
        .about("Takes pictures with a libcamera camera, each in place of the one before")
        .version(env!("CARGO_PKG_VERSION"));
    let list = Arg::new("list").long("list").action(ArgAction::SetTrue).exclusive(true);
    Spec::augment_args(command)
        .arg(list.help("Prints the cameras that there are, one JSON object a line, and ends"))
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
