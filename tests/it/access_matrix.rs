//! Each request of the table in `docs/access.md`, by each role, from each kind of page, for each kind of host name.

use futures_util::{SinkExt, StreamExt};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UnixStream},
};
use tokio_tungstenite::{
    client_async,
    tungstenite::{Error, Message, client::IntoClientRequest},
};

use crate::support::{Daemon, StandIn, app, choose_password, get, guest, in_time, request};

const DOCUMENTED: &str = include_str!("../../docs/access.md");
const FRIEND: &str = "https://club.example";

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Role {
    Nobody,
    /// A guest who may look at the camera `tank` alone.
    Guest,
    App,
    Everybody,
    Owner,
    Local,
}

/// Whose page asks.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Page {
    None,
    Own,
    Friend,
    Stranger,
}

/// Each request of the table, with what it needs.
fn rows() -> Vec<(&'static str, &'static str, &'static str)> {
    let start = DOCUMENTED.find("| request | needs |").unwrap();
    let table = DOCUMENTED[start..].split("\n\n").next().unwrap();
    let row = |line: &'static str| {
        let mut cells = line.trim_matches('|').split('|').map(str::trim);
        let (method, address) = cells.next().unwrap().trim_matches('`').split_once(' ').unwrap();
        (method, address, cells.next().unwrap())
    };
    table.lines().skip(2).map(row).collect()
}

/// The camera that a request is about.
fn camera(address: &str) -> &str {
    let named = address.strip_prefix("/cameras/").or_else(|| address.strip_prefix("/api/cameras/"));
    named.map_or("tank", |rest| rest.split(['/', '?']).next().unwrap())
}

/// Whether this role may do that, by the words of the documentation. `yard` is public.
fn may(role: Role, needs: &str, address: &str, public: bool) -> bool {
    let camera = camera(address);
    match (needs, role) {
        ("nothing", _) => true,
        (_, Role::Local) => true,
        ("local", _) => false,
        (_, Role::Owner) => true,
        ("keys", _) => false,
        (_, Role::Everybody) => true,
        ("manage", _) => false,
        ("look at any", Role::Nobody) => public,
        ("look at any", _) => true,
        ("look", Role::App) => true,
        ("look", Role::Guest) => camera == "tank" || (camera == "yard" && public),
        ("look", Role::Nobody) => camera == "yard" && public,
        other => panic!("{other:?}"),
    }
}

/// Whether a page of this kind may ask for it at all. `tank` lets the friend show it.
fn embeds(page: Page, needs: &str, address: &str) -> bool {
    match page {
        Page::None | Page::Own => true,
        _ if address == "/embed.js" => true,
        Page::Stranger => false,
        Page::Friend if address.starts_with("/socket.io/") => true,
        Page::Friend => {
            let shown = needs == "look" && !address.ends_with("tank/") && !address.ends_with("/tank");
            shown && camera(address) == "tank" && !address.starts_with("/api/")
        }
    }
}

/// The answer's status. `HEAD` is asked for in place of what never ends.
async fn ask(daemon: &Daemon, role: Role, method: &str, address: &str, headers: &str) -> u16 {
    let endless = address.contains("stream.mjpg") || address.contains("action=stream");
    let method = if endless { "HEAD" } else { method };
    if role != Role::Local {
        return request(daemon.address, method, address, headers, b"").await.status;
    }
    let host = if headers.contains("Host:") { "" } else { "Host: localhost\r\n" };
    let head = format!("{method} {address} HTTP/1.1\r\n{host}Connection: close\r\n{headers}\r\n");
    in_time("an answer", async {
        let mut socket = UnixStream::connect(daemon.run_folder().join("eyelid.sock")).await.unwrap();
        socket.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer)[9..12].parse().unwrap()
    })
    .await
}

/// Asks each role for everything. What the cells were that are not as the table says.
async fn walk(daemon: &Daemon, roles: &[(Role, String)], public: bool) -> (usize, Vec<String>) {
    let (mut cells, mut wrong) = (0, Vec::new());
    let own = format!("http://{}", daemon.address);
    for (method, documented, needs) in rows().into_iter().filter(|(.., needs)| *needs != "token") {
        let named = documented.contains("/tank");
        for name in if named { &["tank", "door", "yard"][..] } else { &["tank"] } {
            let address = documented.replace("/tank", &format!("/{name}"));
            for (role, shown) in roles {
                for page in [Page::None, Page::Own, Page::Friend, Page::Stranger] {
                    for host in ["", "Host: evil.example\r\n"] {
                        let own = if *role == Role::Local { "http://localhost" } else { &own };
                        let origin = match page {
                            Page::None => String::new(),
                            Page::Own => format!("Origin: {own}\r\n"),
                            Page::Friend => format!("Origin: {FRIEND}\r\n"),
                            Page::Stranger => "Origin: https://evil.example\r\n".into(),
                        };
                        let status =
                            ask(daemon, *role, method, &address, &format!("{host}{origin}{shown}")).await;
                        let asked_here = host.is_empty();
                        let right = if !asked_here {
                            status == 421
                        } else if !embeds(page, needs, &address) {
                            status == 403
                        } else if may(*role, needs, &address, public) {
                            !matches!(status, 401 | 403 | 421) && status < 500
                        } else {
                            status == if *role == Role::Nobody && needs != "local" { 401 } else { 403 }
                        };
                        cells += 1;
                        if !right {
                            wrong.push(format!("{role:?} {page:?} {host:?} {method} {address}: {status}"));
                        }
                    }
                }
            }
        }
    }
    (cells, wrong)
}

