//! A daemon in the test's own process.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use eyelid::{
    camera::process,
    cli::ask::ask_one_of,
    config::{self, Config, Request},
    daemon::{self, Options},
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use super::{captures, eventually, get, in_time};

/// A running daemon, with a configuration file and a run folder of its own.
pub(crate) struct Daemon {
    pub(crate) address: SocketAddr,
    folder: TempDir,
    shutdown: CancellationToken,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Daemon {
    /// Starts one with this configuration.
    pub(crate) async fn start(config: &str) -> Self {
        Self::start_with(config, env!("CARGO_BIN_EXE_eyelid").as_ref(), |_| ()).await
    }

    /// Starts one with another program for its capture processes, and with settings that no file can have.
    pub(crate) async fn start_with(config: &str, program: &Path, set: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir_in("/dev/shm").unwrap();
        let file = folder.path().join("config.toml");
        fs::write(&file, config).unwrap();
        let request = Request { file: Some(file), ..Request::default() };
        let mut loaded = config::load(&request).unwrap_or_else(|errors| panic!("{errors}"));
        set(&mut loaded.config);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, shutdown) = (listener.local_addr().unwrap(), CancellationToken::new());
        let state_folder = match loaded.config.state_folder.as_str() {
            "" => folder.path().join("state"),
            elsewhere => elsewhere.into(),
        };
        let options = Options {
            loaded,
            request: Some(request),
            run_folder: folder.path().join("run"),
            state_folder,
            program: process::Program::at(program),
            public: None,
            log: None,
        };
        let task = tokio::spawn(daemon::run(options, listener, shutdown.clone()));
        Self { address, folder, shutdown, task }
    }

    /// Its configuration file.
    pub(crate) fn config_file(&self) -> PathBuf {
        self.folder.path().join("config.toml")
    }

    /// Where its rolling files lie.
    pub(crate) fn run_folder(&self) -> PathBuf {
        self.folder.path().join("run")
    }

    /// Asks over its local socket, as its owner does.
    pub(crate) async fn ask(&self, method: &'static str, path: &str, body: Option<Value>) -> Value {
        let (socket, path) = (self.run_folder().join("eyelid.sock"), path.to_owned());
        let ask = move || ask_one_of(&[socket], method, &path, body.as_ref());
        tokio::task::spawn_blocking(ask).await.unwrap().unwrap_or_else(|error| panic!("{error:#}"))
    }

    /// A camera's rolling file.
    pub(crate) fn rolling_file(&self, camera: &str) -> PathBuf {
        self.run_folder().join(camera).join("image_stream.jpg")
    }

    /// Its capture processes.
    pub(crate) fn captures(&self) -> Vec<i32> {
        captures(&self.run_folder())
    }

    /// What a camera is doing.
    pub(crate) async fn state(&self, camera: &str) -> Value {
        let reply = get(self.address, &format!("/api/cameras/{camera}")).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()
    }

    /// Waits until a camera is in this state, and tells what it is doing then.
    pub(crate) async fn until(&self, camera: &str, state: &str) -> Value {
        self.until_it(camera, state, |now| now["state"] == state).await
    }

    /// Waits until what a camera is doing fits.
    pub(crate) async fn until_it(&self, camera: &str, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        eventually(&format!("camera {camera}: {what}"), async || {
            Some(self.state(camera).await).filter(|state| fits(state))
        })
        .await
    }

    /// Stops it, and sees that it leaves nothing behind.
    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        in_time("the end of the daemon", self.task).await.unwrap().unwrap();
        let run_folder = self.folder.path().join("run");
        assert_eq!(captures(&run_folder), [0; 0], "capture processes outlive the daemon");
        assert!(!run_folder.exists(), "the run folder is left");
    }
}
