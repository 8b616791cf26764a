//! The shell around every capture process: requests and signals in, events and an exit code out.

use std::{
    fmt::Display,
    fs::File,
    io::{self, BufRead, Write},
    os::fd::AsFd,
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::{SIGINT, SIGTERM};

use super::protocol::{Event, Failure, Offer, Request, Set};
pub use super::wishes::{Stop, Wish, checked};

/// Runs `source` until it ends, and gives the process's exit code: 0 when it returned `Ok`, which it does
/// when it was asked to stop, else 1, with the failure printed as the last event.
///
/// A `stop` request or the end of standard input, SIGTERM and SIGINT set the [`Stop`] that `source` gets. What a
/// `set` request asks for is there too, that which was there before the process from the very beginning.
/// What `source` hands to the function that it also gets is printed as one JSON line on standard output. When
/// nobody reads it any more, the daemon is gone, and that too means stop.
pub fn run(source: impl FnOnce(&Stop, &mut dyn FnMut(Event)) -> Result<(), Failure>) -> ExitCode {
    let stop = Stop::default();
    let ready = stop_on_signals(&stop).and_then(|()| {
        // Not `io::stdin()`, which does not tell what it holds.
        let mut input = io::BufReader::new(File::from(io::stdin().as_fd().try_clone_to_owned()?));
        hear_what_is_there(&mut input, &stop);
        let heard = stop.clone();
        thread::Builder::new().spawn(move || listen(input, &heard))
    });
    let output = io::stdout().lock();
    match ready {
        Ok(_listener) => drive(&stop, output, source),
        Err(error) => drive(&stop, output, |_, _| {
            Err(Failure::unexplained(format!("can't listen to signals and requests: {error}")))
        }),
    }
}

/// Runs a source that has no controls, and says so in its place.
///
/// # Errors
/// Those of the source.
pub fn without_controls(
    stop: &Stop,
    emit: &mut dyn FnMut(Event),
    source: impl FnOnce(&Stop, &mut dyn FnMut(Event)) -> Result<(), Failure>,
) -> Result<(), Failure> {
    stop.without_controls();
    source(stop, &mut |event| {
        let streams = matches!(event, Event::Streaming(_));
        emit(event);
        if streams {
            emit(Event::Controls(Offer::default()));
        }
    })
}

/// Writes a line for the daemon's log on standard error.
pub fn log(message: impl Display) {
    // eprintln! would panic when the daemon is gone.
    let _ = writeln!(io::stderr(), "{message}");
}

fn drive(
    stop: &Stop,
    mut output: impl Write,
    source: impl FnOnce(&Stop, &mut dyn FnMut(Event)) -> Result<(), Failure>,
) -> ExitCode {
    let mut emit = |event: Event| {
        let mut line = serde_json::to_vec(&event).expect("events have string keys only");
        line.push(b'\n');
        if output.write_all(&line).and_then(|()| output.flush()).is_err() {
            stop.set();
        }
    };
    match source(stop, &mut emit) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            emit(Event::Error(failure));
            ExitCode::FAILURE
        }
    }
}

fn listen(mut input: impl BufRead, stop: &Stop) {
    while !stop.is_set() {
        hear(&mut input, stop);
    }
}

/// Hears the requests that have come already, so that the first picture is as it is wanted.
fn hear_what_is_there(input: &mut io::BufReader<impl io::Read + AsFd>, stop: &Stop) {
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    while !stop.is_set() {
        let mut waiting = [PollFd::new(input.get_ref(), PollFlags::IN)];
        if input.buffer().is_empty() && !matches!(poll(&mut waiting, Some(&now)), Ok(1..)) {
            return;
        }
        hear(input, stop);
    }
}

fn hear(input: &mut impl BufRead, stop: &Stop) {
    let mut line = Vec::new();
    match input.read_until(b'\n', &mut line) {
        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
        Ok(0) | Err(_) => stop.set(),
        Ok(_) => match serde_json::from_slice(&line) {
            Ok(Request::Stop) => stop.set(),
            Ok(Request::Set(set)) => stop.hear(set),
            Err(error) => {
                let line = String::from_utf8_lossy(line.trim_ascii_end());
                log(format_args!("request not understood: {error}: {line}"));
            }
        },
    }
}

