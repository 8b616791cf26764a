//! What went wrong with a camera, in words for people.

use std::{
    fmt::Display,
    fs, io,
    path::{Path, PathBuf},
};

use rustix::{
    fs::{Access, access},
    io::Errno,
};

use crate::capture::{busy, protocol::Failure, rpicam};

const VIDEO_GROUP: &str = "add the user that runs this program to the group video (sudo usermod -aG video NAME), \
                           then log in again";

pub(super) fn no_camera() -> Failure {
    no_permission().unwrap_or_else(rpicam::no_camera)
}

/// That we may not open the devices behind which cameras are, which libcamera says in its log only.
pub(super) fn no_permission() -> Option<Failure> {
    forbidden(&devices("/dev", &["media", "video"]))
}

pub(super) fn unknown_camera(wanted: &str, ids: &[String]) -> Failure {
    let ids: Vec<_> = ids.iter().enumerate().map(|(index, id)| format!("{index}: {id}")).collect();
    Failure::new(format!("there is no camera {wanted:?}"), format!("choose one of {}", ids.join(", ")))
}

pub(super) fn manager(error: &io::Error) -> Failure {
    no_permission().unwrap_or_else(|| Failure::unexplained(format!("libcamera can't start: {error}")))
}

/// `action` on the camera failed.
pub(super) fn camera(action: &str, error: &io::Error) -> Failure {
    match error.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::BUSY) => busy::failure(),
        Some(Errno::NODEV | Errno::NXIO) => disconnected(),
        Some(Errno::ACCESS | Errno::PERM) => no_permission()
            .unwrap_or_else(|| Failure::new(format!("no permission to {action} the camera"), VIDEO_GROUP)),
        _ => Failure::unexplained(format!("can't {action} the camera: {error}")),
    }
}

pub(super) fn disconnected() -> Failure {
    Failure::new("the camera was disconnected", "check its cable")
}

/// libcamera gave no memory for pictures.
pub(super) fn memory(error: &io::Error) -> Failure {
    if error.raw_os_error() == Some(Errno::BUSY.raw_os_error()) {
        return camera("get memory from", error);
    }
    // Cameras behind the kernel's own drivers bring their memory; the others take it from one of these.
    let mut sources = devices("/dev/dma_heap", &[""]);
    sources.extend(devices("/dev", &["udmabuf"]));
    forbidden(&sources).unwrap_or_else(|| {
        let hint = if sources.is_empty() {
            "this kernel has neither /dev/dma_heap nor /dev/udmabuf: load the module udmabuf (sudo modprobe udmabuf)"
        } else {
            "choose a smaller size, or give the kernel more contiguous memory (cma=256M in /boot/firmware/cmdline.txt)"
        };
        Failure::new(format!("no memory for the camera's pictures: {error}"), hint)
    })
}

pub(super) fn unexpected(action: &str, error: &impl Display) -> Failure {
    Failure::unexplained(format!("can't {action}: {error}"))
}

fn forbidden(devices: &[PathBuf]) -> Option<Failure> {
    let closed = devices.iter().find(|path| {
        access(*path, Access::READ_OK | Access::WRITE_OK).is_err_and(|errno| errno == Errno::ACCESS)
    })?;
    Some(Failure::new(
        format!("no permission to use the camera: can't open {}", closed.display()),
        VIDEO_GROUP,
    ))
}

/// The entries of `folder` whose names begin with one of `prefixes`, in order.
fn devices(folder: impl AsRef<Path>, prefixes: &[&str]) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<_> = entries
        .filter(|entry| {
            prefixes.iter().any(|prefix| entry.file_name().as_encoded_bytes().starts_with(prefix.as_bytes()))
        })
        .map(|entry| entry.path())
        .collect();
    found.sort_unstable();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_kernel_become_advice() {
        let reason = |errno: Errno| camera("open", &io::Error::from(errno)).reason;
        assert!(reason(Errno::BUSY).starts_with("camera is used by another program"));
        assert_eq!(reason(Errno::NODEV), "the camera was disconnected");
        assert!(reason(Errno::ACCESS).starts_with("no permission to"));
        assert!(reason(Errno::INVAL).starts_with("can't open the camera: "));
        let hint = memory(&io::Error::from(Errno::NOBUFS)).hint.unwrap();
        assert!(["udmabuf", "cma", "group video"].iter().any(|advice| hint.contains(advice)), "{hint}");
    }

    #[test]
    fn an_unknown_camera_comes_with_those_that_there_are() {
        let failure = unknown_camera("imx219", &["a".to_owned(), "b".to_owned()]);
        assert_eq!(failure.reason, "there is no camera \"imx219\"");
        assert_eq!(failure.hint.as_deref(), Some("choose one of 0: a, 1: b"));
    }
}
