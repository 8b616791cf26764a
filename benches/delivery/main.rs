//! How fast pictures get from the rolling file to viewers, and what that costs: `cargo bench --bench delivery`.
//!
//! ```text
//! feeder ── rename ──▶ rolling file ──▶ daemon ── Socket.IO, then GET ──▶ viewers
//!                                    │         └─ MJPEG or WebSocket ──▶ the same
//!                                    └▶ nginx  ────────── GET ──────────▶ the same
//! feeder ── POST /upload ──▶ daemon, capture process, rolling file, daemon ──▶ the same
//! ```
//!
//! A viewer sends what Chromium sends: its headers, and each picture over the one connection it keeps for them.
//! Each is a process of its own, so that the viewers' CPU does not count as the server's. The feeder
//! writes the time into each picture just before it renames it into place; a viewer compares each
//! picture that it gets byte by byte with what the feeder wrote, and takes the time when it has the last byte.

mod again;
mod arguments;
mod audience;
mod besiegers;
mod click;
mod connection;
mod daemon;
mod delivery;
mod facts;
mod feeder;
mod idle;
mod nginx;
mod picture;
mod process;
mod report;
mod siege;
mod slow;
mod soak;
mod stream;
mod trial;
mod upload;
mod viewer;
mod viewers;

use std::process::ExitCode;

use anyhow::Context;

use arguments::{Arguments, Mode};

fn main() -> ExitCode {
    let done = match Arguments::parse() {
        Arguments { mode: Some(Mode::Feeder(feeder)), .. } => feeder::run(&feeder),
        Arguments { mode: Some(Mode::Viewers(viewers)), .. } => viewers::run(&viewers),
        // Without --bench it is `cargo test --all-targets`, which wants to see only that this builds.
        arguments if !arguments.bench => Ok(()),
        arguments => run(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::note(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let folder = tempfile::Builder::new()
        .prefix("eyelid-bench-")
        .tempdir_in("/dev/shm")
        .context("the benchmark needs /dev/shm, to have its pictures in memory")?;
    report::line(&facts::markdown());
    delivery::run(arguments, folder.path())?;
    slow::run(arguments, folder.path())?;
    upload::run(arguments, folder.path())?;
    click::run(arguments, folder.path())?;
    idle::run(arguments, folder.path())?;
    siege::run(arguments, folder.path())?;
    soak::run(arguments, folder.path())
}
