//! When the ledger's file is written: at once, and seldom where a camera goes on and off all the time. An SD card
//! wears out by each write.

use std::{io, path::PathBuf, sync::Arc, time::Duration};

use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::{JoinHandle, spawn_blocking},
    time::{Instant, sleep_until, timeout},
};

use super::{
    Stretch,
    file::{self, Line},
};
use crate::config::CameraName;

/// So many writes in a row are done at once; then one for each [`EACH`].
const AT_ONCE: u32 = 20;
/// What a camera that goes on and off all the time is written.
const EACH: Duration = Duration::from_secs(5 * 60);
/// After a write that failed, it is tried again so much later, or with the next line.
const AGAIN: Duration = Duration::from_secs(60);
/// So many lines wait for a disk that takes none; then the oldest are given up.
const MOST: usize = 500;
/// How long the end of the daemon waits for a disk that hangs.
const LAST_WRITE: Duration = Duration::from_secs(3);

/// Writes in a task of its own: a disk may hang.
#[derive(Debug)]
pub(super) struct Writer {
    camera: CameraName,
    file: PathBuf,
    lines: UnboundedSender<String>,
    task: JoinHandle<()>,
}

impl Writer {
    /// `tell` is told of trouble with the disk, and of its end.
    pub(super) fn start(
        camera: CameraName,
        file: PathBuf,
        tell: impl Fn(Option<String>) + Send + 'static,
    ) -> Self {
        let (lines, come) = unbounded_channel();
        let writing = Writing {
            camera: camera.clone(),
            file: file.clone().into(),
            waiting: Vec::new(),
            allowance: Allowance::new(Instant::now()),
            again: None,
            troubled: false,
            tell,
        };
        Self { camera, file, lines, task: tokio::spawn(writing.run(come)) }
    }

    /// Has a stretch written: that it begins, or all of it.
    pub(super) fn write(&self, stretch: &Stretch) {
        let line = Line {
            from: stretch.from,
            to: stretch.to,
            on_ms: stretch.on_ms,
            viewers: stretch.viewers,
            why: stretch.why.as_ref().into(),
            ended: stretch.ended.as_deref().unwrap_or_default().into(),
        };
        let line = serde_json::to_string(&line).expect("numbers and texts are JSON");
        let _ = self.lines.send(line + "\n");
    }

    /// Writes what is not written yet.
    pub(super) async fn close(self) {
        drop(self.lines);
        let mut task = self.task;
        if timeout(LAST_WRITE, &mut task).await.is_err() {
            task.abort();
            tracing::error!(camera = %self.camera, "{} can't be written: the disk hangs", self.file.display());
        }
    }
}

struct Writing<T> {
    camera: CameraName,
    file: Arc<std::path::Path>,
    waiting: Vec<String>,
    allowance: Allowance,
    /// When to try again after a failure.
    again: Option<Instant>,
    troubled: bool,
    tell: T,
}

impl<T: Fn(Option<String>)> Writing<T> {
    async fn run(mut self, mut lines: UnboundedReceiver<String>) {
        loop {
            let due = self.again.unwrap_or(self.allowance.next);
            tokio::select! {
                line = lines.recv() => match line {
                    Some(line) => {
                        if self.waiting.len() == MOST {
                            self.waiting.remove(0);
                        }
                        self.waiting.push(line);
                        self.again = None;
                    }
                    None => break,
                },
                () = sleep_until(due), if !self.waiting.is_empty() => self.write().await,
            }
        }
        if !self.waiting.is_empty() {
            self.write().await;
        }
    }

    async fn write(&mut self) {
        let (file, text) = (Arc::clone(&self.file), self.waiting.concat());
        let written = spawn_blocking(move || file::append(&file, &text)).await;
        match written.map_err(io::Error::other).flatten() {
            Ok(()) => {
                self.waiting.clear();
                self.again = None;
                self.allowance.take(Instant::now());
                if std::mem::take(&mut self.troubled) {
                    tracing::info!(camera = %self.camera, "{} can be written again", self.file.display());
                    (self.tell)(None);
                }
            }
            Err(error) => {
                self.again = Some(Instant::now() + AGAIN);
                let trouble = format!(
                    "when this camera was on is forgotten when the daemon ends: {} can't be written: {error}",
                    self.file.display()
                );
                if !std::mem::replace(&mut self.troubled, true) {
                    tracing::error!(camera = %self.camera, "{trouble}");
                }
                (self.tell)(Some(trouble));
            }
        }
    }
}

/// How many writes may be done now, and when the next one may be.
struct Allowance {
    left: u32,
    since: Instant,
    next: Instant,
}

impl Allowance {
    fn new(now: Instant) -> Self {
        Self { left: AT_ONCE, since: now, next: now }
    }

    /// A write has been done.
    fn take(&mut self, now: Instant) {
        while self.left < AT_ONCE && now.duration_since(self.since) >= EACH {
            self.since += EACH;
            self.left += 1;
        }
        if self.left == AT_ONCE {
            self.since = now;
        }
        self.left = self.left.saturating_sub(1);
        self.next = if self.left == 0 { self.since + EACH } else { now };
    }
}
