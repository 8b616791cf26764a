//! `kind = "rpicam"`: a libcamera camera through `rpicam-vid`, or `libcamera-vid` where only that exists.
//!
//! It writes MJPEG to its standard output, which is cut into pictures. (`rpicam-still --timelapse` reconfigures
//! the sensor for each picture, which limits it to about one a second, and writes its file in place.)

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use rustix::process::Signal;

use super::{
    Found, Spec, busy,
    output::Output,
    program::{End, Given, Program, in_path, in_words},
    protocol::{Event, Failure, Streaming},
    runner::{Pacer, Stop},
};
use crate::{child::output_within, config::Kind, picture::Mirror};

/// The programs, the one to prefer first. Raspberry Pi OS renamed them in 2023.
const PROGRAMS: [&str; 2] = ["rpicam-vid", "libcamera-vid"];

/// How long the list of cameras may take. A Pi Zero 2 needs most of a second.
const LIST_LIMIT: Duration = Duration::from_secs(3);

/// Runs `rpicam-vid` until it ends, which is a failure, or `stop` is set.
///
/// # Errors
/// When it is not installed, has no camera, can't use it or ends, or its pictures can't be written.
pub fn capture(spec: &Spec, stop: &Stop, emit: &mut dyn FnMut(Event)) -> Result<(), Failure> {
    let path = find().ok_or_else(missing)?;
    let index = index(spec, &path)?;
    let device = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let mut output = Output::open_turned(spec, Mirror::NONE)?;
    let mut command = Command::new(&path);
    command.args(arguments(spec, index));
    let program = Program {
        command,
        ask: Signal::INT,
        // It looks at the signal with each picture, of which there may be only one a second.
        patience: Duration::from_millis(1500),
        spared: None,
        file: None,
        worth_logging,
    };
    let mut pacer = Pacer::new(spec.interval);
    let mut streaming = Some(device.clone());
    let end = program.run(stop, |given| {
        let Given::Picture(picture, info, came) = given else { return Ok(()) };
        if !pacer.is_due(Instant::now()) {
            return Ok(());
        }
        if let Some(device) = streaming.take() {
            let (width, height) = output.size(info.width.into(), info.height.into());
            let (width, height) = (Some(width), Some(height));
            emit(Event::Streaming(Streaming { kind: Kind::Rpicam, device, width, height, notice: None }));
        }
        output.publish(picture, came)
    })?;
    match end {
        End::Stopped => Ok(()),
        End::Itself(status, last_words) => Err(why(&device, &in_words(status), &last_words)),
    }
}

/// The program to run, looked up in `PATH`.
pub(crate) fn find() -> Option<PathBuf> {
    PROGRAMS.iter().find_map(|program| in_path(program))
}

fn missing() -> Failure {
    Failure::new(
        "neither rpicam-vid nor libcamera-vid is installed",
        "on Raspberry Pi OS: sudo apt install rpicam-apps-lite",
    )
}

/// The cameras that the program at `path` has.
pub(super) fn list(path: &Path) -> Result<Vec<Found>, Failure> {
    let mut command = Command::new(path);
    command.arg("--list-cameras");
    let output = output_within(command, LIST_LIMIT).map_err(|error| {
        Failure::unexplained(format!("{} --list-cameras can't be run: {error}", path.display()))
    })?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    // Older ones write the list to standard error.
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    let cameras: Vec<_> = stdout.lines().chain(stderr.lines()).filter_map(listed).collect();
    if cameras.is_empty() && !output.status.success() {
        let last_words: Vec<_> = stderr.lines().map(str::to_owned).collect();
        return Err(why(&path.display().to_string(), &in_words(output.status), &last_words));
    }
    Ok(cameras)
}

