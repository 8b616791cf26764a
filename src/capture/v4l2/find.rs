//! Which V4L2 cameras there are, and which one is meant.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use rustix::io::Errno;

use super::{
    device::{Device, Identity},
    formats::{self, FourCc},
    trouble,
};
use crate::capture::protocol::Failure;

/// A camera that can be opened.
#[derive(Debug)]
pub(super) struct Camera {
    pub(super) device: Device,
    pub(super) node: Node,
    /// What it offers, ours and others.
    pub(super) formats: Vec<FourCc>,
}

/// Where a camera is, and what it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    /// "/dev/video0"; changes when cameras are plugged in.
    pub(super) path: PathBuf,
    /// "HD Pro Webcam C920"
    pub(super) card: String,
    /// A path that stays the same, through a link that udev makes.
    pub(super) stable: Option<PathBuf>,
}

impl Node {
    /// Its name for people.
    pub(super) fn describe(&self) -> String {
        if self.card.is_empty() {
            self.path.display().to_string()
        } else {
            format!("{} ({})", self.card, self.path.display())
        }
    }
}

/// Drivers whose devices are no cameras by themselves: decoders and image processors of the Raspberry Pi, and the
/// receivers of its ribbon cable, which give what the sensor gives and are libcamera's.
const NO_CAMERAS: &[&str] =
    &["bcm2835-codec", "bcm2835-isp", "rpi-hevc-dec", "rpivid", "pispbe", "rp1-cfe", "unicam"];

const CAN_CAPTURE: u32 = 0x1;
const CAN_MEMORY_TO_MEMORY: u32 = 0x8000 | 0x4000;
const CAN_STREAM: u32 = 0x0400_0000;
/// Has to be linked with other devices before it gives anything, and lists formats all the same.
const IS_A_PART: u32 = 0x2000_0000;

/// Why a device is no camera for us, in words that follow "it"; none for one that is.
fn unfit(identity: &Identity) -> Option<&'static str> {
    if identity.can & CAN_MEMORY_TO_MEMORY != 0 {
        Some("is an encoder, decoder or converter")
    } else if identity.can & CAN_CAPTURE == 0 {
        Some("takes no pictures")
    } else if identity.can & CAN_STREAM == 0 {
        Some("has no memory to share pictures in")
    } else {
        None
    }
}

/// Whether to take it for a camera when nobody has named it.
fn is_camera(identity: &Identity, formats: &[FourCc]) -> bool {
    unfit(identity).is_none()
        && identity.can & IS_A_PART == 0
        && !NO_CAMERAS.contains(&identity.driver.as_str())
        && !formats::choose(formats, "").is_empty()
}

/// The cameras that there are, in the order of their numbers.
///
/// # Errors
/// When there is none and there are devices that we may not open.
pub(super) fn cameras() -> Result<Vec<Camera>, Failure> {
    let mut forbidden = None;
    let mut cameras = Vec::new();
    for path in nodes(Path::new("/dev")) {
        match open(&path) {
            Ok((camera, identity)) if is_camera(&identity, &camera.formats) => cameras.push(camera),
            Ok(_) => {}
            Err(error) if is(&error, Errno::ACCESS) => forbidden = forbidden.or(Some((path, error))),
            // Another kind of device, or one that has just gone.
            Err(_) => {}
        }
    }
    match forbidden {
        Some((path, error)) if cameras.is_empty() => {
            Err(trouble::explain("open", &error, &path, &path.display().to_string()))
        }
        _ => Ok(cameras),
    }
}

/// The camera that is meant: by a path, or by its name; the first for nothing.
///
/// # Errors
/// When there is none, it is no camera, or can't be opened.
pub(super) fn choose(wanted: &str) -> Result<Camera, Failure> {
    if wanted.starts_with('/') {
        return at(Path::new(wanted));
    }
    let mut cameras = cameras()?;
    let nodes: Vec<_> = cameras.iter().map(|camera| camera.node.clone()).collect();
    match find(wanted, &nodes) {
        Some(index) => Ok(cameras.swap_remove(index)),
        None if wanted.is_empty() => Err(no_camera()),
        None => Err(unknown(wanted, &nodes)),
    }
}

