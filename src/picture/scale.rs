//! Parts of a picture, and smaller ones.

use fast_image_resize::{
    FilterType, ResizeAlg, ResizeOptions, Resizer,
    images::{TypedImage, TypedImageRef},
    pixels::U8,
};

use super::{Planes, area::Rect};
use crate::config::Size;

impl Planes {
    /// These pixels of the picture, of which the first are even ones.
    pub(super) fn cropped(self, rect: &Rect) -> Self {
        if rect.columns.len() == self.width() && rect.rows.len() == self.height() {
            return self;
        }
        let cut = |plane: &[u8], width: usize, rect: &Rect| -> Vec<u8> {
            rect.rows.clone().flat_map(|y| &plane[y * width..][rect.columns.clone()]).copied().collect()
        };
        let luma = cut(self.luma(), self.width(), rect);
        let [chroma_width, _] = self.chroma_size();
        let chroma = self.chroma().map(|planes| planes.map(|plane| cut(plane, chroma_width, &rect.chroma())));
        Self::new(rect.columns.len(), rect.rows.len(), luma, chroma)
    }

    /// The picture, scaled down where it is larger than `size`, and no wider or higher than the ratio of its
    /// sides allows.
    pub(super) fn fitted(self, size: Size, resizer: &mut Resizer) -> Self {
        let (width, height) = fitting((self.width(), self.height()), size);
        if (width, height) == (self.width(), self.height()) {
            return self;
        }
        let mut resized = |plane: &[u8], from: [usize; 2], to: [usize; 2]| {
            let ([from_width, from_height], [to_width, to_height]) = (from.map(side), to.map(side));
            let source = TypedImageRef::<U8>::from_buffer(from_width, from_height, plane)
                .expect("a plane has a sample for each pixel");
            let mut samples = vec![0; to[0] * to[1]];
            let mut target = TypedImage::<U8>::from_buffer(to_width, to_height, &mut samples)
                .expect("it was made of this size");
            // Of the pixels that become one, all count: none is skipped, and edges don't flicker.
            let options = ResizeOptions::new()
                .resize_alg(ResizeAlg::Convolution(FilterType::Bilinear))
                .use_alpha(false);
            resizer.resize_typed(&source, &mut target, &options).expect("nothing is cut off the source");
            samples
        };
        let luma = resized(self.luma(), [self.width(), self.height()], [width, height]);
        let to = [width.div_ceil(2), height.div_ceil(2)];
        let chroma = self.chroma().map(|planes| planes.map(|plane| resized(plane, self.chroma_size(), to)));
        Self::new(width, height, luma, chroma)
    }
}

fn side(side: usize) -> u32 {
    u32::try_from(side).expect("a JPEG's sides have 16 bits")
}

/// The largest size of the same ratio that fits into `into`, at most the size itself.
pub(super) fn fitting((width, height): (usize, usize), into: Size) -> (usize, usize) {
    let (into_width, into_height) = (into.width as usize, into.height as usize);
    if width <= into_width && height <= into_height {
        return (width, height);
    }
    let rounded = |a: usize, b: usize, by: usize| ((a * b + by / 2) / by).max(1);
    if width * into_height >= height * into_width {
        (into_width, rounded(height, into_width, width).min(into_height))
    } else {
        (rounded(width, into_height, height).min(into_width), into_height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_fits_and_keeps_its_ratio() {
        let into = Size { width: 640, height: 480 };
        for (size, expected) in [
            ((1280, 720), (640, 360)),
            ((720, 1280), (270, 480)),
            ((1280, 960), (640, 480)),
            ((640, 480), (640, 480)),
            ((320, 200), (320, 200)),
            ((641, 480), (640, 479)),
            ((9000, 1), (640, 1)),
            ((1, 9000), (1, 480)),
        ] {
            assert_eq!(fitting(size, into), expected, "{size:?}");
        }
    }
}
