//! `eyelid erase`: removes what Eyelid keeps on this machine.

use std::{
    env,
    io::{BufRead, IsTerminal},
    process::ExitCode,
};

use super::{Common, complain, say};
use crate::{
    config::{Config, Kind, Loaded},
    erase::{self, Inventory, Places},
    run_folder, state_folder,
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Remove everything: secrets, settings, ledger, visitor counts, pictures
    #[arg(long)]
    all: bool,
    /// Only list what would be removed, as without --all
    #[arg(long)]
    dry_run: bool,
    /// Ask no question
    #[arg(long)]
    yes: bool,
}

pub(super) fn run(common: &Common, args: &Args) -> ExitCode {
    let loaded = match common.load() {
        Ok(loaded) => loaded,
        Err(code) => return code,
    };
    let places = places(&loaded.config);
    // Held until the end, so that no daemon starts meanwhile.
    let _locks = match erase::lock(&places) {
        Ok(locks) => locks,
        Err(busy) => {
            complain(&busy.to_string());
            return ExitCode::FAILURE;
        }
    };
    let inventory = Inventory::take(&places);
    if inventory.is_empty() {
        say("there is nothing of Eyelid's to remove");
        return end(&inventory.left, &loaded);
    }
    if !args.all || args.dry_run {
        say(&format!("this would be removed:\n{inventory}"));
        say("nothing is removed yet; eyelid erase --all does it");
        return end(&inventory.left, &loaded);
    }
    if !args.yes && !is_confirmed(&inventory) {
        complain("nothing is removed");
        return ExitCode::FAILURE;
    }
    let left = inventory.remove(|line| say(&line));
    end(&left, &loaded)
}

/// Says what is left, and what Eyelid can't remove.
fn end(left: &[String], loaded: &Loaded) -> ExitCode {
    for line in left {
        complain(&format!("left: {line}"));
    }
    say(&format!("not removed by this:\n{}", beyond(loaded).join("\n")));
    if left.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Where a daemon of this user's keeps what it has, and for root where the service does.
fn places(config: &Config) -> Places {
    let mut places = Places {
        run_folders: vec![run_folder::usual()],
        state_folders: vec![state_folder::usual(&config.state_folder)],
    };
    let told = ["RUNTIME_DIRECTORY", "STATE_DIRECTORY", "XDG_STATE_HOME"];
    let told = told.iter().any(|name| env::var_os(name).is_some());
    if rustix::process::geteuid().is_root() && !told {
        places.run_folders.push("/run/eyelid".into());
        if config.state_folder.is_empty() {
            places.state_folders.push("/var/lib/eyelid".into());
        }
    }
    places.run_folders.dedup();
    places.state_folders.dedup();
    places
}

/// Asks on the terminal; without one nobody can say yes.
fn is_confirmed(inventory: &Inventory) -> bool {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        complain("standard input is no terminal, so nobody can be asked; --yes asks no question");
        return false;
    }
    say(&format!("this is removed, for ever:\n{inventory}\nType yes to remove it:"));
    let mut answer = String::new();
    stdin.lock().read_line(&mut answer).is_ok() && answer.trim() == "yes"
}

/// What stays, and how to remove it.
fn beyond(loaded: &Loaded) -> Vec<String> {
    let mut lines = vec![
        "- the log, which belongs to the system: sudo journalctl --rotate --vacuum-time=1s (removes that of all programs)"
            .to_owned(),
    ];
    if let Some(file) = &loaded.file {
        let tokens = loaded.config.cameras.iter().filter(|camera| camera.upload_token.is_some()).count();
        let hashes = match tokens {
            0 => String::new(),
            1 => ", with the hash of an upload token".to_owned(),
            tokens => format!(", with the hashes of {tokens} upload tokens"),
        };
        lines.push(format!("- the configuration {}{hashes}: rm it", file.display()));
    }
    for camera in &loaded.config.cameras {
        if camera.kind == Kind::Replay {
            lines.push(format!(
                "- the recorded pictures of camera {}, which are yours: {}",
                camera.name, camera.replay
            ));
        }
        if !camera.offline.folder.is_empty() {
            let folder = &camera.offline.folder;
            lines.push(format!(
                "- the recorded pictures of camera {}, which are yours: {folder}",
                camera.name
            ));
        }
    }
    if !rustix::process::geteuid().is_root() && std::path::Path::new("/var/lib/eyelid").exists() {
        lines.push("- what the service keeps in /var/lib/eyelid: sudo eyelid erase --all".to_owned());
    }
    lines.push("- pictures that were saved elsewhere, and backups".to_owned());
    lines
}
