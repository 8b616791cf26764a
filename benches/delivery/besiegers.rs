//! Clients that take their time, and how long the server bears with each.

use std::{
    io::{self, ErrorKind, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use rustix::{
    buffer::spare_capacity,
    event::{
        Timespec,
        epoll::{self, EventData, EventFlags},
    },
};
use socket2::{Domain, Protocol, Socket, Type};

use crate::feeder::TOKEN;

/// Who was shown out comes back so much later.
const PAUSE: Duration = Duration::from_secs(1);

/// A byte of a head comes so often.
const DRIP: Duration = Duration::from_secs(1);

/// What such a client does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Sends a request head, a byte a second.
    Head,
    /// Sends the first 1,000 bytes of an upload.
    Upload,
    /// Asks for a stream and reads nothing of it.
    Reader,
    /// Connects and says nothing.
    Silent,
}

/// What became of the clients of one manner.
#[derive(Debug, Default)]
pub(crate) struct Borne {
    /// How long the server bore with each connection that it has ended.
    pub(crate) lasted: Vec<Duration>,
    /// Connections that did not come about.
    pub(crate) refused: usize,
    /// Connections that were still open at the end.
    pub(crate) left: usize,
}

impl Borne {
    pub(crate) fn longest(&self) -> Duration {
        self.lasted.iter().max().copied().unwrap_or_default()
    }
}

struct Besieger {
    manner: usize,
    state: State,
}

enum State {
    /// Comes at that time.
    Away(Instant),
    /// What is to be sent once the connection stands, and when it was begun.
    Connecting(TcpStream, Instant),
    /// Since when, and when the next byte is due.
    There(TcpStream, Instant, Instant),
}

/// Besieges `address` with so many of each manner for `length`, each of whom comes again when it was shown out. Then
/// nobody comes any more, and those who are there are waited for, `patience` long.
pub(crate) fn besiege(
    address: SocketAddr,
    manners: &[(Manner, usize)],
    length: Duration,
    patience: Duration,
) -> anyhow::Result<Vec<Borne>> {
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    let mut outcome: Vec<Borne> = manners.iter().map(|_| Borne::default()).collect();
    let began = Instant::now();
    let mut besiegers: Vec<Besieger> = manners
        .iter()
        .enumerate()
        .flat_map(|(manner, (_, count))| (0..*count).map(move |_| manner))
        // Not all in the same millisecond.
        .enumerate()
        .map(|(number, manner)| Besieger {
            manner,
            state: State::Away(began + Duration::from_micros(200) * number as u32),
        })
        .collect();
    let mut events = Vec::<epoll::Event>::with_capacity(1024);
    loop {
        let now = Instant::now();
        let over = now >= began + length;
        let mut anybody = false;
        for (number, besieger) in besiegers.iter_mut().enumerate() {
            let (manner, borne) = (manners[besieger.manner].0, &mut outcome[besieger.manner]);
            match &mut besieger.state {
                State::Away(_) if over => continue,
                State::Away(until) if *until <= now => match connect(address, number, manner) {
                    Ok(stream) => {
                        let events = EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
                        epoll::add(&epoll, &stream, EventData::new_u64(number as u64), events)?;
                        besieger.state = State::Connecting(stream, now);
                    }
                    Err(_) => {
                        borne.refused += 1;
                        besieger.state = State::Away(now + PAUSE);
                    }
                },
                State::There(stream, _, due) if manner == Manner::Head && *due <= now => {
                    *due += DRIP;
                    // When the server has closed the connection, its event says so.
                    let _ = stream.write(b"x");
                }
                _ => {}
            }
            anybody |= !matches!(besieger.state, State::Away(_));
        }
        if over && (!anybody || now >= began + length + patience) {
            break;
        }
        events.clear();
        let wait = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };
        match epoll::wait(&epoll, spare_capacity(&mut events), Some(&wait)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        for event in &events {
            let besieger = &mut besiegers[event.data.u64() as usize];
            let (manner, borne) = (manners[besieger.manner].0, &mut outcome[besieger.manner]);
            let flags = event.flags;
            let ended = flags.intersects(EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR);
            let (now, away) = (Instant::now(), State::Away(Instant::now() + PAUSE));
            besieger.state = match std::mem::replace(&mut besieger.state, away) {
                State::Connecting(stream, since) | State::There(stream, since, _) if ended => {
                    drop(stream);
                    borne.lasted.push(since.elapsed());
                    State::Away(now + PAUSE)
                }
                State::Connecting(mut stream, since) => match stream.write_all(&manner.says(address)) {
                    Ok(()) => State::There(stream, since, now + DRIP),
                    Err(_) => {
                        borne.refused += 1;
                        State::Away(now + PAUSE)
                    }
                },
                state => state,
            };
        }
    }
    for besieger in besiegers.iter().filter(|besieger| !matches!(besieger.state, State::Away(_))) {
        outcome[besieger.manner].left += 1;
    }
    Ok(outcome)
}

/// Begins a connection, from one of the machine's own addresses.
fn connect(address: SocketAddr, number: usize, manner: Manner) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.set_reuse_address(true)?;
    // Its end leaves no trace.
    socket.set_linger(Some(Duration::ZERO))?;
    if manner == Manner::Reader {
        socket.set_recv_buffer_size(4096)?;
    }
    socket.bind(&SocketAddr::from((Ipv4Addr::new(127, 0, 1, (number % 64) as u8 + 1), 0)).into())?;
    match socket.connect(&address.into()) {
        Ok(()) => {}
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::INPROGRESS.raw_os_error()) => {}
        Err(error) if error.kind() == ErrorKind::WouldBlock => {}
        Err(error) => return Err(error),
    }
    Ok(socket.into())
}

impl Manner {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Head => "heads that drip",
            Self::Upload => "uploads that stall",
            Self::Reader => "readers that never read",
            Self::Silent => "connections",
        }
    }

    /// What it sends at once.
    fn says(self, address: SocketAddr) -> Vec<u8> {
        match self {
            Self::Head => format!("GET / HTTP/1.1\r\nHost: {address}\r\nX: "),
            Self::Upload => format!(
                "POST /upload HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {TOKEN}\r\n\
                 Content-Type: image/jpeg\r\nContent-Length: 100000\r\n\r\n{}",
                "x".repeat(1000)
            ),
            Self::Reader => format!("GET /stream.mjpg HTTP/1.1\r\nHost: {address}\r\n\r\n"),
            Self::Silent => String::new(),
        }
        .into()
    }
}
