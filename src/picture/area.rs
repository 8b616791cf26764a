//! From percent to pixels.

use std::ops::Range;

use crate::config::Area;

/// A part of a picture, in pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rect {
    pub(super) columns: Range<usize>,
    pub(super) rows: Range<usize>,
}

impl Rect {
    /// All pixels that `area` touches in a picture of this size.
    pub(super) fn around(area: &Area, width: usize, height: usize) -> Self {
        let side = |from: u32, len: u32, whole: usize| {
            let at = |thousandths: u32| thousandths as usize * whole;
            at(from) / WHOLE..at(from + len).div_ceil(WHOLE)
        };
        Self { columns: side(area.left, area.width, width), rows: side(area.top, area.height, height) }
    }

    /// The pixels within `area`, from an even one on and an even number of them, as 2x2 share their colour: a
    /// pixel at the edge may be what somebody wants to be rid of. At least one or two remain.
    pub(super) fn within(area: &Area, width: usize, height: usize) -> Self {
        let side = |from: u32, len: u32, whole: usize| {
            let at = |thousandths: u32| thousandths as usize * whole;
            let end = if from + len == Area::WHOLE { whole } else { at(from + len) / WHOLE / 2 * 2 };
            let start = at(from).div_ceil(WHOLE).next_multiple_of(2);
            if start < end {
                return start..end;
            }
            let start = (at(from) / WHOLE / 2 * 2).min((whole - 1) / 2 * 2);
            start..(start + 2).min(whole)
        };
        Self { columns: side(area.left, area.width, width), rows: side(area.top, area.height, height) }
    }

    /// The samples of U and V that have a part in these pixels.
    pub(super) fn chroma(&self) -> Self {
        let half = |range: &Range<usize>| range.start / 2..range.end.div_ceil(2);
        Self { columns: half(&self.columns), rows: half(&self.rows) }
    }
}

const WHOLE: usize = Area::WHOLE as usize;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rect(columns: Range<usize>, rows: Range<usize>) -> Rect {
        Rect { columns, rows }
    }

    #[test]
    fn a_mask_grows_to_whole_pixels_and_a_crop_shrinks_to_even_ones() {
        let area = "10%,10%,25%,12.5%".parse().unwrap();
        assert_eq!(Rect::around(&area, 101, 33), rect(10..36, 3..8));
        assert_eq!(Rect::within(&area, 101, 33), rect(12..34, 4..6));
        let whole = "0%,0%,100%,100%".parse().unwrap();
        assert_eq!(Rect::around(&whole, 101, 33), rect(0..101, 0..33));
        assert_eq!(Rect::within(&whole, 101, 33), rect(0..101, 0..33));
        let speck = "50%,99.999%,0.001%,0.001%".parse().unwrap();
        assert_eq!(Rect::around(&speck, 100, 100), rect(50..51, 99..100));
        assert_eq!(Rect::within(&speck, 101, 101), rect(50..52, 100..101));
        assert_eq!(Rect::within(&speck, 1, 1), rect(0..1, 0..1));
    }

    proptest! {
        #[test]
        fn areas_of_any_picture_lie_in_it(
            left in 0_u32..100_000, top in 0_u32..100_000, more in any::<(u32, u32)>(),
            width in 1_usize..2_000, height in 1_usize..2_000,
        ) {
            let area = Area {
                left, top, width: 1 + more.0 % (100_000 - left), height: 1 + more.1 % (100_000 - top),
            };
            for rect in [Rect::around(&area, width, height), Rect::within(&area, width, height)] {
                prop_assert!(rect.columns.start < rect.columns.end && rect.columns.end <= width);
                prop_assert!(rect.rows.start < rect.rows.end && rect.rows.end <= height);
            }
            prop_assert_eq!(Rect::within(&area, width, height).columns.start % 2, 0);
        }
    }
}
