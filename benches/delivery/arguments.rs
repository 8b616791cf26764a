//! The command line, and what of the whole run it chooses.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Parser, Subcommand};

/// Measures the delivery of pictures. Arguments go after `--`: `cargo bench --bench delivery -- --quick`.
#[derive(Debug, Parser)]
pub(crate) struct Arguments {
    /// Only what has one of these in its name, such as 30kB/10/100 (kB, pictures a second, viewers), upload, click,
    /// idle.
    /// Any such row can be asked for; those with less than a picture a second are many slow viewers. And, where asked
    /// for only: siege, with slow clients beside the viewers, and soak, for long
    pub(crate) filters: Vec<String>,
    /// A few rows and a few seconds
    #[arg(long)]
    pub(crate) quick: bool,
    /// How long each row is measured [default: 6, with --quick 3; 60 and 10 for many slow viewers]
    #[arg(long)]
    seconds: Option<u64>,
    /// How long the soak is
    #[arg(long, default_value_t = 20)]
    pub(crate) minutes: u64,
    /// Measures each row so many times and reports the median
    #[arg(long, default_value_t = 1)]
    pub(crate) repeat: usize,
    /// Leaves nginx out
    #[arg(long)]
    pub(crate) no_nginx: bool,
    /// Only these ways to watch; the others are left out of the table
    #[arg(long, value_enum)]
    pub(crate) way: Vec<Way>,
    /// Measures this daemon, not the one that was just built; each row in turn with several of them
    #[arg(long, value_name = "FILE")]
    pub(crate) daemon: Vec<PathBuf>,
    /// What cargo says
    #[arg(long, hide = true)]
    pub(crate) bench: bool,
    #[command(subcommand)]
    pub(crate) mode: Option<Mode>,
}

/// How viewers get their pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Way {
    /// Announced over Socket.IO, and fetched one by one.
    Socketio,
    /// `stream.mjpg`
    Mjpeg,
    /// `ws`
    Ws,
}

impl Way {
    /// Those beside that of the page.
    pub(crate) const OTHERS: [Self; 2] = [Self::Mjpeg, Self::Ws];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Socketio => "socketio",
            Self::Mjpeg => "mjpeg",
            Self::Ws => "ws",
        }
    }
}

/// The benchmark's other processes.
#[derive(Debug, Subcommand)]
pub(crate) enum Mode {
    #[command(hide = true)]
    Feeder(Feeder),
    #[command(hide = true)]
    Viewers(Viewers),
}

/// Replaces $EYELID_FILE at a rate, or sends pictures.
#[derive(Debug, clap::Args)]
pub(crate) struct Feeder {
    /// The pictures to show in turn.
    #[arg(long)]
    pub(crate) pictures: PathBuf,
    /// Their size in bytes.
    #[arg(long)]
    pub(crate) size: usize,
    /// Pictures a second.
    #[arg(long)]
    pub(crate) rate: f64,
    /// Where to note the time of each picture.
    #[arg(long)]
    pub(crate) log: PathBuf,
    /// Send each picture to the camera of kind push of the daemon at this address, and touch no file.
    #[arg(long)]
    pub(crate) upload: Option<SocketAddr>,
}

/// Watches with many viewers.
#[derive(Debug, clap::Args)]
pub(crate) struct Viewers {
    #[arg(long)]
    pub(crate) address: SocketAddr,
    #[arg(long)]
    pub(crate) viewers: usize,
    #[arg(long)]
    pub(crate) pictures: PathBuf,
    #[arg(long)]
    pub(crate) size: usize,
    #[arg(long)]
    pub(crate) seconds: u64,
    /// GET after each change in this folder, not after an announcement over Socket.IO.
    #[arg(long)]
    pub(crate) folder: Option<PathBuf>,
    #[arg(long, value_enum, default_value = "socketio")]
    pub(crate) way: Way,
    /// So many viewers a second leave, and as many come.
    #[arg(long, default_value_t = 0)]
    pub(crate) churn: u64,
}

/// A row of the matrix.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    /// Bytes of a picture.
    pub(crate) size: usize,
    /// Pictures a second.
    pub(crate) rate: f64,
    pub(crate) viewers: usize,
}

