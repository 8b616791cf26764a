//! `kind = "command"`: a command line that writes JPEGs to its standard output, or replaces a file.
//!
//! Pictures on standard output come as the command takes them, those beyond one an interval are left out. The
//! command finds what it may want to know in its environment: `EYELID_FILE`, a file of its own, which it may
//! replace in place or by rename instead; `EYELID_CAMERA`, `EYELID_WIDTH`, `EYELID_HEIGHT`,
//! `EYELID_INTERVAL_MS` and `EYELID_QUALITY`.

use std::{
    io,
    path::Path,
    process::{ChildStdin, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, getpgrp, getpid, kill_process};

use super::{
    Spec,
    output::Output,
    own_file::OwnFile,
    program::{End, Given, Program, in_words},
    protocol::{Event, Failure, Streaming},
    runner::{Pacer, Stop, log},
};
use crate::config::Kind;

/// Runs the command until it ends, which is a failure, or `stop` is set.
///
/// # Errors
/// When the command can't be run or has ended, or its pictures can't be written.
pub fn capture(spec: &Spec, stop: &Stop, emit: &mut dyn FnMut(Event)) -> Result<(), Failure> {
    if spec.command.trim().is_empty() {
        return Err(Failure::new("the camera has no command to run", "set command in its [[camera]] entry"));
    }
    let mut output = Output::open(spec)?;
    let file = OwnFile::beside(&spec.output).map_err(|error| {
        Failure::unexplained(format!("there can't be a file for the command to replace: {error}"))
    })?;
    let guard =
        Guard::start().map_err(|error| Failure::unexplained(format!("/bin/sh can't be run: {error}")))?;
    let program = Program {
        command: command(spec, file.path()),
        ask: Signal::TERM,
        patience: Duration::from_secs(1),
        spared: guard.as_ref().map(|guard| guard.pid),
        file: Some(file),
        worth_logging: |_| true,
    };
    // A command that replaces the file itself gives no other sign of life here.
    emit(Event::Streaming(Streaming {
        kind: Kind::Command,
        // Not the line itself: it is shown to viewers, and may hold the password of an IP camera.
        device: "command".to_owned(),
        width: None,
        height: None,
        notice: None,
    }));
    let mut pacer = Pacer::new(spec.interval);
    let mut pictures = 0_u64;
    let end = program.run(stop, |given| match given {
        Given::Picture(picture, _, came) => {
            pictures += 1;
            if pacer.is_due(Instant::now()) { output.publish(picture, came) } else { Ok(()) }
        }
        Given::File(picture, written) => output.publish(picture, written),
        Given::NoPicture(reason) => {
            emit(Event::Ignored { reason });
            Ok(())
        }
    })?;
    match end {
        End::Stopped => Ok(()),
        End::Itself(status, last_words) => Err(why(status, last_words.last(), pictures)),
    }
}

fn command(spec: &Spec, file: &Path) -> Command {
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(&spec.command);
    command.env("EYELID_FILE", file);
    command.env("EYELID_CAMERA", spec.name.as_str());
    command.env("EYELID_WIDTH", spec.size.width.to_string());
    command.env("EYELID_HEIGHT", spec.size.height.to_string());
    command.env("EYELID_INTERVAL_MS", spec.interval.as_millis().to_string());
    command.env("EYELID_QUALITY", spec.quality.to_string());
    command
}

fn why(status: ExitStatus, last_line: Option<&String>, pictures: u64) -> Failure {
    let said = last_line.map(|line| format!(": {}", without_passwords(line))).unwrap_or_default();
    if status.success() && pictures <= 1 {
        let taken = if pictures == 0 { "no picture" } else { "one picture" };
        return Failure::new(
            format!("the command ended at once, after {taken} on its standard output{said}"),
            "it has to run on: put one that takes a single picture into a loop, \
             while true; do …; sleep 1; done",
        );
    }
    let reason = format!("the command ended, {}{said}", in_words(status));
    match status.code() {
        // What a shell says for a command that is not there, and for one that is no program.
        Some(126 | 127) => Failure::new(reason, "give the program's whole path, and see that it can be run"),
        _ => Failure::unexplained(reason),
    }
}

/// The line with what stands between `://` and `@` in its URLs left out: the reason is shown to viewers, and
/// programs that can't reach an IP camera name its whole URL.
fn without_passwords(line: &str) -> String {
    let mut parts = line.split("://");
    let mut clean = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let authority = part.find(|c: char| c == '/' || c.is_whitespace()).unwrap_or(part.len());
        let from = part[..authority].rfind('@').unwrap_or(0);
        clean.push_str("://");
        clean.push_str(&part[from..]);
    }
    clean
}

/// Ends the command's processes when we are killed. The kernel does that for our child, the shell, but not
/// for what the shell has started. A second shell waits for our end and then kills our process group.
struct Guard {
    pid: Pid,
    _until_we_end: ChildStdin,
}

impl Guard {
    /// None where the process group is not ours, and so would be killed with us.
    fn start() -> io::Result<Option<Self>> {
        if getpgrp() != getpid() {
            log("not a process group of its own: if this is killed, the command's processes may live on");
            return Ok(None);
        }
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", "trap '' HUP INT TERM; read -r end; kill -KILL 0"]);
        let mut child = shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let input = child.stdin.take().expect("its input is piped");
        Ok(Some(Self { pid: Pid::from_child(&child), _until_we_end: input }))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = kill_process(self.pid, Signal::KILL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_holds_no_password() {
        let cases = [
            (
                "rtsp://me:se@cret@10.0.0.7:554/live: Connection refused",
                "rtsp://@10.0.0.7:554/live: Connection refused",
            ),
            ("http://10.0.0.7/a@b and https://u:p@h", "http://10.0.0.7/a@b and https://@h"),
            ("no url, mail a@b", "no url, mail a@b"),
            ("://", "://"),
        ];
        for (line, expected) in cases {
            assert_eq!(without_passwords(line), expected);
        }
    }
}
