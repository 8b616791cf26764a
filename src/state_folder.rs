//! The folder for what outlives the daemon: settings of cameras, when they were on, what was counted. No picture is ever
//! written there.

use std::{
    env,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};

/// Where the folder is: `configured` unless it is empty, else `$STATE_DIRECTORY`, which systemd sets, else
/// `$XDG_STATE_HOME/eyelid`, else `~/.local/state/eyelid`. It is made when there is something to write.
pub fn usual(configured: &str) -> PathBuf {
    find(configured, |name| env::var(name).ok())
}

fn find(configured: &str, variable: impl Fn(&str) -> Option<String>) -> PathBuf {
    let variable = |name| variable(name).filter(|value| !value.is_empty());
    if !configured.is_empty() {
        return configured.into();
    }
    // systemd gives a list with colons where the unit asks for several.
    let of_systemd = variable("STATE_DIRECTORY").and_then(|list| list.split(':').next().map(PathBuf::from));
    let of_user = || {
        let state = variable("XDG_STATE_HOME").map(PathBuf::from);
        state.or_else(|| variable("HOME").map(|home| PathBuf::from(home).join(".local/state")))
    };
    // Without a home it is the folder that a service has.
    of_systemd.or_else(|| of_user().map(|state| state.join("eyelid"))).unwrap_or("/var/lib/eyelid".into())
}

/// Replaces a file in it, so that after a power cut it is the old one or the new one. Its folder is made if need be.
///
/// # Errors
/// When nothing can be written there. The old file is as it was.
pub(crate) fn replace(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = file.parent().expect("a file lies in a folder");
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let part = with_ending(file, "part");
    let mut open = OpenOptions::new();
    let written =
        open.write(true).create(true).truncate(true).mode(0o600).open(&part).and_then(|mut part| {
            part.write_all(bytes)?;
            part.sync_all()
        });
    written
        .and_then(|()| fs::rename(&part, file))
        .inspect_err(|_| drop(fs::remove_file(&part)))
        .and_then(|()| File::open(folder)?.sync_all())
}

/// Reads a file of JSON in it; nothing where there is none.
///
/// # Errors
/// When it can't be read or understood, or has more than `largest` bytes.
pub(crate) fn read<T: DeserializeOwned>(file: &Path, largest: u64) -> io::Result<Option<T>> {
    let open = match File::open(file) {
        Ok(open) => open,
        // No folder, so no file.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    open.take(largest + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > largest {
        return Err(io::Error::other(format!("it has more than {largest} bytes")));
    }
    Ok(Some(serde_json::from_slice(&bytes)?))
}

/// Replaces a file of JSON in it, as [`replace`] does.
///
/// # Errors
/// As [`replace`].
pub(crate) fn write(file: &Path, value: &impl Serialize) -> io::Result<()> {
    let mut text = serde_json::to_vec_pretty(value)?;
    text.push(b'\n');
    replace(file, &text)
}

/// Moves a file aside that can't be used, and tells what has become of it.
pub(crate) fn put_aside(file: &Path) -> String {
    let aside = with_ending(file, "bad");
    match fs::rename(file, &aside) {
        Ok(()) => format!("it is {} now", aside.display()),
        Err(error) => format!("it can't be moved aside either: {error}"),
    }
}

/// The file's name with a dot and an ending behind it.
pub(crate) fn with_ending(file: &Path, ending: &str) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(".");
    path.push(ending);
    path.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_the_places_that_is_told_is_taken() {
        let places = [
            ("STATE_DIRECTORY", "/var/lib/eyelid:/var/lib/other", "/var/lib/eyelid"),
            ("XDG_STATE_HOME", "/home/a/state", "/home/a/state/eyelid"),
            ("HOME", "/home/a", "/home/a/.local/state/eyelid"),
        ];
        for from in 0..places.len() {
            let variable = |asked: &str| {
                let known = places[from..].iter().find(|(name, ..)| *name == asked);
                known.map(|(_, value, _)| (*value).to_owned())
            };
            assert_eq!(find("", variable), PathBuf::from(places[from].2));
            assert_eq!(find("/srv/eyelid", variable), PathBuf::from("/srv/eyelid"));
        }
        assert_eq!(find("", |_| Some(String::new())), PathBuf::from("/var/lib/eyelid"));
    }
}
