//! What to ask a camera for, and what it gives.

use libcamera::{
    camera::{ActiveCamera, Camera, CameraConfiguration, Orientation},
    color_space::{self, ColorSpace},
    formats,
    geometry::Size,
    pixel_format::PixelFormat,
    stream::{Stream, StreamRole},
};

use super::trouble;
use crate::capture::{
    Spec,
    encode::{Layout, Mirror, Range},
    protocol::Failure,
};

/// What the camera gives.
#[derive(Debug)]
pub(super) struct Setup {
    pub(super) width: u32,
    pub(super) height: u32,
    /// Bytes from one row of the first plane to the next.
    pub(super) stride: u32,
    pub(super) format: Format,
    pub(super) range: Range,
    /// What is left to turn over, because the camera can't.
    pub(super) mirror: Mirror,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Format {
    Planes(Layout),
    Jpeg,
}

/// The formats that we take, the cheapest to encode first. JPEG comes after those that sensors on a ribbon
/// cable give, and before what webcams give at a low frame rate only.
const FORMATS: [(PixelFormat, Format); 4] = [
    (formats::YUV420, Format::Planes(Layout::I420)),
    (formats::NV12, Format::Planes(Layout::Nv12)),
    (formats::MJPEG, Format::Jpeg),
    (formats::YUYV, Format::Planes(Layout::Yuyv)),
];

/// Requests in turn: one that we read, and enough for the camera's pipeline.
const BUFFERS: u32 = 4;

pub(super) fn configure(camera: &mut ActiveCamera<'_>, spec: &Spec) -> Result<(Setup, Stream), Failure> {
    let mut configuration = generate(camera)?;
    let offered = offered(&configuration);
    let wanted = spec.mirror();
    for (pixel_format, format) in FORMATS {
        // Some pipelines list nothing; asking them is the only way to know.
        if !offered.is_empty() && !offered.contains(&pixel_format) {
            continue;
        }
        ask(&mut configuration, spec, pixel_format, format, wanted);
        if configuration.validate().is_invalid() || pixel_format_of(&configuration) != Some(pixel_format) {
            continue;
        }
        camera.configure(&mut configuration).map_err(|error| trouble::camera("configure", &error))?;
        let given = configuration.get(0).expect("a configuration that was set has its stream");
        let stream = given.stream().ok_or_else(|| Failure::unexplained("the camera made no stream"))?;
        let size = given.get_size();
        let setup = Setup {
            width: size.width,
            height: size.height,
            stride: given.get_stride(),
            format,
            range: match given.get_color_space().map(|space| space.range) {
                Some(color_space::Range::Limited) => Range::Limited,
                Some(color_space::Range::Full) | None => Range::Full,
            },
            mirror: mirror_of(configuration.orientation()).map_or(wanted, |done| wanted.and(done)),
        };
        return Ok((setup, stream));
    }
    let names: Vec<_> = offered.iter().map(|format| format!("{format:?}")).collect();
    Err(Failure::new(
        format!("the camera gives no picture format that we can use, only {}", names.join(", ")),
        "use kind = \"rpicam\" or kind = \"command\" with a program that can",
    ))
}

/// Sizes that the camera gives, as text.
pub(super) fn sizes(camera: &Camera<'_>) -> Vec<String> {
    let Ok(configuration) = generate(camera) else { return Vec::new() };
    let Some(stream) = configuration.get(0) else { return Vec::new() };
    let formats = stream.formats();
    let offered: Vec<_> = formats.pixel_formats().into_iter().collect();
    let ours = FORMATS.into_iter().find(|(format, _)| offered.contains(format));
    let sizes = ours.map(|(format, _)| formats.sizes(format)).unwrap_or_default();
    sizes.into_iter().map(|size| format!("{}x{}", size.width, size.height)).collect()
}

fn generate(camera: &Camera<'_>) -> Result<CameraConfiguration, Failure> {
    let roles = [StreamRole::ViewFinder, StreamRole::VideoRecording, StreamRole::StillCapture];
    let generated = camera.generate_first_supported_configuration(&roles);
    generated.map(|(configuration, _)| configuration).ok_or_else(|| {
        Failure::unexplained("the camera gives no pictures, neither for a viewfinder nor as video or stills")
    })
}

fn offered(configuration: &CameraConfiguration) -> Vec<PixelFormat> {
    configuration
        .get(0)
        .map(|stream| stream.formats().pixel_formats().into_iter().collect())
        .unwrap_or_default()
}

fn pixel_format_of(configuration: &CameraConfiguration) -> Option<PixelFormat> {
    configuration.get(0).map(|stream| stream.get_pixel_format())
}

fn ask(
    configuration: &mut CameraConfiguration,
    spec: &Spec,
    pixel_format: PixelFormat,
    format: Format,
    mirror: Mirror,
) {
    configuration.set_orientation(orientation(mirror));
    let Some(mut stream) = configuration.get_mut(0) else { return };
    stream.set_pixel_format(pixel_format);
    stream.set_size(Size { width: spec.size.width, height: spec.size.height });
    stream.set_buffer_count(BUFFERS);
    // JFIF is full-range BT.601, which libcamera calls sYCC.
    stream.set_color_space(matches!(format, Format::Planes(_)).then(ColorSpace::sycc));
}

fn orientation(mirror: Mirror) -> Orientation {
    match (mirror.horizontal, mirror.vertical) {
        (false, false) => Orientation::Rotate0,
        (true, false) => Orientation::Rotate0Mirror,
        (true, true) => Orientation::Rotate180,
        (false, true) => Orientation::Rotate180Mirror,
    }
}

/// What an orientation turns over; none for the sideways ones.
fn mirror_of(orientation: Orientation) -> Option<Mirror> {
    [(false, false), (true, false), (true, true), (false, true)]
        .map(|(horizontal, vertical)| Mirror { horizontal, vertical })
        .into_iter()
        .find(|mirror| self::orientation(*mirror) == orientation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_camera_turned_over_is_not_turned_again() {
        let half = Mirror::HALF_TURN;
        let left_for_us = |done| mirror_of(done).map_or(half, |done| half.and(done));
        assert_eq!(left_for_us(Orientation::Rotate180), Mirror::NONE);
        assert_eq!(left_for_us(Orientation::Rotate0), half);
        assert_eq!(left_for_us(Orientation::Rotate0Mirror), Mirror { horizontal: false, vertical: true });
        assert_eq!(left_for_us(Orientation::Rotate90), half);
    }
}
