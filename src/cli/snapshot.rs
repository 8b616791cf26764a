//! `eyelid snapshot`: one picture, without a server.

use std::{
    fs,
    io::{IsTerminal, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, bail};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{Common, choose, complain, runtime};
use crate::{
    camera::{Camera, fresh::fresh, process::Program},
    capture::protocol::Failure,
    config::{CameraConfig, Config, Kind, LogConfig, LogLevel, OfflineConfig},
    feed::Frame,
    logging,
    run_folder::{self, RunFolder},
    state_folder,
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The camera's name in the configuration; the first if not given
    camera: Option<String>,
    /// Write the picture here; `-` for standard output
    #[arg(long, short, value_name = "FILE", default_value = "snapshot.jpg")]
    output: PathBuf,
}

pub(super) fn run(common: &Common, args: &Args) -> ExitCode {
    let loaded = match common.load() {
        Ok(loaded) => loaded,
        Err(code) => return code,
    };
    // What matters is the picture or the reason, which is printed below; the camera's life is for -v.
    let log = LogConfig { level: LogLevel::Error, format: loaded.config.log.format };
    let done = logging::init(&log, common.verbose).and_then(|_| {
        let camera = choose(&loaded.config, args.camera.as_deref())?;
        if camera.kind == Kind::Push {
            bail!(
                "the pictures of camera {} are sent to the daemon; fetch snapshot.jpg from it",
                camera.name
            );
        }
        let runtime = runtime().map_err(|_| anyhow::anyhow!("no runtime"))?;
        let (frame, notice) = runtime.block_on(take(camera.clone(), &loaded.config))?;
        write(&args.output, &frame.jpeg)?;
        let notice = notice.map_or(String::new(), |notice| format!("; {notice}"));
        Ok(format!("{}x{}, {} bytes{notice}", frame.width, frame.height, frame.jpeg.len()))
    });
    match done {
        Ok(what) => {
            complain(&format!("{}: {what}", args.output.display()));
            ExitCode::SUCCESS
        }
        Err(error) => {
            complain(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn take(mut camera: CameraConfig, config: &Config) -> anyhow::Result<(Arc<Frame>, Option<String>)> {
    let mut own = run_folder::usual().into_os_string();
    own.push(format!(".snapshot-{}", std::process::id()));
    let folder = RunFolder::take(Path::new(&own), config.allow_disk)?;
    let stop = CancellationToken::new();
    let state = state_folder::usual(&config.state_folder);
    // A picture of now. What keeps the camera from running counts here too.
    camera.offline = OfflineConfig::default();
    (camera.privacy.interleave, camera.privacy.delay) = (0.0, Duration::ZERO);
    let (camera, task) =
        Camera::start_unrecorded(camera, folder.path(), &state, Program::this(), stop.clone())?;
    let frame = tokio::select! {
        frame = fresh(&camera) => frame,
        interrupted = interrupted() => Err((interrupted, None)),
    };
    let notice = camera.status().borrow().source.as_ref().and_then(|source| source.notice.clone());
    stop.cancel();
    let _ = task.await;
    match frame {
        Ok(frame) => Ok((frame, notice)),
        Err((Failure { reason, hint: Some(hint) }, _)) => bail!("{reason}; {hint}"),
        Err((Failure { reason, hint: None }, _)) => bail!("{reason}"),
    }
}

/// Waits for SIGTERM or SIGINT, so that neither process nor folder is left behind by one.
async fn interrupted() -> Failure {
    let signals = signal(SignalKind::terminate()).and_then(|t| Ok((t, signal(SignalKind::interrupt())?)));
    let Ok((mut terminate, mut interrupt)) = signals else { return std::future::pending().await };
    tokio::select! {
        _ = terminate.recv() => Failure::unexplained("ended by SIGTERM"),
        _ = interrupt.recv() => Failure::unexplained("ended by SIGINT"),
    }
}

/// Writes beside the file and renames, so that there is never half a picture.
fn write(output: &Path, jpeg: &[u8]) -> anyhow::Result<()> {
    if output == Path::new("-") {
        let mut stdout = std::io::stdout();
        if stdout.is_terminal() {
            bail!("standard output is a terminal; name a file with -o, or send it through a pipe");
        }
        return stdout.write_all(jpeg).and_then(|()| stdout.flush()).context("standard output");
    }
    let mut part = output.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    fs::write(&part, jpeg)
        .and_then(|()| fs::rename(&part, output))
        .inspect_err(|_| drop(fs::remove_file(&part)))
        .with_context(|| format!("{} can't be written", output.display()))
}
