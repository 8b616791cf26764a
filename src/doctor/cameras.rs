//! Which cameras there are, and who has them.

use super::{Check, Surroundings};
use crate::capture::{
    auto::{Detected, Libcamera},
    busy::{self, Holder},
    protocol::Failure,
};

#[derive(Debug)]
pub(super) struct Facts {
    /// What they are called and how they are used.
    cameras: Vec<String>,
    /// Why there is none, or none of a kind.
    failure: Option<Failure>,
    holders: Vec<Holder>,
    /// Whether the open files of all users' processes can be seen.
    sees_all: bool,
}

impl Facts {
    /// Asks the same finder as `eyelid cameras`. No camera is started by it.
    pub(super) fn look() -> Self {
        let detected = Detected::look_quietly();
        let mut cameras = Vec::new();
        if let Libcamera::Cameras { kind, cameras: found, .. } = &detected.libcamera {
            cameras.extend(found.iter().map(|camera| format!("{} (kind {kind})", camera.model)));
        }
        // Not by its lasting path, which has the camera's serial number in it.
        cameras.extend(
            detected
                .v4l2
                .iter()
                .flatten()
                .map(|camera| format!("{} ({}, kind v4l2)", camera.name, camera.path.display())),
        );
        let failure = detected.nothing().cloned().or_else(|| detected.v4l2.as_ref().err().cloned());
        let sees_all = rustix::process::geteuid().is_root();
        Self { cameras, failure, holders: busy::holders(), sees_all }
    }

    pub(super) fn judge(&self, around: &Surroundings) -> Vec<Check> {
        vec![self.cameras(around), self.holders(around)]
    }

    fn cameras(&self, around: &Surroundings) -> Check {
        let key = "cameras";
        let found = self.cameras.join(", ");
        match &self.failure {
            None if self.cameras.is_empty() => Check::good(key, "none was found"),
            None => Check::good(key, found),
            Some(Failure { reason, hint }) => {
                let hint = hint.as_deref().unwrap_or("what was found: eyelid cameras");
                match self.cameras.is_empty() {
                    false => Check::warning(key, format!("{found}; {reason}"), hint),
                    true if around.needs_camera() => Check::bad(key, reason, hint),
                    true if around.uses_camera() => {
                        Check::warning(key, format!("{reason}, so the test picture is shown"), hint)
                    }
                    true => Check::good(key, format!("{reason}; none is configured either")),
                }
            }
        }
    }

    fn holders(&self, around: &Surroundings) -> Check {
        let key = "camera-users";
        let (ours, others): (Vec<_>, Vec<_>) = self.holders.iter().partition(|holder| holder.is_eyelid());
        // To have the media device open is not to use the camera: PipeWire does so to list cameras.
        let using: Vec<_> = others.into_iter().filter(|holder| holder.uses).collect();
        let names = |holders: &[&Holder]| {
            holders.iter().map(|holder| holder.in_words()).collect::<Vec<_>>().join(", ")
        };
        match using.first() {
            Some(first) if around.uses_camera() => Check::warning(
                key,
                format!("a camera is used by another program: {}", names(&using)),
                format!("end that program, for instance with: sudo kill {}", first.pid),
            ),
            Some(_) => Check::good(key, format!("used by {}; Eyelid needs none", names(&using))),
            None if ours.iter().any(|holder| holder.uses) => {
                Check::good(key, "used by eyelid, so somebody watches")
            }
            None if self.sees_all => Check::good(key, "no program uses a camera"),
            None => Check::good(key, "no program that this user may see uses a camera; as root all are seen"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Verdict, surroundings::tests::around},
        *,
    };
    use crate::config::Kind;

    fn facts(cameras: &[&str], failure: Option<&str>, holders: Vec<Holder>) -> Facts {
        Facts {
            cameras: cameras.iter().map(|&name| name.to_owned()).collect(),
            failure: failure.map(Failure::unexplained),
            holders,
            sees_all: true,
        }
    }

    fn holder(pid: i32, name: &str, uses: bool) -> Holder {
        Holder { pid, name: Some(name.to_owned()), uses }
    }

    #[test]
    fn no_camera_is_as_bad_as_it_is_needed() {
        let none = facts(&[], Some("no camera found"), Vec::new());
        for (kinds, expected) in [
            (&[Kind::Libcamera][..], Verdict::Bad),
            (&[Kind::V4l2], Verdict::Bad),
            (&[Kind::Auto], Verdict::Warning),
            (&[Kind::Push, Kind::Pattern], Verdict::Good),
        ] {
            assert_eq!(none.judge(&around(true, false, kinds))[0].verdict, expected, "{kinds:?}");
        }
        let one = facts(&["imx708_wide (kind libcamera)"], None, Vec::new());
        let check = &one.judge(&around(true, false, &[Kind::Auto]))[0];
        assert_eq!((check.verdict, check.what.as_str()), (Verdict::Good, "imx708_wide (kind libcamera)"));
        let half = facts(&["imx708"], Some("no permission"), Vec::new());
        assert_eq!(half.judge(&around(true, false, &[Kind::Auto]))[0].verdict, Verdict::Warning);
    }

    #[test]
    fn who_uses_a_camera_is_told_unless_it_is_us_or_only_looks() {
        let auto = around(true, false, &[Kind::Auto]);
        let told = |holders| facts(&["imx708"], None, holders).judge(&auto).remove(1);
        assert_eq!(told(Vec::new()).verdict, Verdict::Good);
        assert_eq!(told(vec![holder(500, "wireplumber", false)]).what, "no program uses a camera");
        let ours = told(vec![holder(700, "eyelid-libcamer", true), holder(500, "wireplumber", false)]);
        assert_eq!(
            (ours.verdict, ours.what.as_str()),
            (Verdict::Good, "used by eyelid, so somebody watches")
        );
        let other = told(vec![holder(700, "eyelid", true), holder(812, "motion", true)]);
        assert_eq!(other.verdict, Verdict::Warning);
        assert!(other.what.ends_with("motion (pid 812)"), "{}", other.what);
        assert!(other.advice.unwrap().ends_with("kill 812"));
    }
}
