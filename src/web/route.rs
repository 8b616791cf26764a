//! Which path is what.

use std::borrow::Cow;

use super::{controls, query, upload};
use crate::camera::{Camera, Cameras};

/// Where a path leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route<'a> {
    /// The page of the first camera, or of all.
    Home,
    /// The page of visitors.
    StatsPage,
    /// The page of who may come in.
    AccessPage,
    /// A file of a page, or nothing. There is nothing in it that not everybody may know.
    File,
    /// The page of one camera.
    CameraPage(&'a str),
    /// The same without the slash that its relative URLs need.
    CameraPageWithoutSlash(&'a str),
    /// A way to watch a camera; the default one where none is named.
    Watch(Which<'a>, Way),
    /// What mjpg-streamer would do with this `action`, and nobody else.
    NoAction(Cow<'a, str>),
    Cameras,
    Camera(&'a str),
    Controls(&'a str),
    /// Where pictures are sent: to a camera, or to the first one that takes them.
    Upload(Option<&'a str>),
    Ledger(&'a str),
    Status,
    Stats,
    Health,
    /// What a browser may do, and how it may come in.
    Access,
    Setup,
    Login,
    Logout,
    Password,
    Sessions,
    Session(&'a str),
    Apps,
    App(&'a str),
    Links,
    Link(&'a str),
    Guest,
    /// Socket.IO's engine.
    SocketIo,
    /// A client for it.
    SocketIoClient,
    /// Nothing, below `/api` or a camera.
    Nothing,
}

/// Which camera is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which<'a> {
    /// The one of that place in the configuration.
    Numbered(usize),
    Named(&'a str),
}

impl Which<'_> {
    /// The camera, if there is one.
    pub(super) fn camera(self, cameras: &Cameras) -> Option<Camera> {
        match self {
            Self::Numbered(0) => cameras.first(),
            Self::Numbered(number) => cameras.all().into_iter().nth(number),
            Self::Named(name) => cameras.get(name),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Image,
    Snapshot,
    Latest,
    Mjpeg,
    WebSocket,
}

/// Where this path leads.
pub(super) fn route<'a>(path: &'a str, query: Option<&'a str>) -> Route<'a> {
    // The second name of each is that of µStreamer and camera-streamer.
    let way = |name| match name {
        "image_stream.jpg" => Some(Way::Image),
        "snapshot.jpg" | "snapshot" => Some(Way::Snapshot),
        "latest" => Some(Way::Latest),
        "stream.mjpg" | "stream" => Some(Way::Mjpeg),
        "ws" => Some(Way::WebSocket),
        _ => None,
    };
    let segments: Vec<&str> = path.strip_prefix('/').unwrap_or(path).split('/').collect();
    match segments[..] {
        ["healthz"] => Route::Health,
        ["api", "status"] => Route::Status,
        ["api", "stats"] => Route::Stats,
        ["api", "cameras"] => Route::Cameras,
        ["api", "cameras", name] => Route::Camera(name),
        ["api", "cameras", name, "controls"] => Route::Controls(name),
        ["api", "cameras", name, "ledger"] => Route::Ledger(name),
        ["api", "access"] => Route::Access,
        ["api", "setup"] => Route::Setup,
        ["api", "login"] => Route::Login,
        ["api", "logout"] => Route::Logout,
        ["api", "password"] => Route::Password,
        ["api", "sessions"] => Route::Sessions,
        ["api", "sessions", id] => Route::Session(id),
        ["api", "apps"] => Route::Apps,
        ["api", "apps", id] => Route::App(id),
        ["api", "links"] => Route::Links,
        ["api", "links", id] => Route::Link(id),
        ["api", "guest"] => Route::Guest,
        ["api", ..] => Route::Nothing,
        ["socket.io", file] if file.ends_with(".js") || file.ends_with(".map") => Route::SocketIoClient,
        ["socket.io", ..] => Route::SocketIo,
        ["index.html"] => Route::Home,
        ["stats" | "stats.html"] => Route::StatsPage,
        ["access" | "access.html"] => Route::AccessPage,
        ["cameras", name] => Route::CameraPageWithoutSlash(name),
        ["cameras", name, ""] => match action(query) {
            None => Route::CameraPage(name),
            Some(Ok((way, None | Some(0)))) => Route::Watch(Which::Named(name), way),
            Some(Ok(_)) => Route::Nothing,
            Some(Err(unknown)) => Route::NoAction(unknown),
        },
        ["upload"] => Route::Upload(None),
        ["cameras", name, "upload"] => Route::Upload(Some(name)),
        ["cameras", name, file] => {
            way(file).map_or(Route::Nothing, |way| Route::Watch(Which::Named(name), way))
        }
        ["cameras", ..] => Route::Nothing,
        [""] => match action(query) {
            None => Route::Home,
            Some(Ok((way, number))) => Route::Watch(Which::Numbered(number.unwrap_or(0)), way),
            Some(Err(unknown)) => Route::NoAction(unknown),
        },
        [file] => way(file).map_or(Route::File, |way| Route::Watch(Which::Numbered(0), way)),
        _ => Route::File,
    }
}

/// The methods that a route answers, as in `Allow`.
pub(super) fn methods(route: &Route<'_>) -> &'static str {
    match route {
        Route::Controls(_) => controls::METHODS,
        Route::Upload(_) => upload::METHODS,
        Route::Login | Route::Logout | Route::Password | Route::Guest => "POST",
        Route::Setup | Route::Apps | Route::Links => "GET, HEAD, POST",
        Route::Session(_) | Route::App(_) | Route::Link(_) => "DELETE",
        _ => "GET, HEAD",
    }
}

/// A way to watch and the number of a camera, or what is neither.
type Action<'a> = Result<(Way, Option<usize>), Cow<'a, str>>;

/// mjpg-streamer's `?action=stream` and `?action=snapshot`, and the number of a camera where it has several:
/// `?action=stream_1`.
fn action(query: Option<&str>) -> Option<Action<'_>> {
    let action = query::value(query, "action")?;
    let (name, number) = match action.split_once('_') {
        None => (&*action, Some(None)),
        Some((name, number)) => (name, number.parse().ok().map(Some)),
    };
    let way = match name {
        "stream" => Some(Way::Mjpeg),
        "snapshot" => Some(Way::Snapshot),
        _ => None,
    };
    Some(way.zip(number).ok_or(action))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_path_leads_where_the_documentation_says() {
        let (first, tank) = (Which::Numbered(0), Which::Named("tank"));
        let cases = [
            ("/", Route::Home),
            ("/?_=1", Route::Home),
            ("/app.js", Route::File),
            ("/image_stream.jpg", Route::Watch(first, Way::Image)),
            ("/latest", Route::Watch(first, Way::Latest)),
            ("/cameras/tank/latest", Route::Watch(tank, Way::Latest)),
            ("/snapshot.jpg", Route::Watch(first, Way::Snapshot)),
            ("/snapshot", Route::Watch(first, Way::Snapshot)),
            ("/?action=snapshot", Route::Watch(first, Way::Snapshot)),
            ("/?action=snapshot&bypassCache=1", Route::Watch(first, Way::Snapshot)),
            ("/stream.mjpg", Route::Watch(first, Way::Mjpeg)),
            ("/stream", Route::Watch(first, Way::Mjpeg)),
            ("/?action=stream", Route::Watch(first, Way::Mjpeg)),
            ("/?cache=1&action=stream_0", Route::Watch(first, Way::Mjpeg)),
            ("/?action=stream_2", Route::Watch(Which::Numbered(2), Way::Mjpeg)),
            ("/?action=command", Route::NoAction("command".into())),
            ("/?action=stream_x", Route::NoAction("stream_x".into())),
            ("/?action=", Route::NoAction("".into())),
            ("/index.html?action=stream", Route::Home),
            ("/stats", Route::StatsPage),
            ("/stats.html", Route::StatsPage),
            ("/access", Route::AccessPage),
            ("/sign-in", Route::File),
            ("/socket.io/", Route::SocketIo),
            ("/socket.io", Route::SocketIo),
            ("/socket.io/x/y.js", Route::SocketIo),
            ("/socket.io/socket.io.js", Route::SocketIoClient),
            ("/api/sessions", Route::Sessions),
            ("/api/sessions/a1", Route::Session("a1")),
            ("/api/links/a1/b", Route::Nothing),
            ("/ws", Route::Watch(first, Way::WebSocket)),
            ("/cameras/tank", Route::CameraPageWithoutSlash("tank")),
            ("/cameras/tank/", Route::CameraPage("tank")),
            ("/cameras/tank/image_stream.jpg", Route::Watch(tank, Way::Image)),
            ("/cameras/tank/snapshot.jpg", Route::Watch(tank, Way::Snapshot)),
            ("/cameras/tank/snapshot", Route::Watch(tank, Way::Snapshot)),
            ("/cameras/tank/?action=snapshot", Route::Watch(tank, Way::Snapshot)),
            ("/cameras/tank/stream.mjpg", Route::Watch(tank, Way::Mjpeg)),
            ("/cameras/tank/stream", Route::Watch(tank, Way::Mjpeg)),
            ("/cameras/tank/?action=stream_0", Route::Watch(tank, Way::Mjpeg)),
            ("/cameras/tank/?action=stream_1", Route::Nothing),
            ("/cameras/tank/?action=x", Route::NoAction("x".into())),
            ("/cameras/tank/ws", Route::Watch(tank, Way::WebSocket)),
            ("/cameras/tank/app.js", Route::Nothing),
            ("/api/cameras", Route::Cameras),
            ("/api/cameras/tank", Route::Camera("tank")),
            ("/api/cameras/tank/controls", Route::Controls("tank")),
            ("/api/cameras/tank/controls/", Route::Nothing),
            ("/api/cameras/tank/ledger", Route::Ledger("tank")),
            ("/api/status", Route::Status),
            ("/api/stats", Route::Stats),
            ("/api", Route::Nothing),
            ("/api/", Route::Nothing),
            ("/healthz", Route::Health),
        ];
        for (address, expected) in cases {
            let (path, query) = address.split_once('?').map_or((address, None), |(p, q)| (p, Some(q)));
            assert_eq!(route(path, query), expected, "{address}");
        }
    }

    proptest! {
        #[test]
        fn no_path_panics(path in ".*", query in proptest::option::of(".*")) {
            route(&path, query.as_deref());
        }

        #[test]
        fn an_action_is_found_wherever_it_stands(
            before in "([a-z]{1,5}=[a-z0-9%+]{0,5}&){0,3}",
            after in "(&[b-z][a-z]{0,4}(=[a-z0-9%+=]{0,5})?){0,3}",
            number in proptest::option::of(0..100usize),
        ) {
            let suffix = number.map_or(String::new(), |number| format!("_{number}"));
            let query = format!("{before}action=stream{suffix}{after}");
            prop_assert_eq!(
                route("/", Some(&query)),
                Route::Watch(Which::Numbered(number.unwrap_or(0)), Way::Mjpeg)
            );
        }
    }
}
