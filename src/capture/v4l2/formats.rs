//! What cameras offer, and what to ask of them: pixel formats, sizes and intervals.

use std::{fmt, time::Duration};

use serde::Serialize;

use super::kernel::Fraction;
use crate::{capture::encode::Layout, config::Size};

/// A pixel format's name of four characters, as the kernel has it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct FourCc(pub(super) u32);

impl FourCc {
    pub(super) const fn new(name: &[u8; 4]) -> Self {
        Self(u32::from_le_bytes(*name))
    }
}

impl fmt::Display for FourCc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The highest bit tells big from little endian.
        let name = (self.0 & 0x7FFF_FFFF).to_le_bytes();
        let name = String::from_utf8_lossy(&name).into_owned();
        f.write_str(name.trim_end_matches([' ', '\0']))
    }
}

impl fmt::Debug for FourCc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// How a picture comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// As a JPEG that the camera has made.
    Jpeg,
    /// As samples that we make a JPEG of.
    Raw(Layout),
}

/// The formats that we take, the cheapest for us first. Raw formats of USB cameras come at a low rate.
const FORMATS: [(FourCc, Format); 5] = [
    (FourCc::new(b"MJPG"), Format::Jpeg),
    (FourCc::new(b"JPEG"), Format::Jpeg),
    (FourCc::new(b"YUYV"), Format::Raw(Layout::Yuyv)),
    (FourCc::new(b"NV12"), Format::Raw(Layout::Nv12)),
    (FourCc::new(b"GREY"), Format::Raw(Layout::Grey)),
];

/// What to do with pictures of this format; none for one that we can't use.
pub(super) fn usable(name: FourCc) -> Option<Format> {
    FORMATS.into_iter().find(|(ours, _)| *ours == name).map(|(_, format)| format)
}

/// The formats of those offered that we can use, the one to take first. A name that was `wanted` is the only one.
pub(super) fn choose(offered: &[FourCc], wanted: &str) -> Vec<FourCc> {
    let ours = FORMATS.into_iter().map(|(name, _)| name).filter(|name| offered.contains(name));
    ours.filter(|name| wanted.is_empty() || name.to_string().eq_ignore_ascii_case(wanted)).collect()
}

/// Names in a list for people.
pub(super) fn names(formats: &[FourCc]) -> String {
    formats.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Time from one picture to the next, as a fraction of a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Interval {
    numerator: u32,
    denominator: u32,
}

impl Interval {
    pub(super) fn from_kernel(fraction: Fraction) -> Self {
        Self { numerator: fraction.numerator, denominator: fraction.denominator }
    }

    pub(super) fn to_kernel(self) -> Fraction {
        Fraction { numerator: self.numerator, denominator: self.denominator }
    }

    pub(super) fn new(duration: Duration) -> Self {
        let numerator = u32::try_from(duration.as_micros()).unwrap_or(u32::MAX);
        Self { numerator, denominator: 1_000_000 }
    }

    /// Whether it says nothing.
    pub(super) fn is_none(self) -> bool {
        self.numerator == 0 || self.denominator == 0
    }

    pub(super) fn duration(self) -> Duration {
        if self.is_none() {
            return Duration::ZERO;
        }
        Duration::from_secs_f64(f64::from(self.numerator) / f64::from(self.denominator))
    }

    /// Pictures a second.
    pub(super) fn rate(self) -> f64 {
        if self.is_none() { 0.0 } else { f64::from(self.denominator) / f64::from(self.numerator) }
    }
}

impl fmt::Display for Interval {
    /// The rate, to be followed by "a second": 30, 7.5.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{:.2}", self.rate());
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

/// The sizes of a pixel format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) enum Sizes {
    /// The driver lists none.
    Unknown,
    /// These, in the driver's order.
    List(Vec<(u32, u32)>),
    /// Any between these two.
    Range((u32, u32), (u32, u32)),
}

impl Sizes {
    pub(super) fn new(told: impl Iterator<Item = (bool, [u32; 6])>) -> Self {
        let mut list = Vec::new();
        for (one, [a, b, c, d, e, _]) in told {
            if !one {
                // From a to b and from d to e, in steps.
                return Self::Range((a, d), (b, e));
            }
            if !list.contains(&(a, b)) {
                list.push((a, b));
            }
            let _ = (c, d, e);
        }
        if list.is_empty() { Self::Unknown } else { Self::List(list) }
    }

    /// What to ask for. Drivers ought to take the nearest size themselves; some give their default instead.
    pub(super) fn nearest(&self, wanted: Size) -> (u32, u32) {
        let area = |(width, height): (u32, u32)| i64::from(width) * i64::from(height);
        let asked = (wanted.width, wanted.height);
        match self {
            Self::List(list) => list
                .iter()
                .copied()
                .min_by_key(|size| {
                    let sides = size.0.abs_diff(asked.0) + size.1.abs_diff(asked.1);
                    (sides, area(*size).abs_diff(area(asked)))
                })
                .unwrap_or(asked),
            Self::Range(min, max) => {
                // A range whose ends are the wrong way round is the driver's fault; it will say what it takes.
                let side =
                    |side: u32, min: u32, max: u32| if min <= max { side.clamp(min, max) } else { side };
                (side(asked.0, min.0, max.0), side(asked.1, min.1, max.1))
            }
            Self::Unknown => asked,
        }
    }
}

impl fmt::Display for Sizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("sizes unknown"),
            Self::List(list) => {
                let sizes: Vec<_> = list.iter().map(|(width, height)| format!("{width}x{height}")).collect();
                f.write_str(&sizes.join(", "))
            }
            Self::Range(min, max) => write!(f, "{}x{} to {}x{}", min.0, min.1, max.0, max.1),
        }
    }
}

