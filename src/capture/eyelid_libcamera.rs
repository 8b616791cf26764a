//! `kind = "libcamera"`: the program `eyelid-libcamera`, which is found, asked for its cameras, and become.

use std::{
    env,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use super::{
    Found, Spec,
    program::{in_path, in_words},
    protocol::{Event, Failure},
};
use crate::{child::output_within, config::Kind};

const NAME: &str = "eyelid-libcamera";

/// How long the program may take to list its cameras, or to say its version.
const LIMIT: Duration = Duration::from_secs(3);

/// What to do when it is missing, or fits the system's libcamera no longer.
const BUILD_IT: &str = "build it on this system: cargo build --release --features libcamera";

/// Becomes `eyelid-libcamera` at `program`, with the same process id; returns only when that fails.
pub(crate) fn become_it(program: &Path, spec: &Spec) -> Failure {
    let spec = Spec { kind: Kind::Libcamera, ..spec.clone() };
    let error = command(program).args(spec.to_args()).exec();
    Failure::unexplained(format!("{} can't be started: {error}", program.display()))
}

fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    // libcamera tells of each start in several lines at level INFO, which would fill the log.
    if env::var_os("LIBCAMERA_LOG_LEVELS").is_none() {
        command.env("LIBCAMERA_LOG_LEVELS", "*:WARN");
    }
    command
}

/// Beside our own program, where `cargo` puts it and a package does; else in `PATH`.
pub(crate) fn find() -> Option<PathBuf> {
    let beside = env::current_exe().ok().map(|us| us.with_file_name(NAME));
    beside.filter(|path| path.is_file()).or_else(|| in_path(NAME))
}

/// Where it is, once it is known that it can be loaded: it can tell nothing itself when it can't.
pub(crate) fn find_startable() -> Result<PathBuf, Failure> {
    let program = find().ok_or_else(|| {
        Failure::new(
            format!("{NAME} is not installed, neither beside eyelid nor in PATH"),
            format!("{BUILD_IT}; or set kind = \"rpicam\""),
        )
    })?;
    let mut command = Command::new(&program);
    command.arg("--version");
    match output_within(command, LIMIT) {
        // The dynamic loader's exit code for a library that is missing or of another ABI.
        Ok(output) if output.status.code() == Some(127) => Err(unloadable(&program, &output.stderr)),
        Ok(_) => Ok(program),
        Err(error) => Err(Failure::unexplained(format!("{} can't be started: {error}", program.display()))),
    }
}

fn unloadable(program: &Path, stderr: &[u8]) -> Failure {
    let stderr = String::from_utf8_lossy(stderr);
    let said = stderr.lines().last().unwrap_or("it can't be loaded");
    // The loader begins with the program's path.
    let said = said.trim_start_matches(&format!("{}: ", program.display()));
    Failure::new(format!("{NAME} doesn't fit the libcamera of this system: {said}"), BUILD_IT)
}

/// The cameras that it has.
pub(super) fn list(program: &Path) -> Result<Vec<Found>, Failure> {
    let mut command = command(program);
    command.arg("--list");
    let output = output_within(command, LIMIT)
        .map_err(|error| Failure::unexplained(format!("{NAME} --list can't be run: {error}")))?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    if output.status.success() {
        return Ok(stdout.lines().filter_map(|line| serde_json::from_str(line).ok()).collect());
    }
    let failure = stdout.lines().find_map(|line| match serde_json::from_str(line) {
        Ok(Event::Error(failure)) => Some(failure),
        _ => None,
    });
    Err(failure.unwrap_or_else(|| match output.status.code() {
        Some(127) => unloadable(program, &output.stderr),
        _ => {
            let stderr = String::from_utf8_lossy(&output.stderr);
            let last = stderr.lines().last().map(|line| format!(": {line}")).unwrap_or_default();
            Failure::unexplained(format!("{NAME} --list ended, {}{last}", in_words(output.status)))
        }
    }))
}
