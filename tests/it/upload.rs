//! Pictures that are sent to the daemon by a camera that nobody can reach: each refusal, and what the sender is told of
//! those who watch.

use std::fs;

use eyelid::token::TokenHash;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{Browser, Daemon, Manner, Reply, eventually, get, in_time, jpeg, request};

const TOKEN: &str = "b1946ac92492d2347c6235b4d2611184";
const JPEG: &str = "Content-Type: image/jpeg\r\n";

/// A camera that pictures are sent to. It is given up late, as a busy machine may take its time.
fn camera(name: &str, keys: &str) -> String {
    let hash = TokenHash::of(TOKEN);
    format!(
        "[[camera]]\nname = \"{name}\"\nkind = \"push\"\nupload_token = \"{hash}\"\ninterval = \"1500ms\"\n\
         start_timeout = \"5m\"\nstall_timeout = \"5m\"\nlinger = \"0s\"\n{keys}\n"
    )
}

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

/// Sends a picture as a body of its own.
async fn send(daemon: &Daemon, path: &str, picture: &[u8]) -> Reply {
    request(daemon.address, "POST", path, &(bearer(TOKEN) + JPEG), picture).await
}

/// Asks whether somebody watches, without a picture.
async fn asks(daemon: &Daemon, path: &str) -> Reply {
    request(daemon.address, "POST", path, &(bearer(TOKEN) + "Content-Length: 0\r\n"), b"").await
}

/// Who watches, and when the next picture is wanted, in the two headers for that.
fn told(reply: &Reply) -> (&str, &str, &str) {
    assert_eq!((reply.status, reply.text().as_str()), (200, "Success"));
    assert_eq!(reply.header("cache-control"), "no-store");
    (reply.header("x-viewers"), reply.header("retry-after"), reply.header("x-next-ms"))
}

/// The body of a form as the sketch of old sends it, with this in its fields.
fn form(fields: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, content) in fields {
        let head = format!(
            "--LMR\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"esp32-cam.jpg\"\r\n\
             Content-Type: image/jpeg\r\n\r\n"
        );
        body.extend_from_slice(&[head.as_bytes(), content, b"\r\n"].concat());
    }
    [body.as_slice(), b"--LMR--\r\n"].concat()
}

const FORM: &str = "Content-Type: multipart/form-data; boundary=LMR\r\n";

