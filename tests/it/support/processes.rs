//! What runs on this machine, as `/proc` tells it.

use std::{fs, path::Path};

use rustix::process::{Pid, Signal};

use super::eventually;

/// The capture processes whose rolling files lie in this run folder.
pub(crate) fn captures(run_folder: &Path) -> Vec<i32> {
    let output = format!("--output={}/", run_folder.display());
    let captures = |pid: &i32| {
        fs::read(format!("/proc/{pid}/cmdline"))
            .is_ok_and(|line| String::from_utf8_lossy(&line).contains(&output))
    };
    // A child has its parent's command line until it runs its own program.
    let leads = |pid: &i32| stat(*pid).is_some_and(|stat| stat.group == *pid);
    all().into_iter().filter(captures).filter(leads).collect()
}

/// The processes of a process group that have not ended.
pub(crate) fn group(leader: i32) -> Vec<i32> {
    all()
        .into_iter()
        .filter(|pid| stat(*pid).is_some_and(|stat| stat.group == leader && stat.state != 'Z'))
        .collect()
}

/// Waits until a capture process and all that it has started have ended.
pub(crate) async fn no_process_left(leader: i32) {
    eventually("the end of the processes", async || group(leader).is_empty().then_some(())).await;
}

/// A process's children, those included that have ended and are not reaped.
pub(crate) fn children(parent: i32) -> Vec<i32> {
    all().into_iter().filter(|pid| stat(*pid).is_some_and(|stat| stat.parent == parent)).collect()
}

/// Whether a process is there and has not ended.
pub(crate) fn exists(pid: i32) -> bool {
    stat(pid).is_some_and(|stat| stat.state != 'Z')
}

/// Sends a signal to a process.
pub(crate) fn signal(pid: i32, signal: Signal) {
    rustix::process::kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
}

struct Stat {
    state: char,
    parent: i32,
    group: i32,
}

fn stat(pid: i32) -> Option<Stat> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    let state = fields.next()?.chars().next()?;
    Some(Stat { state, parent: fields.next()?.parse().ok()?, group: fields.next()?.parse().ok()? })
}

fn all() -> Vec<i32> {
    let entries = fs::read_dir("/proc").unwrap();
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect()
}
