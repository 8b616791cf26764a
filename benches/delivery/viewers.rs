//! Many viewers in one process and one thread: what they cost must not slow down what is measured.

use std::{
    io::{self, Read},
    net::{SocketAddr, TcpStream},
    os::fd::AsFd,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use rustix::{
    buffer::spare_capacity,
    event::{
        Timespec,
        epoll::{self, EventData, EventFlags},
    },
    fs::inotify,
    process::{Resource, Rlimit, getrlimit, setrlimit},
};
use serde::{Deserialize, Serialize};

use crate::{
    again::{ComeAgain, Waiting},
    arguments::{self, Way},
    connection::{self, Messages},
    picture::{Pictures, micros},
    report,
    stream::Stream,
    viewer::{Picture, Viewer},
};

/// Between the first picture and the beginning of the measurement.
const WARM_UP: Duration = Duration::from_secs(1);

/// How long pictures may be late that were taken within the measurement.
const GRACE: Duration = Duration::from_secs(1);

/// How often those that are connected answer pings while others connect.
const PINGS: usize = 100;

/// From the last viewer's connection to the first one's wish to watch.
const REST: Duration = Duration::from_secs(1);

/// What the process prints when all are connected, when the measurement begins and when it ends.
pub(crate) const CONNECTED: &str = "connected";
pub(crate) const BEGIN: &str = "begin";
pub(crate) const END: &str = "end";

/// What the viewers got.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// The time measured, in µs since 1970.
    pub(crate) from: u64,
    pub(crate) to: u64,
    /// Pictures that came within that time.
    pub(crate) delivered: u64,
    /// Pictures taken within that time that came, sooner or later.
    pub(crate) got: u64,
    pub(crate) torn: u64,
    /// Pictures that were taken before one that the same viewer had got already.
    pub(crate) older: u64,
    /// Viewers whose connection broke, and why the first one did.
    pub(crate) lost: u64,
    pub(crate) why: Option<String>,
    /// How often a viewer who came had to come again, as there was no picture just then.
    pub(crate) in_vain: u64,
    /// From rename to last byte in µs, of those that count in `got`.
    pub(crate) p50: u64,
    pub(crate) p99: u64,
    pub(crate) worst: u64,
    /// How long it took until all were connected, in µs.
    pub(crate) connecting: u64,
}

/// Watches, measures, and prints an [`Outcome`] in JSON.
pub(crate) fn run(arguments: &arguments::Viewers) -> anyhow::Result<()> {
    let most = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most })?;
    let made = Pictures::load(&arguments.pictures, arguments.size)?;
    let mut crowd = Crowd::new(arguments.folder.as_deref())?;
    crowd.connect(arguments, &made)?;
    crowd.waiting = (arguments.churn > 0).then(Waiting::default);
    crowd.churn = (arguments.churn > 0).then(|| Churn {
        address: arguments.address,
        way: arguments.way,
        interval: Duration::from_secs(1) / arguments.churn as u32,
        // When the measurement has begun.
        due: Instant::now() + Duration::from_secs(3600),
        next: 0,
    });
    let outcome = crowd.watch(Duration::from_secs(arguments.seconds), &made)?;
    report::line(&serde_json::to_string(&outcome)?);
    Ok(())
}

struct Crowd {
    epoll: rustix::fd::OwnedFd,
    viewers: Vec<Option<Viewer>>,
    streams: Vec<Option<Stream>>,
    /// Tells of changes in the folder.
    inotify: Option<rustix::fd::OwnedFd>,
    buffer: Vec<u8>,
    /// When the last picture was taken that each viewer got, in µs since 1970: of `viewers`, or of `streams`.
    last: Vec<u64>,
    churn: Option<Churn>,
    /// Those who come again; without it who is sent away is lost.
    waiting: Option<Waiting>,
    latencies: Vec<u64>,
    outcome: Outcome,
    first: Option<Instant>,
}

/// One viewer after the other leaves, and another one comes in its place.
struct Churn {
    address: SocketAddr,
    way: Way,
    interval: Duration,
    due: Instant,
    next: usize,
}

const FOLDER: u64 = u64::MAX;
/// From here on the numbers are those of streams.
const STREAMS: u64 = 1 << 32;

