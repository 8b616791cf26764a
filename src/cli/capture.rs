//! `eyelid capture`: what the daemon starts as its child.

#[cfg(test)]
mod tests;

use std::process::ExitCode;

use crate::{
    capture::{
        Spec,
        auto::{Resolved, resolve},
        command, eyelid_libcamera, pattern, push, replay, rpicam, runner, v4l2,
    },
    config::Kind,
};

/// Takes pictures as `spec` says, until it is asked to stop. For libcamera it becomes another program.
pub(super) fn run(spec: &Spec) -> ExitCode {
    // Nothing has been read from standard input yet, so a program that this becomes misses no request.
    let (kind, notice) = match resolve(spec.kind, &spec.device) {
        Ok(Resolved::Here { kind, notice }) => (kind, notice),
        Ok(Resolved::Libcamera(program)) => {
            let failure = eyelid_libcamera::become_it(&program, spec);
            return runner::run(|_, _| Err(failure));
        }
        Err(failure) => return runner::run(|_, _| Err(failure)),
    };
    runner::run(|stop, emit| match kind {
        Kind::Rpicam => runner::without_controls(stop, emit, |stop, emit| rpicam::capture(spec, stop, emit)),
        Kind::Command => {
            runner::without_controls(stop, emit, |stop, emit| command::capture(spec, stop, emit))
        }
        Kind::Replay => runner::without_controls(stop, emit, |stop, emit| replay::capture(spec, stop, emit)),
        Kind::Push => runner::without_controls(stop, emit, |stop, emit| push::capture(spec, stop, emit)),
        Kind::V4l2 => v4l2::capture(spec, stop, emit),
        Kind::Auto | Kind::Libcamera | Kind::Pattern => pattern::capture(spec, notice, stop, emit),
    })
}
