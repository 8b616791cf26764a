//! The accept loop: a port and a local socket, HTTP/1.1 with keep-alive, WebSockets, and an end to every wait.

mod admission;
mod bind;
mod body;
mod connection;
mod doors;
mod io;
mod line;
mod peer;
mod progress;
mod refuse;
mod secure;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use bind::{bind, connections_within, file_limit, owner_of, raise_file_limit};
pub(crate) use body::RequestBody;
pub(crate) use doors::Doors;
pub(crate) use line::Line;
pub(crate) use peer::Peer;

use crate::{
    config::{Config, Proxies},
    repeats::Repeats,
};
use admission::{Admission, Ticket};
use http::{Request, Response};
use http_body::Body;
use progress::{Late, Progress};
use refuse::Refusals;
use std::collections::HashMap;
use std::error::Error;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use tower::Service;

/// What clients may use, and how long they may take.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// Connections in all, WebSockets included.
    pub(crate) connections: usize,
    /// Connections from one IPv4 address or one IPv6 /64; loopback and proxies are exempt.
    pub(crate) connections_per_address: usize,
    /// Whose word about clients counts, and whose connections are those of many.
    pub(crate) proxies: watch::Receiver<Proxies>,
    /// From the first byte of a request head (for the first one: from the connection) to its last.
    pub(crate) head: Duration,
    /// From an answer to the first byte of the next request.
    pub(crate) idle: Duration,
    /// In each such span at least 1 KiB of a request's body has to come.
    pub(crate) body_progress: Duration,
    /// In each such span a client has to take at least 1 KiB of what is there for it.
    pub(crate) write_progress: Duration,
    /// From the end of an answer that came before the end of its request's body to the end of the connection.
    pub(crate) linger: Duration,
    /// From the wish to shut down to the end of the last connection.
    pub(crate) grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 2048,
            connections_per_address: 64,
            proxies: watch::channel(Proxies::default()).1,
            head: Duration::from_secs(10),
            idle: Duration::from_secs(75),
            // A handler with a deadline of 10 s of its own comes first, as a rule, and says it in its own words.
            body_progress: Duration::from_millis(10_500),
            write_progress: Duration::from_secs(25),
            // Longer than an upload may take: who is told of its end may just have begun.
            linger: Duration::from_secs(15),
            grace: Duration::from_secs(3),
        }
    }
}

impl Limits {
    /// Those of the configuration, with the proxies that are sent: others count for the next connection and request.
    pub(crate) fn new(config: &Config, proxies: watch::Receiver<Proxies>) -> Self {
        Self {
            connections: connections_within(file_limit(), config.limits.connections),
            connections_per_address: config.limits.connections_per_address,
            proxies,
            ..Self::default()
        }
    }
}

/// Serves until `shutdown`, then lets requests in flight end, and returns when all connections have,
/// after [`Limits::grace`] at the latest.
///
/// The service is cloned for each connection and has to be ready always. WebSockets count as
/// connections, but end with their own protocol: close them (`SocketIo::close`) when `shutdown` comes,
/// or they are cut off at the end of the grace.
pub(crate) async fn serve<S, B>(doors: Doors, service: S, limits: Limits, shutdown: CancellationToken)
where
    S: Service<Request<RequestBody>, Response = Response<B>> + Clone + Unpin + Send + 'static,
    S::Future: Send,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let limits = Arc::new(limits);
    let http = connection::protocol();
    let mut open = Open::default();
    let mut refusals = Refusals::default();
    let mut failures = Repeats::default();
    let mut cancelled = pin!(shutdown.cancelled());
    loop {
        let accepted = tokio::select! {
            biased;
            () = cancelled.as_mut() => break,
            Some(ended) = open.tasks.join_next_with_id() => {
                open.left(ended);
                continue;
            }
            accepted = doors.accept() => accepted,
        };
        let (wire, address) = match accepted {
            Ok(accepted) => accepted,
            // The client was faster to go than we to accept.
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionAborted => continue,
            // Out of file descriptors or memory: the next try fails too, until something is closed.
            Err(error) => {
                if let Some(more_since_last) = failures.note() {
                    tracing::warn!(%error, more_since_last, "cannot accept connections");
                }
                tokio::select! {
                    () = cancelled.as_mut() => break,
                    () = tokio::time::sleep(Duration::from_millis(100)) => continue,
                }
            }
        };
        open.reap();
        let peer = Peer { address, tls: false };
        // Who may open the local socket is let in whatever else is open.
        let ticket = match address.map(|from| open.admission.enter(from.ip(), &limits)).transpose() {
            Ok(ticket) => ticket,
            Err(full) => {
                refusals.refuse(wire, peer, full);
                continue;
            }
        };
        wire.tune(&limits);
        let progress = Arc::new(Progress::new());
        let (http, service, limits) = (http.clone(), service.clone(), limits.clone());
        open.add(ticket, &progress.clone(), connection::run(http, wire, peer, service, progress, limits));
    }
    drop(doors);
    drop(refusals);
    open.shut_down(limits.grace).await;
}

/// All open connections. Their tasks end when their streams are gone, WebSockets included.
#[derive(Default)]
struct Open {
    tasks: JoinSet<()>,
    by_task: HashMap<Id, (Option<Ticket>, Arc<Progress>)>,
    admission: Admission,
}

impl Open {
    fn add(
        &mut self,
        ticket: Option<Ticket>,
        progress: &Arc<Progress>,
        run: impl Future<Output = ()> + Send + 'static,
    ) {
        let task = self.tasks.spawn(run).id();
        self.by_task.insert(task, (ticket, progress.clone()));
    }

    fn left(&mut self, ended: Result<(Id, ()), JoinError>) {
        let task = match ended {
            Ok((task, ())) => task,
            Err(error) => {
                if error.is_panic() {
                    tracing::error!(%error, "a connection was lost to a defect of this program");
                }
                error.id()
            }
        };
        if let Some((Some(ticket), _)) = self.by_task.remove(&task) {
            self.admission.leave(ticket);
        }
    }

    /// Counts out those that have ended.
    fn reap(&mut self) {
        while let Some(ended) = self.tasks.try_join_next_with_id() {
            self.left(ended);
        }
    }

    async fn shut_down(mut self, grace: Duration) {
        for (_, progress) in self.by_task.values() {
            progress.stop();
        }
        let all_gone = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(grace, all_gone).await.is_ok() {
            return;
        }
        tracing::info!(
            connections = self.tasks.len(),
            "cutting off connections that did not end by themselves"
        );
        for (_, progress) in self.by_task.values() {
            progress.kill(Late::Shutdown);
        }
        self.tasks.shutdown().await;
    }
}
