//! What a picture costs to encode at quality 80, in processor time: libjpeg-turbo, as `eyelid-libcamera` uses
//! it, beside the pure Rust `jpeg-encoder`.
//!
//! `cargo bench --features encode --bench encode`; with `EYELID_I420` naming a folder with the pictures
//! `1280x720.yuv` and `1920x1080.yuv`, such as `ffmpeg -pix_fmt yuvj420p` writes them, else a picture of noise on
//! soft shapes.

mod thread_time;

use std::{env, fs, hint::black_box, path::Path};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use eyelid::capture::encode::{Encoder, Layout, Mirror, Picture, Range};
use jpeg_encoder::{ImageBuffer, JpegColorType, SamplingFactor};
use thread_time::ThreadTime;

const QUALITY: u8 = 80;

/// An I420 picture without padding.
struct I420 {
    pixels: Vec<u8>,
    width: usize,
    height: usize,
}

impl I420 {
    fn load(width: usize, height: usize) -> Self {
        let pixels = match env::var_os("EYELID_I420") {
            Some(folder) => {
                let path = Path::new(&folder).join(format!("{width}x{height}.yuv"));
                fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
            }
            None => synthetic(width, height),
        };
        assert_eq!(pixels.len(), width * height * 3 / 2);
        Self { pixels, width, height }
    }

    fn planes(&self) -> [&[u8]; 3] {
        let (y, chroma) = self.pixels.split_at(self.width * self.height);
        let (u, v) = chroma.split_at(chroma.len() / 2);
        [y, u, v]
    }

    fn to_nv12(&self) -> Vec<u8> {
        let [y, u, v] = self.planes();
        y.iter().copied().chain(u.iter().zip(v).flat_map(|(u, v)| [*u, *v])).collect()
    }

    fn picture<'a>(&self, layout: Layout, planes: &'a [&'a [u8]]) -> Picture<'a> {
        let (width, height) = (self.width, self.height);
        Picture { layout, width, height, stride: width, planes, range: Range::Full }
    }
}

fn synthetic(width: usize, height: usize) -> Vec<u8> {
    let mut random = 1_u32;
    let mut sample = |x: usize, y: usize, width: usize| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (x, y) = (x as f32 / width as f32 * 9.0, y as f32 / width as f32 * 9.0);
        let shape = (x.sin() + (y * 1.7).cos() + (x * y).sin()) * 35.0;
        (128.0 + shape) as u8 + (random >> 24) as u8 / 20
    };
    let mut pixels = Vec::with_capacity(width * height * 3 / 2);
    for (width, height) in [(width, height), (width / 2, height / 2), (width / 2, height / 2)] {
        for y in 0..height {
            pixels.extend((0..width).map(|x| sample(x, y, width)));
        }
    }
    pixels
}

impl ImageBuffer for &I420 {
    fn get_jpeg_color_type(&self) -> JpegColorType {
        JpegColorType::Ycbcr
    }
    fn width(&self) -> u16 {
        self.width as u16
    }
    fn height(&self) -> u16 {
        self.height as u16
    }
    fn fill_buffers(&self, row: u16, buffers: &mut [Vec<u8>; 4]) {
        let [y, u, v] = self.planes();
        let (row, half) = (usize::from(row), self.width / 2);
        buffers[0].extend_from_slice(&y[row * self.width..][..self.width]);
        // It takes each sample at full size, and halves it again.
        for (buffer, plane) in buffers[1..].iter_mut().zip([u, v]) {
            buffer.extend(plane[row / 2 * half..][..half].iter().flat_map(|sample| [*sample; 2]));
        }
    }
}

fn encode(criterion: &mut Criterion<ThreadTime>) {
    for (width, height) in [(1280, 720), (1920, 1080)] {
        let picture = I420::load(width, height);
        let nv12 = picture.to_nv12();
        let mut group = criterion.benchmark_group(format!("{width}x{height}"));
        group.throughput(Throughput::Elements(1)).sample_size(50);

        let mut encoder = Encoder::new(QUALITY).expect("80 is a quality");
        let [planes, packed] = [&picture.planes()[..], &[&nv12[..]]];
        let half = Mirror::HALF_TURN;
        for (name, layout, planes, mirror) in [
            ("I420", Layout::I420, planes, Mirror::NONE),
            ("NV12", Layout::Nv12, packed, Mirror::NONE),
            ("NV12 turned by 180", Layout::Nv12, packed, half),
        ] {
            let source = picture.picture(layout, planes);
            let bytes = encoder.encode(&source, mirror).expect("the planes are whole").len();
            println!("turbojpeg {name}: {bytes} bytes");
            group.bench_function(BenchmarkId::new("turbojpeg", name), |bencher| {
                bencher.iter(|| encoder.encode(black_box(&source), mirror).expect("as before").len());
            });
        }

        let mut jpeg = Vec::new();
        let pure = |jpeg: &mut Vec<u8>| {
            jpeg.clear();
            let mut encoder = jpeg_encoder::Encoder::new(jpeg, QUALITY);
            encoder.set_sampling_factor(SamplingFactor::F_2_2);
            encoder.encode_image(black_box(&picture)).expect("a Vec takes all");
        };
        pure(&mut jpeg);
        println!("jpeg-encoder I420: {} bytes", jpeg.len());
        group.bench_function(BenchmarkId::new("jpeg-encoder", "I420"), |bencher| {
            bencher.iter(|| pure(&mut jpeg));
        });
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(ThreadTime);
    targets = encode
}
criterion_main!(benches);
