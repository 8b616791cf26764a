//! Cameras on pages of other sites by Socket.IO, as `embed.js` shows them.

use std::fs;

use serde_json::json;

use crate::support::{Browser, Daemon, Manner, Reply, StandIn, eventually, get, request};

const LONG: &str = "linger = \"1h\"";
const FRIEND: &str = "https://friend.example";
const STRANGER: &str = "https://stranger.example";
const POLLING: &str = "/socket.io/?EIO=4&transport=polling";

fn shared(camera: &StandIn, name: &str) -> String {
    camera.entry(name, &format!("{LONG}\norigins = [\"{FRIEND}\"]"))
}

fn of(origin: &'static str, namespace: &str) -> Manner {
    Manner { origin: Some(origin), namespace: namespace.to_owned(), ..Manner::default() }
}

fn sharing(reply: &Reply) -> [&str; 3] {
    ["access-control-allow-origin", "cross-origin-resource-policy", "vary"].map(|name| reply.header(name))
}

/// What a page is told that is not let in to a camera.
async fn refusal(daemon: &Daemon, manner: Manner) -> String {
    let browser = Browser::knock(daemon.address, manner).await;
    let refused = eventually("a refusal", async || browser.refused()).await;
    refused["message"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_a_site_that_is_let_in_watches_that_camera_and_no_other() {
    let (first, own) = (StandIn::new(), StandIn::new());
    let daemon = Daemon::start(&(shared(&first, "shared") + &own.entry("own", LONG))).await;
    for namespace in ["/shared", "/"] {
        let browser = Browser::with(daemon.address, of(FRIEND, namespace)).await;
        assert_eq!(browser.ask("start-stream").await["ok"], true);
        browser.picture().await;
        browser.picture().await;
    }
    let told = refusal(&daemon, of(FRIEND, "/own")).await;
    assert!(told.contains("own") && told.contains(&format!("origins = [\"{FRIEND}\"]")), "{told}");
    // The daemon's own page, and programs, are let in everywhere.
    Browser::with(daemon.address, Manner::of("own")).await;
    assert!(own.starts().is_empty(), "no page of another site has started it");
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_camera_s_second_name_is_no_way_around_its_list() {
    let (own, other) = (StandIn::new(), StandIn::new());
    let daemon = Daemon::start(&(own.entry("own", LONG) + &shared(&other, "shared"))).await;
    for protocol in [4, 3] {
        let told = refusal(&daemon, Manner { protocol, ..of(FRIEND, "/") });
        assert!(told.await.contains("own"));
        let browser = Browser::with(daemon.address, Manner { protocol, ..of(FRIEND, "/shared") }).await;
        browser.ask("start-stream").await;
        browser.picture().await;
    }
    assert!(own.starts().is_empty());
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn polling_answers_are_for_the_pages_that_are_let_in() {
    let camera = StandIn::new();
    let daemon = Daemon::start(&shared(&camera, "tank")).await;
    let ask = async |method, headers: &str| request(daemon.address, method, POLLING, headers, b"").await;
    let friend = format!("Origin: {FRIEND}\r\nSec-Fetch-Site: cross-site\r\n");
    let reply = ask("GET", &friend).await;
    assert_eq!((reply.status, sharing(&reply)), (200, [FRIEND, "cross-origin", "origin"]));
    let first = format!("{friend}Access-Control-Request-Method: POST\r\n");
    let reply = ask("OPTIONS", &first).await;
    assert_eq!((reply.status, sharing(&reply)), (204, [FRIEND, "cross-origin", "origin"]));
    assert_eq!(reply.header("access-control-allow-methods"), "GET, POST");
    assert_eq!(reply.header("access-control-allow-headers"), "content-type");
    let stranger = first.replace(FRIEND, STRANGER);
    let image = format!("Referer: {FRIEND}/\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n");
    let sister = "Sec-Fetch-Site: same-site\r\nSec-Fetch-Mode: no-cors\r\n";
    for (method, headers) in [("GET", &*stranger), ("OPTIONS", &stranger), ("GET", &image), ("GET", sister)] {
        let reply = ask(method, headers).await;
        assert_eq!((reply.status, sharing(&reply)), (403, ["", "same-origin", ""]), "{method} {headers}");
    }
    let rebound = format!("Host: friend.example\r\n{friend}");
    assert_eq!(ask("GET", &rebound).await.status, 421);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_list_counts_at_once_and_ends_connections_that_it_forbids() {
    let camera = StandIn::new();
    let daemon = Daemon::start(&camera.entry("tank", LONG)).await;
    let own = Browser::open(daemon.address).await;
    own.ask("start-stream").await;
    let knock = async || {
        let reply = request(daemon.address, "GET", POLLING, &format!("Origin: {FRIEND}\r\n"), b"").await;
        reply.status
    };
    assert_eq!(knock().await, 403);
    fs::write(daemon.config_file(), shared(&camera, "tank")).unwrap();
    eventually("the new list", async || (knock().await == 200).then_some(())).await;
    let main = Browser::with(daemon.address, of(FRIEND, "/")).await;
    let named = Browser::with(daemon.address, of(FRIEND, "/tank")).await;
    daemon.until_it("tank", "three viewers", |state| state["viewers"] == 3).await;
    fs::write(daemon.config_file(), camera.entry("tank", LONG)).unwrap();
    daemon.until_it("tank", "one viewer", |state| state["viewers"] == 1).await;
    eventually("their end", async || (main.is_closed() && named.is_closed()).then_some(())).await;
    own.forget("liveStream");
    own.picture().await;
    assert_eq!(camera.starts().len(), 1);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_element_s_script_is_for_pages_of_every_site_and_small() {
    let camera = StandIn::new();
    let daemon = Daemon::start(&camera.entry("tank", LONG)).await;
    let foreign = [
        format!("Origin: {STRANGER}\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: cors\r\n"),
        "Origin: null\r\n".to_owned(),
        "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: script\r\n".to_owned(),
        "Sec-Fetch-Site: same-site\r\nSec-Fetch-Mode: no-cors\r\n".to_owned(),
        String::new(),
    ];
    for headers in foreign {
        let reply = request(daemon.address, "GET", "/embed.js", &headers, b"").await;
        assert_eq!((reply.status, sharing(&reply)), (200, ["*", "cross-origin", ""]), "{headers}");
        assert_eq!(reply.header("cache-control"), "public, max-age=600");
        assert!(reply.header("content-type").starts_with("text/javascript"));
        let known = format!("{headers}If-None-Match: {}\r\n", reply.header("etag"));
        let again = request(daemon.address, "GET", "/embed.js", &known, b"").await;
        assert_eq!((again.status, sharing(&again)), (304, ["*", "cross-origin", ""]), "{headers}");
    }
    let stranger = format!("Origin: {STRANGER}\r\n");
    for (method, path) in [("POST", "/embed.js"), ("GET", "/app.js"), ("GET", "/embed.js/")] {
        let reply = request(daemon.address, method, path, &stranger, b"").await;
        assert_eq!((reply.status, sharing(&reply)), (403, ["", "same-origin", ""]), "{method} {path}");
    }
    let rebound = format!("Host: stranger.example\r\n{stranger}");
    assert_eq!(request(daemon.address, "GET", "/embed.js", &rebound, b"").await.status, 421);
    let script = get(daemon.address, "/embed.js").await.body;
    assert!(script.len() < 12_000, "embed.js has {} bytes", script.len());
    assert_eq!(get(daemon.address, "/api/cameras/tank").await.json()["viewers"], json!(0));
    daemon.stop().await;
}