fn at(path: &Path) -> Result<Camera, Failure> {
    let (camera, identity) = open(path).map_err(|error| match Errno::from_io_error(&error) {
        Some(Errno::NOENT | Errno::NODEV | Errno::NXIO) => {
            let others = cameras().unwrap_or_default();
            let others: Vec<_> = others.into_iter().map(|camera| camera.node).collect();
            unknown(&path.display().to_string(), &others)
        }
        _ => trouble::explain("open", &error, path, &path.display().to_string()),
    })?;
    match unfit(&identity) {
        None => Ok(camera),
        Some(why) => Err(Failure::new(
            format!("{} is no camera: it {why}", camera.node.describe()),
            "eyelid cameras lists those that there are",
        )),
    }
}

fn find(wanted: &str, nodes: &[Node]) -> Option<usize> {
    if wanted.is_empty() {
        return (!nodes.is_empty()).then_some(0);
    }
    let file_name = |path: &Path| path.file_name().is_some_and(|name| name == wanted);
    let alike = |node: &Node| node.card.to_lowercase().contains(&wanted.to_lowercase());
    nodes
        .iter()
        .position(|node| node.card == wanted)
        .or_else(|| {
            nodes
                .iter()
                .position(|node| file_name(&node.path) || node.stable.as_deref().is_some_and(file_name))
        })
        .or_else(|| {
            // A part of a name, if only one camera has it.
            let first = nodes.iter().position(alike)?;
            (!nodes[first + 1..].iter().any(alike)).then_some(first)
        })
}

fn unknown(wanted: &str, nodes: &[Node]) -> Failure {
    let all: Vec<_> = nodes.iter().map(Node::describe).collect();
    let hint = if all.is_empty() {
        "there is no other one either: is it plugged in?".to_owned()
    } else {
        format!("choose one of {}", all.join(", "))
    };
    Failure::new(format!("there is no camera {wanted:?}"), hint)
}

pub(super) fn no_camera() -> Failure {
    Failure::new(
        "no V4L2 camera found",
        "is it plugged in? v4l2-ctl --list-devices shows what the kernel sees",
    )
}

fn is(error: &io::Error, errno: Errno) -> bool {
    Errno::from_io_error(error) == Some(errno)
}

fn open(path: &Path) -> io::Result<(Camera, Identity)> {
    let device = Device::open(path)?;
    let identity = device.identity()?;
    let formats = if unfit(&identity).is_none() { device.formats() } else { Vec::new() };
    let stable = stable(path, Path::new("/dev/v4l"));
    let node = Node { path: path.to_owned(), card: identity.card.clone(), stable };
    Ok((Camera { device, node, formats }, identity))
}

/// The device files of cameras, in the order of their numbers.
fn nodes(dev: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dev).into_iter().flatten().flatten();
    let mut nodes: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| {
            let number = entry.file_name().to_str()?.strip_prefix("video")?.parse().ok()?;
            Some((number, entry.path()))
        })
        .collect();
    nodes.sort_unstable();
    nodes.into_iter().map(|(_, path)| path).collect()
}

