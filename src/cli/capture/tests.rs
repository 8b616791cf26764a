//! The capture process as the daemon sees it: a child, with real children of its own.
//!
//! The child is this test program, told to run one test that is the capture process. Cameras and their
//! programs are stand-ins: shell scripts in a folder that comes first in `PATH`.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, SystemTime},
};

use clap::{Args, FromArgMatches};
use notify::Watcher;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::{
    capture::{
        Spec,
        protocol::{Event, Failure, Offer, Streaming},
    },
    config::Kind,
    jpeg,
};

const ARGUMENTS: &str = "EYELID_TEST_CAPTURE_ARGUMENTS";

/// Longer than anything takes that doesn't hang.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
#[ignore = "the other tests run it as their capture process"]
fn capture_process() {
    let Ok(arguments) = std::env::var(ARGUMENTS) else { return };
    let command = Spec::augment_args(clap::Command::new("capture").no_binary_name(true));
    let spec = Spec::from_arg_matches(&command.get_matches_from(arguments.lines())).unwrap();
    let success = format!("{:?}", super::run(&spec)) == format!("{:?}", std::process::ExitCode::SUCCESS);
    std::process::exit(if success { 0 } else { 1 });
}

/// A folder with the rolling file, the stand-ins' programs and what they write.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::create_dir(place.path("bin")).unwrap();
        fs::create_dir(place.path("camera")).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn rolling(&self) -> PathBuf {
        self.path("camera/image_stream.jpg")
    }

    /// A shell script that stands in for a program. It runs in the place's folder.
    fn program(&self, name: &str, script: &str) {
        let path = self.path("bin").join(name);
        fs::write(&path, format!("#!/bin/sh\ncd {}\n{script}\n", self.0.path().display())).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn pipe(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        path
    }

    fn capture(&self, kind: Kind, more: &[&str]) -> Capture {
        let mut arguments = vec![
            "--name=tank".to_owned(),
            format!("--kind={kind}"),
            format!("--output={}", self.rolling().display()),
            "--size=64x48".to_owned(),
        ];
        if !more.iter().any(|argument| argument.starts_with("--interval")) {
            arguments.push("--interval=20ms".to_owned());
        }
        arguments.extend(more.iter().map(|argument| (*argument).to_owned()));
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["cli::capture::tests::capture_process", "--exact", "--ignored", "--nocapture"])
            .env(ARGUMENTS, arguments.join("\n"))
            .env("PATH", format!("{}:/usr/bin:/bin", self.path("bin").display()))
            .current_dir(self.0.path())
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Capture { input: child.stdin.take(), output, child }
    }

    /// Waits until a file of the camera's folder is as wanted.
    fn until<T>(&self, mut look: impl FnMut() -> Option<T>) -> T {
        let (sender, changes) = mpsc::channel();
        // Reading the file is an event too.
        let hear = move |event: notify::Result<notify::Event>| {
            if event.is_ok_and(|event| !event.kind.is_access() || event.need_rescan()) {
                let _ = sender.send(());
            }
        };
        let mut watcher = notify::recommended_watcher(hear).unwrap();
        watcher.watch(&self.path("camera"), notify::RecursiveMode::NonRecursive).unwrap();
        loop {
            match look() {
                Some(found) => return found,
                None => changes.recv_timeout(PATIENCE).expect("the rolling file becomes what is waited for"),
            }
        }
    }

    /// Waits until the rolling file holds this picture, and gives its modification time.
    fn shows(&self, picture: &[u8]) -> SystemTime {
        self.until(|| {
            let modified = fs::metadata(self.rolling()).ok()?.modified().ok()?;
            (fs::read(self.rolling()).ok()? == picture).then_some(modified)
        })
    }
}

struct Capture {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Capture {
    fn event(&mut self) -> Option<Event> {
        let mut line = String::new();
        while self.output.read_line(&mut line).unwrap() > 0 {
            // The test program tells what it runs, in the same line.
            if let Some(from) = line.find('{') {
                return Some(serde_json::from_str(&line[from..]).unwrap());
            }
            line.clear();
        }
        None
    }