fn stop_on_signals(stop: &Stop) -> io::Result<()> {
    let mut signals = signal_hook::iterator::Signals::new([SIGTERM, SIGINT])?;
    let stop = stop.clone();
    thread::spawn(move || {
        for _ in signals.forever() {
            stop.set();
        }
    });
    Ok(())
}

/// Keeps pictures an interval apart. Use one kind of method only: [`Pacer::wait`] or [`Pacer::wait_and_set`] where we decide when a
/// picture is taken, [`Pacer::is_due`] where the camera does.
#[derive(Debug)]
pub struct Pacer {
    interval: Duration,
    next: Option<Instant>,
}

impl Pacer {
    /// A pacer whose first picture is due at once.
    pub fn new(interval: Duration) -> Self {
        Self { interval, next: None }
    }

    /// Waits until the next picture is due; false when the capture is to stop.
    ///
    /// Ticks lie on a grid that does not drift. One that was missed by more than half an interval is left
    /// out, so that two never come in a bunch.
    #[must_use]
    pub fn wait(&mut self, stop: &Stop) -> bool {
        let due = self.tick(Instant::now());
        !stop.wait_until(due)
    }

    /// The same, and hands over what is to be set meanwhile as soon as it is known.
    #[must_use]
    pub fn wait_and_set(&mut self, stop: &Stop, mut set: impl FnMut(Set)) -> bool {
        let due = self.tick(Instant::now());
        loop {
            match stop.wish_until(due) {
                Wish::Stop => return false,
                Wish::Nothing => return true,
                Wish::Set(wanted) => set(wanted),
            }
        }
    }

    fn tick(&mut self, now: Instant) -> Instant {
        let due = match self.next {
            None => now,
            Some(next) => {
                let late = now.saturating_duration_since(next) + self.interval / 2;
                let missed = late.as_nanos() / self.interval.as_nanos().max(1);
                next + self.interval * u32::try_from(missed).unwrap_or(0)
            }
        };
        self.next = Some(due + self.interval);
        due
    }

