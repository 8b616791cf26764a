//! What it costs in processor time to change a picture: `cargo bench --bench picture`; with `--features encode` it is
//! encoded by libjpeg-turbo.

mod thread_time;

use std::{hint::black_box, time::SystemTime};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use eyelid::{
    capture::encode::Encoder,
    config::PictureConfig,
    jpeg::metadata::without_metadata,
    picture::{Planes, Steps, Turn, decode},
};
use thread_time::ThreadTime;

/// Soft shapes with a little noise, 1280x720, as cameras see rooms.
fn room() -> Planes {
    let mut random = 1_u32;
    let mut plane = |width: usize, height: usize| -> Vec<u8> {
        let mut sample = |x: usize, y: usize| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let (x, y) = (x as f32 / width as f32 * 9.0, y as f32 / width as f32 * 9.0);
            (128.0 + (x.sin() + (y * 1.7).cos() + (x * y).sin()) * 35.0) as u8 + (random >> 24) as u8 / 20
        };
        (0..width * height).map(|at| sample(at % width, at / width)).collect()
    };
    Planes::new(1280, 720, plane(1280, 720), Some([plane(640, 360), plane(640, 360)]))
}

/// What is done to a picture of 1280x720 that comes as JPEG, from its bytes to those that are published.
fn pictures(c: &mut Criterion<ThreadTime>) {
    let mut encoder = Encoder::new(80).expect("80 is a quality");
    let plain = encoder.encode_planes(&room()).expect("it has a size").to_vec();
    let comment = [&plain[..2], b"\xFF\xFE\0\x09comment", &plain[2..]].concat();
    let mut group = c.benchmark_group(format!("picture/1280x720, {} kB", plain.len() / 1000));
    group.throughput(Throughput::Elements(1)).sample_size(50);
    for (name, jpeg) in [("nothing to drop", &plain), ("metadata dropped", &comment)] {
        group.bench_function(name, |b| {
            b.iter(|| without_metadata(black_box(jpeg)).expect("it is whole").jpeg.len());
        });
    }
    group.bench_function("decoded only", |b| {
        b.iter(|| decode(black_box(&plain)).expect("it is whole"));
    });
    let none = PictureConfig::default;
    let mask = vec!["10%,10%,30%,30%".parse().expect("it is an area")];
    let text = "%Y-%m-%d %H:%M:%S {name}".to_owned();
    for (name, config, turn) in [
        ("recompress", none(), 0),
        ("mask", PictureConfig { masks: mask, ..none() }, 0),
        ("overlay", PictureConfig { overlay: text, ..none() }, 0),
        ("rotate 90", none(), 1),
        ("max_size 640x480", PictureConfig { max_size: "640x480".parse().ok(), ..none() }, 0),
        ("grayscale", PictureConfig { grayscale: true, ..none() }, 0),
    ] {
        let mut steps = Steps::new(&config, Turn::clockwise(turn), "tank", "Aquarium");
        group.bench_function(name, |b| {
            b.iter(|| {
                let clean = without_metadata(black_box(&plain)).expect("it is whole");
                let planes = decode(&clean.jpeg).expect("it is whole");
                let planes = steps.apply(planes, Turn::NONE, SystemTime::now());
                encoder.encode_planes(&planes).expect("it has a size").len()
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(ThreadTime);
    targets = pictures
}
criterion_main!(benches);