/// `0 : imx708 [4608x2592 10-bit RGGB] (/base/soc/i2c0mux/i2c@1/imx708@1a)`
fn listed(line: &str) -> Option<Found> {
    let (index, rest) = line.split_once(" : ")?;
    let (model, rest) = rest.split_once(" [")?;
    let (sensor, id) = rest.rsplit_once("] (")?;
    let id = id.trim_end().strip_suffix(')')?;
    // The sensor's own size; the modes are on lines that follow.
    let sizes = sensor.split(' ').next().into_iter().map(str::to_owned).collect();
    Some(Found { index: index.trim().parse().ok()?, id: id.to_owned(), model: model.to_owned(), sizes })
}

/// The program takes an index only, so an id is looked up.
fn index(spec: &Spec, path: &Path) -> Result<u32, Failure> {
    if spec.device.is_empty() {
        return Ok(0);
    }
    if let Ok(index) = spec.device.parse() {
        return Ok(index);
    }
    let cameras = list(path)?;
    let found = cameras.iter().find(|camera| camera.id == spec.device).map(|camera| camera.index);
    found.ok_or_else(|| no_such_camera(&spec.device))
}

fn no_such_camera(camera: &str) -> Failure {
    Failure::new(
        format!("there is no camera {camera}"),
        "eyelid cameras lists those that there are; without device = in its [[camera]] entry, the first is used",
    )
}

fn arguments(spec: &Spec, camera: u32) -> Vec<String> {
    let mut arguments: Vec<String> =
        ["--codec", "mjpeg", "-o", "-", "--flush", "-t", "0", "-n"].map(str::to_owned).into();
    // Sensors can't wait much longer than a second between pictures; the rest is left out by us.
    let rate = (1.0 / spec.interval.as_secs_f64().max(0.001)).max(1.0);
    for (name, value) in [
        ("--width", spec.size.width.to_string()),
        ("--height", spec.size.height.to_string()),
        ("--framerate", format!("{rate:.3}")),
        ("--quality", spec.quality.to_string()),
        ("--camera", camera.to_string()),
    ] {
        arguments.extend([name.to_owned(), value]);
    }
    let mirror = spec.mirror();
    arguments.extend(mirror.horizontal.then(|| "--hflip".to_owned()));
    arguments.extend(mirror.vertical.then(|| "--vflip".to_owned()));
    arguments
}

