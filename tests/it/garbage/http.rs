//! Garbage as HTTP.

use super::{Stage, noise};
use crate::support::{exchange, request};

const ROUTES: [&str; 14] = [
    "/",
    "/app.js",
    "/image_stream.jpg",
    "/snapshot.jpg",
    "/cameras/tank",
    "/cameras/tank/",
    "/cameras/tank/image_stream.jpg",
    "/cameras/tank/snapshot.jpg",
    "/api/cameras",
    "/api/cameras/tank",
    "/api/status",
    "/healthz",
    "/socket.io/",
    "/socket.io/socket.io.js",
];

#[tokio::test(flavor = "multi_thread")]
async fn on_the_port_itself() {
    let stage = Stage::set().await;
    let host = format!("Host: {}\r\n", stage.daemon.address);
    let mut heads: Vec<Vec<u8>> = vec![
        b"\r\n\r\n\r\n\r\n".to_vec(),
        b"\0\0\0\0\r\n\r\n".to_vec(),
        b"GET\r\n\r\n".to_vec(),
        b"GET / HTTP/9.9\r\n\r\n".to_vec(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        format!("GET / HTTP/1.1\r\n{host}Content-Length: -1\r\n\r\n").into(),
        format!("GET / HTTP/1.1\r\n{host}Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx").into(),
        format!("POST / HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFF\r\n").into(),
        format!("GET / HTTP/1.1\r\n{host}X: {}\r\n\r\n", "x".repeat(100_000)).into(),
        format!("GET / HTTP/1.1\r\n{host}{}\r\n", "X: y\r\n".repeat(5_000)).into(),
        format!("GET /{} HTTP/1.1\r\n{host}\r\n", "a/".repeat(50_000)).into(),
        format!("GET /?{} HTTP/1.1\r\n{host}\r\n", "_t=1&".repeat(2_000)).into(),
    ];
    heads.extend((1..=20).map(|seed| [noise(2000, seed), b"\r\n\r\n".to_vec()].concat()));
    for mut head in heads {
        // So that what is no error, or the beginning of something longer, has an end too.
        head.extend(format!("GET / HTTP/1.1\r\n{host}Connection: close\r\n\r\n").bytes());
        exchange(stage.daemon.address, &head).await;
    }
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_every_route() {
    let stage = Stage::set().await;
    let address = stage.daemon.address;
    for (count, route) in ROUTES.into_iter().enumerate() {
        for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "X-Y", "get"] {
            for (headers, body) in [
                ("", noise(5_000, count as u64)),
                ("Accept: \u{e9}\r\nIf-None-Match: \u{e9}\r\nX: \u{80}\r\n", vec![]),
                (
                    "If-None-Match: \"\r\nIf-Modified-Since: x\r\nRange: bytes=9-1\r\nAccept-Encoding: \r\n",
                    vec![],
                ),
                ("Content-Type: multipart/form-data; boundary=\r\nExpect: 100-continue\r\n", noise(10, 1)),
                ("Upgrade: websocket\r\n", vec![]),
                ("Cookie: ; ; ;=\r\nAuthorization: Basic \r\nForwarded: for=\"\r\n", vec![]),
            ] {
                let reply = request(address, method, route, headers, &body).await;
                assert!((200..500).contains(&reply.status), "{method} {route} {headers}: {}", reply.status);
            }
        }
        for query in
            ["?_t", "?_t=%", "?%ff%fe=1", "?_t=\u{e9}", "?EIO=4", "?EIO=4&transport=x", "?_t=1;2", "?[]&=&&"]
        {
            let reply = request(address, "GET", &format!("{route}{query}"), "", b"").await;
            assert!((200..500).contains(&reply.status), "{route}{query}: {}", reply.status);
        }
    }
    stage.end().await;
}