/// The intervals of a pixel format and size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Intervals {
    /// The driver lists none.
    Unknown,
    /// These, in the driver's order.
    List(Vec<Interval>),
    /// Any from the first to the second, which is longer.
    Range(Interval, Interval),
}

/// The longest interval that a camera is asked for: slower ones expose each picture longer, and would let the first
/// one wait.
const SLOWEST: Duration = Duration::from_millis(200);

impl Intervals {
    pub(super) fn new(told: impl Iterator<Item = (bool, [Interval; 3])>) -> Self {
        let mut list = Vec::new();
        for (one, [first, longest, _]) in told {
            if !one {
                return Self::Range(first, longest);
            }
            if !first.is_none() {
                list.push(first);
            }
        }
        if list.is_empty() { Self::Unknown } else { Self::List(list) }
    }

    /// What to ask for, to get a picture each `wanted`: the slowest that is fast enough, else the fastest.
    pub(super) fn nearest(&self, wanted: Duration) -> Interval {
        let wanted = wanted.min(SLOWEST);
        match self {
            Self::Unknown => Interval::new(wanted),
            Self::List(list) => {
                // A third of a second and 333333 µs are the same to a driver.
                let enough = wanted + wanted / 100;
                let fast = list.iter().filter(|interval| interval.duration() <= enough);
                let slowest = fast.max_by_key(|interval| interval.duration());
                let fastest = || list.iter().min_by_key(|interval| interval.duration());
                slowest.or_else(fastest).copied().unwrap_or(Interval::new(wanted))
            }
            Self::Range(shortest, longest) => {
                if wanted < shortest.duration() {
                    *shortest
                } else if wanted > longest.duration() {
                    *longest
                } else {
                    Interval::new(wanted)
                }
            }
        }
    }

