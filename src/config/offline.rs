//! What is shown in place of a camera that is off or gone.

use std::time::Duration;

/// The recorded pictures of a camera, and when they are shown: `[camera.offline]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfflineConfig {
    /// A folder of JPEGs; empty for none.
    pub folder: String,
    /// How long a stretch of live pictures is remembered to be shown; zero for none.
    pub remember: Duration,
    /// How long there may be no live picture while somebody watches.
    pub after: Duration,
    /// The time from one recorded picture to the next.
    pub interval: Duration,
    /// Whether viewers are told that the pictures are recorded, and when.
    pub announce: bool,
}

impl OfflineConfig {
    /// Whether there is anything to show.
    pub fn has_material(&self) -> bool {
        !self.folder.is_empty() || !self.remember.is_zero()
    }
}

impl Default for OfflineConfig {
    fn default() -> Self {
        Self {
            folder: String::new(),
            remember: Duration::ZERO,
            after: Duration::from_secs(10),
            interval: Duration::from_secs(1),
            announce: true,
        }
    }
}
