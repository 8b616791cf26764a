//! Who has the cameras.

use super::{Check, Surroundings};
use crate::capture::busy::{self, Holder};

#[derive(Debug)]
pub(super) struct Facts {
    holders: Vec<Holder>,
    /// Whether the open files of all users' processes can be seen.
    sees_all: bool,
}

impl Facts {
    pub(super) fn look() -> Self {
        Self { holders: busy::holders(), sees_all: rustix::process::geteuid().is_root() }
    }

    pub(super) fn judge(&self, around: &Surroundings) -> Vec<Check> {
        vec![self.users(around)]
    }

    fn users(&self, around: &Surroundings) -> Check {
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

    #[test]
    fn who_uses_a_camera_is_told_unless_it_is_us_or_only_looks() {
        let auto = around(true, false, &[Kind::Auto]);
        let holder = |pid, name: &str, uses| Holder { pid, name: Some(name.to_owned()), uses };
        let told = |holders| Facts { holders, sees_all: true }.judge(&auto).remove(0);
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
