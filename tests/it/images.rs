//! Pictures over HTTP.

use std::{fs, path::Path, time::SystemTime};

use crate::support::{Browser, Daemon, Manner, Reply, StandIn, eventually, get, jpeg, request};

/// A camera that is on, whose pictures the test takes.
async fn on(camera: &StandIn, daemon: &Daemon, name: &str) -> Browser {
    let browser = Browser::with(daemon.address, Manner::of(name)).await;
    let before = camera.starts().len();
    browser.ask("start-stream").await;
    // What lies there before the start is removed by it.
    eventually("the camera's start", async || (camera.starts().len() > before).then_some(())).await;
    browser
}

/// Replaces the rolling file, and gives the address of the picture once it is announced.
async fn show(browser: &Browser, file: &Path, picture: &[u8]) -> String {
    let part = file.parent().unwrap().with_extension("new");
    fs::write(&part, picture).unwrap();
    // The kernel's own clock of files stands still for milliseconds.
    fs::File::options().write(true).open(&part).unwrap().set_modified(SystemTime::now()).unwrap();
    fs::rename(part, file).unwrap();
    browser.next("liveStream").await.as_str().unwrap().to_owned()
}

fn is_error(reply: &Reply, status: u16) {
    assert_eq!(
        (reply.status, reply.header("content-type")),
        (status, "application/json"),
        "{}",
        reply.text()
    );
    assert_eq!(reply.header("cache-control"), "no-store");
    let told = reply.json();
    assert!(told["error"].is_string() && told.get("hint").is_some(), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_is_for_ever_under_its_id_and_known_again_by_its_etag() {
    let camera = StandIn::still();
    let daemon = Daemon::start(&camera.entry("tank", "")).await;
    let browser = on(&camera, &daemon, "tank").await;
    let (black, white) = (jpeg(0), jpeg(255));
    let first = show(&browser, &daemon.rolling_file("tank"), &black).await;
    let second = show(&browser, &daemon.rolling_file("tank"), &white).await;
    for (url, picture) in [(&first, &black), (&second, &white)] {
        for path in [
            format!("/{url}"),
            format!("/cameras/tank/{url}"),
            format!("/x?x/../{url}").replace("/x?x/..", ""),
        ] {
            let reply = get(daemon.address, &path).await;
            assert_eq!((reply.status, reply.header("content-type")), (200, "image/jpeg"), "{path}");
            assert_eq!(reply.header("cache-control"), "public, max-age=31536000, immutable");
            assert_eq!(&reply.body, picture);
            assert!(!reply.header("last-modified").is_empty());
            let id = url.strip_prefix("image_stream.jpg?_t=").unwrap();
            let taken = reply.header("x-timestamp").replace('.', "");
            let (id, taken): (u64, u64) = (id.parse().unwrap(), taken.parse().unwrap());
            // The kernel's clock for files ticks a few hundred times a second: the second one may have to give way.
            assert!(id == taken || url == &second && id == taken + 1, "the id is the time of exposure");

            let etag = reply.header("etag");
            let known = format!("If-None-Match: {etag}\r\n");
            let again = request(daemon.address, "GET", &path, &known, b"").await;
            assert_eq!((again.status, again.body.len(), again.header("etag")), (304, 0, etag));
            let head = request(daemon.address, "HEAD", &path, "", b"").await;
            assert_eq!((head.status, head.body.len()), (200, 0));
            assert_eq!(head.header("content-length"), picture.len().to_string());
        }
    }
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_known_id_it_is_the_newest_picture_and_no_cache_keeps_it() {
    let camera = StandIn::still();
    let daemon = Daemon::start(&camera.entry("tank", "")).await;
    let path = "/image_stream.jpg";
    is_error(&get(daemon.address, path).await, 404);
    let browser = on(&camera, &daemon, "tank").await;
    is_error(&get(daemon.address, path).await, 404);
    for shade in [10, 20] {
        let picture = jpeg(shade);
        show(&browser, &daemon.rolling_file("tank"), &picture).await;
        for query in [
            "",
            "?",
            "?_t=",
            "?_t=1",
            "?_t=x",
            "?_t=99999999999999999999999",
            "?t=1&_t=-5",
            "?%00",
            "?_t=1e9",
        ] {
            let reply = get(daemon.address, &format!("{path}{query}")).await;
            assert_eq!((reply.status, reply.header("cache-control")), (200, "no-store"), "{query}");
            assert_eq!(reply.body, picture, "{query}");
        }
    }
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_is_a_picture_taken_after_it_was_asked_for() {
    let camera = StandIn::still();
    let daemon = Daemon::start(&camera.entry("tank", "linger = \"0s\"")).await;
    for shade in [10, 20] {
        let before = camera.starts().len();
        let asked = tokio::spawn(async move { get(daemon.address, "/cameras/tank/snapshot.jpg").await });
        eventually("the camera's start", async || (camera.starts().len() > before).then_some(())).await;
        fs::write(daemon.rolling_file("tank"), jpeg(shade)).unwrap();
        let reply = asked.await.unwrap();
        assert_eq!((reply.status, reply.body), (200, jpeg(shade)));
        daemon.until("tank", "idle").await;
    }
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_that_cannot_be_taken_says_why_and_when_to_come_again() {
    let camera = StandIn::doing("echo 'no lens' >&2; exit 3");
    let daemon = Daemon::start(&camera.entry("tank", "")).await;
    let reply = get(daemon.address, "/snapshot.jpg").await;
    is_error(&reply, 503);
    assert_eq!(reply.json()["error"], "the command ended, exit code 3: no lens");
    assert!(reply.header("retry-after").parse::<u32>().unwrap() >= 1);
    daemon.until("tank", "idle").await;
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_not_allowed_or_not_acceptable_is_said_in_json() {
    let camera = StandIn::still();
    let daemon = Daemon::start(&camera.entry("tank", "")).await;
    for path in [
        "/nothing",
        "/api",
        "/api/",
        "/api/nothing",
        "/api/cameras/pond",
        "/cameras/pond/",
        "/cameras/pond",
        "/cameras/pond/image_stream.jpg",
        "/cameras/tank/nothing",
        "/cameras//image_stream.jpg",
        "/../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/.git/config",
        "//",
        "/cameras/tank/snapshot.jpg/",
    ] {
        is_error(&get(daemon.address, path).await, 404);
    }
    for path in ["/", "/image_stream.jpg", "/snapshot.jpg", "/api/cameras", "/healthz", "/nothing"] {
        for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"] {
            let reply = request(daemon.address, method, path, "", b"").await;
            is_error(&reply, 405);
            assert_eq!(reply.header("allow"), "GET, HEAD");
        }
    }
    for path in ["/image_stream.jpg", "/snapshot.jpg", "/api/cameras", "/api/cameras/tank", "/api/status"] {
        is_error(&request(daemon.address, "GET", path, "Accept: text/html\r\n", b"").await, 406);
    }
    assert_eq!(camera.starts(), [], "none of that starts the camera");
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_camera_has_its_own_pictures_and_the_first_one_the_short_address() {
    let (tank, pond) = (StandIn::still(), StandIn::still());
    let daemon = Daemon::start(&(tank.entry("tank", "") + &pond.entry("pond", "title = \"The pond\""))).await;
    let at_tank = on(&tank, &daemon, "tank").await;
    let at_pond = on(&pond, &daemon, "pond").await;
    show(&at_tank, &daemon.rolling_file("tank"), &jpeg(10)).await;
    show(&at_pond, &daemon.rolling_file("pond"), &jpeg(20)).await;
    for (path, shade) in [("/", 10), ("/cameras/tank/", 10), ("/cameras/pond/", 20)] {
        let reply = get(daemon.address, &format!("{path}image_stream.jpg")).await;
        assert_eq!(reply.body, jpeg(shade), "{path}");
    }
    let cameras = get(daemon.address, "/api/cameras").await.json();
    let told: Vec<_> = cameras["cameras"]
        .as_array()
        .unwrap()
        .iter()
        .map(|state| (&state["camera"], &state["title"]))
        .collect();
    assert_eq!(told, [(&"tank".into(), &"tank".into()), (&"pond".into(), &"The pond".into())]);
    daemon.stop().await;
}
