//! `kind = "v4l2"`: a webcam or capture stick, through the kernel's V4L2 interface.
//!
//! A camera that makes JPEGs itself has them passed on as they are; of others the raw picture is encoded.

mod controls;
mod device;
mod find;
mod formats;
mod kernel;
mod list;
mod negotiate;
mod stream;
mod trouble;

use std::{
    io::{self, PipeReader, Read, Write},
    sync::mpsc::{self, Receiver},
    thread,
    time::Instant,
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    io::retry_on_intr,
};

pub use self::list::{Listed, list};
use self::{
    controls::Panel,
    device::Device,
    find::Camera,
    formats::Format,
    negotiate::Setup,
    stream::{Filled, Stream},
};
use super::{
    Spec, clock,
    encode::Picture,
    output::Output,
    protocol::{Event, Failure, Set, Streaming},
    runner::{Pacer, Stop, log},
};
use crate::{
    config::Kind,
    jpeg::{huffman, inspect},
};

/// Captures what `spec` asks for until `stop` is set.
///
/// # Errors
/// When the camera is missing, busy, forbidden, gives no picture that we can use, or is unplugged, or when the
/// rolling file can't be written.
pub fn capture(spec: &Spec, stop: &Stop, emit: &mut dyn FnMut(Event)) -> Result<(), Failure> {
    let mut output = Output::open(spec)?;
    let camera = find::choose(&spec.device)?;
    let setup = negotiate::negotiate(&camera, spec)?;
    // What is kept from last time is set before the first picture; nothing else may hold that up.
    let fixed = !spec.picture.masks.is_empty();
    let kept = stop.take_settings().map(|kept| Panel::read(&camera.device, fixed).set(&camera.device, &kept));
    let trouble = |action: &'static str| camera.trouble(action);
    let mut stream = Stream::start(&camera.device).map_err(trouble("start"))?;
    let (width, height) = output.size(setup.given.width, setup.given.height);
    emit(Event::Streaming(Streaming {
        kind: Kind::V4l2,
        device: format!("{}, {}", camera.node.describe(), setup.describe()),
        width: Some(width),
        height: Some(height),
        notice: setup.notice(spec),
    }));
    let mut panel = Panel::read(&camera.device, fixed);
    emit(Event::Controls(panel.offer(kept.map_or(0, |offer| offer.answers))));

    let wishes = Wishes::new(stop).map_err(|error| Failure::unexplained(format!("can't wait: {error}")))?;
    let mut pacer = Pacer::new(spec.interval);
    let mut broken = Broken::default();
    loop {
        let news = wishes.or_picture(&camera.device).map_err(trouble("wait for"))?;
        for set in wishes.settings() {
            emit(Event::Controls(panel.set(&camera.device, &set)));
        }
        if stop.is_set() {
            return Ok(());
        }
        let take = |filled: Filled<'_>| {
            if pacer.is_due(Instant::now()) { publish(&setup, &filled, &mut output) } else { Ok(true) }
        };
        let came = stream.newest(take).map_err(trouble("go on with"))?;
        let whole = came.made.transpose()?;
        if news == News::Trouble && whole.is_none() && came.broken == 0 {
            // The kernel says that something is wrong, and then it isn't: to ask again would be a busy loop.
            return Err(trouble::unplugged(&camera.node.describe()));
        }
        broken.count(came.broken + u64::from(whole == Some(false)), &camera);
    }
}

/// False where the camera made a broken picture, of which nobody gets to know.
fn publish(setup: &Setup, filled: &Filled<'_>, output: &mut Output) -> Result<bool, Failure> {
    let taken = clock::exposed(filled.stamp);
    match setup.format {
        Format::Jpeg => {
            let Ok(info) = inspect(filled.bytes) else { return Ok(false) };
            // What follows the picture is padding.
            output.publish(&huffman::completed(&filled.bytes[..info.len]), taken)?;
        }
        Format::Raw(layout) => {
            if filled.bytes.len() < setup.needed {
                return Ok(false);
            }
            let picture = Picture {
                layout,
                width: setup.given.width as usize,
                height: setup.given.height as usize,
                stride: setup.given.stride as usize,
                planes: &[filled.bytes],
                range: setup.range,
            };
            output.publish_raw(&picture, taken)?;
        }
    }
    Ok(true)
}

impl Camera {
    /// Says in words what went wrong while `action` was tried.
    fn trouble<'a>(&'a self, action: &'static str) -> impl Fn(io::Error) -> Failure + use<'a> {
        move |error| trouble::explain(action, &error, &self.node.path, &self.node.describe())
    }
}

/// Tells the log of broken pictures, not of each.
#[derive(Debug, Default)]
struct Broken {
    so_far: u64,
    told: u64,
}

impl Broken {
    fn count(&mut self, more: u64, camera: &Camera) {
        self.so_far += more;
        if self.is_worth_telling() {
            log(format_args!("{}: {} broken so far", camera.node.describe(), pictures(self.so_far)));
        }
    }

    /// The first one, and whenever there are twice as many as when it was last told.
    fn is_worth_telling(&mut self) -> bool {
        let tell = self.so_far > 0 && self.so_far >= 2 * self.told;
        if tell {
            self.told = self.so_far;
        }
        tell
    }
}

fn pictures(count: u64) -> String {
    if count == 1 { "1 picture was".to_owned() } else { format!("{count} pictures were") }
}

/// What the daemon wants, in a form that can be waited for together with a picture.
struct Wishes {
    settings: Receiver<Set>,
    /// Readable for each setting, and closed at the stop.
    bell: PipeReader,
}

#[derive(Debug, PartialEq, Eq)]
enum News {
    /// A picture, or a wish.
    Some,
    /// The kernel says that the device is in trouble.
    Trouble,
}

impl Wishes {
    fn new(stop: &Stop) -> io::Result<Self> {
        let (bell, mut rope) = io::pipe()?;
        let (sender, settings) = mpsc::channel();
        let stop = stop.clone();
        thread::Builder::new().spawn(move || {
            while let Some(set) = stop.next_settings() {
                // They fail when the capture is over.
                if sender.send(set).is_err() || rope.write_all(b"!").is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { settings, bell })
    }

    /// Waits for a picture or a wish, whichever comes first.
    fn or_picture(&self, device: &Device) -> io::Result<News> {
        let file = device.file();
        let mut waited = [PollFd::new(&file, PollFlags::IN), PollFd::new(&self.bell, PollFlags::IN)];
        retry_on_intr(|| poll(&mut waited, None))?;
        let of_device = waited[0].revents();
        if waited[1].revents().contains(PollFlags::IN) {
            (&self.bell).read_exact(&mut [0])?;
        }
        let trouble = of_device.intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL);
        Ok(if trouble { News::Trouble } else { News::Some })
    }

    fn settings(&self) -> impl Iterator<Item = Set> {
        self.settings.try_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_pictures_fill_no_log() {
        let mut broken = Broken::default();
        let told: Vec<u64> = (0..1_000)
            .filter_map(|n| {
                broken.so_far += u64::from(n % 10 == 0);
                broken.is_worth_telling().then_some(broken.so_far)
            })
            .collect();
        assert_eq!(told, [1, 2, 4, 8, 16, 32, 64]);
    }
}
