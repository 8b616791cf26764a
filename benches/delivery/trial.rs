//! One row: the feeder, a server, and the viewers, each a process.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context, ensure};
use eyelid::token::TokenHash;

use crate::{
    arguments::{Row, Way},
    daemon::{Daemon, end},
    feeder,
    nginx::Nginx,
    picture::Pictures,
    process::{self, Memory},
    report,
    viewers::{BEGIN, CONNECTED, END, Outcome},
};

/// From the end of the last viewer to the look at what memory is left.
const AFTERWARDS: Duration = Duration::from_secs(1);

/// What is measured, and with what.
pub(crate) struct Trial<'a> {
    row: Row,
    folder: &'a Path,
    pictures: PathBuf,
    seconds: Duration,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Run {
    pub(crate) outcome: Outcome,
    /// Pictures that were taken in the time measured.
    pub(crate) taken: usize,
    /// CPU that the server and the viewers used in that time, and all other programs of the machine.
    pub(crate) server: Duration,
    pub(crate) viewers: Duration,
    pub(crate) others: Duration,
    pub(crate) memory: Phases,
}

/// The server's memory over time.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Phases {
    /// Nobody has come yet.
    pub(crate) before: Memory,
    /// All are there, and the camera is off.
    pub(crate) connected: Memory,
    /// All have watched for the time measured.
    pub(crate) watched: Memory,
    /// All have gone, and the camera is off again.
    pub(crate) after: Memory,
}

impl<'a> Trial<'a> {
    /// Makes the row's pictures where they are not made yet.
    pub(crate) fn new(row: Row, folder: &'a Path, seconds: Duration) -> anyhow::Result<Self> {
        fs::create_dir_all(folder.join("log"))?;
        let pictures = folder.join(format!("pictures-{}", row.size));
        if !pictures.exists() {
            Pictures::make(row.size)?.save(&pictures)?;
        }
        Ok(Self { row, folder, pictures, seconds })
    }

    /// The daemon serves, and the viewers watch in that way.
    pub(crate) fn daemon(&self, program: &Path, way: Way) -> anyhow::Result<Run> {
        let camera = format!(
            "kind = \"command\"\nlinger = \"1s\"\ninterval = \"{}ms\"\ncommand = '''exec {}'''\n",
            (1000.0 / self.row.rate) as u64,
            self.feeder()?.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" ")
        );
        let daemon = Daemon::start(program, self.folder, 2 * self.row.viewers, &camera)?;
        let mut run = self.measure(daemon.address, &[daemon.pid()], &["--way", way.name()])?;
        daemon.off()?;
        thread::sleep(AFTERWARDS);
        run.memory.after = process::memory(daemon.pid())?;
        Ok(run)
    }

    /// Pictures are sent to the daemon, and the viewers watch in that way.
    pub(crate) fn upload(&self, program: &Path, way: Way) -> anyhow::Result<Run> {
        // The pictures' stamps are metadata.
        let camera = format!(
            "kind = \"push\"\nupload_token = \"{}\"\nkeep_metadata = true\nlinger = \"1s\"\ninterval = \"{}ms\"\n",
            TokenHash::of(feeder::TOKEN),
            (1000.0 / self.row.rate) as u64,
        );
        let daemon = Daemon::start(program, self.folder, 2 * self.row.viewers, &camera)?;
        let words = self.feeder()?;
        let mut feeder = Running(
            Command::new(&words[0])
                .args(&words[1..])
                .args(["--upload", &daemon.address.to_string()])
                .spawn()?,
        );
        let run = self.measure(daemon.address, &[daemon.pid()], &["--way", way.name()])?;
        ensure!(feeder.0.try_wait()?.is_none(), "the feeder has ended");
        Ok(run)
    }

    /// nginx serves the rolling file, and the viewers watch its folder.
    pub(crate) fn nginx(&self, program: &Path) -> anyhow::Result<Run> {
        let root = self.folder.join("root");
        fs::create_dir_all(&root)?;
        let words = self.feeder()?;
        let mut feeder = Running(
            Command::new(&words[0])
                .args(&words[1..])
                .env("EYELID_FILE", root.join(eyelid::capture::rolling_file::FILE_NAME))
                .spawn()?,
        );
        let nginx = Nginx::start(program, self.folder, &root)?;
        let folder = root.to_string_lossy().into_owned();
        let measured = self.measure(nginx.address, &nginx.workers()?, &["--folder", &folder])?;
        ensure!(feeder.0.try_wait()?.is_none(), "the feeder has ended");
        Ok(measured)
    }

    fn feeder(&self) -> anyhow::Result<Vec<String>> {
        let path = |path: &Path| path.to_string_lossy().into_owned();
        Ok(vec![
            path(&env::current_exe()?),
            "feeder".into(),
            "--pictures".into(),
            path(&self.pictures),
            "--size".into(),
            self.row.size.to_string(),
            "--rate".into(),
            self.row.rate.to_string(),
            "--log".into(),
            path(&self.log()),
        ])
    }

    /// In a folder of its own: the daemon watches that of its configuration.
    fn log(&self) -> PathBuf {
        self.folder.join("log").join("feeder")
    }

    fn measure(&self, address: SocketAddr, server: &[u32], more: &[&str]) -> anyhow::Result<Run> {
        let mut memory = Phases { before: process::memory(server[0])?, ..Phases::default() };
        let mut viewers = Running(
            Command::new(env::current_exe()?)
                .args(["viewers", "--address", &address.to_string()])
                .args(["--viewers", &self.row.viewers.to_string(), "--size", &self.row.size.to_string()])
                .args(["--seconds", &self.seconds.as_secs().to_string(), "--pictures"])
                .arg(&self.pictures)
                .args(more)
                .stdout(Stdio::piped())
                .spawn()?,
        );
        let own = [viewers.0.id()];
        let mut lines = BufReader::new(viewers.0.stdout.take().context("its output is piped")?).lines();
        let mut next = |expected: &str| -> anyhow::Result<String> {
            let line =
                lines.next().with_context(|| format!("the viewers have ended before {expected:?}"))??;
            ensure!(expected.is_empty() || line == expected, "the viewers say {line:?}");
            Ok(line)
        };
        next(CONNECTED)?;
        memory.connected = process::memory(server[0])?;
        next(BEGIN)?;
        let start = (process::cpu(server)?, process::cpu(&own)?, process::machine()?);
        next(END)?;
        let end = (process::cpu(server)?, process::cpu(&own)?, process::machine()?);
        memory.watched = process::memory(server[0])?;
        let outcome: Outcome = serde_json::from_str(&next("")?)?;
        ensure!(outcome.delivered > 0, "no picture came");
        if let Some(why) = &outcome.why {
            report::note(&format!("{}: a viewer was lost: {why}", self.row.name()));
        }
        let span = outcome.from..outcome.to;
        let taken = fs::read_to_string(self.log())?
            .lines()
            .filter(|line| line.parse().is_ok_and(|micros: u64| span.contains(&micros)))
            .count();
        let (server, viewers) = (end.0 - start.0, end.1 - start.1);
        let others = (end.2 - start.2).saturating_sub(server + viewers);
        Ok(Run { outcome, taken, server, viewers, others, memory })
    }
}

/// A process that ends with this value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        end(&mut self.0);
    }
}
