//! What an owner does to say who may look.

use std::{net::SocketAddr, path::Path};

use eyelid::cli::ask::ask_one_of;
use serde_json::{Value, json};

use super::{Daemon, Reply, get, request};

/// A password as owners choose it.
pub(crate) const PASSWORD: &str = "correct horse";

/// A header line `Cookie` or `Authorization` with its line end; empty for who shows nothing.
pub(crate) type Shown = String;

/// Sends a JSON object.
pub(crate) async fn send(daemon: &Daemon, method: &str, path: &str, shown: &str, body: &Value) -> Reply {
    let headers = format!("Content-Type: application/json\r\n{shown}");
    request(daemon.address, method, path, &headers, body.to_string().as_bytes()).await
}

/// The cookie that an answer sets, as a browser sends it.
pub(crate) fn cookie(reply: &Reply) -> Shown {
    let set = reply.header("set-cookie");
    assert!(set.contains("; HttpOnly; SameSite=Strict"), "{set}");
    format!("Cookie: {}\r\n", set.split(';').next().unwrap())
}

/// The code of the setup link that the daemon's owner is told at the machine itself.
pub(crate) async fn setup_code(daemon: &Daemon) -> String {
    // The local socket is there once the port answers.
    get(daemon.address, "/healthz").await;
    let answer = daemon.ask("GET", "/api/setup", None).await;
    let link = answer["links"][0].as_str().unwrap();
    link.split_once("/setup#").unwrap().1.to_owned()
}

/// Chooses a password, and gives what the owner's browser shows from then on.
pub(crate) async fn choose_password(daemon: &Daemon) -> Shown {
    let code = setup_code(daemon).await;
    let reply = send(daemon, "POST", "/api/setup", "", &json!({ "code": code, "password": PASSWORD })).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    cookie(&reply)
}

/// Chooses a password for a daemon with this run folder, which listens there.
pub(crate) async fn choose_password_at(run_folder: &Path, address: SocketAddr) {
    let socket = run_folder.join("eyelid.sock");
    let asked = tokio::task::spawn_blocking(move || ask_one_of(&[socket], "GET", "/api/setup", None));
    let answer = asked.await.unwrap().unwrap();
    let code = answer["links"][0].as_str().unwrap().split_once("/setup#").unwrap().1;
    let body = json!({ "code": code, "password": PASSWORD }).to_string();
    let headers = "Content-Type: application/json\r\n";
    let reply = request(address, "POST", "/api/setup", headers, body.as_bytes()).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
}

/// Lets a guest in, and gives what the guest's browser shows from then on, and the id of the link.
pub(crate) async fn guest(daemon: &Daemon, owner: &str, camera: Option<&str>) -> (Shown, String) {
    let wanted = json!({ "for_ms": 3_600_000, "viewers": 1, "camera": camera });
    let link = send(daemon, "POST", "/api/links", owner, &wanted).await.json();
    let token = link["url"].as_str().unwrap().split_once("/guest#").unwrap().1.to_owned();
    let reply = send(daemon, "POST", "/api/guest", "", &json!({ "token": token })).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    (cookie(&reply), link["id"].as_str().unwrap().to_owned())
}

/// Makes an app password, and gives what a program with it shows, and its id.
pub(crate) async fn app(daemon: &Daemon, owner: &str) -> (Shown, String) {
    let app = send(daemon, "POST", "/api/apps", owner, &json!({ "name": "VLC" })).await.json();
    let basic = headers_basic("vlc", app["password"].as_str().unwrap());
    (format!("Authorization: {basic}\r\n"), app["id"].as_str().unwrap().to_owned())
}

/// The value of `Authorization` for a name and a password.
pub(crate) fn headers_basic(name: &str, password: &str) -> String {
    use headers::authorization::{Authorization, Credentials};
    Authorization::basic(name, password).0.encode().to_str().unwrap().to_owned()
}
