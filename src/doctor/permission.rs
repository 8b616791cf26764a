//! Whether the devices of cameras may be used.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use rustix::{
    fs::{Access, AtFlags, CWD, accessat},
    process::{getegid, geteuid, getgroups},
};

use super::{Check, Surroundings};

/// The group that the unit gives the service.
const VIDEO: &str = "video";

#[derive(Debug)]
pub(super) struct Facts {
    root: bool,
    /// The groups of whoever asks.
    groups: Vec<String>,
    devices: Vec<Device>,
}

#[derive(Debug, Clone)]
struct Device {
    path: PathBuf,
    group: String,
    mode: u32,
    /// Whether whoever asks may read and write it.
    may: bool,
}

impl Device {
    /// Whether a process of this group may read and write it.
    fn admits(&self, group: &str) -> bool {
        self.mode & 0o006 == 0o006 || (self.mode & 0o060 == 0o060 && self.group == group)
    }

    fn starts(&self, prefix: &str) -> bool {
        self.path.to_string_lossy().starts_with(prefix)
    }
}

impl Facts {
    pub(super) fn look() -> Self {
        let names = fs::read_to_string("/etc/group").unwrap_or_default();
        let mut ids = getgroups().unwrap_or_default();
        ids.push(getegid());
        let groups = ids.iter().map(|id| group(&names, id.as_raw())).collect();
        let device = |path: PathBuf| {
            let file = fs::metadata(&path).ok()?;
            let may = accessat(CWD, &path, Access::READ_OK | Access::WRITE_OK, AtFlags::EACCESS).is_ok();
            Some(Device { group: group(&names, file.gid()), mode: file.mode() & 0o777, may, path })
        };
        let mut devices: Vec<_> = paths().into_iter().filter_map(device).collect();
        devices.sort_by(|a, b| a.path.cmp(&b.path));
        Self { root: geteuid().is_root(), groups, devices }
    }

    pub(super) fn judge(&self, around: &Surroundings) -> Vec<Check> {
        let mut checks = vec![self.groups(around), self.cameras(around)];
        checks.extend(self.buffers(around));
        if around.uses_gpio() {
            checks.push(self.gpio(around));
        }
        checks
    }

    fn is_in(&self, group: &str) -> bool {
        self.groups.iter().any(|one| one == group)
    }

    fn groups(&self, around: &Surroundings) -> Check {
        let known: Vec<_> =
            [VIDEO, "gpio", "render", "kvm"].into_iter().filter(|group| self.is_in(group)).collect();
        let ours = match (self.root, known.join(", ").as_str()) {
            (true, _) => "this user is root".to_owned(),
            (false, "") => "this user is in none of video, gpio, render, kvm".to_owned(),
            (false, known) => format!("this user is in {known}"),
        };
        if around.service {
            return Check::good("groups", format!("{ours}; the service is in video, by its unit"));
        }
        if self.root || self.is_in(VIDEO) || !around.uses_camera() {
            return Check::good("groups", ours);
        }
        Check::warning(
            "groups",
            format!("{ours}, and cameras belong to group video as a rule"),
            "sudo usermod -aG video $USER, then log in again",
        )
    }

    /// Whether the one who is to use it may: the service, or whoever asks.
    fn may(&self, device: &Device, around: &Surroundings) -> bool {
        if around.service { device.admits(VIDEO) } else { device.may }
    }

