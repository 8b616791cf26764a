//! What to ask a camera for, and what it gives.

use rustix::io::Errno;

use super::{
    device::Given,
    find::Camera,
    formats::{self, Format, Interval},
};
use crate::{
    capture::{
        Spec,
        encode::{Layout, Range},
        protocol::Failure,
    },
    config::Size,
};

/// What the camera gives.
#[derive(Debug)]
pub(super) struct Setup {
    pub(super) given: Given,
    pub(super) format: Format,
    pub(super) range: Range,
    /// Bytes of a raw picture.
    pub(super) needed: usize,
    /// None where the driver knows no rates.
    pub(super) interval: Option<Interval>,
}

/// Sets the camera to what comes nearest to what is asked for. The driver has the last word.
///
/// # Errors
/// When it gives no format that we can use, is busy, or has gone.
pub(super) fn negotiate(camera: &Camera, spec: &Spec) -> Result<Setup, Failure> {
    let device = &camera.device;
    let candidates = formats::choose(&camera.formats, &spec.format);
    for wanted in &candidates {
        let (width, height) = device.sizes(*wanted).nearest(spec.size);
        let given = match device.set_format(*wanted, width, height) {
            Ok(given) => given,
            // A driver may list what it does not give.
            Err(error) if Errno::from_io_error(&error) == Some(Errno::INVAL) => continue,
            Err(error) => return Err(camera.trouble("set up")(error)),
        };
        let Some(format) = formats::usable(given.fourcc).filter(|_| given.fourcc == *wanted) else {
            continue;
        };
        let Some(needed) = needed(format, &given) else { continue };
        let interval = device.intervals(given.fourcc, given.width, given.height).nearest(spec.interval);
        let interval = device.set_interval(interval).map_err(camera.trouble("set the rate of"))?;
        return Ok(Setup { given, format, range: range(format, &given), needed, interval });
    }
    Err(no_format(camera, spec))
}

fn no_format(camera: &Camera, spec: &Spec) -> Failure {
    let name = camera.node.describe();
    let offered = match formats::names(&camera.formats) {
        none if none.is_empty() => "none".to_owned(),
        some => some,
    };
    if spec.format.is_empty() {
        Failure::new(
            format!("{name} gives no picture format that we can use, only {offered}"),
            "use kind = \"command\" with a program that can, such as ffmpeg",
        )
    } else {
        Failure::new(
            format!("{name} does not give pictures in the format {}", spec.format),
            format!("it has {offered}; leave format out to have one chosen"),
        )
    }
}

/// Bytes of a picture; none where the driver's answer makes no sense.
fn needed(format: Format, given: &Given) -> Option<usize> {
    let (width, height, stride) = (given.width as usize, given.height as usize, given.stride as usize);
    let fits = |side: usize| (1..=usize::from(u16::MAX)).contains(&side);
    if !fits(width) || !fits(height) {
        return None;
    }
    match format {
        Format::Jpeg => Some(0),
        Format::Raw(layout) => {
            let (row, rows) = match layout {
                Layout::Yuyv => (width.next_multiple_of(2) * 2, height),
                Layout::Nv12 | Layout::I420 => (width.next_multiple_of(2), height + height.div_ceil(2)),
                Layout::Grey => (width, height),
            };
            // The last row may end where its pixels do.
            (stride >= row).then(|| (rows - 1) * stride + row)
        }
    }
}

fn range(format: Format, given: &Given) -> Range {
    // What V4L2 says of YUV for which the driver says nothing. Of grey it says the same, but sensors count from 0.
    let full = given.full_range.unwrap_or(format == Format::Raw(Layout::Grey));
    if full { Range::Full } else { Range::Limited }
}

impl Setup {
    fn size(&self) -> Size {
        Size { width: self.given.width, height: self.given.height }
    }

