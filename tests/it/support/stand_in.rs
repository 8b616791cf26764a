//! A stand-in for a camera: a shell script, run by a camera of kind `command`.
//!
//! As a real camera it can be opened once at a time: the script locks a file, and all that it starts holds
//! the lock with it. So a second capture, or a part of one that was left behind, is seen.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

/// Pictures for ever, as fast as a test likes them.
const RUNS: &str = "while :; do cat a.jpg; sleep 0.02; cat b.jpg; sleep 0.02; done";

/// The script; its files lie in a folder of its own.
pub(crate) struct StandIn {
    folder: TempDir,
}

impl StandIn {
    /// A camera that works.
    pub(crate) fn new() -> Self {
        Self::doing(RUNS)
    }

    /// A camera whose pictures the test takes itself: it writes the rolling file.
    pub(crate) fn still() -> Self {
        Self::doing("exec sleep 1000000")
    }

    /// A camera that does this once it is open; `a.jpg` and `b.jpg` lie in its working folder.
    pub(crate) fn doing(body: &str) -> Self {
        let folder = tempfile::tempdir_in("/dev/shm").unwrap();
        fs::write(folder.path().join("a.jpg"), jpeg(0)).unwrap();
        fs::write(folder.path().join("b.jpg"), jpeg(255)).unwrap();
        let stand_in = Self { folder };
        stand_in.change(body);
        stand_in
    }

    /// Makes it do something else from its next start on.
    pub(crate) fn change(&self, body: &str) {
        let script = format!(
            "#!/bin/sh\n# A stand-in for a camera.\ncd {} || exit\nexec 9>device\n\
             flock --nonblock 9 || {{ echo busy >>log; echo 'Device or resource busy' >&2; exit 16; }}\n\
             echo start $PPID $$ >>log\n{body}\n",
            self.folder.path().display()
        );
        let new = self.folder.path().join("new");
        fs::write(&new, script).unwrap();
        fs::set_permissions(&new, fs::Permissions::from_mode(0o700)).unwrap();
        fs::rename(new, self.script()).unwrap();
    }

    /// The script, to be run by whoever wants to.
    pub(crate) fn script(&self) -> PathBuf {
        self.folder.path().join("camera")
    }

    /// The folder that it works in.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its entry in a configuration, with more keys. It is given up late, as a busy machine may take its time,
    /// unless the keys say when.
    pub(crate) fn entry(&self, name: &str, keys: &str) -> String {
        let script = self.script();
        let command = format!("kind = \"command\"\ncommand = \"exec {}\"", script.display());
        let patience: String = ["start_timeout", "stall_timeout"]
            .into_iter()
            .filter(|key| !keys.contains(key))
            .map(|key| format!("{key} = \"1m\"\n"))
            .collect();
        format!("[[camera]]\nname = \"{name}\"\ninterval = \"20ms\"\n{command}\n{patience}{keys}\n")
    }

    /// The process ids of its capture process and of itself, for each of its starts.
    pub(crate) fn starts(&self) -> Vec<(i32, i32)> {
        let pids = |line: String| {
            let mut numbers = line.strip_prefix("start ")?.split(' ').map(|number| number.parse().unwrap());
            Some((numbers.next()?, numbers.next()?))
        };
        self.log().into_iter().filter_map(pids).collect()
    }

    /// Whether it was ever started while it, or a part of it, was still running.
    pub(crate) fn was_busy(&self) -> bool {
        self.log().iter().any(|line| line == "busy")
    }

    fn log(&self) -> Vec<String> {
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        // The last line may be half written.
        let whole = log.rfind('\n').map_or("", |end| &log[..end]);
        whole.lines().map(str::to_owned).collect()
    }
}

/// A picture of one shade, 16 pixels square.
pub(crate) fn jpeg(shade: u8) -> Vec<u8> {
    let mut jpeg = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut jpeg, 90);
    encoder.encode(&[shade; 256], 16, 16, jpeg_encoder::ColorType::Luma).unwrap();
    jpeg
}
