//! Whether there is enough memory, and of the kind that cameras need.

use super::{Check, Surroundings, read, size};

#[derive(Debug, Default)]
pub(super) struct Facts {
    /// The text of `/proc/meminfo`.
    meminfo: String,
    /// The text of `/sys/fs/cgroup/cgroup.controllers`.
    controllers: Option<String>,
}

/// What the daemon and a capture of rpicam-vid come to on a Pi, roughly.
const NEEDED: u64 = 96 << 20;

/// A few raw pictures of a 12 MP sensor.
const NEEDED_CMA: u64 = 64 << 20;

impl Facts {
    pub(super) fn look() -> Self {
        let meminfo = read("/proc/meminfo").unwrap_or_default();
        Self { meminfo, controllers: read("/sys/fs/cgroup/cgroup.controllers") }
    }

    /// In bytes.
    fn value(&self, name: &str) -> Option<u64> {
        let line = self.meminfo.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        kib.checked_mul(1024)
    }

    pub(super) fn judge(&self, around: &Surroundings) -> Vec<Check> {
        let mut checks = vec![self.memory()];
        checks.extend(self.cma(around));
        checks.extend(self.limits(around));
        checks
    }

    fn memory(&self) -> Check {
        let (Some(total), Some(free)) = (self.value("MemTotal"), self.value("MemAvailable")) else {
            return Check::warning("memory", "how much there is can't be read", "is /proc/meminfo there?");
        };
        let what = format!("{} of {} available", size(free), size(total));
        if free < NEEDED {
            let advice = "end programs that are not needed; see which: ps aux --sort=-rss | head";
            return Check::warning("memory", what, advice);
        }
        Check::good("memory", what)
    }

    /// The memory without gaps that the cameras of a Pi are given their pictures in.
    fn cma(&self, around: &Surroundings) -> Option<Check> {
        let total = self.value("CmaTotal").unwrap_or(0);
        if !around.pi {
            return None;
        }
        let what = format!("{} of {} free", size(self.value("CmaFree").unwrap_or(0)), size(total));
        let more =
            "for more: dtoverlay=vc4-kms-v3d,cma-128 in /boot/firmware/config.txt, then restart the machine";
        Some(match total {
            0 if around.uses_camera() => {
                Check::bad("cma", "there is no CMA memory, which libcamera needs on a Pi", more)
            }
            total if total < NEEDED_CMA && around.uses_camera() => {
                Check::warning("cma", format!("{what}: large pictures may find no room"), more)
            }
            _ => Check::good("cma", what),
        })
    }

    /// Whether MemoryMax of the unit works. Raspberry Pi OS switches the controller off.
    fn limits(&self, around: &Surroundings) -> Option<Check> {
        let controllers = self.controllers.as_deref().filter(|_| around.service)?;
        let on = controllers.split_whitespace().any(|controller| controller == "memory");
        Some(match on {
            true => Check::good("memory-limits", "the limits in the unit work"),
            false => Check::warning(
                "memory-limits",
                "the limits in the unit (MemoryMax) don't work: the kernel's memory control group is off",
                "add cgroup_enable=memory to the line in /boot/firmware/cmdline.txt, then restart the machine",
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Verdict, surroundings::tests::around},
        *,
    };
    use crate::config::Kind;

    /// From a public report about a Pi Zero 2 W (raspberrypi/picamera2, issue 1358).
    const ZERO_2: &str = "MemTotal:         426068 kB\nMemFree:          135076 kB\nMemAvailable:     233696 kB\n\
        SwapTotal:       2097148 kB\nCmaTotal:         262144 kB\nCmaFree:           82800 kB";

    /// A PC without CMA.
    const PC: &str =
        "MemTotal:       16303428 kB\nMemFree:          411480 kB\nMemAvailable:   11222820 kB\n";

    fn told(meminfo: &str, pi: bool) -> Vec<(&'static str, Verdict, String)> {
        let facts = Facts { meminfo: meminfo.to_owned(), controllers: None };
        let checks = facts.judge(&around(pi, true, &[Kind::Auto]));
        checks.into_iter().map(|check| (check.key, check.verdict, check.what)).collect()
    }

    #[test]
    fn memory_and_cma_of_known_machines_are_good() {
        let good = |key, what: &str| (key, Verdict::Good, what.to_owned());
        assert_eq!(
            told(ZERO_2, true),
            [good("memory", "228 MiB of 416 MiB available"), good("cma", "80 MiB of 256 MiB free")]
        );
        assert_eq!(told(PC, false), [good("memory", "10.7 GiB of 15.5 GiB available")]);
    }

    #[test]
    fn too_little_is_told() {
        let little = "MemTotal: 426068 kB\nMemAvailable: 40000 kB\nCmaTotal: 16384 kB\nCmaFree: 9000 kB\n";
        let verdicts = |meminfo| told(meminfo, true).into_iter().map(|told| told.1).collect::<Vec<_>>();
        assert_eq!(verdicts(little), [Verdict::Warning, Verdict::Warning]);
        assert_eq!(verdicts("MemTotal: 426068 kB\nMemAvailable: 240000 kB\n"), [Verdict::Good, Verdict::Bad]);
        assert_eq!(verdicts("rubbish"), [Verdict::Warning, Verdict::Bad]);
    }

    #[test]
    fn limits_that_the_kernel_does_not_keep_are_told_where_there_is_a_unit() {
        let told = |controllers: &str, service| {
            let facts = Facts { meminfo: PC.to_owned(), controllers: Some(controllers.to_owned()) };
            let checks = facts.judge(&around(false, service, &[Kind::Auto]));
            checks.into_iter().find(|check| check.key == "memory-limits").map(|check| check.verdict)
        };
        assert_eq!(told("cpuset cpu io memory pids", true), Some(Verdict::Good));
        assert_eq!(told("cpuset cpu io pids", true), Some(Verdict::Warning));
        assert_eq!(told("cpuset cpu io pids", false), None);
    }
}