/// Older versions tell about each picture: `#31 (30.01 fps) exp 33251.00 ag 1.00 dg 1.00`.
fn worth_logging(line: &str) -> bool {
    !line.strip_prefix('#').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// What its last lines mean, for people.
fn why(program: &str, end: &str, last_words: &[String]) -> Failure {
    let said = |texts: &[&str]| {
        last_words.iter().any(|line| {
            let line = line.to_lowercase();
            texts.iter().any(|text| line.contains(text))
        })
    };
    // A camera in use also gives permission errors on some kernels, so that comes first.
    if said(&["in use by another process", "device or resource busy", "failed to acquire camera"]) {
        busy::failure()
    } else if said(&["permission denied", "operation not permitted"]) {
        Failure::new(
            "the camera's devices may not be opened: permission denied",
            "add the daemon's user to the group video, then log in again: sudo usermod -aG video USER",
        )
    } else if said(&["selected camera is not available"]) {
        no_such_camera("of that index")
    } else if said(&["no cameras available"]) {
        no_camera()
    } else if said(&["legacy camera stack"]) {
        Failure::new(
            "the system is set to the legacy camera stack",
            "sudo raspi-config: Interface Options, Legacy Camera, No; then reboot",
        )
    } else {
        let last = last_words.last().map(|line| line.trim_matches(|c: char| c == '*' || c.is_whitespace()));
        let said = last.map(|line| format!(": {line}")).unwrap_or_default();
        Failure::unexplained(format!("{program} ended, {end}{said}"))
    }
}

/// What to tell where the camera stack works and has no camera.
pub(super) fn no_camera() -> Failure {
    Failure::new(
        "no camera found",
        "is the ribbon cable in, at both ends and the right way round? Switch the power off to change it",
    )
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use super::*;
    use crate::config::{CameraConfig, Size};

    #[test]
    fn a_camera_is_read_from_each_form_of_its_line() {
        let found = |index, model: &str, id: &str, size: &str| {
            let sizes = vec![size.to_owned()];
            Some(Found { index, id: id.to_owned(), model: model.to_owned(), sizes })
        };
        let id = "/base/axi/pcie@1000120000/rp1/i2c@88000/imx708@1a";
        assert_eq!(
            listed(&format!("0 : imx708_wide [4608x2592 10-bit RGGB] ({id})")),
            found(0, "imx708_wide", id, "4608x2592")
        );
        assert_eq!(
            listed("12 : ov5647 [2592x1944] (/base/ov5647@36)"),
            found(12, "ov5647", "/base/ov5647@36", "2592x1944")
        );
        for line in [
            "No cameras available!",
            "Available cameras",
            "    Modes: 'SRGGB10_CSI2P' : 1536x864 [120.13 fps - (768, 432)/3072x1728 crop]",
            "             2304x1296 [56.03 fps - (0, 0)/4608x2592 crop]",
            "",
        ] {
            assert_eq!(listed(line), None, "{line}");
        }
    }

    #[test]
    fn the_frame_rate_is_that_of_the_interval_but_at_least_one() {
        let rate = |interval: &str| {
            let interval = humantime::parse_duration(interval).unwrap();
            let config = CameraConfig {
                interval,
                size: Size::from_str("640x480").unwrap(),
                ..CameraConfig::default()
            };
            let arguments = arguments(&Spec::new(&config, PathBuf::new()), 0);
            let at = arguments.iter().position(|argument| argument == "--framerate").unwrap();
            arguments[at + 1].clone()
        };
        assert_eq!(rate("100ms"), "10.000");
        assert_eq!(rate("33ms"), "30.303");
        assert_eq!(rate("1s"), "1.000");
        assert_eq!(rate("10m"), "1.000");
    }

    #[test]
    fn each_picture_being_told_is_not_worth_the_log() {
        assert!(!worth_logging("#31 (30.01 fps) exp 33251.00 ag 1.00 dg 1.00"));
        assert!(worth_logging("[0:08:34.894] [1857]  INFO Camera camera_manager.cpp:293 libcamera v0.5.0"));
        assert!(worth_logging("# of cameras: 0"));
    }

    #[test]
    fn what_it_says_is_told_in_words() {
        let told = |lines: &[&str]| {
            let lines: Vec<_> = lines.iter().map(|line| (*line).to_owned()).collect();
            why("rpicam-vid", "exit code 255", &lines).reason
        };
        let busy = "camera is used by another program";
        assert!(told(&["ERROR: *** failed to acquire camera /base/imx708@1a ***"]).starts_with(busy));
        assert!(
            told(&["Pipeline handler in use by another process", "ERROR: *** other ***"]).starts_with(busy)
        );
        assert!(told(&["failed to start: Device or resource busy"]).starts_with(busy));
        assert_eq!(told(&["ERROR: *** no cameras available ***"]), "no camera found");
        assert_eq!(
            told(&["ERROR: *** selected camera is not available ***"]),
            "there is no camera of that index"
        );
        assert_eq!(
            told(&[
                "Failed to open media device at /dev/media0: Permission denied",
                "ERROR: *** no cameras available ***"
            ]),
            "the camera's devices may not be opened: permission denied"
        );
        assert_eq!(
            told(&["ERROR: the system appears to be configured for the legacy camera stack"]),
            "the system is set to the legacy camera stack"
        );
        assert_eq!(
            told(&["an INFO line", "ERROR: *** new trouble ***"]),
            "rpicam-vid ended, exit code 255: ERROR: *** new trouble"
        );
        assert_eq!(told(&[]), "rpicam-vid ended, exit code 255");
    }
}
