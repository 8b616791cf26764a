//! `eyelid cameras`: what this machine has.

use std::{collections::HashSet, process::ExitCode};

use super::{complain, say};
use crate::{
    capture::{
        auto::{Detected, Libcamera},
        protocol::Failure,
    },
    config::Kind,
};

pub(super) fn run() -> ExitCode {
    let detected = Detected::look();
    let entries = entries(&detected);
    if let Some(failure) = detected.nothing().filter(|_| entries.is_empty()) {
        tell(failure);
        complain("kind = \"auto\" shows the test picture then");
        return ExitCode::FAILURE;
    }
    let program = match &detected.libcamera {
        Libcamera::Cameras { program, .. } => format!(" ({} tells of those of libcamera)", program.display()),
        Libcamera::Nothing(_) => String::new(),
    };
    say(&format!("# {} found{program}; kind = \"auto\" takes the first\n", count(entries.len())));
    for entry in &entries {
        say(&entry.to_toml());
    }
    if let Err(failure) = &detected.v4l2 {
        tell(failure);
    }
    ExitCode::SUCCESS
}

fn tell(failure: &Failure) {
    complain(&failure.reason);
    if let Some(hint) = &failure.hint {
        complain(hint);
    }
}

fn count(cameras: usize) -> String {
    if cameras == 1 { "1 camera".to_owned() } else { format!("{cameras} cameras") }
}

/// A `[[camera]]` entry to be copied into the configuration.
#[derive(Debug)]
struct Entry {
    /// What people call the camera.
    title: String,
    /// What there is to know of it.
    remarks: Vec<String>,
    name: String,
    kind: Kind,
    device: String,
}

fn entries(detected: &Detected) -> Vec<Entry> {
    let mut names = HashSet::new();
    let mut entries = Vec::new();
    if let Libcamera::Cameras { kind, cameras, .. } = &detected.libcamera {
        entries.extend(cameras.iter().map(|camera| Entry {
            title: camera.model.clone(),
            remarks: camera.sizes.iter().take(1).map(|_| camera.sizes.join(", ")).collect(),
            name: name(&camera.model, &mut names),
            kind: *kind,
            device: camera.id.clone(),
        }));
    }
    entries.extend(detected.v4l2.iter().flatten().map(|camera| Entry {
        title: camera.name.clone(),
        remarks: [camera.path.display().to_string()].into_iter().chain(camera.formats.clone()).collect(),
        name: name(&camera.name, &mut names),
        kind: Kind::V4l2,
        device: camera.device.display().to_string(),
    }));
    entries
}

/// A name for the configuration, unlike those before it.
fn name(title: &str, taken: &mut HashSet<String>) -> String {
    /// Leaves room for a number; 32 are allowed.
    const LONGEST: usize = 28;
    let name: String = title.chars().filter(char::is_ascii_alphanumeric).take(LONGEST).collect();
    let name = if name.is_empty() { "camera".to_owned() } else { name.to_ascii_lowercase() };
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    let free = [name.clone()].into_iter().chain(numbered).find(|name| !taken.contains(name));
    let free = free.expect("there are more numbers than cameras");
    taken.insert(free.clone());
    free
}

impl Entry {
    fn to_toml(&self) -> String {
        let remarks: String = self.remarks.iter().map(|remark| format!("# {}\n", one_line(remark))).collect();
        format!(
            "[[camera]]           # {}\n{remarks}name = \"{}\"\nkind = \"{}\"\ndevice = {}\n",
            one_line(&self.title),
            self.name,
            self.kind,
            quoted(&self.device)
        )
    }
}

/// Text of a device's as a comment.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// TOML's literal strings take everything as it is but their own quotes.
fn quoted(text: &str) -> String {
    if text.contains(['\'', '\n']) { format!("{text:?}") } else { format!("'{text}'") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        capture::{Found, v4l2::Listed},
        config::CameraConfig,
    };

    fn loaded(entries: &[Entry]) -> Vec<CameraConfig> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        let text: Vec<_> = entries.iter().map(Entry::to_toml).collect();
        std::fs::write(&file, text.join("\n")).unwrap();
        let request = crate::config::Request { file: Some(file), ..Default::default() };
        crate::config::load(&request).unwrap().config.cameras
    }

    fn webcam(name: &str, device: &str) -> Listed {
        Listed {
            device: device.into(),
            path: "/dev/video0".into(),
            name: name.to_owned(),
            formats: vec![
                "MJPG: 640x480 (30 a second), 1280x720 (30 a second)".to_owned(),
                "YUYV: 640x480".to_owned(),
            ],
        }
    }

    #[test]
    fn the_entries_are_a_configuration_that_loads() {
        let id = "/base/soc/i2c0mux/i2c@1/imx708@1a";
        let sensor =
            Found { index: 0, id: id.into(), model: "IMX708 wide".into(), sizes: vec!["640x480".into()] };
        let by_id = "/dev/v4l/by-id/usb-046d_HD_Pro_Webcam_C920_1A2B3C4D-video-index0";
        let detected = Detected {
            libcamera: Libcamera::Cameras {
                kind: Kind::Libcamera,
                program: "eyelid-libcamera".into(),
                cameras: vec![sensor.clone(), Found { index: 1, ..sensor }],
            },
            v4l2: Ok(vec![
                webcam("HD Pro Webcam C920", by_id),
                webcam("HD Pro Webcam C920", "/dev/video2"),
                webcam("\u{1F4F7} \n\"'\\", "/dev/it's \"one\" \\"),
                webcam("", "/dev/video6"),
                webcam("A name that is longer than a name of ours may be", "/dev/video8"),
            ]),
        };
        let entries = entries(&detected);
        let cameras = loaded(&entries);
        let told: Vec<_> = cameras.iter().map(|c| (c.name.as_str(), c.kind, c.device.as_str())).collect();
        assert_eq!(
            told,
            [
                ("imx708wide", Kind::Libcamera, id),
                ("imx708wide-2", Kind::Libcamera, id),
                ("hdprowebcamc920", Kind::V4l2, by_id),
                ("hdprowebcamc920-2", Kind::V4l2, "/dev/video2"),
                ("camera", Kind::V4l2, "/dev/it's \"one\" \\"),
                ("camera-2", Kind::V4l2, "/dev/video6"),
                ("anamethatislongerthananameof", Kind::V4l2, "/dev/video8"),
            ]
        );
        let first = entries[2].to_toml();
        assert!(first.contains("# MJPG: 640x480 (30 a second), 1280x720 (30 a second)\n"), "{first}");
    }

    #[test]
    fn where_only_one_way_leads_to_cameras_its_entries_stand_alone() {
        let nothing = || Libcamera::Nothing(Failure::unexplained("no camera found"));
        let one = Detected { libcamera: nothing(), v4l2: Ok(vec![webcam("C920", "/dev/video0")]) };
        assert_eq!(loaded(&entries(&one)).len(), 1);
        let none = Detected { libcamera: nothing(), v4l2: Err(Failure::unexplained("no permission")) };
        assert!(entries(&none).is_empty());
    }
}
