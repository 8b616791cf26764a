//! Whether what arrives is on the screen.

/// Who holds back what arrives. It is open while nobody does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Gate {
    /// Pictures are shown later than they arrive.
    pub delay: bool,
    /// Other pictures are shown in place of those that arrive.
    pub programme: bool,
    /// The camera may not run, and what a capture process gives that is just ending is not to be seen.
    pub blocked: bool,
}

impl Gate {
    /// Whether what arrives is on the screen at once.
    pub fn is_open(self) -> bool {
        !(self.delay || self.programme || self.blocked)
    }
}
