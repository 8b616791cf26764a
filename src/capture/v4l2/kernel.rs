//! The kernel's V4L2 interface, as far as cameras need it: structures of `linux/videodev2.h`, and the one place
//! where they are handed to the kernel.
//!
//! Only structures without pointers are here, so that a call can do nothing but read and write the structure itself.

use std::{io, os::fd::BorrowedFd};

use rustix::{
    io::{Errno, retry_on_intr},
    ioctl::{Ioctl, IoctlOutput, Opcode, ioctl, opcode},
};

pub(super) const BUFFERS_OF_CAPTURE: u32 = 1;
pub(super) const MEMORY_MAPPED: u32 = 1;
pub(super) const FIELD_NONE: u32 = 1;
/// In [`Buffer::flags`].
pub(super) const FLAG_ERROR: u32 = 0x40;
pub(super) const FLAG_STAMP_MASK: u32 = 0xE000;
pub(super) const FLAG_STAMP_MONOTONIC: u32 = 0x2000;
/// In [`QueryControl::id`]: the one after.
pub(super) const NEXT_CONTROL: u32 = 0x8000_0000;
/// In [`PixelFormat::colorspace`].
pub(super) const COLORSPACE_JPEG: u32 = 7;
/// In [`PixelFormat::quantization`].
pub(super) const QUANTIZATION_FULL: u32 = 1;
pub(super) const QUANTIZATION_LIMITED: u32 = 2;
/// Says that the driver knows the fields of [`PixelFormat`] from `flags` on.
pub(super) const PRIVATE_MAGIC: u32 = 0xFEED_CAFE;

/// `v4l2_capability`
#[repr(C)]
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Capability {
    pub(super) driver: [u8; 16],
    pub(super) card: [u8; 32],
    pub(super) bus: [u8; 32],
    pub(super) version: u32,
    pub(super) capabilities: u32,
    pub(super) device_capabilities: u32,
    pub(super) reserved: [u32; 3],
}

/// `v4l2_fmtdesc`
#[repr(C)]
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct FormatDescription {
    pub(super) index: u32,
    pub(super) kind: u32,
    pub(super) flags: u32,
    pub(super) description: [u8; 32],
    pub(super) fourcc: u32,
    pub(super) mbus_code: u32,
    pub(super) reserved: [u32; 3],
}

/// `v4l2_format` with a `v4l2_pix_format` in its union, which other members make 200 bytes long and aligned as
/// pointers are.
#[repr(C)]
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Format {
    pub(super) kind: u32,
    pub(super) align: [usize; 0],
    pub(super) pix: PixelFormat,
    pub(super) rest: [[u32; 19]; 2],
}

/// `v4l2_pix_format`
#[repr(C)]
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct PixelFormat {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) fourcc: u32,
    pub(super) field: u32,
    pub(super) stride: u32,
    pub(super) size: u32,
    pub(super) colorspace: u32,
    pub(super) private: u32,
    pub(super) flags: u32,
    pub(super) encoding: u32,
    pub(super) quantization: u32,
    pub(super) transfer: u32,
}

/// `v4l2_requestbuffers`
#[repr(C)]
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct RequestBuffers {
    pub(super) count: u32,
    pub(super) kind: u32,
    pub(super) memory: u32,
    pub(super) capabilities: u32,
    pub(super) flags: u32,
}

/// `v4l2_buffer`, in the form with 64 bits of seconds that the kernel takes on 32-bit machines too.
#[repr(C)]
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Buffer {
    pub(super) index: u32,
    pub(super) kind: u32,
    pub(super) used: u32,
    pub(super) flags: u32,
    pub(super) field: u32,
    pub(super) seconds: i64,
    pub(super) microseconds: i64,
    pub(super) timecode: [u32; 4],
    pub(super) sequence: u32,
    pub(super) memory: u32,
    /// For memory that is mapped, 32 bits at its beginning.
    pub(super) offset: [u32; size_of::<usize>() / 4],
    pub(super) len: u32,
    pub(super) reserved: [u32; 2],
}

/// `v4l2_streamparm` with a `v4l2_captureparm` in its union of 200 bytes.
#[repr(C)]
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct StreamParameters {
    pub(super) kind: u32,
    pub(super) capability: u32,
    pub(super) mode: u32,
    pub(super) interval: Fraction,
    pub(super) extended_mode: u32,
    pub(super) read_buffers: u32,
    pub(super) rest: [[u32; 22]; 2],
}

/// In [`StreamParameters::capability`]: the interval can be set.
pub(super) const TIME_PER_FRAME: u32 = 0x1000;

/// `v4l2_fract`
#[repr(C)]
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fraction {
    pub(super) numerator: u32,
    pub(super) denominator: u32,
}