/// A browser that watches, once its camera waits for a first picture.
async fn waiting(daemon: &Daemon, name: &str) -> Browser {
    let browser = Browser::with(daemon.address, Manner::of(name)).await;
    browser.say("start-stream");
    daemon.until(name, "starting").await;
    browser
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_is_sent_is_what_viewers_get() {
    let daemon = Daemon::start(&camera("gate", "")).await;
    let browser = waiting(&daemon, "gate").await;
    assert_eq!(told(&send(&daemon, "/upload", &jpeg(90)).await), ("1", "2", "1500"));
    assert_eq!(browser.picture().await, jpeg(90));
    let state = daemon.until("gate", "live").await;
    assert_eq!((&state["kind"], &state["source"]["kind"]), (&json!("push"), &json!("push")));
    let (headers, body) = (bearer(TOKEN) + FORM, form(&[("img", &jpeg(91))]));
    assert_eq!(told(&request(daemon.address, "POST", "/upload", &headers, &body).await), ("1", "2", "1500"));
    assert_eq!(browser.picture().await, jpeg(91));
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sender_is_told_of_viewers_who_come_and_go_and_while_there_are_none_nothing_runs() {
    let daemon = Daemon::start(&camera("gate", "rest = \"20s\"")).await;
    for reply in [send(&daemon, "/upload", &jpeg(90)).await, asks(&daemon, "/upload").await] {
        assert_eq!(told(&reply), ("0", "20", "20000"));
    }
    let nothing_is_kept = || {
        let names = fs::read_dir(daemon.run_folder()).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names == ["eyelid.sock", "gate", "lock"]
            && !daemon.rolling_file("gate").exists()
            && daemon.captures().is_empty()
    };
    assert!(nothing_is_kept());
    assert_eq!(get(daemon.address, "/image_stream.jpg").await.status, 404);

    let browser = waiting(&daemon, "gate").await;
    assert_eq!(told(&asks(&daemon, "/upload").await), ("1", "2", "1500"));
    send(&daemon, "/upload", &jpeg(91)).await;
    assert_eq!(browser.picture().await, jpeg(91), "and not the one that nobody wanted");
    let other = Browser::open(daemon.address).await;
    assert_eq!(told(&send(&daemon, "/upload", &jpeg(92)).await), ("2", "2", "1500"));
    drop((browser, other));
    daemon.until("gate", "idle").await;
    eventually("the end of the capture", async || nothing_is_kept().then_some(())).await;
    assert_eq!(told(&asks(&daemon, "/upload").await), ("0", "20", "20000"));

    // A snapshot is a viewer too, for as long as it waits.
    let snapshot = tokio::spawn({
        let address = daemon.address;
        async move { get(address, "/snapshot.jpg").await }
    });
    eventually("a viewer that the sender is told of", async || {
        (told(&asks(&daemon, "/upload").await).0 == "1").then_some(())
    })
    .await;
    eventually("the snapshot", async || {
        send(&daemon, "/upload", &jpeg(93)).await;
        snapshot.is_finished().then_some(())
    })
    .await;
    assert_eq!(snapshot.await.unwrap().body, jpeg(93));
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_json_gets_that() {
    let daemon = Daemon::start(&camera("gate", "")).await;
    let headers = bearer(TOKEN) + "Accept: application/json\r\nContent-Length: 0\r\n";
    let resting = request(daemon.address, "POST", "/upload", &headers, b"").await;
    assert_eq!(resting.header("content-type"), "application/json");
    assert_eq!((resting.header("retry-after"), resting.header("x-viewers")), ("15", "0"));
    assert_eq!(resting.json(), json!({"ok": true, "viewers": 0, "next_ms": 15000}));
    let _browser = waiting(&daemon, "gate").await;
    let watched = request(daemon.address, "POST", "/upload", &headers, b"").await;
    assert_eq!(watched.json(), json!({"ok": true, "viewers": 1, "next_ms": 1500}));
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_refusal_has_its_status_and_one_line_that_says_why() {
    let daemon =
        Daemon::start(&(camera("gate", "") + "[[camera]]\nname = \"tank\"\nkind = \"pattern\"\n")).await;
    let _browser = waiting(&daemon, "gate").await;
    let token = bearer(TOKEN);
    let (token, picture) = (token.as_str(), jpeg(90));
    let torn = &picture[..picture.len() - 20];
    let with = |more: &str| format!("{token}{more}");
    let large = with("Content-Type: image/jpeg\r\nContent-Length: 2097153\r\n");
    let large_form = with(&format!("{FORM}Content-Length: 3000000\r\n"));
    let cases: Vec<(&str, String, Vec<u8>, u16, &str)> = vec![
        ("/upload", JPEG.into(), picture.clone(), 401, "token"),
        ("/upload", bearer("another") + JPEG, picture.clone(), 401, "token"),
        ("/upload", format!("Authorization: Basic {TOKEN}\r\n{JPEG}"), picture.clone(), 401, "token"),
        ("/upload", with(&format!("{token}{JPEG}")), picture.clone(), 401, "token"),
        // Before its length and its form are looked at.
        ("/upload", "Content-Type: text/plain\r\nContent-Length: 3000000\r\n".into(), vec![], 401, "token"),
        ("/upload", with(JPEG), vec![], 411, "Content-Length"),
        ("/upload", with(&format!("{JPEG}Transfer-Encoding: chunked\r\n")), vec![], 411, "Content-Length"),
        ("/upload", large, vec![], 413, "2 MiB"),
        ("/upload", large_form, vec![], 413, "2 MiB"),
        ("/upload", with("Content-Type: image/png\r\n"), picture.clone(), 415, "image/jpeg"),
        ("/upload", token.into(), picture.clone(), 415, "image/jpeg"),
        ("/upload", with("Content-Type: multipart/form-data\r\n"), picture.clone(), 415, "image/jpeg"),
        ("/upload", with(FORM), form(&[("image", &picture)]), 422, "no field img"),
        ("/upload", with(FORM), form(&[("img", &picture), ("img", &picture)]), 422, "more than one"),
        ("/upload", with(FORM), b"--LMR\r\n".to_vec(), 422, "the form is broken"),
        ("/upload", with(JPEG), torn.to_vec(), 422, "cut off"),
        ("/upload", with(&format!("{JPEG}Content-Length: 0\r\n")), vec![], 422, "0 bytes"),
        ("/upload", with(FORM), form(&[("img", b"GIF89a")]), 422, "not a JPEG"),
        ("/cameras/lake/upload", with(JPEG), picture.clone(), 404, "no camera \"lake\""),
        ("/cameras/tank/upload", with(JPEG), picture.clone(), 404, "the camera tank takes no uploads"),
    ];
    for (path, headers, body, status, reason) in cases {
        let what = format!("{path} {headers:?}");
        let reply = request(daemon.address, "POST", path, &headers, &body).await;
        let text = reply.text();
        assert_eq!(reply.status, status, "{what}: {text}");
        assert_eq!(reply.header("content-type"), "text/plain; charset=utf-8", "{what}");
        assert!(
            text.contains(reason) && text.ends_with('\n') && text.lines().count() == 1,
            "{what}: {text:?}"
        );
        assert_eq!(reply.header("www-authenticate"), if status == 401 { "Bearer" } else { "" }, "{what}");
        assert_eq!(reply.header("connection"), "close", "{what}");

        let as_json = headers + "Accept: text/html;q=0.5, application/json\r\n";
        let reply = request(daemon.address, "POST", path, &as_json, &body).await;
        assert_eq!((reply.status, reply.header("content-type")), (status, "application/json"), "{what}");
        let said = reply.json();
        let text = format!("{}; {}\n", said["error"].as_str().unwrap(), said["hint"].as_str().unwrap());
        assert!(text.contains(reason), "{what}: {text}");
    }
    for method in ["GET", "HEAD", "PUT", "DELETE"] {
        for path in ["/upload", "/cameras/gate/upload"] {
            let reply = request(daemon.address, method, path, "", b"").await;
            assert_eq!((reply.status, reply.header("allow")), (405, "POST"), "{method} {path}");
        }
    }
    let of_another_site = with(JPEG) + "Origin: https://example.org\r\n";
    assert_eq!(request(daemon.address, "POST", "/upload", &of_another_site, &picture).await.status, 403);
    let state = daemon.state("gate").await;
    assert_eq!(
        (&state["state"], &state["size"]),
        (&json!("starting"), &Value::Null),
        "nothing of all that got in"
    );
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_camera_takes_uploads_and_where_it_has_no_token_the_reason_says_what_to_do() {
    let daemon = Daemon::start("[[camera]]\nname = \"tank\"\nkind = \"pattern\"\n").await;
    let reply = send(&daemon, "/upload", &jpeg(90)).await;
    assert_eq!(reply.status, 404);
    assert!(reply.text().contains("kind = \"push\""), "{}", reply.text());
    daemon.stop().await;
    let daemon = Daemon::start("[[camera]]\nname = \"gate\"\nkind = \"push\"\n").await;
    let reply = send(&daemon, "/upload", &jpeg(90)).await;
    assert_eq!(reply.status, 401);
    assert!(reply.text().contains("eyelid token gate"), "{}", reply.text());
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_token_counts_at_once_and_disturbs_nobody() {
    let config = camera("gate", "");
    let daemon = Daemon::start(&config).await;
    let browser = waiting(&daemon, "gate").await;
    send(&daemon, "/upload", &jpeg(90)).await;
    assert_eq!(browser.picture().await, jpeg(90));
    let before = daemon.captures();
    let [old, new] = [TOKEN, "another token"].map(|token| TokenHash::of(token).to_string());
    fs::write(daemon.config_file(), config.replace(&old, &new)).unwrap();
    let with_new = bearer("another token") + JPEG;
    eventually("the new token", async || {
        let reply = request(daemon.address, "POST", "/upload", &with_new, &jpeg(91)).await;
        (reply.status == 200).then_some(())
    })
    .await;
    assert_eq!(browser.picture().await, jpeg(91));
    assert_eq!(send(&daemon, "/upload", &jpeg(92)).await.status, 401);
    assert_eq!(daemon.captures(), before);
    daemon.stop().await;
}

/// An upload that is on its way, one of the two that are taken at a time: all of it has come but the last byte.
async fn begun(daemon: &Daemon, picture: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(daemon.address).await.unwrap();
    let head = format!(
        "POST /upload HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nExpect: 100-continue\r\n\
        Content-Length: {}\r\n{}{JPEG}\r\n",
        daemon.address,
        picture.len(),
        bearer(TOKEN)
    );
    stream.write_all(&[head.as_bytes(), &picture[..picture.len() - 1]].concat()).await.unwrap();
    // The daemon says so where it begins to read the picture.
    let mut proceed = [0; "HTTP/1.1 100 Continue\r\n\r\n".len()];
    in_time("that it is read", stream.read_exact(&mut proceed)).await.unwrap();
    assert_eq!(&proceed, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream
}

/// All that the other side says until it closes.
async fn answer(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    in_time("an answer", stream.read_to_string(&mut answer)).await.unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn two_at_a_time_are_taken_and_who_vanishes_makes_room() {
    let daemon = Daemon::start(&camera("gate", "")).await;
    let browser = waiting(&daemon, "gate").await;
    let (first, mut second) = (begun(&daemon, &jpeg(90)).await, begun(&daemon, &jpeg(91)).await);
    let third = send(&daemon, "/upload", &jpeg(92)).await;
    assert_eq!(third.status, 429, "{}", third.text());
    assert_eq!(third.header("retry-after"), "1");
    assert!(third.text().contains("two uploads"), "{}", third.text());
    drop(first);
    eventually("room for one more", async || {
        (send(&daemon, "/upload", &jpeg(93)).await.status == 200).then_some(())
    })
    .await;
    eventually("its picture", async || (browser.picture().await == jpeg(93)).then_some(())).await;
    second.write_all(&jpeg(91)[jpeg(91).len() - 1..]).await.unwrap();
    let answer = answer(second).await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\nSuccess"), "{answer}");
    assert_eq!(send(&daemon, "/upload", &jpeg(94)).await.status, 200);
    assert_eq!(browser.picture().await, jpeg(94), "and not the one that was overtaken");
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_stops_in_the_middle_is_told_so() {
    let daemon = Daemon::start(&camera("gate", "")).await;
    let answer = answer(begun(&daemon, &jpeg(90)).await).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sends_all_before_it_listens_still_reads_why_it_is_refused() {
    let daemon = Daemon::start(&camera("gate", "")).await;
    // More than the kernel keeps for a reader that does not read.
    let picture = vec![0; 7 << 20];
    let head = format!(
        "POST /upload HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n{JPEG}\r\n",
        daemon.address,
        picture.len()
    );
    let mut stream = TcpStream::connect(daemon.address).await.unwrap();
    in_time("all sent", stream.write_all(&[head.as_bytes(), &picture].concat())).await.unwrap();
    let answer = answer(stream).await;
    assert!(answer.starts_with("HTTP/1.1 401 ") && answer.ends_with("Bearer TOKEN\n"), "{answer}");
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_camera_has_pictures_and_a_token_of_its_own() {
    let hash = TokenHash::of(TOKEN).to_string();
    let barn = camera("barn", "").replace(&hash, &TokenHash::of("barn's").to_string());
    let daemon = Daemon::start(
        &("[[camera]]\nname = \"tank\"\nkind = \"pattern\"\n".to_owned() + &camera("gate", "") + &barn),
    )
    .await;
    let (gate, at_barn) = (waiting(&daemon, "gate").await, waiting(&daemon, "barn").await);
    assert_eq!(send(&daemon, "/upload", &jpeg(90)).await.status, 200, "the first one that takes uploads");
    assert_eq!(gate.picture().await, jpeg(90));
    assert_eq!(send(&daemon, "/cameras/barn/upload", &jpeg(91)).await.status, 401);
    let reply =
        request(daemon.address, "POST", "/cameras/barn/upload", &(bearer("barn's") + JPEG), &jpeg(92)).await;
    assert_eq!(told(&reply).0, "1");
    assert_eq!(at_barn.picture().await, jpeg(92));
    assert_eq!(gate.forget("liveStream"), 0);
    daemon.stop().await;
}

/// A picture of one shade, 64 pixels square, with EXIF data and a comment.
fn talkative(shade: u8) -> Vec<u8> {
    let mut jpeg = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut jpeg, 90);
    encoder.add_app_segment(1, b"Exif\0\0GPS 47.37N 8.54E".to_vec()).unwrap();
    encoder.encode(&[shade; 64 * 64], 64, 64, jpeg_encoder::ColorType::Luma).unwrap();
    jpeg
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_is_dropped_and_what_is_to_be_hidden_is_hidden() {
    let config = camera("gate", "") + &camera("barn", "masks = [\"0%,0%,50%,100%\"]");
    let daemon = Daemon::start(&config).await;
    for name in ["gate", "barn"] {
        let browser = waiting(&daemon, name).await;
        let sent = talkative(200);
        assert!(memchr::memmem::find(&sent, b"GPS").is_some());
        assert_eq!(send(&daemon, &format!("/cameras/{name}/upload"), &sent).await.status, 200);
        let seen = browser.picture().await;
        assert!(
            memchr::memmem::find(&seen, b"GPS").is_none() && memchr::memmem::find(&seen, b"Exif").is_none()
        );
        let mut decoder = jpeg_decoder::Decoder::new(seen.as_slice());
        let pixels = decoder.decode().unwrap();
        let step = pixels.len() / (64 * 64);
        let light = |x: usize| pixels[(32 * 64 + x) * step];
        assert!(light(60) > 190, "{name}: {}", light(60));
        assert_eq!(light(4) < 20, name == "barn", "{name}: {}", light(4));
    }
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_cannot_be_kept_is_told_so_and_the_next_one_is_taken() {
    let daemon = Daemon::start(&camera("gate", "")).await;
    let browser = waiting(&daemon, "gate").await;
    let folder = daemon.run_folder().join("gate.push");
    fs::remove_dir_all(&folder).unwrap();
    fs::write(&folder, "no folder").unwrap();
    let refused = send(&daemon, "/upload", &jpeg(90)).await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, "1"), "{}", refused.text());
    assert!(refused.text().contains("can't be kept"), "{}", refused.text());
    fs::remove_file(&folder).unwrap();
    fs::create_dir(&folder).unwrap();
    assert_eq!(send(&daemon, "/upload", &jpeg(91)).await.status, 200);
    drop(browser);
    daemon.stop().await;
}
