use std::{
    fs,
    os::unix::{
        fs::{PermissionsExt, symlink},
        net::UnixListener,
    },
};

use tempfile::TempDir;

use super::*;

/// A machine's folders.
struct Machine(TempDir);

impl Machine {
    fn new() -> Self {
        let machine = Self(tempfile::tempdir().unwrap());
        fs::create_dir(machine.path("run")).unwrap();
        fs::set_permissions(machine.path("run"), fs::Permissions::from_mode(0o700)).unwrap();
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, names: &[&str]) {
        for name in names {
            let path = self.path(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "s3cret").unwrap();
        }
    }

    fn places(&self) -> Places {
        Places { run_folders: vec![self.path("run")], state_folders: vec![self.path("state")] }
    }

    /// Erases, and says what was removed and what is left.
    fn erase(&self) -> (Vec<String>, Vec<String>) {
        let mut removed = Vec::new();
        let left = Inventory::take(&self.places()).remove(|line| removed.push(line));
        (removed, left)
    }

    /// All files that are there, links included.
    fn files(&self) -> Vec<String> {
        fn walk(folder: &Path, top: &Path, found: &mut Vec<String>) {
            for entry in fs::read_dir(folder).unwrap().flatten() {
                let path = entry.path();
                if entry.file_type().unwrap().is_dir() {
                    walk(&path, top, found);
                } else {
                    found.push(path.strip_prefix(top).unwrap().to_str().unwrap().to_owned());
                }
            }
        }
        let mut found = Vec::new();
        walk(self.0.path(), self.0.path(), &mut found);
        found.sort_unstable();
        found
    }
}

#[test]
fn all_that_eyelid_writes_is_removed_and_told() {
    let machine = Machine::new();
    let files = [
        "state/access.json",
        "state/access.json.part",
        "state/stats.json",
        "state/stats.json.broken",
        "state/stats.json.broken.2",
        "state/tls/self-signed.pem",
        "state/cameras/tank/controls.json",
        "state/cameras/tank/controls.json.bad",
        "state/cameras/tank/ledger.jsonl",
        "state/cameras/tank/ledger.jsonl.1",
        "run/tank/image_stream.jpg",
        "run/tank.part",
        "run/door.push/image_stream.jpg",
        "run/pond.command/image_stream.jpg",
        "run/pond.command/frames/1.png",
        "run/lock",
    ];
    machine.write(&files);
    drop(UnixListener::bind(machine.path("run/eyelid.sock")).unwrap());
    let (removed, left) = machine.erase();
    assert_eq!(left, [""; 0]);
    assert_eq!(machine.files(), [""; 0]);
    assert_eq!(removed.len(), files.len() + 1, "{removed:#?}");
    for name in files.iter().chain(&["run/eyelid.sock"]) {
        let path = machine.path(name).display().to_string();
        assert!(
            removed.iter().any(|line| line.starts_with(&format!("removed {path}: "))),
            "{name} in {removed:#?}"
        );
    }
    for gone in ["state/tls", "state/cameras", "run/tank", "run/pond.command"] {
        assert!(!machine.path(gone).exists(), "{gone}");
    }
    assert_eq!(machine.erase(), (Vec::new(), Vec::new()), "the second time there is nothing");
}

#[test]
fn what_is_not_ours_stays() {
    let machine = Machine::new();
    let others = [
        "state/photos/1.jpg",
        "state/access.json.backup",
        "state/my-access.json",
        "state/notes.txt",
        "state/stats.json.broken.old",
        "state/cameras/IMG_0001/controls.json",
        "state/cameras/tank/holiday.jpg",
        "state/cameras/readme",
        "state/tls/letsencrypt.pem",
        "run/tank/other.jpg",
        "run/IMG.command/image_stream.jpg",
        "run/notes.txt",
    ];
    machine.write(&others);
    machine.write(&["state/cameras/tank/ledger.jsonl", "run/tank/image_stream.jpg"]);
    let (removed, left) = machine.erase();
    assert_eq!(removed.len(), 2, "{removed:#?}");
    let mut expected = others.to_vec();
    expected.sort_unstable();
    assert_eq!(machine.files(), expected);
    // A file where a camera's folder might be.
    assert_eq!(
        left,
        [format!("{}: not a folder, or a link", machine.path("state/cameras/readme").display())]
    );
}

