//! What one connection is waiting for, since when, and whether that has taken too long.
//!
//! The states are atomics that the connection's own task writes while it works, so a request costs no
//! timer: one timer for the connection fires at the earliest time at which anything can be overdue.

use super::Limits;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, fence};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::task::{Context, Waker};
use std::time::Duration;
use tokio::time::Instant;

/// What has to move within each window of a deadline. A peer that drips bytes holds a connection
/// as surely as one that is silent.
pub(super) const LEAST_PROGRESS: u64 = 1024;

/// Why a connection was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Late {
    Head = 1,
    Idle,
    Body,
    Write,
    /// The client goes on sending what nobody wants.
    Linger,
    /// The server ends, and its time for a clean end is over.
    Shutdown,
}

mod phase {
    /// A request head is being read. Also the first state, so that a silent client is caught.
    pub(super) const HEAD: u8 = 0;
    /// Between requests.
    pub(super) const IDLE: u8 = 1;
    /// A handler works, or its answer is being sent.
    pub(super) const BUSY: u8 = 2;
    /// No longer HTTP.
    pub(super) const UPGRADED: u8 = 3;
    /// All is said; what the peer still sends is read and thrown away.
    pub(super) const LINGERING: u8 = 4;
}

/// A time span in which [`LEAST_PROGRESS`] is due. Times are ms since the connection's start, plus one:
/// zero means that nothing is being waited for.
#[derive(Default)]
struct Window {
    since: AtomicU64,
    bytes: AtomicU64,
}

impl Window {
    fn is_open(&self) -> bool {
        self.since.load(Relaxed) != 0
    }

    fn open(&self, now: u64) {
        self.bytes.store(0, Relaxed);
        self.since.store(now + 1, Relaxed);
    }

    fn close(&self) {
        self.since.store(0, Relaxed);
    }

    fn moved(&self, bytes: u64) {
        if self.is_open() {
            self.bytes.fetch_add(bytes, Relaxed);
        }
    }

    /// When the window ends, or nothing if it ended with too little. One that ended well starts anew.
    fn due(&self, now: u64, length: u64) -> Option<u64> {
        let end = self.since.load(Relaxed).saturating_sub(1).saturating_add(length);
        if now < end {
            return Some(end);
        }
        if self.bytes.load(Relaxed) < LEAST_PROGRESS {
            return None;
        }
        self.open(now);
        Some(now.saturating_add(length))
    }
}

