//! Colours, areas, and a piece of a row of pixels to paint on.

use std::ops::Range;

/// A colour as JPEG has it: full-range BT.601.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Color([u8; 3]);

impl Color {
    pub(super) fn rgb(rgb: u32) -> Self {
        let [_, r, g, b] = rgb.to_be_bytes();
        let (y, cb, cr) = jpeg_encoder::rgb_to_ycbcr(r, g, b);
        Self([y, cb, cr])
    }
}

/// A part of the picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) columns: Range<i32>,
    pub(super) rows: Range<i32>,
}

impl Area {
    pub(super) fn touches(&self, other: &Self) -> bool {
        let meet = |a: &Range<i32>, b: &Range<i32>| a.start < b.end && b.start < a.end;
        meet(&self.columns, &other.columns) && meet(&self.rows, &other.rows)
    }
}

/// Some columns of a row of pixels, in planes: Y, Cb, Cr. Paint beside them is lost.
#[derive(Debug)]
pub(super) struct Row {
    columns: Range<i32>,
    planes: [Vec<u8>; 3],
}

impl Row {
    pub(super) fn new(columns: Range<i32>) -> Self {
        let planes = std::array::from_fn(|_| vec![0; columns.len()]);
        Self { columns, planes }
    }

    pub(super) fn columns(&self) -> Range<i32> {
        self.columns.clone()
    }

    pub(super) fn planes(&self) -> &[Vec<u8>; 3] {
        &self.planes
    }

    pub(super) fn planes_mut(&mut self) -> &mut [Vec<u8>; 3] {
        &mut self.planes
    }

    /// Takes over the pixels of `other`, which has all columns of this one.
    pub(super) fn copy_from(&mut self, other: &Self) {
        let from = (self.columns.start - other.columns.start) as usize;
        for (plane, other) in self.planes.iter_mut().zip(&other.planes) {
            plane.copy_from_slice(&other[from..from + self.columns.len()]);
        }
    }

    pub(super) fn mirror(&mut self) {
        self.planes.iter_mut().for_each(|plane| plane.reverse());
    }

    pub(super) fn fill(&mut self, columns: Range<i32>, color: Color) {
        let place = |x: i32| (x.clamp(self.columns.start, self.columns.end) - self.columns.start) as usize;
        let places = place(columns.start)..place(columns.end);
        for (plane, value) in self.planes.iter_mut().zip(color.0) {
            plane[places.start..places.end.max(places.start)].fill(value);
        }
    }

    /// Paints column `x` with a colour that covers `part` of it, from 0 to 1.
    pub(super) fn blend(&mut self, x: i32, color: Color, part: f32) {
        if part <= 0.0 || !self.columns.contains(&x) {
            return;
        }
        let place = (x - self.columns.start) as usize;
        let part = (part.min(1.0) * 256.0) as i32;
        for (plane, value) in self.planes.iter_mut().zip(color.0) {
            let under = i32::from(plane[place]);
            plane[place] = (under + (((i32::from(value) - under) * part) >> 8)) as u8;
        }
    }
}
