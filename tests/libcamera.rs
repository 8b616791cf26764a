//! `eyelid-libcamera` on libcamera's own virtual camera. `tests/libcamera/run.sh` makes the root folder that
//! has one, and runs these there.

#![allow(clippy::unwrap_used, reason = "in a test it is an assertion")]

#[path = "libcamera/bars.rs"]
mod bars;
#[path = "libcamera/capture.rs"]
mod capture;
#[path = "libcamera/daemon.rs"]
mod daemon;
#[allow(dead_code, unused_imports, reason = "they are made for more tests than these")]
#[path = "it/support/mod.rs"]
mod support;

use std::{fs, os::unix::process::CommandExt, process::Stdio, time::Duration};

use capture::{Capture, LOCK, UDMABUF, eyelid_libcamera, failure};
use eyelid::capture::{
    Found,
    protocol::{Offer, Request, Set},
};
use rustix::process::Signal;
use serde_json::{Value, json};

#[test]
#[ignore = "needs the virtual camera of tests/libcamera/run.sh"]
fn the_bars_have_their_colours() {
    for (size, width, height) in [("640x480", 640, 480), ("1280x720", 1280, 720), ("1920x1080", 1920, 1080)] {
        let mut capture = Capture::start(&["--device=Bars", "--size", size]);
        let streaming = capture.streaming();
        assert_eq!((streaming.width, streaming.height), (Some(width), Some(height)));
        bars::check(&capture.picture().jpeg, width as usize, height as usize);
    }
}

#[test]
#[ignore = "needs the virtual camera of tests/libcamera/run.sh"]
fn the_list_tells_each_camera() {
    let output = eyelid_libcamera().arg("--list").output().unwrap();
    assert!(output.status.success());
    let lines = String::from_utf8(output.stdout).unwrap();
    let cameras: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let expected = [
        json!({"index": 0, "id": "Bars", "model": "Bars", "location": "external", "sizes": &cameras[0]["sizes"]}),
        json!({"index": 1, "id": "Lines", "model": "Lines", "location": "front", "sizes": ["640x480"]}),
    ];
    assert_eq!(cameras, expected);
    assert!(cameras[0]["sizes"].as_array().unwrap().contains(&json!("1280x720")));
    let found: Found = serde_json::from_value(cameras[1].clone()).unwrap();
    assert_eq!(
        found,
        Found {
            index: 1,
            id: "Lines".to_owned(),
            model: "Lines".to_owned(),
            sizes: vec!["640x480".to_owned()]
        }
    );
}

#[test]
#[ignore = "needs the virtual camera of tests/libcamera/run.sh"]
fn a_camera_is_chosen_by_id_or_index_and_the_first_is_the_default() {
    for (arguments, device) in [
        (&["--device=Lines", "--size=640x480"][..], "Lines"),
        (&["--device=1", "--size=640x480"], "Lines"),
        (&["--device=0"], "Bars"),
        (&[], "Bars"),
    ] {
        assert_eq!(Capture::start(arguments).streaming().device, device, "{arguments:?}");
    }
}

#[test]
#[ignore = "needs the virtual camera of tests/libcamera/run.sh"]
fn an_unknown_camera_is_refused_with_the_list_of_those_that_there_are() {
    for unknown in ["--device=imx708", "--device=2"] {
        let failure = failure(eyelid_libcamera().arg(unknown));
        assert!(failure.reason.starts_with("there is no camera "), "{failure:?}");
        assert_eq!(failure.hint.as_deref(), Some("choose one of 0: Bars, 1: Lines"));
    }
}

/// A file of mode 0600 in place of a device.
fn fake_media(name: &str) -> tempfile::NamedTempFile {
    tempfile::Builder::new().prefix(name).rand_bytes(0).tempfile_in("/dev").unwrap()
}

#[test]
#[ignore = "needs the virtual camera of tests/libcamera/run.sh"]
fn a_busy_camera_names_the_program_that_has_it() {
    let media = fake_media("media90");
    let preload = format!("{UDMABUF}:{LOCK}");
    let shared = [("LD_PRELOAD", preload.as_str()), ("EYELID_FAKE_MEDIA", media.path().to_str().unwrap())];
    let mut first = Capture::spawn(eyelid_libcamera().envs(shared));
    first.picture();
    let refused = failure(eyelid_libcamera().envs(shared));
    let pid = first.pid();
    assert_eq!(
        refused.reason,
        format!("camera is used by another program: eyelid-libcamer (pid {pid})"),
        "the kernel keeps 15 characters of a name"
    );
    first.stop(Capture::close);
    Capture::spawn(eyelid_libcamera().envs(shared)).picture();
}

#[test]
#[ignore = "needs the virtual camera of tests/libcamera/run.sh"]
fn no_memory_for_pictures_says_what_to_do() {
    let failure = failure(eyelid_libcamera().env_remove("LD_PRELOAD"));
    assert!(failure.reason.starts_with("no memory for the camera's pictures"), "{failure:?}");
    assert!(failure.hint.unwrap().contains("modprobe udmabuf"));
}