/// `v4l2_frmsizeenum`
#[repr(C)]
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct FrameSize {
    pub(super) index: u32,
    pub(super) fourcc: u32,
    pub(super) kind: u32,
    /// Width and height; or minimum, maximum and step of each.
    pub(super) numbers: [u32; 6],
    pub(super) reserved: [u32; 2],
}

/// `v4l2_frmivalenum`
#[repr(C)]
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct FrameInterval {
    pub(super) index: u32,
    pub(super) fourcc: u32,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) kind: u32,
    /// The interval; or the shortest, the longest and the step.
    pub(super) intervals: [Fraction; 3],
    pub(super) reserved: [u32; 2],
}

/// In [`FrameSize::kind`] and [`FrameInterval::kind`]: one of several, rather than a range.
pub(super) const DISCRETE: u32 = 1;

/// `v4l2_queryctrl`
#[repr(C)]
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct QueryControl {
    pub(super) id: u32,
    pub(super) kind: u32,
    pub(super) name: [u8; 32],
    pub(super) min: i32,
    pub(super) max: i32,
    pub(super) step: i32,
    pub(super) default: i32,
    pub(super) flags: u32,
    pub(super) reserved: [u32; 2],
}

/// `v4l2_querymenu`, which the kernel packs.
#[repr(C)]
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct QueryMenu {
    pub(super) id: u32,
    pub(super) index: u32,
    /// A name, or a number of 64 bits.
    pub(super) item: [u8; 32],
    pub(super) reserved: u32,
}

/// `v4l2_control`
#[repr(C)]
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct ControlValue {
    pub(super) id: u32,
    pub(super) value: i32,
}

/// A structure that the kernel reads and writes in a call.
///
/// # Safety
/// It has the layout of the kernel's, any bytes are a value of it, and the kernel takes no number in it for an address.
#[allow(unsafe_code, reason = "it is what makes `call` safe, and implemented for the structures above only")]
pub(super) unsafe trait Argument: Default + Copy {}

macro_rules! arguments {
    ($($name:ty),*) => { $(
        #[allow(unsafe_code, reason = "see the trait")]
        // SAFETY: `repr(C)`, integers only; a test compares each with the size that the kernel gives it. Of `Buffer`,
        // memory that is mapped, which is the only kind that we ask for, has an offset where others have an address.
        unsafe impl Argument for $name {}
    )* };
}
arguments!(
    Capability,
    FormatDescription,
    Format,
    RequestBuffers,
    Buffer,
    StreamParameters,
    FrameSize,
    FrameInterval,
    QueryControl,
    QueryMenu,
    ControlValue,
    i32
);

/// What the kernel can be asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call<T> {
    opcode: Opcode,
    argument: std::marker::PhantomData<T>,
}

impl<T> Call<T> {
    const fn new(opcode: Opcode) -> Self {
        Self { opcode, argument: std::marker::PhantomData }
    }

    const fn read_write(number: u8) -> Self {
        Self::new(opcode::read_write::<T>(b'V', number))
    }
}

pub(super) const QUERY_CAPABILITY: Call<Capability> = Call::new(opcode::read::<Capability>(b'V', 0));
pub(super) const ENUMERATE_FORMATS: Call<FormatDescription> = Call::read_write(2);
pub(super) const SET_FORMAT: Call<Format> = Call::read_write(5);
pub(super) const REQUEST_BUFFERS: Call<RequestBuffers> = Call::read_write(8);
pub(super) const QUERY_BUFFER: Call<Buffer> = Call::read_write(9);
pub(super) const QUEUE_BUFFER: Call<Buffer> = Call::read_write(15);
pub(super) const DEQUEUE_BUFFER: Call<Buffer> = Call::read_write(17);
pub(super) const STREAM_ON: Call<i32> = Call::new(opcode::write::<i32>(b'V', 18));
pub(super) const STREAM_OFF: Call<i32> = Call::new(opcode::write::<i32>(b'V', 19));
pub(super) const GET_PARAMETERS: Call<StreamParameters> = Call::read_write(21);
pub(super) const SET_PARAMETERS: Call<StreamParameters> = Call::read_write(22);
pub(super) const GET_CONTROL: Call<ControlValue> = Call::read_write(27);
pub(super) const SET_CONTROL: Call<ControlValue> = Call::read_write(28);
pub(super) const QUERY_CONTROL: Call<QueryControl> = Call::read_write(36);
pub(super) const QUERY_MENU: Call<QueryMenu> = Call::read_write(37);
pub(super) const ENUMERATE_SIZES: Call<FrameSize> = Call::read_write(74);
pub(super) const ENUMERATE_INTERVALS: Call<FrameInterval> = Call::read_write(75);

