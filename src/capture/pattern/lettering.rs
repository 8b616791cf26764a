//! Text of any size from bitmap fonts, with the stairs of enlarged ones smoothed.

use std::collections::BTreeMap;

use embedded_graphics::{
    mono_font::{
        MonoFont, MonoTextStyle,
        iso_8859_1::{FONT_4X6, FONT_5X8, FONT_6X10, FONT_7X13, FONT_8X13, FONT_9X15, FONT_9X18, FONT_10X20},
    },
    pixelcolor::BinaryColor,
    prelude::*,
    text::{Baseline, Text},
};

use super::paint::{Area, Color, Row};

const FONTS: [&MonoFont<'static>; 8] =
    [&FONT_4X6, &FONT_5X8, &FONT_6X10, &FONT_7X13, &FONT_8X13, &FONT_9X15, &FONT_9X18, &FONT_10X20];

/// A line of text that stands centred in a place of its own.
#[derive(Debug)]
pub(super) struct Label {
    font: &'static MonoFont<'static>,
    /// How often the font's size is doubled.
    doublings: u32,
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
        // Enlarged, the small fonts are coarse.
        let large = (1..5).flat_map(|doublings| [&FONT_9X15, &FONT_10X20].map(|font| (font, doublings)));
        let sizes = FONTS.map(|font| (font, 0)).into_iter().chain(large);
        let cell = |(font, doublings): (&MonoFont<'_>, u32)| {
            let scale = 1 << doublings;
            (font.character_size.width as i32 * scale, font.character_size.height as i32 * scale)
        };
        let fits = |size| cell(size).0 * letters <= width && cell(size).1 <= height;
        let (font, doublings) = sizes.filter(|size| fits(*size)).max_by_key(|size| cell(*size).1)?;
        let top = middle - cell((font, doublings)).1 / 2;
        Some(Self {
            font,
            doublings,
            center,
            top,
            color,
            text: Vec::new(),
            longest: 0,
            glyphs: BTreeMap::new(),
        })
    }

    /// Where the text is, and was before.
    pub(super) fn area(&self) -> Area {
        let half = (self.advance() * self.longest as i32 + 1) / 2;
        let height = (self.font.character_size.height as i32) << self.doublings;
        Area { columns: self.center - half..self.center + half, rows: self.top..self.top + height }
    }

    fn advance(&self) -> i32 {
        (self.font.character_size.width as i32) << self.doublings
    }

    pub(super) fn set(&mut self, text: &str) {
        self.text = text.chars().collect();
        self.longest = self.longest.max(self.text.len());
        for letter in &self.text {
            self.glyphs.entry(*letter).or_insert_with(|| {
                let mut glyph = Bitmap::letter(*letter, self.font);
                for _ in 0..self.doublings {
                    glyph = glyph.doubled();
                }
                glyph
            });
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

/// A letter in black and white.
#[derive(Debug)]
struct Bitmap {
    width: i32,
    height: i32,
    set: Vec<bool>,
}

impl Bitmap {
    fn letter(letter: char, font: &MonoFont<'_>) -> Self {
        let (width, height) = (font.character_size.width as i32, font.character_size.height as i32);
        let mut bitmap = Self { width, height, set: vec![false; (width * height) as usize] };
        let style = MonoTextStyle::new(font, BinaryColor::On);
        let mut bytes = [0; 4];
        let text = Text::with_baseline(letter.encode_utf8(&mut bytes), Point::zero(), style, Baseline::Top);
        match text.draw(&mut bitmap) {
            Ok(_) => bitmap,
            Err(never) => match never {},
        }
    }

    fn at(&self, x: i32, y: i32) -> bool {
        (0..self.width).contains(&x)
            && (0..self.height).contains(&y)
            && self.set[(y * self.width + x) as usize]
    }

    /// Twice as large, by the rules of Scale2x: a corner takes the colour of its two neighbours where they agree.
    fn doubled(&self) -> Self {
        let (width, height) = (self.width * 2, self.height * 2);
        let corner = |x: i32, y: i32| {
            let (cx, cy) = (x / 2, y / 2);
            let (dx, dy) = ((x % 2) * 2 - 1, (y % 2) * 2 - 1);
            let (side, end) = (self.at(cx + dx, cy), self.at(cx, cy + dy));
            let (other_side, other_end) = (self.at(cx - dx, cy), self.at(cx, cy - dy));
            if side == end && side != other_end && end != other_side { side } else { self.at(cx, cy) }
        };
        let set =
            (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).map(|(x, y)| corner(x, y)).collect();
        Self { width, height, set }
    }

    /// The runs of set pixels in row `y`: first column, and the one after the last.
    fn runs(&self, y: i32) -> impl Iterator<Item = (i32, i32)> {
        let mut x = 0;
        std::iter::from_fn(move || {
            let from = (x..self.width).find(|x| self.at(*x, y))?;
            x = (from..self.width).find(|x| !self.at(*x, y)).unwrap_or(self.width);
            Some((from, x))
        })
    }
}

impl OriginDimensions for Bitmap {
    fn size(&self) -> Size {
        Size::new(self.width as u32, self.height as u32)
    }
}

impl DrawTarget for Bitmap {
    type Color = BinaryColor;
    type Error = std::convert::Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<BinaryColor>>>(
        &mut self,
        pixels: I,
    ) -> Result<(), Self::Error> {
        for Pixel(Point { x, y }, color) in pixels {
            if (0..self.width).contains(&x) && (0..self.height).contains(&y) {
                self.set[(y * self.width + x) as usize] = color.is_on();
            }
        }
        Ok(())
    }
}
