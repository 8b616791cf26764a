//! Pictures that were left out.

use crate::capture::{protocol::Failure, runner};

/// So many in a row, and the camera is broken.
const TOO_MANY: u32 = 10;

/// So many before the first good one, too.
const TOO_MANY_AT_FIRST: u32 = 3;

/// Counts pictures that nothing can be done to.
#[derive(Debug, Default)]
pub(super) struct Refused {
    in_a_row: u32,
    one_was_good: bool,
}

impl Refused {
    /// A picture was good.
    pub(super) fn forget(&mut self) {
        if self.in_a_row > 1 {
            runner::log(format_args!("{} pictures in a row were left out", self.in_a_row));
        }
        *self = Self { in_a_row: 0, one_was_good: true };
    }

    /// A picture was not good, for this reason.
    ///
    /// # Errors
    /// When it is one too many.
    pub(super) fn add(&mut self, reason: &str) -> Result<(), Failure> {
        self.in_a_row += 1;
        if self.in_a_row == 1 {
            runner::log(format_args!("a picture was left out: {reason}"));
        }
        if self.in_a_row < if self.one_was_good { TOO_MANY } else { TOO_MANY_AT_FIRST } {
            return Ok(());
        }
        Err(Failure::new(
            format!("{} pictures in a row could not be used, the last one because: {reason}", self.in_a_row),
            "see with another program what the camera gives; a picture that can't be masked, turned or written on \
             is never shown",
        ))
    }
}
