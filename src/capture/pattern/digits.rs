//! The digits of a clock, of seven strokes each, smooth at any size.

use std::collections::BTreeMap;

use super::paint::{Area, Color, Row};

/// A clock with milliseconds, that stands centred in a place of its own.
#[derive(Debug)]
pub(super) struct Digits {
    height: i32,
    left: i32,
    top: i32,
    color: Color,
    text: Vec<char>,
    glyphs: BTreeMap<char, Glyph>,
}

/// What is written: two colons, a point and nine digits.
const FORM: &str = "00:00:00.000";

/// The corners of a digit: upper left and right, middle left and right, lower left and right.
const CORNERS: [(f32, f32); 6] = [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0), (0.0, 2.0), (1.0, 2.0)];

/// Between which corners the strokes of a character run. One from a corner to itself is a point.
fn strokes(letter: char) -> &'static [(usize, usize)] {
    match letter {
        '0' => &[(0, 1), (1, 5), (5, 4), (4, 0)],
        '1' => &[(1, 5)],
        '2' => &[(0, 1), (1, 3), (3, 2), (2, 4), (4, 5)],
        '3' => &[(0, 1), (1, 5), (2, 3), (4, 5)],
        '4' => &[(0, 2), (2, 3), (1, 5)],
        '5' => &[(1, 0), (0, 2), (2, 3), (3, 5), (5, 4)],
        '6' => &[(1, 0), (0, 4), (4, 5), (5, 3), (3, 2)],
        '7' => &[(0, 1), (1, 5)],
        '8' => &[(0, 1), (2, 3), (4, 5), (0, 4), (1, 5)],
        '9' => &[(3, 2), (2, 0), (0, 1), (1, 5), (5, 4)],
        '.' => &[(4, 4)],
        _ => &[],
    }
}

impl Digits {
    /// The largest clock that fits `width` and `height`, around `center` and `middle`; none where it could not
    /// be read.
    pub(super) fn fitting(
        (width, height): (i32, i32),
        (center, middle): (i32, i32),
        color: Color,
    ) -> Option<Self> {
        let fits = |height: &i32| FORM.chars().map(|letter| advance(letter, *height)).sum::<i32>() <= width;
        let height = (7..=height).rev().find(fits)?;
        let wide: i32 = FORM.chars().map(|letter| advance(letter, height)).sum();
        let glyphs = "0123456789:.".chars().map(|letter| (letter, Glyph::new(letter, height))).collect();
        let (left, top) = (center - wide / 2, middle - height / 2);
        Some(Self { height, left, top, color, text: Vec::new(), glyphs })
    }

    /// Where the digits are.
    pub(super) fn area(&self) -> Area {
        let width: i32 = FORM.chars().map(|letter| advance(letter, self.height)).sum();
        Area { columns: self.left..self.left + width, rows: self.top..self.top + self.height }
    }

    pub(super) fn set(&mut self, text: &str) {
        self.text = text.chars().collect();
    }

    pub(super) fn paint(&self, y: i32, row: &mut Row) {
        let mut left = self.left;
        for letter in &self.text {
            if let Some(glyph) = self.glyphs.get(letter) {
                let width = glyph.width as usize;
                let from = (y - self.top) as usize * width;
                for (x, part) in (left..).zip(&glyph.covered[from..from + width]) {
                    row.blend(x, self.color, *part);
                }
            }
            left += advance(*letter, self.height);
        }
    }
}

/// The columns from the beginning of a character to that of the next.
fn advance(letter: char, height: i32) -> i32 {
    if letter.is_ascii_digit() { height * 66 / 100 } else { height * 34 / 100 }
}

/// How much of each pixel a character covers, from 0 to 1.
#[derive(Debug)]
struct Glyph {
    width: i32,
    covered: Vec<f32>,
}

impl Glyph {
    fn new(letter: char, height: i32) -> Self {
        let width = advance(letter, height);
        let half = height as f32 * 0.065;
        let edge = half + 0.5;
        let room = if letter.is_ascii_digit() { width as f32 * 0.8 - 2.0 * edge } else { 0.0 };
        let left = (width as f32 - room) / 2.0;
        let step = (height as f32 - 2.0 * edge) / 2.0;
        let place = |(x, y): (f32, f32)| (left + x * room, edge + y * step);
        let mut lines: Vec<_> =
            strokes(letter).iter().map(|(a, b)| (place(CORNERS[*a]), place(CORNERS[*b]))).collect();
        if letter == ':' {
            lines.extend([0.55, 1.45].map(|y| (place((0.0, y)), place((0.0, y)))));
        }
        let covered = |x: i32, y: i32| {
            let (x, y) = (x as f32 + 0.5, y as f32 + 0.5);
            // All strokes run along an axis.
            let distance = |((ax, ay), (bx, by)): ((f32, f32), (f32, f32))| {
                (x - x.clamp(ax.min(bx), ax.max(bx))).hypot(y - y.clamp(ay.min(by), ay.max(by)))
            };
            let nearest = lines.iter().map(|line| distance(*line)).fold(f32::MAX, f32::min);
            (half - nearest + 0.5).clamp(0.0, 1.0)
        };
        let covered =
            (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).map(|(x, y)| covered(x, y)).collect();
        Self { width, covered }
    }
}
