//! The programs that take pictures, and the libcamera that they use.

use std::{fs, path::Path};

use super::{Check, Surroundings, ask};
use crate::capture::{eyelid_libcamera, protocol::Failure, rpicam};

/// Where Debian, and who builds it, put libraries.
const LIBRARIES: [&str; 6] = [
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib/arm-linux-gnueabihf",
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib",
    "/usr/local/lib/aarch64-linux-gnu",
    "/usr/local/lib",
];

#[derive(Debug, Default)]
pub(super) struct Facts {
    /// Of `rpicam-vid` or `libcamera-vid`: its name, and what it says with `--version`.
    rpicam: Option<(String, Option<String>)>,
    /// Whether `eyelid-libcamera` starts, where it is there.
    eyelid_libcamera: Option<Result<(), Failure>>,
    /// What the files of libcamera's library are called: `libcamera.so.0.5.1`.
    libraries: Vec<String>,
}

impl Facts {
    pub(super) fn look() -> Self {
        let rpicam = rpicam::find().map(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            (name, ask(&path.to_string_lossy(), &["--version"]))
        });
        let eyelid_libcamera = eyelid_libcamera::find().map(|_| eyelid_libcamera::find_startable().map(drop));
        Self {
            rpicam,
            eyelid_libcamera,
            libraries: LIBRARIES.iter().flat_map(|folder| libraries(folder.as_ref())).collect(),
        }
    }

    pub(super) fn judge(&self, around: &Surroundings) -> Vec<Check> {
        vec![self.libcamera(), self.rpicam(), self.eyelid_libcamera(), self.way(around)]
    }

    fn libcamera(&self) -> Check {
        let said = self.rpicam.as_ref().and_then(|(_, said)| said.as_deref()).unwrap_or_default();
        let said = said.lines().find_map(|line| line.trim().strip_prefix("libcamera build:"));
        let mut libraries = self.libraries.clone();
        libraries.sort_unstable();
        libraries.dedup();
        Check::good(
            "libcamera",
            match (said.map(str::trim), libraries.join(", ").as_str()) {
                (Some(version), "") => version.to_owned(),
                (Some(version), files) => format!("{version} ({files})"),
                (None, "") => "not installed".to_owned(),
                (None, files) => files.to_owned(),
            },
        )
    }

    fn rpicam(&self) -> Check {
        match &self.rpicam {
            None => Check::good("rpicam", "neither rpicam-vid nor libcamera-vid is installed"),
            Some((name, Some(said))) => {
                let first = said.lines().next().unwrap_or_default();
                Check::good("rpicam", format!("{name}, {first}"))
            }
            Some((name, None)) => Check::warning(
                "rpicam",
                format!("{name} is installed, and doesn't say its version"),
                format!("see what it says: {name} --version"),
            ),
        }
    }

    fn eyelid_libcamera(&self) -> Check {
        match &self.eyelid_libcamera {
            None => Check::good("eyelid-libcamera", "not installed"),
            Some(Ok(())) => Check::good("eyelid-libcamera", "installed, and starts"),
            Some(Err(Failure { reason, hint })) => Check::bad(
                "eyelid-libcamera",
                reason,
                hint.as_deref().unwrap_or("see what it says: eyelid-libcamera --version"),
            ),
        }
    }

    /// Whether there is a way to a camera on a ribbon cable.
    fn way(&self, around: &Surroundings) -> Check {
        let key = "libcamera-way";
        let install = "install one: sudo apt install rpicam-apps-lite";
        match (&self.eyelid_libcamera, &self.rpicam) {
            (Some(Ok(())), _) => {
                Check::good(key, "pictures of libcamera cameras are taken through eyelid-libcamera")
            }
            (_, Some((name, _))) => {
                Check::good(key, format!("pictures of libcamera cameras are taken through {name}"))
            }
            _ if around.needs_libcamera() => Check::bad(
                key,
                "a libcamera camera is configured, and no program is there to take its pictures",
                install,
            ),
            _ if around.pi && around.uses_camera() => Check::warning(
                key,
                "no program is there to take pictures of a camera on a ribbon cable",
                install,
            ),
            _ => {
                Check::good(key, "no program is there for libcamera cameras; none is needed for other kinds")
            }
        }
    }
}

fn libraries(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| name.starts_with("libcamera.so.")).collect()
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Verdict, surroundings::tests::around},
        *,
    };
    use crate::config::Kind;

    /// What a Pi 5 said in a public report (raspberrypi/rpicam-apps, issue 607), when the programs had their old name.
    const PI_5: &str =
        "libcamera-apps build: f8b05c47894c 23-10-2023 (09:45:08)\nlibcamera build: v0.1.0+99-4a23664b";

    fn verdict(facts: &Facts, around: &Surroundings, key: &str) -> (Verdict, String) {
        let checks = facts.judge(around);
        checks.into_iter().find(|check| check.key == key).map(|check| (check.verdict, check.what)).unwrap()
    }

    #[test]
    fn versions_are_read_from_what_the_programs_say() {
        let facts = Facts {
            rpicam: Some(("libcamera-vid".to_owned(), Some(PI_5.to_owned()))),
            libraries: vec!["libcamera.so.0.1".to_owned(), "libcamera.so.0.1".to_owned()],
            ..Facts::default()
        };
        let pi = around(true, false, &[Kind::Auto]);
        let good = |text: &str| (Verdict::Good, text.to_owned());
        assert_eq!(verdict(&facts, &pi, "libcamera"), good("v0.1.0+99-4a23664b (libcamera.so.0.1)"));
        assert_eq!(
            verdict(&facts, &pi, "rpicam"),
            good("libcamera-vid, libcamera-apps build: f8b05c47894c 23-10-2023 (09:45:08)")
        );
        assert_eq!(
            verdict(&facts, &pi, "libcamera-way"),
            good("pictures of libcamera cameras are taken through libcamera-vid")
        );
        assert_eq!(verdict(&facts, &pi, "eyelid-libcamera"), good("not installed"));
    }

    #[test]
    fn that_no_program_is_there_is_as_bad_as_it_is_needed() {
        let none = Facts::default();
        for (around, expected) in [
            (around(true, true, &[Kind::Libcamera]), Verdict::Bad),
            (around(false, false, &[Kind::Rpicam]), Verdict::Bad),
            (around(true, true, &[Kind::Auto]), Verdict::Warning),
            (around(false, false, &[Kind::Auto]), Verdict::Good),
            (around(true, true, &[Kind::Push]), Verdict::Good),
        ] {
            assert_eq!(verdict(&none, &around, "libcamera-way").0, expected, "{around:?}");
        }
    }

    #[test]
    fn an_eyelid_libcamera_that_does_not_start_is_bad_and_another_program_the_way() {
        let failure =
            Failure::new("eyelid-libcamera doesn't fit the libcamera of this system", "build it anew");
        let facts = Facts {
            eyelid_libcamera: Some(Err(failure)),
            rpicam: Some(("rpicam-vid".to_owned(), None)),
            libraries: vec!["libcamera.so.0.6".to_owned()],
        };
        let pi = around(true, true, &[Kind::Auto]);
        assert_eq!(verdict(&facts, &pi, "eyelid-libcamera").0, Verdict::Bad);
        assert_eq!(verdict(&facts, &pi, "rpicam").0, Verdict::Warning);
        assert!(verdict(&facts, &pi, "libcamera-way").1.ends_with("rpicam-vid"));
        assert_eq!(verdict(&facts, &pi, "libcamera").1, "libcamera.so.0.6");
    }
}
