//! The decoder, with what is done to pictures after it: whatever comes, it neither panics nor gives another size.

#![no_main]

use std::time::SystemTime;

use eyelid::{
    config::PictureConfig,
    jpeg::inspect,
    picture::{Steps, Turn, decode},
};
use libfuzzer_sys::fuzz_target;

/// More takes long and finds nothing else.
const LARGEST: u64 = 1 << 20;

fuzz_target!(|bytes: &[u8]| {
    let Ok(info) = inspect(bytes) else { return };
    if u64::from(info.width) * u64::from(info.height) > LARGEST {
        return;
    }
    let Ok(planes) = decode(bytes) else { return };
    assert_eq!((planes.width(), planes.height()), (usize::from(info.width), usize::from(info.height)));
    let config = PictureConfig {
        masks: vec!["10%,10%,50%,50%".parse().expect("it is an area")],
        crop: "5%,5%,90%,90%".parse().ok(),
        max_size: "64x64".parse().ok(),
        overlay: "%T {name}".to_owned(),
        ..PictureConfig::default()
    };
    let mut steps = Steps::new(&config, Turn::clockwise(1), "name", "title");
    let size = steps.size(planes.width(), planes.height());
    let done = steps.apply(planes, Turn::NONE, SystemTime::UNIX_EPOCH);
    assert_eq!((done.width(), done.height()), size);
});
