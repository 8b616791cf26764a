//! Builds cameras and server in order and tears them down in reverse; all that lives long is started here.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use anyhow::Context;
use tokio::{net::TcpListener, sync::mpsc};
use tokio_util::sync::CancellationToken;

use crate::{
    access::{Access, Mode},
    camera::{self, Camera, Cameras, process::Program},
    config::{self, CameraChange, CameraConfig, CameraName, Config, Loaded},
    logging,
    run_folder::RunFolder,
    stats::{Keeper, Stats},
    systemd,
    web::{self, Links, Served, Web, addresses::addresses, api::About, page::Page, server::Doors, tls},
};

/// What the daemon runs with.
#[derive(Debug)]
pub struct Options {
    /// The configuration and the file that it is from.
    pub loaded: Loaded,
    /// How that file was found, to read it again when it changes; `None` to leave it alone.
    pub request: Option<config::Request>,
    /// Where the rolling files lie.
    pub run_folder: PathBuf,
    /// Where what has been set of cameras is kept.
    pub state_folder: PathBuf,
    /// The program that captures.
    pub program: Program,
    /// Serves the page's files from this folder in place of those built in.
    pub public: Option<PathBuf>,
    /// Changes the log's level when the configuration does.
    pub log: Option<logging::Handle>,
}

/// Runs until `shutdown`, then until all connections and capture processes have ended.
///
/// # Errors
/// When the run folder is not to be had or a camera's folder can't be watched.
pub async fn run(options: Options, listener: TcpListener, shutdown: CancellationToken) -> anyhow::Result<()> {
    let Options { loaded, request, run_folder, state_folder, program, public, log } = options;
    let Loaded { config, file, .. } = loaded;
    let run_folder = RunFolder::take(&run_folder, config.allow_disk)?;
    let shown = tls::open(&config.tls.certificate(), &state_folder, &config.hosts, shutdown.clone())?;
    let about = Arc::new(About {
        started: Instant::now(),
        file: file
            .as_ref()
            .map(|file| std::path::absolute(file).unwrap_or(file.clone()).display().to_string()),
        error: Mutex::new(None),
    });
    let stats = Stats::open(&state_folder);
    let mut house = House::new(&run_folder, &state_folder, program, &stats, &shutdown);
    house.arrange(&config.cameras).await?;
    let keeper = Keeper::start(stats.clone());
    let access = Access::open(&state_folder, &config);
    let expiry = tokio::spawn(access.clone().expire(shutdown.clone()));

    let (changed, mut changes) = mpsc::unbounded_channel();
    let watcher = match (&file, &request) {
        (Some(file), Some(_)) => config::watch(file, move || {
            let _ = changed.send(());
        })
        .inspect_err(|error| tracing::warn!("changes of {} will not be seen: {error}", file.display()))
        .ok(),
        _ => None,
    };
    // What has changed between reading the file and watching it.
    let mut look_again = watcher.is_some();

    let address = listener.local_addr().context("the listening address")?;
    let page = match public {
        Some(folder) => Page::folder(&folder)?,
        None => Page::embedded(),
    };
    let doors = Doors::new(listener).with_tls(shown).with_local(run_folder.path());
    let served = Served {
        cameras: house.cameras.clone(),
        access: access.clone(),
        about: Arc::clone(&about),
        stats: stats.clone(),
        page,
        links: Links { listen: address, tls: config.tls.is_on() },
    };
    let links = served.links.clone();
    let mut web = Web::start(&config, served, doors, shutdown.clone());
    let watchdog = tokio::spawn(systemd::watchdog(shutdown.clone()));
    let scheme = if config.tls.is_on() { "https" } else { "http" };
    tracing::info!("listening on {scheme}://{address}");
    tracing::info!("the page is at {}", addresses(address, config.tls.is_on()).join(" and "));
    tell_who_may_look(&access, address, &links);
    systemd::ready(&format!("listening on {address}"));

    // What can't change while it runs is as it was at the start.
    let started = config.clone();
    let mut current = config;
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            Some(()) = changes.recv(), if !look_again => {}
            () = std::future::ready(()), if look_again => look_again = false,
        }
        let Some(request) = &request else { continue };
        let outcome = match config::load(request) {
            Ok(new) => {
                let applied =
                    apply(&started, &current, &new.config, &mut house, &mut web, log.as_ref()).await;
                applied.map(|()| new.config)
            }
            Err(errors) => Err(errors.into()),
        };
        let mut error = about.error.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Ok(new) => {
                if error.take().is_some() {
                    tracing::info!("the configuration is good again");
                }
                current = new;
            }
            Err(refused) => {
                tracing::error!(
                    "the changed configuration is refused, and the old one goes on:\n{refused:#}"
                );
                *error = Some(format!("{refused:#}"));
            }
        }
    }

    systemd::stopping();
    drop(watcher);
    web.close().await;
    house.close().await;
    keeper.close().await;
    let _ = watchdog.await;
    let _ = expiry.await;
    drop(run_folder);
    Ok(())
}

/// Tells the log who may look, where that is not the owner alone.
fn tell_who_may_look(access: &Access, listen: SocketAddr, links: &Links) {
    match access.mode() {
        Mode::Setup => match links.setup(access) {
            Ok(links) => tracing::warn!(
                "nobody has chosen yet who may look, so nobody can; to choose, open {} (sudo eyelid setup prints it again)",
                links.join(" or ")
            ),
            Err(error) => tracing::error!("there is no setup link, so nobody can look: {error}"),
        },
        Mode::Open if !listen.ip().is_loopback() => tracing::warn!(
            "open to everyone: whoever reaches {listen} can look and set; sudo eyelid setup prints a link to choose a password"
        ),
        Mode::Open | Mode::Password => {}
    }
}

