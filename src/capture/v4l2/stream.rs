//! Pictures from a device, in memory that it shares with us.

use std::{io, ptr::NonNull, slice, time::Duration};

use rustix::{
    io::Errno,
    mm::{MapFlags, ProtFlags, mmap, munmap},
};

use super::{
    device::Device,
    kernel::{self, Buffer, RequestBuffers},
};

/// Buffers in turns: one that we read, one that the camera fills, and some for a processor that is busy.
const BUFFERS: u32 = 4;

/// A device that takes pictures until this is dropped.
#[derive(Debug)]
pub(super) struct Stream<'a> {
    device: &'a Device,
    memory: Vec<Mapped>,
}

/// A picture in a buffer that is ours for now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Filled<'a> {
    /// What the driver says it has filled.
    pub(super) bytes: &'a [u8],
    /// When it was taken, by the clock that counts from the start of the machine, where the driver tells.
    pub(super) stamp: Option<Duration>,
}

/// What came.
#[derive(Debug)]
pub(super) struct Came<T> {
    /// What was made of the newest whole picture; none where there was none.
    pub(super) made: Option<T>,
    /// Pictures that the driver says are broken, or that are empty.
    pub(super) broken: u64,
}

impl<'a> Stream<'a> {
    /// Starts the device, whose format has been set.
    pub(super) fn start(device: &'a Device) -> io::Result<Self> {
        // Dropped, it gives back what it has got so far.
        let mut stream = Self { device, memory: Vec::new() };
        let count = stream.request(BUFFERS)?;
        for index in 0..count {
            let buffer = device.call(kernel::QUERY_BUFFER, stream.buffer(index))?;
            stream.memory.push(Mapped::new(device, &buffer)?);
        }
        for index in 0..count {
            stream.queue(index)?;
        }
        device.call(kernel::STREAM_ON, kernel::BUFFERS_OF_CAPTURE.cast_signed())?;
        Ok(stream)
    }

    /// Hands the newest of the whole pictures that have come to `take`, if there is any, and gives the device all
    /// its memory back. Older ones are passed over.
    pub(super) fn newest<T>(&mut self, take: impl FnOnce(Filled<'_>) -> T) -> io::Result<Came<T>> {
        let (mut newest, mut broken) = (None, 0);
        while let Some(buffer) = self.dequeue()? {
            let older = if buffer.flags & kernel::FLAG_ERROR != 0 || buffer.used == 0 {
                broken += 1;
                Some(buffer)
            } else {
                newest.replace(buffer)
            };
            if let Some(older) = older {
                self.queue(older.index)?;
            }
        }
        let Some(buffer) = newest else { return Ok(Came { made: None, broken }) };
        let bytes = self.memory[buffer.index as usize].bytes();
        let bytes = &bytes[..bytes.len().min(buffer.used as usize)];
        let made = take(Filled { bytes, stamp: stamp(&buffer) });
        self.queue(buffer.index)?;
        Ok(Came { made: Some(made), broken })
    }

    fn dequeue(&mut self) -> io::Result<Option<Buffer>> {
        match self.device.call(kernel::DEQUEUE_BUFFER, self.buffer(0)) {
            Ok(buffer) if (buffer.index as usize) < self.memory.len() => Ok(Some(buffer)),
            Ok(_) => Err(io::Error::other("the driver names a buffer that there is not")),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn queue(&mut self, index: u32) -> io::Result<()> {
        self.device.call(kernel::QUEUE_BUFFER, self.buffer(index)).map(drop)
    }

    fn request(&self, count: u32) -> io::Result<u32> {
        let asked = RequestBuffers {
            count,
            kind: kernel::BUFFERS_OF_CAPTURE,
            memory: kernel::MEMORY_MAPPED,
            ..Default::default()
        };
        Ok(self.device.call(kernel::REQUEST_BUFFERS, asked)?.count)
    }

    fn buffer(&self, index: u32) -> Buffer {
        Buffer {
            index,
            kind: kernel::BUFFERS_OF_CAPTURE,
            memory: kernel::MEMORY_MAPPED,
            ..Default::default()
        }
    }
}

impl Drop for Stream<'_> {
    fn drop(&mut self) {
        // A device that has gone knows of no buffers any more; there is nobody to tell of anything else.
        let _ = self.device.call(kernel::STREAM_OFF, kernel::BUFFERS_OF_CAPTURE.cast_signed());
        self.memory.clear();
        let _ = self.request(0);
    }
}

/// When a picture was taken, if it is the clock that we know.
fn stamp(buffer: &Buffer) -> Option<Duration> {
    if buffer.flags & kernel::FLAG_STAMP_MASK != kernel::FLAG_STAMP_MONOTONIC {
        return None;
    }
    let nanos = u32::try_from(buffer.microseconds).ok()?.checked_mul(1_000)?;
    Some(Duration::new(u64::try_from(buffer.seconds).ok()?, nanos)).filter(|stamp| !stamp.is_zero())
}

/// Memory of a buffer of the device's.
#[derive(Debug)]
struct Mapped {
    start: NonNull<u8>,
    len: usize,
}

impl Mapped {
    fn new(device: &Device, buffer: &Buffer) -> io::Result<Self> {
        let len = buffer.len as usize;
        #[allow(unsafe_code, reason = "the kernel gives memory by its address")]
        // SAFETY: the kernel chooses an address where nothing is, and no reference is made here.
        let start = unsafe {
            mmap(
                std::ptr::null_mut(),
                len,
                ProtFlags::READ,
                MapFlags::SHARED,
                device.file(),
                buffer.offset[0].into(),
            )
        }?;
        let start = NonNull::new(start.cast()).ok_or(Errno::FAULT)?;
        Ok(Self { start, len })
    }

    /// Call this only between taking the buffer out of the driver's queue and putting it back: the camera writes
    /// into buffers that are queued.
    fn bytes(&self) -> &[u8] {
        #[allow(unsafe_code, reason = "memory that the kernel has given by its address")]
        // SAFETY: `new` has mapped this many bytes there, readable, and only `drop` ends that; the kernel keeps the pages
        // even when the device goes. The one caller holds the buffer back from the driver meanwhile.
        unsafe {
            slice::from_raw_parts(self.start.as_ptr(), self.len)
        }
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        #[allow(unsafe_code, reason = "the opposite of mmap")]
        // SAFETY: `new` has mapped it, and all references to it are of a lifetime that ends before this.
        let unmapped = unsafe { munmap(self.start.as_ptr().cast(), self.len) };
        debug_assert!(unmapped.is_ok());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_stamp_of_the_monotonic_clock_tells_a_time() {
        let buffer = Buffer {
            seconds: 12,
            microseconds: 345_678,
            flags: kernel::FLAG_STAMP_MONOTONIC | kernel::FLAG_ERROR,
            ..Default::default()
        };
        assert_eq!(stamp(&buffer), Some(Duration::new(12, 345_678_000)));
        assert_eq!(stamp(&Buffer { flags: 0x4000, ..buffer }), None, "copied from whoever fed the driver");
        assert_eq!(stamp(&Buffer { seconds: 0, microseconds: 0, ..buffer }), None);
        assert_eq!(stamp(&Buffer { seconds: -1, ..buffer }), None);
        assert_eq!(stamp(&Buffer { microseconds: i64::MAX, ..buffer }), None);
    }
}