    fn streaming(&mut self) -> Streaming {
        match self.event() {
            Some(Event::Streaming(streaming)) => streaming,
            other => panic!("expected it to stream: {other:?}"),
        }
    }

    fn offer(&mut self) -> Offer {
        match self.event() {
            Some(Event::Controls(offer)) => offer,
            other => panic!("expected its controls: {other:?}"),
        }
    }

    /// The failure with which it ends.
    fn failure(mut self) -> Failure {
        let failure = loop {
            match self.event() {
                Some(Event::Error(failure)) => break failure,
                Some(Event::Streaming(_) | Event::Controls(_) | Event::Ignored { .. }) => {}
                None => panic!("it ended without telling why"),
            }
        };
        assert_eq!(self.event(), None, "the failure is the last event");
        assert_eq!(self.child.wait().unwrap().code(), Some(1));
        failure
    }

    fn stop(mut self) {
        self.input.take().unwrap().write_all(b"{\"request\":\"stop\"}\n").unwrap();
        self.ends_in_order();
    }

    fn ends_in_order(mut self) {
        let last = loop {
            match self.event() {
                Some(Event::Controls(_)) => {}
                event => break event,
            }
        };
        assert_eq!(last, None);
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }
}

impl Drop for Capture {
    /// Leaves nothing behind where a test has failed.
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
            let _ = self.child.wait();
        }
    }
}

fn picture(level: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut bytes, 80);
    encoder.encode(&[level; 32 * 16], 32, 16, jpeg_encoder::ColorType::Luma).unwrap();
    bytes
}

/// What processes write into a pipe that they have open as long as they live.
struct Alive(mpsc::Receiver<String>);

impl Alive {
    fn of(place: &Place) -> Self {
        let path = place.pipe("alive");
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(fs::File::open(path).unwrap()).lines() {
                sender.send(line.unwrap()).unwrap();
            }
        });
        Self(lines)
    }

    /// The next line; none when all of them have ended.
    fn line(&self) -> Option<String> {
        match self.0.recv_timeout(PATIENCE) {
            Ok(line) => Some(line),
            Err(mpsc::RecvTimeoutError::Disconnected) => None,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("a process lives on"),
        }
    }
}

fn is_gone(pid: &str) -> bool {
    !Path::new("/proc").join(pid.trim()).exists()
}

#[test]
fn the_test_picture_moves_until_the_stop_and_tells_when_it_was_taken() {
    let place = Place::new();
    let before = SystemTime::now();
    let mut capture = place.capture(Kind::Pattern, &[]);
    let streaming = capture.streaming();
    assert_eq!((streaming.kind, streaming.width, streaming.height), (Kind::Pattern, Some(64), Some(48)));
    assert_eq!((streaming.device.as_str(), streaming.notice), ("test picture", None));
    let first = place.until(|| fs::read(place.rolling()).ok());
    let second = place.until(|| fs::read(place.rolling()).ok().filter(|picture| *picture != first));
    for picture in [first, second] {
        let info = jpeg::inspect(&picture).unwrap();
        assert_eq!((info.width, info.height, info.len), (64, 48, picture.len()));
    }
    let taken = fs::metadata(place.rolling()).unwrap().modified().unwrap();
    assert!(before < taken && taken < SystemTime::now());
    capture.stop();
    assert!(fs::exists(place.rolling()).unwrap(), "the daemon cleans up");
}

