//! The eight ways to lay a picture down.

use super::Planes;

/// How to turn a picture over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mirror {
    /// Left becomes right.
    pub horizontal: bool,
    /// Top becomes bottom.
    pub vertical: bool,
}

impl Mirror {
    /// The picture as it is.
    pub const NONE: Self = Self { horizontal: false, vertical: false };
    /// By 180 degrees.
    pub const HALF_TURN: Self = Self { horizontal: true, vertical: true };

    /// One after the other.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { horizontal: self.horizontal != other.horizontal, vertical: self.vertical != other.vertical }
    }
}

/// Quarter turns clockwise, and then left becomes right or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// 0 to 3.
    quarters: u16,
    mirrored: bool,
}

impl Turn {
    /// The picture as it is.
    pub const NONE: Self = Self { quarters: 0, mirrored: false };

    /// So many quarter turns.
    pub fn clockwise(quarters: u16) -> Self {
        Self { quarters: quarters % 4, mirrored: false }
    }

    /// What makes a picture upright whose EXIF data has this orientation.
    pub fn of_exif(orientation: u16) -> Self {
        let (quarters, mirrored) = match orientation {
            2 => (0, true),
            3 => (2, false),
            4 => (2, true),
            5 => (1, true),
            6 => (1, false),
            7 => (3, true),
            8 => (3, false),
            _ => (0, false),
        };
        Self { quarters, mirrored }
    }

    /// One after the other.
    #[must_use]
    pub fn then(self, next: Self) -> Self {
        // In a mirror a turn goes the other way.
        let quarters =
            if self.mirrored { 4 + self.quarters - next.quarters } else { self.quarters + next.quarters };
        Self { quarters: quarters % 4, mirrored: self.mirrored != next.mirrored }
    }

    /// The same as mirrors; none where the picture comes to lie on its side.
    pub fn mirror(self) -> Option<Mirror> {
        match self.quarters {
            0 => Some(Mirror { horizontal: self.mirrored, vertical: false }),
            2 => Some(Mirror { horizontal: !self.mirrored, vertical: true }),
            _ => None,
        }
    }
}

impl From<Mirror> for Turn {
    fn from(mirror: Mirror) -> Self {
        let quarters = if mirror.vertical { 2 } else { 0 };
        Self { quarters, mirrored: mirror.horizontal != mirror.vertical }
    }
}

impl Planes {
    /// The picture, laid down otherwise.
    #[must_use]
    pub fn turned(self, turn: Turn) -> Self {
        if turn == Turn::NONE {
            return self;
        }
        let (width, height, [chroma_width, chroma_height]) =
            (self.width(), self.height(), self.chroma_size());
        let (new_width, new_height) = if turn.quarters % 2 == 1 { (height, width) } else { (width, height) };
        let luma = turned(self.luma(), width, height, turn);
        let chroma =
            self.chroma().map(|planes| planes.map(|plane| turned(plane, chroma_width, chroma_height, turn)));
        Self::new(new_width, new_height, luma, chroma)
    }
}

