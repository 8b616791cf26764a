//! A V4L2 device: what it is, what it gives, and how it is set.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::Path,
};

use rustix::{
    fs::{Mode, OFlags},
    io::Errno,
};

use super::{
    formats::{FourCc, Interval, Intervals, Sizes},
    kernel::{self, Argument, Call, call},
};

/// No driver lists more of anything; one that never says that its list has ended is broken.
const LONGEST_LIST: u32 = 1_000;

/// An open device.
#[derive(Debug)]
pub(super) struct Device(OwnedFd);

/// What a device is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    /// "uvcvideo"
    pub(super) driver: String,
    /// "HD Pro Webcam C920"
    pub(super) card: String,
    /// What this node of the device can do.
    pub(super) can: u32,
}

/// What the driver made of a format that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Given {
    pub(super) fourcc: FourCc,
    pub(super) width: u32,
    pub(super) height: u32,
    /// Bytes from one row to the next; 0 where rows have no fixed length.
    pub(super) stride: u32,
    /// Whether black and white are 0 and 255; none where the driver leaves it to convention.
    pub(super) full_range: Option<bool>,
}

impl Device {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        // Not to wait for ever in the kernel for a picture that does not come.
        let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Ok(Self(rustix::fs::open(path, flags, Mode::empty())?))
    }

    pub(super) fn file(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    pub(super) fn call<T: Argument>(&self, what: Call<T>, mut argument: T) -> io::Result<T> {
        call(self.file(), what, &mut argument)?;
        Ok(argument)
    }

    pub(super) fn identity(&self) -> io::Result<Identity> {
        /// `device_capabilities` tells of this node alone.
        const DEVICE_CAPABILITIES: u32 = 0x8000_0000;
        let told = self.call(kernel::QUERY_CAPABILITY, kernel::Capability::default())?;
        let of_node = told.capabilities & DEVICE_CAPABILITIES != 0;
        Ok(Identity {
            driver: kernel::text(&told.driver),
            card: kernel::text(&told.card),
            can: if of_node { told.device_capabilities } else { told.capabilities },
        })
    }

    pub(super) fn formats(&self) -> Vec<FourCc> {
        self.list(kernel::ENUMERATE_FORMATS, |index| kernel::FormatDescription {
            index,
            kind: kernel::BUFFERS_OF_CAPTURE,
            ..Default::default()
        })
        .map(|format| FourCc(format.fourcc))
        .collect()
    }

    pub(super) fn sizes(&self, format: FourCc) -> Sizes {
        let told = self.list(kernel::ENUMERATE_SIZES, |index| kernel::FrameSize {
            index,
            fourcc: format.0,
            ..Default::default()
        });
        Sizes::new(told.map(|size| (size.kind == kernel::DISCRETE, size.numbers)))
    }

    pub(super) fn intervals(&self, format: FourCc, width: u32, height: u32) -> Intervals {
        let told = self.list(kernel::ENUMERATE_INTERVALS, |index| kernel::FrameInterval {
            index,
            fourcc: format.0,
            width,
            height,
            ..Default::default()
        });
        Intervals::new(
            told.map(|found| (found.kind == kernel::DISCRETE, found.intervals.map(Interval::from_kernel))),
        )
    }

    fn list<T: Argument>(&self, what: Call<T>, ask: impl Fn(u32) -> T) -> impl Iterator<Item = T> {
        (0..LONGEST_LIST).map_while(move |index| self.call(what, ask(index)).ok())
    }

    pub(super) fn set_format(&self, format: FourCc, width: u32, height: u32) -> io::Result<Given> {
        let pix = kernel::PixelFormat {
            width,
            height,
            fourcc: format.0,
            field: kernel::FIELD_NONE,
            private: kernel::PRIVATE_MAGIC,
            ..Default::default()
        };
        let asked = kernel::Format { kind: kernel::BUFFERS_OF_CAPTURE, pix, ..Default::default() };
        let given = self.call(kernel::SET_FORMAT, asked)?.pix;
        let told = if given.private == kernel::PRIVATE_MAGIC { given.quantization } else { 0 };
        Ok(Given {
            fourcc: FourCc(given.fourcc),
            width: given.width,
            height: given.height,
            stride: given.stride,
            full_range: match told {
                kernel::QUANTIZATION_FULL => Some(true),
                kernel::QUANTIZATION_LIMITED => Some(false),
                _ if given.colorspace == kernel::COLORSPACE_JPEG => Some(true),
                _ => None,
            },
        })
    }

    /// Asks for an interval and tells what the driver made of it; none where it knows no intervals.
    pub(super) fn set_interval(&self, interval: Interval) -> io::Result<Option<Interval>> {
        let now = kernel::StreamParameters { kind: kernel::BUFFERS_OF_CAPTURE, ..Default::default() };
        let now = match self.call(kernel::GET_PARAMETERS, now) {
            Err(error) if knows_none(&error) => return Ok(None),
            now => now?,
        };
        let asked = kernel::StreamParameters { interval: interval.to_kernel(), ..now };
        let now = if now.capability & kernel::TIME_PER_FRAME == 0 {
            now
        } else {
            match self.call(kernel::SET_PARAMETERS, asked) {
                Err(error) if knows_none(&error) => now,
                set => set?,
            }
        };
        let given = Interval::from_kernel(now.interval);
        Ok((!given.is_none()).then_some(given))
    }
}

/// Whether it is a driver's way to say that it has no rates to set.
fn knows_none(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::NOTTY | Errno::INVAL))
}
