//! One capture process: started as a child in a process group of its own, stopped and reaped.

use std::{
    ffi::OsString, io, os::unix::process::ExitStatusExt, path::PathBuf, process::ExitStatus, process::Stdio,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, Command},
    sync::mpsc,
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::requests::Outbox;
use crate::{
    capture::{
        Spec,
        protocol::{Event, Failure, Offer, Set, Streaming},
    },
    child::die_with_parent,
    config::CameraName,
};

/// How long a process may take to end after it was asked on standard input.
const ASK_DEADLINE: Duration = Duration::from_secs(2);
/// How long it may take to end after SIGTERM; SIGKILL follows.
const TERM_DEADLINE: Duration = Duration::from_secs(1);
/// How long the last lines of a process that has ended may take: something that it started may still hold
/// the other end of its output.
const LAST_WORDS_DEADLINE: Duration = Duration::from_millis(500);
/// Longer lines are split: a capture process is a program that may be broken.
/// A webcam with forty controls and their choices tells them in some 12 kB.
const LONGEST_LINE: u64 = 256 << 10;

/// The program that captures: `eyelid` itself.
#[derive(Debug, Clone)]
pub struct Program(PathBuf);

impl Program {
    /// This very program, even when its file has been replaced by an update since it was started.
    pub fn this() -> Self {
        Self("/proc/self/exe".into())
    }

    /// Another `eyelid`, for tests that are programs of their own.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }
}

/// What a capture process tells.
#[derive(Debug)]
pub(super) enum Told {
    /// The camera is open.
    Streaming(Streaming),
    /// Something that it gave was no picture.
    Ignored(String),
    /// What can be set of it.
    Controls(Offer),
    /// The process has ended and is reaped; why, as far as it can be known.
    Ended(Failure),
}

/// A running capture process. Dropping it kills the process.
#[derive(Debug)]
pub(super) struct CaptureProcess {
    stop: CancellationToken,
    told: mpsc::Receiver<Told>,
    requests: Outbox,
    pid: u32,
}

impl CaptureProcess {
    /// Starts it, with controls to set before its first picture.
    ///
    /// # Errors
    /// When the system has no room for one more process.
    pub(super) fn start(program: &Program, spec: &Spec, first: Option<Set>) -> Result<Self, Failure> {
        let cant =
            |error: io::Error| Failure::unexplained(format!("the capture process can't be started: {error}"));
        let requests = Outbox::default();
        let (input, pipe) = requests.pipe(first).map_err(cant)?;
        let mut command = std::process::Command::new(&program.0);
        std::os::unix::process::CommandExt::arg0(&mut command, "eyelid");
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command.arg("capture").args(spec.to_args().into_iter().map(OsString::from));
        command.stdin(Stdio::from(input)).stdout(Stdio::piped()).stderr(Stdio::piped());
        die_with_parent(&mut command);
        let mut command = Command::from(command);
        let child = command.kill_on_drop(true).spawn().map_err(cant)?;
        // It keeps our end of the pipe open, which is not ours any more.
        drop(command);
        let pid = child.id().expect("a child has an id until it is reaped");
        let (tell, told) = mpsc::channel(64);
        let stop = CancellationToken::new();
        let delivery = tokio::spawn(requests.clone().deliver(pipe, stop.clone()));
        tokio::spawn(supervise(spec.name.clone(), child, pid, stop.clone(), delivery, tell));
        Ok(Self { stop, told, requests, pid })
    }

    /// Asks for controls to be set. [`Told::Controls`] follows.
    pub(super) fn set(&self, set: Set) {
        self.requests.set(set);
    }

    /// Begins to stop it; [`Told::Ended`] follows.
    pub(super) fn stop(&self) {
        self.stop.cancel();
    }

    /// Its process id.
    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    /// What it tells next. [`Told::Ended`] is the last.
    pub(super) async fn told(&mut self) -> Told {
        let lost = || Told::Ended(Failure::unexplained("the capture process is lost"));
        self.told.recv().await.unwrap_or_else(lost)
    }
}

