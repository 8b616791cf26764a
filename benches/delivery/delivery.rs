//! The matrix: size, rate and viewers, with the daemon and with nginx.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, ensure};

use crate::{
    arguments::{Arguments, Row, Way},
    daemon::{self, Daemon, end},
    nginx::{self, Nginx},
    picture::Pictures,
    process, report,
    viewers::{BEGIN, END, Outcome},
};

/// One server under one load.
#[derive(Debug, Default, Clone, Copy)]
struct Measured {
    p50: f64,
    p99: f64,
    /// Per cent of the pictures that were taken.
    missed: f64,
    torn: f64,
    lost: f64,
    /// µs of the server's and the viewers' CPU for each picture that was delivered.
    server: f64,
    viewers: f64,
    /// Most memory resident, in kB.
    peak: f64,
    /// Per cent of the machine that was used by programs that have nothing to do with this.
    others: f64,
}

/// Runs the rows and prints the table.
pub(crate) fn run(arguments: &Arguments, folder: &Path) -> anyhow::Result<()> {
    let rows = arguments.rows();
    if rows.is_empty() {
        return Ok(());
    }
    let mut daemons = arguments.daemon.clone();
    if daemons.is_empty() {
        daemons.push(daemon::of_this_build());
    }
    fs::create_dir(folder.join("log"))?;
    let nginx = nginx::find().filter(|_| !arguments.no_nginx);
    let ways = arguments.ways();
    head(&nginx, &ways);
    for row in rows {
        let pictures = folder.join(format!("pictures-{}", row.size));
        if !pictures.exists() {
            Pictures::make(row.size)?.save(&pictures)?;
        }
        let bench = Bench { row, folder, pictures: &pictures, seconds: arguments.seconds() };
        // Of each daemon, for the page's way and each of the others.
        let mut ours = vec![vec![Vec::new(); 1 + ways.len()]; daemons.len()];
        let mut theirs = Vec::new();
        for _ in 0..arguments.repeat.max(1) {
            for (daemon, measured) in daemons.iter().zip(&mut ours) {
                for (way, measured) in [Way::Socketio].iter().chain(&ways).zip(measured) {
                    measured.push(bench.daemon(daemon, *way)?);
                }
            }
            if let Some(nginx) = &nginx {
                theirs.push(bench.nginx(nginx)?);
            }
        }
        let theirs = nginx.is_some().then(|| Measured::median(&theirs));
        for (daemon, measured) in daemons.iter().zip(&ours) {
            let name =
                if daemons.len() > 1 { format!("{} {}", row.name(), daemon.display()) } else { row.name() };
            let medians: Vec<_> = measured.iter().map(|way| Measured::median(way)).collect();
            tell(name, &medians[0], &medians[1..], theirs.as_ref());
        }
    }
    report::line("");
    Ok(())
}

fn head(nginx: &Option<PathBuf>, ways: &[Way]) {
    report::line(
        "From rename to the last byte at the viewer, in ms; µs of CPU for each delivered picture. Rows are\n\
         size/pictures a second/viewers.\n",
    );
    let mut cells =
        vec!["row", "p50", "p99", "missed", "torn", "CPU", "peak MB", "viewers' CPU", "other programs"];
    let of_ways: Vec<_> = ways
        .iter()
        .flat_map(|way| ["p50", "p99", "missed", "CPU"].map(|cell| format!("{} {cell}", way.name())))
        .collect();
    cells.extend(of_ways.iter().map(String::as_str));
    match nginx {
        Some(_) => cells.extend(["nginx p50", "p99", "missed", "CPU", "CPU, times nginx"]),
        None => cells.push("nginx: not installed or not wanted"),
    }
    report::head(&cells);
}

