use std::{
    fs,
    time::{Duration, SystemTime},
};

use super::*;

fn jpeg(shade: u8) -> Vec<u8> {
    let mut jpeg = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut jpeg, 90);
    encoder.encode(&[shade; 64], 8, 8, jpeg_encoder::ColorType::Luma).unwrap();
    jpeg
}

const LIVE: u8 = 255;
const RECORDED: u8 = 0;

/// A programme, and a camera whose pictures the test takes.
struct Stage {
    feed: Feed,
    viewers: Viewers,
    config: watch::Sender<CameraConfig>,
    status: watch::Sender<Status>,
    outlook: watch::Receiver<Outlook>,
    requests: mpsc::Sender<Request>,
    folder: tempfile::TempDir,
    stop: CancellationToken,
}

impl Stage {
    fn new(set: impl FnOnce(&mut CameraConfig)) -> Self {
        let (stage, programme) = Self::before(set);
        tokio::spawn(programme.run(stage.stop.clone()));
        stage
    }

    /// With a programme that does not run yet.
    fn before(set: impl FnOnce(&mut CameraConfig)) -> (Self, Programme) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("1.jpg"), jpeg(RECORDED)).unwrap();
        let mut config = CameraConfig { interval: Duration::from_millis(20), ..CameraConfig::default() };
        config.offline.folder = folder.path().to_str().unwrap().to_owned();
        config.offline.interval = Duration::from_millis(100);
        set(&mut config);
        let (feed, viewers) = (Feed::new(), Viewers::new(Duration::ZERO));
        prepare(&feed, &config);
        let (tell_status, status) = watch::channel(Status::new(&config));
        let (tell_config, configured) = watch::channel(config);
        let (tell_outlook, outlook) = watch::channel(Outlook::default());
        let (want, requests) = mpsc::channel(4);
        let stop = CancellationToken::new();
        let parts = Parts {
            configured,
            viewers: viewers.clone(),
            feed: feed.clone(),
            status,
            requests,
            outlook: tell_outlook,
            chance: || 0.0,
        };
        let programme = Programme::new(parts);
        let (config, status, requests) = (tell_config, tell_status, want);
        (Self { feed, viewers, config, status, outlook, requests, folder, stop }, programme)
    }

    /// A recorded picture for one viewer alone.
    async fn aside(&self) -> Option<Arc<Frame>> {
        let (request, answer) = oneshot::channel();
        self.requests.send(request).await.unwrap();
        in_time(answer).await.unwrap()
    }

    fn take(&self) {
        self.feed.publish(jpeg(LIVE).into(), SystemTime::now()).unwrap();
    }

    /// The next picture on the screen, while the camera takes one after another, or none.
    async fn next(&self, screen: &mut watch::Receiver<Option<Arc<Frame>>>, takes: bool) -> Arc<Frame> {
        let until = async {
            loop {
                tokio::select! {
                    biased;
                    _ = screen.changed() => {
                        if let Some(frame) = screen.borrow_and_update().clone() {
                            return frame;
                        }
                    }
                    () = tokio::time::sleep(Duration::from_millis(5)) => if takes { self.take() },
                }
            }
        };
        in_time(until).await
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn in_time<T>(coming: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), coming).await.expect("this is to come soon")
}

