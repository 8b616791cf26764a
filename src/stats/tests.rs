use std::{
    fs,
    os::unix::fs::PermissionsExt,
    time::{Duration, SystemTime},
};

use tokio::time::{Instant, sleep};

use super::*;
use crate::{camera::viewers::Viewers, feed::Feed};

struct Desktop {
    folder: tempfile::TempDir,
    viewers: Viewers,
    tally: Tally,
}

impl Desktop {
    fn new() -> Self {
        let viewers = Viewers::new(Duration::ZERO);
        let tally = Tally::new(viewers.clone(), Feed::new());
        Self { folder: tempfile::tempdir_in("/dev/shm").unwrap(), viewers, tally }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("state").join(file::FILE_NAME)
    }

    /// A daemon that is started at this local time.
    fn open(&self, at: &str) -> Stats {
        let (begin, started): (Zoned, _) = (at.parse().unwrap(), Instant::now());
        let clock = move || begin.checked_add(started.elapsed()).unwrap();
        let stats = Stats::with_clock(&self.folder.path().join("state"), Box::new(clock));
        stats.follow_tally("tank", self.tally.clone());
        stats
    }

    /// Who writes the file shows: when it was changed, as often as it was.
    fn written(&self) -> Option<(SystemTime, String)> {
        Some((fs::metadata(self.file()).ok()?.modified().ok()?, fs::read_to_string(self.file()).ok()?))
    }
}

fn told(stats: &Stats) -> Value {
    stats.to_json(&Cameras::new(Vec::new()))
}

const NOON: &str = "2026-11-21T12:00:00+01:00[Europe/Berlin]";

#[tokio::test(start_paused = true)]
async fn what_is_counted_belongs_to_the_day_in_which_it_was_and_one_who_stays_is_no_new_visit() {
    let desktop = Desktop::new();
    let stats = desktop.open("2026-11-21T23:59:00+01:00[Europe/Berlin]");
    let keeper = Keeper::start(stats.clone());
    let (_stays, leaves) = (desktop.viewers.lease(), desktop.viewers.lease());
    desktop.tally.sent(10);
    sleep(Duration::from_secs(59)).await;
    desktop.tally.sent(20);
    sleep(Duration::from_secs(2)).await;
    drop(leaves);
    desktop.tally.sent(40);
    let all = told(&stats);
    assert_eq!(all["today"], "2026-11-22");
    let camera = &all["cameras"][0];
    let counts = |viewers: u64, visits: u64, pictures: u64, bytes: u64| {
        json!({"viewers_max": viewers, "visits": visits, "pictures_sent": pictures, "bytes_sent": bytes,
            "pictures_taken": 0})
    };
    let on = |day: &str, mut counts: Value| {
        counts["day"] = json!(day);
        counts
    };
    assert_eq!(
        camera["days"],
        json!([on("2026-11-21", counts(2, 2, 2, 30)), on("2026-11-22", counts(2, 0, 1, 40))])
    );
    assert_eq!(camera["total"], counts(2, 2, 3, 70));
    assert_eq!(
        (&camera["camera"], &camera["title"], &camera["now"]),
        (&json!("tank"), &Value::Null, &Value::Null)
    );
    keeper.close().await;

    let later = desktop.open("2026-11-23T10:00:00+01:00[Europe/Berlin]");
    assert_eq!(told(&later)["cameras"][0]["total"], counts(2, 2, 3, 70));
    assert_eq!(told(&later)["cameras"][0]["days"][0], camera["days"][0]);
    assert_eq!(told(&later)["since"], all["since"]);
}

#[tokio::test(start_paused = true)]
async fn the_file_is_written_every_ten_minutes_at_most_and_not_while_nothing_happens() {
    let desktop = Desktop::new();
    let stats = desktop.open(NOON);
    let keeper = Keeper::start(stats.clone());
    let mut writes = 0;
    let mut before = desktop.written();
    assert_eq!(before, None);
    let mut watch = async |minutes: u64, tally: Option<&Tally>| {
        let old = writes;
        for _ in 0..minutes * 12 {
            tally.inspect(|tally| tally.sent(1));
            sleep(Duration::from_secs(5)).await;
            let now = desktop.written();
            writes += u32::from(now != before);
            before = now;
        }
        writes - old
    };
    assert_eq!(watch(60, None).await, 0);
    let while_watched = watch(60, Some(&desktop.tally)).await;
    assert!((5..=6).contains(&while_watched), "{while_watched}");
    assert!(watch(60, None).await <= 1);
    desktop.tally.sent(1);
    keeper.close().await;
    let sent = told(&desktop.open(NOON))["cameras"][0]["total"]["pictures_sent"].clone();
    assert_eq!(sent, 60 * 12 + 1);
    let mode = fs::metadata(desktop.file()).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
}

