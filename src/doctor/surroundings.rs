//! What several topics need to judge: what machine it is, whether Eyelid is a service on it, what is configured.

use std::{net::SocketAddr, path::Path, sync::Arc};

use super::read;
use crate::config::{self, Config, ConfigErrors, Kind, Loaded, Request, Switch};

/// The folders where a unit may lie: the owner's, a package's.
const UNITS: [&str; 3] = ["/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];

/// See above.
#[derive(Debug, Clone)]
pub(super) struct Surroundings {
    /// Whether it is a Raspberry Pi.
    pub(super) pi: bool,
    /// Whether Eyelid is installed as a service.
    pub(super) service: bool,
    /// What is configured, or what is wrong there.
    pub(super) loaded: Arc<Result<Loaded, ConfigErrors>>,
    /// The configuration in force; the defaults where it has mistakes.
    pub(super) config: Arc<Config>,
}

impl Surroundings {
    pub(super) fn look(request: &Request) -> Self {
        let pi = read("/proc/device-tree/model").is_some_and(|model| model.contains("Raspberry Pi"));
        let service = UNITS.iter().any(|folder| Path::new(folder).join("eyelid.service").exists());
        Self::new(pi, service, config::load(request))
    }

    pub(super) fn new(pi: bool, service: bool, loaded: Result<Loaded, ConfigErrors>) -> Self {
        let config = loaded.as_ref().map(|loaded| loaded.config.clone()).unwrap_or_default();
        Self { pi, service, loaded: Arc::new(loaded), config: Arc::new(config) }
    }

    /// Where the daemon is told to listen.
    pub(super) fn listen(&self) -> SocketAddr {
        self.config.listen
    }

    /// Whether a camera is of one of these kinds.
    pub(super) fn has(&self, kinds: &[Kind]) -> bool {
        self.config.cameras.iter().any(|camera| kinds.contains(&camera.kind))
    }

    /// Whether there has to be a libcamera camera.
    pub(super) fn needs_libcamera(&self) -> bool {
        self.has(&[Kind::Libcamera, Kind::Rpicam])
    }

    /// Whether there has to be a camera at this machine.
    pub(super) fn needs_camera(&self) -> bool {
        self.needs_libcamera() || self.has(&[Kind::V4l2])
    }

    /// Whether a camera at this machine would be used.
    pub(super) fn uses_camera(&self) -> bool {
        self.needs_camera() || self.has(&[Kind::Auto])
    }

    /// Whether a camera has a switch at a GPIO line.
    pub(super) fn uses_gpio(&self) -> bool {
        let at_a_line = |switch: &Option<Switch>| matches!(switch, Some(Switch::Gpio { .. }));
        self.config.cameras.iter().any(|camera| at_a_line(&camera.privacy.switch))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::config::CameraConfig;

    /// Surroundings with cameras of these kinds.
    pub(crate) fn around(pi: bool, service: bool, kinds: &[Kind]) -> Surroundings {
        let cameras =
            kinds.iter().map(|kind| CameraConfig { kind: *kind, ..CameraConfig::default() }).collect();
        with(pi, service, Config { cameras, ..Config::default() })
    }

    /// Surroundings with this configuration.
    pub(crate) fn with(pi: bool, service: bool, config: Config) -> Surroundings {
        Surroundings::new(pi, service, Ok(Loaded { config, file: None, warnings: Vec::new() }))
    }

    #[test]
    fn what_is_needed_follows_from_the_kinds() {
        let needs = |kinds: &[Kind]| {
            let around = around(true, false, kinds);
            (around.uses_camera(), around.needs_camera(), around.needs_libcamera())
        };
        assert_eq!(needs(&[Kind::Auto]), (true, false, false));
        assert_eq!(needs(&[Kind::Push, Kind::V4l2]), (true, true, false));
        assert_eq!(needs(&[Kind::Rpicam]), (true, true, true));
        assert_eq!(needs(&[Kind::Pattern, Kind::Replay, Kind::Command]), (false, false, false));
    }
}
