//! `kind = "auto"`: the first real camera, or the test picture with the reason.

use std::path::{Path, PathBuf};

use super::{Found, eyelid_libcamera, protocol::Failure, rpicam, runner};
use crate::config::Kind;

/// What this machine has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Detected {
    /// Cameras, and the kind and program through which they can be used.
    Cameras {
        /// [`Kind::Libcamera`] or [`Kind::Rpicam`].
        kind: Kind,
        /// The program that takes the pictures.
        program: PathBuf,
        /// At least one.
        cameras: Vec<Found>,
    },
    /// None, with the reason.
    Nothing(Failure),
}

/// Looks for libcamera cameras. At most two programs are asked, and each may take 3 seconds.
pub fn detect() -> Detected {
    type List = fn(&Path) -> Result<Vec<Found>, Failure>;
    let ways: [(Kind, Option<PathBuf>, List); 2] = [
        (Kind::Libcamera, eyelid_libcamera::find(), eyelid_libcamera::list),
        (Kind::Rpicam, rpicam::find(), rpicam::list),
    ];
    let mut nothing = None;
    for (kind, program, list) in ways {
        let Some(program) = program else { continue };
        match list(&program) {
            Ok(cameras) if cameras.is_empty() => nothing = Some(rpicam::no_camera()),
            Ok(cameras) => return Detected::Cameras { kind, program, cameras },
            Err(failure) => {
                runner::log(&failure);
                // That the other one looked and found none would say more.
                nothing.get_or_insert(failure);
            }
        }
    }
    Detected::Nothing(nothing.unwrap_or_else(|| {
        Failure::new(
            "no camera found: neither eyelid-libcamera nor rpicam-vid is installed",
            "for a Raspberry Pi's camera: sudo apt install rpicam-apps-lite",
        )
    }))
}

/// What a kind comes to on this machine.
#[derive(Debug)]
pub(crate) enum Resolved {
    /// The pictures are taken here.
    Here {
        /// Neither [`Kind::Auto`] nor [`Kind::Libcamera`].
        kind: Kind,
        /// What viewers should know.
        notice: Option<String>,
    },
    /// The program at this path, `eyelid-libcamera`, takes the pictures.
    Libcamera(PathBuf),
}

/// Finds out what `kind` comes to on this machine.
///
/// # Errors
/// When `eyelid-libcamera` is asked for and isn't installed or can't be started.
pub(crate) fn resolve(kind: Kind) -> Result<Resolved, Failure> {
    match kind {
        Kind::Libcamera => eyelid_libcamera::find_startable().map(Resolved::Libcamera),
        Kind::Auto => Ok(match detect() {
            Detected::Cameras { kind: Kind::Libcamera, program, .. } => Resolved::Libcamera(program),
            Detected::Cameras { kind, .. } => Resolved::Here { kind, notice: None },
            Detected::Nothing(failure) => {
                let notice = format!("{failure}, so this is the test picture");
                Resolved::Here { kind: Kind::Pattern, notice: Some(notice) }
            }
        }),
        kind => Ok(Resolved::Here { kind, notice: None }),
    }
}
