//! The cameras of the daemon, which a new configuration may change while it runs.

use std::sync::Arc;

use tokio::sync::watch;

use super::Camera;

/// All cameras, in the order of the configuration. Clones share the list.
#[derive(Debug, Clone)]
pub struct Cameras {
    list: Arc<watch::Sender<Vec<Camera>>>,
}

impl Cameras {
    /// A list of cameras; the first is the default one.
    pub fn new(cameras: Vec<Camera>) -> Self {
        Self { list: Arc::new(watch::channel(cameras).0) }
    }

    /// The default camera; none only while the daemon ends.
    pub fn first(&self) -> Option<Camera> {
        self.list.borrow().first().cloned()
    }

    /// The camera of that name.
    pub fn get(&self, name: &str) -> Option<Camera> {
        self.list.borrow().iter().find(|camera| camera.name().as_str() == name).cloned()
    }

    /// All of them.
    pub fn all(&self) -> Vec<Camera> {
        self.list.borrow().clone()
    }

    /// Replaces the list.
    pub fn replace(&self, cameras: Vec<Camera>) {
        self.list.send_replace(cameras);
    }

    /// Whether that is the default camera.
    pub fn is_first(&self, camera: &Camera) -> bool {
        self.list.borrow().first().is_some_and(|first| first.is(camera))
    }
}