fn is(frame: &Frame, shade: u8) -> bool {
    frame.jpeg == jpeg(shade)
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_stretch_no_live_picture_is_seen_whoever_comes_and_goes() {
    let hour = Duration::from_secs(3600);
    let stage = Stage::new(|config| {
        config.privacy.interleave = 0.5;
        (config.privacy.shortest, config.privacy.longest) = (hour, hour);
    });
    let mut screen = stage.feed.subscribe();
    let mut arrivals = stage.feed.arrivals();
    stage.take();
    for _ in 0..3 {
        let _viewer = stage.viewers.lease();
        for _ in 0..3 {
            let frame = stage.next(&mut screen, true).await;
            assert!(is(&frame, RECORDED) && frame.recorded);
        }
    }
    // Nobody watches, and the camera lingers.
    for _ in 0..50 {
        stage.take();
        tokio::task::yield_now().await;
    }
    assert!(is(&stage.feed.newest().unwrap(), RECORDED));
    assert!(is(arrivals.borrow_and_update().as_ref().unwrap(), LIVE));
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_delay_no_picture_is_seen_before_its_time() {
    let delay = Duration::from_millis(300);
    let stage = Stage::new(|config| {
        config.offline.folder.clear();
        config.privacy.delay = delay;
    });
    let _viewer = stage.viewers.lease();
    let mut screen = stage.feed.subscribe();
    let mut last = None;
    for _ in 0..20 {
        let frame = stage.next(&mut screen, true).await;
        assert!(!frame.recorded && frame.taken.elapsed().unwrap() >= delay);
        assert!(last < Some(frame.id));
        last = Some(frame.id);
    }
    let newest = stage.feed.newest().unwrap().id;
    stage.feed.shut();
    stage.feed.open();
    tokio::time::sleep(2 * delay).await;
    assert!(stage.feed.newest().is_none(), "{newest} and what came before the change is forgotten");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_remembered_is_shown_once_there_is_no_more_and_forgotten_when_something_is_to_be_hidden() {
    let stage = Stage::new(|config| {
        config.offline.folder.clear();
        config.offline.remember = Duration::from_secs(5);
        config.offline.after = Duration::ZERO;
    });
    let _viewer = stage.viewers.lease();
    let mut screen = stage.feed.subscribe();
    let live = stage.next(&mut screen, true).await;
    assert!(!live.recorded);
    let recorded = loop {
        let frame = stage.next(&mut screen, false).await;
        if frame.recorded {
            break frame;
        }
    };
    assert!(recorded.taken <= SystemTime::now() && recorded.id > live.id && is(&recorded, LIVE));
    assert!(stage.outlook.borrow().playing && stage.outlook.borrow().span.is_some());
    stage.feed.shut();
    stage.feed.open();
    let mut outlook = stage.outlook.clone();
    in_time(outlook.wait_for(|outlook| !outlook.material && !outlook.playing)).await.unwrap();
    assert!(stage.feed.newest().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn unannounced_pictures_look_like_live_ones_and_one_may_be_had_aside() {
    let stage = Stage::new(|config| {
        (config.offline.after, config.offline.announce) = (Duration::ZERO, false);
    });
    let aside = stage.aside().await.unwrap();
    assert!(is(&aside, RECORDED) && !aside.recorded);
    assert!(stage.feed.newest().is_none(), "nobody watches");
    let file = fs::File::open(stage.folder.path().join("1.jpg")).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
    let before = SystemTime::now();
    let _viewer = stage.viewers.lease();
    let frame = stage.next(&mut stage.feed.subscribe(), false).await;
    assert!(is(&frame, RECORDED) && !frame.recorded && frame.taken >= before);
    assert_eq!(stage.outlook.borrow().span, None);
    // From now on they are told of.
    stage.config.send_modify(|config| config.offline.announce = true);
    let mut screen = stage.feed.subscribe();
    let told = async {
        loop {
            let frame = stage.next(&mut screen, false).await;
            if frame.recorded {
                return frame;
            }
        }
    };
    assert_eq!(told.await.taken, SystemTime::UNIX_EPOCH);
    drop(file);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_picture_is_left_out_and_a_folder_may_get_its_pictures_later() {
    let stage = Stage::new(|config| config.offline.after = Duration::ZERO);
    let path = |name: &str| stage.folder.path().join(name);
    let whole = jpeg(RECORDED);
    fs::write(path("1.jpg"), &whole[..whole.len() / 2]).unwrap();
    // All zeros, and takes no room on a disk.
    fs::File::create(path("2.jpg")).unwrap().set_len(33 << 20).unwrap();
    fs::write(path("3.jpg"), b"").unwrap();
    let _viewer = stage.viewers.lease();
    let mut outlook = stage.outlook.clone();
    // It counts as having pictures until somebody has looked.
    in_time(outlook.wait_for(|outlook| outlook.material)).await.unwrap();
    in_time(outlook.wait_for(|outlook| !outlook.material && !outlook.playing)).await.unwrap();
    assert!(stage.feed.newest().is_none() && stage.aside().await.is_none());
    fs::write(path("4.jpg"), &whole).unwrap();
    let mut screen = stage.feed.subscribe();
    let frame = stage.next(&mut screen, false).await;
    assert!(is(&frame, RECORDED) && stage.outlook.borrow().playing);
    // And lose them: what is live is seen all the same.
    fs::remove_dir_all(stage.folder.path()).unwrap();
    in_time(outlook.wait_for(|outlook| !outlook.material)).await.unwrap();
    while stage.next(&mut screen, true).await.recorded {}
}

#[tokio::test]
async fn what_waits_is_never_shown_once_the_camera_is_off() {
    let (stage, mut programme) = Stage::before(|config| config.privacy.delay = Duration::from_secs(60));
    stage.status.send_modify(|status| status.state = State::Live);
    programme.heed_status();
    stage.take();
    programme.arrived();
    programme.heed_status();
    assert!(programme.queue.due(Duration::ZERO).is_some());
    stage.status.send_modify(|status| status.state = State::Idle);
    programme.heed_status();
    assert!(programme.queue.due(Duration::ZERO).is_none());
}

#[tokio::test]
async fn the_only_picture_of_a_camera_that_has_stopped_at_once_is_remembered_too() {
    let (stage, mut programme) = Stage::before(|config| {
        config.offline.folder.clear();
        config.offline.remember = Duration::from_secs(5);
    });
    stage.take();
    stage.feed.rest();
    programme.arrived();
    assert!(programme.remembered.is_empty(), "it has not come to be seen here");
    programme.heed_status();
    assert_eq!(programme.remembered.all().len(), 1);
    stage.feed.shut();
    programme.turn(true);
    programme.heed_status();
    assert!(programme.remembered.is_empty());
}

#[tokio::test]
async fn a_folder_is_looked_into_once_in_an_interval_whatever_is_in_it() {
    for pictures in [true, false] {
        let (stage, mut programme) = Stage::before(|_| ());
        if !pictures {
            fs::remove_file(stage.folder.path().join("1.jpg")).unwrap();
        }
        programme.play(true, true);
        let read = finished(&mut programme.reading).await;
        assert_eq!(read.1.is_ok(), pictures);
        programme.take(read);
        programme.play(true, false);
        assert!(programme.reading.is_none());
        programme.play(true, true);
        assert!(programme.reading.is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_who_ask_at_a_time_get_the_same_recorded_picture() {
    let hour = Duration::from_secs(3600);
    let stage = Stage::new(|config| config.offline.interval = hour);
    fs::write(stage.folder.path().join("2.jpg"), jpeg(100)).unwrap();
    for _ in 0..3 {
        assert!(is(&stage.aside().await.unwrap(), RECORDED));
    }
    stage.config.send_modify(|config| config.offline.interval = Duration::from_millis(1));
    in_time(async { while !is(&stage.aside().await.unwrap(), 100) {} }).await;
}
