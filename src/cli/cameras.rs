//! `eyelid cameras`: what this machine has.

use std::process::ExitCode;

use super::{complain, say};
use crate::capture::{
    Found,
    auto::{Detected, detect},
};

pub(super) fn run() -> ExitCode {
    match detect() {
        Detected::Cameras { kind, program, cameras } => {
            say(&format!(
                "# {} found by {}; kind = \"auto\" takes the first\n",
                count(cameras.len()),
                program.display()
            ));
            for camera in &cameras {
                say(&entry(camera, &cameras, kind.as_str()));
            }
            ExitCode::SUCCESS
        }
        Detected::Nothing(failure) => {
            complain(&failure.reason);
            if let Some(hint) = &failure.hint {
                complain(hint);
            }
            complain("kind = \"auto\" shows the test picture then");
            ExitCode::FAILURE
        }
    }
}

fn count(cameras: usize) -> String {
    if cameras == 1 { "1 camera".to_owned() } else { format!("{cameras} cameras") }
}

/// A `[[camera]]` entry to be copied into the configuration.
fn entry(camera: &Found, all: &[Found], kind: &str) -> String {
    let name: String = camera.model.chars().filter(char::is_ascii_alphanumeric).collect();
    let name = name.to_ascii_lowercase();
    let alone = all.iter().filter(|other| other.model == camera.model).count() == 1;
    let name = if alone && !name.is_empty() { name } else { format!("{name}camera{}", camera.index) };
    // The id holds no quote or backslash on any known platform; TOML's literal strings take it as it is.
    format!(
        "[[camera]]           # {}\nname = \"{name}\"\nkind = \"{kind}\"\ndevice = '{}'\n",
        camera.model, camera.id
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::CameraName;

    #[test]
    fn an_entry_is_a_configuration_that_loads() {
        let camera =
            Found { index: 1, id: "/base/soc/i2c0mux/i2c@1/imx708@1a".into(), model: "IMX708 wide".into() };
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        std::fs::write(&file, entry(&camera, std::slice::from_ref(&camera), "libcamera")).unwrap();
        let request = crate::config::Request { file: Some(file), ..Default::default() };
        let loaded = crate::config::load(&request).unwrap();
        let [entry] = &loaded.config.cameras[..] else { panic!("one camera") };
        assert_eq!(entry.name, "imx708wide".parse::<CameraName>().unwrap());
        assert_eq!(entry.device, camera.id);
    }
}