    fn cameras(&self, around: &Surroundings) -> Check {
        let key = "devices";
        let all: Vec<_> = self
            .devices
            .iter()
            .filter(|device| device.starts("/dev/video") || device.starts("/dev/media"))
            .collect();
        let shut: Vec<_> = all.iter().filter(|device| !self.may(device, around)).collect();
        let who = if around.service { "the service" } else { "this user" };
        match shut.first() {
            None if all.is_empty() && around.uses_camera() && around.pi => Check::warning(
                key,
                "there is no /dev/video* and no /dev/media*",
                "camera_auto_detect=1 has to be in /boot/firmware/config.txt; then restart the machine",
            ),
            None if all.is_empty() => Check::good(key, "there is no /dev/video* and no /dev/media*"),
            None => Check::good(key, format!("{who} may use {} of /dev/video* and /dev/media*", all.len())),
            Some(_) if !around.uses_camera() => Check::good(
                key,
                format!("{who} may not use all of /dev/video* and /dev/media*; none is configured"),
            ),
            Some(first) => Check::bad(
                key,
                format!(
                    "{who} may not use {} of {} of /dev/video* and /dev/media*, such as {} (group {}, mode {:03o})",
                    shut.len(),
                    all.len(),
                    first.path.display(),
                    first.group,
                    first.mode
                ),
                remedy(first, around),
            ),
        }
    }

    /// Where libcamera gets the memory for pictures from: one that may be used is enough.
    fn buffers(&self, around: &Surroundings) -> Option<Check> {
        let key = "buffers";
        let all: Vec<_> = self
            .devices
            .iter()
            .filter(|device| device.starts("/dev/dma_heap/") || device.starts("/dev/udmabuf"))
            .collect();
        let first = *all.first()?;
        let usable: Vec<_> = all
            .iter()
            .filter(|device| self.may(device, around))
            .map(|device| device.path.display().to_string())
            .collect();
        Some(if !usable.is_empty() {
            Check::good(key, format!("libcamera may get memory from {}", usable.join(", ")))
        } else if around.uses_camera() && (around.pi || around.needs_libcamera()) {
            Check::bad(
                key,
                "libcamera may get memory from none of /dev/dma_heap/* and /dev/udmabuf",
                remedy(first, around),
            )
        } else {
            Check::good(key, "libcamera could get no memory here, and is not needed")
        })
    }

    fn gpio(&self, around: &Surroundings) -> Check {
        let key = "gpio";
        let chips: Vec<_> = self.devices.iter().filter(|device| device.starts("/dev/gpiochip")).collect();
        // Which groups a drop-in adds can't be seen from here.
        let may = |device: &&&Device| if around.service { device.admits("gpio") } else { device.may };
        match chips.iter().find(may) {
            Some(_) if around.service => Check::good(
                key,
                "group gpio may use GPIO chips; the service needs SupplementaryGroups=gpio for it",
            ),
            Some(_) => Check::good(key, "GPIO chips may be used"),
            None if chips.is_empty() => Check::bad(
                key,
                "a switch at a GPIO line is configured, and there is no /dev/gpiochip*",
                "take the switch out",
            ),
            None => Check::bad(
                key,
                "a switch at a GPIO line is configured, and no /dev/gpiochip* may be used",
                "docs/operations.md tells how, under \"A switch at a GPIO line\"",
            ),
        }
    }
}

fn remedy(device: &Device, around: &Surroundings) -> String {
    let group = &device.group;
    if device.mode & 0o060 != 0o060 || group == "root" {
        format!(
            "the system gives it to its owner only; a udev rule has to give {} to group video",
            device.path.display()
        )
    } else if around.service {
        format!(
            "sudo systemctl edit eyelid, with SupplementaryGroups={group} under [Service], then restart it"
        )
    } else {
        format!("sudo usermod -aG {group} $USER, then log in again")
    }
}

fn paths() -> Vec<PathBuf> {
    let named = |folder: &str, prefixes: &[&str]| -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        let fits = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            prefixes.iter().any(|prefix| name.starts_with(prefix))
        };
        entries.filter(fits).collect()
    };
    let mut paths = named("/dev", &["video", "media", "gpiochip", "udmabuf"]);
    paths.extend(named("/dev/dma_heap", &[""]));
    paths.retain(|path: &PathBuf| !Path::is_dir(path));
    paths
}

