//! A switch that is a line of a GPIO chip, through the kernel's character device.

use std::{thread, time::Duration};

use gpiocdev::{
    Error, Request,
    line::{Bias, EdgeDetection, Value},
};
use tokio::sync::watch;

use super::switch::tell;
use crate::capture::protocol::Failure;

/// How often a line is looked at without an edge, and asked for where it can't be had.
const LOOK: Duration = Duration::from_secs(1);

pub(super) struct Line {
    chip: String,
    line: u32,
    low: bool,
    request: Option<Request>,
}

impl Line {
    pub(super) fn new(chip: &str, line: u32, low: bool) -> Self {
        Self { chip: chip.to_owned(), line, low, request: None }
    }

    /// Why the camera may not run.
    pub(super) fn look(&mut self) -> Option<Failure> {
        match self.is_on() {
            Ok(false) => None,
            Ok(true) => Some(Failure::unexplained(format!("switched off by {}", self.name()))),
            Err(error) => {
                self.request = None;
                Some(self.trouble(&error))
            }
        }
    }

    fn is_on(&mut self) -> gpiocdev::Result<bool> {
        let request = match &self.request {
            Some(request) => request,
            None => {
                let request = self.ask()?;
                self.request.insert(request)
            }
        };
        Ok(request.value(self.line)? == Value::Active)
    }

    /// A line to which nothing is connected is pulled to where the switch is off.
    fn ask(&self) -> gpiocdev::Result<Request> {
        let mut request = Request::builder();
        request
            .on_chip(format!("/dev/{}", self.chip))
            .with_consumer("eyelid")
            .with_line(self.line)
            .as_input();
        if self.low {
            request.as_active_low().with_bias(Bias::PullUp);
        } else {
            request.with_bias(Bias::PullDown);
        }
        request.with_edge_detection(EdgeDetection::BothEdges).request()
    }

    fn name(&self) -> String {
        format!("{}, line {}", self.chip, self.line)
    }

    fn trouble(&self, error: &Error) -> Failure {
        let hint = match error {
            Error::Os(errno) if matches!(errno.0, libc::EACCES | libc::EPERM) => {
                "let Eyelid use it: SupplementaryGroups=gpio for the service, or sudo usermod -aG gpio USER, with the group that ls -l /dev/gpiochip* tells"
            }
            _ => "gpioinfo, of the package gpiod, lists chips, lines, and who uses them",
        };
        let name = self.name();
        Failure::new(format!("the switch {name} can't be read, so the camera stays off: {error}"), hint)
    }

    /// Follows the line until nobody listens any more, in a thread: reading a line that has gone may block.
    pub(super) fn follow(mut self, on: watch::Sender<Option<Failure>>) {
        while !on.is_closed() {
            tell(&on, self.look());
            let Some(request) = &self.request else {
                thread::sleep(LOOK);
                continue;
            };
            // The value counts, not the edge: of edges that follow each other closely some may be lost.
            let edge = match request.wait_edge_event(LOOK) {
                Ok(true) => request.read_edge_event().map(drop),
                Ok(false) => Ok(()),
                Err(error) => Err(error),
            };
            if edge.is_err() {
                self.request = None;
            }
        }
    }
}
