//! `eyelid check`: is the configuration good, and what does it mean?

use std::process::ExitCode;

use super::{Common, EXIT_USAGE, complain, say};
use crate::{
    capture::auto::{Detected, Libcamera},
    config::{CameraConfig, Kind},
    run_folder, state_folder,
    web::tls,
};

pub(super) fn run(common: &Common) -> ExitCode {
    let loaded = match common.load() {
        Ok(loaded) => loaded,
        Err(code) => return code,
    };
    match &loaded.file {
        Some(file) => say(&format!("{}: good", file.display())),
        None => say("no configuration file, so the defaults hold"),
    }
    for warning in &loaded.warnings {
        say(&format!("warning: {warning}"));
    }
    let scheme = if loaded.config.tls.is_on() { "https" } else { "http" };
    say(&format!("listens on {scheme}://{}", loaded.config.listen));
    say(&format!("rolling files in {}", run_folder::usual().display()));
    let state_folder = state_folder::usual(&loaded.config.state_folder);
    say(&format!("what is set of cameras is kept in {}", state_folder.display()));
    match tls::check(&loaded.config.tls.certificate(), &state_folder) {
        Ok(None) => {}
        Ok(Some(words)) => say(&words),
        Err(error) => {
            complain(&format!("{error:#}"));
            return ExitCode::from(EXIT_USAGE);
        }
    }
    for (index, camera) in loaded.config.cameras.iter().enumerate() {
        say(&describe(camera, index == 0));
    }
    ExitCode::SUCCESS
}

fn describe(camera: &CameraConfig, first: bool) -> String {
    let address = if first { "/".to_owned() } else { format!("/cameras/{}/", camera.name) };
    let takes = match camera.kind {
        Kind::Auto => found(&camera.device, &Detected::look()),
        Kind::Pattern => "the test picture".to_owned(),
        Kind::Libcamera | Kind::Rpicam if camera.device.is_empty() => "the first libcamera camera".to_owned(),
        Kind::Libcamera | Kind::Rpicam => format!("libcamera camera {:?}", camera.device),
        Kind::V4l2 if camera.device.is_empty() => "the first V4L2 camera".to_owned(),
        Kind::V4l2 => format!("V4L2 camera {:?}", camera.device),
        Kind::Command => format!("what `{}` delivers", camera.command),
        Kind::Replay if camera.shuffle => format!("the pictures of {}, in any order", camera.replay),
        Kind::Replay => format!("the pictures of {}", camera.replay),
        Kind::Push => sent(camera),
    };
    let duration = humantime::format_duration;
    let done = done(camera);
    format!(
        "camera {} at {address}: kind {}: {takes}; {} every {}, quality {}{done}; on while somebody watches and {} \
         longer; tried again when the first picture takes longer than {} or a further one than {}",
        camera.name,
        camera.kind,
        camera.size,
        duration(camera.interval),
        camera.quality,
        duration(camera.linger),
        duration(camera.effective_start_timeout()),
        duration(camera.effective_stall_timeout()),
    )
}

/// What kind "push" takes.
fn sent(camera: &CameraConfig) -> String {
    let name = &camera.name;
    match camera.upload_token {
        Some(_) => format!(
            "what is sent to /cameras/{name}/upload, by a sender that rests {} while nobody watches",
            humantime::format_duration(camera.rest)
        ),
        None => format!(
            "nothing: every upload is refused for want of an upload_token (eyelid token {name} makes one)"
        ),
    }
}

/// What is done to the pictures, as a further part of the sentence.
fn done(camera: &CameraConfig) -> String {
    let turned = match camera.rotate.degrees() {
        0 => None,
        degrees => Some(format!("turned by {degrees} degrees")),
    };
    let mirrored = |on: bool, text: &str| on.then(|| text.to_owned());
    let all = [
        turned,
        mirrored(camera.hflip, "left and right mirrored"),
        mirrored(camera.vflip, "top and bottom mirrored"),
        Some(camera.picture.in_words()).filter(|words| !words.is_empty()),
    ];
    let words = all.into_iter().flatten().collect::<Vec<_>>().join(", ");
    if words.is_empty() { words } else { format!("; its pictures: {words}") }
}

/// What kind "auto" takes.
fn found(device: &str, detected: &Detected) -> String {
    match (&detected.libcamera, &detected.v4l2) {
        _ if device.starts_with("/dev/") => format!("V4L2 camera {device:?}, through kind {}", Kind::V4l2),
        (Libcamera::Cameras { kind, cameras, .. }, _) => {
            let model = cameras.first().map_or("the first camera", |camera| &camera.model);
            format!("{model}, through kind {kind}")
        }
        (_, Ok(webcams)) if !webcams.is_empty() => {
            format!("{}, through kind {}", webcams[0].name, Kind::V4l2)
        }
        (Libcamera::Nothing(failure), Ok(_)) | (_, Err(failure)) => format!("{failure}, so the test picture"),
    }
}
