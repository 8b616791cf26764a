//! Where connections come in: the port, and the local socket.

use super::secure::Secure;
use super::wire::Wire;
use crate::run_folder;
use crate::web::tls::Shown;
use std::fs::{self, Permissions};
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tokio::net::{TcpListener, TcpStream, UnixListener};

/// What the accept loop listens on.
#[derive(Debug)]
pub(crate) struct Doors {
    port: TcpListener,
    local: Option<UnixListener>,
    /// The certificate of a port that speaks TLS.
    shown: Option<Shown>,
}

impl Doors {
    /// Only the port.
    pub(crate) fn new(port: TcpListener) -> Self {
        Self { port, local: None, shown: None }
    }

    /// And the local socket in the run folder. It is a convenience: without it the pictures go on.
    pub(crate) fn with_local(mut self, run_folder: &Path) -> Self {
        let path = run_folder.join(run_folder::SOCKET);
        self.local = open_local(&path)
            .inspect_err(|error| {
                tracing::warn!(
                    "the local socket {} can't be opened, so commands such as eyelid setup will not work: {error}",
                    path.display()
                );
            })
            .ok();
        self
    }

    /// The port speaks TLS and shows this certificate.
    pub(crate) fn with_tls(mut self, shown: Option<Shown>) -> Self {
        self.shown = shown;
        self
    }

    /// The next connection, and where it is from: nothing for the local socket.
    pub(super) async fn accept(&self) -> io::Result<(Wire, Option<SocketAddr>)> {
        let local = async {
            match &self.local {
                Some(local) => local.accept().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            accepted = self.port.accept() => accepted.map(|(stream, from)| (self.wire(stream), Some(from))),
            accepted = local => accepted.map(|(stream, _)| (Wire::Local(stream), None)),
        }
    }

    fn wire(&self, stream: TcpStream) -> Wire {
        match &self.shown {
            Some(shown) => Wire::Secure(Box::new(Secure::Fresh(stream, shown.borrow().clone()))),
            None => Wire::Tcp(stream),
        }
    }
}

/// Whoever has the run folder has swept it, so nobody listens there. Others can't look into that folder, and
/// may not open the socket if they could.
fn open_local(path: &Path) -> io::Result<UnixListener> {
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    Ok(listener)
}