#[tokio::test(start_paused = true)]
async fn a_broken_file_is_put_aside_whatever_lies_there_already() {
    let desktop = Desktop::new();
    fs::create_dir_all(desktop.file().parent().unwrap()).unwrap();
    for (text, aside) in [
        ("{\"since\":", "stats.json.broken"),
        ("[]", "stats.json.broken.2"),
        ("{\"since\":0,\"cameras\":{\"tank\":{\"total\":{},\"days\":{\"soon\":{}}}}}", "stats.json.broken.3"),
    ] {
        fs::write(desktop.file(), text).unwrap();
        let stats = desktop.open(NOON);
        let keeper = Keeper::start(stats.clone());
        assert_eq!(told(&stats)["notice"], Value::Null);
        desktop.tally.sent(7);
        keeper.close().await;
        let aside = desktop.file().with_file_name(aside);
        assert_eq!(fs::read_to_string(aside).unwrap(), text);
        assert_eq!(told(&desktop.open(NOON))["cameras"][0]["total"]["bytes_sent"], 7);
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_of_an_earlier_version_that_lacks_a_count_is_understood() {
    let desktop = Desktop::new();
    fs::create_dir_all(desktop.file().parent().unwrap()).unwrap();
    let text = "{\"since\":5,\"cameras\":{\"tank\":{\"total\":{\"visits\":3},\"days\":{\"2026-11-20\":{\"visits\":3}}}}}";
    fs::write(desktop.file(), text).unwrap();
    let told = told(&desktop.open(NOON));
    assert_eq!((&told["since"], &told["cameras"][0]["days"][0]["visits"]), (&json!(5), &json!(3)));
    assert_eq!(told["cameras"][0]["total"]["viewers_max"], 0);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_written_is_counted_all_the_same_and_written_when_it_can_be() {
    let desktop = Desktop::new();
    let folder = desktop.folder.path().join("state");
    fs::write(&folder, "a file where the folder should be").unwrap();
    let stats = desktop.open(NOON);
    let keeper = Keeper::start(stats.clone());
    desktop.tally.sent(7);
    sleep(Duration::from_secs(601)).await;
    let all = told(&stats);
    assert!(all["notice"].as_str().unwrap().contains("is forgotten when the daemon ends"), "{all}");
    assert_eq!(all["cameras"][0]["total"]["bytes_sent"], 7);
    fs::remove_file(&folder).unwrap();
    sleep(Duration::from_secs(601)).await;
    assert_eq!(told(&stats)["notice"], Value::Null);
    keeper.close().await;
    assert_eq!(told(&desktop.open(NOON))["cameras"][0]["total"]["bytes_sent"], 7);
}

#[tokio::test]
async fn a_camera_that_is_gone_is_counted_to_its_end_and_followed_no_more() {
    let desktop = Desktop::new();
    let stats = desktop.open(NOON);
    let other = Tally::new(Viewers::new(Duration::ZERO), Feed::new());
    stats.follow_tally("door", other.clone());
    other.sent(3);
    drop(other);
    assert_eq!(told(&stats)["cameras"][0]["total"]["bytes_sent"], 3);
    assert_eq!(stats.desk().following.len(), 1);
    assert_eq!(told(&stats)["cameras"][0]["camera"], "door");
}

#[tokio::test]
async fn what_can_be_neither_read_nor_moved_is_not_replaced() {
    let desktop = Desktop::new();
    // A folder can't be read as a file; and none can be moved to where all names are taken.
    fs::create_dir_all(desktop.file().join("inside")).unwrap();
    let aside = desktop.file().with_file_name("stats.json.broken");
    for number in 1..100 {
        let name = if number == 1 {
            aside.clone()
        } else {
            crate::state_folder::with_ending(&aside, &number.to_string())
        };
        fs::write(name, "").unwrap();
    }
    let stats = desktop.open(NOON);
    let keeper = Keeper::start(stats.clone());
    assert!(told(&stats)["notice"].as_str().unwrap().contains("nor moved aside"));
    desktop.tally.sent(7);
    keeper.close().await;
    assert!(desktop.file().join("inside").exists());
}
