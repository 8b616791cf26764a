//! Who has the camera, when it isn't us.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use rustix::{
    fs::{major, minor},
    process::{Pid, getpid},
};

use super::{descendants, protocol::Failure};

/// What to tell when a camera is used by another program: that program, as far as we may know it.
pub fn failure() -> Failure {
    told(holder(Path::new("/proc"), Path::new("/dev"), &ours()))
}

/// The same where it is known which device it is. That one is used as long as it is open.
pub fn failure_of(device: &Path) -> Failure {
    told(holder_of(Path::new("/proc"), device, &ours()))
}

/// A program that has a device of cameras open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Holder {
    pub(crate) pid: i32,
    /// Its name, where we may read it.
    pub(crate) name: Option<String>,
    /// Whether it uses a camera, and does not only look at what there is.
    pub(crate) uses: bool,
}

impl Holder {
    /// Whether it is a capture process of ours. The kernel cuts names off after 15 characters.
    pub(crate) fn is_eyelid(&self) -> bool {
        self.name.as_deref().is_some_and(|name| name == "eyelid" || name == "eyelid-libcamer")
    }

    /// "motion (pid 812)"
    pub(crate) fn in_words(&self) -> String {
        match &self.name {
            Some(name) => format!("{name} (pid {})", self.pid),
            None => format!("pid {}", self.pid),
        }
    }
}

/// All programs that have devices of cameras open, as far as we may know them; not this one.
pub(crate) fn holders() -> Vec<Holder> {
    all(Path::new("/proc"), Path::new("/dev"), &ours())
}

fn all(proc: &Path, dev: &Path, ours: &[Pid]) -> Vec<Holder> {
    let ours = is_one_of(ours);
    let locked = locked(proc, dev);
    let one = |pid: i32| {
        let is_open = |kind| has_open(proc, pid, |file| is_device(file, dev, kind));
        let uses = locked.contains(&pid) || is_open("video");
        let (_, name) = (uses || is_open("media")).then(|| named(proc, pid))?;
        Some(Holder { pid, name, uses })
    };
    let mut holders: Vec<_> = processes(proc).filter(|pid| !ours(*pid)).filter_map(one).collect();
    holders.sort_by_key(|holder| holder.pid);
    holders
}

/// Who has a lock on a media device.
fn locked(proc: &Path, dev: &Path) -> Vec<i32> {
    let locks = fs::read_to_string(proc.join("locks")).unwrap_or_default();
    let devices: Vec<String> = devices(dev, "media").iter().filter_map(|path| lock_id(path)).collect();
    let lock = |line: &str| {
        // 1: POSIX  ADVISORY  WRITE 812 00:05:441 0 EOF
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (pid, device) = (fields.get(4)?.parse().ok()?, *fields.get(5)?);
        devices.iter().any(|id| id == device).then_some(pid)
    };
    locks.lines().filter_map(lock).collect()
}

fn ours() -> Vec<Pid> {
    let mut ours = descendants::list();
    ours.push(getpid());
    ours
}

fn told(holder: Option<(i32, Option<String>)>) -> Failure {
    match holder {
        Some((pid, Some(name))) => Failure::new(
            format!("camera is used by another program: {name} (pid {pid})"),
            format!("end that program, for instance with: kill {pid}"),
        ),
        Some((pid, None)) => Failure::new(
            format!("camera is used by another program (pid {pid})"),
            format!("end that program, for instance with: kill {pid}"),
        ),
        None => Failure::new(
            "camera is used by another program",
            "end that program; as root, this finds it: fuser -v /dev/media* /dev/video*",
        ),
    }
}

/// The program that uses a camera, with its name where we may read it.
///
/// libcamera locks the media device of the camera that it uses, and the kernel lists locks for everybody.
/// Other programs are found by their open files, of which we see those of our own user only, unless we are
/// root. A media device may be open without the camera being used: PipeWire does that to list cameras.
fn holder(proc: &Path, dev: &Path, ours: &[Pid]) -> Option<(i32, Option<String>)> {
    let ours = is_one_of(ours);
    let by_lock = || locked(proc, dev).into_iter().find(|pid| !ours(*pid));
    let by_file = |kind: &str| {
        processes(proc).find(|pid| !ours(*pid) && has_open(proc, *pid, |file| is_device(file, dev, kind)))
    };
    let pid = by_lock().or_else(|| by_file("video")).or_else(|| by_file("media"))?;
    Some(named(proc, pid))
}