impl Row {
    /// The page of a camera far away, with a picture every two seconds, that many look at.
    const SLOW: Self = Self { size: 25_000, rate: 0.5, viewers: 2000 };

    /// A camera that sends its pictures, somewhat faster, so that a run has more of them.
    pub(crate) const UPLOADED: Self = Self { size: 25_000, rate: 5.0, viewers: 100 };

    pub(crate) fn name(self) -> String {
        format!("{}kB/{}/{}", self.size / 1000, self.rate, self.viewers)
    }

    /// What [`Self::name`] gives.
    fn parse(name: &str) -> Option<Self> {
        let mut parts = name.split('/');
        let size = parts.next()?.strip_suffix("kB")?.parse::<usize>().ok()? * 1000;
        let rate = parts.next()?.parse().ok().filter(|rate| (0.01..=1000.0).contains(rate))?;
        let viewers = parts.next()?.parse().ok()?;
        parts.next().is_none().then_some(Self { size, rate, viewers })
    }

    /// Measured for longer, and for what each viewer costs.
    fn is_slow(self) -> bool {
        self.rate < 1.0
    }
}

impl Arguments {
    pub(crate) fn parse() -> Self {
        Parser::parse()
    }

    /// How long a row is measured.
    pub(crate) fn seconds(&self, row: Row) -> Duration {
        let usual = match (row.is_slow(), self.quick) {
            (false, false) => 6,
            (false, true) => 3,
            (true, false) => 60,
            (true, true) => 10,
        };
        Duration::from_secs(self.seconds.unwrap_or(usual))
    }

    /// The rows of the matrix, and those that are asked for.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for size in [30_000, 200_000] {
            for rate in [10, 30] {
                for viewers in [1, 10, 100, 500] {
                    let quick = rate == 10 && matches!((size, viewers), (30_000, 1 | 100) | (200_000, 100));
                    let row = Row { size, rate: rate.into(), viewers };
                    if (quick || !self.quick) && self.wants(&row.name()) {
                        rows.push(row);
                    }
                }
            }
        }
        rows.extend(self.others().filter(|row| !row.is_slow()));
        rows
    }

    /// Those of many slow viewers.
    pub(crate) fn slow_rows(&self) -> Vec<Row> {
        let mut rows: Vec<_> = self.others().filter(|row| row.is_slow()).collect();
        if self.wants(&Row::SLOW.name()) && rows.is_empty() {
            rows.push(Row::SLOW);
        }
        rows
    }

    /// Those that are asked for and not in the matrix.
    fn others(&self) -> impl Iterator<Item = Row> {
        let in_matrix = |row: &Row| {
            matches!(row.size, 30_000 | 200_000)
                && [10.0, 30.0].contains(&row.rate)
                && matches!(row.viewers, 1 | 10 | 100 | 500)
        };
        self.filters.iter().filter_map(|filter| Row::parse(filter)).filter(move |row| !in_matrix(row))
    }

    /// The daemons to measure, one at least.
    pub(crate) fn daemons(&self) -> Vec<PathBuf> {
        let of_this_build = || vec![env!("CARGO_BIN_EXE_eyelid").into()];
        if self.daemon.is_empty() { of_this_build() } else { self.daemon.clone() }
    }

    /// The ways to watch that are measured beside that of the page.
    pub(crate) fn ways(&self) -> Vec<Way> {
        let wanted = |way: &Way| self.way.is_empty() || self.way.contains(way);
        Way::OTHERS.into_iter().filter(wanted).collect()
    }

    /// Whether this, which is long, was asked for by its name.
    pub(crate) fn asks_for(&self, name: &str) -> bool {
        self.filters.iter().any(|filter| filter == name)
    }

    /// Whether the filters let `name` through. A name with slashes has to fit to its end: 30kB/10/1 is not
    /// meant to be 30kB/10/100 too.
    pub(crate) fn wants(&self, name: &str) -> bool {
        let fits = |filter: &String| match filter.matches('/').count() {
            2 => name == filter,
            _ => name.contains(filter.as_str()),
        };
        self.filters.is_empty() || self.filters.iter().any(fits)
    }
}