#[test]
fn the_test_picture_tells_its_controls_and_sets_what_it_is_asked_to() {
    let place = Place::new();
    // Pictures an hour apart: it must not wait for the next one.
    let mut capture = place.capture(Kind::Pattern, &["--interval=1h"]);
    capture.streaming();
    let value = |offer: &Offer, id: &str| {
        offer.controls.iter().find(|control| control.id == id).unwrap().value.clone().unwrap()
    };
    let first = capture.offer();
    assert_eq!((first.answers, value(&first, "brightness")), (0, 0.into()));
    let mut input = capture.input.take().unwrap();
    let mut ask = |line: &str| input.write_all(line.as_bytes()).unwrap();
    ask("{\"request\":\"set\",\"serial\":7,\"controls\":{\"brightness\":10,\"negative\":3,\"x\":true}}\n");
    let second = capture.offer();
    assert_eq!((second.answers, value(&second, "brightness")), (7, 10.into()));
    assert_eq!(value(&second, "negative"), false.into());
    ask("{\"request\":\"set\",\"controls\":{\"brightness\":null}}\n");
    assert_eq!(value(&capture.offer(), "brightness"), 0.into());
    drop(input);
    capture.ends_in_order();
}

#[test]
fn the_end_of_input_and_both_signals_mean_stop() {
    for signal in [None, Some(Signal::TERM), Some(Signal::INT)] {
        let place = Place::new();
        let mut capture = place.capture(Kind::Pattern, &[]);
        capture.streaming();
        match signal {
            Some(signal) => capture.signal(signal),
            None => drop(capture.input.take()),
        }
        capture.ends_in_order();
    }
}

#[test]
fn a_rolling_file_that_cannot_be_written_is_told_in_words() {
    let place = Place::new();
    std::os::unix::fs::symlink("/dev/full", place.path("camera.part")).unwrap();
    let failure = place.capture(Kind::Pattern, &[]).failure();
    let folder = place.path("camera");
    assert_eq!(
        failure.reason,
        format!("the folder {} is full, so the picture can't be written", folder.display())
    );
}

#[test]
fn pictures_on_a_commands_standard_output_are_published_when_they_are_whole() {
    let place = Place::new();
    let (first, second) = (picture(10), picture(200));
    let pictures = place.pipe("pictures");
    let mut capture = place.capture(Kind::Command, &["--command=exec cat pictures", "--interval=1us"]);
    let streaming = capture.streaming();
    assert_eq!((streaming.kind, streaming.device.as_str()), (Kind::Command, "command"));
    let mut pictures = fs::OpenOptions::new().write(true).open(pictures).unwrap();
    let before = SystemTime::now();
    pictures.write_all(&first).unwrap();
    assert!(place.shows(&first) >= before);
    let (begin, end) = second.split_at(100);
    pictures.write_all(begin).unwrap();
    let half = SystemTime::now();
    pictures.write_all(end).unwrap();
    assert!(place.shows(&second) >= half);
    capture.stop();
}

#[test]
fn a_command_can_replace_the_file_itself_and_knows_what_is_asked() {
    let place = Place::new();
    fs::write(place.path("a.jpg"), picture(7)).unwrap();
    let command = "--command=env | grep ^EYELID_ | sort > told; cp a.jpg \"$EYELID_FILE.new\"; \
                   mv \"$EYELID_FILE.new\" \"$EYELID_FILE\"; sleep 1000";
    let mut capture = place.capture(Kind::Command, &[command, "--quality=61"]);
    capture.streaming();
    place.shows(&picture(7));
    let told = fs::read_to_string(place.path("told")).unwrap();
    let told: Vec<_> = told.lines().filter(|line| !line.contains("TEST")).collect();
    let file = format!("EYELID_FILE={}", place.path("camera.command/image_stream.jpg").display());
    assert_eq!(
        told,
        [
            "EYELID_CAMERA=tank",
            &file,
            "EYELID_HEIGHT=48",
            "EYELID_INTERVAL_MS=20",
            "EYELID_QUALITY=61",
            "EYELID_WIDTH=64"
        ]
    );
    capture.stop();
}

