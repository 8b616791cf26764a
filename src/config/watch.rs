//! Tells when the configuration file has changed.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    io,
    path::{Component, Path, PathBuf},
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread,
    time::{Duration, Instant},
};

use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _,
    event::{AccessKind, AccessMode, ModifyKind},
};

/// So long nothing may happen before a change counts as complete.
const QUIET: Duration = Duration::from_millis(100);

/// A file that never comes to rest is looked at this often.
const PATIENCE: Duration = Duration::from_secs(1);

/// Watches as long as it lives.
#[derive(Debug)]
pub struct Watcher(Sender<Signal>);

impl Drop for Watcher {
    fn drop(&mut self) {
        // A thread that has ended already needs no word.
        let _ = self.0.send(Signal::Stop);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signal {
    /// Something was completed: a write was closed, a name appeared, moved or went.
    Changed,
    /// Something is being written.
    Busy,
    Stop,
}

/// Calls `on_change` in a thread of its own after `file` has changed and 100 ms of quiet, or a second after
/// the first of changes that do not end. The last of them is always followed by a call. A call need not mean
/// a different text, and the file may be gone.
///
/// The folder is watched, not the file, so that a rename over it is seen; links in the path are followed,
/// each of their folders watched, and once more after each change. What changed before the watch began is
/// not seen: watch first, then load.
///
/// The guard returned ends the thread when it drops; a call in progress goes on.
///
/// # Errors
///
/// The system gives no watch: no such folder, or its limit of inotify watches is reached.
pub fn watch(file: &Path, on_change: impl Fn() + Send + 'static) -> notify::Result<Watcher> {
    let file = std::path::absolute(file)?;
    let (sender, signals) = mpsc::channel();
    let mut watcher = place(&file, &sender)?;
    let guard = Watcher(sender.clone());
    let run = move || {
        let mut burst = Burst::default();
        loop {
            let signal = match burst.due() {
                None => signals.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(due) => signals.recv_timeout(due.saturating_duration_since(Instant::now())),
            };
            match signal {
                Ok(Signal::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Ok(signal) => burst.add(signal, Instant::now()),
                Err(RecvTimeoutError::Timeout) => {
                    burst = Burst::default();
                    // Before the call, so that what changes after it has looked is seen.
                    match place(&file, &sender) {
                        Ok(new) => watcher = new,
                        Err(error) => {
                            tracing::warn!("{}: can't watch it any longer: {error}", file.display());
                        }
                    }
                    on_change();
                }
            }
        }
        drop(watcher);
    };
    thread::Builder::new().name("config-watch".into()).spawn(run)?;
    Ok(guard)
}

/// Changes that follow each other closely.
#[derive(Debug, Default)]
struct Burst {
    first: Option<Instant>,
    last: Option<Instant>,
}

impl Burst {
    fn add(&mut self, signal: Signal, now: Instant) {
        if signal == Signal::Changed {
            self.first.get_or_insert(now);
        }
        self.last = Some(now);
    }

    fn due(&self) -> Option<Instant> {
        Some((self.last? + QUIET).min(self.first? + PATIENCE))
    }
}

/// Watches the folders of all places that decide what the file is.
fn place(file: &Path, sender: &Sender<Signal>) -> notify::Result<RecommendedWatcher> {
    let mut places = places(file)?;
    // A link may be changed between looking and watching, but not for ever.
    for _ in 0..10 {
        let (seen, sender) = (places.clone(), sender.clone());
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            if let Some(signal) = event.map_or(Some(Signal::Changed), |event| signal(&event, &seen)) {
                // Without a receiver the watch is over.
                let _ = sender.send(signal);
            }
        })?;
        let folders: BTreeSet<_> = places.iter().filter_map(|place| place.parent()).collect();
        let watched =
            folders.into_iter().try_for_each(|folder| watcher.watch(folder, RecursiveMode::NonRecursive));
        let now = self::places(file)?;
        if now == places {
            return watched.map(|()| watcher);
        }
        places = now;
    }
    Err(notify::Error::generic("its folders do not stay what they are"))
}

/// What an event says about these places.
fn signal(event: &Event, places: &BTreeSet<PathBuf>) -> Option<Signal> {
    let concerns = |path: &PathBuf| {
        places.contains(path) || places.iter().any(|place| place.parent() == Some(path.as_path()))
    };
    if event.need_rescan() {
        return Some(Signal::Changed);
    }
    if !event.paths.iter().any(concerns) {
        return None;
    }
    match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => Some(Signal::Changed),
        EventKind::Access(_) => None,
        EventKind::Modify(ModifyKind::Data(_)) => Some(Signal::Busy),
        _ => Some(Signal::Changed),
    }
}

/// The file itself and every link on the way to it, by absolute paths without links; where the way breaks
/// off, the first thing missing.
fn places(file: &Path) -> io::Result<BTreeSet<PathBuf>> {
    let mut places = BTreeSet::new();
    let mut here = PathBuf::from("/");
    let mut ahead = components(file);
    let mut links = 0;
    while let Some(name) = ahead.pop() {
        if name == ".." {
            here.pop();
            continue;
        }
        let next = here.join(&name);
        match next.read_link() {
            Ok(target) => {
                links += 1;
                // The kernel's limit too.
                if links > 40 {
                    return Err(io::Error::other("a link leads in a circle"));
                }
                places.insert(next);
                if target.is_absolute() {
                    here = PathBuf::from("/");
                }
                ahead.extend(components(&target));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                places.insert(next);
                return Ok(places);
            }
            Err(_) => here = next,
        }
    }
    places.insert(here);
    Ok(places)
}

/// The names in a path, the last one first.
fn components(path: &Path) -> Vec<OsString> {
    let names = path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    });
    names.rev().collect()
}

#[cfg(test)]
mod tests;
