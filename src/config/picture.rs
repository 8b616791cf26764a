//! What is done to a camera's pictures before anything else sees them.

use std::{fmt, str::FromStr};

use super::Size;

/// What is done to the pictures, beside turning them over.
#[derive(Debug, Clone, Default, PartialEq, Eq, clap::Args)]
pub struct PictureConfig {
    /// The part of the picture that is kept, LEFT,TOP,WIDTH,HEIGHT in percent
    #[arg(long, value_name = "AREA", value_parser = Area::from_str)]
    pub crop: Option<Area>,
    /// The size into which larger pictures are scaled down
    #[arg(long, value_name = "WxH", value_parser = Size::from_str)]
    pub max_size: Option<Size>,
    /// Takes the colours away
    #[arg(long)]
    pub grayscale: bool,
    /// A part of the picture that is made black; may be given several times
    #[arg(long = "mask", value_name = "AREA", value_parser = Area::from_str)]
    pub masks: Vec<Area>,
    /// A text written into the picture: codes of strftime, {name} and {title}
    #[arg(long, default_value = "", hide_default_value = true, value_name = "TEXT", value_parser = overlay)]
    pub overlay: String,
    /// The corner where that text stands
    #[arg(long, default_value_t = Corner::BottomLeft, value_name = "CORNER", value_parser = Corner::from_str)]
    pub overlay_position: Corner,
    /// Encodes anew what comes as JPEG
    #[arg(long)]
    pub recompress: bool,
    /// Leaves EXIF and other metadata in pictures that nothing is done to
    #[arg(long)]
    pub keep_metadata: bool,
}

impl PictureConfig {
    /// What is asked for, in words: "2 masks, grayscale". Empty when it is nothing.
    pub fn in_words(&self) -> String {
        let masks = match self.masks.len() {
            0 => None,
            1 => Some("1 mask".to_owned()),
            masks => Some(format!("{masks} masks")),
        };
        let crop = self.crop.map(|area| format!("cropped to {area}"));
        let size = self.max_size.map(|size| format!("scaled down into {size}"));
        let overlay = (!self.overlay.is_empty())
            .then(|| format!("the text {:?} at the {}", self.overlay, self.overlay_position));
        let flag = |on: bool, text: &str| on.then(|| text.to_owned());
        let all = [
            masks,
            crop,
            size,
            flag(self.grayscale, "in shades of grey"),
            overlay,
            flag(self.recompress, "encoded anew"),
            flag(self.keep_metadata, "metadata kept"),
        ];
        all.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    /// The first key that asks for something that metadata can't outlive; a thumbnail in it would show what a
    /// mask hides.
    pub(super) fn instead_of_metadata(&self) -> Option<&'static str> {
        [
            ("masks", !self.masks.is_empty()),
            ("crop", self.crop.is_some()),
            ("max_size", self.max_size.is_some()),
            ("grayscale", self.grayscale),
            ("overlay", !self.overlay.is_empty()),
            ("recompress", self.recompress),
        ]
        .into_iter()
        .find_map(|(key, asked)| asked.then_some(key))
    }

    /// The arguments that parse back into this.
    pub(crate) fn to_args(&self) -> Vec<String> {
        let mut args = Vec::new();
        args.extend(self.crop.map(|area| format!("--crop={area}")));
        args.extend(self.max_size.map(|size| format!("--max-size={size}")));
        args.extend(self.grayscale.then(|| "--grayscale".to_owned()));
        args.extend(self.masks.iter().map(|area| format!("--mask={area}")));
        if !self.overlay.is_empty() {
            args.push(format!("--overlay={}", self.overlay));
            args.push(format!("--overlay-position={}", self.overlay_position));
        }
        args.extend(self.recompress.then(|| "--recompress".to_owned()));
        args.extend(self.keep_metadata.then(|| "--keep-metadata".to_owned()));
        args
    }
}

