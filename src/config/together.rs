//! What of a camera's offline loop and privacy does not go together.

use super::{CameraConfig, value::Fault};

/// Each with the key to blame, and another that stands for it where it was not written.
pub(super) fn faults(camera: &CameraConfig) -> Vec<(&'static str, &'static str, Fault)> {
    let CameraConfig { offline, privacy, .. } = camera;
    let mut faults = Vec::new();
    if !offline.folder.is_empty() && !offline.remember.is_zero() {
        let fault = Fault::new("recorded pictures come from a folder or are remembered, not both");
        faults.push(("offline.remember", "offline.folder", fault.hint("leave folder or remember out")));
    }
    if privacy.interleave > 0.0 && !offline.has_material() {
        let fault = Fault::new("there are no recorded pictures to interleave");
        let hint = "set folder = \"…\" or remember = \"30s\" under [camera.offline]";
        faults.push(("privacy.interleave", "privacy", fault.hint(hint)));
    }
    if privacy.shortest > privacy.longest {
        let fault = Fault::new("the shortest recorded stretch is longer than the longest");
        faults.push(("privacy.shortest", "privacy.longest", fault.hint("make longest longer")));
    }
    faults
}