/// The program that has this device open.
fn holder_of(proc: &Path, device: &Path, ours: &[Pid]) -> Option<(i32, Option<String>)> {
    let ours = is_one_of(ours);
    let device = fs::canonicalize(device).ok()?;
    let pid = processes(proc).find(|pid| !ours(*pid) && has_open(proc, *pid, |file| file == device))?;
    Some(named(proc, pid))
}

fn is_one_of(ours: &[Pid]) -> impl Fn(i32) -> bool {
    |pid| ours.iter().any(|our| our.as_raw_pid() == pid)
}

fn named(proc: &Path, pid: i32) -> (i32, Option<String>) {
    let process = proc.join(pid.to_string());
    let name = fs::read_to_string(process.join("comm")).ok().map(|name| name.trim().to_owned());
    // Started by the link /proc/self/exe, as Eyelid starts itself; the first argument then tells more.
    let name = name.map(|name| match name.as_str() {
        "exe" => first_argument(&process).unwrap_or(name),
        _ => name,
    });
    (pid, name)
}

fn first_argument(process: &Path) -> Option<String> {
    let line = fs::read(process.join("cmdline")).ok()?;
    let first = String::from_utf8(line.split(|byte| *byte == 0).next()?.to_vec()).ok()?;
    first.rsplit('/').next().filter(|name| !name.is_empty()).map(str::to_owned)
}

fn devices(dev: &Path, kind: &str) -> Vec<PathBuf> {
    let paths = fs::read_dir(dev).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    paths.filter(|path| is_device(path, dev, kind)).collect()
}

