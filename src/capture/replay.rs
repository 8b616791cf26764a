//! `kind = "replay"`: the JPEGs of a folder, or a film of JPEGs in a file, played again and again.
//!
//! What is shown is shown now: the time of a picture is that of its turn, not that of its file.

mod film;
mod folder;

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    time::SystemTime,
};

use self::film::Film;
pub(crate) use self::folder::Folder;
use super::{
    Spec,
    output::Output,
    protocol::{Event, Failure, Streaming},
    runner::{Pacer, Stop},
};
use crate::{config::Kind, jpeg::Info};

/// The largest picture that is played.
const LARGEST_PICTURE: usize = 32 << 20;

/// Plays pictures until `stop` is set.
///
/// # Errors
/// When there are none, or none any more, or the rolling file can't be written.
pub fn capture(spec: &Spec, stop: &Stop, emit: &mut dyn FnMut(Event)) -> Result<(), Failure> {
    let path = Path::new(&spec.replay);
    let missing = |error| Failure::new(missing(path, &error), "set replay in its [[camera]] entry");
    if spec.replay.is_empty() {
        return Err(Failure::new("the camera has nothing to replay", "set replay in its [[camera]] entry"));
    }
    let mut reel: Box<dyn Reel> = if fs::metadata(path).map_err(missing)?.is_dir() {
        Box::new(Folder::open(path, spec.shuffle)?)
    } else {
        Box::new(Film::open(path)?)
    };
    let mut output = Output::open(spec)?;
    let mut pacer = Pacer::new(spec.interval);
    let mut streams = false;
    while pacer.wait(stop) {
        let notice = reel.notice();
        let Some((picture, info)) = reel.next(stop)? else { break };
        if !streams {
            streams = true;
            let (width, height) = output.size(info.width.into(), info.height.into());
            emit(Event::Streaming(Streaming {
                kind: Kind::Replay,
                // Not the whole path: it is shown to viewers.
                device: format!(
                    "replay of {}",
                    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy()
                ),
                width: Some(width),
                height: Some(height),
                notice,
            }));
        }
        output.publish(picture, SystemTime::now())?;
    }
    Ok(())
}

/// Pictures without end.
trait Reel {
    /// The next one, which is a whole JPEG; none when the capture is to stop.
    fn next(&mut self, stop: &Stop) -> Result<Option<(&[u8], Info)>, Failure>;

    /// What viewers should know.
    fn notice(&self) -> Option<String> {
        None
    }
}

/// Opens what has to be a file: one end of a pipe would wait for the other.
fn open(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("not a file")) }
}

fn missing(path: &Path, error: &io::Error) -> String {
    format!("{} can't be read: {error}", path.display())
}

#[cfg(test)]
mod tests;
