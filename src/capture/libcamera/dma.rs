//! Access to dma buffers: on ARM a device's writes reach the processor's caches only when it asks for them.

use std::os::fd::{BorrowedFd, RawFd};

use rustix::ioctl::{Setter, ioctl, opcode};

/// While it lives, the processor reads these buffers, and sees what the device wrote.
#[must_use]
pub(super) struct Reading(Vec<RawFd>);

/// From `linux/dma-buf.h`.
const DMA_BUF_SYNC_READ: u64 = 1;
const DMA_BUF_SYNC_START: u64 = 0 << 2;
const DMA_BUF_SYNC_END: u64 = 1 << 2;

impl Reading {
    /// Begins to read the buffers behind `files`, the planes' file descriptors; planes may share one.
    pub(super) fn new(files: impl IntoIterator<Item = RawFd>) -> Self {
        let mut files: Vec<_> = files.into_iter().collect();
        files.sort_unstable();
        files.dedup();
        files.iter().for_each(|file| sync(*file, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ));
        Self(files)
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.iter().for_each(|file| sync(*file, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ));
    }
}

#[allow(unsafe_code, reason = "the kernel's call on buffers that the libcamera crate names by number only")]
fn sync(file: RawFd, flags: u64) {
    const DMA_BUF_IOCTL_SYNC: rustix::ioctl::Opcode = opcode::write::<u64>(b'b', 0);
    // SAFETY: the number is of a plane of a buffer that its request keeps open meanwhile; the call takes a
    // pointer to a structure of one u64 and keeps nothing of it.
    let synced = unsafe {
        let call = Setter::<DMA_BUF_IOCTL_SYNC, u64>::new(flags);
        ioctl(BorrowedFd::borrow_raw(file), call)
    };
    // Memory that is no dma buffer answers ENOTTY, and is always in sync.
    let _ = synced;
}
