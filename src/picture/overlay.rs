//! A text written into the picture: the time, the camera's name.

use std::{collections::BTreeMap, ops::Range, time::SystemTime};

use jiff::{Timestamp, fmt::strtime, tz::TimeZone};

use super::{Bitmap, LetterSize, Planes, area::Rect, sizes};
use crate::config::Corner;

/// The letters are as high as this part of the picture, as far as the text fits.
const PART: usize = 20;

/// How dark the picture becomes behind the letters: a quarter of its light and colour stays.
const SHADE: u32 = 2;

/// A text for each picture.
#[derive(Debug)]
pub(super) struct Overlay {
    format: String,
    corner: Corner,
    name: String,
    title: String,
    zone: TimeZone,
    /// The letters of the size that was used last, by its cell.
    letters: BTreeMap<char, Bitmap>,
    cell: (i32, i32),
}

impl Overlay {
    pub(super) fn new(format: &str, corner: Corner, name: &str, title: &str) -> Self {
        let (format, name, title) = (format.to_owned(), name.to_owned(), title.to_owned());
        Self { format, corner, name, title, zone: TimeZone::system(), letters: BTreeMap::new(), cell: (0, 0) }
    }

    /// The text at this time.
    fn text(&self, taken: SystemTime) -> String {
        // A clock outside of jiff's years -9999 to 9999 shows 1970.
        let at = Timestamp::try_from(taken).unwrap_or_default().to_zoned(self.zone.clone());
        // The format was tried when it was read; what can't be written is shown as it stands.
        let text = strtime::format(&self.format, &at).unwrap_or_else(|_| self.format.clone());
        text.replace("{name}", &self.name).replace("{title}", &self.title)
    }

    /// Writes the text of this time into the picture.
    pub(super) fn write(&mut self, planes: &mut Planes, taken: SystemTime) {
        let text = self.text(taken);
        let lines: Vec<&str> = text.lines().collect();
        let longest = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
        if longest == 0 {
            return;
        }
        let (width, height) = (planes.width(), planes.height());
        let size = fitting(longest, lines.len(), width, height);
        if self.cell != size.cell() {
            self.cell = size.cell();
            self.letters.clear();
        }
        let (advance, line_height) = (self.cell.0 as usize, self.cell.1 as usize);
        let border = line_height / 4;
        let box_size = (advance * longest + 2 * border, line_height * lines.len() + 2 * border);
        let (right, bottom) = match self.corner {
            Corner::TopLeft => (false, false),
            Corner::TopRight => (true, false),
            Corner::BottomLeft => (false, true),
            Corner::BottomRight => (true, true),
        };
        let place = |len: usize, whole: usize, end: bool| {
            let len = len.min(whole);
            if end { whole - len..whole } else { 0..len }
        };
        let rect = Rect { columns: place(box_size.0, width, right), rows: place(box_size.1, height, bottom) };
        shade(planes, &rect);
        for (number, line) in lines.iter().enumerate() {
            let top = rect.rows.start + border + number * line_height;
            for (place, letter) in line.chars().enumerate() {
                let left = rect.columns.start + border + place * advance;
                let bitmap = self.letters.entry(letter).or_insert_with(|| size.letter(letter));
                draw(planes, bitmap, (left, top), line_height);
            }
        }
    }
}

/// The largest letters of which the text fits, up to the size that is wanted; else the smallest.
fn fitting(longest: usize, lines: usize, width: usize, height: usize) -> LetterSize {
    let fits = |size: &LetterSize| {
        let (across, down) = (size.cell().0 as usize, size.cell().1 as usize);
        down <= (height / PART).max(8)
            && across * longest + down / 2 <= width
            && down * lines + down / 2 <= height
    };
    let smallest = sizes().next().expect("there are sizes");
    sizes().filter(fits).max_by_key(|size| size.cell().1).unwrap_or(smallest)
}

/// Darkens a box, so that white letters are read on whatever is behind them.
fn shade(planes: &mut Planes, rect: &Rect) {
    let (width, [chroma_width, _]) = (planes.width(), planes.chroma_size());
    let (luma, chroma) = planes.samples_mut();
    for y in rect.rows.clone() {
        luma[y * width..][rect.columns.clone()].iter_mut().for_each(|sample| *sample >>= SHADE);
    }
    let rect = rect.chroma();
    for plane in chroma.into_iter().flatten() {
        for y in rect.rows.clone() {
            for sample in &mut plane[y * chroma_width..][rect.columns.clone()] {
                *sample = (128 + ((i16::from(*sample) - 128) >> SHADE)) as u8;
            }
        }
    }
}