#[test]
fn no_link_is_followed() {
    let machine = Machine::new();
    let others = [
        "home/stats.json",
        "home/cameras/tank/ledger.jsonl",
        "home/tank/image_stream.jpg",
        "home/x.command/a",
    ];
    machine.write(&others);
    machine.write(&["state/cameras/door/ledger.jsonl", "run/pond.command/image_stream.jpg"]);
    let link = |to: &str, at: &str| symlink(machine.path(to), machine.path(at)).unwrap();
    link("home/stats.json", "state/stats.json");
    link("home/cameras/tank", "state/cameras/tank");
    link("home", "state/tls");
    link("home/tank", "run/tank");
    link("home/x.command", "run/x.command");
    link("home", "run/pond.command/home");
    let (removed, left) = machine.erase();
    for name in others {
        assert!(machine.path(name).exists(), "{name} is gone");
    }
    assert!(!machine.path("state/cameras/door").exists() && !machine.path("run/pond.command").exists());
    assert_eq!(removed.len(), 3, "the ledger, the picture, and the link that a command made: {removed:#?}");
    for name in ["state/stats.json", "state/cameras/tank", "state/tls", "run/x.command"] {
        let path = machine.path(name).display().to_string();
        assert!(left.iter().any(|line| line.starts_with(&path)), "{name} in {left:#?}");
    }
}

#[test]
fn the_folder_itself_may_be_a_link_as_that_of_a_service_is() {
    let machine = Machine::new();
    machine.write(&["private/eyelid/stats.json"]);
    symlink(machine.path("private/eyelid"), machine.path("state")).unwrap();
    let (removed, left) = machine.erase();
    assert_eq!((removed.len(), left.len()), (1, 0));
    assert!(machine.path("state").is_symlink(), "systemd made it");
    assert_eq!(machine.files(), ["state"]);
}

#[test]
fn a_commands_files_stay_where_others_may_have_put_them() {
    let machine = Machine::new();
    machine.write(&["run/pond.command/image_stream.jpg"]);
    fs::set_permissions(machine.path("run"), fs::Permissions::from_mode(0o777)).unwrap();
    let (removed, left) = machine.erase();
    assert_eq!((removed.len(), left.len()), (0, 1), "{left:?}");
    assert!(machine.path("run/pond.command/image_stream.jpg").exists());
}

#[test]
fn what_is_listed_is_still_there() {
    let machine = Machine::new();
    machine.write(&["state/stats.json", "run/tank/image_stream.jpg"]);
    let text = Inventory::take(&machine.places()).to_string();
    let expected = [
        format!("{}: visitors, pictures and bytes by day", machine.path("state/stats.json").display()),
        format!("{}: the newest picture", machine.path("run/tank/image_stream.jpg").display()),
    ];
    assert_eq!(text.lines().collect::<Vec<_>>(), expected);
    assert_eq!(machine.files().len(), 2);
}

#[test]
fn a_daemon_that_runs_is_told() {
    let machine = Machine::new();
    assert!(lock(&machine.places()).is_ok(), "there is no lock to be had");
    machine.write(&["run/lock"]);
    fs::write(machine.path("run/lock"), "4711").unwrap();
    let held = lock(&machine.places()).unwrap();
    let busy = lock(&machine.places()).unwrap_err().to_string();
    assert!(busy.contains("pid 4711") && busy.contains("systemctl stop eyelid"), "{busy}");
    drop(held);
}
