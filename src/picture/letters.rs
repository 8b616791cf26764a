//! Letters of any size from bitmap fonts, with the stairs of enlarged ones smoothed. The fonts are those of
//! X11's "misc-fixed", in the public domain; they have the letters of ISO 8859-1, those of western Europe.

use embedded_graphics::{
    mono_font::{
        MonoFont, MonoTextStyle,
        iso_8859_1::{FONT_4X6, FONT_5X8, FONT_6X10, FONT_7X13, FONT_8X13, FONT_9X15, FONT_9X18, FONT_10X20},
    },
    pixelcolor::BinaryColor,
    prelude::*,
    text::{Baseline, Text},
};

const FONTS: [&MonoFont<'static>; 8] =
    [&FONT_4X6, &FONT_5X8, &FONT_6X10, &FONT_7X13, &FONT_8X13, &FONT_9X15, &FONT_9X18, &FONT_10X20];

/// Every size of letters that there is: a font, and how often it is doubled.
pub(crate) fn sizes() -> impl Iterator<Item = LetterSize> {
    // Enlarged, the small fonts are coarse.
    let large = (1..5).flat_map(|doublings| [&FONT_9X15, &FONT_10X20].map(|font| (font, doublings)));
    FONTS
        .map(|font| (font, 0))
        .into_iter()
        .chain(large)
        .map(|(font, doublings)| LetterSize { font, doublings })
}

/// A size of letters.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LetterSize {
    font: &'static MonoFont<'static>,
    doublings: u32,
}

impl LetterSize {
    /// Pixels across and down that a letter takes.
    pub(crate) fn cell(self) -> (i32, i32) {
        let size = self.font.character_size;
        ((size.width as i32) << self.doublings, (size.height as i32) << self.doublings)
    }

    /// The letter of this size.
    pub(crate) fn letter(self, letter: char) -> Bitmap {
        (0..self.doublings).fold(Bitmap::letter(letter, self.font), |glyph, _| glyph.doubled())
    }
}

/// A letter in black and white.
#[derive(Debug)]
pub(crate) struct Bitmap {
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
    pub(crate) fn runs(&self, y: i32) -> impl Iterator<Item = (i32, i32)> {
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
