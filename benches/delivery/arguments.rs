//! The command line, and what of the whole run it chooses.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Parser, Subcommand};

/// Measures the delivery of pictures. Arguments go after `--`: `cargo bench --bench delivery -- --quick`.
#[derive(Debug, Parser)]
pub(crate) struct Arguments {
    /// Only what has one of these in its name, such as 30kB/10/100 (kB, pictures a second, viewers), click, idle
    pub(crate) filters: Vec<String>,
    /// A few rows and a few seconds
    #[arg(long)]
    pub(crate) quick: bool,
    /// How long each row is measured [default: 6, with --quick 3]
    #[arg(long)]
    seconds: Option<u64>,
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

/// Replaces $EYELID_FILE at a rate.
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
    pub(crate) rate: u32,
    /// Where to note the time of each picture.
    #[arg(long)]
    pub(crate) log: PathBuf,
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
}

/// A row of the matrix.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    /// Bytes of a picture.
    pub(crate) size: usize,
    /// Pictures a second.
    pub(crate) rate: u32,
    pub(crate) viewers: usize,
}

impl Row {
    pub(crate) fn name(self) -> String {
        format!("{}kB/{}/{}", self.size / 1000, self.rate, self.viewers)
    }
}

impl Arguments {
    pub(crate) fn parse() -> Self {
        Parser::parse()
    }

    pub(crate) fn seconds(&self) -> Duration {
        Duration::from_secs(self.seconds.unwrap_or(if self.quick { 3 } else { 6 }))
    }

    pub(crate) fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for size in [30_000, 200_000] {
            for rate in [10, 30] {
                for viewers in [1, 10, 100, 500] {
                    let quick = rate == 10 && matches!((size, viewers), (30_000, 1 | 100) | (200_000, 100));
                    let row = Row { size, rate, viewers };
                    if (quick || !self.quick) && self.wants(&row.name()) {
                        rows.push(row);
                    }
                }
            }
        }
        rows
    }

    /// The ways to watch that are measured beside that of the page.
    pub(crate) fn ways(&self) -> Vec<Way> {
        let wanted = |way: &Way| self.way.is_empty() || self.way.contains(way);
        Way::OTHERS.into_iter().filter(wanted).collect()
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
