//! A program of somebody else whose standard output is a stream of JPEGs.

use std::{
    env,
    io::{self, BufReader, Read},
    os::unix::process::ExitStatusExt,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
    time::{Duration, Instant, SystemTime},
};

use rustix::process::{Pid, Signal, kill_process};

use super::{descendants, lines, own_file::OwnFile, protocol::Failure, runner, runner::Stop};
use crate::{
    child::die_with_parent,
    jpeg::{Info, Splitter, inspect},
};

/// The largest picture that is taken from a program: 8192x8192 at the highest quality comes close.
const LARGEST_PICTURE: usize = 32 << 20;

/// How many of a program's last lines on standard error are kept to tell why it ended.
const LAST_WORDS: usize = 20;

/// How many bytes on standard output that are no JPEG are worth the log.
const NO_JPEG: u64 = 1 << 20;

/// A program to run.
pub(super) struct Program {
    /// Its command line.
    pub(super) command: Command,
    /// The signal that it takes as a wish to end in order.
    pub(super) ask: Signal,
    /// How long it may take to end then, before it gets SIGTERM and SIGKILL.
    pub(super) patience: Duration,
    /// A child of ours that is none of the program's processes.
    pub(super) spared: Option<Pid>,
    /// A file that it may replace, beside writing to its standard output.
    pub(super) file: Option<OwnFile>,
    /// Whether a line on its standard error is worth the log.
    pub(super) worth_logging: fn(&str) -> bool,
}