#[test]
#[ignore = "needs the virtual camera of tests/libcamera/run.sh"]
fn without_a_camera_or_the_right_to_it_the_hint_tells_which() {
    let none =
        |command: &mut std::process::Command| failure(command.env("LIBCAMERA_PIPELINES_MATCH_LIST", "none"));
    let missing = none(&mut eyelid_libcamera());
    assert_eq!(missing.reason, "no camera found");
    assert!(missing.hint.unwrap().contains("ribbon cable"));

    let _media = fake_media("media91");
    let nobody = 65_534;
    let forbidden = none(eyelid_libcamera().uid(nobody).gid(nobody));
    assert!(forbidden.reason.starts_with("no permission to use the camera: can't open /dev/media9"));
    assert!(forbidden.hint.unwrap().contains("group video"));
}

#[test]
#[ignore = "needs the virtual camera of tests/libcamera/run.sh"]
fn whatever_asks_it_to_stop_it_stops_and_leaves_nothing_but_the_last_picture() {
    let ways: [fn(&mut Capture); 4] = [
        Capture::close,
        |capture| capture.request(&Request::Stop),
        |capture| capture.signal(Signal::TERM),
        |capture| capture.signal(Signal::INT),
    ];
    for way in ways {
        let mut capture = Capture::start(&[]);
        capture.picture();
        let files = capture.stop(way);
        assert_eq!(files, ["run/image_stream.jpg"]);
    }
}

// The virtual camera has no control but the frame duration, which is the interval's, and so nothing to set.
#[test]
#[ignore = "needs the virtual camera of tests/libcamera/run.sh"]
fn what_it_is_asked_to_set_is_answered_while_pictures_come() {
    let mut capture = Capture::start(&["--size=640x480", "--interval=50ms"]);
    capture.streaming();
    assert_eq!(capture.offer(), Offer::default());
    for serial in 1..=3 {
        let controls = [("brightness".to_owned(), Some(0.5.into()))].into();
        capture.request(&Request::Set(Set { serial, controls }));
        assert_eq!(capture.offer(), Offer { controls: Vec::new(), answers: serial });
        capture.picture();
    }
}

#[test]
#[ignore = "needs the virtual camera of tests/libcamera/run.sh"]
fn pictures_come_at_the_interval_though_the_camera_would_be_faster() {
    for interval in [33, 100, 250] {
        let mut capture = Capture::start(&["--size=640x480", &format!("--interval={interval}ms")]);
        let times: Vec<_> = (0..20).map(|_| capture.picture().taken).collect();
        let mut gaps: Vec<_> =
            times.windows(2).map(|pair| pair[1].duration_since(pair[0]).unwrap()).collect();
        gaps.sort_unstable();
        let interval = Duration::from_millis(interval);
        let mean = gaps.iter().sum::<Duration>() / 19;
        assert!(mean > interval * 9 / 10, "{mean:?} for {interval:?}");
    }
}

#[test]
#[ignore = "needs the virtual camera of tests/libcamera/run.sh"]
fn a_seldom_picture_costs_little() {
    let mut capture = Capture::start(&["--size=640x480", "--interval=1s"]);
    let first = capture.picture().taken;
    let before = capture.cpu();
    let last = (0..3).map(|_| capture.picture().taken).last().unwrap();
    let (used, took) = (capture.cpu() - before, last.duration_since(first).unwrap());
    assert!(used < took / 4, "{used:?} of processor time in {took:?}");
}

#[test]
#[ignore = "needs the virtual camera of tests/libcamera/run.sh"]
fn a_pictures_time_is_that_of_its_exposure() {
    let mut capture = Capture::start(&["--size=640x480", "--interval=50ms"]);
    let pictures: Vec<_> = (0..10).map(|_| capture.picture()).collect();
    for pair in pictures.windows(2) {
        assert!(pair[0].taken < pair[1].taken);
    }
    for picture in pictures {
        let age = picture.read.duration_since(picture.taken).expect("exposed before it was read");
        assert!(age > Duration::ZERO && age < Duration::from_secs(5), "{age:?}");
    }
}

#[test]
#[ignore = "needs the virtual camera of tests/libcamera/run.sh"]
fn many_pictures_need_no_more_memory_or_files_than_a_few() {
    let mut capture = Capture::start(&["--size=640x480", "--interval=1ms"]);
    let mut after = |pictures: usize| {
        (0..pictures).for_each(|_| drop(capture.picture()));
        let files = fs::read_dir(format!("/proc/{}/fd", capture.pid())).unwrap().count();
        (files, capture.resident_kib())
    };
    let (files, resident) = after(50);
    let (files_later, resident_later) = after(500);
    // One more may just be open: the next picture's.
    assert!(files_later <= files + 1, "{files} open files became {files_later}");
    // The four buffers of 450 KiB count from when they are first used.
    assert!(resident_later < resident + 2_048, "{resident} KiB grew to {resident_later} KiB");
}

#[test]
#[ignore = "needs the virtual camera of tests/libcamera/run.sh"]
fn a_list_that_nobody_reads_is_no_crash() {
    let mut child = eyelid_libcamera().arg("--list").stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_ne!(child.wait().unwrap().code(), None, "ended by a signal");
}
