//! Pictures from a libcamera camera, taken in this process.
//!
//! libcamera owns threads, and frees nothing in the wrong order: one thread has all of it here, and drops
//! requests before the camera and the camera before the manager.

mod controls;
mod dma;
mod find;
mod flow;
mod setup;
mod trouble;

use std::{
    ops::RangeInclusive,
    sync::mpsc::{self, Receiver, Sender},
    thread,
    time::{Duration, Instant},
};

use libcamera::{
    camera::{ActiveCamera, Camera},
    camera_manager::CameraManager,
    control::ControlList,
    control_value::ControlValue,
    controls::{ControlId, FrameDurationLimits, SensorTimestamp},
    framebuffer::{AsFrameBuffer, FrameMetadataStatus},
    framebuffer_allocator::{FrameBuffer, FrameBufferAllocator},
    framebuffer_map::MemoryMappedFrameBuffer,
    request::{Request, RequestStatus, ReuseFlag},
    stream::Stream,
};

pub use self::find::{Listed, list};
use self::{
    controls::Panel,
    flow::Flow,
    setup::{Format, Setup},
};
use super::{
    Spec, clock,
    encode::Picture,
    output::Output,
    protocol::{Event, Failure, Set, Streaming},
    runner::{Pacer, Stop},
};
use crate::config::Kind;

type Buffer = MemoryMappedFrameBuffer<FrameBuffer>;

/// Captures what `spec` asks for until `stop` is set.
///
/// # Errors
/// When the camera is missing, busy, forbidden, gives no picture that we can encode, or is unplugged, or when
/// the rolling file can't be written.
pub fn capture(spec: &Spec, stop: &Stop, emit: &mut dyn FnMut(Event)) -> Result<(), Failure> {
    let manager = CameraManager::new().map_err(|error| trouble::manager(&error))?;
    let camera = find::choose(&manager.cameras(), &spec.device)?;
    let mut session = Session::open(&camera, spec)?;
    let mut output = Output::open_turned(spec, session.setup.mirror)?;
    let offer = session.panel.set(stop.take_settings().unwrap_or_default());
    session.start(stop)?;
    let (width, height) = output.size(session.setup.width, session.setup.height);
    emit(Event::Streaming(Streaming {
        kind: Kind::Libcamera,
        device: find::describe(&camera),
        width: Some(width),
        height: Some(height),
        notice: None,
    }));
    emit(Event::Controls(offer));
    session.run(spec, &mut output, emit)
}

enum Message {
    Completed(Request),
    Disconnected,
    Set(Set),
    Stop,
}

/// A camera that is ours until the session is dropped. The fields are in the order in which libcamera wants
/// them gone.
struct Session {
    idle: Vec<Request>,
    messages: Receiver<Message>,
    sender: Sender<Message>,
    camera: ActiveCamera<'static>,
    stream: Stream,
    setup: Setup,
    panel: Panel,
    /// What is to be set and no request carries yet.
    wanted: Vec<Set>,
}

impl Drop for Session {
    fn drop(&mut self) {
        // Hands all queued requests back as cancelled, into `messages`.
        let _ = self.camera.stop();
    }
}

impl Session {
    fn open(camera: &Camera<'static>, spec: &Spec) -> Result<Self, Failure> {
        let mut camera = camera.acquire().map_err(|error| trouble::camera("open", &error))?;
        let (setup, stream) = setup::configure(&mut camera, spec)?;
        let (sender, messages) = mpsc::channel();
        let panel = Panel::new(camera.controls(), !spec.picture.masks.is_empty());
        let (idle, wanted) = (Vec::new(), Vec::new());
        let mut session = Self { idle, messages, sender, camera, stream, setup, panel, wanted };

        let buffers =
            FrameBufferAllocator::new(&session.camera).alloc(&stream).map_err(|e| trouble::memory(&e))?;
        for buffer in buffers {
            let buffer = Buffer::new(buffer).map_err(|error| trouble::unexpected("map a picture", &error))?;
            let request = session.camera.create_request(None);
            let mut request = request.ok_or_else(|| Failure::unexplained("libcamera made no request"))?;
            request
                .add_buffer(&stream, buffer)
                .map_err(|error| trouble::unexpected("prepare a request", &error))?;
            session.idle.push(request);
        }
        Ok(session)
    }

    fn start(&mut self, stop: &Stop) -> Result<(), Failure> {
        // In libcamera's thread, where queueing a request would deadlock: the messages go to ours. A send
        // fails only when the session is over.
        let sender = self.sender.clone();
        self.camera.on_request_completed(move |request| {
            let _ = sender.send(Message::Completed(request));
        });
        let sender = self.sender.clone();
        self.camera.on_disconnected(move || {
            let _ = sender.send(Message::Disconnected);
        });
        let (sender, stop) = (self.sender.clone(), stop.clone());
        thread::spawn(move || {
            while let Some(set) = stop.next_settings() {
                let _ = sender.send(Message::Set(set));
            }
            let _ = sender.send(Message::Stop);
        });
        let mut controls = ControlList::new();
        self.panel.put(&mut controls);
        self.camera.start(Some(&controls)).map_err(|error| trouble::camera("start", &error))
    }

