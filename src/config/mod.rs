//! What the owner can set: the types, their defaults and their limits.
//!
//! [`load`] reads a file into these types; every error in it is found, with its line and its remedy.
//! [`watch`] tells when the file has changed, and [`diff`] what a change means.

mod access;
mod camera;
mod diff;
mod env;
mod error;
mod keys;
mod load;
mod offline;
mod origin;
mod picture;
mod privacy;
mod proxies;
mod read;
mod syntax;
#[cfg(test)]
mod tests;
mod tls;
mod together;
mod unknown;
mod value;
mod watch;

pub use access::AccessRule;
pub use camera::{CameraConfig, CameraName, Kind, Rotation, Size};
pub use diff::{CameraChange, Changes, diff};
pub use error::{ConfigError, ConfigErrors, Excerpt, Place};
pub use load::{Loaded, Overrides, Request, Source, load, locate};
pub use offline::OfflineConfig;
pub use origin::{Origin, Origins};
pub use picture::{Area, Corner, PictureConfig};
pub use privacy::{PrivacyConfig, QuietHours, Switch};
pub use proxies::{Proxies, Proxy};
pub use tls::{Certificate, TlsConfig};
pub use value::{listen_address, parse_duration};
pub use watch::{Watcher, watch};

use std::time::Duration;

/// The whole configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Where to listen: an address and a port.
    pub listen: std::net::SocketAddr,
    /// Host names, beside `localhost`, IP addresses, the machine's own name and `.local` names, under
    /// which browsers may reach the daemon.
    pub hosts: Vec<String>,
    /// Who may look and manage.
    pub access: AccessRule,
    /// The reverse proxies in front of the daemon, whose word about clients counts.
    pub proxies: Proxies,
    /// Allows the rolling file to lie on a disk. Off by default: it would wear out an SD card.
    pub allow_disk: bool,
    /// Where what has been set of cameras is kept; empty for the usual place.
    pub state_folder: String,
    /// How connections are encrypted.
    pub tls: TlsConfig,
    /// The heartbeat that finds vanished browsers.
    pub socketio: SocketIoConfig,
    /// How the page goes about it.
    pub page: PageConfig,
    /// What the server allows.
    pub limits: LimitsConfig,
    /// How to log.
    pub log: LogConfig,
    /// The cameras; never empty, names unique. The first is the default one.
    pub cameras: Vec<CameraConfig>,
}

/// The heartbeat of Socket.IO connections. A vanished browser counts as a viewer for the sum of both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketIoConfig {
    /// How often each browser is asked whether it is still there.
    pub ping_interval: Duration,
    /// How long it may take to answer.
    pub ping_timeout: Duration,
}

/// How the page goes about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageConfig {
    /// How pictures get to it.
    pub transport: Transport,
}

/// How pictures get to the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// `auto`: by `ws` where the round trip is long, else by `url`.
    Auto,
    /// `url`: each is fetched from its address when it is announced.
    Url,
    /// `ws`: over a WebSocket.
    Ws,
}

impl Transport {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 3] = [Self::Auto, Self::Url, Self::Ws];

    /// Its name in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Url => "url",
            Self::Ws => "ws",
        }
    }
}

/// Limits of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitsConfig {
    /// Connections in all.
    pub connections: usize,
    /// Connections from one address; loopback, where a reverse proxy sits, is exempt.
    pub connections_per_address: usize,
}

/// How to log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    /// The least severe level that is logged.
    pub level: LogLevel,
    /// The form of a log line.
    pub format: LogFormat,
}

/// A log level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    /// `error`
    Error,
    /// `warn`
    Warn,
    /// `info`
    Info,
    /// `debug`
    Debug,
    /// `trace`
    Trace,
}

impl LogLevel {
    /// All levels, the most severe first.
    pub const ALL: [Self; 5] = [Self::Error, Self::Warn, Self::Info, Self::Debug, Self::Trace];

    /// The level's name in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// `text`: for people; without time stamps and with syslog priorities when it goes to the journal.
    Text,
    /// `json`: an object a line.
    Json,
}

impl LogFormat {
    /// All formats.
    pub const ALL: [Self; 2] = [Self::Text, Self::Json];

    /// The format's name in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: ([127, 0, 0, 1], 3000).into(),
            hosts: Vec::new(),
            access: AccessRule::Auto,
            proxies: Proxies::default(),
            allow_disk: false,
            state_folder: String::new(),
            tls: TlsConfig::default(),
            socketio: SocketIoConfig {
                ping_interval: Duration::from_secs(5),
                ping_timeout: Duration::from_secs(5),
            },
            page: PageConfig { transport: Transport::Auto },
            limits: LimitsConfig { connections: 2048, connections_per_address: 64 },
            log: LogConfig { level: LogLevel::Info, format: LogFormat::Text },
            cameras: vec![CameraConfig::default()],
        }
    }
}