/// The state of one connection, shared by all that can see it progress.
pub(super) struct Progress {
    start: Instant,
    phase: AtomicU8,
    phase_since: AtomicU64,
    replying: AtomicBool,
    body: Window,
    /// The rest of a request's body was not wanted.
    body_left: AtomicBool,
    write: Window,
    /// Bytes that the kernel took, of late; see [`Self::taken`].
    taken: AtomicU64,
    /// No more than a little is to wait in the kernel.
    short: AtomicBool,
    /// A body has given bytes that are not flushed yet.
    filled: AtomicBool,
    /// A body waits for the flush.
    awaited: AtomicBool,
    /// An answer is all in hyper's hands, and not flushed yet.
    given: AtomicBool,
    /// An answer has been given and flushed, of late; see [`Self::take_settled`].
    settled: AtomicBool,
    stopping: AtomicBool,
    killed: AtomicU8,
    closed: AtomicBool,
    task: OnceLock<Waker>,
    reader: Mutex<Option<Waker>>,
    writer: Mutex<Option<Waker>>,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self {
            start: Instant::now(),
            phase: AtomicU8::new(phase::HEAD),
            phase_since: AtomicU64::new(0),
            replying: AtomicBool::new(false),
            body: Window::default(),
            body_left: AtomicBool::new(false),
            write: Window::default(),
            taken: AtomicU64::new(0),
            short: AtomicBool::new(false),
            filled: AtomicBool::new(false),
            awaited: AtomicBool::new(false),
            given: AtomicBool::new(false),
            settled: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            killed: AtomicU8::new(0),
            closed: AtomicBool::new(false),
            task: OnceLock::new(),
            reader: Mutex::new(None),
            writer: Mutex::new(None),
        }
    }

    fn now(&self) -> u64 {
        millis(self.start.elapsed())
    }

    fn enter(&self, phase: u8) {
        self.phase_since.store(self.now(), Relaxed);
        self.phase.store(phase, Relaxed);
    }

    /// Bytes came from the peer.
    pub(super) fn read(&self) {
        if self.phase.load(Relaxed) == phase::IDLE {
            self.enter(phase::HEAD);
        }
    }

    /// A request head is complete.
    pub(super) fn request(&self) {
        self.replying.store(false, Relaxed);
        self.body_left.store(false, Relaxed);
        self.phase.store(phase::BUSY, Relaxed);
    }

    /// A handler has given the head of its answer.
    pub(super) fn reply(&self) {
        self.replying.store(true, Relaxed);
    }

    /// The answer's body is all in hyper's hands.
    pub(super) fn replied(&self) {
        if self.phase.load(Relaxed) == phase::BUSY {
            self.body.close();
            self.given.store(true, Relaxed);
            self.enter(phase::IDLE);
        }
    }

    /// The peer gets a `101 Switching Protocols`.
    pub(super) fn upgrade(&self) {
        self.phase.store(phase::UPGRADED, Relaxed);
    }

    /// A handler wants more of the request's body than has come.
    pub(super) fn body_awaited(&self) {
        if !self.body.is_open() {
            self.body.open(self.now());
        }
    }

    /// A piece of the request's body came.
    pub(super) fn body_moved(&self, bytes: usize) {
        self.body.moved(bytes as u64);
    }

    /// The request's body has come, or nobody wants the rest of it.
    pub(super) fn body_done(&self) {
        self.body.close();
    }

    /// Nobody wants the rest of the request's body, which may still be coming.
    pub(super) fn body_left(&self) {
        self.body_left.store(true, Relaxed);
    }

    /// Whether the peer, to which all is said, may still be sending; the time for that begins now.
    pub(super) fn lingers(&self) -> bool {
        match self.phase.load(Relaxed) {
            phase::UPGRADED => return false,
            phase::LINGERING => {}
            _ if self.body_left.load(Relaxed) => self.enter(phase::LINGERING),
            _ => return false,
        }
        !self.is_stopping()
    }

    /// The kernel takes no more bytes.
    pub(super) fn write_blocked(&self) {
        if !self.write.is_open() {
            self.write.open(self.now());
        }
    }

    /// The kernel took bytes.
    pub(super) fn wrote(&self, bytes: u64) {
        self.write.moved(bytes);
        // One task writes at a time.
        self.taken.store(self.taken.load(Relaxed).wrapping_add(bytes), Relaxed);
    }

    /// How many bytes the kernel has taken.
    pub(super) fn taken(&self) -> u64 {
        self.taken.load(Relaxed)
    }

    /// Wants what is written to wait here and not in the kernel.
    pub(super) fn shorten(&self) {
        self.short.store(true, Relaxed);
    }

    /// Whether that was wanted since the last time of asking.
    pub(super) fn take_shorten(&self) -> bool {
        self.short.load(Relaxed) && self.short.swap(false, Relaxed)
    }

    /// A body has given bytes.
    pub(super) fn filled(&self) {
        self.filled.store(true, Relaxed);
    }

    /// Whether all that bodies have given is in the kernel. If not, [`Self::flush_was_missed`] notes that.
    pub(super) fn is_clear(&self) -> bool {
        let filled = self.filled.load(Relaxed);
        self.awaited.store(filled, Relaxed);
        !filled
    }

    /// Whether a body has waited for the flush, which came, and has not looked since.
    pub(super) fn flush_was_missed(&self) -> bool {
        self.awaited.load(Relaxed) && !self.filled.load(Relaxed)
    }

    /// The kernel took all there was.
    pub(super) fn flushed(&self) {
        self.filled.store(false, Relaxed);
        if self.given.load(Relaxed) {
            self.given.store(false, Relaxed);
            self.settled.store(true, Relaxed);
        }
        if self.write.is_open() {
            self.write.close();
            if self.phase.load(Relaxed) == phase::IDLE {
                self.enter(phase::IDLE);
            }
        }
    }

    /// Whether the connection is between requests, and was not yet when this was asked the last time.
    pub(super) fn take_settled(&self) -> bool {
        self.settled.load(Relaxed)
            && self.settled.swap(false, Relaxed)
            && self.phase.load(Relaxed) == phase::IDLE
            // The connection ends; the rest of that body is no request.
            && !self.body_left.load(Relaxed)
    }

    /// When to look again, or what is overdue now.
    pub(super) fn check(&self, limits: &Limits) -> Result<Instant, Late> {
        self.check_at(self.now(), limits).map(|due| self.start + Duration::from_millis(due))
    }

    fn check_at(&self, now: u64, limits: &Limits) -> Result<u64, Late> {
        let (head, idle) = (millis(limits.head), millis(limits.idle));
        let (body, write) = (millis(limits.body_progress), millis(limits.write_progress));
        let linger = millis(limits.linger);
        // Whatever begins after this look is due later than this.
        let mut next = now.saturating_add(head.min(idle).min(body).min(write).min(linger).max(1));
        if self.killed().is_some() {
            return Ok(next);
        }
        if self.write.is_open() {
            // The peer has to read before anything else can be asked of it.
            return Ok(next.min(self.write.due(now, write).ok_or(Late::Write)?));
        }
        let (length, late) = match self.phase.load(Relaxed) {
            phase::HEAD => (head, Late::Head),
            phase::IDLE => (idle, Late::Idle),
            phase::LINGERING => (linger, Late::Linger),
            phase::BUSY if self.body.is_open() => {
                return Ok(next.min(self.body.due(now, body).ok_or(Late::Body)?));
            }
            _ => return Ok(next),
        };
        let due = self.phase_since.load(Relaxed).saturating_add(length);
        if due <= now {
            return Err(late);
        }
        next = next.min(due);
        Ok(next)
    }

    /// Makes the connection's own task the one that [`Self::stop`] and the end of the stream wake.
    pub(super) fn attach(&self, task: &Waker) {
        if self.task.get().is_none() {
            self.task.set(task.clone()).ok();
            // Either this task sees the wish to stop, or who wishes it sees this task.
            fence(SeqCst);
        }
    }

    fn wake_task(&self) {
        if let Some(task) = self.task.get() {
            task.wake_by_ref();
        }
    }

    /// Asks for the end of the connection after the request in flight.
    pub(super) fn stop(&self) {
        self.stopping.store(true, Relaxed);
        fence(SeqCst);
        self.wake_task();
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(Relaxed)
    }

    /// Ends the connection: whoever reads or writes gets an error now.
    pub(super) fn kill(&self, why: Late) {
        self.killed.compare_exchange(0, why as u8, Relaxed, Relaxed).ok();
        for side in [&self.reader, &self.writer] {
            if let Some(waker) = side.lock().unwrap_or_else(PoisonError::into_inner).take() {
                waker.wake();
            }
        }
    }

    pub(super) fn killed(&self) -> Option<Late> {
        Some(match self.killed.load(Relaxed) {
            0 => return None,
            1 => Late::Head,
            2 => Late::Idle,
            3 => Late::Body,
            4 => Late::Write,
            5 => Late::Linger,
            _ => Late::Shutdown,
        })
    }

    /// Whether the peer could still be told why, in HTTP.
    pub(super) fn can_answer(&self) -> bool {
        match self.phase.load(Relaxed) {
            phase::HEAD => true,
            phase::BUSY => !self.replying.load(Relaxed),
            _ => false,
        }
    }

    /// Remembers who waits for bytes, for [`Self::kill`]. A killed connection has to be looked for after
    /// this, not before.
    pub(super) fn park_reader(&self, cx: &Context<'_>) {
        self.park(&self.reader, cx);
    }

    /// Remembers who waits for room in the kernel's buffer.
    pub(super) fn park_writer(&self, cx: &Context<'_>) {
        self.park(&self.writer, cx);
    }

    fn park(&self, side: &Mutex<Option<Waker>>, cx: &Context<'_>) {
        // In HTTP the connection's own task reads and writes, and ends the connection by its own end.
        if self.phase.load(Relaxed) == phase::UPGRADED {
            let mut waker = side.lock().unwrap_or_else(PoisonError::into_inner);
            match &mut *waker {
                Some(waker) => waker.clone_from(cx.waker()),
                none => *none = Some(cx.waker().clone()),
            }
        }
    }

    /// The stream is gone.
    pub(super) fn close(&self) {
        self.closed.store(true, Relaxed);
        self.wake_task();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Relaxed)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
