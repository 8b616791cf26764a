//! One row: the feeder, a server, and the viewers, each a process.

use std::{
    env, fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

use anyhow::ensure;
use eyelid::token::TokenHash;

use crate::{
    arguments::{Row, Way},
    audience::{Audience, Running},
    daemon::Daemon,
    feeder,
    nginx::Nginx,
    picture::Pictures,
    process::{self, Memory},
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
        let daemon = Daemon::start(program, self.folder, 2 * self.row.viewers, &self.camera()?)?;
        let mut run = self.measure(daemon.address, &[daemon.pid()], &["--way", way.name()])?;
        daemon.off()?;
        thread::sleep(AFTERWARDS);
        run.memory.after = process::memory(daemon.pid())?;
        Ok(run)
    }

    /// The entry of the camera that replaces the rolling file.
    pub(crate) fn camera(&self) -> anyhow::Result<String> {
        Ok(format!(
            "kind = \"command\"\nlinger = \"1s\"\ninterval = \"{}ms\"\ncommand = '''exec {}'''\n",
            (1000.0 / self.row.rate) as u64,
            self.feeder()?.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" ")
        ))
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

    /// Begins to watch with that many viewers.
    pub(crate) fn audience(
        &self,
        address: SocketAddr,
        viewers: usize,
        more: &[&str],
    ) -> anyhow::Result<Audience> {
        let viewers = viewers.to_string();
        let [size, seconds] = [self.row.size as u64, self.seconds.as_secs()].map(|number| number.to_string());
        let mut arguments = vec!["--address".into(), address.to_string(), "--pictures".into()];
        arguments.push(self.pictures.to_string_lossy().into_owned());
        arguments.extend(["--viewers", &viewers, "--size", &size, "--seconds", &seconds].map(String::from));
        arguments.extend(more.iter().map(ToString::to_string));
        Audience::gather(&arguments)
    }

    /// How many pictures were taken while they were measured.
    pub(crate) fn taken(&self, outcome: &Outcome) -> anyhow::Result<usize> {
        let span = outcome.from..outcome.to;
        let log = fs::read_to_string(self.log())?;
        Ok(log.lines().filter(|line| line.parse().is_ok_and(|micros: u64| span.contains(&micros))).count())
    }

    fn measure(&self, address: SocketAddr, server: &[u32], more: &[&str]) -> anyhow::Result<Run> {
        let mut memory = Phases { before: process::memory(server[0])?, ..Phases::default() };
        let mut viewers = self.audience(address, self.row.viewers, more)?;
        let own = [viewers.pid()];
        viewers.until(CONNECTED)?;
        memory.connected = process::memory(server[0])?;
        viewers.until(BEGIN)?;
        let start = (process::cpu(server)?, process::cpu(&own)?, process::machine()?);
        viewers.until(END)?;
        let end = (process::cpu(server)?, process::cpu(&own)?, process::machine()?);
        memory.watched = process::memory(server[0])?;
        let outcome = viewers.outcome()?;
        let taken = self.taken(&outcome)?;
        let (server, viewers) = (end.0 - start.0, end.1 - start.1);
        let others = (end.2 - start.2).saturating_sub(server + viewers);
        Ok(Run { outcome, taken, server, viewers, others, memory })
    }
}
