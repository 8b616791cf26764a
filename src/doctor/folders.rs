//! Whether there is room in memory for pictures, and on the disk for what outlives the daemon.

use std::{
    env,
    path::{Path, PathBuf},
};

use rustix::fs::{Access, AtFlags, CWD, accessat, statvfs};

use super::{Check, Surroundings, size};
use crate::{run_folder, state_folder};

#[derive(Debug)]
pub(super) struct Facts {
    run: Folder,
    run_in_memory: bool,
    state: Folder,
}

#[derive(Debug)]
struct Folder {
    path: PathBuf,
    /// Whether the one who asks may write there, or could make it.
    writable: bool,
    /// Bytes that are free there; none where nobody can tell.
    free: Option<u64>,
}

impl Folder {
    fn look(path: PathBuf) -> Self {
        // What isn't there yet is made in the first folder above it that is.
        let there = path.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("/")).to_owned();
        let writable = accessat(CWD, &there, Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS).is_ok();
        let free = statvfs(&there).ok().map(|stat| stat.f_bavail.saturating_mul(stat.f_frsize));
        Self { path, writable, free }
    }
}

impl Facts {
    pub(super) fn look(around: &Surroundings) -> Self {
        // systemd says where they are to the service alone.
        let told = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
        let run = match around.service && !told("RUNTIME_DIRECTORY") {
            true => "/run/eyelid".into(),
            false => run_folder::usual(),
        };
        let configured = &around.config.state_folder;
        let state = match around.service && configured.is_empty() && !told("STATE_DIRECTORY") {
            true => "/var/lib/eyelid".into(),
            false => state_folder::usual(configured),
        };
        let above = run.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("/"));
        let run_in_memory = run_folder::in_memory(above).unwrap_or(false);
        Self { run_in_memory, run: Folder::look(run), state: Folder::look(state) }
    }

    pub(super) fn judge(&self, around: &Surroundings) -> Vec<Check> {
        vec![self.run(around), self.state(around)]
    }

    fn run(&self, around: &Surroundings) -> Check {
        /// Two of the largest pictures that most cameras give.
        const ROOM: u64 = 8 << 20;
        let key = "run-folder";
        let path = self.run.path.display();
        let room = ROOM * around.config.cameras.len() as u64;
        match self.run.free {
            _ if !self.run_in_memory && !around.config.allow_disk => Check::bad(
                key,
                format!("{path} is not on tmpfs, so Eyelid refuses it"),
                "set RUNTIME_DIRECTORY to a folder on tmpfs, or allow_disk = true in the configuration",
            ),
            _ if !self.run.writable && !around.service => Check::bad(
                key,
                format!("{path} can't be written by this user"),
                "set RUNTIME_DIRECTORY to a folder of this user's on tmpfs",
            ),
            Some(free) if free < room => Check::warning(
                key,
                format!("{path} has {} free, which may not be enough for {}", size(free), cameras(around)),
                "see what fills it: df -h, and du -sh of what lies beside it",
            ),
            Some(free) if self.run_in_memory => {
                Check::good(key, format!("{path}, in memory, {} free", size(free)))
            }
            Some(free) => Check::warning(
                key,
                format!("{path} is on a disk, {} free, and allow_disk lets it be", size(free)),
                "a folder on tmpfs wears out no SD card",
            ),
            None => Check::warning(key, format!("{path}: how much is free can't be read"), "see: df -h"),
        }
    }

    fn state(&self, around: &Surroundings) -> Check {
        /// The ledger of a camera is half a MiB at most.
        const ROOM: u64 = 4 << 20;
        let key = "state-folder";
        // systemd makes that of a service; it is written by a user that exists only while it runs.
        let by_systemd = around.service && around.config.state_folder.is_empty();
        let path = match around.config.state_folder.is_empty() {
            true => self.state.path.display().to_string(),
            false => "the folder of state_folder".to_owned(),
        };
        match self.state.free {
            _ if !self.state.writable && !by_systemd && !around.service => Check::bad(
                key,
                format!("{path} can't be written, so what is set is forgotten when Eyelid ends"),
                "give it to the user that Eyelid runs as; a disk that is read-only may be broken: sudo dmesg | tail",
            ),
            Some(free) if free < ROOM => Check::bad(
                key,
                format!("{path} has {} free", size(free)),
                "make room: df -h, sudo journalctl --vacuum-size=50M",
            ),
            Some(free) => Check::good(key, format!("{path}, {} free", size(free))),
            None => Check::warning(key, format!("{path}: how much is free can't be read"), "see: df -h"),
        }
    }
}

fn cameras(around: &Surroundings) -> String {
    match around.config.cameras.len() {
        1 => "1 camera".to_owned(),
        more => format!("{more} cameras"),
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            Verdict,
            surroundings::tests::{around, with},
        },
        *,
    };
    use crate::config::{Config, Kind};

    fn facts(in_memory: bool, writable: bool, free: Option<u64>) -> Facts {
        let folder = |path: &str| Folder { path: path.into(), writable, free };
        Facts {
            run: folder("/run/user/1000/eyelid"),
            run_in_memory: in_memory,
            state: folder("/home/a/state"),
        }
    }

    fn verdicts(facts: &Facts, around: &Surroundings) -> [Verdict; 2] {
        let checks = facts.judge(around);
        [checks[0].verdict, checks[1].verdict]
    }

    #[test]
    fn folders_are_good_with_room_in_them() {
        let (good, warning, bad) = (Verdict::Good, Verdict::Warning, Verdict::Bad);
        let by_hand = around(true, false, &[Kind::Auto]);
        let service = around(true, true, &[Kind::Auto]);
        let room = Some(100 << 20);
        assert_eq!(verdicts(&facts(true, true, room), &by_hand), [good, good]);
        assert_eq!(verdicts(&facts(true, false, room), &by_hand), [bad, bad]);
        assert_eq!(verdicts(&facts(true, false, room), &service), [good, good], "systemd makes them");
        assert_eq!(verdicts(&facts(true, true, Some(2 << 20)), &by_hand), [warning, bad]);
        assert_eq!(verdicts(&facts(false, true, room), &by_hand), [bad, good]);
        assert_eq!(verdicts(&facts(true, true, None), &by_hand), [warning, warning]);
        let disk = with(false, false, Config { allow_disk: true, ..Config::default() });
        assert_eq!(verdicts(&facts(false, true, room), &disk), [warning, good]);
        let six = around(true, false, &[Kind::Auto; 6]);
        assert_eq!(verdicts(&facts(true, true, Some(40 << 20)), &six)[0], warning);
    }

    #[test]
    fn a_folder_that_is_not_there_is_looked_at_where_it_would_be_made() {
        let folder = tempfile::tempdir().unwrap();
        let found = Folder::look(folder.path().join("not/there/yet"));
        assert!(found.writable && found.free.is_some());
        assert!(found.path.ends_with("not/there/yet"));
    }

    #[test]
    fn the_name_of_a_folder_that_was_chosen_is_not_told() {
        let config = Config { state_folder: "/srv/of-anna".to_owned(), ..Config::default() };
        let checks = facts(true, false, Some(1)).judge(&with(false, false, config));
        assert!(!checks[1].what.contains("anna") && !checks[1].what.contains("/home"), "{}", checks[1].what);
    }
}