/// A text that jiff's strftime can write, on one line.
pub(super) fn overlay(text: &str) -> Result<String, String> {
    let now = jiff::Zoned::default();
    match jiff::fmt::strtime::format(text, &now) {
        _ if text.chars().count() > 200 || text.chars().any(char::is_control) => {
            Err("expected at most 200 characters on one line".to_owned())
        }
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// A part of a picture, in thousandths of a percent of its sides, written `LEFT,TOP,WIDTH,HEIGHT`:
/// `0%,0%,25%,12.5%`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Area {
    /// From the left edge.
    pub left: u32,
    /// From the top edge.
    pub top: u32,
    /// Across; not 0.
    pub width: u32,
    /// Down; not 0.
    pub height: u32,
}

impl Area {
    /// A whole side.
    pub const WHOLE: u32 = 100_000;

    /// What [`Area::from_str`] accepts.
    pub(super) const EXPECTED: &str =
        "LEFT,TOP,WIDTH,HEIGHT in percent and within the picture, such as 0%,0%,25%,12.5%";
}

impl FromStr for Area {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split(',').map(|part| percent(part.trim()));
        let mut next = || parts.next().flatten();
        let area = (|| Some(Self { left: next()?, top: next()?, width: next()?, height: next()? }))();
        area.filter(|area| {
            parts.next().is_none()
                && area.width > 0
                && area.height > 0
                && area.left + area.width <= Self::WHOLE
                && area.top + area.height <= Self::WHOLE
        })
        .ok_or_else(|| format!("expected {}", Self::EXPECTED))
    }
}

/// `12.5%` in thousandths.
fn percent(text: &str) -> Option<u32> {
    let number = text.strip_suffix('%')?.trim_end();
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) || !(1..=3).contains(&whole.len()) || part.len() > 3 {
        return None;
    }
    if number.contains('.') && part.is_empty() {
        return None;
    }
    let thousandths = whole.parse::<u32>().ok()? * 1000 + format!("{part:0<3}").parse::<u32>().ok()?;
    (thousandths <= Area::WHOLE).then_some(thousandths)
}

impl fmt::Display for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = |thousandths: u32| {
            let text = format!("{}.{:03}", thousandths / 1000, thousandths % 1000);
            text.trim_end_matches('0').trim_end_matches('.').to_owned() + "%"
        };
        let [left, top, width, height] = [self.left, self.top, self.width, self.height].map(side);
        write!(f, "{left},{top},{width},{height}")
    }
}

/// Where a text stands in the picture.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Corner {
    /// `top-left`
    TopLeft,
    /// `top-right`
    TopRight,
    /// `bottom-left`
    #[default]
    BottomLeft,
    /// `bottom-right`
    BottomRight,
}

impl Corner {
    /// All corners.
    pub const ALL: [Self; 4] = [Self::TopLeft, Self::TopRight, Self::BottomLeft, Self::BottomRight];

    /// The corner's name in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TopLeft => "top-left",
            Self::TopRight => "top-right",
            Self::BottomLeft => "bottom-left",
            Self::BottomRight => "bottom-right",
        }
    }
}

impl FromStr for Corner {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|corner| corner.as_str() == text);
        found.ok_or_else(|| format!("expected one of {}", Self::ALL.map(Self::as_str).join(", ")))
    }
}

impl fmt::Display for Corner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn areas_are_read_in_percent_and_nothing_else_is() {
        let area = |left, top, width, height| Area { left, top, width, height };
        for (text, expected) in [
            ("0%,0%,25%,12.5%", area(0, 0, 25_000, 12_500)),
            (" 0.001% , 99.999%, 99.999 %,0.001%", area(1, 99_999, 99_999, 1)),
            ("0%,0%,100%,100%", area(0, 0, 100_000, 100_000)),
        ] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
        for text in [
            "",
            "0,0,25,12.5",
            "0%,0%,25%",
            "0%,0%,25%,25%,1%",
            "0%,0%,0%,25%",
            "80%,0%,25%,25%",
            "0%,80%,25%,25%",
            "-1%,0%,25%,25%",
            "0%,0%,25.%,25%",
            "0%,0%,.5%,25%",
            "0%,0%,1e1%,25%",
            "0%,0%,25.0001%,25%",
            "9999999999%,0%,1%,1%",
        ] {
            assert!(text.parse::<Area>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn an_area_is_read_as_it_is_written(left in 0_u32..100_000, top in 0_u32..100_000, more in any::<(u32, u32)>()) {
            let width = 1 + more.0 % (100_000 - left);
            let height = 1 + more.1 % (100_000 - top);
            let area = Area { left, top, width, height };
            prop_assert_eq!(area.to_string().parse(), Ok(area));
        }
    }

    #[test]
    fn a_text_that_strftime_refuses_is_refused() {
        for text in ["", "%H:%M:%S", "Zürich {name} {title} 100%%", "%F %T %Z", "{nothing}"] {
            assert_eq!(overlay(text), Ok(text.to_owned()));
        }
        for text in ["%", "%!", "two\nlines", &"x".repeat(201)] {
            assert!(overlay(text).is_err(), "{text}");
        }
    }
}
