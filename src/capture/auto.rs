//! `kind = "auto"`: the first real camera, or the test picture with the reason.

use std::path::{Path, PathBuf};

use super::{Found, eyelid_libcamera, protocol::Failure, rpicam, runner, v4l2};
use crate::config::Kind;

/// What this machine has, by the ways that there are to cameras. Where both have some, the first is preferred: what
/// libcamera drives, V4L2 only has the raw data of.
#[derive(Debug)]
pub struct Detected {
    /// Cameras on a ribbon cable, and USB cameras that libcamera takes care of.
    pub libcamera: Libcamera,
    /// Webcams and capture sticks, or why there is none to be used.
    pub v4l2: Result<Vec<v4l2::Listed>, Failure>,
}

/// What libcamera has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Libcamera {
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

impl Detected {
    /// Looks for cameras. What is wrong with a way to them is logged.
    pub fn look() -> Self {
        Self { libcamera: libcamera(), v4l2: v4l2::list() }
    }

    /// The same, without a word in the log.
    pub(crate) fn look_quietly() -> Self {
        Self { libcamera: libcamera_with(|_| ()), v4l2: v4l2::list() }
    }

    /// The reason why there is none, if there is none.
    pub fn nothing(&self) -> Option<&Failure> {
        match (&self.libcamera, &self.v4l2) {
            (Libcamera::Nothing(failure), Ok(none)) if none.is_empty() => Some(failure),
            // A camera that is there and may not be opened says more than one that is not there.
            (Libcamera::Nothing(_), Err(failure)) => Some(failure),
            _ => None,
        }
    }
}

/// Looks for libcamera cameras. At most two programs are asked, and each may take 3 seconds.
fn libcamera() -> Libcamera {
    libcamera_with(|failure| runner::log(failure))
}

fn libcamera_with(log: impl Fn(&Failure)) -> Libcamera {
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
            Ok(cameras) => return Libcamera::Cameras { kind, program, cameras },
            Err(failure) => {
                log(&failure);
                // That the other one looked and found none would say more.
                nothing.get_or_insert(failure);
            }
        }
    }
    Libcamera::Nothing(nothing.unwrap_or_else(|| {
        Failure::new(
            "no camera found: no webcam is plugged in, and neither eyelid-libcamera nor rpicam-vid is installed",
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

/// Finds out what `kind` comes to on this machine, for the camera that `device` names.
///
/// # Errors
/// When `eyelid-libcamera` is asked for and isn't installed or can't be started.
pub(crate) fn resolve(kind: Kind, device: &str) -> Result<Resolved, Failure> {
    let here = |kind| Resolved::Here { kind, notice: None };
    match kind {
        Kind::Libcamera => eyelid_libcamera::find_startable().map(Resolved::Libcamera),
        Kind::Auto if is_node(device) => Ok(here(Kind::V4l2)),
        // The webcams are not asked where libcamera has a camera: its first picture comes sooner.
        Kind::Auto => Ok(match libcamera() {
            Libcamera::Cameras { kind: Kind::Libcamera, program, .. } => Resolved::Libcamera(program),
            Libcamera::Cameras { kind, .. } => here(kind),
            libcamera => match (Detected { libcamera, v4l2: v4l2::list() }).nothing() {
                None => here(Kind::V4l2),
                Some(failure) => {
                    let notice = format!("{failure}, so this is the test picture");
                    Resolved::Here { kind: Kind::Pattern, notice: Some(notice) }
                }
            },
        }),
        kind => Ok(here(kind)),
    }
}

/// Whether it is a device file's name, and not an id of libcamera's, of which some begin with a slash too.
fn is_node(device: &str) -> bool {
    device.starts_with("/dev/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_file_is_a_v4l2_camera_without_a_look_at_others() {
        for device in ["/dev/video0", "/dev/v4l/by-id/usb-046d_C920-video-index0"] {
            let resolved = resolve(Kind::Auto, device).unwrap();
            assert!(matches!(resolved, Resolved::Here { kind: Kind::V4l2, notice: None }), "{resolved:?}");
        }
        assert!(!is_node("/base/soc/i2c0mux/i2c@1/imx708@1a") && !is_node("1") && !is_node(""));
    }

    #[test]
    fn the_reason_for_nothing_is_the_one_that_says_most() {
        let none = || Libcamera::Nothing(Failure::unexplained("no camera found"));
        let forbidden = Failure::unexplained("no permission");
        let webcam = v4l2::Listed {
            device: "/dev/video0".into(),
            path: "/dev/video0".into(),
            name: "C920".to_owned(),
            formats: Vec::new(),
        };
        let reason = |libcamera, v4l2| Detected { libcamera, v4l2 }.nothing().map(ToString::to_string);
        assert_eq!(reason(none(), Ok(Vec::new())).as_deref(), Some("no camera found"));
        assert_eq!(reason(none(), Err(forbidden.clone())).as_deref(), Some("no permission"));
        assert_eq!(reason(none(), Ok(vec![webcam])), None);
        let found = Found { index: 0, id: "a".to_owned(), model: "b".to_owned(), sizes: Vec::new() };
        let some = Libcamera::Cameras { kind: Kind::Rpicam, program: "p".into(), cameras: vec![found] };
        assert_eq!(reason(some, Err(forbidden)), None);
    }
}