#[test]
fn no_process_of_a_command_outlives_the_stop() {
    let place = Place::new();
    let alive = Alive::of(&place);
    // One in the background, one that hears no signal, one in a session of its own, and a pipeline.
    let command = "--command=exec 3>alive; sh -c 'echo $$ >&3; sleep 1000; true' & \
                   sh -c 'trap \"\" TERM; echo $$ >&3; sleep 1000; sleep 1000; sleep 1000' & \
                   setsid sh -c 'echo $$ >&3; sleep 1000; true' & \
                   sh -c 'echo $$ >&3; sleep 1000; true' | sleep 1000";
    let mut capture = place.capture(Kind::Command, &[command]);
    capture.streaming();
    let pids: Vec<String> = (0..4).map(|_| alive.line().unwrap()).collect();
    assert!(pids.iter().all(|pid| !is_gone(pid)));
    capture.stop();
    assert!(pids.iter().all(|pid| is_gone(pid)), "{pids:?}");
    assert_eq!(alive.line(), None);
}

#[test]
fn no_process_of_a_command_outlives_a_capture_process_that_is_killed() {
    let place = Place::new();
    let alive = Alive::of(&place);
    let command =
        "--command=exec 3>alive; trap '' TERM; sleep 1000 | (echo started >&3; sleep 1000; sleep 1000)";
    let mut capture = place.capture(Kind::Command, &[command]);
    capture.streaming();
    assert_eq!(alive.line().as_deref(), Some("started"));
    capture.signal(Signal::KILL);
    assert_eq!(alive.line(), None);
    assert_eq!(capture.child.wait().unwrap().code(), None);
}

#[test]
fn why_a_command_ended_is_told_in_words() {
    let place = Place::new();
    fs::write(place.path("a.jpg"), picture(7)).unwrap();
    let told = |command: &str| {
        let failure = place.capture(Kind::Command, &[&format!("--command={command}")]).failure();
        (failure.reason, failure.hint.is_some())
    };
    let told_of = |command: &str| told(command).0;
    assert_eq!(
        told_of("echo one >&2; echo no such device >&2; exit 3"),
        "the command ended, exit code 3: no such device"
    );
    assert_eq!(told_of("kill -SEGV $$"), "the command ended, killed by SIGSEGV");
    assert_eq!(
        told("cat a.jpg"),
        ("the command ended at once, after one picture on its standard output".to_owned(), true)
    );
    assert_eq!(told("true").0, "the command ended at once, after no picture on its standard output");
    assert_eq!(told_of("cat a.jpg a.jpg"), "the command ended, exit code 0");
    let (reason, hint) = told("no-such-program --at-all");
    assert!(reason.starts_with("the command ended, exit code 127: ") && hint, "{reason}");
    assert_eq!(told(" ").0, "the camera has no command to run");
    assert_eq!(
        fs::read(place.rolling()).unwrap(),
        picture(7),
        "the one picture was published before the end"
    );
}

const CAMERAS: &str = "if [ \"$1\" = --list-cameras ]; then cat list; exit; fi";

const LIST: &str = "Available cameras\n-----------------\n\
    0 : imx708 [4608x2592 10-bit RGGB] (/base/soc/i2c0mux/i2c@1/imx708@1a)\n    \
    Modes: 'SRGGB10_CSI2P' : 1536x864 [120.13 fps - (768, 432)/3072x1728 crop]\n\n\
    1 : ov5647 [2592x1944] (/base/soc/i2c0mux/i2c@0/ov5647@36)\n";

