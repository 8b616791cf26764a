//! Privacy masks.

use super::{Planes, area::Rect};

/// Y, and U or V, of black.
const BLACK: u8 = 0;
const NEUTRAL: u8 = 128;

impl Planes {
    /// Makes these pixels black.
    ///
    /// The colour of up to three pixels around goes too: a decoder may have smoothed the colours of what is
    /// hidden into them, and in a mirrored picture of odd size one of them has its colour from there.
    pub(super) fn mask(&mut self, rect: &Rect) {
        let (width, [chroma_width, chroma_height]) = (self.width(), self.chroma_size());
        let (luma, chroma) = self.samples_mut();
        for y in rect.rows.clone() {
            luma[y * width..][rect.columns.clone()].fill(BLACK);
        }
        let inner = rect.chroma();
        let columns = inner.columns.start.saturating_sub(1)..(inner.columns.end + 1).min(chroma_width);
        let rows = inner.rows.start.saturating_sub(1)..(inner.rows.end + 1).min(chroma_height);
        for plane in chroma.into_iter().flatten() {
            for y in rows.clone() {
                plane[y * chroma_width..][columns.clone()].fill(NEUTRAL);
            }
        }
    }
}