/// Whether `path` is `dev` and then `kind` and a number: /dev/video0.
fn is_device(path: &Path, dev: &Path, kind: &str) -> bool {
    let name = path.strip_prefix(dev).ok().and_then(Path::to_str);
    let number = name.and_then(|name| name.strip_prefix(kind));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// How /proc/locks names a file.
fn lock_id(path: &Path) -> Option<String> {
    let file = fs::metadata(path).ok()?;
    Some(format!("{:02x}:{:02x}:{}", major(file.dev()), minor(file.dev()), file.ino()))
}

fn processes(proc: &Path) -> impl Iterator<Item = i32> {
    let entries = fs::read_dir(proc).into_iter().flatten();
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

fn has_open(proc: &Path, pid: i32, is_it: impl Fn(&Path) -> bool) -> bool {
    let mut files = fs::read_dir(proc.join(pid.to_string()).join("fd")).into_iter().flatten();
    files.any(|entry| entry.is_ok_and(|entry| fs::read_link(entry.path()).is_ok_and(|file| is_it(&file))))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stand-in for /proc and /dev: two devices, and processes with files open.
    struct Machine(tempfile::TempDir);

    impl Machine {
        fn new() -> Self {
            let machine = Self(tempfile::tempdir().unwrap());
            for device in ["media0", "video0", "video-decoder"] {
                fs::create_dir_all(machine.path("dev")).unwrap();
                fs::write(machine.path("dev").join(device), "").unwrap();
            }
            machine
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        fn process(&self, pid: i32, name: &str, open: &[&str]) {
            let folder = self.path("proc").join(pid.to_string());
            fs::create_dir_all(folder.join("fd")).unwrap();
            fs::write(folder.join("comm"), format!("{name}\n")).unwrap();
            for (fd, device) in open.iter().enumerate() {
                let target = self.path("dev").join(device);
                std::os::unix::fs::symlink(target, folder.join("fd").join(fd.to_string())).unwrap();
            }
        }

        fn holder(&self) -> Option<(i32, Option<String>)> {
            let ours = [Pid::from_raw(900).unwrap()];
            holder(&self.path("proc"), &self.path("dev"), &ours)
        }
    }

    fn found(pid: i32, name: &str) -> Option<(i32, Option<String>)> {
        Some((pid, Some(name.to_owned())))
    }

    #[test]
    fn one_that_was_started_by_its_link_in_proc_is_named_by_its_first_argument() {
        let machine = Machine::new();
        machine.process(700, "exe", &["video0"]);
        assert_eq!(machine.holder(), found(700, "exe"));
        fs::write(machine.path("proc/700/cmdline"), b"/usr/bin/eyelid\0capture\0").unwrap();
        assert_eq!(machine.holder(), found(700, "eyelid"));
    }

    #[test]
    fn a_program_with_the_video_device_open_comes_before_one_with_the_media_device() {
        let machine = Machine::new();
        machine.process(900, "ours", &["video0", "media0"]);
        machine.process(901, "decoder", &["video-decoder"]);
        assert_eq!(machine.holder(), None);
        machine.process(500, "wireplumber", &["media0"]);
        assert_eq!(machine.holder(), found(500, "wireplumber"));
        machine.process(812, "rpicam-hello", &["media0", "video0"]);
        assert_eq!(machine.holder(), found(812, "rpicam-hello"));
    }

    #[test]
    fn a_lock_on_the_media_device_tells_even_when_the_process_is_hidden() {
        let machine = Machine::new();
        machine.process(500, "motion", &["video0"]);
        let id = lock_id(&machine.path("dev/media0")).unwrap();
        let locks =
            format!("1: FLOCK  ADVISORY  WRITE 12 00:01:9 0 EOF\n2: POSIX  ADVISORY  WRITE 813 {id} 0 EOF\n");
        fs::write(machine.path("proc/locks"), &locks).unwrap();
        assert_eq!(machine.holder(), Some((813, None)));
        machine.process(813, "libcamera-vid", &[]);
        assert_eq!(machine.holder(), found(813, "libcamera-vid"));
        fs::write(machine.path("proc/locks"), locks.replace("813", "900")).unwrap();
        assert_eq!(machine.holder(), found(500, "motion"), "our own lock is not another program's");
    }

    #[test]
    fn all_who_have_a_device_open_are_found_and_whether_they_use_it() {
        let machine = Machine::new();
        machine.process(900, "ours", &["video0"]);
        machine.process(901, "decoder", &["video-decoder"]);
        machine.process(812, "motion", &["media0", "video0"]);
        machine.process(500, "wireplumber", &["media0"]);
        machine.process(700, "eyelid-libcamer", &["media0"]);
        let id = lock_id(&machine.path("dev/media0")).unwrap();
        fs::write(machine.path("proc/locks"), format!("1: POSIX  ADVISORY  WRITE 700 {id} 0 EOF\n")).unwrap();
        let found = all(&machine.path("proc"), &machine.path("dev"), &[Pid::from_raw(900).unwrap()]);
        let told: Vec<_> = found.iter().map(|one| (one.in_words(), one.uses, one.is_eyelid())).collect();
        assert_eq!(
            told,
            [
                ("wireplumber (pid 500)".to_owned(), false, false),
                ("eyelid-libcamer (pid 700)".to_owned(), true, true),
                ("motion (pid 812)".to_owned(), true, false),
            ]
        );
    }

    #[test]
    fn the_kernel_names_a_locked_file_as_we_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("media0");
        let file = fs::File::create(&path).unwrap();
        rustix::fs::fcntl_lock(&file, rustix::fs::FlockOperation::LockExclusive).unwrap();
        let found = holder(Path::new("/proc"), folder.path(), &[]);
        assert_eq!(found.map(|(pid, _)| pid), Some(getpid().as_raw_pid()));
    }

    #[test]
    fn of_several_devices_the_one_that_is_meant_counts() {
        let machine = Machine::new();
        fs::write(machine.path("dev/video1"), "").unwrap();
        std::os::unix::fs::symlink("video1", machine.path("dev/by-id")).unwrap();
        machine.process(700, "zoom", &["video0"]);
        machine.process(900, "ours", &["video1"]);
        let ours = [Pid::from_raw(900).unwrap()];
        let holder =
            |device: &str| holder_of(&machine.path("proc"), &machine.path("dev").join(device), &ours);
        assert_eq!(holder("video1"), None);
        machine.process(812, "motion", &["video1"]);
        assert_eq!(holder("video1"), found(812, "motion"));
        assert_eq!(holder("by-id"), found(812, "motion"), "through a link");
        assert_eq!(holder("video0"), found(700, "zoom"));
        assert_eq!(holder("video2"), None);
    }

    #[test]
    fn the_advice_is_given_even_when_nobody_can_be_named() {
        assert!(failure().reason.starts_with("camera is used by another program"));
        assert!(failure().hint.is_some());
    }
}
