//! Which cameras there are.

use super::{Check, Surroundings};
use crate::capture::{
    auto::{Detected, Libcamera},
    protocol::Failure,
};

#[derive(Debug)]
pub(super) struct Facts {
    /// What they are called and how they are used.
    cameras: Vec<String>,
    /// Why there is none, or none of a kind.
    failure: Option<Failure>,
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
        Self { cameras, failure }
    }

    pub(super) fn judge(&self, around: &Surroundings) -> Vec<Check> {
        vec![self.cameras(around)]
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
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Verdict, surroundings::tests::around},
        *,
    };
    use crate::config::Kind;

    fn facts(cameras: &[&str], failure: Option<&str>) -> Facts {
        Facts {
            cameras: cameras.iter().map(|&name| name.to_owned()).collect(),
            failure: failure.map(Failure::unexplained),
        }
    }

    #[test]
    fn no_camera_is_as_bad_as_it_is_needed() {
        let none = facts(&[], Some("no camera found"));
        for (kinds, expected) in [
            (&[Kind::Libcamera][..], Verdict::Bad),
            (&[Kind::V4l2], Verdict::Bad),
            (&[Kind::Auto], Verdict::Warning),
            (&[Kind::Push, Kind::Pattern], Verdict::Good),
        ] {
            assert_eq!(none.judge(&around(true, false, kinds))[0].verdict, expected, "{kinds:?}");
        }
        let one = facts(&["imx708_wide (kind libcamera)"], None);
        let check = &one.judge(&around(true, false, &[Kind::Auto]))[0];
        assert_eq!((check.verdict, check.what.as_str()), (Verdict::Good, "imx708_wide (kind libcamera)"));
        let half = facts(&["imx708"], Some("no permission"));
        assert_eq!(half.judge(&around(true, false, &[Kind::Auto]))[0].verdict, Verdict::Warning);
    }
}