#[test]
fn rpicam_vid_is_given_what_was_asked_and_stopped_by_an_interrupt() {
    let place = Place::new();
    fs::write(place.path("a.jpg"), picture(90)).unwrap();
    fs::write(place.path("list"), LIST).unwrap();
    place.pipe("never");
    // It waits without a further process: one that is just being started could miss the interrupt.
    let script = "echo \"$@\" > arguments; echo $$ > pid; trap 'echo interrupted > ended; exit' INT\n\
                  echo Running without preview window; cat a.jpg; exec 3<>never; read -r line <&3";
    place.program("rpicam-vid", &format!("{CAMERAS}\n{script}"));
    place.program("libcamera-vid", "exit 9");
    let camera = "--device=/base/soc/i2c0mux/i2c@0/ov5647@36";
    let mut capture = place.capture(Kind::Rpicam, &[camera, "--rotate=180", "--hflip", "--interval=40ms"]);
    let streaming = capture.streaming();
    assert_eq!((streaming.kind, streaming.device.as_str()), (Kind::Rpicam, "rpicam-vid"));
    assert_eq!((streaming.width, streaming.height), (Some(32), Some(16)), "what came, not what was asked");
    place.shows(&picture(90));
    assert_eq!(
        fs::read_to_string(place.path("arguments")).unwrap(),
        "--codec mjpeg -o - --flush -t 0 -n --width 64 --height 48 --framerate 25.000 --quality 80 --camera 1 \
         --vflip\n"
    );
    capture.stop();
    assert_eq!(fs::read_to_string(place.path("ended")).unwrap(), "interrupted\n");
    assert!(is_gone(&fs::read_to_string(place.path("pid")).unwrap()));
}

#[test]
fn a_program_that_hears_no_signal_is_killed() {
    let place = Place::new();
    fs::write(place.path("a.jpg"), picture(90)).unwrap();
    place.program(
        "libcamera-vid",
        "trap '' INT TERM; echo $$ > pid; cat a.jpg; sleep 1000; sleep 1000; sleep 1000",
    );
    let mut capture = place.capture(Kind::Rpicam, &[]);
    assert_eq!(capture.streaming().device, "libcamera-vid");
    capture.stop();
    assert!(is_gone(&fs::read_to_string(place.path("pid")).unwrap()));
}

#[test]
fn a_program_ends_with_a_capture_process_that_is_killed() {
    let place = Place::new();
    let alive = Alive::of(&place);
    place.program("rpicam-vid", "exec 3>alive; echo started >&3; exec sleep 1000");
    let mut capture = place.capture(Kind::Rpicam, &[]);
    assert_eq!(alive.line().as_deref(), Some("started"));
    capture.signal(Signal::KILL);
    assert_eq!(alive.line(), None);
    assert_eq!(capture.child.wait().unwrap().code(), None);
}

#[test]
fn what_rpicam_vid_says_is_told_in_words() {
    let place = Place::new();
    let told = |camera: &str| {
        let failure = place.capture(Kind::Rpicam, &[&format!("--device={camera}")]).failure();
        (failure.reason, failure.hint.is_some())
    };
    place.program(
        "rpicam-vid",
        "echo '#1 (30.00 fps) exp 1.00' >&2; echo 'ERROR: *** no cameras available ***' >&2; exit 255",
    );
    assert_eq!(told(""), ("no camera found".to_owned(), true));
    place.program("rpicam-vid", "echo 'a line' >&2; echo '#1 (30.00 fps) exp 1.00' >&2; exit 255");
    assert_eq!(told("0"), ("rpicam-vid ended, exit code 255: a line".to_owned(), false));
    place.program("rpicam-vid", CAMERAS);
    fs::write(place.path("list"), LIST).unwrap();
    assert_eq!(told("imx708"), ("there is no camera imx708".to_owned(), true));
    fs::remove_file(place.path("bin/rpicam-vid")).unwrap();
    assert_eq!(told(""), ("neither rpicam-vid nor libcamera-vid is installed".to_owned(), true));
}

