//! What is done to a picture: pure functions from pixels to pixels.
//!
//! The order is that of [`Steps`]: turned upright, masked, cropped, scaled down, without colours, written on. So
//! areas are those of the upright, whole picture, whatever else is asked, and what a mask hides is gone before
//! anything could smear it over its edge.

mod area;
mod decode;
mod letters;
mod mask;
mod overlay;
mod planes;
mod scale;
mod steps;
#[cfg(test)]
mod tests;
mod turn;

pub use decode::{Undecodable, decode};
pub(crate) use letters::{Bitmap, LetterSize, sizes};
pub use planes::Planes;
pub use steps::Steps;
pub use turn::{Mirror, Turn};
