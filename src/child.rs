//! Child processes that do not outlive their parent, and do not take longer than they may.

use std::{
    io::{self, Read},
    process::{Command, Output, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, getpid, getppid, set_parent_process_death_signal, waitid,
};

/// Has the kernel kill the child with SIGKILL when its parent dies, whatever the parent dies of.
///
/// The kernel watches the *thread* that spawns the child: spawn it from one that lives at least as long as
/// the child, such as the main thread or a worker of the tokio runtime, and not from `spawn_blocking`. The
/// setting survives the child's own `exec`, and is not inherited by the child's children.
pub fn die_with_parent(command: &mut Command) {
    use std::os::unix::process::CommandExt;

    let parent = getpid();
    let bind = move || {
        set_parent_process_death_signal(Some(Signal::KILL))?;
        // A parent that died before the call above would not be noticed.
        if getppid() == Some(parent) { Ok(()) } else { Err(io::ErrorKind::NotFound.into()) }
    };
    #[allow(unsafe_code, reason = "prctl has to be called in the child; both calls are async-signal-safe")]
    // SAFETY: between fork and exec `bind` only makes two system calls, and allocates nothing.
    unsafe {
        command.pre_exec(bind);
    }
}

/// Runs a command that ends by itself and gives its output. The command is killed after `limit`, and with us.
///
/// # Errors
/// When the command can't be started, and [`io::ErrorKind::TimedOut`] when it takes longer than `limit`.
pub fn output_within(mut command: Command, limit: Duration) -> io::Result<Output> {
    let deadline = Instant::now() + limit;
    die_with_parent(&mut command);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let pid = Pid::from_child(&child);
    let (stdout, stderr) = (read(child.stdout.take()), read(child.stderr.take()));
    let (ended, end) = mpsc::channel();
    thread::spawn(move || {
        // Leaves it a zombie, so that its id stays its own until it is reaped below.
        let _ = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
        let _ = ended.send(());
    });
    let left = || deadline.saturating_duration_since(Instant::now());
    let in_time = end.recv_timeout(left()).is_ok();
    if !in_time {
        child.kill()?;
    }
    let status = child.wait()?;
    let late = |_| io::Error::from(io::ErrorKind::TimedOut);
    let stdout = stdout.recv_timeout(left()).map_err(late)?;
    let stderr = stderr.recv_timeout(left()).map_err(late)?;
    if in_time { Ok(Output { status, stdout, stderr }) } else { Err(io::ErrorKind::TimedOut.into()) }
}

fn read(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.expect("it is piped").read_to_end(&mut bytes);
        let _ = sender.send(bytes);
    });
    receiver
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Longer than anything takes that doesn't hang.
    const PATIENCE: Duration = Duration::from_secs(60);

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(script);
        command
    }

    #[test]
    fn a_command_gives_all_its_output() {
        let output =
            output_within(shell("echo out; head -c 300000 /dev/zero; echo err >&2; exit 3"), PATIENCE)
                .unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(3), 300_004));
        assert_eq!(output.stderr, b"err\n");
    }

    #[test]
    fn a_command_that_takes_too_long_is_killed() {
        let marks = tempfile::tempdir().unwrap();
        let mark = marks.path().join("pid");
        let mut command = shell("echo $$ > \"$MARK\"; exec sleep 1000");
        command.env("MARK", &mark);
        let error = output_within(command, Duration::from_millis(300)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        // On a machine so slow that it had not begun yet, there is no pid to look for.
        let pid = std::fs::read_to_string(mark).unwrap_or_default();
        assert!(pid.is_empty() || !std::path::Path::new("/proc").join(pid.trim()).exists());
    }

    #[test]
    fn a_command_that_is_not_there_is_an_error() {
        let error = output_within(Command::new("/no/such/program"), PATIENCE).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_child_ends_with_the_thread_that_started_it() {
        let (mut end, held) = io::pipe().unwrap();
        let child = thread::spawn(move || {
            let mut command = shell("echo started; exec sleep 1000");
            command.stdout(held);
            die_with_parent(&mut command);
            let child = command.spawn().unwrap();
            let mut started = [0; 8];
            end.read_exact(&mut started).unwrap();
            drop(command);
            (child, end)
        });
        let (mut child, mut end) = child.join().unwrap();
        // The child has it open until it ends.
        assert_eq!(end.read_to_end(&mut Vec::new()).unwrap(), 0);
        assert!(child.wait().unwrap().code().is_none());
    }
}