/// What a program gives.
pub(super) enum Given<'a> {
    /// A picture on standard output, and when its last byte came.
    Picture(&'a [u8], Info, SystemTime),
    /// A picture in its file, and when it was written.
    File(&'a [u8], SystemTime),
    /// What is in its file is no picture, for this reason.
    NoPicture(String),
}

/// How a program ended.
pub(super) enum End {
    /// It was asked to.
    Stopped,
    /// By itself, with these last lines on standard error.
    Itself(ExitStatus, Vec<String>),
}

enum News {
    Output(Vec<u8>, SystemTime),
    Line(String),
    File,
    Closed,
    Ended(Pid, i32),
    Stop,
}

impl Program {
    /// Runs the program and hands over each whole picture, until the program ends, `stop` is set, or `take` fails.
    /// No process of the program is left then.
    pub(super) fn run(
        mut self,
        stop: &Stop,
        mut take: impl FnMut(Given<'_>) -> Result<(), Failure>,
    ) -> Result<End, Failure> {
        let name = self.command.get_program().to_string_lossy().into_owned();
        let child = self
            .spawn()
            .map_err(|error| Failure::unexplained(format!("{name} can't be started: {error}")))?;
        let pid = Pid::from_child(&child);
        let mut file = self.file.take();
        let news = listen(child, file.as_mut(), stop)?;

        let mut splitter = Splitter::new(LARGEST_PICTURE);
        let mut last_words = Vec::new();
        // It may have been quicker than the watch of its file.
        let mut failed = look(file.as_mut(), &mut take).err();
        let (mut status, mut open) = (None, 2);
        let mut ending: Option<Ending> = None;
        loop {
            match next(&news, ending.as_ref()) {
                Some(News::Output(bytes, came)) => {
                    let skipped = splitter.skipped();
                    splitter.push(&bytes);
                    while let Some((picture, info)) = splitter.next_picture() {
                        if failed.is_none() && !stop.is_set() {
                            failed = take(Given::Picture(picture, info, came)).err();
                        }
                    }
                    if skipped < NO_JPEG && splitter.skipped() >= NO_JPEG {
                        runner::log(format_args!("much of what {name} writes to standard output is no JPEG"));
                    }
                }
                Some(News::Line(line)) if (self.worth_logging)(&line) => {
                    runner::log(&line);
                    last_words.push(line);
                    last_words.drain(..last_words.len().saturating_sub(LAST_WORDS));
                }
                Some(News::File) if failed.is_none() && !stop.is_set() => {
                    failed = look(file.as_mut(), &mut take).err();
                }
                Some(News::Closed) => open -= 1,
                Some(News::Ended(ended, raw)) if ended == pid => status = Some(ExitStatus::from_raw(raw)),
                // A line that is not worth the log, another process of it, the stop, or time to look.
                _ => {}
            }
            if let Some(status) = status
                && open == 0
                && descendants::list().iter().all(|pid| Some(*pid) == self.spared)
            {
                return match failed {
                    Some(failure) => Err(failure),
                    None if stop.is_set() => Ok(End::Stopped),
                    None => {
                        // Its last picture may not have been heard of yet.
                        look(file.as_mut(), &mut take)?;
                        Ok(End::Itself(status, last_words))
                    }
                };
            }
            match &mut ending {
                Some(ending) => {
                    let hope = ending.go_on();
                    if !hope {
                        runner::log(format_args!("{name} can't be killed: it hangs in the kernel"));
                        return failed.map_or(Ok(End::Stopped), Err);
                    }
                }
                None if status.is_some() || failed.is_some() || stop.is_set() => {
                    ending = Some(Ending::begin(&self));
                }
                None => {}
            }
        }
    }

    fn spawn(&mut self) -> io::Result<Child> {
        descendants::adopt()?;
        die_with_parent(&mut self.command);
        self.command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
    }
}

/// How often an ending program is searched for processes that it has started meanwhile.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// The next piece of news; none when it is time to look after the ending.
fn next(news: &Receiver<News>, ending: Option<&Ending>) -> Option<News> {
    match ending {
        None => news.recv().ok(),
        Some(ending) => {
            let left = ending.deadline.saturating_duration_since(Instant::now());
            news.recv_timeout(left.min(LOOK_AGAIN)).ok()
        }
    }
}

/// Hands over what is new in the program's file.
fn look(
    file: Option<&mut OwnFile>,
    take: &mut impl FnMut(Given<'_>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let Some(file) = file else { return Ok(()) };
    match file.read() {
        Ok(None) => Ok(()),
        Ok(Some((bytes, written))) => match inspect(bytes) {
            Ok(_) => take(Given::File(bytes, written)),
            Err(defect) => take(Given::NoPicture(defect.to_string())),
        },
        Err(error) => take(Given::NoPicture(error.to_string())),
    }
}

fn listen(mut child: Child, file: Option<&mut OwnFile>, stop: &Stop) -> Result<Receiver<News>, Failure> {
    // A few chunks, so that a program that is faster than we are has to wait.
    let (sender, news) = sync_channel(4);
    let output = child.stdout.take().expect("its output is piped");
    let errors = child.stderr.take().expect("its errors are piped");
    let told = sender.clone();
    thread::spawn(move || read_pictures(output, &told));
    let told = sender.clone();
    thread::spawn(move || {
        lines::for_each(BufReader::new(errors), |line| drop(told.send(News::Line(line))));
        drop(told.send(News::Closed));
    });
    let told = sender.clone();
    descendants::reap(move |pid, status| drop(told.send(News::Ended(pid, status))));
    if let Some(file) = file {
        let told = sender.clone();
        file.watch(move || drop(told.send(News::File))).map_err(|error| {
            Failure::unexplained(format!("the folder of the command's file can't be watched: {error}"))
        })?;
    }
    let stop = stop.clone();
    thread::spawn(move || {
        stop.wait();
        drop(sender.send(News::Stop));
    });
    Ok(news)
}

fn read_pictures(mut output: impl Read, news: &SyncSender<News>) {
    // The size of a pipe.
    let mut chunk = vec![0; 64 << 10];
    loop {
        match output.read(&mut chunk) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(0) | Err(_) => break drop(news.send(News::Closed)),
            Ok(read) => {
                if news.send(News::Output(chunk[..read].to_vec(), SystemTime::now())).is_err() {
                    break;
                }
            }
        }
    }
}

/// How far the end of a program has come: it is asked, then told, then killed.
struct Ending {
    left: Vec<(Signal, Duration)>,
    signal: Signal,
    told: Vec<Pid>,
    deadline: Instant,
    spared: Option<Pid>,
}

impl Ending {
    fn begin(program: &Program) -> Self {
        let left = vec![(Signal::KILL, Duration::from_secs(1)), (Signal::TERM, Duration::from_millis(500))];
        let deadline = Instant::now() + program.patience;
        let mut ending =
            Self { left, signal: program.ask, told: Vec::new(), deadline, spared: program.spared };
        ending.tell();
        ending
    }

    /// Sends the signal to each process of the program that hasn't had it: a shell that is told to end may
    /// just have started another, and wait for that before it ends.
    fn tell(&mut self) {
        for pid in descendants::list() {
            if Some(pid) != self.spared && !self.told.contains(&pid) {
                // One that has ended meanwhile needs no signal.
                let _ = kill_process(pid, self.signal);
                self.told.push(pid);
            }
        }
    }

    /// Tells those that haven't been told; all of them with the next signal once it is late. False when it is
    /// late and there is none stronger.
    fn go_on(&mut self) -> bool {
        if Instant::now() >= self.deadline {
            let Some((signal, patience)) = self.left.pop() else { return false };
            (self.signal, self.deadline) = (signal, Instant::now() + patience);
            self.told.clear();
        }
        self.tell();
        true
    }
}

/// A program of this name in the folders of `PATH`.
pub(super) fn in_path(program: &str) -> Option<PathBuf> {
    let folders = env::var_os("PATH")?;
    env::split_paths(&folders).map(|folder| folder.join(program)).find(|path| path.is_file())
}

/// How a program ended, in words: "exit code 3", "killed by SIGSEGV".
pub(super) fn in_words(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => match signal_hook::low_level::signal_name(signal) {
            Some(name) => format!("killed by {name}"),
            None => format!("killed by signal {signal}"),
        },
        (None, None) => "unknown exit status".to_owned(),
    }
}
