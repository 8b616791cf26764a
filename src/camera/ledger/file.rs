//! The ledger's file: a line when a stretch begins, and one with all of it when it has ended.
//!
//! It is only ever appended to, so a power cut costs its last line at most. When it is large it becomes the older of
//! two, in place of the one that was that before.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{config::CameraName, state_folder::with_ending};

/// Its name, in the folder `cameras/NAME` of the state folder.
pub(in crate::camera) const FILE_NAME: &str = "ledger.jsonl";

/// A file that would become larger than this is put away first.
const LARGEST: u64 = 256 << 10;

/// A line of the file. Without `to` it is the beginning of a stretch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Line {
    pub(super) from: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) to: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) on_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) viewers: Option<u64>,
    pub(super) why: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) ended: String,
}

/// Where the file before this one is.
pub(super) fn older(file: &Path) -> PathBuf {
    with_ending(file, "1")
}

/// All lines that there are, the oldest first. What can't be understood is left out, with one warning.
pub(super) fn load(camera: &CameraName, file: &Path) -> Vec<Line> {
    let mut lines = Vec::new();
    for file in [&older(file), file] {
        let text = match read(file) {
            Ok(text) => text,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                continue;
            }
            Err(error) => {
                tracing::error!(%camera, "the ledger can't be read from {}: {error}", file.display());
                continue;
            }
        };
        let mut broken = 0;
        for line in text.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
            match serde_json::from_slice::<Line>(line) {
                Ok(line) if line.from > 0 => lines.push(line),
                _ => broken += 1,
            }
        }
        if broken > 0 {
            let what = if broken == 1 { "a line".to_owned() } else { format!("{broken} lines") };
            tracing::warn!(
                %camera,
                "{what} of the ledger in {} can't be understood, as after a power cut, and is left out",
                file.display()
            );
        }
    }
    lines
}

/// The end of the file, as much as a file of ours can have.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(length.saturating_sub(2 * LARGEST)))?;
    file.take(2 * LARGEST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Writes lines behind those that there are; they survive a power cut when this returns.
pub(super) fn append(file: &Path, text: &str) -> io::Result<()> {
    let folder = file.parent().expect("it lies in the folder of its camera");
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let open = || OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(file);
    let mut out = open()?;
    let mut length = out.metadata()?.len();
    if length > 0 && length + text.len() as u64 > LARGEST {
        fs::rename(file, older(file))?;
        (out, length) = (open()?, 0);
    }
    let text = if ends_in_a_line(&out, length)? { text.to_owned() } else { format!("\n{text}") };
    if let Err(error) = out.write_all(text.as_bytes()).and_then(|()| out.sync_data()) {
        // Half a line would take the next one with it.
        let _ = out.set_len(length);
        return Err(error);
    }
    if length == 0 { File::open(folder)?.sync_all() } else { Ok(()) }
}

fn ends_in_a_line(file: &File, length: u64) -> io::Result<bool> {
    let Some(last) = length.checked_sub(1) else { return Ok(true) };
    let mut byte = [0];
    file.read_exact_at(&mut byte, last)?;
    Ok(byte == *b"\n")
}
