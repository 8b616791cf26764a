use std::{
    fs,
    os::unix::fs::symlink,
    sync::mpsc::{self, Receiver},
};

use notify::event::{CreateKind, DataChange, RenameMode};
use tempfile::TempDir;

use super::*;

/// No test waits for it unless it fails.
const TOO_LONG: Duration = Duration::from_secs(30);

/// A watch whose every call sends the text of the file.
struct Watched {
    folder: TempDir,
    file: PathBuf,
    texts: Receiver<String>,
    watcher: Watcher,
}

impl Watched {
    /// Watches `name` in a folder that `prepare` has filled.
    fn new(name: &str, prepare: impl Fn(&Path)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        prepare(folder.path());
        let file = folder.path().join(name);
        let (sender, texts) = mpsc::channel();
        let read = file.clone();
        let watcher = watch(&file, move || {
            let _ = sender.send(fs::read_to_string(&read).unwrap_or_else(|error| error.kind().to_string()));
        })
        .unwrap();
        Self { folder, file, texts, watcher }
    }

    #[track_caller]
    fn sees(&self, text: &str) {
        let deadline = Instant::now() + TOO_LONG;
        while self.texts.recv_timeout(deadline - Instant::now()).expect(text) != text {}
    }
}

fn replace(file: &Path, text: &str) {
    let temporary = file.with_extension("new");
    fs::write(&temporary, text).unwrap();
    fs::rename(&temporary, file).unwrap();
}

#[test]
fn a_write_in_place_a_rename_over_it_and_its_removal_are_seen() {
    let watched = Watched::new("config.toml", |folder| fs::write(folder.join("config.toml"), "0").unwrap());
    fs::write(&watched.file, "1").unwrap();
    watched.sees("1");
    replace(&watched.file, "2");
    watched.sees("2");
    replace(&watched.file, "3");
    watched.sees("3");
    fs::remove_file(&watched.file).unwrap();
    watched.sees("entity not found");
    fs::write(&watched.file, "4").unwrap();
    watched.sees("4");
}

#[test]
fn the_last_of_many_changes_is_seen_in_fewer_calls() {
    let watched = Watched::new("config.toml", |_| {});
    for number in 0..=1000 {
        replace(&watched.file, &number.to_string());
    }
    let mut calls = 1;
    while watched.texts.recv_timeout(TOO_LONG).unwrap() != "1000" {
        calls += 1;
    }
    assert!(calls < 1000, "{calls} calls");
}

#[test]
fn a_file_that_appears_with_its_folder_and_goes_with_it_is_seen() {
    let watched = Watched::new("etc/eyelid/config.toml", |_| {});
    let etc = watched.folder.path().join("etc");
    for text in ["1", "2"] {
        fs::create_dir_all(etc.join("eyelid")).unwrap();
        fs::write(&watched.file, text).unwrap();
        watched.sees(text);
        fs::remove_dir_all(&etc).unwrap();
        watched.sees("entity not found");
    }
}

#[test]
fn a_link_and_what_it_points_to_are_watched() {
    let watched = Watched::new("config.toml", |folder| {
        fs::create_dir(folder.join("a")).unwrap();
        fs::create_dir(folder.join("b")).unwrap();
        symlink("a/real.toml", folder.join("config.toml")).unwrap();
        fs::write(folder.join("a/real.toml"), "0").unwrap();
        fs::write(folder.join("b/real.toml"), "b").unwrap();
    });
    let folder = watched.folder.path();
    replace(&folder.join("a/real.toml"), "1");
    watched.sees("1");
    symlink("b/real.toml", folder.join("link")).unwrap();
    fs::rename(folder.join("link"), &watched.file).unwrap();
    watched.sees("b");
    replace(&folder.join("b/real.toml"), "2");
    watched.sees("2");
}

#[test]
fn a_folder_behind_a_link_is_swapped_as_kubernetes_does() {
    let watched = Watched::new("config.toml", |folder| {
        for version in ["1", "2"] {
            fs::create_dir(folder.join(version)).unwrap();
            fs::write(folder.join(version).join("config.toml"), version).unwrap();
        }
        symlink("1", folder.join("..data")).unwrap();
        symlink("..data/config.toml", folder.join("config.toml")).unwrap();
    });
    let folder = watched.folder.path();
    symlink("2", folder.join("..data_tmp")).unwrap();
    fs::rename(folder.join("..data_tmp"), folder.join("..data")).unwrap();
    watched.sees("2");
    fs::write(folder.join("2/config.toml"), "3").unwrap();
    watched.sees("3");
}

#[test]
fn the_thread_ends_with_the_guard() {
    let Watched { texts, watcher, .. } = Watched::new("config.toml", |_| {});
    drop(watcher);
    assert_eq!(texts.recv_timeout(TOO_LONG), Err(RecvTimeoutError::Disconnected));
}

#[test]
fn links_in_a_circle_are_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    symlink("config.toml", &file).unwrap();
    assert!(watch(&file, || {}).is_err());
}

#[test]
fn only_what_concerns_the_file_is_a_signal() {
    let places = BTreeSet::from([PathBuf::from("/etc/eyelid/config.toml")]);
    let of = |kind, path: &str| signal(&Event::new(kind).add_path(path.into()), &places);
    let file = "/etc/eyelid/config.toml";
    let closed = EventKind::Access(AccessKind::Close(AccessMode::Write));
    let renamed = EventKind::Modify(ModifyKind::Name(RenameMode::To));
    assert_eq!(of(closed, file), Some(Signal::Changed));
    assert_eq!(of(renamed, file), Some(Signal::Changed));
    assert_eq!(of(EventKind::Create(CreateKind::File), file), Some(Signal::Changed));
    assert_eq!(of(EventKind::Modify(ModifyKind::Data(DataChange::Any)), file), Some(Signal::Busy));
    assert_eq!(of(EventKind::Access(AccessKind::Open(AccessMode::Any)), file), None);
    assert_eq!(of(closed, "/etc/eyelid/config.toml~"), None);
    assert_eq!(
        of(EventKind::Remove(notify::event::RemoveKind::Folder), "/etc/eyelid"),
        Some(Signal::Changed)
    );
}

#[test]
fn a_burst_is_due_when_it_is_quiet_or_patience_ends() {
    let start = Instant::now();
    let after = |ms| start + Duration::from_millis(ms);
    let mut burst = Burst::default();
    burst.add(Signal::Busy, start);
    assert_eq!(burst.due(), None, "what is being written is not complete");
    burst.add(Signal::Changed, after(10));
    assert_eq!(burst.due(), Some(after(110)));
    burst.add(Signal::Busy, after(90));
    assert_eq!(burst.due(), Some(after(190)));
    for ms in (100..2000).step_by(50) {
        burst.add(Signal::Changed, after(ms));
    }
    assert_eq!(burst.due(), Some(after(1010)));
}
