//! The folder for what outlives the daemon: settings of cameras, when they were on, what was counted. No picture is ever
//! written there.

use std::{
    env,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

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