#[test]
fn auto_is_the_test_picture_with_the_reason_where_there_is_no_camera() {
    if crate::capture::v4l2::list().is_ok_and(|webcams| !webcams.is_empty()) {
        // auto would take it: tests/qemu/ has this for machines with one.
        return;
    }
    let place = Place::new();
    let notice = || {
        let mut capture = place.capture(Kind::Auto, &[]);
        let streaming = capture.streaming();
        assert_eq!(streaming.kind, Kind::Pattern);
        capture.stop();
        streaming.notice.unwrap()
    };
    assert_eq!(
        notice(),
        "no camera found: no webcam is plugged in, and neither eyelid-libcamera nor rpicam-vid is installed, so this \
         is the test picture"
    );
    place.program(
        "eyelid-libcamera",
        "echo \"$0: error while loading shared libraries: gone.so\" >&2; exit 127",
    );
    assert_eq!(
        notice(),
        "eyelid-libcamera doesn't fit the libcamera of this system: error while loading shared libraries: gone.so, \
         so this is the test picture"
    );
    place.program("rpicam-vid", "echo 'No cameras available!'");
    assert_eq!(notice(), "no camera found, so this is the test picture");
    place.program("rpicam-vid", "exit 1");
    place.program("eyelid-libcamera", "echo '{\"event\":\"error\",\"reason\":\"no right to it\"}'; exit 1");
    assert_eq!(notice(), "no right to it, so this is the test picture");
}

#[test]
fn auto_is_rpicam_where_only_that_has_a_camera() {
    let place = Place::new();
    fs::write(place.path("a.jpg"), picture(90)).unwrap();
    fs::write(place.path("list"), LIST).unwrap();
    place.program("rpicam-vid", &format!("{CAMERAS}\ncat a.jpg; exec sleep 1000"));
    place.program("eyelid-libcamera", "exit 127");
    let mut capture = place.capture(Kind::Auto, &[]);
    let streaming = capture.streaming();
    assert_eq!((streaming.kind, streaming.notice), (Kind::Rpicam, None));
    capture.stop();
}

#[test]
fn libcamera_is_another_program_in_the_same_process() {
    for kind in [Kind::Auto, Kind::Libcamera] {
        let place = Place::new();
        let script = "case $1 in --list) echo '{\"index\":0,\"id\":\"virtual\",\"model\":\"Virtual0\"}'; exit;; \
                      --version) exit;; esac\n\
                      echo \"{\\\"event\\\":\\\"streaming\\\",\\\"kind\\\":\\\"libcamera\\\",\\\"device\\\":\\\"$$ $*\\\"}\"\n\
                      read -r request; echo \"$request\" > heard";
        place.program("eyelid-libcamera", script);
        let mut capture = place.capture(kind, &["--vflip"]);
        let streaming = capture.streaming();
        let file = place.rolling();
        assert_eq!(
            streaming.device,
            format!(
                "{} --name=tank --kind=libcamera --output={} --size=64x48 --interval=20ms --quality=80 --rotate=0 --vflip",
                capture.child.id(),
                file.display()
            )
        );
        capture.stop();
        assert_eq!(fs::read_to_string(place.path("heard")).unwrap(), "{\"request\":\"stop\"}\n");
    }
}

#[test]
fn a_libcamera_program_that_is_missing_or_of_another_abi_is_told_in_words() {
    let place = Place::new();
    let failure = place.capture(Kind::Libcamera, &[]).failure();
    assert_eq!(failure.reason, "eyelid-libcamera is not installed, neither beside eyelid nor in PATH");
    assert!(failure.hint.is_some());
    place.program(
        "eyelid-libcamera",
        "echo \"$0: error while loading shared libraries: gone.so\" >&2; exit 127",
    );
    let failure = place.capture(Kind::Libcamera, &[]).failure();
    assert_eq!(
        failure.reason,
        "eyelid-libcamera doesn't fit the libcamera of this system: error while loading shared libraries: gone.so"
    );
    assert!(failure.hint.is_some());
}

