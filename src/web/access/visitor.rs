//! Who a request is from, as an extension of it.

use headers::{Authorization, Cookie, HeaderMapExt, authorization::Basic};
use http::{HeaderMap, header};

use super::table::{self, Needs};
use crate::{
    access::{Access, Browser, Credential, Mode, Who},
    camera::{Camera, Cameras},
    token::TokenHash,
    web::{forwarded::Client, route::Which},
};

/// The name of the cookie with the token of a session.
pub(super) const COOKIE: &str = "eyelid";

/// Who a request is from, and what they may do. What lasts longer than a request asks again when something changes.
#[derive(Clone)]
pub(crate) struct Visitor {
    pub(super) access: Access,
    pub(super) credential: Credential,
    pub(super) client: Client,
    cameras: Cameras,
}

impl Visitor {
    pub(super) fn new(access: &Access, cameras: &Cameras, client: Client, headers: &HeaderMap) -> Self {
        let credential = credential(client, headers);
        Self { access: access.clone(), credential, client, cameras: cameras.clone() }
    }

    pub(super) fn who(&self) -> Who {
        self.access.who(self.credential)
    }

    pub(super) fn mode(&self) -> Mode {
        self.access.mode()
    }

    /// Whether they may do that.
    pub(crate) fn may(&self, needs: Needs<'_>) -> bool {
        table::may(&self.who(), needs, &self.cameras)
    }

    /// Whether they may look at this camera.
    pub(crate) fn may_look(&self, camera: &Camera) -> bool {
        self.may(Needs::Look(Which::Named(camera.name().as_str())))
    }

    /// Whether they may set what cameras do.
    pub(crate) fn may_manage(&self) -> bool {
        self.may(Needs::Manage)
    }

    /// Waits until they may not look at this camera any more.
    pub(crate) async fn shut_out(self, camera: Camera) {
        let mut changes = self.access.changes();
        while self.may_look(&camera) {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// Where the browser comes from, and what it says that it is.
    pub(super) fn browser(&self, headers: &HeaderMap) -> Browser {
        let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
        Browser { address: self.client.address, agent: agent.unwrap_or_default().to_owned() }
    }
}

impl std::fmt::Debug for Visitor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Visitor").field("who", &self.who()).field("client", &self.client).finish()
    }
}

/// What the request shows of who it is from. A cookie comes first: a browser that was asked for a name and a password
/// once sends them for ever.
fn credential(client: Client, headers: &HeaderMap) -> Credential {
    if client.address.is_none() {
        return Credential::Local;
    }
    let cookie = headers.contains_key(header::COOKIE).then(|| headers.typed_get::<Cookie>()).flatten();
    if let Some(token) = cookie.as_ref().and_then(|cookie| cookie.get(COOKIE)) {
        return Credential::Session(TokenHash::of(token));
    }
    let basic =
        headers.contains_key(header::AUTHORIZATION).then(|| headers.typed_get::<Authorization<Basic>>());
    match basic.flatten() {
        Some(basic) => Credential::App(TokenHash::of(basic.password())),
        None => Credential::None,
    }
}