impl Crowd {
    fn new(folder: Option<&Path>) -> anyhow::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let inotify = match folder {
            Some(folder) => {
                let inotify = inotify::init(inotify::CreateFlags::NONBLOCK)?;
                inotify::add_watch(&inotify, folder, inotify::WatchFlags::MOVED_TO)?;
                add(&epoll, &inotify, FOLDER)?;
                Some(inotify)
            }
            None => None,
        };
        Ok(Self {
            epoll,
            viewers: Vec::new(),
            streams: Vec::new(),
            inotify,
            buffer: vec![0; 256 << 10],
            last: Vec::new(),
            churn: None,
            waiting: None,
            latencies: Vec::new(),
            outcome: Outcome::default(),
            first: None,
        })
    }

    fn connect(&mut self, arguments: &arguments::Viewers, made: &Pictures) -> anyhow::Result<()> {
        let started = Instant::now();
        for number in 0..arguments.viewers {
            self.last.push(0);
            match (arguments.way, &arguments.folder) {
                (Way::Socketio, None) => {
                    let announcements = connection::socketio(arguments.address)?;
                    let page = self.page(arguments.address, Some(announcements), number)?;
                    self.viewers.push(Some(page));
                }
                (Way::Socketio, Some(_)) => {
                    let page = self.page(arguments.address, None, number)?;
                    self.viewers.push(Some(page));
                }
                (way, _) => {
                    let stream = self.stream(arguments.address, way, number)?;
                    self.streams.push(Some(stream));
                }
            }
            // All of them are told of each other, so there may be a lot to read.
            while number % PINGS == 0 && self.turn(Instant::now(), made)? {}
        }
        self.outcome.connecting = started.elapsed().as_micros() as u64;
        self.until(Instant::now() + REST, made)?;
        report::line(CONNECTED);
        if let Some((stream, _)) =
            self.viewers[..].first_mut().and_then(|viewer| viewer.as_mut()?.announcements.as_mut())
        {
            connection::send(stream, connection::START)?;
        }
        Ok(())
    }

    /// One more browser.
    fn page(
        &self,
        address: SocketAddr,
        announcements: Option<(TcpStream, Messages)>,
        number: usize,
    ) -> anyhow::Result<Viewer> {
        let mut viewer = Viewer::new(announcements, connection::connect(address)?)?;
        if viewer.announcements.is_some() {
            // What came together with the answer that was waited for: a ping, whose next one comes when it is too late.
            viewer.announced(&[])?;
        }
        let number = number as u64 * 2;
        if let Some((stream, _)) = &viewer.announcements {
            stream.set_nonblocking(true)?;
            add(&self.epoll, stream, number)?;
        }
        viewer.pictures.set_nonblocking(true)?;
        add(&self.epoll, &viewer.pictures, number + 1)?;
        Ok(viewer)
    }

    /// One more viewer of a stream.
    fn stream(&self, address: SocketAddr, way: Way, number: usize) -> anyhow::Result<Stream> {
        let stream = Stream::open(address, way)?;
        stream.stream.set_nonblocking(true)?;
        add(&self.epoll, &stream.stream, STREAMS + number as u64)?;
        Ok(stream)
    }

    /// Lets a viewer leave and another one come, when it is time for that.
    fn change(&mut self) -> anyhow::Result<()> {
        let Some(churn) = self.churn.as_mut().filter(|churn| Instant::now() >= churn.due) else {
            return Ok(());
        };
        churn.due += churn.interval;
        let (address, way, number) = (churn.address, churn.way, churn.next);
        churn.next = (number + 1) % self.last.len();
        self.last[number] = 0;
        if way == Way::Socketio {
            self.viewers[number] = None;
            let announcements = connection::socketio(address)?;
            self.viewers[number] = Some(self.page(address, Some(announcements), number)?);
        } else {
            if let Some(waiting) = &mut self.waiting {
                waiting.forget(number);
            }
            self.streams[number] = None;
            self.streams[number] = Some(self.stream(address, way, number)?);
        }
        Ok(())
    }

    /// Lets those come again whose time it is.
    fn come_again(&mut self) -> anyhow::Result<()> {
        let Some((address, way)) = self.churn.as_ref().map(|churn| (churn.address, churn.way)) else {
            return Ok(());
        };
        while let Some((number, in_vain)) = self.waiting.as_mut().and_then(Waiting::take) {
            let mut stream = self.stream(address, way, number)?;
            stream.in_vain = in_vain;
            self.streams[number] = Some(stream);
        }
        Ok(())
    }

    fn watch(&mut self, length: Duration, made: &Pictures) -> anyhow::Result<Outcome> {
        let started = Instant::now();
        while self.first.is_none() {
            ensure!(started.elapsed() < Duration::from_secs(15), "no picture came within 15 s");
            self.turn(started + Duration::from_secs(15), made)?;
        }
        let begin = Instant::now() + WARM_UP;
        self.until(begin, made)?;
        let delivered = self.outcome.delivered;
        self.outcome.from = micros()?;
        report::line(BEGIN);
        if let Some(churn) = &mut self.churn {
            churn.due = Instant::now();
        }
        self.until(begin + length, made)?;
        self.churn = None;
        self.outcome.to = micros()?;
        let delivered = self.outcome.delivered - delivered;
        report::line(END);
        self.until(begin + length + GRACE, made)?;

        let mut outcome = std::mem::take(&mut self.outcome);
        outcome.delivered = delivered;
        // The latencies of pictures taken before or after the time measured were kept as zero-free pairs.
        let span = outcome.from..outcome.to;
        let mut latencies: Vec<u64> = self
            .latencies
            .chunks_exact(2)
            .filter(|pair| span.contains(&pair[0]))
            .map(|pair| pair[1])
            .collect();
        latencies.sort_unstable();
        outcome.got = latencies.len() as u64;
        let quantile = |q: f64| latencies.get((latencies.len() as f64 * q) as usize).copied().unwrap_or(0);
        (outcome.p50, outcome.p99) = (quantile(0.50), quantile(0.99));
        outcome.worst = latencies.last().copied().unwrap_or(0);
        Ok(outcome)
    }

    fn until(&mut self, end: Instant, made: &Pictures) -> anyhow::Result<()> {
        while Instant::now() < end {
            self.change()?;
            self.come_again()?;
            let change = self.churn.as_ref().map(|churn| churn.due);
            let again = self.waiting.as_ref().filter(|_| change.is_some()).and_then(Waiting::due);
            let next = [change, again].into_iter().flatten().fold(end, Instant::min);
            self.turn(next, made)?;
        }
        Ok(())
    }

    /// Waits for something to do until `end`, and does it; whether there was any.
    fn turn(&mut self, end: Instant, made: &Pictures) -> anyhow::Result<bool> {
        let mut events = Vec::<epoll::Event>::with_capacity(256);
        let left = Timespec::try_from(end.saturating_duration_since(Instant::now()))?;
        match epoll::wait(&self.epoll, spare_capacity(&mut events), Some(&left)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error).context("epoll"),
        }
        let any = !events.is_empty();
        for event in events {
            match event.data.u64() {
                FOLDER => self.folder_changed()?,
                number @ STREAMS.. => self.streamed((number - STREAMS) as usize, made),
                number => self.readable(number, made),
            }
        }
        Ok(any)
    }

    fn readable(&mut self, number: u64, made: &Pictures) {
        let Some(viewer) = &mut self.viewers[number as usize / 2] else { return };
        let picture = match number % 2 {
            0 => Self::heard(viewer, &mut self.buffer).map(|()| None),
            _ => Self::loaded(viewer, &mut self.buffer, made),
        };
        match picture {
            Ok(picture) => picture.into_iter().for_each(|picture| self.got(number as usize / 2, picture)),
            Err(error) => {
                self.viewers[number as usize / 2] = None;
                self.lost(&error);
            }
        }
    }

    fn streamed(&mut self, number: usize, made: &Pictures) {
        let Some(stream) = &mut self.streams[number] else { return };
        let in_vain = stream.in_vain;
        let mut pictures = Vec::new();
        let taken = read(&mut stream.stream, &mut self.buffer).and_then(|count| {
            stream.take(&self.buffer[..count.unwrap_or(0)], made, |picture| pictures.push(picture))
        });
        pictures.into_iter().for_each(|picture| self.got(number, picture));
        if let Err(error) = taken {
            self.streams[number] = None;
            let comes_again = self.waiting.as_mut().zip(error.downcast_ref::<ComeAgain>());
            if comes_again.is_some_and(|(waiting, pause)| waiting.wait(number, in_vain, pause)) {
                self.outcome.in_vain += 1;
            } else {
                self.lost(&error);
            }
        }
    }

    fn got(&mut self, viewer: usize, picture: Picture) {
        let Picture::Whole(taken) = picture else {
            self.outcome.torn += 1;
            return;
        };
        if taken < self.last[viewer] {
            self.outcome.older += 1;
        }
        self.last[viewer] = taken;
        let latency = micros().unwrap_or_default().saturating_sub(taken);
        self.latencies.extend([taken, latency]);
        self.outcome.delivered += 1;
        self.first.get_or_insert_with(Instant::now);
    }

    fn lost(&mut self, error: &anyhow::Error) {
        self.outcome.lost += 1;
        self.outcome.why.get_or_insert_with(|| format!("{error:#}"));
    }

    fn heard(viewer: &mut Viewer, buffer: &mut [u8]) -> anyhow::Result<()> {
        let (stream, _) = viewer.announcements.as_mut().context("no WebSocket")?;
        let Some(count) = read(stream, buffer)? else { return Ok(()) };
        viewer.announced(&buffer[..count])
    }

    fn loaded(viewer: &mut Viewer, buffer: &mut [u8], made: &Pictures) -> anyhow::Result<Option<Picture>> {
        let Some(count) = read(&mut viewer.pictures, buffer)? else { return Ok(None) };
        viewer.loaded(&buffer[..count], made)
    }

    fn folder_changed(&mut self) -> anyhow::Result<()> {
        let inotify = self.inotify.as_ref().context("no folder is watched")?;
        // However many changes these are.
        while rustix::io::read(inotify, &mut self.buffer).is_ok() {}
        let id = micros()?;
        for viewer in self.viewers.iter_mut().flatten() {
            viewer.show(id)?;
        }
        Ok(())
    }
}

fn add(epoll: impl AsFd, file: impl AsFd, number: u64) -> io::Result<()> {
    Ok(epoll::add(epoll, file, EventData::new_u64(number), EventFlags::IN)?)
}

/// What there is to read; an error where that is the end.
fn read(stream: &mut impl Read, buffer: &mut [u8]) -> anyhow::Result<Option<usize>> {
    match stream.read(buffer) {
        Ok(0) => anyhow::bail!("the server has closed the connection"),
        Ok(count) => Ok(Some(count)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error.into()),
    }
}
