//! Asks the running daemon for something, over its local socket.

use std::{
    fmt,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail};
use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::UnixStream;

use crate::run_folder;

/// The run folder of the service; a command of root's finds it there.
const SERVICE: &str = "/run/eyelid";

/// A daemon that works answers at once; this is for one that hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// Far more than any answer has.
const LONGEST_ANSWER: usize = 16 << 20;

/// Sends a request to the daemon that runs on this machine, as its owner, and gives its answer.
///
/// # Errors
/// When no daemon runs or it is another user's, each with what to do; and when the answer is an error: what
/// it says, with its hint.
pub fn ask(method: &str, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
    let sockets = [run_folder::usual(), SERVICE.into()].map(|folder| folder.join(run_folder::SOCKET));
    ask_one_of(&sockets, method, path, body)
}

/// As [`ask`], of the first of these sockets behind which somebody listens.
///
/// # Errors
/// As [`ask`].
pub fn ask_one_of(
    sockets: &[PathBuf],
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> anyhow::Result<Value> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let stream = connect(sockets).await?;
        tokio::time::timeout(PATIENCE, converse(stream, method, path, body))
            .await
            .context("the daemon does not answer; systemctl status eyelid tells more")?
    })
}

async fn connect(sockets: &[PathBuf]) -> anyhow::Result<UnixStream> {
    let mut forbidden = None;
    for socket in sockets {
        match UnixStream::connect(socket).await {
            Ok(stream) => return Ok(stream),
            Err(error) => match error.kind() {
                ErrorKind::PermissionDenied => forbidden = Some(socket),
                // Not there, or left by one that was killed.
                ErrorKind::NotFound | ErrorKind::ConnectionRefused => {}
                _ => return Err(error).with_context(|| format!("the daemon's socket {}", socket.display())),
            },
        }
    }
    match forbidden {
        Some(socket) => bail!(
            "no permission for the daemon's socket {}: only its own user and root may use it; \
             as root: sudo eyelid …",
            socket.display()
        ),
        None => bail!(
            "no daemon runs here (no one listens at {}); start it: eyelid run, or systemctl start eyelid",
            Paths(sockets)
        ),
    }
}

struct Paths<'a>(&'a [PathBuf]);

impl fmt::Display for Paths<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, path) in self.0.iter().enumerate() {
            let or = if index == 0 { "" } else { " or " };
            write!(f, "{or}{}", Path::display(path))?;
        }
        Ok(())
    }
}

async fn converse(
    stream: UnixStream,
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> anyhow::Result<Value> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let body = body.map(Value::to_string).unwrap_or_default();
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, "localhost")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body)))?;
    let response = sender.send_request(request).await.context("the daemon has gone before it answered")?;
    let status = response.status();
    let answer = Limited::new(response, LONGEST_ANSWER).collect().await;
    connection.abort();
    let answer = answer.map_err(io::Error::other).context("the daemon's answer")?.to_bytes();
    let answer: Value = match serde_json::from_slice(&answer) {
        Ok(answer) => answer,
        Err(_) if answer.is_empty() && status.is_success() => Value::Null,
        Err(error) => return Err(error).with_context(|| format!("the daemon answers {status}, and no JSON")),
    };
    if status.is_success() {
        return Ok(answer);
    }
    let said = |field: &str| answer.get(field).and_then(Value::as_str);
    match (said("error"), said("hint")) {
        (Some(error), Some(hint)) => bail!("{error}; {hint}"),
        (Some(error), None) => bail!("{error}"),
        (None, _) => bail!("the daemon answers {status}"),
    }
}
