//! `eyelid token`: what a sender needs to send pictures to a camera of kind `push`.

use std::process::ExitCode;

use anyhow::bail;

use super::{Common, choose, finish};
use crate::{
    config::{CameraConfig, Kind, Loaded},
    token::{self, TokenHash},
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The camera's name in the configuration
    camera: String,
}

pub(super) fn run(common: &Common, args: &Args) -> ExitCode {
    let loaded = match common.load() {
        Ok(loaded) => loaded,
        Err(code) => return code,
    };
    finish(choose(&loaded.config, Some(&args.camera)).and_then(|camera| tell(&loaded, camera)))
}

fn tell(loaded: &Loaded, camera: &CameraConfig) -> anyhow::Result<String> {
    let CameraConfig { name, kind, .. } = camera;
    if *kind != Kind::Push {
        bail!(
            "the camera {name} is of kind \"{kind}\", which takes no uploads; write kind = \"{}\"",
            Kind::Push
        );
    }
    let token = token::new()?;
    let hash = TokenHash::of(&token);
    let file = loaded.file.as_ref().map_or("the configuration".into(), |file| file.display().to_string());
    let instead = match camera.upload_token {
        Some(_) => " in place of the one that it has; the old token then is of no use any more",
        None => "",
    };
    Ok(format!(
        "The token of camera {name}, for its sender; it is kept nowhere and not shown again:\n\n    {token}\n\n\
         In {file} the camera gets this line{instead}:\n\n    [[camera]]\n    name = \"{name}\"\n    \
         kind = \"{kind}\"\n    upload_token = \"{hash}\"\n"
    ))
}
