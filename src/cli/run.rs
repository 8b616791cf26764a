//! `eyelid run`: the daemon.

use std::{path::PathBuf, process::ExitCode};

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{Common, complain, runtime};
use crate::{
    camera::process::Program,
    daemon::{self, Options},
    logging, run_folder, state_folder, web,
};

#[derive(Debug, Default, clap::Args)]
pub(super) struct Args {
    /// Serve the page from this folder instead of the files built in, for work on the page
    #[arg(long, value_name = "DIR")]
    public: Option<PathBuf>,
}

pub(super) fn run(common: &Common, args: Args) -> ExitCode {
    let loaded = match common.load() {
        Ok(loaded) => loaded,
        Err(code) => return code,
    };
    let log = match logging::init(&loaded.config.log, common.verbose) {
        Ok(log) => log,
        Err(error) => {
            complain(&format!("{error:#}"));
            return ExitCode::FAILURE;
        }
    };
    match &loaded.file {
        Some(file) => tracing::info!("configuration from {}", file.display()),
        None => tracing::info!("no configuration file, so the defaults hold"),
    }
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(code) => return code,
    };
    let request = Some(common.request());
    let run_folder = run_folder::usual();
    let state_folder = state_folder::usual(&loaded.config.state_folder);
    let options = Options {
        loaded,
        request,
        run_folder,
        state_folder,
        program: Program::this(),
        public: args.public,
        log: Some(log),
    };
    match runtime.block_on(serve(options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(options: Options) -> anyhow::Result<()> {
    let shutdown = CancellationToken::new();
    stop_on_signals(&shutdown)?;
    let listener = web::bind(&options.loaded.config)?;
    daemon::run(options, listener, shutdown).await
}

/// SIGTERM and SIGINT stop the daemon; a second one ends it at once, and the kernel ends its children.
fn stop_on_signals(shutdown: &CancellationToken) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let shutdown = shutdown.clone();
    tokio::spawn(async move {
        loop {
            let name = tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = interrupt.recv() => "SIGINT",
            };
            if shutdown.is_cancelled() {
                tracing::warn!("a second {name}: ending at once");
                std::process::exit(1);
            }
            tracing::info!("{name}: stopping");
            shutdown.cancel();
        }
    });
    Ok(())
}