    /// The highest rate, for people; none where it is unknown.
    pub(super) fn fastest(&self) -> Option<Interval> {
        match self {
            Self::Unknown => None,
            Self::List(list) => list.iter().min_by_key(|interval| interval.duration()).copied(),
            Self::Range(shortest, _) => (!shortest.is_none()).then_some(*shortest),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn fourcc(name: &str) -> FourCc {
        FourCc::new(name.as_bytes().try_into().unwrap())
    }

    fn size(text: &str) -> Size {
        text.parse().unwrap()
    }

    fn fraction(numerator: u32, denominator: u32) -> Interval {
        Interval { numerator, denominator }
    }

    #[test]
    fn a_camera_that_makes_jpegs_is_asked_for_them_and_one_that_gives_nothing_of_ours_for_nothing() {
        let choose = |offered: &[&str], wanted| {
            let offered: Vec<_> = offered.iter().map(|name| fourcc(name)).collect();
            names(&choose(&offered, wanted))
        };
        assert_eq!(choose(&["YUYV", "H264", "MJPG"], ""), "MJPG, YUYV");
        assert_eq!(choose(&["GREY", "NV12", "YUYV", "JPEG"], ""), "JPEG, YUYV, NV12, GREY");
        assert_eq!(choose(&["pBAA", "BA10", "H264"], ""), "");
        assert_eq!(choose(&["YUYV", "MJPG"], "yuyv"), "YUYV");
        assert_eq!(choose(&["YUYV", "MJPG"], "NV12"), "");
        assert_eq!(usable(fourcc("MJPG")), Some(Format::Jpeg));
        assert_eq!(usable(fourcc("H264")), None);
    }

    #[test]
    fn a_format_has_the_name_that_people_know() {
        assert_eq!(fourcc("Y16 ").to_string(), "Y16");
        assert_eq!(FourCc(fourcc("Y16 ").0 | 1 << 31).to_string(), "Y16");
    }

    #[test]
    fn of_a_list_of_sizes_the_nearest_is_asked_for() {
        let list = [(640, 480), (1280, 720), (1920, 1080), (1280, 960), (1280, 720)];
        let sizes = Sizes::new(list.into_iter().map(|(width, height)| (true, [width, height, 0, 0, 0, 0])));
        assert_eq!(sizes.to_string(), "640x480, 1280x720, 1920x1080, 1280x960");
        assert_eq!(sizes.nearest(size("1280x720")), (1280, 720));
        assert_eq!(sizes.nearest(size("8192x8192")), (1920, 1080));
        assert_eq!(sizes.nearest(size("16x16")), (640, 480));
        assert_eq!(sizes.nearest(size("1280x900")), (1280, 960));
    }

    #[test]
    fn of_a_range_of_sizes_the_one_within_is_asked_for() {
        let sizes = Sizes::new([(false, [48, 1920, 2, 32, 1080, 2])].into_iter());
        assert_eq!(sizes.to_string(), "48x32 to 1920x1080");
        assert_eq!(sizes.nearest(size("640x360")), (640, 360));
        assert_eq!(sizes.nearest(size("3840x16")), (1920, 32));
        let backwards = Sizes::Range((1920, 1080), (48, 32));
        assert_eq!(backwards.nearest(size("640x360")), (640, 360));
        assert_eq!(Sizes::new(std::iter::empty()).nearest(size("640x360")), (640, 360));
    }

    #[test]
    fn the_slowest_rate_that_is_fast_enough_is_asked_for() {
        let rates = [(1, 30), (1, 15), (2, 15), (1, 5), (1, 1)];
        let told = rates.map(|(n, d)| (true, [fraction(n, d), fraction(0, 0), fraction(0, 0)]));
        let list = Intervals::new(told.into_iter());
        assert_eq!(list.fastest(), Some(fraction(1, 30)));
        for (wanted, rate) in [(20, "30"), (33, "30"), (34, "30"), (100, "15"), (134, "7.5"), (5_000, "5")] {
            assert_eq!(list.nearest(wanted * MS).to_string(), rate, "{wanted} ms");
        }
    }

    #[test]
    fn within_a_range_of_rates_the_interval_itself_is_asked_for() {
        let range = Intervals::new([(false, [fraction(1, 50), fraction(1, 2), fraction(1, 1)])].into_iter());
        assert_eq!(range.nearest(20 * MS).to_string(), "50");
        assert_eq!(range.nearest(10 * MS).to_string(), "50");
        assert_eq!(range.nearest(100 * MS).to_string(), "10");
        assert_eq!(range.nearest(9_000 * MS).to_string(), "5", "never so slow that the first picture waits");
        assert_eq!(Intervals::new(std::iter::empty()).nearest(40 * MS).to_string(), "25");
    }

    #[test]
    fn an_interval_that_says_nothing_divides_by_nothing() {
        for (numerator, denominator) in [(0, 0), (1, 0), (0, 1)] {
            let none = fraction(numerator, denominator);
            assert!(none.is_none() && none.duration().is_zero());
            assert_eq!(none.to_string(), "0");
        }
    }
}
