//! Pictures that are sent to the daemon by a camera that nobody can reach.

use serde_json::json;

use crate::support::{Browser, Daemon, Reply, get, jpeg, request};

const TOKEN: &str = "b1946ac92492d2347c6235b4d2611184";

/// A camera that pictures are sent to. It is given up late, as a busy machine may take its time.
fn camera(name: &str, keys: &str) -> String {
    let hash = eyelid::config::UploadToken::of(TOKEN);
    format!(
        "[[camera]]\nname = \"{name}\"\nkind = \"push\"\nupload_token = \"{hash}\"\ninterval = \"250ms\"\n\
         start_timeout = \"5m\"\nstall_timeout = \"5m\"\nlinger = \"0s\"\n{keys}\n"
    )
}

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

/// Sends a picture as a body of its own.
async fn send(daemon: &Daemon, path: &str, picture: &[u8]) -> Reply {
    let headers = format!("{}Content-Type: image/jpeg\r\n", bearer(TOKEN));
    request(daemon.address, "POST", path, &headers, picture).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_is_sent_is_what_viewers_get() {
    let daemon = Daemon::start(&camera("gate", "")).await;
    let browser = Browser::open(daemon.address).await;
    browser.say("start-stream");
    daemon.until("gate", "starting").await;
    let reply = send(&daemon, "/upload", &jpeg(90)).await;
    assert_eq!((reply.status, reply.text().as_str()), (200, "Success"));
    assert_eq!(
        (reply.header("x-viewers"), reply.header("retry-after"), reply.header("x-next-ms")),
        ("1", "1", "250")
    );
    assert_eq!(browser.picture().await, jpeg(90));
    let state = daemon.until("gate", "live").await;
    assert_eq!((&state["kind"], &state["source"]["kind"]), (&json!("push"), &json!("push")));
    assert_eq!(get(daemon.address, "/snapshot.jpg").await.status, 200);
    daemon.stop().await;
}
