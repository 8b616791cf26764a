//! When a camera may not run, and what of its pictures is shown, and when.

use std::{fmt, str::FromStr, time::Duration};

/// What the owner wants for the privacy of those in front of a camera: `[camera.privacy]`.
#[derive(Debug, Clone, PartialEq)]
pub struct PrivacyConfig {
    /// The probability, each minute, that a recorded stretch begins.
    pub interleave: f64,
    /// The shortest recorded stretch.
    pub shortest: Duration,
    /// The longest one.
    pub longest: Duration,
    /// How much later than they were taken pictures are shown.
    pub delay: Duration,
    /// When the camera can't start.
    pub quiet: Vec<QuietHours>,
    /// What keeps it from starting.
    pub switch: Option<Switch>,
}

impl Default for PrivacyConfig {
    fn default() -> Self {
        Self {
            interleave: 0.0,
            shortest: Duration::from_secs(20),
            longest: Duration::from_secs(120),
            delay: Duration::ZERO,
            quiet: Vec::new(),
            switch: None,
        }
    }
}

/// A stretch of every day by the local clock, written `22:00-06:30`; over midnight where it ends before it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuietHours {
    /// Its first minute of the day.
    pub from: u16,
    /// The minute of the day at which it is over; 1440 is the end of the day.
    pub to: u16,
}

impl QuietHours {
    /// What [`QuietHours::from_str`] accepts.
    pub(super) const EXPECTED: &str =
        "hours such as 22:00-06:30, from 00:00 to 24:00, which end at another time than they begin";

    /// Whether that minute of the day is in it.
    pub fn contains(self, minute: u16) -> bool {
        if self.from < self.to {
            (self.from..self.to).contains(&minute)
        } else {
            minute >= self.from || minute < self.to
        }
    }
}

impl FromStr for QuietHours {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let two = |text: &str| {
            let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| text.parse::<u16>().ok()).flatten()
        };
        let minute = |text: &str| {
            let (hour, minute) = text.split_once(':')?;
            let (hour, minute) = (two(hour)?, two(minute)?);
            let all = hour * 60 + minute;
            (minute < 60 && all <= 1440).then_some(all)
        };
        text.split_once('-')
            .and_then(|(from, to)| Some(Self { from: minute(from.trim())?, to: minute(to.trim())? }))
            // The day's end is the next one's beginning.
            .filter(|hours| hours.from < 1440 && hours.from != hours.to)
            .ok_or_else(|| format!("expected {}", Self::EXPECTED))
    }
}

impl fmt::Display for QuietHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to } = self;
        write!(f, "{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
    }
}

/// What keeps a camera from starting for as long as it is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Switch {
    /// A file: on while it is there.
    File(String),
    /// A line of a GPIO chip.
    Gpio {
        /// The chip's name, such as `gpiochip0`.
        chip: String,
        /// Its line.
        line: u32,
        /// On while the line is low; else while it is high.
        low: bool,
    },
}

impl Switch {
    /// What [`Switch::from_str`] accepts.
    pub(super) const EXPECTED: &str =
        "an absolute path, or a GPIO line such as gpiochip0:17 or gpiochip0:17:low";
}

impl FromStr for Switch {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let file = || {
            let fits = text.starts_with('/') && text.len() <= 1000 && !text.ends_with('/');
            (fits && !text.chars().any(char::is_control)).then(|| Self::File(text.to_owned()))
        };
        let gpio = || {
            let mut parts = text.split(':');
            let (chip, line, level) = (parts.next()?, parts.next()?, parts.next());
            let number = chip.strip_prefix("gpiochip")?;
            let digits =
                |text: &str| (1..=5).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
            let low = match level {
                None | Some("high") => false,
                Some("low") => true,
                Some(_) => return None,
            };
            (digits(number) && digits(line) && parts.next().is_none())
                .then(|| line.parse().ok())
                .flatten()
                .map(|line| Self::Gpio { chip: chip.to_owned(), line, low })
        };
        file().or_else(gpio).ok_or_else(|| format!("expected {}", Self::EXPECTED))
    }
}

impl fmt::Display for Switch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.write_str(path),
            Self::Gpio { chip, line, low: false } => write!(f, "{chip}:{line}"),
            Self::Gpio { chip, line, low: true } => write!(f, "{chip}:{line}:low"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_hours_may_go_over_midnight() {
        let contains = |hours: &str, minute: &str| {
            let (hour, minute) = minute.split_once(':').unwrap();
            let minute = hour.parse::<u16>().unwrap() * 60 + minute.parse::<u16>().unwrap();
            hours.parse::<QuietHours>().unwrap().contains(minute)
        };
        for (hours, inside, outside) in [
            ("22:00-06:30", ["22:00", "00:00", "06:29"], ["21:59", "06:30", "12:00"]),
            ("12:00-13:00", ["12:00", "12:30", "12:59"], ["11:59", "13:00", "00:00"]),
            ("20:00-24:00", ["20:00", "22:00", "23:59"], ["19:59", "00:00", "12:00"]),
            ("00:00-24:00", ["00:00", "12:00", "23:59"], ["24:00", "24:00", "24:00"]),
            ("20:00-00:00", ["20:00", "22:00", "23:59"], ["19:59", "00:00", "12:00"]),
        ] {
            for minute in inside {
                assert!(contains(hours, minute), "{minute} in {hours}");
            }
            for minute in outside {
                assert!(!contains(hours, minute), "{minute} not in {hours}");
            }
        }
    }

    #[test]
    fn what_is_no_hours_and_no_switch_is_refused() {
        for text in [
            "",
            "22:00",
            "22-06",
            "22:00-22:00",
            "24:00-06:00",
            "25:00-06:00",
            "22:60-06:00",
            "22:00-24:01",
            "2:00-3:00",
            "+2:00-03:00",
            "22:00-06:00-07:00",
        ] {
            assert!(text.parse::<QuietHours>().is_err(), "{text}");
        }
        for text in [
            "",
            "off",
            "/",
            "/run/",
            "/run/\u{1b}",
            "gpiochip0",
            "gpiochip0:",
            "gpiochip0:x",
            "gpiochip:1",
            "gpio0:1",
            "gpiochip0:1:up",
            "gpiochip0:1:low:low",
            "gpiochip0:-1",
            "gpiochip0:+1",
        ] {
            assert!(text.parse::<Switch>().is_err(), "{text}");
        }
        for text in ["/run/eyelid/off", "gpiochip0:17", "gpiochip0:17:low"] {
            assert_eq!(text.parse::<Switch>().unwrap().to_string(), text);
        }
        assert_eq!("gpiochip0:17:high".parse(), "gpiochip0:17".parse::<Switch>());
    }
}
