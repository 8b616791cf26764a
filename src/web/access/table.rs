//! Who may do what: the one place where that is decided. `docs/access.md` has the same table, and a test compares them.

use http::Method;

use crate::{
    access::Who,
    camera::{Camera, Cameras},
    web::route::{Route, Which},
};

/// What somebody has to be allowed to do, to get an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs<'a> {
    /// Nothing: anybody may.
    Nothing,
    /// To look at some camera.
    LookAtAny,
    /// To look at this camera.
    Look(Which<'a>),
    /// To set what cameras do, and to see what is written down of them.
    Manage,
    /// To say who may come in.
    Keys,
    /// To sit at the machine, as its owner.
    Local,
    /// To have the token of the camera that a picture is sent to. What takes pictures looks at it.
    UploadToken,
}

/// What a route needs. A route without a row does not compile.
pub(super) fn needs<'a>(route: &Route<'a>, method: &Method) -> Needs<'a> {
    match *route {
        Route::Home | Route::Cameras | Route::SocketIo => Needs::LookAtAny,
        Route::CameraPage(name) | Route::CameraPageWithoutSlash(name) | Route::Camera(name) => {
            Needs::Look(Which::Named(name))
        }
        Route::Watch(which, _) => Needs::Look(which),
        Route::StatsPage
        | Route::AccessPage
        | Route::Controls(_)
        | Route::Ledger(_)
        | Route::Status
        | Route::Stats => Needs::Manage,
        Route::Password
        | Route::Sessions
        | Route::Session(_)
        | Route::Apps
        | Route::App(_)
        | Route::Links
        | Route::Link(_) => Needs::Keys,
        Route::Upload(_) => Needs::UploadToken,
        // To choose takes a code, to sign in a password, to come as a guest a link: what these routes are for.
        Route::Setup if *method != Method::POST => Needs::Local,
        Route::Setup | Route::Login | Route::Logout | Route::Guest | Route::Access => Needs::Nothing,
        Route::File | Route::SocketIoClient | Route::Health | Route::NoAction(_) | Route::Nothing => {
            Needs::Nothing
        }
    }
}

/// Whether somebody may do that.
pub(super) fn may(who: &Who, needs: Needs<'_>, cameras: &Cameras) -> bool {
    match (needs, who) {
        (Needs::Nothing | Needs::UploadToken, _) | (_, Who::Local) => true,
        (Needs::Local, _) => false,
        (_, Who::Owner) => true,
        (Needs::Keys, _) => false,
        (Needs::Manage | Needs::LookAtAny | Needs::Look(_), Who::Everybody) => true,
        (Needs::Manage, _) => false,
        (Needs::LookAtAny, Who::Viewer(_)) => true,
        (Needs::LookAtAny, Who::Nobody) => cameras.all().iter().any(Camera::public),
        (Needs::Look(_), Who::Viewer(None)) => true,
        (Needs::Look(which), Who::Viewer(Some(only))) => {
            let camera = which.camera(cameras);
            camera.is_some_and(|camera| camera.name() == only || camera.public())
        }
        (Needs::Look(which), Who::Nobody) => which.camera(cameras).is_some_and(|camera| camera.public()),
    }
}
