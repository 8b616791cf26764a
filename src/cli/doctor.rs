//! `eyelid doctor`: is all well on this machine, and what to do if not?

use std::process::ExitCode;

use super::{Common, complain, say};
use crate::doctor::{self, Verdict};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print one JSON object, for programs
    #[arg(long)]
    json: bool,
}

pub(super) fn run(common: &Common, args: &Args) -> ExitCode {
    let report = doctor::examine(&common.request());
    if args.json {
        match serde_json::to_string_pretty(&report) {
            Ok(json) => say(&json),
            Err(error) => complain(&error.to_string()),
        }
    } else {
        say(&report.to_string());
    }
    match report.worst {
        Verdict::Good | Verdict::Warning => ExitCode::SUCCESS,
        Verdict::Bad => ExitCode::FAILURE,
    }
}
