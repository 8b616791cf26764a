//! A running `eyelid-libcamera`, and what it says and writes.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, SystemTime},
};

use eyelid::capture::protocol::{Event, Failure, Offer, Request, Streaming};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher, event::ModifyKind};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// Memory for pictures on kernels without it, and a lock on the virtual camera as real ones have it. The loader
/// replaces `$LIB` by the folder of its own architecture: under qemu-user both that of the machine and that of the
/// program look.
pub(crate) const UDMABUF: &str = "/opt/eyelid/$LIB/fake_udmabuf.so";
pub(crate) const LOCK: &str = "/opt/eyelid/$LIB/camera_lock.so";

/// Longer than anything takes: whoever waits so long waits in vain.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn eyelid_libcamera() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_eyelid-libcamera"));
    command.env("LD_PRELOAD", UDMABUF).stdin(Stdio::piped());
    command
}

/// Runs `command` to its end, which must be a failure.
pub(crate) fn failure(command: &mut Command) -> Failure {
    let folder = tempfile::tempdir_in("/dev/shm").unwrap();
    // It may run as another user.
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let command = command.arg("--output").arg(folder.path().join("run/image_stream.jpg"));
    let output = command.stdout(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{lines}");
    match serde_json::from_str(lines.lines().last().unwrap()).unwrap() {
        Event::Error(failure) => failure,
        event => panic!("{event:?}"),
    }
}

/// A picture as it was found in the rolling file.
pub(crate) struct Picture {
    pub(crate) jpeg: Vec<u8>,
    /// When it was exposed: the file's modification time.
    pub(crate) taken: SystemTime,
    pub(crate) read: SystemTime,
}

pub(crate) struct Capture {
    child: Child,
    stdin: Option<ChildStdin>,
    events: Receiver<Event>,
    renames: Receiver<()>,
    folder: TempDir,
    /// The file that was read last.
    last: Option<(u64, SystemTime)>,
    _watcher: RecommendedWatcher,
}

impl Capture {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::spawn(eyelid_libcamera().args(arguments))
    }

    pub(crate) fn spawn(command: &mut Command) -> Self {
        let folder = tempfile::tempdir_in("/dev/shm").unwrap();
        fs::create_dir(folder.path().join("run")).unwrap();
        let (sender, renames) = mpsc::channel();
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            if matches!(event.unwrap().kind, EventKind::Modify(ModifyKind::Name(_))) {
                let _ = sender.send(());
            }
        })
        .unwrap();
        watcher.watch(&folder.path().join("run"), RecursiveMode::NonRecursive).unwrap();

        let output = folder.path().join("run/image_stream.jpg");
        let mut child = command.arg("--output").arg(output).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (sender, events) = mpsc::channel();
        thread::spawn(move || {
            for line in lines {
                let _ = sender.send(serde_json::from_str(&line.unwrap()).unwrap());
            }
        });
        Self { stdin: child.stdin.take(), child, events, renames, folder, last: None, _watcher: watcher }
    }

    pub(crate) fn streaming(&mut self) -> Streaming {
        match self.events.recv_timeout(PATIENCE).expect("an event") {
            Event::Streaming(streaming) => streaming,
            Event::Error(failure) => panic!("{failure:?}"),
            event @ (Event::Controls(_) | Event::Ignored { .. }) => {
                panic!("before the camera streams: {event:?}")
            }
        }
    }

    /// What can be set, which it tells once it streams.
    pub(crate) fn offer(&mut self) -> Offer {
        match self.events.recv_timeout(PATIENCE).expect("an event") {
            Event::Controls(offer) => offer,
            event => panic!("{event:?}"),
        }
    }

    /// The next picture, none twice.
    pub(crate) fn picture(&mut self) -> Picture {
        let path = self.folder.path().join("run/image_stream.jpg");
        loop {
            self.renames.recv_timeout(PATIENCE).expect("a picture");
            while self.renames.try_recv().is_ok() {}
            let mut file = fs::File::open(&path).unwrap();
            let metadata = file.metadata().unwrap();
            // The file may be newer than the rename that told of it, and the next rename then tells of it again.
            let taken = metadata.modified().unwrap();
            let file_is = (metadata.ino(), taken);
            if self.last.replace(file_is) == Some(file_is) {
                continue;
            }
            let mut jpeg = Vec::new();
            file.read_to_end(&mut jpeg).unwrap();
            return Picture { jpeg, taken, read: SystemTime::now() };
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn request(&mut self, request: &Request) {
        let stdin = self.stdin.as_mut().expect("open until it is closed");
        writeln!(stdin, "{}", serde_json::to_string(request).unwrap()).unwrap();
    }

    pub(crate) fn close(&mut self) {
        self.stdin = None;
    }

    pub(crate) fn signal(&mut self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Has it stop in this `way`, which must be a success, and gives the files that it leaves.
    pub(crate) fn stop(mut self, way: impl FnOnce(&mut Self)) -> Vec<String> {
        way(&mut self);
        let status = self.child.wait().unwrap();
        let events: Vec<_> = self.events.iter().collect();
        assert!(
            status.success() && matches!(events[..], [Event::Streaming(_), Event::Controls(_)]),
            "{status}: {events:?}"
        );
        let root = self.folder.path();
        [root, &root.join("run")].into_iter().flat_map(|folder| files(folder, root)).collect()
    }

    /// Processor time that it has used, in steps of 10 ms.
    pub(crate) fn cpu(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap();
        // The name, in brackets, may hold blanks; utime and stime are the 12th and 13th field after it.
        let fields: Vec<_> = stat[stat.rfind(')').unwrap() + 2..].split(' ').collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        Duration::from_millis(ticks * 1_000 / rustix::param::clock_ticks_per_second())
    }

    pub(crate) fn resident_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().strip_suffix(" kB").unwrap().parse().unwrap()
    }
}

fn files(folder: &Path, root: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.filter(|path| path.is_file());
    files.map(|path| path.strip_prefix(root).unwrap().display().to_string()).collect()
}

impl Drop for Capture {
    fn drop(&mut self) {
        // Already ended after `stop`.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
