//! Whether the configuration is good. None of its values are told: they may be secret.

use std::collections::BTreeMap;

use super::{Check, Surroundings};
use crate::config::{ConfigError, Kind, Place};

pub(super) fn judge(around: &Surroundings) -> Vec<Check> {
    let key = "configuration";
    let loaded = match around.loaded.as_ref() {
        Ok(loaded) => loaded,
        // Its message is the system's, and what it quotes is none of the file.
        Err(errors) if errors.0.iter().any(|error| error.message.contains("ermission denied")) => {
            return vec![Check::warning(
                key,
                "it may not be read by this user",
                "ask as root: sudo eyelid doctor",
            )];
        }
        Err(errors) => {
            let places: Vec<_> = errors.0.iter().take(5).map(place).collect();
            let more = if errors.0.len() > places.len() { ", …" } else { "" };
            return vec![Check::bad(
                key,
                format!("{}: {}{more}", mistakes(errors.0.len()), places.join(", ")),
                "eyelid check tells each with its line and its remedy",
            )];
        }
    };
    let mut kinds = BTreeMap::<&str, usize>::new();
    for camera in &loaded.config.cameras {
        *kinds.entry(camera.kind.as_str()).or_default() += 1;
    }
    let kinds: Vec<_> = kinds.iter().map(|(kind, count)| format!("{count} of kind {kind}")).collect();
    let file = match &loaded.file {
        Some(file) => file.display().to_string(),
        None => "no file, so the defaults hold".to_owned(),
    };
    let mut checks = vec![Check::good(key, format!("{file}; cameras: {}", kinds.join(", ")))];
    if !loaded.warnings.is_empty() {
        checks.push(Check::warning(
            "environment",
            format!("{} without effect: variables that begin with EYELID_", mistakes(loaded.warnings.len())),
            "eyelid check names them",
        ));
    }
    let shut = loaded
        .config
        .cameras
        .iter()
        .filter(|camera| camera.kind == Kind::Push && camera.upload_token.is_none());
    match shut.count() {
        0 => {}
        count => checks.push(Check::warning(
            "upload",
            format!("every upload is refused for want of an upload_token ({count} of kind push)"),
            "eyelid token NAME makes one",
        )),
    }
    checks
}

/// Where a mistake is. What stands there may be a password.
fn place(error: &ConfigError) -> String {
    match &error.place {
        Place::File(_) => "the file can't be read as a configuration".to_owned(),
        Place::Position { line, column, .. } => format!("line {line}:{column}"),
        Place::Variable(_) => "an environment variable".to_owned(),
    }
}

fn mistakes(count: usize) -> String {
    if count == 1 { "1 mistake".to_owned() } else { format!("{count} mistakes") }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            Verdict,
            surroundings::tests::{around, with},
        },
        *,
    };
    use crate::{
        config::{self, CameraConfig, Config, Request},
        token::TokenHash,
    };

    #[test]
    fn kinds_are_counted() {
        let checks = judge(&around(false, false, &[Kind::V4l2, Kind::Auto, Kind::V4l2]));
        assert_eq!(
            checks,
            [Check::good(
                "configuration",
                "no file, so the defaults hold; cameras: 1 of kind auto, 2 of kind v4l2"
            )]
        );
    }

    #[test]
    fn mistakes_are_told_by_their_place_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        std::fs::write(&file, "listen = \"s3cret\"\ns3cret = 1\n[[camera]]\nupload_token = \"s3cret\"\n")
            .unwrap();
        let request = Request { file: Some(file), ..Request::default() };
        let checks = judge(&Surroundings::new(false, false, config::load(&request)));
        assert_eq!((checks.len(), checks[0].verdict), (1, Verdict::Bad));
        assert!(checks[0].what.starts_with("3 mistakes: line 1:"), "{}", checks[0].what);
        assert!(!checks[0].what.contains("s3cret"), "{}", checks[0].what);
    }

    #[test]
    fn a_file_that_only_root_may_read_is_no_mistake() {
        let message = "can't read the configuration: Permission denied (os error 13)".to_owned();
        let place = Place::File("/etc/eyelid/config.toml".into());
        let error = ConfigError { place, key: String::new(), message, hint: None };
        let checks = judge(&Surroundings::new(false, false, Err(error.into())));
        assert_eq!((checks.len(), checks[0].verdict), (1, Verdict::Warning));
    }

    #[test]
    fn a_camera_that_waits_for_uploads_and_takes_none_is_a_warning() {
        let push = CameraConfig { kind: Kind::Push, ..CameraConfig::default() };
        let told = |camera: CameraConfig| {
            let checks = judge(&with(false, false, Config { cameras: vec![camera], ..Config::default() }));
            checks.into_iter().map(|check| check.key).collect::<Vec<_>>()
        };
        assert_eq!(told(push.clone()), ["configuration", "upload"]);
        assert_eq!(told(CameraConfig { upload_token: Some(TokenHash::of("a")), ..push }), ["configuration"]);
    }
}
