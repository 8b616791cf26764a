//! From the rolling file to the viewers.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::support::{Browser, Daemon, StandIn, eventually, get, jpeg};

/// A camera that is on, whose pictures the test takes.
struct Stage {
    daemon: Daemon,
    browser: Browser,
    file: PathBuf,
    _camera: StandIn,
}

impl Stage {
    async fn set() -> Self {
        let camera = StandIn::still();
        let daemon =
            Daemon::start(&camera.entry("tank", "stall_timeout = \"1h\"\nstart_timeout = \"5m\"")).await;
        let browser = Browser::open(daemon.address).await;
        browser.say("start-stream");
        eventually("the camera's start", async || camera.starts().first().copied()).await;
        let file = daemon.rolling_file("tank");
        Self { daemon, browser, file, _camera: camera }
    }

    /// Waits until that is the newest picture.
    async fn sees(&self, picture: &[u8]) {
        eventually("the newest picture", async || {
            let reply = get(self.daemon.address, "/image_stream.jpg").await;
            (reply.body == picture).then_some(())
        })
        .await;
    }

    fn beside(&self) -> PathBuf {
        self.file.parent().unwrap().with_extension("new")
    }
}

fn rename_over(file: &Path, beside: &Path, bytes: &[u8]) {
    fs::write(beside, bytes).unwrap();
    fs::rename(beside, file).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn it_may_be_replaced_by_rename_or_in_place() {
    let stage = Stage::set().await;
    for shade in [10, 20, 30] {
        rename_over(&stage.file, &stage.beside(), &jpeg(shade));
        assert_eq!(stage.browser.picture().await, jpeg(shade));
        fs::write(&stage.file, jpeg(shade + 5)).unwrap();
        assert_eq!(stage.browser.picture().await, jpeg(shade + 5));
    }
    // Within the watched folder, as a program does that knows nothing of us.
    rename_over(&stage.file, &stage.file.with_extension("tmp"), &jpeg(40));
    assert_eq!(stage.browser.picture().await, jpeg(40));
    stage.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_picture_and_what_is_none_are_never_served() {
    let stage = Stage::set().await;
    let whole = jpeg(10);
    let half = &whole[..whole.len() / 2];
    fs::write(&stage.file, half).unwrap();
    fs::write(&stage.file, &whole).unwrap();
    assert_eq!(stage.browser.picture().await, whole);
    let no_pictures: [&[u8]; 6] =
        [half, b"", b"GIF89a", &whole[1..], &[0xFF; 5000], &[0xFF, 0xD8, 0xFF, 0xD9]];
    for (count, bytes) in no_pictures.into_iter().enumerate() {
        match count % 2 {
            0 => rename_over(&stage.file, &stage.beside(), bytes),
            _ => fs::write(&stage.file, bytes).unwrap(),
        }
        assert_eq!(get(stage.daemon.address, "/image_stream.jpg").await.body, whole);
    }
    rename_over(&stage.file, &stage.beside(), &jpeg(20));
    assert_eq!(stage.browser.picture().await, jpeg(20));
    assert_eq!(stage.browser.forget("liveStream"), 0);
    stage.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_writer_in_place_tears_no_picture() {
    let stage = Stage::set().await;
    let (file, pictures) = (stage.file.clone(), [jpeg(10), jpeg(250)]);
    let both = pictures.clone();
    let writer = tokio::task::spawn_blocking(move || {
        for round in 0..400 {
            let picture = &both[round % 2];
            let (start, end) = picture.split_at(picture.len() / 3);
            let mut file = File::create(&file).unwrap();
            file.write_all(start).unwrap();
            std::thread::yield_now();
            file.write_all(end).unwrap();
        }
    });
    while !writer.is_finished() {
        let reply = get(stage.daemon.address, "/image_stream.jpg").await;
        assert!(reply.status == 404 || pictures.contains(&reply.body), "{} bytes", reply.body.len());
    }
    writer.await.unwrap();
    stage.sees(&pictures[1]).await;
    stage.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_picture_of_a_burst_wins() {
    let stage = Stage::set().await;
    for burst in 1..=5 {
        for shade in 0..50 {
            rename_over(&stage.file, &stage.beside(), &jpeg(shade));
        }
        rename_over(&stage.file, &stage.beside(), &jpeg(200 + burst));
        stage.sees(&jpeg(200 + burst)).await;
    }
    stage.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn its_folder_and_itself_may_be_deleted() {
    let stage = Stage::set().await;
    let folder = stage.file.parent().unwrap().to_owned();
    for round in 0..5 {
        rename_over(&stage.file, &stage.beside(), &jpeg(round));
        assert_eq!(stage.browser.picture().await, jpeg(round));
        fs::remove_file(&stage.file).unwrap();
        fs::write(&stage.file, jpeg(round + 50)).unwrap();
        assert_eq!(stage.browser.picture().await, jpeg(round + 50));
        if round % 2 == 0 {
            fs::remove_dir_all(&folder).unwrap();
        } else {
            fs::rename(&folder, stage.beside()).unwrap();
        }
        eventually("its folder", async || folder.exists().then_some(())).await;
        let _ = fs::remove_dir_all(stage.beside());
    }
    stage.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn its_modification_time_is_the_pictures_id() {
    let stage = Stage::set().await;
    let mut last = 0;
    for micros in
        [1_700_000_000_000_001, 1_700_000_000_123_456, 1_600_000_000_000_000, 1_700_000_001_000_000_u64]
    {
        let taken = UNIX_EPOCH + Duration::from_micros(micros);
        fs::write(stage.beside(), jpeg(1)).unwrap();
        File::options().write(true).open(stage.beside()).unwrap().set_modified(taken).unwrap();
        fs::rename(stage.beside(), &stage.file).unwrap();
        let url = stage.browser.next("liveStream").await;
        let id: u64 = url.as_str().unwrap().strip_prefix("image_stream.jpg?_t=").unwrap().parse().unwrap();
        // A clock that was set back must not give an id again.
        assert_eq!(id, micros.max(last + 1));
        last = id;
        let reply = get(stage.daemon.address, &format!("/image_stream.jpg?_t={id}")).await;
        assert_eq!(reply.header("x-timestamp").replace('.', ""), micros.to_string());
    }
    stage.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_pictures_of_one_size_within_a_tick_of_the_clock_are_two() {
    let stage = Stage::set().await;
    // The pictures differ in what comes after their end, and so do not in size.
    let picture = |mark: u8| [jpeg(1), vec![mark; 100]].concat();
    let taken = SystemTime::now();
    for mark in 1..=3 {
        let mut file = File::create(&stage.file).unwrap();
        file.write_all(&picture(mark)).unwrap();
        file.set_modified(taken).unwrap();
        drop(file);
        assert_eq!(stage.browser.picture().await, picture(mark));
    }
    // What is no new picture is not announced as one.
    File::options().append(true).open(&stage.file).unwrap();
    stage.browser.ask("clock").await;
    rename_over(&stage.file, &stage.beside(), &jpeg(2));
    assert_eq!(stage.browser.picture().await, jpeg(2));
    assert_eq!(stage.browser.forget("liveStream"), 0);
    stage.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_earlier_run_has_left_is_no_picture() {
    let camera = StandIn::doing("while ! [ -e go ]; do sleep 0.01; done; cat b.jpg; exec sleep 1000000");
    let daemon = Daemon::start(&camera.entry("tank", "linger = \"0s\"")).await;
    let browser = Browser::open(daemon.address).await;
    fs::write(daemon.rolling_file("tank"), jpeg(77)).unwrap();
    eventually("that it is read", async || {
        (get(daemon.address, "/image_stream.jpg").await.status == 200).then_some(())
    })
    .await;
    let before = SystemTime::now();
    browser.ask("start-stream").await;
    eventually("the camera's start", async || camera.starts().first().copied()).await;
    assert!(!daemon.rolling_file("tank").exists());
    assert_eq!(daemon.state("tank").await["state"], "starting");
    fs::write(camera.folder().join("go"), "").unwrap();
    assert_eq!(browser.picture().await, jpeg(255));
    let reply = get(daemon.address, "/image_stream.jpg").await;
    let taken: f64 = reply.header("x-timestamp").parse().unwrap();
    assert!(taken >= before.duration_since(UNIX_EPOCH).unwrap().as_secs_f64());
    daemon.stop().await;
}
