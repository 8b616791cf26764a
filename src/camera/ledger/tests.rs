use std::{fs, os::unix::fs::PermissionsExt, path::Path, time::Duration};

use super::*;

const HOUR: u64 = 3_600_000;
/// Some midnight, and the next one.
const DAY: Range<u64> = 1_000 * HOUR..1_024 * HOUR;

struct Desk {
    folder: tempfile::TempDir,
    viewers: Viewers,
    zero: Instant,
}

impl Desk {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir_in("/dev/shm").unwrap(),
            viewers: Viewers::new(Duration::ZERO),
            zero: Instant::now(),
        }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("cameras/tank").join(FILE_NAME)
    }

    /// A daemon opens its ledger.
    fn open(&self) -> (Ledger, Book) {
        let book = Book::default();
        let ledger =
            Ledger::open(&"tank".parse().unwrap(), Some(self.file()), book.clone(), self.viewers.clone());
        (ledger, book)
    }

    /// What a later daemon knows.
    fn later(&self) -> Vec<Stretch> {
        let (_, book) = self.open();
        let pages = book.pages();
        pages.stretches.iter().cloned().collect()
    }

    /// So long after midnight, by both clocks.
    fn at(&self, since: u64) -> Moment {
        Moment { wall: DAY.start + since, steady: self.zero + Duration::from_millis(since) }
    }

    fn told(&self, book: &Book, now: u64) -> Value {
        book.told_at(self.at(now), self.viewers.most_of_stretch(), 0, &DAY)
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn a_stretch_is_told_while_it_lasts_when_it_is_over_and_by_a_later_daemon() {
    let desk = Desk::new();
    let (mut ledger, book) = desk.open();
    assert_eq!(desk.told(&book, 0)["today"], json!({"on_ms": 0, "times": 0, "unknown": 0}));
    let one = desk.viewers.lease();
    ledger.begin_at(desk.at(1000), "a viewer came");
    let two = desk.viewers.lease();
    drop(two);
    let now = desk.told(&book, 1500);
    assert_eq!((&now["now_on"], &now["today"]["on_ms"]), (&json!(true), &json!(500)));
    let open = json!({"from": DAY.start + 1000, "to": null, "on_ms": 500, "viewers": 2,
        "why": "a viewer came", "ended": null});
    assert_eq!(now["stretches"], json!([open]));

    drop(one);
    ledger.stopping("nobody watches");
    ledger.stopping("the camera is taken down");
    ledger.end_at(desk.at(3000), "the capture process ended by itself");
    ledger.begin_at(desk.at(4000), "a viewer came");
    ledger.end_at(desk.at(4100), "the cable is out");
    let after = desk.told(&book, 5000);
    let first = json!({"from": DAY.start + 1000, "to": DAY.start + 3000, "on_ms": 2000, "viewers": 2,
        "why": "a viewer came", "ended": "nobody watches"});
    let second = json!({"from": DAY.start + 4000, "to": DAY.start + 4100, "on_ms": 100, "viewers": 1,
        "why": "a viewer came", "ended": "the cable is out"});
    assert_eq!(after["stretches"], json!([first, second]));
    assert_eq!(after["today"], json!({"on_ms": 2100, "times": 2, "unknown": 0}));
    assert_eq!((&after["now_on"], &after["notice"]), (&json!(false), &Value::Null));

    ledger.close().await;
    let (_, later) = desk.open();
    assert_eq!(desk.told(&later, 5000), after);
    assert_eq!((mode(&desk.file()), mode(desk.file().parent().unwrap())), (0o600, 0o700));
    assert_eq!(fs::read_to_string(desk.file()).unwrap().lines().count(), 4);
}

#[tokio::test]
async fn a_stretch_that_was_never_closed_has_no_end_and_is_not_on() {
    let desk = Desk::new();
    let (mut ledger, _) = desk.open();
    ledger.begin_at(desk.at(1000), "a viewer came");
    ledger.close().await;
    let (mut ledger, book) = desk.open();
    let told = desk.told(&book, 9000);
    let lost = json!({"from": DAY.start + 1000, "to": null, "on_ms": null, "viewers": null,
        "why": "a viewer came", "ended": LOST});
    assert_eq!((&told["stretches"], &told["now_on"]), (&json!([lost]), &json!(false)));
    assert_eq!(told["today"], json!({"on_ms": 0, "times": 1, "unknown": 1}));
    ledger.begin_at(desk.at(9000), "a viewer came");
    ledger.end_at(desk.at(9500), "x");
    ledger.close().await;
    let ends: Vec<_> = desk.later().iter().map(|stretch| stretch.to).collect();
    assert_eq!(ends, [None, Some(DAY.start + 9500)]);
}

#[tokio::test]
async fn a_clock_that_is_set_changes_no_duration() {
    let desk = Desk::new();
    let (mut ledger, book) = desk.open();
    for jump in [-5 * HOUR as i64, 5 * HOUR as i64] {
        let begin = desk.at(12 * HOUR);
        ledger.begin_at(begin, "a viewer came");
        let end = Moment {
            wall: begin.wall.saturating_add_signed(jump),
            steady: begin.steady + Duration::from_secs(10),
        };
        ledger.end_at(end, "x");
    }
    let told = desk.told(&book, 20 * HOUR);
    assert_eq!(told["today"], json!({"on_ms": 20_000, "times": 2, "unknown": 0}));
    assert_eq!(told["stretches"][0]["to"], DAY.start + 7 * HOUR);
}

#[tokio::test]
async fn of_a_stretch_across_midnight_only_the_part_of_today_counts() {
    let desk = Desk::new();
    let (mut ledger, book) = desk.open();
    let before = |ms| Moment { wall: DAY.start - ms, steady: desk.zero };
    ledger.begin_at(before(2 * HOUR), "yesterday");
    ledger.end_at(Moment { wall: DAY.start - HOUR, steady: desk.zero + Duration::from_millis(HOUR) }, "x");
    ledger.begin_at(before(HOUR), "late");
    ledger
        .end_at(Moment { wall: DAY.start + 500, steady: desk.zero + Duration::from_millis(HOUR + 500) }, "x");
    ledger.begin_at(desk.at(1000), "early");
    ledger.end_at(desk.at(1010), "x");
    let tomorrow = Moment { wall: DAY.end, ..desk.at(0) };
    ledger.begin_at(tomorrow, "of a clock that was wrong");
    ledger.end_at(tomorrow, "x");
    assert_eq!(desk.told(&book, 2000)["today"], json!({"on_ms": 510, "times": 2, "unknown": 0}));
    let since = |since| {
        let told = book.told_at(desk.at(2000), 0, since, &DAY);
        told["stretches"].as_array().unwrap().iter().map(|s| s["why"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(since(DAY.start), ["late", "early", "of a clock that was wrong"]);
    assert_eq!(since(DAY.start + 501), ["early", "of a clock that was wrong"]);
    assert_eq!(since(0).len(), 4);
}

#[tokio::test]
async fn a_thousand_stretches_are_told_the_newest_last_and_a_bounded_number_is_kept() {
    let desk = Desk::new();
    let (mut ledger, book) = desk.open();
    for number in 0..MOST as u64 + 10 {
        ledger.begin_at(desk.at(number * 10), "a viewer came");
        ledger.end_at(desk.at(number * 10 + 1), "nobody watches");
    }
    let told = desk.told(&book, HOUR);
    let stretches = told["stretches"].as_array().unwrap();
    assert_eq!((stretches.len(), told["today"]["times"].as_u64()), (TOLD, Some(MOST as u64)));
    assert_eq!(stretches[TOLD - 1]["from"], DAY.start + (MOST as u64 + 9) * 10);
    assert_eq!(stretches[0]["from"], DAY.start + (MOST + 10 - TOLD) as u64 * 10);
}

#[tokio::test]
async fn a_torn_line_is_left_out_and_takes_nothing_with_it() {
    let desk = Desk::new();
    for torn in ["{\"from\":17953", "\0\0\0\0", "{\"from\":\"x\"}", "{}"] {
        let (mut ledger, _) = desk.open();
        ledger.begin_at(desk.at(1000), "one");
        ledger.end_at(desk.at(2000), "x");
        ledger.close().await;
        let whole = fs::read_to_string(desk.file()).unwrap();
        fs::write(desk.file(), whole + torn).unwrap();
        let (mut ledger, _) = desk.open();
        // The line of its end would make up for the one of its beginning.
        ledger.begin_at(desk.at(3000), "two");
        ledger.close().await;
        let whys: Vec<_> = desk.later().iter().map(|stretch| stretch.why.to_string()).collect();
        assert_eq!(whys, ["one", "two"], "{torn:?}");
        fs::remove_file(desk.file()).unwrap();
    }
}

#[test]
fn a_large_file_becomes_the_older_of_two() {
    let folder = tempfile::tempdir_in("/dev/shm").unwrap();
    let file = folder.path().join(FILE_NAME);
    let line = |number: u64| {
        let line = Line { from: number, why: "x".repeat(100), ..Line::default() };
        serde_json::to_string(&line).unwrap() + "\n"
    };
    let mut last = 0;
    let mut size = 0;
    while size < (5 * 256) << 10 {
        last += 1;
        let text: String = (0..10).map(|more| line(10 * last + more)).collect();
        size += text.len();
        file::append(&file, &text).unwrap();
    }
    let mut names: Vec<_> = fs::read_dir(&folder).unwrap().map(|f| f.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, [FILE_NAME, "ledger.jsonl.1"]);
    for path in [&file, &file::older(&file)] {
        assert!(fs::metadata(path).unwrap().len() <= 256 << 10);
    }
    let kept: Vec<_> = file::load(&"tank".parse().unwrap(), &file).iter().map(|line| line.from).collect();
    assert!(kept.len() > 2000 && kept.is_sorted() && kept.last() == Some(&(10 * last + 9)), "{}", kept.len());
}

#[tokio::test(start_paused = true)]
async fn a_camera_that_goes_on_and_off_all_the_time_is_written_seldom_and_completely() {
    let desk = Desk::new();
    let (mut ledger, _) = desk.open();
    let (mut writes, mut size) = (0, 0);
    // A day of a picture each minute.
    for minute in 0..24 * 60 {
        ledger.begin_at(desk.at(minute * 60_000), "a viewer came");
        ledger.end_at(desk.at(minute * 60_000 + 5000), "nobody watches");
        tokio::time::sleep(Duration::from_secs(60)).await;
        let now = fs::metadata(desk.file()).map_or(0, |file| file.len());
        writes += u32::from(now != size);
        size = now;
    }
    assert!((200..=24 * 12 + 20).contains(&writes), "{writes}");
    ledger.close().await;
    let later = desk.later();
    assert!(later.len() > 1000 && later.iter().all(|stretch| stretch.to.is_some()), "{}", later.len());
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_written_is_written_when_there_is_room_again() {
    let desk = Desk::new();
    let folder = desk.folder.path().join("cameras");
    fs::write(&folder, "a file where the folder should be").unwrap();
    let (mut ledger, book) = desk.open();
    ledger.begin_at(desk.at(1000), "a viewer came");
    let notice = loop {
        if let Some(notice) = book.pages().trouble.clone() {
            break notice;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    assert!(notice.contains("is forgotten when the daemon ends"), "{notice}");
    fs::remove_file(&folder).unwrap();
    ledger.end_at(desk.at(2000), "x");
    while book.pages().trouble.is_some() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(desk.later().len(), 1);
    // Half a line that a full disk has left would take the next one with it: it is taken back.
    let before = fs::read(desk.file()).unwrap();
    fs::remove_file(desk.file()).unwrap();
    std::os::unix::fs::symlink("/dev/full", desk.file()).unwrap();
    assert!(file::append(&desk.file(), "{\"from\":1}\n").is_err());
    fs::remove_file(desk.file()).unwrap();
    fs::write(desk.file(), before).unwrap();
    ledger.close().await;
    assert_eq!(desk.later().len(), 1);
}

#[tokio::test]
async fn reasons_are_kept_short_whatever_a_program_says() {
    let desk = Desk::new();
    let (mut ledger, _) = desk.open();
    ledger.begin_at(desk.at(1000), "a viewer came");
    ledger.end_at(desk.at(2000), &"ü\n".repeat(5000));
    ledger.close().await;
    let later = desk.later();
    assert_eq!(later[0].ended.as_ref().unwrap().chars().count(), LONGEST_REASON + 1);
    assert_eq!(fs::read_to_string(desk.file()).unwrap().lines().count(), 2);
}

#[tokio::test]
async fn another_program_may_write_between_the_two_lines_of_a_stretch() {
    let desk = Desk::new();
    let ((mut daemon, _), (mut snapshot, _)) = (desk.open(), desk.open());
    let text = || fs::read_to_string(desk.file()).unwrap_or_default().lines().count();
    let written = async |lines| {
        while text() < lines {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    daemon.begin_at(desk.at(1000), "a viewer came");
    written(1).await;
    snapshot.begin_at(desk.at(2000), "a viewer came");
    snapshot.end_at(desk.at(3000), "x");
    written(3).await;
    daemon.end_at(desk.at(4000), "x");
    daemon.close().await;
    let mut ends: Vec<_> = desk.later().iter().map(|stretch| stretch.to.unwrap() - DAY.start).collect();
    ends.sort_unstable();
    assert_eq!(ends, [3000, 4000]);
}