    /// For people: "MJPG 1280x720, 30 a second".
    pub(super) fn describe(&self) -> String {
        let rate = self.interval.map(|interval| format!(", {interval} a second")).unwrap_or_default();
        format!("{} {}{rate}", self.given.fourcc, self.size())
    }

    /// What viewers should know: that the camera gives something else than was asked for.
    pub(super) fn notice(&self, spec: &Spec) -> Option<String> {
        let other_size =
            (self.size() != spec.size).then(|| format!("gives {} instead of {}", self.size(), spec.size));
        // A hundredth is how exactly drivers count.
        let slower =
            self.interval.filter(|interval| interval.duration() > spec.interval + spec.interval / 100);
        let slower = slower.map(|interval| format!("takes no more than {interval} pictures a second"));
        let all: Vec<_> = other_size.into_iter().chain(slower).collect();
        (!all.is_empty()).then(|| format!("the camera {}", all.join(" and ")))
    }
}

#[cfg(test)]
mod tests {
    use std::{path::PathBuf, time::Duration};

    use super::{super::formats::FourCc, *};
    use crate::config::CameraConfig;

    fn given(width: u32, height: u32, stride: u32) -> Given {
        Given { fourcc: FourCc::new(b"YUYV"), width, height, stride, full_range: None }
    }

    fn setup(given: Given, interval: Option<Interval>) -> Setup {
        let format = Format::Raw(Layout::Yuyv);
        Setup { given, format, range: range(format, &given), needed: 0, interval }
    }

    fn spec(size: &str, interval: Duration) -> Spec {
        let config = CameraConfig { size: size.parse().unwrap(), interval, ..CameraConfig::default() };
        Spec::new(&config, PathBuf::new())
    }

    #[test]
    fn a_picture_has_as_many_bytes_as_its_layout_takes() {
        let needed = |layout, given| needed(Format::Raw(layout), &given);
        assert_eq!(needed(Layout::Yuyv, given(640, 480, 1280)), Some(640 * 480 * 2));
        assert_eq!(needed(Layout::Nv12, given(640, 480, 640)), Some(640 * 480 * 3 / 2));
        assert_eq!(needed(Layout::Grey, given(640, 480, 704)), Some(479 * 704 + 640));
        assert_eq!(needed(Layout::Yuyv, given(640, 480, 640)), None, "rows that overlap");
        assert_eq!(needed(Layout::Grey, given(0, 480, 640)), None);
        assert_eq!(needed(Layout::Grey, given(70_000, 1, 70_000)), None, "no JPEG is that wide");
        assert_eq!(super::needed(Format::Jpeg, &given(640, 480, 0)), Some(0));
    }

    #[test]
    fn the_drivers_word_on_black_and_white_comes_before_convention() {
        let of = |layout, full_range| range(Format::Raw(layout), &Given { full_range, ..given(2, 2, 4) });
        assert_eq!(of(Layout::Yuyv, None), Range::Limited);
        assert_eq!(of(Layout::Yuyv, Some(true)), Range::Full);
        assert_eq!(of(Layout::Grey, None), Range::Full);
        assert_eq!(of(Layout::Grey, Some(false)), Range::Limited);
    }

    #[test]
    fn viewers_are_told_only_of_what_differs() {
        let rate = |rate: u64| Some(Interval::new(Duration::from_micros(1_000_000 / rate)));
        let asked = spec("1280x720", Duration::from_millis(100));
        assert_eq!(setup(given(1280, 720, 2560), rate(30)).notice(&asked), None);
        assert_eq!(setup(given(1280, 720, 2560), None).notice(&asked), None);
        assert_eq!(
            setup(given(640, 480, 1280), rate(5)).notice(&asked).unwrap(),
            "the camera gives 640x480 instead of 1280x720 and takes no more than 5 pictures a second"
        );
        assert_eq!(setup(given(640, 480, 1280), rate(15)).describe(), "YUYV 640x480, 15 a second");
        assert_eq!(setup(given(640, 480, 1280), None).describe(), "YUYV 640x480");
    }
}
