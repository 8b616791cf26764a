//! The eye that moves through the test picture, looks around and blinks.

use super::paint::{Area, Color, Row};

/// An eye between two parabolas, with a lid.
#[derive(Debug)]
pub(super) struct Eye {
    /// Half its width and height.
    a: f32,
    b: f32,
    middle: f32,
    width: f32,
    stroke: f32,
    center: f32,
    /// Where it was in the picture before.
    before: f32,
    iris: f32,
    /// From 0, closed, to 1.
    open: f32,
    /// Somebody wants it to blink.
    wanted: bool,
    /// Since when it does for that, in seconds.
    since: Option<f32>,
    colors: Colors,
}

/// How long it takes to blink, in seconds.
const BLINK: f32 = 0.4;

#[derive(Debug)]
struct Colors {
    line: Color,
    lid: Color,
    white: Color,
    iris: Color,
    pupil: Color,
    glint: Color,
}

impl Eye {
    pub(super) fn new(width: i32, height: i32) -> Self {
        let (width, height) = (width as f32, height as f32);
        let b = (height * 0.2).min(width * 0.12);
        let stroke = (b * 0.045).max(1.0);
        let colors = Colors {
            line: Color::rgb(0x232A38),
            lid: Color::rgb(0xC98F7A),
            white: Color::rgb(0xFBFAF6),
            iris: Color::rgb(0x3D7F83),
            pupil: Color::rgb(0x10151E),
            glint: Color::rgb(0xFFFFFF),
        };
        Self {
            a: b * 2.0,
            b,
            middle: height * 0.5,
            width,
            stroke,
            center: 0.0,
            before: 0.0,
            iris: 0.0,
            open: 1.0,
            wanted: false,
            since: None,
            colors,
        }
    }

    pub(super) fn set(&mut self, seconds: f32) {
        let turn = |period: f32| seconds / period * std::f32::consts::TAU;
        self.before = self.center;
        self.center = self.width / 2.0 + (self.width / 2.0 - self.a * 1.2) * turn(12.0).sin();
        // It looks where it goes.
        self.iris = self.a * 0.36 * turn(12.0).cos();
        let by_itself = (seconds % 4.0 - (4.0 - BLINK)) / BLINK;
        if std::mem::take(&mut self.wanted) {
            self.since = Some(seconds);
        }
        self.since = self.since.filter(|since| (*since..*since + BLINK).contains(&seconds));
        let blink = match self.since {
            // Closed at once, or whoever wants it would wait to see it.
            Some(since) => ((seconds - since) / BLINK).max(0.5),
            None => by_itself,
        };
        self.open = if blink > 0.0 { (2.0 * blink - 1.0).abs() } else { 1.0 };
    }

    /// Has it blink in the next picture.
    pub(super) fn blink(&mut self) {
        self.wanted = true;
    }

    /// Where it is, and was before.
    pub(super) fn area(&self) -> Area {
        let (wide, high) = (self.a + 2.0 * self.stroke + 1.0, self.b + self.stroke + 1.0);
        let (left, right) = (self.center.min(self.before) - wide, self.center.max(self.before) + wide);
        Area {
            columns: left.floor() as i32..right.ceil() as i32,
            rows: (self.middle - high).floor() as i32..(self.middle + high).ceil() as i32,
        }
    }

    pub(super) fn paint(&self, y: i32, row: &mut Row) {
        let dy = y as f32 + 0.5 - self.middle;
        // What lies further off doesn't touch a pixel, nor does it at the steepest place of the edge.
        let near = (self.stroke + 1.0) * (1.0 + (2.0 * self.b / self.a).powi(2)).sqrt();
        let reach = self.a * (1.0 - (dy.abs() - near) / self.b).max(0.0).sqrt() + 1.0;
        let columns = row.columns();
        let first = ((self.center - reach) as i32).max(columns.start);
        let after = ((self.center + reach) as i32 + 1).min(columns.end);
        for x in first..after {
            let dx = x as f32 + 0.5 - self.center;
            let rise = self.b * (1.0 - (dx / self.a).powi(2));
            let slope = 2.0 * self.b * dx / (self.a * self.a);
            // A distance up or down is longer than the one across the edge.
            let across = 1.0 / (1.0 + slope * slope).sqrt();
            let inside = (rise - dy.abs()) * across;
            let below_lid = (dy + rise * (2.0 * self.open - 1.0)) * across;
            let mut dab = |color, inside: f32| row.blend(x, color, inside + 0.5);
            let mut disc = |color, dx: f32, dy: f32, radius: f32| {
                let square = dx * dx + dy * dy;
                if square < (radius + 1.0).powi(2) {
                    dab(color, (radius - square.sqrt()).min(inside));
                }
            };
            disc(self.colors.white, 0.0, 0.0, self.a);
            disc(self.colors.iris, dx - self.iris, dy, self.b * 0.72);
            disc(self.colors.pupil, dx - self.iris, dy, self.b * 0.36);
            disc(self.colors.glint, dx - self.iris + self.b * 0.24, dy + self.b * 0.24, self.b * 0.12);
            dab(self.colors.lid, (-below_lid).min(inside));
            dab(self.colors.line, (self.stroke - below_lid.abs()).min(inside));
            dab(self.colors.line, self.stroke - inside.abs());
        }
    }
}
