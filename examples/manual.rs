//! Writes the manual pages and shell completions of both programs, as the packages have them.
//!
//! `cargo run --example manual FOLDER` makes FOLDER/PROGRAM/man, a page for the program and each subcommand, and
//! FOLDER/PROGRAM/bash, zsh and fish. An example, so that the daemon is built without what makes them.

use std::{env, fs, io, path::Path};

use clap::Command;
use clap_complete::Shell;
use clap_mangen::Man;

fn main() -> anyhow::Result<()> {
    let folder = env::args_os().nth(1).ok_or_else(|| anyhow::anyhow!("usage: manual FOLDER"))?;
    let folder = Path::new(&folder);
    for command in [eyelid::cli::command(), eyelid::cli::libcamera_command()] {
        let folder = folder.join(command.get_name());
        completions(&command, &folder)?;
        let mut command = command.disable_help_subcommand(true);
        command.build();
        let man = folder.join("man");
        fs::create_dir_all(&man)?;
        page(&command, &man)?;
    }
    Ok(())
}

/// The page of a command, and those of its subcommands: `eyelid-check.1` for `eyelid check`.
fn page(command: &Command, folder: &Path) -> io::Result<()> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    let page = Man::new(command.clone()).title(&name).manual("User Commands");
    let page = page.source(concat!("Eyelid ", env!("CARGO_PKG_VERSION"))).date(date());
    let mut text = Vec::new();
    page.render(&mut text)?;
    fs::write(folder.join(format!("{name}.1")), text)?;
    command.get_subcommands().try_for_each(|subcommand| self::page(subcommand, folder))
}

/// The day of `SOURCE_DATE_EPOCH`, so that the same sources make the same pages; else today.
fn date() -> String {
    let told = env::var("SOURCE_DATE_EPOCH").ok().and_then(|seconds| seconds.parse().ok());
    let time = told.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    time.unwrap_or_else(jiff::Timestamp::now).strftime("%Y-%m-%d").to_string()
}

/// Under the names that the shells look for.
fn completions(command: &Command, folder: &Path) -> io::Result<()> {
    let name = command.get_name().to_owned();
    for (shell, file) in [
        (Shell::Bash, format!("bash/{name}")),
        (Shell::Zsh, format!("zsh/_{name}")),
        (Shell::Fish, format!("fish/{name}.fish")),
    ] {
        let mut text = Vec::new();
        clap_complete::generate(shell, &mut command.clone(), &name, &mut text);
        let file = folder.join(file);
        fs::create_dir_all(file.parent().expect("it is in a folder"))?;
        fs::write(file, text)?;
    }
    Ok(())
}
