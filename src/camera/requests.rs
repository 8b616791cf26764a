//! What a capture process is asked for, written to its standard input.

use std::{
    io::{self, Write},
    os::fd::OwnedFd,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{io::AsyncWriteExt, net::unix::pipe, sync::Notify};
use tokio_util::sync::CancellationToken;

use crate::capture::protocol::{Request, Set};

/// What surely fits into a new pipe: a page, whatever the user's other pipes take.
const FITS: usize = 4096;

/// The letter box of a capture process. One that does not read gets the newest value of each control in the
/// end, and costs no more memory meanwhile.
#[derive(Debug, Clone, Default)]
pub(super) struct Outbox(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    set: Mutex<Option<Set>>,
    ready: Notify,
}

impl Outbox {
    /// Asks for controls to be set.
    pub(super) fn set(&self, new: Set) {
        self.0.set.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default().merge(new);
        self.0.ready.notify_one();
    }

    fn take(&self) -> Option<Set> {
        self.0.set.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// A pipe for a process that is not started yet. What it has to set `first` is in it already where there is
    /// room, so that it can know before its first picture.
    pub(super) fn pipe(&self, first: Option<Set>) -> io::Result<(OwnedFd, pipe::Sender)> {
        let (reader, mut writer) = io::pipe()?;
        if let Some(first) = first {
            let line = line(&Request::Set(first.clone()));
            if line.len() <= FITS {
                writer.write_all(&line)?;
            } else {
                self.set(first);
            }
        }
        Ok((reader.into(), pipe::Sender::from_owned_fd(writer.into())?))
    }

    /// Writes what is put in, until `stop`; then that, and closes the pipe.
    pub(super) async fn deliver(self, mut pipe: pipe::Sender, stop: CancellationToken) {
        let settings = async {
            loop {
                self.0.ready.notified().await;
                while let Some(set) = self.take() {
                    if pipe.write_all(&line(&Request::Set(set))).await.is_err() {
                        return;
                    }
                }
            }
        };
        // A process that does not read may leave half a line here. The stop becomes a part of that line then,
        // and the end of the input says the same.
        let _ = stop.run_until_cancelled(settings).await;
        stop.cancelled().await;
        let _ = pipe.write_all(&line(&Request::Stop)).await;
    }
}

fn line(request: &Request) -> Vec<u8> {
    let mut line = serde_json::to_vec(request).expect("a request has string keys only");
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Read, pipe};

    use super::*;
    use crate::controls::Value;

    fn set(serial: u64, value: &str) -> Set {
        Set { serial, controls: [("a".to_owned(), Some(Value::Text(value.to_owned())))].into() }
    }

    fn requests(input: impl Read) -> Vec<Request> {
        BufReader::new(input).lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect()
    }

    #[tokio::test]
    async fn what_is_first_lies_in_the_pipe_before_anybody_writes() {
        let outbox = Outbox::default();
        let (reader, writer) = outbox.pipe(Some(set(1, "x"))).unwrap();
        drop(writer);
        assert_eq!(requests(std::fs::File::from(reader)), [Request::Set(set(1, "x"))]);
    }

    #[tokio::test]
    async fn what_is_too_long_for_that_comes_after_it() {
        let long = "x".repeat(200_000);
        let (outbox, stop) = (Outbox::default(), CancellationToken::new());
        let (reader, writer) = outbox.pipe(Some(set(1, &long))).unwrap();
        let delivery = tokio::spawn(outbox.clone().deliver(writer, stop.clone()));
        let (long_again, reading) = (long.clone(), std::fs::File::from(reader));
        let read = tokio::task::spawn_blocking(move || {
            let mut reading = BufReader::new(reading);
            let mut line = String::new();
            reading.read_line(&mut line).unwrap();
            assert_eq!(serde_json::from_str::<Request>(&line).unwrap(), Request::Set(set(1, &long_again)));
            stop.cancel();
            requests(reading)
        });
        assert_eq!(read.await.unwrap(), [Request::Stop]);
        delivery.await.unwrap();
    }

    #[tokio::test]
    async fn a_process_that_does_not_read_costs_one_value_each_and_no_stop_is_held_up() {
        let (outbox, stop) = (Outbox::default(), CancellationToken::new());
        let (reader, writer) = outbox.pipe(None).unwrap();
        let delivery = tokio::spawn(outbox.clone().deliver(writer, stop.clone()));
        let long = "x".repeat(100_000);
        for serial in 1..=100 {
            outbox.set(set(serial, &long));
            tokio::task::yield_now().await;
        }
        let waiting = outbox.0.set.lock().unwrap().clone();
        assert!(waiting.is_none_or(|set| set.serial == 100 && set.controls.len() == 1));
        stop.cancel();
        let mut rest = Vec::new();
        let mut reader = std::fs::File::from(reader);
        let read = tokio::task::spawn_blocking(move || reader.read_to_end(&mut rest).unwrap());
        delivery.await.unwrap();
        assert!(read.await.unwrap() > 0);
    }

    #[test]
    fn a_pipe_takes_a_page_at_once() {
        // The reason why `pipe` may write before anybody reads.
        let (_reader, mut writer) = pipe().unwrap();
        writer.write_all(&[b'x'; FITS]).unwrap();
    }
}
