//! Clients that send what no client sends. The daemon lives, and its viewers notice nothing.

mod http;
mod socketio;

use crate::support::{Browser, Daemon, StandIn, get};
use eyelid::token::TokenHash;

/// What the sender of the camera `door` says.
const TOKEN: &str = "a token";

/// A daemon with a viewer who has to get pictures before and after.
struct Stage {
    daemon: Daemon,
    viewer: Browser,
    camera: StandIn,
}

impl Stage {
    async fn set() -> Self {
        let camera = StandIn::new();
        let sent = format!(
            "[[camera]]\nname = \"door\"\nkind = \"push\"\nupload_token = \"{}\"\n",
            TokenHash::of(TOKEN)
        );
        let config = camera.entry("tank", "linger = \"0s\"") + &sent;
        let daemon = Daemon::start(&config).await;
        let viewer = Browser::open(daemon.address).await;
        viewer.say("start-stream");
        viewer.picture().await;
        Self { daemon, viewer, camera }
    }

    async fn goes_on(&self) {
        self.viewer.forget("liveStream");
        self.viewer.picture().await;
        assert_eq!(get(self.daemon.address, "/healthz").await.status, 200);
    }

    async fn end(self) {
        self.goes_on().await;
        assert!(!self.viewer.is_closed());
        assert_eq!(self.camera.starts().len(), 1, "the camera was disturbed");
        self.daemon.stop().await;
    }
}

/// Bytes that are the same in each run.
fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8
    };
    (0..length).map(|_| next()).collect()
}