fn draw(planes: &mut Planes, letter: &Bitmap, (left, top): (usize, usize), height: usize) {
    let (width, rows) = (planes.width(), top..(top + height).min(planes.height()));
    let (luma, _) = planes.samples_mut();
    for y in rows {
        for (from, to) in letter.runs((y - top) as i32) {
            let columns: Range<usize> = (left + from as usize).min(width)..(left + to as usize).min(width);
            luma[y * width..][columns].fill(255);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn overlay(format: &str, corner: Corner) -> Overlay {
        let zone = TimeZone::get("Europe/Zurich").unwrap_or(TimeZone::UTC);
        Overlay { zone, ..Overlay::new(format, corner, "tank", "Aquarium {name}") }
    }

    const TAKEN: Duration = Duration::from_millis(1_700_000_000_123);

    fn light(width: usize, height: usize) -> Planes {
        let quarter = width.div_ceil(2) * height.div_ceil(2);
        Planes::new(width, height, vec![200; width * height], Some([vec![60; quarter], vec![190; quarter]]))
    }

    #[test]
    fn the_text_has_the_time_of_exposure_and_the_names() {
        let overlay =
            Overlay { zone: TimeZone::UTC, ..overlay("%F %T%.3f {name}: {title} 100%%", Corner::TopLeft) };
        let text = overlay.text(UNIX_EPOCH + TAKEN);
        assert_eq!(text, "2023-11-14 22:13:20.123 tank: Aquarium {name} 100%");
    }

    #[test]
    fn the_letters_stand_in_their_corner_and_nowhere_else() {
        for corner in Corner::ALL {
            let mut planes = light(640, 360);
            overlay("Zürich ÄÖÜ äöü ß", corner).write(&mut planes, UNIX_EPOCH);
            let (mut across, mut down) = (Vec::new(), Vec::new());
            for (at, sample) in planes.luma().iter().enumerate().filter(|(_, sample)| **sample != 200) {
                assert!(matches!(sample, 50 | 255), "{sample}");
                across.push(at % 640);
                down.push(at / 640);
            }
            assert!(planes.luma().contains(&255), "there are letters");
            let (left, top) = (across.iter().min() == Some(&0), down.iter().min() == Some(&0));
            let (right, bottom) = (across.iter().max() == Some(&639), down.iter().max() == Some(&359));
            let expected = match corner {
                Corner::TopLeft => (true, true),
                Corner::TopRight => (false, true),
                Corner::BottomLeft => (true, false),
                Corner::BottomRight => (false, false),
            };
            assert_eq!((left, top, right, bottom), (expected.0, expected.1, !expected.0, !expected.1));
        }
    }

    #[test]
    fn every_letter_of_western_europe_differs_from_one_that_is_not_known() {
        let written = |text: &str| {
            let mut planes = light(200, 100);
            overlay(text, Corner::TopLeft).write(&mut planes, UNIX_EPOCH);
            planes
        };
        let unknown = written("東");
        for letter in ('!'..='~').chain('¡'..='ÿ').filter(|letter| !matches!(letter, '%' | '?' | '\u{ad}'))
        {
            assert_ne!(written(&letter.to_string()), unknown, "{letter}");
        }
    }

    #[test]
    fn the_letters_grow_with_the_picture_and_the_text_fits() {
        let cell = |longest, width, height| fitting(longest, 1, width, height).cell().1;
        assert_eq!(cell(10, 1280, 720), 30);
        assert_eq!(cell(10, 1920, 1080), 40);
        assert_eq!(cell(10, 640, 480), 20);
        assert_eq!(cell(10, 320, 240), 10);
        assert!(cell(100, 1280, 720) < 30);
        assert_eq!(cell(200, 64, 48), 6);
    }

    #[test]
    fn a_picture_too_small_for_the_text_gets_as_much_as_fits() {
        for (width, height) in [(1, 1), (16, 16), (17, 3), (3, 90), (64, 48)] {
            for corner in Corner::ALL {
                let mut planes = light(width, height);
                overlay("A long text%nin two lines", corner).write(&mut planes, UNIX_EPOCH);
                assert_eq!((planes.width(), planes.height()), (width, height));
                assert!(planes.luma().iter().any(|sample| *sample != 200));
            }
        }
    }
}
