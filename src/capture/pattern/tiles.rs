//! A JPEG of which only what has changed is encoded again.
//!
//! Restart markers (ITU-T T.81, E.1.4) cut a JPEG into pieces that depend on no other: here tiles, 16 rows high.
//! Tiles without movement keep their bytes from the picture before.

use std::cell::RefCell;

use jpeg_encoder::{Encoder, ImageBuffer, JpegColorType, SamplingFactor};

use super::{
    look::Look,
    paint::{Area, Row},
    scene::Scene,
};
use crate::{config::Size, picture::Mirror};

/// The side of what JPEG encodes as a unit: with 4:2:0 sampling, two 8x8 blocks.
const UNIT: u16 = 16;

/// The picture's bytes, tile by tile.
#[derive(Debug)]
pub(super) struct Tiles {
    view: View,
    quality: u8,
    /// The width of a tile, in units.
    units: u16,
    /// How many tiles stand side by side.
    across: u16,
    look: Option<Look>,
    head: Vec<u8>,
    tiles: Vec<Vec<u8>>,
    picture: Vec<u8>,
}

impl Tiles {
    pub(super) fn new(size: Size, quality: u8, mirror: Mirror) -> Self {
        let [width, height] = [size.width, size.height].map(|side| u16::try_from(side).unwrap_or(u16::MAX));
        let view = View { width, height, hflip: mirror.horizontal, vflip: mirror.vertical };
        let row = width.div_ceil(UNIT);
        // Each marker stands after the same number of units, so tiles are all of one width. Narrower ones cost
        // more than the tables that the encoder makes for each.
        let units = (6..=12).rev().find(|units| row.is_multiple_of(*units)).unwrap_or(row);
        let across = row / units;
        let tiles = vec![Vec::new(); usize::from(across) * usize::from(height.div_ceil(UNIT))];
        let (head, picture) = (Vec::new(), Vec::new());
        Self { view, quality, units, across, look: None, head, tiles, picture }
    }

    /// Changes how all that comes looks.
    pub(super) fn set_look(&mut self, look: Option<Look>) {
        self.look = look;
        self.tiles.iter_mut().for_each(Vec::clear);
    }

    /// The scene as a JPEG.
    pub(super) fn encode(&mut self, scene: &Scene) -> &[u8] {
        let moving = scene.moving();
        for index in 0..self.tiles.len() {
            let (left, top) =
                (index as u16 % self.across * self.units * UNIT, index as u16 / self.across * UNIT);
            let tile = Tile {
                scene,
                view: &self.view,
                look: self.look.as_ref(),
                left,
                top,
                width: (self.units * UNIT).min(self.view.width - left),
                height: UNIT.min(self.view.height - top),
                row: RefCell::new(None),
            };
            let area = tile.area();
            if self.tiles[index].is_empty() || moving.iter().any(|moving| moving.touches(&area)) {
                let jpeg = encode(tile, self.quality);
                let data = self.take_head(&jpeg);
                self.tiles[index] = jpeg[data..jpeg.len() - 2].to_vec();
            }
        }
        self.picture.clear();
        self.picture.extend_from_slice(&self.head);
        for (index, tile) in self.tiles.iter().enumerate() {
            if index > 0 {
                self.picture.extend_from_slice(&[0xFF, 0xD0 + ((index - 1) % 8) as u8]);
            }
            self.picture.extend_from_slice(tile);
        }
        self.picture.extend_from_slice(&[0xFF, 0xD9]);
        &self.picture
    }

    /// The scene as it would be encoded: Y, and at half the size U and V.
    pub(super) fn raw(&self, scene: &Scene) -> [Vec<u8>; 3] {
        let View { width, height, .. } = self.view;
        let look = self.look.as_ref();
        let whole =
            Tile { scene, view: &self.view, look, left: 0, top: 0, width, height, row: RefCell::new(None) };
        let mut planes = <[Vec<u8>; 3]>::default();
        let mut row = <[Vec<u8>; 4]>::default();
        for y in 0..height {
            whole.fill_buffers(y, &mut row);
            planes[0].extend_from_slice(&row[0]);
            if y % 2 == 0 {
                // As the encoder does: of each four the first.
                planes[1].extend(row[1].iter().step_by(2));
                planes[2].extend(row[2].iter().step_by(2));
            }
            row.iter_mut().for_each(Vec::clear);
        }
        planes
    }

    /// Where the data begins in a tile's JPEG. What comes before it in the first one, with another size and the
    /// distance of the markers, is the head of the picture.
    fn take_head(&mut self, jpeg: &[u8]) -> usize {
        let (mut at, mut size_at) = (2, 0);
        loop {
            let end = at + 2 + usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
            match jpeg[at + 1] {
                0xC0 => size_at = at + 5,
                0xDA if self.head.is_empty() => {
                    self.head.extend_from_slice(&jpeg[..at]);
                    self.head[size_at..size_at + 2].copy_from_slice(&self.view.height.to_be_bytes());
                    self.head[size_at + 2..size_at + 4].copy_from_slice(&self.view.width.to_be_bytes());
                    let [high, low] = self.units.to_be_bytes();
                    self.head.extend_from_slice(&[0xFF, 0xDD, 0, 4, high, low]);
                    self.head.extend_from_slice(&jpeg[at..end]);
                    return end;
                }
                0xDA => return end,
                _ => {}
            }
            at = end;
        }
    }
}

fn encode(tile: Tile<'_>, quality: u8) -> Vec<u8> {
    let mut jpeg = Vec::with_capacity(4096);
    let mut encoder = Encoder::new(&mut jpeg, quality);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    encoder.encode_image(tile).expect("a tile has an area, and memory takes all bytes");
    jpeg
}

/// From which side the scene is seen.
#[derive(Debug)]
struct View {
    width: u16,
    height: u16,
    hflip: bool,
    vflip: bool,
}

/// A tile of the scene, as the encoder wants it.
struct Tile<'a> {
    scene: &'a Scene,
    view: &'a View,
    look: Option<&'a Look>,
    left: u16,
    top: u16,
    width: u16,
    height: u16,
    row: RefCell<Option<Row>>,
}

impl Tile<'_> {
    /// What it shows of the scene.
    fn area(&self) -> Area {
        let seen = |from: u16, len: u16, whole: u16, flip: bool| {
            let from = i32::from(if flip { whole - from - len } else { from });
            from..from + i32::from(len)
        };
        Area {
            columns: seen(self.left, self.width, self.view.width, self.view.hflip),
            rows: seen(self.top, self.height, self.view.height, self.view.vflip),
        }
    }
}

impl ImageBuffer for Tile<'_> {
    fn get_jpeg_color_type(&self) -> JpegColorType {
        JpegColorType::Ycbcr
    }

    fn width(&self) -> u16 {
        self.width
    }

    fn height(&self) -> u16 {
        self.height
    }

    fn fill_buffers(&self, y: u16, buffers: &mut [Vec<u8>; 4]) {
        let Area { columns, rows } = self.area();
        let y = i32::from(y);
        let y = if self.view.vflip { rows.end - 1 - y } else { rows.start + y };
        let mut row = self.row.borrow_mut();
        let row = row.get_or_insert_with(|| Row::new(columns));
        self.scene.paint(y, row);
        if let Some(look) = self.look {
            look.apply(row.planes_mut());
        }
        if self.view.hflip {
            row.mirror();
        }
        for (buffer, plane) in buffers.iter_mut().zip(row.planes()) {
            buffer.extend_from_slice(plane);
        }
    }
}
