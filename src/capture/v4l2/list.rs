//! What V4L2 cameras there are, for people.

use std::path::PathBuf;

use super::{
    find::{self, Camera},
    formats::{self, Sizes},
};
use crate::capture::protocol::Failure;

/// A V4L2 camera.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// How to choose it: a path that stays the same where there is one.
    pub device: PathBuf,
    /// "/dev/video0"
    pub path: PathBuf,
    /// "HD Pro Webcam C920"
    pub name: String,
    /// A line each: "MJPG: 640x480 (30 a second), 1280x720 (30 a second)".
    pub formats: Vec<String>,
}

/// The V4L2 cameras that there are; devices that give no pictures that we can use are left out.
///
/// # Errors
/// When there is none and there are devices that we may not open.
pub fn list() -> Result<Vec<Listed>, Failure> {
    Ok(find::cameras()?.iter().map(listed).collect())
}

fn listed(camera: &Camera) -> Listed {
    let node = &camera.node;
    Listed {
        device: node.stable.clone().unwrap_or_else(|| node.path.clone()),
        path: node.path.clone(),
        name: node.card.clone(),
        formats: formats::choose(&camera.formats, "")
            .into_iter()
            .map(|format| {
                let sizes = camera.device.sizes(format);
                let rate = |(width, height)| {
                    let fastest = camera.device.intervals(format, width, height).fastest();
                    fastest.map(|interval| format!(" ({interval} a second)")).unwrap_or_default()
                };
                match &sizes {
                    Sizes::List(list) => {
                        let each = list.iter().map(|size| format!("{}x{}{}", size.0, size.1, rate(*size)));
                        format!("{format}: {}", each.collect::<Vec<_>>().join(", "))
                    }
                    Sizes::Range(_, largest) => format!("{format}: {sizes}{}", rate(*largest)),
                    Sizes::Unknown => format!("{format}: {sizes}"),
                }
            })
            .collect(),
    }
}
