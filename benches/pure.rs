//! The parts that need no camera and no network: `cargo bench --bench pure`.

use std::{
    hint::black_box,
    path::PathBuf,
    time::{Duration, Instant, SystemTime},
};

use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use eyelid::{
    camera::lifecycle::{Event, Lifecycle, Limits},
    capture::{Spec, output::Output},
    config::{self, CameraConfig, Overrides},
    jpeg::{self, Splitter, huffman},
};
use jpeg_encoder::{ColorType, Encoder};

/// Noise as a JPEG, of a little more than `size` bytes.
fn picture(size: usize) -> Vec<u8> {
    let encode = |side: u16| {
        let pixels: Vec<u8> = (0..u32::from(side) * u32::from(side) * 3)
            .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
            .collect();
        let mut jpeg = Vec::new();
        Encoder::new(&mut jpeg, 80)
            .encode(&pixels, side, side, ColorType::Rgb)
            .expect("the size fits the pixels");
        jpeg
    };
    (64..).step_by(16).map(encode).find(|jpeg| jpeg.len() >= size).expect("it grows with each step")
}

fn jpegs(c: &mut Criterion) {
    let mut group = c.benchmark_group("jpeg");
    for size in [30_000, 200_000] {
        let jpeg = picture(size);
        group.throughput(Throughput::Bytes(jpeg.len() as u64));
        group.bench_function(format!("inspect/{}kB", size / 1000), |b| {
            b.iter(|| jpeg::inspect(black_box(&jpeg)));
        });
        // As it comes from a pipe.
        group.bench_function(format!("split/{}kB", size / 1000), |b| {
            let mut splitter = Splitter::new(1 << 20);
            b.iter(|| {
                let mut pictures = 0;
                for chunk in jpeg.chunks(64 << 10) {
                    splitter.push(black_box(chunk));
                    while splitter.next_picture().is_some() {
                        pictures += 1;
                    }
                }
                assert_eq!(pictures, 1);
            });
        });
    }
    group.finish();
}

/// What becomes of a picture that a webcam has made: checked, its tables looked for, and in place of the one before.
fn passed_on(c: &mut Criterion) {
    let folder = tempfile::tempdir_in("/dev/shm").expect("there is room in memory");
    let spec = Spec::new(&CameraConfig::default(), folder.path().join("camera/image_stream.jpg"));
    let mut output = Output::open(&spec).expect("the folder can be made");
    let mut group = c.benchmark_group("v4l2");
    for size in [30_000, 200_000] {
        let jpeg = picture(size);
        group.throughput(Throughput::Bytes(jpeg.len() as u64));
        group.bench_function(format!("passed-on/{}kB", size / 1000), |b| {
            b.iter(|| {
                let info = jpeg::inspect(black_box(&jpeg)).expect("it is whole");
                let completed = huffman::completed(&jpeg[..info.len]);
                output.publish(&completed, SystemTime::now()).expect("there is room");
            });
        });
    }
    group.finish();
}

fn lifecycle(c: &mut Criterion) {
    let limits = Limits {
        linger: Duration::from_secs(5),
        start_timeout: Duration::from_secs(10),
        stall_timeout: Duration::from_secs(3),
    };
    let mut life = Lifecycle::new(limits);
    let mut now = Instant::now();
    life.handle(now, Event::Watched(true));
    // What happens ten times a second and more, and the question for the deadline that follows each.
    c.bench_function("lifecycle/frame", |b| {
        b.iter(|| {
            now += Duration::from_millis(100);
            black_box(life.handle(now, black_box(Event::Frame)));
            black_box(life.deadline())
        });
    });
    c.bench_function("lifecycle/leave and come back", |b| {
        b.iter(|| {
            for event in [Event::Watched(false), Event::Watched(true), Event::Frame] {
                now += Duration::from_millis(100);
                black_box(life.handle(now, black_box(event)));
            }
        });
    });
}

fn configuration(c: &mut Criterion) {
    let file = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/config.toml"));
    let request = config::Request {
        file: Some(file),
        env: Vec::new(),
        usual: Vec::new(),
        overrides: Overrides::default(),
    };
    c.bench_function("config/load the shipped file", |b| {
        b.iter(|| config::load(black_box(&request)).expect("the shipped file is valid"));
    });
}

/// What signing in costs, beside what the memory of a small Pi would feel.
fn password(c: &mut Criterion) {
    let mut group = c.benchmark_group("password");
    group.sample_size(20);
    let large = Params::new(64 << 10, 3, 1, None).expect("they are allowed");
    for (name, params) in [("19MiB", Params::default()), ("64MiB", large)] {
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        group.bench_function(name, |b| {
            b.iter(|| argon2.hash_password(black_box(b"correct horse")).expect("it can be hashed"));
        });
    }
    group.finish();
}

criterion_group!(benches, jpegs, passed_on, lifecycle, configuration, password);
criterion_main!(benches);
