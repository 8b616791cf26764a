//! What a change of the configuration means.

use super::{
    CameraConfig, CameraName, Config,
    keys::{CAMERA, GLOBAL, Key},
};

/// The difference between two configurations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Cameras that only the new one has, in its order.
    pub added: Vec<CameraName>,
    /// Cameras that only the old one has, in its order.
    pub removed: Vec<CameraName>,
    /// Cameras that both have, with other settings.
    pub changed: Vec<CameraChange>,
    /// The cameras that both have stand in another order or another camera is the first, the default one.
    pub reordered: bool,
    /// Keys outside `[[camera]]` that have changed. The daemon takes over what it can; the others take effect with the
    /// next start.
    pub restart: Vec<&'static str>,
}

/// A camera with other settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CameraChange {
    /// Which camera.
    pub name: CameraName,
    /// Its keys that have changed, such as `interval`.
    pub keys: Vec<&'static str>,
}

impl Changes {
    /// Nothing has changed.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Says what has changed from one configuration to the other. A camera is the same if its name is.
pub fn diff(old: &Config, new: &Config) -> Changes {
    let only_in = |a: &Config, b: &Config| {
        let names = a.cameras.iter().map(|camera| &camera.name);
        names.filter(|name| find(b, name).is_none()).cloned().collect()
    };
    let both = || new.cameras.iter().filter_map(|new| Some((find(old, &new.name)?, new)));
    let changed = both()
        .map(|(old, new)| CameraChange { name: new.name.clone(), keys: differing(CAMERA, old, new) })
        .filter(|change| !change.keys.is_empty())
        .collect();
    let stayed = old.cameras.iter().filter(|camera| find(new, &camera.name).is_some());
    let first = |config: &Config| config.cameras.first().map(|camera| camera.name.clone());
    Changes {
        added: only_in(new, old),
        removed: only_in(old, new),
        changed,
        reordered: first(old) != first(new)
            || !both().map(|(_, camera)| &camera.name).eq(stayed.map(|camera| &camera.name)),
        restart: differing(GLOBAL, old, new),
    }
}

fn find<'c>(config: &'c Config, name: &CameraName) -> Option<&'c CameraConfig> {
    config.cameras.iter().find(|camera| camera.name == *name)
}

fn differing<T>(keys: &[Key<T>], old: &T, new: &T) -> Vec<&'static str> {
    keys.iter().filter(|key| (key.show)(old) != (key.show)(new)).map(|key| key.name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(names: &[&str]) -> Config {
        let camera = |name: &&str| CameraConfig { name: name.parse().unwrap(), ..CameraConfig::default() };
        Config { cameras: names.iter().map(camera).collect(), ..Config::default() }
    }

    fn name(name: &str) -> CameraName {
        name.parse().unwrap()
    }

    #[test]
    fn cameras_are_told_apart_by_their_names() {
        let old = config(&["a", "b", "c"]);
        let mut new = config(&["a", "c", "d"]);
        new.cameras[1].quality = 1;
        new.cameras[1].hflip = true;
        let changed = vec![CameraChange { name: name("c"), keys: vec!["quality", "hflip"] }];
        let expected =
            Changes { added: vec![name("d")], removed: vec![name("b")], changed, ..Changes::default() };
        assert_eq!(diff(&old, &new), expected);
    }

    #[test]
    fn another_order_and_another_first_camera_count() {
        let reordered = |old: &[&str], new: &[&str]| diff(&config(old), &config(new)).reordered;
        assert!(reordered(&["a", "b"], &["b", "a"]));
        assert!(reordered(&["a", "b"], &["b"]), "the default camera is another one");
        assert!(reordered(&["a", "b", "c"], &["a", "c", "b"]));
        assert!(!reordered(&["a", "b", "c"], &["a", "c", "d"]));
    }

    #[test]
    fn other_keys_need_a_restart_and_are_named() {
        let old = config(&["a"]);
        let mut new = old.clone();
        new.listen.set_port(1);
        new.hosts.push("b".into());
        new.log.level = crate::config::LogLevel::Trace;
        assert_eq!(
            diff(&old, &new),
            Changes { restart: vec!["listen", "hosts", "log.level"], ..Changes::default() }
        );
    }
}
