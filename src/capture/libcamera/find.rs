//! Which cameras there are, and which one is meant.

use libcamera::{
    camera::Camera,
    camera_manager::{CameraList, CameraManager},
    properties,
};
use serde::Serialize;

use super::{setup, trouble};
use crate::capture::{Found, protocol::Failure};

/// A camera as `eyelid-libcamera --list` tells it.
#[derive(Debug, Serialize)]
pub struct Listed {
    /// How to choose it.
    #[serde(flatten)]
    pub found: Found,
    /// Where it looks from, where libcamera knows: "front", "back" or "external".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<&'static str>,
}

/// The cameras that libcamera finds.
///
/// # Errors
/// When libcamera can't start, or finds none and we may not open those that there may be.
pub fn list() -> Result<Vec<Listed>, Failure> {
    let manager = CameraManager::new().map_err(|error| trouble::manager(&error))?;
    let cameras = manager.cameras();
    let listed = (0..).map_while(|index| Some((index, cameras.get(index)?))).map(|(index, camera)| Listed {
        found: Found {
            index: u32::try_from(index).unwrap_or(u32::MAX),
            id: camera.id().to_owned(),
            model: model(&camera).unwrap_or_default(),
            sizes: setup::sizes(&camera),
        },
        location: location(&camera),
    });
    let listed: Vec<_> = listed.collect();
    match trouble::no_permission() {
        Some(failure) if listed.is_empty() => Err(failure),
        _ => Ok(listed),
    }
}

pub(super) fn choose(cameras: &CameraList<'static>, wanted: &str) -> Result<Camera<'static>, Failure> {
    let all: Vec<_> = (0..cameras.len()).filter_map(|index| cameras.get(index)).collect();
    if all.is_empty() {
        return Err(trouble::no_camera());
    }
    let ids: Vec<_> = all.iter().map(|camera| camera.id().to_owned()).collect();
    let found = match ids.iter().position(|id| id == wanted) {
        None if wanted.is_empty() => Some(0),
        None => wanted.parse().ok().filter(|index| *index < ids.len()),
        by_id => by_id,
    };
    found.and_then(|index| all.into_iter().nth(index)).ok_or_else(|| trouble::unknown_camera(wanted, &ids))
}

fn model(camera: &Camera<'_>) -> Option<String> {
    camera.properties().get::<properties::Model>().ok().map(|model| model.0)
}

fn location(camera: &Camera<'_>) -> Option<&'static str> {
    Some(match camera.properties().get::<properties::Location>().ok()? {
        properties::Location::CameraFront => "front",
        properties::Location::CameraBack => "back",
        properties::Location::CameraExternal => "external",
    })
}

pub(super) fn describe(camera: &Camera<'_>) -> String {
    match model(camera) {
        Some(model) if model != camera.id() => format!("{model} ({})", camera.id()),
        _ => camera.id().to_owned(),
    }
}
