//! The lines that the daemon and a capture process exchange: one JSON object a line, both ways.

use serde::{Deserialize, Serialize};

use crate::{
    config::Kind,
    controls::{Control, Settings},
};

/// A line on the capture process's standard input. The end of its input means [`Request::Stop`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "kebab-case")]
pub enum Request {
    /// Set controls. [`Event::Controls`] answers; what can't be set stays as it is.
    Set(Set),
    /// Stop, free the camera and exit with code 0.
    Stop,
}

/// A line on the capture process's standard output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// All that can be set of the camera, with the values that it has now: after [`Event::Streaming`], and after
    /// each change. A camera without controls says so once.
    Controls(Offer),
    /// The camera is open and pictures follow.
    Streaming(Streaming),
    /// What came from the camera is no picture, and was left out.
    Ignored {
        /// What is wrong with it.
        reason: String,
    },
    /// The camera can't be used. The process ends after it, with an exit code other than 0.
    Error(Failure),
}

/// Controls to set.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Set {
    /// Grows with each request, so that the answer tells which ones it has seen.
    #[serde(default)]
    pub serial: u64,
    /// What to set.
    pub controls: Settings,
}

impl Set {
    /// Adds a newer request. Of each control its newest value counts.
    pub fn merge(&mut self, newer: Self) {
        self.serial = newer.serial;
        self.controls.extend(newer.controls);
    }
}

/// What can be set of a camera.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Offer {
    /// All of it.
    pub controls: Vec<Control>,
    /// The serial of the last request that has been carried out; 0 before the first.
    #[serde(default)]
    pub answers: u64,
}

/// What the camera gave, which may differ from what was asked of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Streaming {
    /// What takes the pictures; never [`Kind::Auto`].
    pub kind: Kind,
    /// The camera or program, in words: "imx708 (/base/soc/…)", "rpicam-vid", "test picture".
    pub device: String,
    /// Pixels across, where known before the first picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Pixels down, where known before the first picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// What viewers should know, such as why there is a test picture instead of a camera.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<String>,
}

/// Why the camera can't be used, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{reason}")]
pub struct Failure {
    /// What is wrong: "camera is used by another program: rpicam-hello (pid 812)".
    pub reason: String,
    /// What to do about it: "end that program".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Failure {
    /// A failure with a remedy.
    pub fn new(reason: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { reason: reason.into(), hint: Some(hint.into()) }
    }

    /// A failure for which we know no remedy.
    pub fn unexplained(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), hint: None }
    }
}
