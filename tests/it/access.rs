//! Signing in and out, guests, app passwords, and what becomes of those who watch when they lose their right.

use std::fs;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::{
    client_async,
    tungstenite::{Message, client::IntoClientRequest, protocol::frame::coding::CloseCode},
};

use crate::support::{
    Browser, Daemon, Manner, PASSWORD, Program, StandIn, app, choose_password, cookie, eventually, get,
    guest, headers_basic, in_time, request, send, setup_code,
};

const CLOSED: &str = "access = \"password\"\n";
const PAGE: &str = "Accept: text/html,*/*;q=0.8\r\nUser-Agent: Mozilla/5.0 (X11)\r\n";

/// As the handshakes of Socket.IO and `ws` show it.
fn credential(shown: &str) -> (&'static str, String) {
    let (name, value) = shown.trim().split_once(": ").unwrap();
    (if name == "Cookie" { "cookie" } else { "authorization" }, value.to_owned())
}

async fn who(daemon: &Daemon, shown: &str) -> String {
    let about = request(daemon.address, "GET", "/api/access", shown, b"").await.json();
    about["who"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_chooses_a_password_signs_out_and_in_again() {
    let camera = StandIn::new();
    let daemon = Daemon::start(&format!("{CLOSED}{}", camera.entry("tank", ""))).await;
    let page = |path: &'static str, shown: String| async move {
        let reply = request(daemon.address, "GET", path, &format!("{PAGE}{shown}"), b"").await;
        (reply.status, reply.header("location").to_owned())
    };
    assert_eq!(page("/cameras/tank/", String::new()).await, (303, "/setup".into()));
    let owner = choose_password(&daemon).await;
    assert_eq!(page("/cameras/tank/", owner.clone()).await, (200, String::new()));
    let led = "/sign-in?to=%2Fcameras%2Ftank%2F%3Fa%3Db%26c";
    assert_eq!(page("/cameras/tank/?a=b&c", String::new()).await, (303, led.into()));

    let reply = send(&daemon, "POST", "/api/logout", &owner, &json!({})).await;
    assert!(reply.status == 200 && reply.header("set-cookie").contains("eyelid=; Path=/; Max-Age=0"));
    assert_eq!(who(&daemon, &owner).await, "nobody");
    let wrong = send(&daemon, "POST", "/api/login", "", &json!({ "password": "wrong horse" })).await;
    assert_eq!((wrong.status, wrong.header("set-cookie")), (401, ""));
    let reply = send(&daemon, "POST", "/api/login", "", &json!({ "password": PASSWORD })).await;
    assert_eq!(who(&daemon, &cookie(&reply)).await, "owner");
    assert!(!reply.header("set-cookie").contains("Secure"), "it came without TLS");

    let kept = daemon.run_folder().parent().unwrap().join("state/access.json");
    let kept = fs::read_to_string(kept).unwrap();
    let token = cookie(&reply).trim().rsplit_once('=').unwrap().1.to_owned();
    assert!(!kept.contains(PASSWORD) && !kept.contains(&token), "a secret is kept: {kept}");
    assert_eq!(camera.starts(), []);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_password_is_replaced_by_a_new_link_and_the_old_sessions_end() {
    let camera = StandIn::new();
    let daemon = Daemon::start(&format!("{CLOSED}{}", camera.entry("tank", ""))).await;
    let before = choose_password(&daemon).await;
    let (code, new) = (setup_code(&daemon).await, "battery staple");
    let chosen = json!({ "code": code, "password": new });
    let after = cookie(&send(&daemon, "POST", "/api/setup", "", &chosen).await);
    assert_eq!((who(&daemon, &before).await, who(&daemon, &after).await), ("nobody".into(), "owner".into()));
    let again = send(&daemon, "POST", "/api/setup", "", &chosen).await;
    assert_eq!(again.status, 401, "{}", again.text());
    for (body, status) in [
        (json!({ "code": code }), 422),
        (json!({ "code": code, "open": true, "password": new }), 422),
        (json!({ "code": code, "password": "short" }), 422),
        (json!({ "code": "", "password": new }), 401),
        (json!({ "code": code, "open": true }), 409),
        (json!({ "code": code, "other": true }), 400),
        (json!([]), 400),
    ] {
        let reply = send(&daemon, "POST", "/api/setup", "", &body).await;
        assert_eq!(reply.status, status, "{body}: {}", reply.text());
    }
    daemon.stop().await;
}

/// The end of what a `ws` viewer gets.
async fn close_code(daemon: &Daemon, shown: &str, revoke: impl AsyncFnOnce()) -> CloseCode {
    let mut opening = format!("ws://{}/cameras/tank/ws", daemon.address).into_client_request().unwrap();
    let (name, value) = credential(shown);
    opening.headers_mut().insert(name, value.parse().unwrap());
    let stream = tokio::net::TcpStream::connect(daemon.address).await.unwrap();
    let (mut socket, _) = client_async(opening, stream).await.unwrap();
    use futures_util::StreamExt;
    let mut revoke = Some(revoke);
    in_time("the end of a WebSocket", async {
        loop {
            match socket.next().await {
                // It watches, so there is something to end.
                Some(Ok(Message::Binary(_))) => {
                    if let Some(revoke) = revoke.take() {
                        revoke().await;
                    }
                }
                Some(Ok(Message::Close(Some(frame)))) => return frame.code,
                Some(Ok(_)) => {}
                other => panic!("it ended without a word: {other:?}"),
            }
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_link_ends_all_that_its_guest_watches_and_the_camera_goes_off() {
    let (tank, door) = (StandIn::new(), StandIn::new());
    let keys = "linger = \"0s\"";
    let config = format!("{CLOSED}{}{}", tank.entry("tank", keys), door.entry("door", keys));
    let daemon = Daemon::start(&config).await;
    let owner = choose_password(&daemon).await;
    let (shown, link) = guest(&daemon, &owner, Some("tank")).await;
    assert_eq!(who(&daemon, &shown).await, "viewer");

    let manner = |camera: &str| Manner { credential: Some(credential(&shown)), ..Manner::of(camera) };
    let elsewhere = Browser::knock(daemon.address, manner("door")).await;
    let refusal = eventually("a refusal", async || elsewhere.refused()).await;
    assert!(refusal["message"].as_str().unwrap().starts_with("sign in first"), "{refusal}");
    let browser = Browser::with(daemon.address, manner("tank")).await;
    browser.say("start-stream");
    browser.next("liveStream").await;

    let mut stream = tokio::net::TcpStream::connect(daemon.address).await.unwrap();
    let asked = format!("GET /cameras/tank/stream.mjpg HTTP/1.1\r\nHost: {}\r\n{shown}\r\n", daemon.address);
    stream.write_all(asked.as_bytes()).await.unwrap();
    let mut head = [0; 15];
    in_time("a stream", stream.read_exact(&mut head)).await.unwrap();
    assert_eq!(&head, b"HTTP/1.0 200 OK");

    let code = close_code(&daemon, &shown, async || {
        let gone = send(&daemon, "DELETE", &format!("/api/links/{link}"), &owner, &json!({})).await;
        assert_eq!(gone.status, 200, "{}", gone.text());
    })
    .await;
    assert_eq!(code, CloseCode::Policy);
    in_time("the end of a stream", stream.read_to_end(&mut Vec::new())).await.unwrap();
    eventually("the end of a Socket.IO connection", async || browser.is_closed().then_some(())).await;
    assert_eq!(who(&daemon, &shown).await, "nobody");
    eventually("the camera off", async || {
        let state = request(daemon.address, "GET", "/api/cameras/tank", &owner, b"").await.json();
        (state["state"] == "idle" && state["viewers"] == 0).then_some(())
    })
    .await;
    assert_eq!(door.starts(), []);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_may_manage_is_told_of_controls_and_nobody_unknown_is_told_anything() {
    let camera = StandIn::new();
    let daemon = Daemon::start(&format!("{CLOSED}{}", camera.entry("tank", ""))).await;
    let owner = choose_password(&daemon).await;
    let (program, _) = app(&daemon, &owner).await;
    let manner = |shown: &str| Manner { credential: Some(credential(shown)), ..Manner::of("tank") };
    let owners = Browser::with(daemon.address, manner(&owner)).await;
    assert!(owners.next("controls").await.is_object());
    let viewers = Browser::with(daemon.address, manner(&program)).await;
    viewers.next("state").await;
    viewers.ask("clock").await;
    assert_eq!(viewers.forget("controls"), 0);
    // Nobody gets no further than the engine's door.
    let polling = "/socket.io/?EIO=4&transport=polling";
    let reply = get(daemon.address, polling).await;
    assert_eq!(reply.status, 401, "{}", reply.text());
    assert!(reply.json()["error"].as_str().unwrap().starts_with("sign in"));
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_is_public_no_more_loses_those_who_are_not_signed_in() {
    let (tank, yard) = (StandIn::new(), StandIn::new());
    let config = |public: bool| {
        format!("{CLOSED}{}{}", tank.entry("tank", ""), yard.entry("yard", &format!("public = {public}")))
    };
    let daemon = Daemon::start(&config(true)).await;
    let owner = choose_password(&daemon).await;
    let names = async |shown: &str| {
        let list = request(daemon.address, "GET", "/api/cameras", shown, b"").await.json();
        let cameras = list["cameras"].as_array().unwrap().clone();
        cameras.iter().map(|camera| camera["camera"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        (names("").await, names(&owner).await),
        (vec!["yard".into()], vec!["tank".into(), "yard".into()])
    );
    let stranger = Browser::with(daemon.address, Manner::of("yard")).await;
    stranger.say("start-stream");
    stranger.picture().await;
    let image = request(daemon.address, "GET", "/cameras/tank/image_stream.jpg", &owner, b"").await;
    assert!(matches!(image.status, 200 | 404), "{}", image.status);
    let owners = Manner { credential: Some(credential(&owner)), ..Manner::of("yard") };
    let owners = Browser::with(daemon.address, owners).await;
    fs::write(daemon.config_file(), config(false)).unwrap();
    eventually("the end of a stranger's connection", async || stranger.is_closed().then_some(())).await;
    owners.ask("clock").await;
    assert_eq!(get(daemon.address, "/cameras/yard/snapshot.jpg").await.status, 401);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_behind_a_password_are_for_no_shared_cache() {
    let camera = StandIn::new();
    let daemon = Daemon::start(&format!("{CLOSED}{}", camera.entry("tank", ""))).await;
    let owner = choose_password(&daemon).await;
    let manner = Manner { credential: Some(credential(&owner)), ..Manner::default() };
    let browser = Browser::with(daemon.address, manner).await;
    browser.say("start-stream");
    let url = format!("/{}", browser.next("liveStream").await.as_str().unwrap());
    let reply = request(daemon.address, "GET", &url, &owner, b"").await;
    assert_eq!(reply.status, 200);
    assert!(reply.header("cache-control").starts_with("private"), "{}", reply.header("cache-control"));
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_are_asked_for_a_password_and_browsers_are_not() {
    let camera = StandIn::new();
    let daemon = Daemon::start(&format!("{CLOSED}{}", camera.entry("tank", ""))).await;
    let owner = choose_password(&daemon).await;
    let (program, id) = app(&daemon, &owner).await;
    let ask = async |headers: &str| {
        let reply = request(daemon.address, "GET", "/snapshot.jpg", headers, b"").await;
        (reply.status, reply.header("www-authenticate").starts_with("Basic "))
    };
    assert_eq!(ask("User-Agent: VLC/3.0.20\r\n").await, (401, true));
    assert_eq!(ask("User-Agent: Mozilla/5.0 (X11) Firefox/140.0\r\n").await, (401, false));
    assert_eq!(ask("Sec-Fetch-Mode: no-cors\r\nSec-Fetch-Site: same-origin\r\n").await, (401, false));
    assert_eq!(ask(&program).await, (200, false));
    // The owner's own password is none for programs: each request would cost a hash.
    let own = format!("Authorization: {}\r\n", headers_basic("owner", PASSWORD));
    assert_eq!(ask(&own).await.0, 401);
    let gone = send(&daemon, "DELETE", &format!("/api/apps/{id}"), &owner, &json!({})).await;
    assert_eq!(gone.status, 200);
    assert_eq!(ask(&program).await, (401, true));
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_link_has_so_many_places_and_a_preview_takes_none() {
    let camera = StandIn::new();
    let daemon = Daemon::start(&format!("{CLOSED}{}", camera.entry("tank", ""))).await;
    let owner = choose_password(&daemon).await;
    let wanted = json!({ "for_ms": 3_600_000, "viewers": 2, "camera": "tank", "name": "aunt" });
    let link = send(&daemon, "POST", "/api/links", &owner, &wanted).await.json();
    let (page, token) = link["url"].as_str().unwrap().split_once('#').unwrap();
    let path = page.strip_prefix(&format!("http://{}", daemon.address)).unwrap();
    for _ in 0..3 {
        assert_eq!(get(daemon.address, path).await.status, 200);
    }
    let come =
        async |shown: &str| send(&daemon, "POST", "/api/guest", shown, &json!({ "token": token })).await;
    let first = come("").await;
    assert_eq!(first.json()["camera"], "tank");
    assert_eq!(come(&cookie(&first)).await.status, 200, "the same browser takes no other place");
    assert_eq!(come(&owner).await.header("set-cookie"), "", "the owner stays the owner");
    let list = request(daemon.address, "GET", "/api/links", &owner, b"").await.json();
    let known = &list["links"][0];
    assert_eq!((&known["used"], &known["viewers"], &known["name"]), (&json!(2), &json!(2), &json!("aunt")));
    assert_eq!(known.get("url"), None);
    assert_eq!(come("").await.status, 403);
    let other = send(&daemon, "POST", "/api/guest", "", &json!({ "token": "x" })).await;
    assert_eq!(other.status, 401);
    for (body, what) in [
        (json!({ "for_ms": 0, "viewers": 1 }), "a moment at least"),
        (json!({ "for_ms": 1e12 as u64, "viewers": 1 }), "a year at most"),
        (json!({ "for_ms": 1, "viewers": 0 }), "1 to 1000"),
        (json!({ "for_ms": 1, "viewers": 1, "camera": "none" }), "no camera none"),
        (json!({ "for_ms": 1, "viewers": 1, "name": "a\nb" }), "on one line"),
    ] {
        let reply = send(&daemon, "POST", "/api/links", &owner, &body).await;
        assert!(reply.status == 422 && reply.text().contains(what), "{body}: {}", reply.text());
    }
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_from_many_addresses_are_few_in_all_and_disturb_neither_pictures_nor_the_owner() {
    let camera = StandIn::new();
    let config = format!("{CLOSED}proxies = [\"127.0.0.1\"]\n{}", camera.entry("tank", ""));
    let daemon = Daemon::start(&config).await;
    let owner = choose_password(&daemon).await;
    let manner = Manner { credential: Some(credential(&owner)), ..Manner::default() };
    let browser = Browser::with(daemon.address, manner).await;
    browser.say("start-stream");
    let guess = async |number: usize| {
        let from = format!("X-Forwarded-For: 10.0.{}.{}\r\n", number / 250, number % 250 + 1);
        let body = json!({ "password": format!("password {number}") });
        send(&daemon, "POST", "/api/login", &from, &body).await
    };
    let mut evaluated = 0;
    for tens in 0..20 {
        let replies = futures_util::future::join_all((0..10).map(|one| guess(tens * 10 + one))).await;
        for reply in replies {
            match reply.status {
                401 => evaluated += 1,
                429 => {
                    let wait: u64 = reply.header("retry-after").parse().unwrap();
                    let told = reply.json()["retry_in_ms"].as_u64().unwrap();
                    assert!(wait * 1000 >= told && told > 0, "{}", reply.text());
                }
                other => panic!("{other}: {}", reply.text()),
            }
        }
        browser.next("liveStream").await;
    }
    // 20 at once, and those that came back while the test took its time.
    assert!((20..=50).contains(&evaluated), "{evaluated}");
    assert_eq!(who(&daemon, &owner).await, "owner");
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_print_links_that_work() {
    let camera = StandIn::new();
    let config = format!("{CLOSED}{}", camera.entry("tank", ""));
    let folder = Program::folder();
    let command = Program::command(&folder, &config, &["--listen", "127.0.0.1:0"]);
    let daemon = Program::watch(command, Program::folder()).await;
    let run = async |arguments: &[&str]| {
        let output = Program::command(&folder, &config, arguments).output();
        let output = in_time("a command", output).await.unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        (output.status.code(), text)
    };
    let (code, text) = run(&["setup"]).await;
    let link = text.trim_end().lines().last().unwrap().to_owned();
    assert_eq!(code, Some(0), "{text}");
    let (page, setup) = link.split_once("/setup#").unwrap();
    assert_eq!(page, format!("http://{}", daemon.address));
    let body = json!({ "code": setup, "password": PASSWORD }).to_string();
    let json_type = "Content-Type: application/json\r\n";
    let reply = request(daemon.address, "POST", "/api/setup", json_type, body.as_bytes()).await;
    assert_eq!(reply.status, 200, "{}", reply.text());

    let (code, text) = run(&["link", "--for", "30m", "--viewers", "3", "--camera", "tank"]).await;
    assert!(code == Some(0) && text.contains("tank until") && text.contains("0 of 3"), "{text}");
    let token = text.trim_end().rsplit_once("/guest#").unwrap().1;
    let id = text.split_whitespace().next().unwrap();
    assert!(run(&["link", "--list"]).await.1.contains(id));
    let come = async || {
        let body = json!({ "token": token }).to_string();
        request(daemon.address, "POST", "/api/guest", json_type, body.as_bytes()).await.status
    };
    assert_eq!(come().await, 200);
    assert_eq!(run(&["link", "--revoke", id]).await.0, Some(0));
    assert_eq!(come().await, 401);
    let (code, text) = run(&["link", "--revoke", id]).await;
    assert!(code == Some(1) && text.contains("none with this id"), "{text}");
    let (code, text) = run(&["link", "--camera", "none"]).await;
    assert!(code == Some(1) && text.contains("no camera none"), "{text}");
    let (code, text) = run(&["link", "--for", "long"]).await;
    assert!(code == Some(2) && text.contains("2h"), "{text}");
    drop(daemon);
}

/// What is said about who may look, to whom it concerns.
#[tokio::test(flavor = "multi_thread")]
async fn an_open_daemon_says_so_and_gives_no_keys() {
    let camera = StandIn::new();
    let daemon = Daemon::start(&camera.entry("tank", "")).await;
    let about = get(daemon.address, "/api/access").await.json();
    let open = json!({ "look": true, "manage": true, "keys": false });
    assert_eq!((&about["mode"], &about["who"], &about["may"]), (&json!("open"), &json!("everybody"), &open));
    let refusal = get(daemon.address, "/api/links").await;
    assert_eq!(refusal.status, 403);
    assert!(refusal.json()["hint"].as_str().unwrap().contains("eyelid setup"));
    let none: Value = send(&daemon, "POST", "/api/login", "", &json!({ "password": PASSWORD })).await.json();
    assert!(none["error"].as_str().unwrap().contains("no password"), "{none}");
    // Choosing a password closes it for all who watch without one.
    let browser = Browser::open(daemon.address).await;
    browser.say("start-stream");
    browser.next("liveStream").await;
    choose_password(&daemon).await;
    eventually("the end of a connection", async || browser.is_closed().then_some(())).await;
    assert_eq!(get(daemon.address, "/api/cameras").await.status, 401);
    daemon.stop().await;
}
