//! `eyelid link`: guest links, made, listed and revoked.

use std::{process::ExitCode, time::Duration};

use anyhow::Context;
use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};

use super::{ask::ask, finish};
use crate::config;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// How long the link is good for, such as 2h or 3days
    #[arg(long = "for", value_name = "TIME", default_value = "2h", value_parser = time)]
    lasts: Duration,
    /// How many browsers may come in by it
    #[arg(long, value_name = "N", default_value_t = 1)]
    viewers: u32,
    /// The only camera that they may look at [default: all]
    #[arg(long, value_name = "NAME")]
    camera: Option<String>,
    /// What the owner's page calls it
    #[arg(long, value_name = "TEXT", default_value = "")]
    name: String,
    /// Lists the guest links that are good
    #[arg(long, conflicts_with_all = ["lasts", "viewers", "camera", "name", "revoke"])]
    list: bool,
    /// Revokes the guest link with this id, and ends the sessions of those who came by it
    #[arg(long, value_name = "ID", conflicts_with_all = ["lasts", "viewers", "camera", "name"])]
    revoke: Option<String>,
}

fn time(text: &str) -> Result<Duration, String> {
    config::parse_duration(text).ok_or_else(|| "expected a time such as 30m, 2h or 3days".to_owned())
}

pub(super) fn run(args: &Args) -> ExitCode {
    finish(tell(args))
}

fn tell(args: &Args) -> anyhow::Result<String> {
    if let Some(id) = &args.revoke {
        let fits = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        anyhow::ensure!(
            fits,
            "{id:?} is no id of a guest link; eyelid link --list tells those that there are"
        );
        ask("DELETE", &format!("/api/links/{id}"), None)?;
        return Ok(format!("The guest link {id} is revoked."));
    }
    if args.list {
        let answer = ask("GET", "/api/links", None)?;
        let links = answer["links"].as_array().context("the daemon's answer has no list")?;
        if links.is_empty() {
            return Ok("There are no guest links.".into());
        }
        return Ok(links.iter().map(line).collect::<Vec<_>>().join("\n"));
    }
    let wanted = json!({
        "for_ms": u64::try_from(args.lasts.as_millis()).unwrap_or(u64::MAX),
        "viewers": args.viewers, "camera": args.camera, "name": args.name,
    });
    let link = ask("POST", "/api/links", Some(&wanted))?;
    let url = link["url"].as_str().context("the daemon's answer has no link")?;
    Ok(format!("{}\n\n{url}", line(&link)))
}

/// A link in a line: `3f2a… door until 2026-11-21 22:00, 1 of 3 have come`.
fn line(link: &Value) -> String {
    let text = |key: &str| link[key].as_str().unwrap_or_default().to_owned();
    let camera = link["camera"].as_str().unwrap_or("all cameras");
    let until = link["until_ms"].as_i64().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let until = until.map(|at| at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string());
    let name = Some(text("name")).filter(|name| !name.is_empty()).map(|name| format!(" ({name})"));
    format!(
        "{}  {camera} until {}, {} of {} have come{}",
        text("id"),
        until.unwrap_or_default(),
        link["used"],
        link["viewers"],
        name.unwrap_or_default()
    )
}
