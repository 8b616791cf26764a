//! A process with viewers.

use std::{
    env,
    io::{BufRead, BufReader, Lines},
    process::{Child, ChildStdout, Command, Stdio},
};

use anyhow::{Context, ensure};

use crate::{daemon::end, report, viewers::Outcome};

/// Viewers in a process of their own; dropping it ends them.
pub(crate) struct Audience {
    process: Running,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Audience {
    /// Starts the process with the arguments of its mode.
    pub(crate) fn gather(arguments: &[String]) -> anyhow::Result<Self> {
        let mut command = Command::new(env::current_exe()?);
        let mut child = command.arg("viewers").args(arguments).stdout(Stdio::piped()).spawn()?;
        let output = child.stdout.take().context("its output is piped")?;
        Ok(Self { process: Running(child), lines: BufReader::new(output).lines() })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.0.id()
    }

    /// Waits until the process says this next.
    pub(crate) fn until(&mut self, expected: &str) -> anyhow::Result<()> {
        let line = self.next().with_context(|| format!("before {expected:?}"))?;
        ensure!(line == expected, "the viewers say {line:?}");
        Ok(())
    }

    /// Waits for what the viewers got.
    pub(crate) fn outcome(&mut self) -> anyhow::Result<Outcome> {
        let outcome: Outcome = serde_json::from_str(&self.next()?)?;
        ensure!(outcome.delivered > 0, "no picture came");
        if let Some(why) = &outcome.why {
            report::note(&format!("a viewer was lost: {why}"));
        }
        Ok(outcome)
    }

    fn next(&mut self) -> anyhow::Result<String> {
        Ok(self.lines.next().context("the viewers have ended")??)
    }
}

/// A process that ends with this value.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        end(&mut self.0);
    }
}
