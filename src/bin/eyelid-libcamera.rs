//! The capture process of libcamera cameras. A program of its own: a libcamera that this build does not fit
//! keeps it from starting, and the daemon goes on and says so.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::FromArgMatches;
use eyelid::{
    capture::{Spec, libcamera, protocol::Event, runner},
    cli,
};
use serde::Serialize;

fn main() -> ExitCode {
    let matches = cli::libcamera_command().get_matches();
    if matches.get_flag("list") {
        return list();
    }
    match Spec::from_arg_matches(&matches) {
        Ok(spec) => runner::run(|stop, emit| libcamera::capture(&spec, stop, emit)),
        Err(error) => error.exit(),
    }
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
