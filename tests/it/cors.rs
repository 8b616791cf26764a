//! Pages of other sites: refused, but where a camera's `origins` lets them in.

use std::fs;

use tokio_tungstenite::{client_async, tungstenite::client::IntoClientRequest};

use crate::support::{Daemon, Mjpeg, Reply, StandIn, eventually, get, in_time, request};

const LONG: &str = "linger = \"1h\"";
const FRIEND: &str = "http://octopi.local:5000";
const STRANGER: &str = "http://stranger.example";

async fn ask(daemon: &Daemon, path: &str, headers: &str) -> Reply {
    request(daemon.address, "GET", path, headers, b"").await
}

fn sharing(reply: &Reply) -> [&str; 2] {
    ["access-control-allow-origin", "cross-origin-resource-policy"].map(|name| reply.header(name))
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_sites_of_the_configuration_may_show_a_camera_and_only_that_camera() {
    let (shared, own) = (StandIn::new(), StandIn::new());
    let config =
        shared.entry("shared", &format!("{LONG}\norigins = [\"{FRIEND}/\"]")) + &own.entry("own", LONG);
    let daemon = Daemon::start(&config).await;
    let shown =
        format!("Referer: {FRIEND}/webcam\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n");
    let read = format!("Origin: {FRIEND}\r\nReferer: {FRIEND}/\r\n");
    for path in ["/snapshot.jpg", "/?action=snapshot", "/cameras/shared/image_stream.jpg"] {
        let reply = ask(&daemon, path, &shown).await;
        assert_eq!((reply.status, sharing(&reply)), (200, ["", "cross-origin"]), "{path}");
        let reply = ask(&daemon, path, &read).await;
        assert_eq!((reply.status, sharing(&reply)), (200, [FRIEND, "cross-origin"]), "{path}");
        assert_eq!(reply.header("vary"), "origin, referer");
        assert!(reply.header("access-control-expose-headers").contains("x-timestamp"));
    }
    // An error of a shared camera can be read too.
    let reply = ask(&daemon, "/stream.mjpg?fps=0", &read).await;
    assert_eq!((reply.status, sharing(&reply)), (400, [FRIEND, "cross-origin"]));
    for path in
        ["/", "/api/cameras", "/cameras/own/snapshot.jpg", "/cameras/own/stream", "/?action=snapshot_1"]
    {
        assert_eq!(ask(&daemon, path, &read).await.status, 403, "{path}");
        assert_eq!(ask(&daemon, path, &shown).await.status, 403, "{path}");
    }
    let stranger = format!("Origin: {STRANGER}\r\nReferer: {FRIEND}/\r\n");
    let unseen = "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n";
    for headers in [&stranger, unseen, "Origin: null\r\n"] {
        let reply = ask(&daemon, "/snapshot.jpg", headers).await;
        assert_eq!((reply.status, sharing(&reply)), (403, ["", "same-origin"]), "{headers}");
    }
    // A name that somebody else has given this machine stays refused.
    let rebound = format!("Host: stranger.example\r\n{read}");
    assert_eq!(ask(&daemon, "/snapshot.jpg", &rebound).await.status, 421);
    // Programs are no sites.
    let reply = get(daemon.address, "/snapshot.jpg").await;
    assert_eq!((reply.status, sharing(&reply)), (200, ["", "same-origin"]));
    assert!(own.starts().is_empty(), "no page of another site has started it");
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_let_in_may_ask_first_and_open_streams_and_sockets() {
    let camera = StandIn::new();
    let daemon = Daemon::start(&camera.entry("tank", &format!("{LONG}\norigins = [\"{FRIEND}\"]"))).await;
    let ask_first = format!("Origin: {FRIEND}\r\nAccess-Control-Request-Method: GET\r\n");
    let reply = request(daemon.address, "OPTIONS", "/snapshot.jpg", &ask_first, b"").await;
    assert_eq!((reply.status, sharing(&reply)), (204, [FRIEND, "cross-origin"]));
    assert!(reply.header("access-control-allow-headers").contains("if-none-match"));
    let stranger = ask_first.replace(FRIEND, STRANGER);
    let reply = request(daemon.address, "OPTIONS", "/snapshot.jpg", &stranger, b"").await;
    assert_eq!((reply.status, sharing(&reply)), (403, ["", "same-origin"]));
    let reply = request(daemon.address, "OPTIONS", "/snapshot.jpg", "", b"").await;
    assert_eq!(reply.status, 405);
    for (origin, welcome) in [(FRIEND, true), (STRANGER, false)] {
        let mut opening = format!("ws://{}/ws", daemon.address).into_client_request().unwrap();
        opening.headers_mut().insert("origin", origin.parse().unwrap());
        let stream = tokio::net::TcpStream::connect(daemon.address).await.unwrap();
        let opened = in_time("an answer", client_async(opening, stream)).await;
        assert_eq!(opened.is_ok(), welcome, "{origin}");
    }
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_is_taken_over_while_it_runs_and_the_camera_does_not_notice() {
    let camera = StandIn::new();
    let daemon = Daemon::start(&camera.entry("tank", LONG)).await;
    let mut stream = Mjpeg::open(daemon.address, "/stream.mjpg").await;
    let read = format!("Origin: {STRANGER}\r\n");
    assert_eq!(ask(&daemon, "/snapshot.jpg", &read).await.status, 403);
    fs::write(daemon.config_file(), camera.entry("tank", &format!("{LONG}\norigins = [\"*\"]"))).unwrap();
    let reply = eventually("the new list", async || {
        Some(ask(&daemon, "/snapshot.jpg", &read).await).filter(|reply| reply.status == 200)
    })
    .await;
    assert_eq!((sharing(&reply), reply.header("vary")), (["*", "cross-origin"], ""));
    stream.picture().await;
    stream.picture().await;
    assert_eq!(camera.starts().len(), 1);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_of_a_site_that_is_let_in_shows_the_page_of_that_camera_and_no_other() {
    let (shared, own) = (StandIn::new(), StandIn::new());
    let config = shared.entry("shared", &format!("origins = [\"{FRIEND}\"]")) + &own.entry("own", "");
    let daemon = Daemon::start(&config).await;
    let from = |site: &str| {
        format!(
            "Referer: {site}/page\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe\r\n"
        )
    };
    let shown = ask(&daemon, "/cameras/shared/", &from(FRIEND)).await;
    assert_eq!(shown.status, 200);
    let policy =
        |reply: &Reply| reply.header("content-security-policy").rsplit_once("; ").unwrap().1.to_owned();
    assert_eq!(policy(&shown), format!("frame-ancestors 'self' {FRIEND}"));
    for (path, site) in [
        ("/cameras/shared/", STRANGER),
        ("/cameras/own/", FRIEND),
        ("/", FRIEND),
        ("/access", FRIEND),
        ("/api/cameras", FRIEND),
    ] {
        assert_eq!(ask(&daemon, path, &from(site)).await.status, 403, "{path} {site}");
    }
    for path in ["/cameras/own/", "/", "/sign-in"] {
        assert_eq!(policy(&ask(&daemon, path, "").await), "frame-ancestors 'self'", "{path}");
    }
    assert_eq!((shared.starts(), own.starts()), (vec![], vec![]));
    daemon.stop().await;
}