/// Asks the kernel, with `argument`, which it may change.
pub(super) fn call<T: Argument>(file: BorrowedFd<'_>, call: Call<T>, argument: &mut T) -> io::Result<()> {
    Ok(retry_on_intr(|| ask(file, call.opcode, argument))?)
}

struct Asked<'a, T> {
    opcode: Opcode,
    argument: &'a mut T,
}

#[allow(unsafe_code, reason = "the kernel takes the address of a structure")]
// SAFETY: the pointer is to a structure that is ours for as long as the call lasts, and there is no output but what it
// changes in there.
unsafe impl<T: Argument> Ioctl for Asked<'_, T> {
    type Output = ();

    const IS_MUTATING: bool = true;

    fn opcode(&self) -> Opcode {
        self.opcode
    }

    fn as_ptr(&mut self) -> *mut std::ffi::c_void {
        std::ptr::from_mut(self.argument).cast()
    }

    unsafe fn output_from_ptr(_: IoctlOutput, _: *mut std::ffi::c_void) -> Result<(), Errno> {
        Ok(())
    }
}

#[allow(unsafe_code, reason = "a system call that takes an address")]
fn ask<T: Argument>(file: BorrowedFd<'_>, opcode: Opcode, argument: &mut T) -> Result<(), Errno> {
    // SAFETY: the opcode holds the size of `T`, and the kernel knows no call of that number with a structure of another
    // size, so it writes nothing but the argument; `Argument` says that nothing in there is an address. A file that is
    // no V4L2 device is none of these calls' business: it answers that it knows none with the letter V.
    unsafe { ioctl(file, Asked { opcode, argument }) }
}

/// Text of the kernel's, up to its zero byte. Devices that say something else than UTF-8 exist.
pub(super) fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let text = String::from_utf8_lossy(&bytes[..end]);
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn each_call_has_the_number_that_the_kernel_gives_it() {
        // As strace shows them of other programs.
        let calls = [
            (QUERY_CAPABILITY.opcode, 0x8068_5600),
            (ENUMERATE_FORMATS.opcode, 0xC040_5602),
            (SET_FORMAT.opcode, 0xC0D0_5605),
            (REQUEST_BUFFERS.opcode, 0xC014_5608),
            (QUERY_BUFFER.opcode, 0xC058_5609),
            (QUEUE_BUFFER.opcode, 0xC058_560F),
            (DEQUEUE_BUFFER.opcode, 0xC058_5611),
            (STREAM_ON.opcode, 0x4004_5612),
            (STREAM_OFF.opcode, 0x4004_5613),
            (GET_PARAMETERS.opcode, 0xC0CC_5615),
            (SET_PARAMETERS.opcode, 0xC0CC_5616),
            (GET_CONTROL.opcode, 0xC008_561B),
            (SET_CONTROL.opcode, 0xC008_561C),
            (QUERY_CONTROL.opcode, 0xC044_5624),
            (QUERY_MENU.opcode, 0xC02C_5625),
            (ENUMERATE_SIZES.opcode, 0xC02C_564A),
            (ENUMERATE_INTERVALS.opcode, 0xC034_564B),
        ];
        for (ours, kernels) in calls {
            assert_eq!(ours as u64, kernels, "{kernels:#x}");
        }
    }

    #[test]
    fn what_lies_in_a_structure_lies_where_the_kernel_looks() {
        let pointer = size_of::<usize>();
        assert_eq!(std::mem::offset_of!(Format, pix), pointer);
        assert_eq!(std::mem::offset_of!(Buffer, seconds), 24);
        assert_eq!(std::mem::offset_of!(Buffer, offset), 64);
        assert_eq!(std::mem::offset_of!(Buffer, len), 64 + pointer);
        assert_eq!(std::mem::offset_of!(StreamParameters, interval), 12);
        assert_eq!(std::mem::offset_of!(FrameInterval, intervals), 20);
        assert_eq!(std::mem::offset_of!(QueryControl, min), 40);
    }

    #[test]
    fn a_file_that_is_no_camera_says_so() {
        let file = std::fs::File::open("/dev/null").unwrap();
        let error =
            call(std::os::fd::AsFd::as_fd(&file), QUERY_CAPABILITY, &mut Capability::default()).unwrap_err();
        assert_eq!(Errno::from_io_error(&error), Some(Errno::NOTTY));
    }

    #[test]
    fn text_ends_at_its_zero_and_may_be_anything() {
        assert_eq!(text(b"HD Pro Webcam C920\0\0rest"), "HD Pro Webcam C920");
        assert_eq!(text(b"no end"), "no end");
        assert_eq!(text(b" 3D\nwebcam \xFF\0"), "3D webcam \u{FFFD}");
    }
}