    fn run(&mut self, spec: &Spec, output: &mut Output, emit: &mut dyn FnMut(Event)) -> Result<(), Failure> {
        let limits = frame_duration_limits(&self.camera);
        let duration = flow::frame_duration(spec.interval, limits.as_ref());
        let mut pacer = Pacer::new(spec.interval);
        // Up to the first picture the camera runs as fast as it likes: its exposure settles sooner.
        let mut flow: Option<Flow> = None;
        loop {
            let now = Instant::now();
            while flow.as_ref().is_none_or(|flow| flow.is_open(now))
                && let Some(mut request) = self.idle.pop()
            {
                request.reuse(ReuseFlag::REUSE_BUFFERS);
                let first = flow.as_mut().is_some_and(|flow| flow.take(now));
                if first && limits.is_some() {
                    set_frame_duration(&mut request, duration)?;
                }
                self.panel.put(request.controls_mut());
                let queued = self.camera.queue_request(request);
                queued.map_err(|(_, error)| trouble::camera("go on with", &error))?;
            }

            let until = if self.idle.is_empty() { None } else { flow.as_ref().and_then(Flow::opens) };
            let next = self.next(until)?;
            for set in self.wanted.drain(..) {
                emit(Event::Controls(self.panel.set(set)));
            }
            let request = match next {
                Next::Picture(request) => request,
                Next::Nothing => continue,
                Next::Stop => return Ok(()),
            };
            let published =
                if pacer.is_due(Instant::now()) { self.publish(&request, output) } else { Ok(false) };
            self.idle.push(request);
            if published? {
                flow.get_or_insert_with(|| Flow::new(duration));
            }
        }
    }

    /// False where a camera that makes JPEGs itself made none.
    fn publish(&self, request: &Request, output: &mut Output) -> Result<bool, Failure> {
        let stamp = request.metadata().get::<SensorTimestamp>().ok();
        let stamp = stamp.and_then(|stamp| u64::try_from(stamp.0).ok()).map(Duration::from_nanos);
        let exposed = clock::exposed(stamp);
        let buffer = self.buffer(request);
        let _reading = dma::Reading::new(buffer.planes().into_iter().map(|plane| plane.fd()));
        let planes = buffer.data();
        let setup = &self.setup;
        match setup.format {
            Format::Planes(layout) => {
                let picture = Picture {
                    layout,
                    width: setup.width as usize,
                    height: setup.height as usize,
                    stride: setup.stride as usize,
                    planes: &planes,
                    range: setup.range,
                };
                output.publish_raw(&picture, exposed)?;
            }
            Format::Jpeg => {
                let used = buffer.metadata().and_then(|metadata| metadata.planes().get(0));
                let jpeg =
                    planes.first().zip(used).and_then(|(all, used)| all.get(..used.bytes_used as usize));
                let Some(jpeg) = jpeg else { return Ok(false) };
                output.publish(jpeg, exposed)?;
            }
        }
        Ok(true)
    }

    /// The newest picture that has come, or the first that comes before `until`. Older ones are passed over.
    ///
    /// libcamera's threads may still look at a request that has just come, so none is dropped before the
    /// camera has stopped: it goes to `idle`, whatever else happens.
    fn next(&mut self, until: Option<Instant>) -> Result<Next, Failure> {
        let mut message = match until {
            None => self.messages.recv().ok(),
            Some(until) => self.messages.recv_timeout(until.saturating_duration_since(Instant::now())).ok(),
        };
        let mut newest = None;
        while let Some(heard) = message {
            match heard {
                Message::Stop => {
                    self.idle.extend(newest);
                    return Ok(Next::Stop);
                }
                Message::Disconnected => {
                    self.idle.extend(newest);
                    return Err(trouble::disconnected());
                }
                Message::Completed(request) if self.is_whole(&request) => {
                    self.idle.extend(newest.replace(request));
                }
                Message::Completed(request) => self.idle.push(request),
                Message::Set(set) => self.wanted.push(set),
            }
            message = self.messages.try_recv().ok();
        }
        Ok(newest.map_or(Next::Nothing, Next::Picture))
    }

    fn buffer<'a>(&self, request: &'a Request) -> &'a Buffer {
        request.buffer(&self.stream).expect("each request got a buffer of this stream and keeps it")
    }

    fn is_whole(&self, request: &Request) -> bool {
        let status = self.buffer(request).metadata().map(|metadata| metadata.status());
        // `Startup` is a picture whose exposure has not settled.
        request.status() == RequestStatus::Complete && status == Some(FrameMetadataStatus::Success)
    }
}

enum Next {
    Picture(Request),
    Nothing,
    Stop,
}

/// The shortest and the longest time from one picture to the next, where the camera lets us choose it.
/// Setting a control that a camera lacks is no error in libcamera, so look first.
fn frame_duration_limits(camera: &Camera<'_>) -> Option<RangeInclusive<Duration>> {
    let info = camera.controls().find(ControlId::FrameDurationLimits as u32).ok()?;
    let micros = |value: ControlValue| {
        let micros =
            i64::try_from(value.clone()).or_else(|_| <[i64; 2]>::try_from(value).map(|[first, _]| first));
        micros.ok().and_then(|micros| u64::try_from(micros).ok()).map(Duration::from_micros)
    };
    let (shortest, longest) = (micros(info.min())?, micros(info.max())?);
    (!longest.is_zero() && shortest <= longest).then_some(shortest..=longest)
}

fn set_frame_duration(request: &mut Request, duration: Duration) -> Result<(), Failure> {
    let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    let set = request.controls_mut().set(FrameDurationLimits([micros, micros]));
    set.map_err(|error| trouble::unexpected("set the frame duration", &error))
}
