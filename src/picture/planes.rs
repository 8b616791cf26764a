//! A picture in memory.

/// A picture in planes, as JPEG has it inside: Y, and at half the size U and V. Full-range BT.601; without colours
/// where it has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planes {
    width: usize,
    height: usize,
    luma: Vec<u8>,
    chroma: Option<[Vec<u8>; 2]>,
}

impl Planes {
    /// A picture of these samples, without padding. U and V have a sample for each 2x2 pixels, those at an odd edge
    /// included.
    ///
    /// # Panics
    /// When there are more or fewer samples than the size asks for.
    pub fn new(width: usize, height: usize, luma: Vec<u8>, chroma: Option<[Vec<u8>; 2]>) -> Self {
        assert_eq!(luma.len(), width * height, "Y has a sample for each pixel");
        for plane in chroma.iter().flatten() {
            assert_eq!(plane.len(), width.div_ceil(2) * height.div_ceil(2), "U and V have one for each four");
        }
        Self { width, height, luma, chroma }
    }

    /// Pixels across.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Pixels down.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Y, row after row.
    pub fn luma(&self) -> &[u8] {
        &self.luma
    }

    /// U and V, row after row, each row half as long as the picture's, rounded up.
    pub fn chroma(&self) -> Option<[&[u8]; 2]> {
        self.chroma.as_ref().map(|planes| [&planes[0][..], &planes[1][..]])
    }

    /// How many samples U and V have across and down.
    pub(super) fn chroma_size(&self) -> [usize; 2] {
        [self.width.div_ceil(2), self.height.div_ceil(2)]
    }

    /// Y, and U and V.
    pub(super) fn samples_mut(&mut self) -> (&mut [u8], Option<&mut [Vec<u8>; 2]>) {
        (&mut self.luma, self.chroma.as_mut())
    }

    /// The picture without colours.
    pub(super) fn grey(self) -> Self {
        Self { chroma: None, ..self }
    }
}
