//! The daemon that is measured.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::connection;

/// How long it may take to stop.
const PATIENCE: Duration = Duration::from_secs(8);

/// A running daemon; dropping it stops it.
pub(crate) struct Daemon {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Daemon {
    /// Starts `program` with one camera, configured by `camera`, the lines of its `[[camera]]` entry. Its files
    /// are in `folder`. It lets that many connections in, and a few more.
    pub(crate) fn start(
        program: &Path,
        folder: &Path,
        connections: usize,
        camera: &str,
    ) -> anyhow::Result<Self> {
        Self::start_by(Command::new(program), folder, connections, camera)
    }

    /// As [`Self::start`], with no more open files than that.
    pub(crate) fn start_with_files(
        files: u64,
        program: &Path,
        folder: &Path,
        connections: usize,
        camera: &str,
    ) -> anyhow::Result<Self> {
        let mut shell = Command::new("/bin/sh");
        shell.arg("-c").arg(format!("ulimit -n {files} && exec \"$0\" \"$@\"")).arg(program);
        Self::start_by(shell, folder, connections, camera)
    }

    /// As [`Self::start`], with the environment that systemd/eyelid.service gives it.
    pub(crate) fn start_as_a_service(
        program: &Path,
        folder: &Path,
        connections: usize,
        camera: &str,
    ) -> anyhow::Result<Self> {
        let mut command = Command::new(program);
        let unit = include_str!("../../systemd/eyelid.service");
        let environment = unit.lines().filter_map(|line| line.strip_prefix("Environment=")?.split_once('='));
        command.envs(environment);
        Self::start_by(command, folder, connections, camera)
    }

    fn start_by(
        mut command: Command,
        folder: &Path,
        connections: usize,
        camera: &str,
    ) -> anyhow::Result<Self> {
        let config = folder.join("config.toml");
        let text = format!(
            "listen = \"127.0.0.1:0\"\n[limits]\nconnections = {}\n[[camera]]\nname = \"bench\"\n{camera}",
            connections + 64
        );
        fs::write(&config, text)?;
        let mut child = command
            .arg("run")
            .arg("--config")
            .arg(&config)
            .env("RUNTIME_DIRECTORY", folder.join("run"))
            .env_remove("NOTIFY_SOCKET")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("{command:?}"))?;
        let mut log = BufReader::new(child.stderr.take().context("its standard error is piped")?);
        let mut said = String::new();
        let address = loop {
            let start = said.len();
            if log.read_line(&mut said)? == 0 {
                child.wait()?;
                anyhow::bail!("the daemon has ended:\n{said}");
            }
            if let Some((_, address)) = said[start..].split_once("listening on http://") {
                break address.trim().parse()?;
            }
        };
        // Warnings and errors tell when a figure is none.
        thread::spawn(move || {
            for line in log.lines().map_while(Result::ok) {
                if line.contains(" WARN ") || line.contains(" ERROR ") {
                    crate::report::note(&format!("daemon: {line}"));
                }
            }
        });
        Ok(Self { child, address })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the camera is off.
    pub(crate) fn off(&self) -> anyhow::Result<()> {
        let started = Instant::now();
        loop {
            let mut stream = connection::connect(self.address)?;
            let request = format!(
                "GET /api/cameras/bench HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
                self.address
            );
            stream.write_all(request.as_bytes())?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            if answer.contains("\"state\":\"idle\"") {
                return Ok(());
            }
            ensure!(started.elapsed() < PATIENCE, "the camera is still on: {answer}");
            thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// Stops a process: SIGTERM, and after a while SIGKILL.
pub(crate) fn end(child: &mut Child) {
    let _ = kill_process(Pid::from_child(child), Signal::TERM);
    let asked = Instant::now();
    while asked.elapsed() < PATIENCE {
        if !matches!(child.try_wait(), Ok(None)) {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    let _ = child.kill();
    let _ = child.wait();
}
