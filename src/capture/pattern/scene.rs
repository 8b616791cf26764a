//! What the test picture shows: soft colour bars, an eye that looks around and blinks, the time, and where the
//! picture comes from.

use super::{
    digits::Digits,
    eye::Eye,
    lettering::Label,
    paint::{Area, Color, Row},
};
use crate::config::Size;

const BARS: [u32; 7] = [0xE6E2D8, 0xE3D3A0, 0xA5D0CF, 0xA6C99F, 0xC9A9C8, 0xD7958C, 0x8BA0CB];
const GREYS: i32 = 11;
const NIGHT: u32 = 0x171C26;

/// What changes from picture to picture.
#[derive(Debug)]
pub(super) struct Moment {
    /// The time of day.
    pub(super) clock: String,
    /// The day.
    pub(super) date: String,
    /// The picture's number, from 1.
    pub(super) number: u64,
    /// The time of the movement, in seconds.
    pub(super) seconds: f32,
}

/// The picture, which paints itself row by row.
#[derive(Debug)]
pub(super) struct Scene {
    name: String,
    bars: Row,
    night: Row,
    greys: Row,
    /// The first rows of the dark part and of the grey steps.
    dark: i32,
    steps: i32,
    title: Option<Label>,
    clock: Option<Digits>,
    caption: Option<Label>,
    eye: Eye,
    sweep: Sweep,
}

impl Scene {
    pub(super) fn new(size: Size, name: &str) -> Self {
        let (width, height) = (size.width as i32, size.height as i32);
        let columns = |count: i32, color: &dyn Fn(i32) -> Color| {
            let mut row = Row::new(0..width);
            (0..count).for_each(|n| row.fill(width * n / count..width * (n + 1) / count, color(n)));
            row
        };
        let (dark, steps) = (height * 60 / 100, height * 95 / 100);
        let at = |percent: i32| (width / 2, dark + (steps - dark) * percent / 100);
        let room = |percent: i32| (width * 92 / 100, (steps - dark) * percent / 100);
        let mut title = Label::fitting("TEST PICTURE".len(), room(16), at(16), Color::rgb(0x8FA3BF));
        title.iter_mut().for_each(|title| title.set("TEST PICTURE"));
        Self {
            name: name.to_owned(),
            bars: columns(7, &|n| Color::rgb(BARS[n as usize])),
            night: columns(1, &|_| Color::rgb(NIGHT)),
            greys: columns(GREYS, &|n| {
                let level = (255 * n / (GREYS - 1)) as u32;
                Color::rgb(level << 16 | level << 8 | level)
            }),
            dark,
            steps,
            title,
            clock: Digits::fitting(room(36), at(47), Color::rgb(0xF4F1E8)),
            caption: Label::fitting(36, room(16), at(78), Color::rgb(0x8FA3BF)),
            eye: Eye::new(width, dark),
            sweep: Sweep::new(width, steps, height),
        }
    }

    pub(super) fn set(&mut self, moment: &Moment) {
        if let Some(clock) = &mut self.clock {
            clock.set(&moment.clock);
        }
        if let Some(caption) = &mut self.caption {
            caption.set(&format!("{}   {}   #{}", self.name, moment.date, moment.number));
        }
        self.eye.set(moment.seconds);
        self.sweep.part = moment.seconds.fract();
    }

    /// Has the eye blink in the next picture.
    pub(super) fn blink(&mut self) {
        self.eye.blink();
    }

    /// Where the picture may differ from the one before.
    pub(super) fn moving(&self) -> Vec<Area> {
        let text = self.clock.iter().map(Digits::area).chain(self.caption.iter().map(Label::area));
        text.chain([self.eye.area(), self.sweep.area()]).collect()
    }

    /// Paints those of its columns that `row` has, of row `y`.
    pub(super) fn paint(&self, y: i32, row: &mut Row) {
        row.copy_from(match y {
            y if y < self.dark => &self.bars,
            y if y < self.steps => &self.night,
            _ => &self.greys,
        });
        let shows = |area: Area| area.touches(&Area { columns: row.columns(), rows: y..y + 1 });
        let eye = shows(self.eye.area());
        let sweep = shows(self.sweep.area());
        let [title, caption] =
            [&self.title, &self.caption].map(|it| it.as_ref().filter(|it| shows(it.area())));
        let clock = self.clock.as_ref().filter(|clock| shows(clock.area()));
        if eye {
            self.eye.paint(y, row);
        }
        title.into_iter().chain(caption).for_each(|label| label.paint(y, row));
        clock.into_iter().for_each(|clock| clock.paint(y, row));
        if sweep {
            self.sweep.paint(row);
        }
    }
}

/// A line that grows across the picture within each second: at which part of it, tells the delay at a glance.
#[derive(Debug)]
struct Sweep {
    top: i32,
    bottom: i32,
    width: i32,
    part: f32,
}

impl Sweep {
    fn new(width: i32, steps: i32, height: i32) -> Self {
        Self { top: steps - (height / 120).max(1), bottom: steps, width, part: 0.0 }
    }

    fn area(&self) -> Area {
        Area { columns: 0..self.width, rows: self.top..self.bottom }
    }

    fn paint(&self, row: &mut Row) {
        row.fill(0..(self.width as f32 * self.part) as i32, Color::rgb(0xE8B04A));
    }
}
