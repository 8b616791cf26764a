//! What a way to watch may know of its connection: whether what it gave has gone, so that it gives the newest
//! picture next, and never queues.

use super::progress::Progress;
use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

/// The connection that a request came over, as an extension of the request.
#[derive(Clone)]
pub(crate) struct Line {
    progress: Arc<Progress>,
}

impl Line {
    pub(super) fn new(progress: Arc<Progress>) -> Self {
        Self { progress }
    }

    /// From here on little waits in the kernel: a slow reader's next picture is the newest when it gets there.
    pub(crate) fn keep_short(&self) {
        self.progress.shorten();
    }

    /// Notes that a body gives bytes.
    pub(crate) fn filled(&self) {
        self.progress.filled();
    }

    /// Waits until all that bodies have given was taken by the kernel. For bodies only.
    pub(crate) async fn clear(&self) {
        poll_fn(|_| if self.progress.is_clear() { Poll::Ready(()) } else { Poll::Pending }).await;
    }

    /// How many bytes the kernel has taken over this connection: whether they move is told by its change.
    pub(crate) fn taken(&self) -> u64 {
        self.progress.taken()
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").field("taken", &self.taken()).finish()
    }
}
