//! One `[[camera]]` entry.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};

use super::{OfflineConfig, PictureConfig, PrivacyConfig, origin::Origins};
use crate::token::TokenHash;

/// One camera.
#[derive(Debug, Clone, PartialEq)]
pub struct CameraConfig {
    /// Its name in URLs and logs.
    pub name: CameraName,
    /// Its name for people; the page shows `name` where this is empty.
    pub title: String,
    /// What takes the pictures.
    pub kind: Kind,
    /// Picture size asked of the camera, in pixels; its answer may differ.
    pub size: Size,
    /// Timelapse interval: the time from one picture to the next.
    pub interval: Duration,
    /// JPEG quality, 1 to 100.
    pub quality: u8,
    /// Turns the picture.
    pub rotate: Rotation,
    /// Mirrors left and right.
    pub hflip: bool,
    /// Mirrors top and bottom.
    pub vflip: bool,
    /// What else is done to the picture.
    pub picture: PictureConfig,
    /// How long the camera stays on after the last viewer has left.
    pub linger: Duration,
    /// How long the first picture may take.
    pub start_timeout: Duration,
    /// How long a running camera may give no picture; five intervals where that is longer.
    pub stall_timeout: Duration,
    /// The command line of `kind = "command"`, given to `/bin/sh -c`; else empty.
    pub command: String,
    /// What `kind = "replay"` plays: a folder of JPEGs, or a file with one after another; else empty.
    pub replay: String,
    /// Plays the pictures of a folder in any order.
    pub shuffle: bool,
    /// Which camera: a libcamera camera's id or its index in the list of `eyelid cameras`, or a V4L2 camera's path or
    /// name; empty for the first.
    pub device: String,
    /// The pixel format that a V4L2 camera is asked for, such as "YUYV"; empty for the best.
    pub format: String,
    /// Other web sites whose pages may show and read its pictures.
    pub origins: Origins,
    /// Everybody may look at it, who is not signed in too.
    pub public: bool,
    /// The program that is run when a viewer waves, and its arguments; none where it is empty.
    pub on_wave: Vec<String>,
    /// What shows that a sender may send pictures to a camera of kind `push`; without one none may.
    pub upload_token: Option<TokenHash>,
    /// How long the sender of a camera of kind `push` may rest while nobody watches.
    pub rest: Duration,
    /// What is shown while it is off or gone.
    pub offline: OfflineConfig,
    /// When it may not run, and what is shown of it.
    pub privacy: PrivacyConfig,
}

/// How much later than it was told a sender that rests may come: it has to wake up, to find its network and to take
/// a picture.
const WAKING: Duration = Duration::from_secs(10);

impl CameraConfig {
    /// What people call the camera.
    pub fn display_title(&self) -> &str {
        if self.title.is_empty() { self.name.as_str() } else { &self.title }
    }

    /// The start timeout in force: a sender that rests hears of the first viewer only when it asks again.
    pub fn effective_start_timeout(&self) -> Duration {
        match self.kind {
            Kind::Push => self.start_timeout.max(self.rest + WAKING),
            _ => self.start_timeout,
        }
    }

    /// The stall timeout in force: the configured one or five intervals, whichever is longer.
    pub fn effective_stall_timeout(&self) -> Duration {
        self.stall_timeout.max(self.interval * 5)
    }
}

impl Default for CameraConfig {
    fn default() -> Self {
        Self {
            name: CameraName("camera".to_owned()),
            title: String::new(),
            kind: Kind::Auto,
            size: Size { width: 1280, height: 720 },
            interval: Duration::from_millis(100),
            quality: 80,
            rotate: Rotation::None,
            hflip: false,
            vflip: false,
            picture: PictureConfig::default(),
            linger: Duration::from_secs(5),
            start_timeout: Duration::from_secs(10),
            stall_timeout: Duration::from_secs(3),
            command: String::new(),
            replay: String::new(),
            shuffle: false,
            device: String::new(),
            format: String::new(),
            origins: Origins::default(),
            public: false,
            on_wave: Vec::new(),
            upload_token: None,
            rest: Duration::from_secs(15),
            offline: OfflineConfig::default(),
            privacy: PrivacyConfig::default(),
        }
    }
}

