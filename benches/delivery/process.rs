//! What a process has used, from `/proc`.

use std::{fs, time::Duration};

use anyhow::Context;

/// The CPU time of a process's threads that live, of all that `processes` name.
pub(crate) fn cpu(processes: &[u32]) -> anyhow::Result<Duration> {
    let mut sum = 0;
    for pid in processes {
        for task in fs::read_dir(format!("/proc/{pid}/task"))? {
            // "ran waited slices", in nanoseconds; a thread may have ended since it was listed.
            let Ok(schedstat) = fs::read_to_string(task?.path().join("schedstat")) else { continue };
            let ran = schedstat.split_whitespace().next().context("schedstat is empty")?;
            sum += ran.parse::<u64>()?;
        }
    }
    Ok(Duration::from_nanos(sum))
}

/// How often the process's threads went to sleep by themselves.
pub(crate) fn sleeps(pid: u32) -> anyhow::Result<u64> {
    let mut sum = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        sum += field(&task?.path().join("status").to_string_lossy(), "voluntary_ctxt_switches")?;
    }
    Ok(sum)
}

pub(crate) fn threads(pid: u32) -> anyhow::Result<u64> {
    field(&format!("/proc/{pid}/status"), "Threads")
}

/// Memory in kB.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Memory {
    /// Resident, and the most that has been so far.
    pub(crate) resident: u64,
    pub(crate) peak: u64,
    /// Without the share in pages of files, the program's own code included.
    pub(crate) anonymous: u64,
    pub(crate) proportional: u64,
}

pub(crate) fn memory(pid: u32) -> anyhow::Result<Memory> {
    let status = format!("/proc/{pid}/status");
    Ok(Memory {
        resident: field(&status, "VmRSS")?,
        peak: field(&status, "VmHWM")?,
        anonymous: field(&status, "RssAnon")?,
        proportional: field(&format!("/proc/{pid}/smaps_rollup"), "Pss")?,
    })
}

/// How many files a process has open.
pub(crate) fn files(pid: u32) -> anyhow::Result<usize> {
    Ok(fs::read_dir(format!("/proc/{pid}/fd"))?.count())
}

/// How many processes have this in their command line.
pub(crate) fn naming(text: &str) -> anyhow::Result<usize> {
    let named = |process: fs::DirEntry| {
        let line = fs::read(process.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(text)
    };
    Ok(fs::read_dir("/proc")?.flatten().filter(named_by_number).map(named).filter(|is| *is).count())
}

fn named_by_number(entry: &fs::DirEntry) -> bool {
    entry.file_name().as_encoded_bytes().iter().all(u8::is_ascii_digit)
}

/// A process's children, whichever of its threads has started them.
pub(crate) fn children(pid: u32) -> anyhow::Result<Vec<u32>> {
    let mut children = Vec::new();
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        // A thread may have ended since it was listed.
        let Ok(text) = fs::read_to_string(task?.path().join("children")) else { continue };
        for child in text.split_whitespace() {
            children.push(child.parse()?);
        }
    }
    Ok(children)
}

/// Time that all of the machine's CPUs have worked.
pub(crate) fn machine() -> anyhow::Result<Duration> {
    let text = fs::read_to_string("/proc/stat")?;
    let numbers = text.lines().next().context("/proc/stat is empty")?;
    let ticks: Vec<u64> = numbers.split_whitespace().skip(1).map_while(|n| n.parse().ok()).collect();
    // user, nice, system, idle, iowait, irq, softirq, steal, and guests, who count in user
    let busy: u64 =
        ticks.iter().enumerate().filter(|(at, _)| !matches!(at, 3 | 4 | 8..)).map(|(_, n)| n).sum();
    Ok(Duration::from_millis(busy * 10))
}

fn field(file: &str, name: &str) -> anyhow::Result<u64> {
    let text = fs::read_to_string(file).with_context(|| file.to_owned())?;
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let value = value.and_then(|value| value.split_whitespace().next());
    Ok(value.with_context(|| format!("{file} has no {name}"))?.parse()?)
}
