//! Which machine it is, and which system runs on it.

use std::path::Path;

use super::{Check, Surroundings, read};

#[derive(Debug, Default)]
pub(super) struct Facts {
    /// `/proc/device-tree/model`, which a Raspberry Pi has.
    model: Option<String>,
    /// What a PC's firmware calls it.
    product: Option<String>,
    /// The text of `/etc/os-release`.
    os: Option<String>,
    /// `uname -r`
    kernel: String,
    /// `uname -m`
    machine: String,
    /// What this program was built for.
    built_for: &'static str,
    /// What kind of container this is in.
    container: Option<&'static str>,
}

impl Facts {
    pub(super) fn look() -> Self {
        let uname = rustix::system::uname();
        let marks = [("/run/.containerenv", "Podman"), ("/.dockerenv", "Docker")];
        let container = marks.into_iter().find(|(file, _)| Path::new(file).exists()).map(|(_, name)| name);
        Self {
            model: read("/proc/device-tree/model"),
            product: read("/sys/class/dmi/id/product_name"),
            os: read("/etc/os-release"),
            kernel: uname.release().to_string_lossy().into_owned(),
            machine: uname.machine().to_string_lossy().into_owned(),
            built_for: std::env::consts::ARCH,
            container,
        }
    }

    pub(super) fn judge(&self, around: &Surroundings) -> Vec<Check> {
        let model = match (&self.model, &self.product) {
            (Some(model), _) => model.clone(),
            (None, Some(product)) => format!("no Raspberry Pi: {product}"),
            (None, None) => "no Raspberry Pi".to_owned(),
        };
        let mut checks = vec![
            Check::good("model", model),
            self.os(),
            Check::good("kernel", &self.kernel),
            self.architecture(),
        ];
        if let Some(name) = self.container
            && around.uses_camera()
        {
            checks.push(Check::warning(
                "container",
                format!("this is a container of {name}, which has the devices only that it was given"),
                "start it with --device for each of /dev/video*, /dev/media* and /dev/dma_heap/*",
            ));
        }
        checks
    }

    fn os(&self) -> Check {
        let value = |name: &str| {
            let text = self.os.as_deref()?;
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='))?;
            Some(line.trim_matches(['"', '\'']).to_owned())
        };
        let Some(name) = value("PRETTY_NAME").or_else(|| value("NAME")) else {
            return Check::good("os", "it has no name: there is no /etc/os-release");
        };
        let debian = matches!(value("ID").as_deref(), Some("debian" | "raspbian"));
        let version: Option<u32> = value("VERSION_ID").and_then(|version| version.parse().ok());
        match version {
            Some(version) if debian && version < 12 => Check::warning(
                "os",
                format!("{name}: the service needs systemd 252, which came with Debian 12"),
                "install a newer Raspberry Pi OS; Debian 13 (trixie) is what Eyelid is tried with",
            ),
            _ => Check::good("os", name),
        }
    }

    fn architecture(&self) -> Check {
        let Self { machine, built_for, .. } = self;
        let what = format!("{machine}, eyelid built for {built_for}");
        match *built_for {
            "aarch64" | "x86_64" => Check::good("architecture", what),
            _ => Check::warning(
                "architecture",
                format!("{what}: Eyelid is tried with 64 bits only"),
                "use a 64-bit Raspberry Pi OS, on a Pi that can (Zero 2, 3 and later)",
            ),
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

    /// As Raspberry Pi OS (Debian 12) writes it.
    const BOOKWORM: &str = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\n\
        VERSION=\"12 (bookworm)\"\nVERSION_CODENAME=bookworm\nID=debian\n";

    fn told(facts: &Facts) -> Vec<(&'static str, Verdict, String)> {
        let checks = facts.judge(&around(false, false, &[Kind::Auto]));
        checks.into_iter().map(|check| (check.key, check.verdict, check.what)).collect()
    }

    /// Kernel and machine as in public reports about a Pi 5 (raspberrypi/rpicam-apps, issue 607).
    #[test]
    fn a_raspberry_pi_is_told_with_its_system() {
        let facts = Facts {
            model: Some("Raspberry Pi 5 Model B Rev 1.0".to_owned()),
            os: Some(BOOKWORM.to_owned()),
            kernel: "6.1.0-rpi6-rpi-2712".to_owned(),
            machine: "aarch64".to_owned(),
            built_for: "aarch64",
            ..Facts::default()
        };
        let good = |key, what: &str| (key, Verdict::Good, what.to_owned());
        assert_eq!(
            told(&facts),
            [
                good("model", "Raspberry Pi 5 Model B Rev 1.0"),
                good("os", "Debian GNU/Linux 12 (bookworm)"),
                good("kernel", "6.1.0-rpi6-rpi-2712"),
                good("architecture", "aarch64, eyelid built for aarch64"),
            ]
        );
    }

    #[test]
    fn what_is_too_old_or_has_32_bits_is_a_warning() {
        let facts = Facts {
            os: Some(
                "PRETTY_NAME=\"Raspbian GNU/Linux 11 (bullseye)\"\nID=raspbian\nVERSION_ID=\"11\"\n"
                    .to_owned(),
            ),
            machine: "armv7l".to_owned(),
            built_for: "arm",
            container: Some("Docker"),
            ..Facts::default()
        };
        let told = told(&facts);
        let verdict = |key| told.iter().find(|check| check.0 == key).map(|check| check.1);
        for key in ["os", "architecture", "container"] {
            assert_eq!(verdict(key), Some(Verdict::Warning), "{key}");
        }
        assert_eq!(verdict("model"), Some(Verdict::Good));
    }

    #[test]
    fn a_container_without_a_name_is_told_as_it_is() {
        let facts = Facts { built_for: "x86_64", ..Facts::default() };
        assert!(told(&facts).iter().all(|check| check.1 == Verdict::Good), "{:?}", told(&facts));
        assert!(told(&facts)[0].2.starts_with("no Raspberry Pi"));
    }
}