async fn apply(
    started: &Config,
    old: &Config,
    new: &Config,
    house: &mut House<'_>,
    web: &mut Web,
    log: Option<&logging::Handle>,
) -> anyhow::Result<()> {
    let changes = config::diff(old, new);
    if changes.is_empty() {
        return Ok(());
    }
    house.arrange(&new.cameras).await?;
    web.reconfigure(new);
    let mut later = config::diff(started, new).restart;
    later.retain(|key| !web::CHANGES_AT_ONCE.contains(key));
    if let Some(log) = log {
        log.set_level(new.log.level);
        later.retain(|key| *key != "log.level");
    }
    let names = |names: &[CameraName]| names.iter().map(CameraName::as_str).collect::<Vec<_>>().join(", ");
    let changed = |change: &CameraChange| format!("{} ({})", change.name, change.keys.join(", "));
    let changed = changes.changed.iter().map(changed).collect::<Vec<_>>().join(", ");
    let (added, removed) = (names(&changes.added), names(&changes.removed));
    tracing::info!(added, removed, changed, "a new configuration is in force");
    if !later.is_empty() {
        tracing::warn!("restart the daemon for the change of {} to take effect", later.join(", "));
    }
    Ok(())
}

/// The cameras that live, and what is needed to have more.
struct House<'a> {
    cameras: Cameras,
    living: Vec<Living>,
    run_folder: &'a RunFolder,
    state_folder: &'a Path,
    program: Program,
    stats: &'a Stats,
    shutdown: &'a CancellationToken,
    ending: Vec<(CameraName, camera::Task)>,
}

struct Living {
    camera: Camera,
    config: CameraConfig,
    stop: CancellationToken,
    task: camera::Task,
}

impl<'a> House<'a> {
    fn new(
        run_folder: &'a RunFolder,
        state_folder: &'a Path,
        program: Program,
        stats: &'a Stats,
        shutdown: &'a CancellationToken,
    ) -> Self {
        let (cameras, living, ending) = (Cameras::new(Vec::new()), Vec::new(), Vec::new());
        Self { cameras, living, run_folder, state_folder, program, stats, shutdown, ending }
    }

    /// Makes the cameras those of the configuration. Those that stay as they are notice nothing.
    async fn arrange(&mut self, configs: &[CameraConfig]) -> anyhow::Result<()> {
        self.ending.retain(|(_, task)| !task.is_finished());
        // One that comes back under its name waits for the end of the old one, which may still hold the device.
        for (_, task) in self.ending.extract_if(.., |(name, _)| configs.iter().any(|c| c.name == *name)) {
            let _ = task.await;
        }
        let is_new = |config: &&CameraConfig| !self.living.iter().any(|l| l.config.name == config.name);
        let new: Vec<Living> = configs
            .iter()
            .filter(is_new)
            .map(|config| self.bring_up(config))
            .collect::<anyhow::Result<_>>()?;
        // From here on nothing can fail.
        self.living.extend(new);
        let mut living = Vec::new();
        for config in configs {
            let known = self.living.iter().position(|living| living.config.name == config.name);
            let mut known = self.living.swap_remove(known.expect("brought up above"));
            if known.config != *config {
                known.camera.configure(config.clone());
                known.config = config.clone();
            }
            living.push(known);
        }
        for gone in std::mem::replace(&mut self.living, living) {
            gone.stop.cancel();
            self.ending.push((gone.config.name, gone.task));
        }
        self.cameras.replace(self.living.iter().map(|living| living.camera.clone()).collect());
        Ok(())
    }

    fn bring_up(&self, config: &CameraConfig) -> anyhow::Result<Living> {
        let stop = self.shutdown.child_token();
        let folder = self.run_folder.path();
        let program = self.program.clone();
        let (camera, task) = Camera::start(config.clone(), folder, self.state_folder, program, stop.clone())
            .with_context(|| {
                format!("camera {}: its folder in {} can't be watched", config.name, folder.display())
            })?;
        self.stats.follow(&camera);
        tokio::spawn(report(self.cameras.clone(), camera.clone(), stop.clone()));
        Ok(Living { camera, config: config.clone(), stop, task })
    }

    async fn close(self) {
        let living = self.living.into_iter().map(|living| living.task);
        for task in living.chain(self.ending.into_iter().map(|(_, task)| task)) {
            let _ = task.await;
        }
    }
}

/// Keeps the status line of `systemctl status` at what the cameras are doing.
async fn report(cameras: Cameras, camera: Camera, stop: CancellationToken) {
    let mut status = camera.status();
    let mut told = String::new();
    while let Some(Ok(())) = stop.run_until_cancelled(status.changed()).await {
        status.borrow_and_update();
        let text = summary(&cameras);
        if text != told {
            systemd::status(&text);
            told = text;
        }
    }
}

fn summary(cameras: &Cameras) -> String {
    let one = |camera: Camera| {
        let status = camera.status().borrow().clone();
        match status.viewers {
            0 => format!("{} {}", status.camera, status.state.as_str()),
            1 => format!("{} {}, 1 viewer", status.camera, status.state.as_str()),
            viewers => format!("{} {}, {viewers} viewers", status.camera, status.state.as_str()),
        }
    };
    cameras.all().into_iter().map(one).collect::<Vec<_>>().join("; ")
}
