//! What is done to pictures, as those who watch see it.

use std::{fs, path::Path};

use crate::support::{Browser, Daemon, Mjpeg, StandIn, eventually, get};

/// A picture of one shade, 64 pixels square, with EXIF data that tells a place and has a thumbnail.
fn told(shade: u8) -> Vec<u8> {
    let encode = |exif: &[u8]| {
        let mut jpeg = Vec::new();
        let mut encoder = jpeg_encoder::Encoder::new(&mut jpeg, 90);
        encoder.add_app_segment(1, [b"Exif\0\0GPS 47.37N 8.54E ", exif].concat()).unwrap();
        encoder.add_app_segment(13, b"Photoshop 3.0\0by somebody".to_vec()).unwrap();
        encoder.encode(&[shade; 64 * 64], 64, 64, jpeg_encoder::ColorType::Luma).unwrap();
        jpeg
    };
    let thumbnail = encode(b"");
    encode(&thumbnail)
}

fn tells(jpeg: &[u8]) -> bool {
    ["Exif", "GPS", "Photoshop"].iter().any(|text| memchr::memmem::find(jpeg, text.as_bytes()).is_some())
}

/// The light of the left and of the right half.
fn halves(jpeg: &[u8]) -> (u8, u8) {
    let mut decoder = jpeg_decoder::Decoder::new(jpeg);
    let pixels = decoder.decode().unwrap();
    let info = decoder.info().unwrap();
    let (width, step) =
        (usize::from(info.width), pixels.len() / usize::from(info.width) / usize::from(info.height));
    let half = |columns: std::ops::Range<usize>| {
        let values = columns.clone().flat_map(|x| pixels[x * step..].iter().step_by(width * step));
        *values.max().unwrap()
    };
    // The borders of the blocks that JPEG is made of lie between.
    (half(0..width / 2), half(width / 2..width))
}

/// Puts them where a stand-in finds them.
fn put(folder: &Path) {
    for (name, shade) in [("a.jpg", 100), ("b.jpg", 220)] {
        fs::write(folder.join(name), told(shade)).unwrap();
    }
}

/// A camera for each way in which pictures come.
fn cameras() -> (Vec<StandIn>, String) {
    let stdout = StandIn::new();
    let by_rename = StandIn::doing(
        "while :; do for i in a b; do cp $i.jpg $i; mv $i \"$EYELID_FILE\"; sleep 0.02; done; done",
    );
    let in_place =
        StandIn::doing("while :; do for i in a b; do cat $i.jpg >\"$EYELID_FILE\"; sleep 0.02; done; done");
    let replayed = StandIn::still();
    let stand_ins = vec![stdout, by_rename, in_place, replayed];
    stand_ins.iter().for_each(|stand_in| put(stand_in.folder()));
    let mut config: String = stand_ins[..3]
        .iter()
        .zip(["stdout", "rename", "place"])
        .map(|(stand_in, name)| stand_in.entry(name, "linger = \"0s\""))
        .collect();
    let folder = stand_ins[3].folder().display();
    config += &format!(
        "[[camera]]\nname = \"replay\"\nkind = \"replay\"\nreplay = \"{folder}\"\ninterval = \"20ms\"\nlinger = \"0s\"\n\
         start_timeout = \"1m\"\nstall_timeout = \"1m\"\n"
    );
    (stand_ins, config)
}

const NAMES: [&str; 4] = ["stdout", "rename", "place", "replay"];

#[tokio::test(flavor = "multi_thread")]
async fn where_a_picture_was_taken_is_told_to_nobody() {
    let (_stand_ins, config) = cameras();
    let daemon = Daemon::start(&config).await;
    for name in NAMES {
        let mut stream = Mjpeg::open(daemon.address, &format!("/cameras/{name}/stream.mjpg")).await;
        let browser = Browser::with(daemon.address, crate::support::Manner::of(name)).await;
        browser.say("start-stream");
        for _ in 0..4 {
            let picture = stream.picture().await.jpeg;
            assert!(!tells(&picture), "{name}");
            assert!(matches!(halves(&picture), (100, 100) | (220, 220)), "{name}: {:?}", halves(&picture));
        }
        for path in ["image_stream.jpg", "snapshot.jpg"] {
            let reply = get(daemon.address, &format!("/cameras/{name}/{path}")).await;
            assert_eq!(reply.status, 200);
            assert!(!tells(&reply.body), "{name}: {path}");
        }
        let rolling = fs::read(daemon.rolling_file(name)).unwrap();
        assert!(!tells(&rolling), "{name}");
    }
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_mask_hides_is_never_served_once_it_is_in_force() {
    let (_stand_ins, config) = cameras();
    let masked = config.replace("[[camera]]\n", "[[camera]]\nmasks = [\"0%,0%,50%,100%\"]\n");
    let daemon = Daemon::start(&config).await;
    for name in NAMES {
        fs::write(daemon.config_file(), &config).unwrap();
        let path = format!("/cameras/{name}/image_stream.jpg");
        let mut stream = Mjpeg::open(daemon.address, &format!("/cameras/{name}/stream.mjpg")).await;
        let unmasked = eventually("a picture without a mask", async || {
            Some(stream.picture().await).filter(|picture| halves(&picture.jpeg).0 > 50)
        })
        .await;
        fs::write(daemon.config_file(), &masked).unwrap();
        // There are pictures without a mask, then perhaps none, and then only masked ones.
        let mut forgotten = false;
        eventually("the first masked picture", async || {
            let reply = get(daemon.address, &path).await;
            let shows = reply.status == 200 && halves(&reply.body).0 > 10;
            assert!(!(forgotten && shows), "{name}: it was forgotten, and is there again");
            forgotten |= !shows;
            (reply.status == 200 && !shows).then_some(())
        })
        .await;
        let old = get(daemon.address, &format!("{path}?_t={}", unmasked.id)).await;
        assert!(halves(&old.body).0 < 10, "{name}: it is no more to be had under its id");
        eventually("a masked picture in the stream", async || {
            Some(stream.picture().await).filter(|picture| halves(&picture.jpeg).0 < 10)
        })
        .await;
        for _ in 0..10 {
            let (left, right) = halves(&stream.picture().await.jpeg);
            assert!(left < 10 && right > 90, "{name}: {left} {right}");
        }
        let rolling = fs::read(daemon.rolling_file(name)).unwrap();
        assert!(halves(&rolling).0 < 10, "{name}");
    }
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_of_before_a_mask_are_forgotten_even_if_none_follows() {
    let camera = StandIn::new();
    put(camera.folder());
    let config = camera.entry("tank", "");
    let daemon = Daemon::start(&config).await;
    let browser = Browser::open(daemon.address).await;
    browser.say("start-stream");
    let mut stream = Mjpeg::open(daemon.address, "/stream.mjpg").await;
    let old = stream.picture().await.id;
    camera.change("exec sleep 1000000");
    fs::write(daemon.config_file(), camera.entry("tank", "masks = [\"0%,0%,50%,100%\"]")).unwrap();
    eventually("the start with a mask", async || (camera.starts().len() == 2).then_some(())).await;
    for path in ["/image_stream.jpg".to_owned(), format!("/image_stream.jpg?_t={old}")] {
        assert_eq!(get(daemon.address, &path).await.status, 404, "{path}");
    }
    daemon.stop().await;
}