fn turned(plane: &[u8], width: usize, height: usize, turn: Turn) -> Vec<u8> {
    let mut to = Vec::with_capacity(plane.len());
    // Where the new picture's first sample is in the old one, and from there the steps to the right and down.
    let (width_step, right, left) = (width as isize, 1, -1);
    let (last_column, last_row) = (width as isize - 1, (height as isize - 1) * width_step);
    let (mut start, mut across, down) = match turn.quarters {
        0 => (0, right, width_step),
        1 => (last_row, -width_step, right),
        2 => (last_row + last_column, left, -width_step),
        _ => (last_column, width_step, left),
    };
    let (new_width, new_height) = if turn.quarters % 2 == 1 { (height, width) } else { (width, height) };
    if turn.mirrored {
        start += across * (new_width as isize - 1);
        across = -across;
    }
    for y in 0..new_height as isize {
        let row = start + y * down;
        if across == right {
            to.extend_from_slice(&plane[row as usize..][..new_width]);
        } else {
            to.extend((0..new_width as isize).map(|x| plane[(row + x * across) as usize]));
        }
    }
    to
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn turns() -> impl Strategy<Value = Turn> {
        (0_u16..4, any::<bool>()).prop_map(|(quarters, mirrored)| Turn { quarters, mirrored })
    }

    fn turn_text(rows: &[&str], turn: Turn) -> Vec<String> {
        let luma = rows.concat().into_bytes();
        let planes = Planes::new(rows[0].len(), rows.len(), luma, None).turned(turn);
        let row = |row: &[u8]| String::from_utf8(row.to_vec()).unwrap();
        planes.luma().chunks(planes.width()).map(row).collect()
    }

    #[test]
    fn a_picture_is_turned_clockwise_and_mirrored() {
        let rows = ["abc", "def"];
        let mirrors = |horizontal, vertical| Turn::from(Mirror { horizontal, vertical });
        assert_eq!(turn_text(&rows, Turn::NONE), rows);
        assert_eq!(turn_text(&rows, Turn::clockwise(1)), ["da", "eb", "fc"]);
        assert_eq!(turn_text(&rows, Turn::clockwise(2)), ["fed", "cba"]);
        assert_eq!(turn_text(&rows, Turn::clockwise(3)), ["cf", "be", "ad"]);
        assert_eq!(turn_text(&rows, mirrors(true, false)), ["cba", "fed"]);
        assert_eq!(turn_text(&rows, mirrors(false, true)), ["def", "abc"]);
        assert_eq!(turn_text(&rows, mirrors(true, true)), ["fed", "cba"]);
        let both = Turn::clockwise(1).then(mirrors(true, false));
        assert_eq!(turn_text(&rows, both), ["ad", "be", "cf"]);
    }

    /// As the EXIF standard (CIPA DC-008, 4.6.5.1.1) says where the picture's first row and column are.
    #[test]
    fn an_exif_orientation_makes_the_picture_upright() {
        let upright = ["abc", "def"];
        for (orientation, stored) in [
            (1, vec!["abc", "def"]),
            (2, vec!["cba", "fed"]),
            (3, vec!["fed", "cba"]),
            (4, vec!["def", "abc"]),
            (5, vec!["ad", "be", "cf"]),
            (6, vec!["cf", "be", "ad"]),
            (7, vec!["fc", "eb", "da"]),
            (8, vec!["da", "eb", "fc"]),
            (9, vec!["abc", "def"]),
        ] {
            assert_eq!(turn_text(&stored, Turn::of_exif(orientation)), upright, "{orientation}");
        }
    }

    #[test]
    fn two_mirrors_in_a_row_undo_each_other() {
        let horizontal = Mirror { horizontal: true, vertical: false };
        assert_eq!(Mirror::HALF_TURN.and(Mirror::HALF_TURN), Mirror::NONE);
        assert_eq!(horizontal.and(Mirror::HALF_TURN), Mirror { horizontal: false, vertical: true });
    }

    proptest! {
        #[test]
        fn turns_in_a_row_are_one_turn(
            first in turns(), second in turns(), width in 1_usize..12, height in 1_usize..12, grey in any::<bool>(),
        ) {
            let samples = |len: usize, from: u8| (0..len).map(|n| from.wrapping_add(n as u8)).collect::<Vec<_>>();
            let quarter = width.div_ceil(2) * height.div_ceil(2);
            let chroma = (!grey).then(|| [samples(quarter, 3), samples(quarter, 200)]);
            let picture = Planes::new(width, height, samples(width * height, 0), chroma);
            let one_by_one = picture.clone().turned(first).turned(second);
            prop_assert_eq!(&one_by_one, &picture.clone().turned(first.then(second)));
            let around = (0..4).fold(picture.clone(), |picture, _| picture.turned(Turn::clockwise(1)));
            prop_assert_eq!(&around, &picture);
            if let Some(mirror) = first.mirror() {
                prop_assert_eq!(Turn::from(mirror), first);
            }
        }
    }
}