/// The link that names this device whatever its number is: by its maker and serial number, else by its plug.
fn stable(path: &Path, links: &Path) -> Option<PathBuf> {
    let device = fs::canonicalize(path).ok()?;
    ["by-id", "by-path"].into_iter().find_map(|kind| {
        let entries = fs::read_dir(links.join(kind)).into_iter().flatten().flatten();
        let mut names: Vec<_> = entries
            .map(|entry| entry.path())
            .filter(|link| fs::canonicalize(link).is_ok_and(|target| target == device))
            .collect();
        // Of a plug there are names for old and new versions of udev.
        names.sort_unstable();
        names.into_iter().next()
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn identity(driver: &str, can: u32) -> Identity {
        Identity { driver: driver.to_owned(), card: String::new(), can }
    }

    fn fourcc(name: &[u8; 4]) -> FourCc {
        FourCc::new(name)
    }

    #[test]
    fn only_what_gives_pictures_is_taken_for_a_camera() {
        let webcam = CAN_CAPTURE | CAN_STREAM;
        let yuyv = [fourcc(b"YUYV")];
        assert!(is_camera(&identity("uvcvideo", webcam), &yuyv));
        assert!(!is_camera(&identity("uvcvideo", webcam), &[fourcc(b"H264")]), "no format of ours");
        assert!(!is_camera(&identity("uvcvideo", 0x00A0_0000 | CAN_STREAM), &[]), "its metadata node");
        assert!(!is_camera(&identity("unicam", webcam), &yuyv), "the sensor of a ribbon cable");
        assert!(!is_camera(&identity("rp1-cfe", webcam | IS_A_PART), &yuyv));
        assert!(!is_camera(&identity("bcm2835-isp", webcam), &yuyv));
        assert!(!is_camera(&identity("bcm2835-codec", 0x4000 | CAN_STREAM), &yuyv));
        assert!(!is_camera(&identity("future", webcam | 0x8000), &yuyv), "memory to memory");
        assert!(!is_camera(&identity("future", CAN_CAPTURE), &yuyv), "read() only");
    }

    fn node(path: &str, card: &str, stable: Option<&str>) -> Node {
        Node { path: path.into(), card: card.to_owned(), stable: stable.map(PathBuf::from) }
    }

    #[test]
    fn a_camera_is_found_by_each_of_its_names() {
        let nodes = [
            node("/dev/video0", "HD Pro Webcam C920", Some("/dev/v4l/by-id/usb-046d_C920-video-index0")),
            node("/dev/video2", "HD Pro Webcam C920 (2)", None),
            node("/dev/video4", "USB Capture", None),
        ];
        assert_eq!(find("", &nodes), Some(0));
        assert_eq!(find("HD Pro Webcam C920", &nodes), Some(0), "the whole name, though another begins so");
        assert_eq!(find("video2", &nodes), Some(1));
        assert_eq!(find("usb-046d_C920-video-index0", &nodes), Some(0));
        assert_eq!(find("usb capture", &nodes), Some(2));
        assert_eq!(find("capture", &nodes), Some(2));
        assert_eq!(find("webcam", &nodes), None, "two have this part");
        assert_eq!(find("Brio", &nodes), None);
        assert_eq!(find("", &[]), None);
    }

    #[test]
    fn an_unknown_name_comes_with_those_that_there_are() {
        let failure = unknown("Brio", &[node("/dev/video0", "C920", None), node("/dev/video2", "", None)]);
        assert_eq!(failure.reason, "there is no camera \"Brio\"");
        assert_eq!(failure.hint.as_deref(), Some("choose one of C920 (/dev/video0), /dev/video2"));
        assert!(unknown("Brio", &[]).hint.unwrap().contains("plugged in"));
    }

    #[test]
    fn a_path_that_is_no_camera_is_told_in_words() {
        let reason = |path: &str| choose(path).map(|_| ()).unwrap_err().reason;
        assert_eq!(reason("/no/such/device"), "there is no camera \"/no/such/device\"");
        assert_eq!(reason("/dev/null"), "/dev/null is no V4L2 device");
        assert_eq!(reason("/"), "/ is no V4L2 device");
    }

    #[test]
    fn devices_come_in_the_order_of_their_numbers() {
        let dev = tempfile::tempdir().unwrap();
        for name in ["video10", "video2", "video0", "video", "videoX", "media0"] {
            fs::write(dev.path().join(name), "").unwrap();
        }
        let names: Vec<_> =
            nodes(dev.path()).iter().map(|path| path.file_name().unwrap().to_owned()).collect();
        assert_eq!(names, ["video0", "video2", "video10"]);
    }

    #[test]
    fn the_name_of_the_maker_comes_before_that_of_the_plug() {
        let dev = tempfile::tempdir().unwrap();
        let (node, links) = (dev.path().join("video0"), dev.path().join("v4l"));
        fs::write(&node, "").unwrap();
        assert_eq!(stable(&node, &links), None);
        let link = |kind: &str, name: &str| {
            fs::create_dir_all(links.join(kind)).unwrap();
            symlink("../../video0", links.join(kind).join(name)).unwrap();
            links.join(kind).join(name)
        };
        let by_path = link("by-path", "platform-usb-0:1:1.0-video-index0");
        link("by-path", "platform-usbv2-0:1:1.0-video-index0");
        assert_eq!(stable(&node, &links), Some(by_path));
        let by_id = link("by-id", "usb-046d_C920-video-index0");
        assert_eq!(stable(&node, &links), Some(by_id));
        assert_eq!(stable(&dev.path().join("video1"), &links), None);
    }
}