async fn supervise(
    camera: CameraName,
    mut child: Child,
    pid: u32,
    stop: CancellationToken,
    delivery: JoinHandle<()>,
    tell: mpsc::Sender<Told>,
) {
    let output = child.stdout.take().expect("piped");
    let errors = child.stderr.take().expect("piped");
    let mut output: JoinHandle<Option<Failure>> =
        tokio::spawn(read_events(camera.clone(), output, tell.clone()));
    let mut errors: JoinHandle<Option<String>> = tokio::spawn(log_errors(camera, errors));

    let group = Pid::from_raw(pid as i32).expect("a child's id is positive");
    let ended = tokio::select! {
        ended = child.wait() => ended,
        () = stop.cancelled() => stop_and_wait(&mut child, group).await,
        () = tell.closed() => { let _ = kill_process_group(group, Signal::KILL); child.wait().await }
    };
    delivery.abort();
    // Whatever it has started and left behind must not keep the camera open.
    let _ = kill_process_group(group, Signal::KILL);

    let said = timeout(LAST_WORDS_DEADLINE, &mut output).await.ok().and_then(Result::ok).flatten();
    let last_error = timeout(LAST_WORDS_DEADLINE, &mut errors).await.ok().and_then(Result::ok).flatten();
    output.abort();
    errors.abort();
    let failure = said.unwrap_or_else(|| Failure::unexplained(describe(ended, last_error)));
    let _ = tell.send(Told::Ended(failure)).await;
}

/// It has been asked, and is ended where that was in vain.
async fn stop_and_wait(child: &mut Child, group: Pid) -> io::Result<ExitStatus> {
    match timeout(ASK_DEADLINE, child.wait()).await {
        Ok(ended) => ended,
        Err(_) => end(child, group).await,
    }
}

/// SIGTERM, then SIGKILL; each to the whole process group, which nobody can ignore in the end.
pub(super) async fn end(child: &mut Child, group: Pid) -> io::Result<ExitStatus> {
    let _ = kill_process_group(group, Signal::TERM);
    if let Ok(ended) = timeout(TERM_DEADLINE, child.wait()).await {
        return ended;
    }
    let _ = kill_process_group(group, Signal::KILL);
    child.wait().await
}

/// Passes on what the process says; returns its error, if it said one.
async fn read_events(
    camera: CameraName,
    output: impl AsyncRead + Unpin,
    tell: mpsc::Sender<Told>,
) -> Option<Failure> {
    let mut failure = None;
    for_each_line(output, LONGEST_LINE, |line| match serde_json::from_str(line) {
        Ok(Event::Streaming(streaming)) => drop(tell.try_send(Told::Streaming(streaming))),
        Ok(Event::Controls(offer)) => drop(tell.try_send(Told::Controls(offer))),
        Ok(Event::Ignored { reason }) => drop(tell.try_send(Told::Ignored(reason))),
        Ok(Event::Error(error)) => failure = Some(error),
        Err(error) => tracing::warn!(%camera, %error, line, "the capture process said what is no event"),
    })
    .await;
    failure
}

/// Logs the lines of standard error; returns the last one.
async fn log_errors(camera: CameraName, errors: impl AsyncRead + Unpin) -> Option<String> {
    let mut last = None;
    for_each_line(errors, LONGEST_LINE, |line| {
        tracing::debug!(%camera, "{line}");
        last = Some(line.to_owned());
    })
    .await;
    last
}

/// Hands over each line that is not empty; those that are longer than `longest` bytes in parts.
pub(super) async fn for_each_line(input: impl AsyncRead + Unpin, longest: u64, mut each: impl FnMut(&str)) {
    let mut input = BufReader::new(input);
    let mut line = Vec::new();
    loop {
        line.clear();
        let mut limited = tokio::io::AsyncReadExt::take(&mut input, longest);
        match limited.read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {
                let text = String::from_utf8_lossy(&line);
                let text = text.trim_end();
                if !text.is_empty() {
                    each(text);
                }
            }
        }
    }
}

fn describe(ended: io::Result<ExitStatus>, last_error: Option<String>) -> String {
    // What a process that was killed said before has nothing to do with its end.
    let killed = ended.as_ref().is_ok_and(|status| status.signal().is_some());
    let how = match ended {
        Ok(status) if status.success() => "the capture process ended by itself".to_owned(),
        Ok(status) => format!("the capture process ended with {status}"),
        Err(error) => format!("the capture process can't be waited for: {error}"),
    };
    match last_error.filter(|_| !killed) {
        Some(line) => format!("{how}; its last words: {line}"),
        None => how,
    }
}
