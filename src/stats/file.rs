//! The file with what was counted.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::history::History;
use crate::state_folder::{self, with_ending};

/// Its name in the state folder.
pub(super) const FILE_NAME: &str = "stats.json";

/// No file of ours is larger: a hundred cameras for 400 days have some 6 MB.
const LARGEST: u64 = 32 << 20;

/// What an earlier daemon has written, if there was one. A file that can't be understood is moved aside.
///
/// # Errors
/// When there is a file that can't be read or moved aside: it must not be replaced.
pub(super) fn load(file: &Path) -> Result<Option<History>, String> {
    let what = match state_folder::read(file, LARGEST) {
        Ok(history) => return Ok(history),
        Err(error) => error,
    };
    let aside = free(file);
    match fs::rename(file, &aside) {
        Ok(()) => {
            tracing::error!(
                "what was counted before can't be read from {}, so counting begins anew: {what}; it is {} now",
                file.display(),
                aside.display()
            );
            Ok(None)
        }
        Err(error) => {
            let trouble = format!(
                "what is counted now is forgotten when the daemon ends: {} can't be read ({what}), nor moved aside: \
                 {error}",
                file.display()
            );
            tracing::error!("{trouble}");
            Err(trouble)
        }
    }
}

/// A name beside it that nothing has: what was broken before may still be wanted.
fn free(file: &Path) -> PathBuf {
    let first = with_ending(file, "broken");
    let others = (2..100).map(|number| with_ending(&first, &number.to_string()));
    let free = |path: &PathBuf| fs::symlink_metadata(path).is_err();
    std::iter::once(first.clone()).chain(others).find(free).unwrap_or(first)
}
