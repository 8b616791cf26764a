//! Text of any size that fits its place.

use std::collections::BTreeMap;

use super::paint::{Area, Color, Row};
use crate::picture::{Bitmap, LetterSize, sizes};

/// A line of text that stands centred in a place of its own.
#[derive(Debug)]
pub(super) struct Label {
    size: LetterSize,
    center: i32,
    top: i32,
    color: Color,
    text: Vec<char>,
    longest: usize,
    glyphs: BTreeMap<char, Bitmap>,
}

impl Label {
    /// The largest text of so many letters that fits `width` and `height`, around `center` and `middle`; none
    /// where not even the smallest fits.
    pub(super) fn fitting(
        letters: usize,
        (width, height): (i32, i32),
        (center, middle): (i32, i32),
        color: Color,
    ) -> Option<Self> {
        let letters = i32::try_from(letters).ok()?;
        let fits = |size: &LetterSize| size.cell().0 * letters <= width && size.cell().1 <= height;
        let size = sizes().filter(fits).max_by_key(|size| size.cell().1)?;
        let top = middle - size.cell().1 / 2;
        Some(Self { size, center, top, color, text: Vec::new(), longest: 0, glyphs: BTreeMap::new() })
    }

    /// Where the text is, and was before.
    pub(super) fn area(&self) -> Area {
        let half = (self.advance() * self.longest as i32 + 1) / 2;
        let height = self.size.cell().1;
        Area { columns: self.center - half..self.center + half, rows: self.top..self.top + height }
    }

    fn advance(&self) -> i32 {
        self.size.cell().0
    }

    pub(super) fn set(&mut self, text: &str) {
        self.text = text.chars().collect();
        self.longest = self.longest.max(self.text.len());
        for letter in &self.text {
            self.glyphs.entry(*letter).or_insert_with(|| self.size.letter(*letter));
        }
    }

    pub(super) fn paint(&self, y: i32, row: &mut Row) {
        let mut x = self.center - self.advance() * self.text.len() as i32 / 2;
        for letter in &self.text {
            for (from, to) in self.glyphs[letter].runs(y - self.top) {
                row.fill(x + from..x + to, self.color);
            }
            x += self.advance();
        }
    }
}