/// The name of a group in the text of `/etc/group`.
fn group(names: &str, id: u32) -> String {
    let name = names.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, _, number) = (fields.next()?, fields.next()?, fields.next()?);
        (number.parse() == Ok(id)).then(|| name.to_owned())
    });
    name.unwrap_or_else(|| id.to_string())
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Verdict, surroundings::tests::around},
        *,
    };
    use crate::config::Kind;

    fn device(path: &str, group: &str, mode: u32, may: bool) -> Device {
        Device { path: path.into(), group: group.to_owned(), mode, may }
    }

    /// As udev sets them on Raspberry Pi OS: group video, mode 0660.
    fn pi(may: bool) -> Vec<Device> {
        ["/dev/dma_heap/linux,cma", "/dev/dma_heap/vidbuf_cached", "/dev/media0", "/dev/video0"]
            .map(|path| device(path, VIDEO, 0o660, may))
            .to_vec()
    }

    fn verdicts(facts: &Facts, around: &Surroundings) -> Vec<(&'static str, Verdict)> {
        facts.judge(around).iter().map(|check| (check.key, check.verdict)).collect()
    }

    #[test]
    fn on_a_pi_group_video_is_enough_for_the_service_and_for_a_user_who_is_in_it() {
        let (good, bad) = (Verdict::Good, Verdict::Bad);
        let auto = |service| around(true, service, &[Kind::Auto]);
        let outside = Facts { root: false, groups: vec!["anna".to_owned()], devices: pi(false) };
        assert_eq!(verdicts(&outside, &auto(true)), [("groups", good), ("devices", good), ("buffers", good)]);
        let by_hand = verdicts(&outside, &auto(false));
        assert_eq!(by_hand, [("groups", Verdict::Warning), ("devices", bad), ("buffers", bad)]);
        let advice = outside.judge(&auto(false)).remove(1).advice.unwrap();
        assert!(advice.contains("usermod -aG video"), "{advice}");
        let inside = Facts { groups: vec![VIDEO.to_owned()], devices: pi(true), ..outside };
        assert!(verdicts(&inside, &auto(false)).iter().all(|check| check.1 == good));
    }

    /// `/dev/udmabuf` belongs to kvm on Debian, `/dev/dma_heap/system` to root.
    #[test]
    fn on_a_pc_other_groups_are_told_with_the_drop_in() {
        let devices = vec![
            device("/dev/dma_heap/system", "root", 0o600, false),
            device("/dev/udmabuf", "kvm", 0o660, false),
            device("/dev/video0", "plugdev", 0o660, false),
        ];
        let facts = Facts { root: false, groups: Vec::new(), devices };
        let checks = facts.judge(&around(false, true, &[Kind::V4l2]));
        assert_eq!(checks[1].verdict, Verdict::Bad);
        assert!(checks[1].advice.as_ref().unwrap().contains("SupplementaryGroups=plugdev"));
        assert_eq!(checks[2].verdict, Verdict::Good, "{checks:?}");
        let libcamera = facts.judge(&around(false, true, &[Kind::Libcamera]));
        assert_eq!(libcamera[2].verdict, Verdict::Bad);
    }

    #[test]
    fn no_device_at_all_is_a_warning_only_where_one_should_be() {
        let facts = Facts { root: true, groups: Vec::new(), devices: Vec::new() };
        let verdict = |pi, kind| facts.judge(&around(pi, false, &[kind])).remove(1).verdict;
        assert_eq!(verdict(true, Kind::Auto), Verdict::Warning);
        assert_eq!(verdict(false, Kind::Auto), Verdict::Good);
        assert_eq!(verdict(true, Kind::Push), Verdict::Good);
    }

    #[test]
    fn groups_are_named_as_the_file_says() {
        let names = "root:x:0:\nvideo:x:44:anna\nbroken\n";
        assert_eq!(
            (group(names, 44), group(names, 0), group(names, 7)),
            ("video".into(), "root".into(), "7".into())
        );
    }
}
