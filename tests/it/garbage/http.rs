//! Garbage as HTTP.

use super::{Stage, TOKEN, noise};
use crate::support::{exchange, jpeg, request};

const ROUTES: [&str; 22] = [
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
    "/api/cameras/tank/ledger",
    "/api/stats",
    "/healthz",
    "/latest",
    "/cameras/tank/latest",
    "/upload",
    "/cameras/tank/upload",
    "/cameras/door/upload",
    "/embed.js",
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

/// From a sender that is let in.
#[tokio::test(flavor = "multi_thread")]
async fn as_uploads() {
    let stage = Stage::set().await;
    let address = stage.daemon.address;
    let picture = jpeg(90);
    let form = |head: &str, body: &[u8], end: &str| [head.as_bytes(), body, end.as_bytes()].concat();
    let disposition = "--LMR\r\nContent-Disposition: form-data; name=\"img\"; filename=\"a.jpg\"\r\n\r\n";
    let mut bodies: Vec<Vec<u8>> = vec![
        vec![],
        noise(5_000, 7),
        b"\xFF\xD8\xFF\xD9".to_vec(),
        [b"\xFF\xD8\xFF\xC0\0\x11\x08\xFF\xFF\xFF\xFF\x03".as_slice(), &noise(500, 8)].concat(),
        form("", b"", "--LMR--"),
        form(disposition, b"", "\r\n--LMR--\r\n"),
        form(disposition, &noise(5_000, 9), "\r\n--LMR--\r\n"),
        form(disposition, &picture, "\r\n--LMR"),
        form(disposition, &picture, &format!("\r\n{disposition}\r\n--LMR--\r\n")),
        form("--LMR\r\nContent-Disposition: form-data; name=\"\u{e9}\"\r\n\r\n", &picture, "\r\n--LMR--\r\n"),
        form("--LMR\r\nX\r\n\r\n", &picture, "\r\n--LMR--\r\n"),
        form(&format!("--LMR\r\n{}\r\n", "X: y\r\n".repeat(2_000)), &picture, "\r\n--LMR--\r\n"),
    ];
    bodies.extend((1..picture.len()).step_by(picture.len() / 16).map(|cut| picture[..cut].to_vec()));
    bodies.extend((1..=8).map(|seed| {
        let mut broken = picture.clone();
        let at = seed * broken.len() / 9;
        let end = broken.len().min(at + 40);
        broken[at..end].copy_from_slice(&noise(end - at, seed as u64));
        broken
    }));
    for body in bodies {
        for kind in [
            "image/jpeg",
            "multipart/form-data; boundary=LMR",
            "multipart/form-data",
            "image/jpeg\r\nX: \u{80}",
        ] {
            let headers = format!("Authorization: Bearer {TOKEN}\r\nContent-Type: {kind}\r\n");
            let reply = request(address, "POST", "/upload", &headers, &body).await;
            assert!((200..500).contains(&reply.status), "{kind}: {}", reply.status);
            assert!(reply.status == 200 || reply.text().lines().count() == 1, "{kind}: {:?}", reply.text());
        }
    }
    let headers = format!("Authorization: Bearer {TOKEN}\r\nContent-Type: image/jpeg\r\n");
    assert_eq!(request(address, "POST", "/upload", &headers, &picture).await.status, 200);
    stage.end().await;
}
