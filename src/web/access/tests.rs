use std::collections::HashSet;

use http::HeaderName;

use super::*;
use crate::web::route::{Route, Way, Which, methods, route};

const DOCUMENTED: &str = include_str!("../../../docs/access.md");

/// Each request of the table, its method, address and what it needs.
fn documented() -> Vec<(Method, &'static str, &'static str)> {
    let section = DOCUMENTED.split("\n## Who may do what\n").nth(1).unwrap();
    let table = section.split("\n\n").find(|part| part.starts_with("| request | needs |")).unwrap();
    let row = |line: &'static str| {
        let mut cells = line.trim_matches('|').split('|').map(str::trim);
        let (method, address) = cells.next().unwrap().trim_matches('`').split_once(' ').unwrap();
        (method.parse().unwrap(), address, cells.next().unwrap())
    };
    table.lines().skip(2).map(row).collect()
}

fn said(needs: Needs<'_>) -> &'static str {
    match needs {
        Needs::Nothing => "nothing",
        Needs::LookAtAny => "look at any",
        Needs::Look(_) => "look",
        Needs::Manage => "manage",
        Needs::Keys => "keys",
        Needs::Local => "local",
        Needs::UploadToken => "token",
    }
}

/// The name of each kind of route. One that is new does not compile here, and then has to be documented.
fn name(route: &Route<'_>) -> &'static str {
    match route {
        Route::Home => "home",
        Route::StatsPage => "stats page",
        Route::AccessPage => "access page",
        Route::File => "file",
        Route::CameraPage(_) => "camera page",
        Route::CameraPageWithoutSlash(_) => "camera page without slash",
        Route::Watch(_, Way::Image) => "image",
        Route::Watch(_, Way::Snapshot) => "snapshot",
        Route::Watch(_, Way::Latest) => "latest",
        Route::Watch(_, Way::Mjpeg) => "mjpeg",
        Route::Watch(_, Way::WebSocket) => "websocket",
        Route::NoAction(_) => "no action",
        Route::Cameras => "cameras",
        Route::Camera(_) => "camera",
        Route::Controls(_) => "controls",
        Route::Upload(_) => "upload",
        Route::Ledger(_) => "ledger",
        Route::Status => "status",
        Route::Stats => "stats",
        Route::Health => "health",
        Route::Access => "access",
        Route::Setup => "setup",
        Route::Login => "login",
        Route::Logout => "logout",
        Route::Password => "password",
        Route::Sessions => "sessions",
        Route::Session(_) => "session",
        Route::Apps => "apps",
        Route::App(_) => "app",
        Route::Links => "links",
        Route::Link(_) => "link",
        Route::Guest => "guest",
        Route::SocketIo => "socketio",
        Route::SocketIoClient => "socketio client",
        Route::Nothing => "nothing",
    }
}

/// As many as `name` has.
const KINDS: usize = 35;

#[test]
fn the_documentation_has_each_route_with_each_of_its_methods_and_what_it_needs() {
    let mut kinds = HashSet::new();
    for (method, address, needs) in documented() {
        let (path, query) =
            address.split_once('?').map_or((address, None), |(path, query)| (path, Some(query)));
        let route = route(path, query);
        assert_eq!(said(table::needs(&route, &method)), needs, "{method} {address}");
        assert!(methods(&route).split(", ").any(|one| one == method.as_str()), "{method} {address}");
        if kinds.insert(name(&route)) {
            for one in methods(&route).split(", ").filter(|one| *one != "HEAD") {
                let other =
                    documented().into_iter().any(|(method, other, _)| other == address && method == one);
                assert!(other, "{one} {address} is not documented");
            }
        }
    }
    assert_eq!(kinds.len(), KINDS, "a route is not documented: {kinds:?}");
}

#[test]
fn each_role_may_what_the_documentation_says() {
    let cameras = Cameras::new(Vec::new());
    let tank = || Some("tank".parse().unwrap());
    let all = [
        Needs::Nothing,
        Needs::LookAtAny,
        Needs::Look(Which::Named("tank")),
        Needs::Manage,
        Needs::Keys,
        Needs::Local,
        Needs::UploadToken,
    ];
    let may = |who: &Who| all.map(|needs| table::may(who, needs, &cameras));
    assert_eq!(may(&Who::Nobody), [true, false, false, false, false, false, true]);
    // There is no such camera, so it is not that of the guest.
    assert_eq!(may(&Who::Viewer(tank())), [true, true, false, false, false, false, true]);
    assert_eq!(may(&Who::Viewer(None)), [true, true, true, false, false, false, true]);
    assert_eq!(may(&Who::Everybody), [true, true, true, true, false, false, true]);
    assert_eq!(may(&Who::Owner), [true, true, true, true, true, false, true]);
    assert_eq!(may(&Who::Local), [true; 7]);
}

#[test]
fn a_page_is_told_from_a_picture_and_a_program_from_a_browser() {
    let headers = |lines: &[(&'static str, &'static str)]| -> HeaderMap {
        let line = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        lines.iter().map(line).collect()
    };
    let html = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
    let firefox = ("user-agent", "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0");
    assert!(
        is_navigation(&headers(&[html, ("sec-fetch-mode", "navigate")])) && is_navigation(&headers(&[html]))
    );
    assert!(!is_navigation(&headers(&[html, ("sec-fetch-mode", "cors")])) && !is_navigation(&headers(&[])));
    assert!(!is_navigation(&headers(&[("accept", "image/avif,image/*,*/*;q=0.8")])));
    assert!(is_program(&headers(&[])) && is_program(&headers(&[("user-agent", "VLC/3.0.20 LibVLC/3.0.20")])));
    assert!(!is_program(&headers(&[firefox])) && !is_program(&headers(&[("sec-fetch-mode", "no-cors")])));
}

#[test]
fn what_a_cache_may_keep_it_keeps_for_one_alone() {
    for (before, after) in [
        ("public, max-age=60, immutable", "private, max-age=60, immutable"),
        ("max-age=1", "private, max-age=1"),
        ("private, max-age=1", "private, max-age=1"),
        ("no-store", "no-store"),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(before));
        make_private(&mut headers);
        assert_eq!(headers[header::CACHE_CONTROL], after);
    }
    let mut none = HeaderMap::new();
    make_private(&mut none);
    assert!(none.is_empty());
}
