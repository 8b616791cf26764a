//! `eyelid setup`: the link with which the owner chooses who may look.

use std::process::ExitCode;

use anyhow::Context;

use super::{ask::ask, finish};

pub(super) fn run() -> ExitCode {
    finish(tell())
}

fn tell() -> anyhow::Result<String> {
    let answer = ask("GET", "/api/setup", None)?;
    let links: Vec<&str> =
        answer["links"].as_array().into_iter().flatten().filter_map(|link| link.as_str()).collect();
    let what = match answer["mode"].as_str() {
        Some("setup") => "Nobody has chosen yet who may look, so nobody can.",
        Some("open") => "Everybody who reaches Eyelid may look.",
        _ => {
            "Eyelid has a password. By this link you choose another one, and all who are signed in are signed out."
        }
    };
    let (best, others) = links.split_first().context("the daemon's answer has no link")?;
    let how = match others {
        [] => "this link in a browser; it is good once:".to_owned(),
        others => format!(
            "the last line in a browser; it is good once. Where that name is not found, the same is at\n\n    {}",
            others.join("\n    ")
        ),
    };
    Ok(format!("{what}\n\nTo choose, open {how}\n\n{best}"))
}
