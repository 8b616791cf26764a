//! What runs in a capture process: it takes pictures and replaces the rolling file.
//!
//! A capture process is `eyelid capture …` or `eyelid-libcamera …`, both with the arguments of [`Spec`]. It
//! reads one JSON object a line on standard input and writes one a line on standard output ([`protocol`]).
//! End of input means stop. It knows nothing of viewers.

pub mod auto;
pub mod busy;
mod clock;
pub mod command;
mod descendants;
pub mod encode;
pub(crate) mod eyelid_libcamera;
#[cfg(feature = "libcamera")]
pub mod libcamera;
mod lines;
pub mod output;
pub(crate) mod own_file;
pub mod pattern;
mod program;
pub mod protocol;
pub mod push;
pub mod replay;
pub mod rolling_file;
pub mod rpicam;
pub mod runner;
pub mod v4l2;
mod wishes;

use std::{path::PathBuf, str::FromStr, time::Duration};

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::{
    config::{CameraConfig, CameraName, Kind, PictureConfig, Rotation, Size, parse_duration},
    picture::{Mirror, Turn},
};

/// What to capture and where to: the arguments of every capture process.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct Spec {
    /// The camera's name, for messages and the test picture
    #[arg(long, default_value = "camera", value_parser = CameraName::from_str)]
    pub name: CameraName,
    /// The camera's name for people, for a text in the picture; the name if not given
    #[arg(long, default_value = "", hide_default_value = true, value_name = "TEXT")]
    pub title: String,
    /// What takes the pictures
    #[arg(long, value_enum, default_value_t = Kind::Auto)]
    pub kind: Kind,
    /// The rolling file: replaced by rename with each picture
    #[arg(long, value_name = "FILE")]
    pub output: PathBuf,
    /// Picture size asked of the camera
    #[arg(long, default_value = "1280x720", value_name = "WxH", value_parser = Size::from_str)]
    pub size: Size,
    /// Time from one picture to the next
    #[arg(long, default_value = "100ms", value_name = "DURATION", value_parser = duration)]
    pub interval: Duration,
    /// JPEG quality
    #[arg(long, default_value_t = 80, value_parser = clap::value_parser!(u8).range(1..=100))]
    pub quality: u8,
    /// Turns the picture clockwise, by 0, 90, 180 or 270 degrees
    #[arg(long, default_value = "0", value_name = "DEGREES", value_parser = Rotation::from_str)]
    pub rotate: Rotation,
    /// Mirrors left and right
    #[arg(long)]
    pub hflip: bool,
    /// Mirrors top and bottom
    #[arg(long)]
    pub vflip: bool,
    /// What else is done to the picture.
    #[command(flatten)]
    pub picture: PictureConfig,
    /// Which camera: a libcamera camera's id or index, a V4L2 camera's path or name; the first if not given
    #[arg(long, default_value = "", value_name = "DEVICE")]
    pub device: String,
    /// The pixel format to ask a V4L2 camera for, such as YUYV; the best if not given
    #[arg(long, default_value = "", value_name = "NAME")]
    pub format: String,
    /// The command line of kind `command`
    #[arg(long, default_value = "", value_name = "LINE")]
    pub command: String,
    /// What kind `replay` plays: a folder of JPEGs, or a file with one after another
    #[arg(long, default_value = "", value_name = "PATH")]
    pub replay: String,
    /// Plays the pictures of a folder in any order
    #[arg(long)]
    pub shuffle: bool,
}

fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).ok_or_else(|| "expected a number with its unit, such as 100ms or 5s".to_owned())
}

impl Spec {
    /// What a camera of this configuration captures into `output`.
    pub fn new(config: &CameraConfig, output: PathBuf) -> Self {
        // It is of account only where it is written into the picture: another one is no reason for a new start.
        let title = if config.picture.overlay.contains("{title}") { &config.title } else { "" };
        Self {
            name: config.name.clone(),
            title: title.to_owned(),
            kind: config.kind,
            output,
            size: config.size,
            interval: config.interval,
            quality: config.quality,
            rotate: config.rotate,
            hflip: config.hflip,
            vflip: config.vflip,
            picture: config.picture.clone(),
            device: config.device.clone(),
            format: config.format.clone(),
            command: config.command.clone(),
            replay: config.replay.clone(),
            shuffle: config.shuffle,
        }
    }

    /// How its pictures are to be turned over.
    pub fn turn(&self) -> Turn {
        let mirrored = Mirror { horizontal: self.hflip, vertical: self.vflip };
        Turn::clockwise(self.rotate.quarters()).then(mirrored.into())
    }

    /// What a camera that can turn pictures over at no cost is asked to do. One to be laid on its side is turned
    /// by us as a whole.
    pub fn mirror(&self) -> Mirror {
        self.turn().mirror().unwrap_or(Mirror::NONE)
    }

    /// What is left to do for us when a camera that was asked to do [`Spec::mirror`] has left `mirror` of it.
    fn left(&self, mirror: Mirror) -> Turn {
        let whole = self.turn();
        let rest = if whole.mirror().is_none() { whole } else { Turn::NONE };
        Turn::from(mirror).then(rest)
    }

    /// The arguments that parse back into this specification.
    pub fn to_args(&self) -> Vec<String> {
        let mut args = vec![
            format!("--name={}", self.name),
            format!("--kind={}", self.kind),
            format!("--output={}", self.output.display()),
            format!("--size={}", self.size),
            format!("--interval={}", humantime::format_duration(self.interval)),
            format!("--quality={}", self.quality),
            format!("--rotate={}", self.rotate.degrees()),
        ];
        args.extend(self.hflip.then(|| "--hflip".to_owned()));
        args.extend(self.vflip.then(|| "--vflip".to_owned()));
        args.extend(self.picture.to_args());
        if !self.title.is_empty() {
            args.push(format!("--title={}", self.title));
        }
        if !self.device.is_empty() {
            args.push(format!("--device={}", self.device));
        }
        if !self.format.is_empty() {
            args.push(format!("--format={}", self.format));
        }
        if !self.command.is_empty() {
            args.push(format!("--command={}", self.command));
        }
        if !self.replay.is_empty() {
            args.push(format!("--replay={}", self.replay));
        }
        args.extend(self.shuffle.then(|| "--shuffle".to_owned()));
        args
    }
}

/// A camera of this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Its place in the list, from 0. It may change when another camera is plugged in.
    pub index: u32,
    /// Its libcamera id: "/base/soc/i2c0mux/i2c@1/imx708@1a".
    pub id: String,
    /// Its sensor: "imx708".
    pub model: String,
    /// Sizes that it gives, as "1280x720", where they are known; others may be possible.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sizes: Vec<String>,
}
