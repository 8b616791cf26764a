//! `eyelid erase`: after it nothing of a daemon's is left.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rustix::process::Signal;
use tempfile::TempDir;

use crate::support::{Program, StandIn, captures, choose_password_at, eventually, get, in_time};

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let below = |path: PathBuf| if path.is_dir() { files(&path) } else { vec![path] };
    let mut found: Vec<_> = entries.flat_map(|entry| below(entry.path())).collect();
    found.sort_unstable();
    found
}

/// Runs `eyelid erase` in the surroundings of a daemon: its exit code and all that it says.
async fn erase(folder: &TempDir, config: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Program::command(folder, config, &[&["erase"], arguments].concat());
    let output = in_time("the end of eyelid erase", command.output()).await.unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn erase_leaves_nothing_of_a_daemon_and_nothing_is_erased_while_one_runs() {
    let camera = StandIn::new();
    let config = camera.entry("tank", "linger = \"10m\"");
    let folder = Program::folder();
    let start = async || {
        let command = Program::command(&folder, &config, &["--listen", "127.0.0.1:0"]);
        let program = Program::watch(command, Program::folder()).await;
        assert_eq!(get(program.address, "/snapshot.jpg").await.status, 200);
        program
    };
    // One that ends in order writes what it has counted; one that is killed leaves its pictures.
    let mut first = start().await;
    first.signal(Signal::TERM);
    assert_eq!(first.end().await.code(), Some(0));
    let mut second = start().await;
    let (state, run) = (folder.path().join("state/eyelid"), folder.path().join("eyelid"));
    choose_password_at(&run, second.address).await;
    let all = || [files(&state), files(&run)].concat();
    let names = |found: Vec<PathBuf>| -> Vec<String> {
        found.iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect()
    };
    let before = names(all());
    for name in ["access.json", "eyelid.sock", "ledger.jsonl", "stats.json", "image_stream.jpg", "lock"] {
        assert!(before.iter().any(|one| one == name), "no {name} in {before:?}");
    }
    let (code, said) = erase(&folder, &config, &["--all", "--yes"]).await;
    assert_eq!(code, Some(1));
    assert!(said.contains(&format!("an eyelid (pid {}) runs", second.pid())), "{said}");
    assert_eq!(names(all()), before);
    second.signal(Signal::KILL);
    second.end().await;
    eventually("the end of its captures", async || captures(&run).is_empty().then_some(())).await;

    let left = all();
    for arguments in [&[][..], &["--dry-run"], &["--all", "--dry-run"]] {
        let (code, said) = erase(&folder, &config, arguments).await;
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("nothing is removed yet"), "{said}");
        for file in &left {
            assert!(said.contains(&format!("{}: ", file.display())), "{} in {said}", file.display());
        }
        assert_eq!(all(), left);
    }
    let (code, said) = erase(&folder, &config, &["--all"]).await;
    assert_eq!(code, Some(1));
    assert!(said.contains("no terminal") && all() == left, "{said}");

    let (code, said) = erase(&folder, &config, &["--all", "--yes"]).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(all().is_empty(), "{said}");
    for file in &left {
        assert!(said.contains(&format!("removed {}: ", file.display())), "{} in {said}", file.display());
    }
    assert!(said.contains("journalctl") && said.contains("config.toml"), "what stays is told: {said}");
    let (code, said) = erase(&folder, &config, &["--all", "--yes"]).await;
    assert_eq!((code, said.contains("there is nothing")), (Some(0), true), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_folder_that_holds_other_things_keeps_them() {
    let home = tempfile::tempdir().unwrap();
    let (photo, ours) =
        (home.path().join("cameras/holiday.jpg"), home.path().join("cameras/tank/ledger.jsonl"));
    fs::create_dir_all(ours.parent().unwrap()).unwrap();
    fs::write(&photo, "a picture").unwrap();
    fs::write(&ours, "").unwrap();
    let replay = home.path().join("cameras");
    let config = format!(
        "state_folder = \"{}\"\n[[camera]]\nname = \"tank\"\nkind = \"replay\"\nreplay = \"{}\"\n",
        home.path().display(),
        replay.display()
    );
    let folder = Program::folder();
    let (code, said) = erase(&folder, &config, &["--all", "--yes"]).await;
    assert!(!ours.exists() && photo.exists(), "{said}");
    assert!(said.contains("which are yours"), "{said}");
    assert_eq!(code, Some(0), "a photo's name is no camera's: {said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_a_certificate_that_eyelid_has_made_is_erased() {
    let config = "[tls]\nself_signed = true\n[[camera]]\nname = \"tank\"\nkind = \"pattern\"\n";
    let folder = Program::folder();
    let command = Program::command(&folder, config, &["--listen", "127.0.0.1:0"]);
    let mut daemon = Program::watch(command, Program::folder()).await;
    let tls = folder.path().join("state/eyelid/tls");
    let keys =
        eventually("the certificate", async || Some(files(&tls)).filter(|files| !files.is_empty())).await;
    daemon.signal(Signal::TERM);
    assert_eq!(daemon.end().await.code(), Some(0));
    let (code, said) = erase(&folder, config, &["--all", "--yes"]).await;
    assert_eq!((code, files(&tls)), (Some(0), Vec::new()), "{said}");
    assert!(said.contains(&format!("removed {}: ", keys[0].display())), "{said}");
}