#[test]
fn what_a_command_puts_into_its_file_is_published_only_when_it_is_a_picture() {
    let place = Place::new();
    let steps = place.pipe("steps");
    fs::write(place.path("a.jpg"), picture(7)).unwrap();
    fs::write(place.path("b.jpg"), picture(70)).unwrap();
    // In place, by rename, garbage, and the last one just before the end.
    let command = "--command=exec 3<steps; cp a.jpg \"$EYELID_FILE\"; read -r x <&3; cp b.jpg b; \
                   mv b \"$EYELID_FILE\"; read -r x <&3; head -c 100 a.jpg >\"$EYELID_FILE\"; read -r x <&3; \
                   cp a.jpg \"$EYELID_FILE\"; exit 3";
    let mut capture = place.capture(Kind::Command, &[command]);
    capture.streaming();
    let mut steps = fs::OpenOptions::new().write(true).open(steps).unwrap();
    place.shows(&picture(7));
    steps.write_all(b"\n").unwrap();
    place.shows(&picture(70));
    steps.write_all(b"\n").unwrap();
    // Before it, an empty file may have been seen: it is emptied first.
    let cut_off = Event::Ignored { reason: "JPEG cut off after 100 bytes".to_owned() };
    while capture.event().expect("it is still running") != cut_off {}
    steps.write_all(b"\n").unwrap();
    let failure = capture.failure();
    assert_eq!(failure.reason, "the command ended, exit code 3");
    assert_eq!(fs::read(place.rolling()).unwrap(), picture(7), "its last picture came before its end");
    assert!(!place.path("camera.command").exists());
}

#[test]
fn a_folder_is_replayed_and_what_is_done_to_its_pictures_too() {
    let place = Place::new();
    let folder = place.path("films");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("1.jpg"), picture(200)).unwrap();
    fs::write(folder.join("notes"), b"notes").unwrap();
    let replay = format!("--replay={}", folder.display());
    let mut capture = place.capture(Kind::Replay, &[&replay, "--rotate=90", "--mask=0%,50%,100%,50%"]);
    let streaming = capture.streaming();
    assert_eq!((streaming.kind, streaming.device.as_str()), (Kind::Replay, "replay of films"));
    assert_eq!((streaming.width, streaming.height), (Some(16), Some(32)));
    assert_eq!(streaming.notice.as_deref(), Some("1 file in the folder is no .jpg and is left out"));
    let shown = place.until(|| fs::read(place.rolling()).ok());
    let mut decoder = jpeg_decoder::Decoder::new(&shown[..]);
    let pixels = decoder.decode().unwrap();
    let near = |pixels: &[u8], value: u8| pixels.iter().all(|pixel| pixel.abs_diff(value) <= 2);
    assert!(near(&pixels[..16 * 16], 200) && near(&pixels[16 * 16..], 0));
    fs::remove_file(folder.join("1.jpg")).unwrap();
    assert_eq!(capture.failure().reason, format!("there is no picture in {}", folder.display()));
    let failure = place.capture(Kind::Replay, &["--replay=/no/such/folder"]).failure();
    assert!(failure.reason.starts_with("/no/such/folder can't be read: "), "{failure}");
    assert!(failure.hint.is_some());
}

#[test]
fn a_camera_whose_pictures_cannot_be_masked_shows_none_and_says_why() {
    let place = Place::new();
    let mut broken = picture(7);
    // A kind of JPEG that nobody decodes: lossless.
    let frame = memchr::memmem::find(&broken, b"\xFF\xC0").unwrap();
    broken[frame + 1] = 0xC3;
    fs::write(place.path("a.jpg"), broken).unwrap();
    for command in
        ["while :; do cat a.jpg; sleep 0.02; done", "while :; do cp a.jpg \"$EYELID_FILE\"; sleep 0.02; done"]
    {
        let command = format!("--command={command}");
        let failure = place.capture(Kind::Command, &[&command, "--mask=0%,0%,50%,50%"]).failure();
        let reason =
            "3 pictures in a row could not be used, the last one because: the JPEG can't be decoded: ";
        assert!(failure.reason.starts_with(reason), "{failure}");
        assert!(failure.hint.is_some());
        assert!(!place.rolling().exists());
    }
}
