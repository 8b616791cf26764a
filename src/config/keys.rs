//! Every key there is: its name, how it is read and how it is written. Reader, environment, suggestions,
//! the difference of two configurations and the check of the documentation all go by these tables.

use std::fmt::Display;

use super::{
    AccessRule, Area, CameraConfig, CameraName, Config, Corner, Kind, LogFormat, LogLevel, Rotation, Size,
    Switch, Transport,
    value::{Fault, Value},
};

/// A key of the table `T`.
pub(super) struct Key<T> {
    /// Its name, with the section before the dot.
    pub(super) name: &'static str,
    /// Sets it.
    pub(super) read: fn(&mut T, Value<'_>) -> Result<(), Fault>,
    /// Its value as it stands in the file.
    pub(super) show: fn(&T) -> String,
}

/// The keys outside `[[camera]]`.
pub(super) const GLOBAL: &[Key<Config>] = &[
    Key { name: "listen", read: |c, v| v.listen().map(|x| c.listen = x), show: |c| quoted(c.listen) },
    Key { name: "hosts", read: |c, v| v.hosts().map(|x| c.hosts = x), show: |c| list(&c.hosts) },
    Key {
        name: "access",
        read: |c, v| v.choice(&AccessRule::ALL, AccessRule::as_str).map(|x| c.access = x),
        show: |c| quoted(c.access.as_str()),
    },
    Key {
        name: "proxies",
        read: |c, v| v.proxies().map(|x| c.proxies = x),
        show: |c| list(&c.proxies.iter().collect::<Vec<_>>()),
    },
    Key {
        name: "allow_disk",
        read: |c, v| v.boolean().map(|x| c.allow_disk = x),
        show: |c| c.allow_disk.to_string(),
    },
    Key {
        name: "state_folder",
        read: |c, v| v.text("an absolute path of at most 1000 bytes", folder).map(|x| c.state_folder = x),
        show: |c| quoted(&c.state_folder),
    },
    Key {
        name: "tls.cert",
        read: |c, v| v.text("an absolute path of at most 1000 bytes", folder).map(|x| c.tls.cert = x),
        show: |c| quoted(&c.tls.cert),
    },
    Key {
        name: "tls.key",
        read: |c, v| v.text("an absolute path of at most 1000 bytes", folder).map(|x| c.tls.key = x),
        show: |c| quoted(&c.tls.key),
    },
    Key {
        name: "tls.self_signed",
        read: |c, v| v.boolean().map(|x| c.tls.self_signed = x),
        show: |c| c.tls.self_signed.to_string(),
    },
    Key {
        name: "socketio.ping_interval",
        read: |c, v| v.time("1s", "60s").map(|x| c.socketio.ping_interval = x),
        show: |c| time(c.socketio.ping_interval),
    },
    Key {
        name: "socketio.ping_timeout",
        read: |c, v| v.time("1s", "60s").map(|x| c.socketio.ping_timeout = x),
        show: |c| time(c.socketio.ping_timeout),
    },
    Key {
        name: "page.transport",
        read: |c, v| v.choice(&Transport::ALL, Transport::as_str).map(|x| c.page.transport = x),
        show: |c| quoted(c.page.transport.as_str()),
    },
    Key {
        name: "limits.connections",
        read: |c, v| v.number(1, 65536).map(|x| c.limits.connections = x),
        show: |c| c.limits.connections.to_string(),
    },
    Key {
        name: "limits.connections_per_address",
        read: |c, v| v.number(1, 65536).map(|x| c.limits.connections_per_address = x),
        show: |c| c.limits.connections_per_address.to_string(),
    },
    Key {
        name: "log.level",
        read: |c, v| v.choice(&LogLevel::ALL, LogLevel::as_str).map(|x| c.log.level = x),
        show: |c| quoted(c.log.level.as_str()),
    },
    Key {
        name: "log.format",
        read: |c, v| v.choice(&LogFormat::ALL, LogFormat::as_str).map(|x| c.log.format = x),
        show: |c| quoted(c.log.format.as_str()),
    },
];

/// The keys of a `[[camera]]`.
pub(super) const CAMERA: &[Key<CameraConfig>] = &[
    Key {
        name: "name",
        read: |c, v| v.text(CameraName::EXPECTED, |s| s.parse().ok()).map(|x| c.name = x),
        show: |c| quoted(&c.name),
    },
    Key {
        name: "title",
        read: |c, v| v.text("a text of at most 100 characters on one line", line::<100>).map(|x| c.title = x),
        show: |c| quoted(&c.title),
    },
    Key {
        name: "kind",
        read: |c, v| v.choice(&Kind::ALL, Kind::as_str).map(|x| c.kind = x),
        show: |c| quoted(c.kind),
    },
    Key {
        name: "size",
        read: |c, v| v.text(Size::EXPECTED, |s| s.parse().ok()).map(|x| c.size = x),
        show: |c| quoted(c.size),
    },
    Key {
        name: "interval",
        read: |c, v| v.time("20ms", "24h").map(|x| c.interval = x),
        show: |c| time(c.interval),
    },
    Key {
        name: "quality",
        read: |c, v| v.number(1, 100).map(|x| c.quality = x),
        show: |c| c.quality.to_string(),
    },
    Key {
        name: "rotate",
        read: |c, v| v.integer(Rotation::EXPECTED, Rotation::from_degrees).map(|x| c.rotate = x),
        show: |c| c.rotate.degrees().to_string(),
    },
    Key { name: "hflip", read: |c, v| v.boolean().map(|x| c.hflip = x), show: |c| c.hflip.to_string() },
    Key { name: "vflip", read: |c, v| v.boolean().map(|x| c.vflip = x), show: |c| c.vflip.to_string() },
    Key {
        name: "crop",
        read: |c, v| v.optional(Area::EXPECTED).map(|x| c.picture.crop = x),
        show: |c| optional(c.picture.crop),
    },
    Key {
        name: "max_size",
        read: |c, v| v.optional(Size::EXPECTED).map(|x| c.picture.max_size = x),
        show: |c| optional(c.picture.max_size),
    },
    Key {
        name: "grayscale",
        read: |c, v| v.boolean().map(|x| c.picture.grayscale = x),
        show: |c| c.picture.grayscale.to_string(),
    },
    Key {
        name: "masks",
        read: |c, v| v.areas().map(|x| c.picture.masks = x),
        show: |c| list(&c.picture.masks),
    },
    Key {
        name: "overlay",
        read: |c, v| v.overlay().map(|x| c.picture.overlay = x),
        show: |c| quoted(&c.picture.overlay),
    },
    Key {
        name: "overlay_position",
        read: |c, v| v.choice(&Corner::ALL, Corner::as_str).map(|x| c.picture.overlay_position = x),
        show: |c| quoted(c.picture.overlay_position),
    },
    Key {
        name: "recompress",
        read: |c, v| v.boolean().map(|x| c.picture.recompress = x),
        show: |c| c.picture.recompress.to_string(),
    },
    Key {
        name: "keep_metadata",
        read: |c, v| v.boolean().map(|x| c.picture.keep_metadata = x),
        show: |c| c.picture.keep_metadata.to_string(),
    },
    Key { name: "linger", read: |c, v| v.time("0s", "1h").map(|x| c.linger = x), show: |c| time(c.linger) },
    Key {
        name: "start_timeout",
        read: |c, v| v.time("1s", "5m").map(|x| c.start_timeout = x),
        show: |c| time(c.start_timeout),
    },
    Key {
        name: "stall_timeout",
        read: |c, v| v.time("1s", "24h").map(|x| c.stall_timeout = x),
        show: |c| time(c.stall_timeout),
    },
    Key {
        name: "command",
        read: |c, v| v.text("a command line of at most 10000 bytes", command).map(|x| c.command = x),
        show: |c| quoted(&c.command),
    },
    Key {
        name: "replay",
        read: |c, v| v.text("a path of at most 4000 bytes", path).map(|x| c.replay = x),
        show: |c| quoted(&c.replay),
    },
    Key { name: "shuffle", read: |c, v| v.boolean().map(|x| c.shuffle = x), show: |c| c.shuffle.to_string() },
    Key {
        name: "device",
        read: |c, v| {
            v.text("a text of at most 200 characters on one line", line::<200>).map(|x| c.device = x)
        },
        show: |c| quoted(&c.device),
    },
    Key {
        name: "format",
        read: |c, v| v.text("up to 4 letters and digits, such as MJPG or YUYV", format).map(|x| c.format = x),
        show: |c| quoted(&c.format),
    },
    Key {
        name: "origins",
        read: |c, v| v.origins().map(|x| c.origins = x),
        show: |c| format!("[{}]", c.origins.iter().map(quoted).collect::<Vec<_>>().join(", ")),
    },
    Key { name: "public", read: |c, v| v.boolean().map(|x| c.public = x), show: |c| c.public.to_string() },
    Key { name: "on_wave", read: |c, v| v.program().map(|x| c.on_wave = x), show: |c| list(&c.on_wave) },
    Key {
        name: "upload_token",
        read: |c, v| v.upload_token().map(|x| c.upload_token = x),
        show: |c| optional(c.upload_token.as_ref()),
    },
    Key { name: "rest", read: |c, v| v.time("1s", "1h").map(|x| c.rest = x), show: |c| time(c.rest) },
    Key {
        name: "offline.folder",
        read: |c, v| v.text("an absolute path of at most 1000 bytes", folder).map(|x| c.offline.folder = x),
        show: |c| quoted(&c.offline.folder),
    },
    Key {
        name: "offline.remember",
        read: |c, v| v.time("0s", "10m").map(|x| c.offline.remember = x),
        show: |c| time(c.offline.remember),
    },
    Key {
        name: "offline.after",
        read: |c, v| v.time("0s", "1h").map(|x| c.offline.after = x),
        show: |c| time(c.offline.after),
    },
    Key {
        name: "offline.interval",
        read: |c, v| v.time("100ms", "1h").map(|x| c.offline.interval = x),
        show: |c| time(c.offline.interval),
    },
    Key {
        name: "offline.announce",
        read: |c, v| v.boolean().map(|x| c.offline.announce = x),
        show: |c| c.offline.announce.to_string(),
    },
    Key {
        name: "privacy.interleave",
        read: |c, v| v.share().map(|x| c.privacy.interleave = x),
        show: |c| format!("{:?}", c.privacy.interleave),
    },
    Key {
        name: "privacy.shortest",
        read: |c, v| v.time("1s", "1h").map(|x| c.privacy.shortest = x),
        show: |c| time(c.privacy.shortest),
    },
    Key {
        name: "privacy.longest",
        read: |c, v| v.time("1s", "1h").map(|x| c.privacy.longest = x),
        show: |c| time(c.privacy.longest),
    },
    Key {
        name: "privacy.delay",
        read: |c, v| v.time("0s", "10m").map(|x| c.privacy.delay = x),
        show: |c| time(c.privacy.delay),
    },
    Key {
        name: "privacy.quiet",
        read: |c, v| v.quiet().map(|x| c.privacy.quiet = x),
        show: |c| list(&c.privacy.quiet),
    },
    Key {
        name: "privacy.switch",
        read: |c, v| v.optional(Switch::EXPECTED).map(|x| c.privacy.switch = x),
        show: |c| optional(c.privacy.switch.as_ref()),
    },
];

fn line<const LENGTH: usize>(text: &str) -> Option<String> {
    (text.chars().count() <= LENGTH && !text.chars().any(char::is_control)).then(|| text.to_owned())
}

/// A service and somebody's shell are in different folders, so that a relative one would mean another place.
fn folder(text: &str) -> Option<String> {
    let fits = text.is_empty() || text.starts_with('/');
    (fits && text.len() <= 1000 && !text.chars().any(char::is_control)).then(|| text.to_owned())
}

/// The kernel names pixel formats by four characters.
fn format(text: &str) -> Option<String> {
    (text.len() <= 4 && text.bytes().all(|byte| byte.is_ascii_alphanumeric())).then(|| text.to_owned())
}

/// An argument of a program can't hold a NUL byte.
fn command(text: &str) -> Option<String> {
    (text.len() <= 10_000 && !text.contains('\0')).then(|| text.to_owned())
}

/// The kernel takes no longer one.
fn path(text: &str) -> Option<String> {
    (text.len() <= 4000 && !text.chars().any(char::is_control)).then(|| text.to_owned())
}

fn optional(value: Option<impl Display>) -> String {
    quoted(value.map(|value| value.to_string()).unwrap_or_default())
}

fn list(items: &[impl Display]) -> String {
    format!("[{}]", items.iter().map(quoted).collect::<Vec<_>>().join(", "))
}

/// Text as TOML writes it.
fn quoted(text: impl Display) -> String {
    let mut quoted = String::from("\"");
    for c in text.to_string().chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

fn time(time: std::time::Duration) -> String {
    quoted(humantime::format_duration(time))
}
