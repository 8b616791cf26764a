//! What is done to a picture: pure functions from pixels to pixels.

mod planes;

pub use planes::Planes;
