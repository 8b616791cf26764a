//! All that is done to the pictures of a camera.

use std::time::SystemTime;

use fast_image_resize::Resizer;

use super::{Planes, Turn, area::Rect, overlay::Overlay, scale::fitting};
use crate::config::{Area, PictureConfig, Size};

/// What is done to each picture, in this order.
#[derive(Debug)]
pub struct Steps {
    turn: Turn,
    masks: Vec<Area>,
    crop: Option<Area>,
    max_size: Option<(Size, Resizer)>,
    grayscale: bool,
    overlay: Option<Overlay>,
}

impl Steps {
    /// What is asked for, and beside it the turn that the camera has left to us. `name` and `title` are for a text
    /// in the picture.
    pub fn new(config: &PictureConfig, turn: Turn, name: &str, title: &str) -> Self {
        let overlay = &config.overlay;
        Self {
            turn,
            masks: config.masks.clone(),
            crop: config.crop,
            max_size: config.max_size.map(|size| (size, Resizer::new())),
            grayscale: config.grayscale,
            overlay: (!overlay.is_empty())
                .then(|| Overlay::new(overlay, config.overlay_position, name, title)),
        }
    }

    /// Whether the pictures stay as they are, but perhaps for a turn.
    pub fn only_turn(&self) -> bool {
        self.masks.is_empty()
            && self.crop.is_none()
            && self.max_size.is_none()
            && !self.grayscale
            && self.overlay.is_none()
    }

    /// The turn.
    pub fn turn(&self) -> Turn {
        self.turn
    }

    /// The size of what becomes of a picture of this size.
    pub fn size(&self, width: usize, height: usize) -> (usize, usize) {
        let (width, height) = if self.turn.mirror().is_none() { (height, width) } else { (width, height) };
        let rect = self.crop.map(|area| Rect::within(&area, width, height));
        let size = rect.map_or((width, height), |rect| (rect.columns.len(), rect.rows.len()));
        self.max_size.as_ref().map_or(size, |(into, _)| fitting(size, *into))
    }

    /// Does all that to a picture of this time, which is laid down as `before` says first.
    pub fn apply(&mut self, planes: Planes, before: Turn, taken: SystemTime) -> Planes {
        let mut planes = planes.turned(before.then(self.turn));
        for area in &self.masks {
            planes.mask(&Rect::around(area, planes.width(), planes.height()));
        }
        if let Some(area) = &self.crop {
            let rect = Rect::within(area, planes.width(), planes.height());
            planes = planes.cropped(&rect);
        }
        if let Some((size, resizer)) = &mut self.max_size {
            planes = planes.fitted(*size, resizer);
        }
        if self.grayscale {
            planes = planes.grey();
        }
        if let Some(overlay) = &mut self.overlay {
            overlay.write(&mut planes, taken);
        }
        planes
    }
}
