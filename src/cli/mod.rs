//! The command line: what each subcommand does.
//!
//! Exit codes: 0 done, 1 it could not be done, 2 the arguments or the configuration are wrong.

pub mod ask;
mod cameras;
mod capture;
mod check;
mod doctor;
mod erase;
mod link;
mod run;
mod setup;
mod snapshot;
mod token;

use std::{io::Write, net::SocketAddr, path::PathBuf, process::ExitCode};

use anyhow::Context;
use clap::{Arg, ArgAction, Args as _, CommandFactory, Parser, Subcommand};

use crate::{
    capture::Spec,
    config::{self, CameraConfig, Config, ConfigErrors, Loaded, LogFormat, Overrides, Request},
};

/// What was wrong with the arguments or the configuration; clap exits with the same code.
const EXIT_USAGE: u8 = 2;

/// On-demand camera daemon: the camera is open only while somebody looks.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Without a command, eyelid runs the daemon: open the page, and click Start Camera.\n\n\
        Exit codes: 0 done, 1 it could not be done, 2 the arguments or the configuration are wrong."
)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Args)]
struct Common {
    /// Read this configuration [default: $EYELID_CONFIG, ./config.toml, /etc/eyelid/config.toml]
    #[arg(long, short, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Listen here instead of where the configuration says
    #[arg(long, short, global = true, value_name = "ADDR:PORT", value_parser = listen_address)]
    listen: Option<SocketAddr>,
    /// Log as lines for people or as JSON [default: text]
    #[arg(long, global = true, value_name = "FORMAT", value_parser = log_format)]
    log_format: Option<LogFormat>,
    /// Log more: -v debug, -vv trace
    #[arg(long, short, global = true, action = ArgAction::Count)]
    verbose: u8,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the daemon (the default)
    Run(run::Args),
    /// Checks the configuration, and tells what each camera would do
    Check,
    /// Lists the cameras that this machine has
    Cameras,
    /// Looks whether all is well on this machine, and tells what to do if not
    ///
    /// For a bug report too: there are no passwords, tokens, addresses or names in it.
    Doctor(doctor::Args),
    /// Removes all that Eyelid keeps on this machine, or lists it
    ///
    /// Secrets, settings, ledger, visitor counts and pictures. Without --all it only lists them. The daemon has to be stopped.
    Erase(erase::Args),
    /// Takes one picture, without a server
    Snapshot(snapshot::Args),
    /// Prints the link with which the owner chooses who may look, or chooses another password
    Setup,
    /// Makes a link by which guests may look for a while
    Link(link::Args),
    /// Makes a token for the sender of a camera of kind `push`
    Token(token::Args),
    /// Captures into a rolling file until its standard input ends
    ///
    /// This is what the daemon starts as its child. It reads one JSON object a line on standard input
    /// ({"request":"stop"}) and writes one a line on standard output ({"event":"streaming",…} and
    /// {"event":"error",…}). The end of its input means stop.
    Capture(Box<Spec>),
}

/// Parses the arguments and does what they say.
pub fn main() -> ExitCode {
    let Cli { common, command } = Cli::parse();
    match command {
        None => run::run(&common, run::Args::default()),
        Some(Command::Run(args)) => run::run(&common, args),
        Some(Command::Check) => check::run(&common),
        Some(Command::Cameras) => cameras::run(),
        Some(Command::Doctor(args)) => doctor::run(&common, &args),
        Some(Command::Erase(args)) => erase::run(&common, &args),
        Some(Command::Snapshot(args)) => snapshot::run(&common, &args),
        Some(Command::Setup) => setup::run(),
        Some(Command::Link(args)) => link::run(&args),
        Some(Command::Token(args)) => token::run(&common, &args),
        Some(Command::Capture(spec)) => capture::run(&spec),
    }
}

/// The arguments of `eyelid`, for manual pages and shell completions.
pub fn command() -> clap::Command {
    Cli::command()
}

/// The arguments of `eyelid-libcamera`: those of a capture, or `--list`.
///
/// Not derived: an `Option` of arguments that have groups of arguments in them is always none to clap.
pub fn libcamera_command() -> clap::Command {
    let command = clap::Command::new("eyelid-libcamera")
        .about("Takes pictures with a libcamera camera, each in place of the one before")
        .version(env!("CARGO_PKG_VERSION"));
    let list = Arg::new("list").long("list").action(ArgAction::SetTrue).exclusive(true);
    Spec::augment_args(command)
        .arg(list.help("Prints the cameras that there are, one JSON object a line, and ends"))
}

impl Common {
    fn request(&self) -> Request {
        let Self { listen, log_format, .. } = *self;
        Request::from_process(self.config.clone(), Overrides { listen, log_format, log_level: None })
    }

    /// The configuration, or the exit code after its errors have been printed.
    fn load(&self) -> Result<Loaded, ExitCode> {
        config::load(&self.request()).map_err(|errors| refuse(&errors))
    }
}

/// The camera of that name in the configuration; the first if none is named.
fn choose<'a>(config: &'a Config, name: Option<&str>) -> anyhow::Result<&'a CameraConfig> {
    let known = || config.cameras.iter().map(|camera| camera.name.as_str()).collect::<Vec<_>>().join(", ");
    match name {
        None => config.cameras.first().context("the configuration has no camera"),
        Some(name) => config
            .cameras
            .iter()
            .find(|camera| camera.name.as_str() == name)
            .with_context(|| format!("there is no camera {name:?}; the configuration has {}", known())),
    }
}

fn refuse(errors: &ConfigErrors) -> ExitCode {
    for error in &errors.0 {
        complain(&format!("{error:#}"));
    }
    if errors.0.len() > 1 {
        complain(&format!("{} errors", errors.0.len()));
    }
    ExitCode::from(EXIT_USAGE)
}

/// Prints to standard output; a reader that has gone, such as `head`, is no error.
fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Prints to standard error.
fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "eyelid: {text}");
}

/// Prints what a command has to say, or why it could not be done.
fn finish(outcome: anyhow::Result<String>) -> ExitCode {
    match outcome {
        Ok(text) => {
            say(&text);
            ExitCode::SUCCESS
        }
        Err(error) => {
            complain(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, ExitCode> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| {
        complain(&format!("the runtime can't be started: {error}"));
        ExitCode::FAILURE
    })
}

fn listen_address(text: &str) -> Result<SocketAddr, String> {
    config::listen_address(text).ok_or_else(|| "expected ADDRESS:PORT, such as 0.0.0.0:3000".to_owned())
}

fn log_format(text: &str) -> Result<LogFormat, String> {
    [LogFormat::Text, LogFormat::Json]
        .into_iter()
        .find(|format| format.as_str() == text)
        .ok_or_else(|| "expected text or json".to_owned())
}