    /// Whether a picture that comes at `now` is to be kept.
    ///
    /// Pictures may come up to half an interval early, or a camera whose clock runs a little faster than the
    /// interval would lose every second one; on average they are never closer than the interval.
    #[must_use]
    pub fn is_due(&mut self, now: Instant) -> bool {
        match self.next {
            Some(next) if now + self.interval / 2 < next => false,
            next => {
                self.next = Some(next.unwrap_or(now).max(now) + self.interval);
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::{capture::protocol::Streaming, config::Kind};

    fn streaming() -> Event {
        let device = "test".to_owned();
        Event::Streaming(Streaming { kind: Kind::Pattern, device, width: None, height: None, notice: None })
    }

    fn code(code: ExitCode) -> String {
        format!("{code:?}")
    }

    #[test]
    fn events_are_lines_and_a_failure_is_the_last_of_them() {
        let mut output = Vec::new();
        let ended = drive(&Stop::default(), &mut output, |_, emit| {
            emit(streaming());
            Err(Failure::new("no camera", "plug one in"))
        });
        assert_eq!(code(ended), code(ExitCode::FAILURE));
        assert_eq!(
            String::from_utf8(output).unwrap(),
            "{\"event\":\"streaming\",\"kind\":\"pattern\",\"device\":\"test\"}\n\
             {\"event\":\"error\",\"reason\":\"no camera\",\"hint\":\"plug one in\"}\n"
        );
    }

    #[test]
    fn a_daemon_that_no_longer_reads_means_stop() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let ended = drive(&Stop::default(), Gone, |stop, emit| {
            assert!(!stop.is_set());
            emit(streaming());
            stop.wait();
            Ok(())
        });
        assert_eq!(code(ended), code(ExitCode::SUCCESS));
    }

    #[test]
    fn a_stop_request_and_the_end_of_input_mean_stop() {
        for input in ["{\"request\":\"stop\"}\n", "", "what?\n", "\u{0}"] {
            let stop = Stop::default();
            listen(input.as_bytes(), &stop);
            assert!(stop.is_set(), "{input:?}");
        }
        let stop = Stop::default();
        let (reader, mut writer) = io::pipe().unwrap();
        let heard = stop.clone();
        let listener = thread::spawn(move || listen(io::BufReader::new(reader), &heard));
        writer.write_all(b"{\"request\":\"stop\"}\n").unwrap();
        stop.wait();
        listener.join().unwrap();
        drop(writer);
    }

    #[test]
    fn what_was_asked_before_the_start_is_heard_before_the_source_runs() {
        let (reader, mut writer) = io::pipe().unwrap();
        let stop = Stop::default();
        let mut input = io::BufReader::new(reader);
        hear_what_is_there(&mut input, &stop);
        assert_eq!(stop.take_settings(), None);
        let lines = "{\"request\":\"set\",\"controls\":{\"a\":1,\"b\":true}}\n\
                     {\"request\":\"set\",\"serial\":4,\"controls\":{\"a\":null}}\n";
        writer.write_all(lines.as_bytes()).unwrap();
        hear_what_is_there(&mut input, &stop);
        let set = stop.take_settings().unwrap();
        assert_eq!(
            serde_json::to_value(set).unwrap(),
            json!({"serial": 4, "controls": {"a": null, "b": true}})
        );
        assert!(!stop.is_set());
        drop(writer);
        hear_what_is_there(&mut input, &stop);
        assert!(stop.is_set());
    }

    #[test]
    fn a_source_that_waits_for_its_next_picture_hears_at_once_what_is_to_be_set() {
        let stop = Stop::default();
        let (reader, mut writer) = io::pipe().unwrap();
        let heard = stop.clone();
        let listener = thread::spawn(move || listen(io::BufReader::new(reader), &heard));
        let mut pacer = Pacer::new(Duration::from_secs(3600));
        assert!(pacer.wait(&stop));
        writer.write_all(b"{\"request\":\"set\",\"controls\":{\"a\":1}}\n").unwrap();
        let mut sets = Vec::new();
        let goes_on = pacer.wait_and_set(&stop, |set| {
            sets.push(set);
            writer.write_all(b"{\"request\":\"stop\"}\n").unwrap();
        });
        assert!(!goes_on);
        assert_eq!(sets.len(), 1);
        listener.join().unwrap();
    }

    const INTERVAL: Duration = Duration::from_millis(100);

    fn kept(arrivals: impl IntoIterator<Item = u64>) -> Vec<u64> {
        let start = Instant::now();
        let mut pacer = Pacer::new(INTERVAL);
        arrivals.into_iter().filter(|ms| pacer.is_due(start + Duration::from_millis(*ms))).collect()
    }

    #[test]
    fn a_camera_at_the_interval_loses_no_picture_to_jitter() {
        let jittery: Vec<u64> = (1..50).map(|n| n * 100 + [0, 30, 7, 21][n as usize % 4]).collect();
        assert_eq!(kept(jittery.iter().copied()), jittery);
        let slow: Vec<u64> = (0..50).map(|n| n * 101).collect();
        assert_eq!(kept(slow.iter().copied()), slow);
    }

    #[test]
    fn a_faster_camera_is_brought_down_to_the_interval() {
        for period in [1, 7, 33, 40, 90, 99] {
            let kept = kept((0..12_000).step_by(period)).len();
            assert!((110..=121).contains(&kept), "{kept} of a camera with a period of {period} ms");
        }
    }

    proptest! {
        #[test]
        fn kept_pictures_are_never_bunched(mut arrivals in prop::collection::vec(0_u64..5_000, 1..300)) {
            arrivals.sort_unstable();
            let kept = kept(arrivals.iter().copied());
            prop_assert_eq!(kept[0], arrivals[0]);
            for pair in kept.windows(2) {
                prop_assert!(pair[1] - pair[0] >= 50, "{:?}", pair);
            }
            prop_assert!(kept.len() as u64 <= (kept[kept.len() - 1] - kept[0] + 50) / 100 + 1);
        }

        #[test]
        fn ticks_lie_on_one_grid_whatever_the_work_takes(work in prop::collection::vec(0_u64..350, 1..100)) {
            let start = Instant::now();
            let mut pacer = Pacer::new(INTERVAL);
            let (mut now, mut last) = (start, None);
            for took in work {
                let due = pacer.tick(now);
                prop_assert_eq!((due - start).as_millis() % 100, 0);
                if let Some(last) = last {
                    prop_assert!(due > last);
                }
                prop_assert!(now <= due + INTERVAL / 2, "a tick missed by more is left out");
                last = Some(due);
                now = now.max(due) + Duration::from_millis(took);
            }
        }
    }
}
