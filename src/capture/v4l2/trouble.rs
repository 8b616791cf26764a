//! What went wrong with a V4L2 camera, in words for people.

use std::{io, path::Path};

use rustix::io::Errno;

use crate::capture::{busy, protocol::Failure};

/// `action` on the camera that `name` describes failed.
pub(super) fn explain(action: &str, error: &io::Error, path: &Path, name: &str) -> Failure {
    match Errno::from_io_error(error) {
        Some(Errno::BUSY) => busy::failure_of(path),
        Some(Errno::NODEV | Errno::NXIO | Errno::NOENT) => unplugged(name),
        // uvcvideo's word for a camera that was pulled out while it gave pictures.
        Some(Errno::IO | Errno::PIPE | Errno::PROTO) => Failure::new(
            format!("can't {action} {name}: it does not answer any more ({error})"),
            "was it unplugged? Else try another cable or port; a hub without its own power may be too weak",
        ),
        Some(Errno::ACCESS | Errno::PERM) => Failure::new(
            format!("no permission to use the camera: can't {action} {name}"),
            "add the user that runs this program to the group video (sudo usermod -aG video NAME), then log in again",
        ),
        Some(Errno::NOTTY | Errno::ISDIR) => Failure::new(
            format!("{name} is no V4L2 device"),
            "eyelid cameras lists the cameras that there are",
        ),
        Some(Errno::NOSPC) => Failure::new(
            format!("the USB bus has no room left for the pictures of {name}"),
            "use a smaller size or a longer interval, or plug the camera in elsewhere",
        ),
        Some(Errno::NOMEM) => Failure::new(
            format!("no memory for the pictures of {name}"),
            "choose a smaller size, or give the kernel more contiguous memory (cma=256M in /boot/firmware/cmdline.txt)",
        ),
        _ => Failure::unexplained(format!("can't {action} {name}: {error}")),
    }
}

pub(super) fn unplugged(name: &str) -> Failure {
    Failure::new(
        format!("{name} was unplugged"),
        "plug it in again, or check its cable; it is looked for again and again while somebody watches",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_kernel_become_advice() {
        let told = |errno: Errno| {
            let error = io::Error::from(errno);
            explain("start", &error, Path::new("/dev/no-such-video"), "C920 (/dev/video0)")
        };
        assert_eq!(told(Errno::NODEV).reason, "C920 (/dev/video0) was unplugged");
        assert!(told(Errno::BUSY).reason.starts_with("camera is used by another program"));
        assert!(told(Errno::IO).reason.starts_with("can't start C920 (/dev/video0): it does not answer"));
        assert!(told(Errno::ACCESS).hint.unwrap().contains("group video"));
        assert!(told(Errno::NOSPC).reason.starts_with("the USB bus has no room left"));
        assert!(told(Errno::NOTTY).reason.ends_with("is no V4L2 device"));
        let other = told(Errno::INVAL);
        assert!(other.reason.starts_with("can't start C920 (/dev/video0): "), "{other}");
        assert_eq!(other.hint, None);
    }
}