fn tell(name: String, ours: &Measured, others: &[Measured], theirs: Option<&Measured>) {
    let percent = |value: f64| format!("{value:.1} %");
    let mut cells = vec![
        name,
        report::millis(ours.p50),
        report::millis(ours.p99),
        percent(ours.missed),
        ours.torn.to_string(),
        format!("{:.1}", ours.server),
        report::megabytes(ours.peak as u64),
        format!("{:.1}", ours.viewers),
        format!("{:.0} %", ours.others),
    ];
    for other in others {
        cells.extend([
            report::millis(other.p50),
            report::millis(other.p99),
            percent(other.missed),
            format!("{:.1}", other.server),
        ]);
    }
    match theirs {
        Some(theirs) => cells.extend([
            report::millis(theirs.p50),
            report::millis(theirs.p99),
            percent(theirs.missed),
            format!("{:.1}", theirs.server),
            format!("{:.2}", ours.server / theirs.server),
        ]),
        None => cells.push("–".to_owned()),
    }
    report::row(&cells);
    for measured in others.iter().chain([ours]) {
        if measured.lost + measured.torn > 0.0 {
            let (lost, torn) = (measured.lost, measured.torn);
            report::note(&format!("{lost} viewers lost their connection, {torn} pictures were torn"));
        }
    }
}

struct Bench<'a> {
    row: Row,
    folder: &'a Path,
    pictures: &'a Path,
    seconds: Duration,
}

impl Bench<'_> {
    fn daemon(&self, program: &Path, way: Way) -> anyhow::Result<Measured> {
        let camera = format!(
            "kind = \"command\"\nlinger = \"1s\"\ncommand = '''exec {}'''\n",
            self.feeder()?.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" ")
        );
        let daemon = Daemon::start(program, self.folder, &camera)?;
        let pid = daemon.pid();
        let mut measured = self.measure(daemon.address, &[pid], &["--way", way.name()])?;
        measured.peak = process::memory(pid)?.peak as f64;
        Ok(measured)
    }

    fn nginx(&self, program: &Path) -> anyhow::Result<Measured> {
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
            path(self.pictures),
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

    fn measure(&self, address: SocketAddr, server: &[u32], more: &[&str]) -> anyhow::Result<Measured> {
        let mut viewers = Running(
            Command::new(env::current_exe()?)
                .args(["viewers", "--address", &address.to_string()])
                .args(["--viewers", &self.row.viewers.to_string(), "--size", &self.row.size.to_string()])
                .args(["--seconds", &self.seconds.as_secs().to_string(), "--pictures"])
                .arg(self.pictures)
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
        next(BEGIN)?;
        let before = (process::cpu(server)?, process::cpu(&own)?, process::machine()?);
        next(END)?;
        let after = (process::cpu(server)?, process::cpu(&own)?, process::machine()?);
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
        let all = (taken * self.row.viewers) as f64;
        let each = |cpu: Duration| cpu.as_secs_f64() * 1e6 / outcome.delivered as f64;
        let (server, viewers) = (after.0 - before.0, after.1 - before.1);
        let others = (after.2 - before.2).saturating_sub(server + viewers);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Measured {
            p50: outcome.p50 as f64,
            p99: outcome.p99 as f64,
            missed: (1.0 - outcome.got as f64 / all) * 100.0,
            torn: outcome.torn as f64,
            lost: outcome.lost as f64,
            server: each(server),
            viewers: each(viewers),
            peak: 0.0,
            others: others.as_secs_f64() / self.seconds.as_secs_f64() / cores as f64 * 100.0,
        })
    }
}

impl Measured {
    /// The median of each figure; of torn pictures and lost viewers, all.
    fn median(all: &[Self]) -> Self {
        let of = |figure: fn(&Self) -> f64| report::median(all.iter().map(figure));
        Self {
            p50: of(|m| m.p50),
            p99: of(|m| m.p99),
            missed: of(|m| m.missed),
            torn: all.iter().map(|m| m.torn).sum(),
            lost: all.iter().map(|m| m.lost).sum(),
            server: of(|m| m.server),
            viewers: of(|m| m.viewers),
            peak: of(|m| m.peak),
            others: of(|m| m.others),
        }
    }
}

/// A process that ends with this value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        end(&mut self.0);
    }
}
