//! What is counted: visitors, pictures and bytes, over each way to watch, and kept.

use std::{fs, net::SocketAddr, path::Path, time::SystemTime};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::{Browser, Daemon, Mjpeg, Program, StandIn, Viewer, eventually, get, jpeg, request};

const STATS: &str = "/api/stats";

async fn stats(address: SocketAddr) -> Value {
    let reply = get(address, STATS).await;
    assert_eq!((reply.status, reply.header("cache-control")), (200, "no-store"), "{}", reply.text());
    reply.json()
}

/// What there is of a camera.
async fn of(address: SocketAddr, camera: &str) -> Value {
    let all = stats(address).await;
    let cameras = all["cameras"].as_array().unwrap();
    cameras
        .iter()
        .find(|entry| entry["camera"] == camera)
        .unwrap_or_else(|| panic!("no {camera} in {all}"))
        .clone()
}

async fn total(address: SocketAddr) -> Value {
    of(address, "tank").await["total"].clone()
}

/// Replaces the rolling file of a camera that is on, and gives the address of the picture once it is announced.
async fn show(browser: &Browser, file: &Path, picture: &[u8]) -> String {
    let part = file.parent().unwrap().with_extension("new");
    fs::write(&part, picture).unwrap();
    fs::File::options().write(true).open(&part).unwrap().set_modified(SystemTime::now()).unwrap();
    fs::rename(part, file).unwrap();
    browser.next("liveStream").await.as_str().unwrap().to_owned()
}

/// A picture that can be made smaller.
fn wide() -> Vec<u8> {
    let mut jpeg = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut jpeg, 90);
    encoder.encode(&[120; 64 * 48], 64, 48, jpeg_encoder::ColorType::Luma).unwrap();
    jpeg
}