/// A camera's name: 1 to 32 of `a-z`, `0-9`, `-` and `_`, beginning with a letter or a digit, so that it
/// can stand in a URL and a file name as it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct CameraName(String);

impl CameraName {
    /// What [`CameraName::from_str`] accepts.
    pub(super) const EXPECTED: &str = "1 to 32 of a-z, 0-9, - and _, beginning with a letter or a digit";

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CameraName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        if (1..=32).contains(&text.len())
            && text.starts_with(fits)
            && text.chars().all(|c| fits(c) || c == '-' || c == '_')
        {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!("expected {}", Self::EXPECTED))
        }
    }
}

impl TryFrom<String> for CameraName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl fmt::Display for CameraName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What takes the pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The first real camera found, else the test picture with the reason shown.
    Auto,
    /// A moving test picture.
    Pattern,
    /// A libcamera camera, through the program `eyelid-libcamera`.
    Libcamera,
    /// A libcamera camera, through `rpicam-vid` or `libcamera-vid`.
    Rpicam,
    /// A webcam or capture stick, through V4L2.
    V4l2,
    /// A command that replaces a file or writes JPEGs to its standard output.
    Command,
    /// A folder of JPEGs, or a file with one after another, played again and again.
    Replay,
    /// Pictures that are sent to the daemon, by a camera that nobody can reach.
    Push,
}

impl Kind {
    /// All kinds, in the order of the documentation.
    pub const ALL: [Self; 8] = [
        Self::Auto,
        Self::Pattern,
        Self::Libcamera,
        Self::Rpicam,
        Self::V4l2,
        Self::Command,
        Self::Replay,
        Self::Push,
    ];

    /// The kind's name in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Pattern => "pattern",
            Self::Libcamera => "libcamera",
            Self::Rpicam => "rpicam",
            Self::V4l2 => "v4l2",
            Self::Command => "command",
            Self::Replay => "replay",
            Self::Push => "push",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A picture size in pixels, written `1280x720`. Both even, 16 to 8192: JPEG's 4:2:0 sampling pairs pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Size {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

impl Size {
    /// What [`Size::from_str`] accepts.
    pub(super) const EXPECTED: &str = "WIDTHxHEIGHT, both even and from 16 to 8192, such as 1280x720";
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let side = |s: &str| s.parse().ok().filter(|n| (16..=8192).contains(n) && n % 2 == 0);
        text.split_once('x')
            .and_then(|(w, h)| Some(Self { width: side(w)?, height: side(h)? }))
            .ok_or_else(|| format!("expected {}", Self::EXPECTED))
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

/// Turns the picture, in degrees clockwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// 0: as the camera gives it.
    None,
    /// 90.
    Quarter,
    /// 180: for a camera that hangs upside down.
    Half,
    /// 270.
    ThreeQuarters,
}

impl Rotation {
    /// What is accepted.
    pub(super) const EXPECTED: &str = "0, 90, 180 or 270";

    /// The angle in degrees.
    pub fn degrees(self) -> u16 {
        self.quarters() * 90
    }

    /// The angle in quarter turns.
    pub fn quarters(self) -> u16 {
        match self {
            Self::None => 0,
            Self::Quarter => 1,
            Self::Half => 2,
            Self::ThreeQuarters => 3,
        }
    }

    /// The rotation by this angle.
    pub(super) fn from_degrees(degrees: u64) -> Option<Self> {
        [Self::None, Self::Quarter, Self::Half, Self::ThreeQuarters]
            .into_iter()
            .find(|rotation| u64::from(rotation.degrees()) == degrees)
    }
}

impl FromStr for Rotation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let degrees = text.parse().ok().and_then(Self::from_degrees);
        degrees.ok_or_else(|| format!("expected {}", Self::EXPECTED))
    }
}
