//! The real program, as a process of its own.

use std::{
    fs,
    net::SocketAddr,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex},
};

use rustix::process::Signal;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use super::{captures, eventually, in_time, signal};

/// The program, running, with a run folder of its own.
pub(crate) struct Program {
    pub(crate) address: SocketAddr,
    child: Child,
    log: Arc<Mutex<Vec<String>>>,
    folder: TempDir,
}

impl Program {
    /// `eyelid` with these arguments, in a folder with this configuration, not started yet.
    pub(crate) fn command(folder: &TempDir, config: &str, arguments: &[&str]) -> Command {
        Self::command_of(env!("CARGO_BIN_EXE_eyelid"), folder, config, arguments)
    }

    /// Another program that may start `eyelid`, in the same surroundings.
    pub(crate) fn command_of(program: &str, folder: &TempDir, config: &str, arguments: &[&str]) -> Command {
        fs::write(folder.path().join("config.toml"), config).unwrap();
        let mut command = Command::new(program);
        command.args(arguments).current_dir(folder.path()).kill_on_drop(true);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("EYELID_"))
        {
            command.env_remove(name);
        }
        command.env("XDG_RUNTIME_DIR", folder.path()).env_remove("RUNTIME_DIRECTORY");
        command.env("XDG_STATE_HOME", folder.path().join("state")).env_remove("STATE_DIRECTORY");
        command.env_remove("NOTIFY_SOCKET").env_remove("JOURNAL_STREAM");
        command.stdin(Stdio::null());
        command
    }

    /// A folder in memory for [`Program::command`].
    pub(crate) fn folder() -> TempDir {
        tempfile::tempdir_in("/dev/shm").unwrap()
    }

    /// Starts the daemon and waits until it listens.
    pub(crate) async fn start(config: &str) -> Self {
        let folder = Self::folder();
        let command = Self::command(&folder, config, &["--listen", "127.0.0.1:0"]);
        Self::watch(command, folder).await
    }

    /// Runs a daemon that was prepared, and waits until it listens.
    pub(crate) async fn watch(mut command: Command, folder: TempDir) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let heard = log.clone();
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                heard.lock().unwrap().push(line);
            }
        });
        let address = eventually("the address that it listens on", async || {
            let log = log.lock().unwrap();
            log.iter().find_map(|line| {
                line.split_once("listening on http")?
                    .1
                    .trim_start_matches('s')
                    .strip_prefix("://")?
                    .parse()
                    .ok()
            })
        })
        .await;
        Self { address, child, log, folder }
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> i32 {
        self.child.id().expect("it has not been waited for") as i32
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, which: Signal) {
        signal(self.pid(), which);
    }

    /// Waits for its end.
    pub(crate) async fn end(&mut self) -> ExitStatus {
        in_time("the end of the program", self.child.wait()).await.unwrap()
    }

    /// The lines that it has logged.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// The configuration that it watches.
    pub(crate) fn config_file(&self) -> PathBuf {
        self.folder.path().join("config.toml")
    }

    /// Where its rolling files lie.
    pub(crate) fn run_folder(&self) -> PathBuf {
        self.folder.path().join("eyelid")
    }

    /// Its capture processes.
    pub(crate) fn captures(&self) -> Vec<i32> {
        captures(&self.run_folder())
    }
}
