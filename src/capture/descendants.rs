//! All processes that come from this one, however they were started.

use std::{fs, io, thread};

use rustix::process::{Pid, WaitOptions, getpid, set_child_subreaper, wait};

/// Makes this process the parent of descendants whose own parent ends, so that none is lost sight of.
///
/// # Errors
/// When the kernel refuses, which Linux since 3.4 doesn't.
pub(super) fn adopt() -> io::Result<()> {
    Ok(set_child_subreaper(Some(getpid()))?)
}

/// Waits in a thread for each child that ends, adopted ones included, and tells it with its wait status.
/// No other part of the process may wait for a child from now on.
pub(super) fn reap(mut ended: impl FnMut(Pid, i32) + Send + 'static) {
    thread::spawn(move || {
        while let Ok(found) = wait(WaitOptions::empty()) {
            if let Some((pid, status)) = found {
                ended(pid, status.as_raw());
            }
        }
    });
}

/// The descendants that run now, children before grandchildren.
pub(super) fn list() -> Vec<Pid> {
    let processes: Vec<(Pid, Pid)> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let pid = entry.ok()?.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            Some((Pid::from_raw(pid)?, parent(&stat)?))
        })
        .collect();
    let mut found = vec![getpid()];
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        found.extend(processes.iter().filter(|(_, of)| *of == parent).map(|(pid, _)| *pid));
        next += 1;
    }
    found.split_off(1)
}

/// The parent of the process with this `/proc/PID/stat`; none for one that has ended and waits to be reaped.
fn parent(stat: &str) -> Option<Pid> {
    // The name in parentheses may hold spaces and parentheses itself.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok().and_then(Pid::from_raw);
    parent.filter(|_| !matches!(state, "Z" | "X"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_is_read_whatever_the_process_is_called() {
        assert_eq!(parent("812 (rpicam-vid) S 700 812 0"), Pid::from_raw(700));
        assert_eq!(parent("812 (a) Z 1) (b) R 700 812 0"), Pid::from_raw(700));
        assert_eq!(parent("812 (sh) Z 700 812 0"), None, "it has ended");
        assert_eq!(parent("1 (init) S 0 1 1"), None);
        assert_eq!(parent(""), None);
    }
}