/// Opens a WebSocket as such a page does; the status where it is refused.
async fn websocket(
    daemon: &Daemon,
    path: &str,
    origin: Option<&str>,
    shown: &str,
) -> Result<tokio_tungstenite::WebSocketStream<TcpStream>, u16> {
    let mut opening = format!("ws://{}{path}", daemon.address).into_client_request().unwrap();
    if let Some(origin) = origin {
        opening.headers_mut().insert("origin", origin.parse().unwrap());
    }
    if let Some((name, value)) = shown.trim().split_once(": ") {
        let name = if name == "Cookie" { "cookie" } else { "authorization" };
        opening.headers_mut().insert(name, value.parse().unwrap());
    }
    let stream = TcpStream::connect(daemon.address).await.unwrap();
    match in_time("a WebSocket", client_async(opening, stream)).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(refusal)) => Err(refusal.status().as_u16()),
        Err(other) => panic!("{path}: {other}"),
    }
}

/// Whether Socket.IO lets such a page into a camera's namespace.
async fn joins(daemon: &Daemon, camera: &str, origin: Option<&str>, shown: &str) -> bool {
    let path = "/socket.io/?EIO=4&transport=websocket";
    let Ok(mut socket) = websocket(daemon, path, origin, shown).await else { return false };
    in_time("an answer of Socket.IO", async {
        socket.send(Message::text(format!("40/{camera},"))).await.unwrap();
        loop {
            match socket.next().await.unwrap().unwrap() {
                Message::Text(text) if text.starts_with(&format!("40/{camera},")) => return true,
                Message::Text(text) if text.starts_with(&format!("44/{camera},")) => return false,
                _ => {}
            }
        }
    })
    .await
}

/// Tries each role and page with the WebSocket and the Socket.IO namespace of each camera.
async fn sockets(daemon: &Daemon, roles: &[(Role, String)], public: bool) -> Vec<String> {
    let own = format!("http://{}", daemon.address);
    let mut wrong = Vec::new();
    for (role, shown) in roles.iter().filter(|(role, _)| *role != Role::Local) {
        for camera in ["tank", "door", "yard"] {
            for (page, origin) in [
                (Page::None, None),
                (Page::Own, Some(own.as_str())),
                (Page::Friend, Some(FRIEND)),
                (Page::Stranger, Some("https://evil.example")),
            ] {
                let path = format!("/cameras/{camera}/ws?lease=false");
                let site = match page {
                    Page::None | Page::Own => true,
                    Page::Friend => camera == "tank",
                    Page::Stranger => false,
                };
                let expected = site && may(*role, "look", &path, public);
                let opened = websocket(daemon, &path, origin, shown).await.is_ok();
                let joined = joins(daemon, camera, origin, shown).await;
                if (opened, joined) != (expected, expected) {
                    wrong.push(format!("{role:?} {page:?} {camera}: ws {opened}, Socket.IO {joined}"));
                }
            }
        }
    }
    wrong
}

fn cameras(stand_ins: &[StandIn; 3], public: bool) -> String {
    let keys = |more: &str| format!("linger = \"1h\"\n{more}");
    let [tank, door, yard] = stand_ins;
    tank.entry("tank", &keys(&format!("origins = [\"{FRIEND}\"]")))
        + &door.entry("door", &keys(""))
        + &yard.entry("yard", &keys(&format!("public = {public}")))
}

async fn closed(public: bool) {
    let stand_ins = [StandIn::new(), StandIn::new(), StandIn::new()];
    let config = format!("access = \"password\"\n{}", cameras(&stand_ins, public));
    let daemon = Daemon::start(&config).await;
    let owner = choose_password(&daemon).await;
    let roles = [
        (Role::Nobody, String::new()),
        (Role::Guest, guest(&daemon, &owner, Some("tank")).await.0),
        (Role::App, app(&daemon, &owner).await.0),
        (Role::Owner, owner),
        (Role::Local, String::new()),
    ];
    let (cells, wrong) = walk(&daemon, &roles, public).await;
    assert!(wrong.is_empty(), "{} of {cells} cells:\n{}", wrong.len(), wrong.join("\n"));
    assert!(cells > 2000, "{cells}");
    assert_eq!(sockets(&daemon, &roles, public).await, [""; 0]);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_password_each_cell_of_the_table_is_as_it_says() {
    closed(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_public_camera_each_cell_of_the_table_is_as_it_says() {
    closed(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_it_is_open_each_cell_of_the_table_is_as_it_says() {
    let stand_ins = [StandIn::new(), StandIn::new(), StandIn::new()];
    let config = format!("access = \"open\"\n{}", cameras(&stand_ins, false));
    let daemon = Daemon::start(&config).await;
    get(daemon.address, "/healthz").await;
    let roles = [(Role::Everybody, String::new()), (Role::Local, String::new())];
    let (cells, wrong) = walk(&daemon, &roles, false).await;
    assert!(wrong.is_empty(), "{} of {cells} cells:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(sockets(&daemon, &roles, false).await, [""; 0]);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn before_the_owner_has_chosen_nobody_gets_anything() {
    let stand_ins = [StandIn::new(), StandIn::new(), StandIn::new()];
    let config = format!("access = \"password\"\n{}", cameras(&stand_ins, false));
    let daemon = Daemon::start(&config).await;
    get(daemon.address, "/healthz").await;
    let roles = [
        (Role::Nobody, String::new()),
        (Role::Nobody, format!("Cookie: eyelid={}\r\n", "0".repeat(64))),
        (Role::Nobody, "Authorization: Basic dmxjOmFiY2QtZWZnaA==\r\n".to_owned()),
        (Role::Local, String::new()),
    ];
    let (cells, wrong) = walk(&daemon, &roles, false).await;
    assert!(wrong.is_empty(), "{} of {cells} cells:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(sockets(&daemon, &roles, false).await, [""; 0]);
    assert!(stand_ins[1].starts().len() <= 1, "the local socket's alone");
    daemon.stop().await;
}