#[tokio::test(flavor = "multi_thread")]
async fn each_picture_that_goes_out_is_counted_whatever_the_way_and_nothing_else_is() {
    let camera = StandIn::still();
    let daemon = Daemon::start(&camera.entry("tank", "title = \"Aquarium\"")).await;
    let nothing = of(daemon.address, "tank").await;
    let zero =
        json!({"viewers_max": 0, "visits": 0, "pictures_sent": 0, "bytes_sent": 0, "pictures_taken": 0});
    assert_eq!((&nothing["total"], &nothing["days"]), (&zero, &json!([])));
    assert_eq!((&nothing["title"], &nothing["now"]), (&json!("Aquarium"), &json!({"viewers": 0})));

    let browser = Browser::open(daemon.address).await;
    browser.ask("start-stream").await;
    eventually("the camera's start", async || (!camera.starts().is_empty()).then_some(())).await;
    let file = daemon.rolling_file("tank");
    let address = format!("/{}", show(&browser, &file, &wide()).await);

    let (mut pictures, mut bytes) = (0, 0);
    for path in [
        address.as_str(),
        "/image_stream.jpg",
        "/image_stream.jpg?_t=1",
        "/cameras/tank/snapshot.jpg?max_age=24h",
        "/snapshot.jpg?max_age=24h&width=32",
        "/?action=snapshot&max_age=24h",
    ] {
        let reply = get(daemon.address, path).await;
        assert_eq!((reply.status, reply.header("content-type")), (200, "image/jpeg"), "{path}");
        pictures += 1;
        bytes += reply.body.len();
        let known = format!("If-None-Match: {}\r\n", reply.header("etag"));
        for (method, headers, status) in [("GET", known.as_str(), 304), ("HEAD", "", 200)] {
            assert_eq!(request(daemon.address, method, path, headers, b"").await.status, status, "{path}");
        }
    }
    assert_eq!(get(daemon.address, "/snapshot.jpg?width=1").await.status, 400);
    let counted = |pictures: usize, bytes: usize, taken: u64, viewers: u64| {
        json!({"viewers_max": viewers, "visits": viewers, "pictures_sent": pictures, "bytes_sent": bytes,
            "pictures_taken": taken})
    };
    assert_eq!(total(daemon.address).await, counted(pictures, bytes, 1, 1));

    // It may get the picture that is there first, and does not if it is old.
    let mut viewer = Viewer::open(daemon.address, "/ws").await;
    show(&browser, &file, &jpeg(255)).await;
    loop {
        let (picture, _) = viewer.picture().await;
        (pictures, bytes) = (pictures + 1, bytes + picture.len());
        if picture == jpeg(255) {
            break;
        }
    }
    eventually("the WebSocket's pictures in the counts", async || {
        (total(daemon.address).await == counted(pictures, bytes, 2, 2)).then_some(())
    })
    .await;
    assert_eq!(of(daemon.address, "tank").await["now"]["viewers"], 2);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_counts_its_pictures_and_is_one_visit_though_it_waits_for_the_first_one() {
    let camera = StandIn::new();
    let daemon = Daemon::start(&camera.entry("tank", "")).await;
    let mut stream = Mjpeg::open(daemon.address, "/stream.mjpg").await;
    let mut bytes = 0;
    for _ in 0..5 {
        bytes += stream.picture().await.jpeg.len() as u64;
    }
    let now = total(daemon.address).await;
    assert!(now["pictures_sent"].as_u64() >= Some(5) && now["bytes_sent"].as_u64() >= Some(bytes), "{now}");
    assert!(now["pictures_taken"].as_u64() >= Some(5), "{now}");
    assert_eq!((&now["visits"], &now["viewers_max"]), (&json!(1), &json!(1)));
    drop(stream);
    daemon.until_it("tank", "nobody watches", |state| state["viewers"] == 0).await;
    assert_eq!(get(daemon.address, "/snapshot.jpg").await.status, 200);
    let now = total(daemon.address).await;
    assert_eq!((&now["visits"], &now["viewers_max"]), (&json!(2), &json!(1)));
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_outlive_the_daemon_and_a_camera_that_was_taken_out_of_the_configuration() {
    let (tank, door) = (StandIn::new(), StandIn::new());
    let state = tempfile::tempdir_in("/dev/shm").unwrap();
    let folder = format!("state_folder = \"{}\"\n", state.path().display());
    let (tank, door) = (tank.entry("tank", ""), door.entry("door", ""));
    let mut program = Program::start(&format!("{folder}{tank}{door}")).await;
    for camera in ["tank", "door", "tank"] {
        assert_eq!(get(program.address, &format!("/cameras/{camera}/snapshot.jpg")).await.status, 200);
    }
    let before = of(program.address, "tank").await["total"].clone();
    assert_eq!((&before["visits"], &before["pictures_sent"]), (&json!(2), &json!(2)));
    let since = stats(program.address).await["since"].clone();
    program.signal(Signal::TERM);
    assert!(program.end().await.success());

    let daemon = Daemon::start(&format!("{folder}{door}")).await;
    let all = stats(daemon.address).await;
    let names: Vec<_> = all["cameras"].as_array().unwrap().iter().map(|c| &c["camera"]).collect();
    assert_eq!((names, &all["since"]), (vec![&json!("door"), &json!("tank")], &since));
    let gone = of(daemon.address, "tank").await;
    assert_eq!((&gone["now"], &gone["title"]), (&Value::Null, &Value::Null));
    // The camera took pictures until its end.
    for count in ["visits", "pictures_sent", "bytes_sent", "viewers_max"] {
        assert_eq!(gone["total"][count], before[count], "{count}");
    }

    // It comes back while the daemon runs, and goes on counting where it was.
    fs::write(daemon.config_file(), format!("{folder}{door}{tank}")).unwrap();
    eventually("the camera", async || {
        (get(daemon.address, "/cameras/tank/snapshot.jpg").await.status == 200).then_some(())
    })
    .await;
    let back = of(daemon.address, "tank").await;
    assert_eq!((&back["total"]["visits"], &back["now"].is_null()), (&json!(3), &false));
    // And what it counted until it was taken out again is not lost.
    fs::write(daemon.config_file(), format!("{folder}{door}")).unwrap();
    let gone = eventually("its end", async || {
        let tank = of(daemon.address, "tank").await;
        tank["now"].is_null().then_some(tank)
    })
    .await;
    assert_eq!(gone["total"]["visits"], 3);
    daemon.stop().await;
    let kept: Value = serde_json::from_slice(&fs::read(state.path().join("stats.json")).unwrap()).unwrap();
    assert_eq!(kept["cameras"]["tank"]["total"]["visits"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_broken_is_put_aside_and_told_of() {
    let folder = Program::folder();
    let file = folder.path().join("state/eyelid/stats.json");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, "{\"since\": 1, \"cam").unwrap();
    let camera = StandIn::new();
    let command = Program::command(&folder, &camera.entry("tank", ""), &["--listen", "127.0.0.1:0"]);
    let mut program = Program::watch(command, folder).await;
    let aside = file.with_extension("json.broken");
    let told = |line: &String| {
        line.contains(&format!("can't be read from {}", file.display()))
            && line.contains(&format!("it is {} now", aside.display()))
    };
    assert!(program.log().iter().any(told), "{:?}", program.log());
    assert_eq!(fs::read_to_string(&aside).unwrap(), "{\"since\": 1, \"cam");
    assert_eq!(get(program.address, "/snapshot.jpg").await.status, 200);
    assert_eq!(stats(program.address).await["notice"], Value::Null);
    program.signal(Signal::TERM);
    assert!(program.end().await.success());
    let kept: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert_eq!(kept["cameras"]["tank"]["total"]["visits"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_can_be_kept_it_is_counted_all_the_same_and_said_at_the_end() {
    let state = tempfile::tempdir_in("/dev/shm").unwrap();
    // Below a file there can be no folder, not even for root.
    let file = state.path().join("file");
    fs::write(&file, "").unwrap();
    let camera = StandIn::new();
    let config = format!("state_folder = \"{}\"\n{}", file.display(), camera.entry("tank", ""));
    let mut program = Program::start(&config).await;
    assert_eq!(get(program.address, "/snapshot.jpg").await.status, 200);
    assert_eq!(total(program.address).await["visits"], 1);
    program.signal(Signal::TERM);
    assert!(program.end().await.success());
    let complaint = format!("{} can't be written", file.join("stats.json").display());
    eventually("the line in the log", async || {
        program.log().iter().any(|line| line.contains(&complaint)).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_counts_are_for_the_cameras_own_site() {
    let camera = StandIn::new();
    let daemon = Daemon::start(&camera.entry("tank", "origins = [\"http://a.example\"]")).await;
    for from in ["Origin: http://a.example", "Origin: http://evil.example", "Sec-Fetch-Site: cross-site"] {
        let reply = request(daemon.address, "GET", STATS, &format!("{from}\r\n"), b"").await;
        assert_eq!(reply.status, 403, "{from}");
    }
    let post = request(daemon.address, "POST", STATS, "", b"{}").await;
    assert_eq!((post.status, post.header("allow")), (405, "GET, HEAD"));
    let head = request(daemon.address, "HEAD", STATS, "", b"").await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(daemon.state("tank").await["state"], "idle", "looking at them starts nothing");
    daemon.stop().await;
}
