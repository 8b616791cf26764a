//! What browsers get: the accept loop, the guard, the page, and one file per way to watch.

pub(crate) mod addresses;
mod answer;
pub mod api;
mod content;
mod controls;
mod cors;
pub(crate) mod error;
mod etag;
mod forwarded;
pub(crate) mod guard;
pub(crate) mod image;
mod latest;
mod ledger;
mod mjpeg;
pub(crate) mod page;
mod query;
mod routes;
pub(crate) mod server;
mod session;
mod smaller;
pub(crate) mod snapshot;
pub(crate) mod socketio;
mod states;
mod stats;
mod upload;
mod websocket;

use std::sync::Arc;

use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tower::Layer;

use crate::{
    camera::Cameras,
    config::{Config, PageConfig},
    stats::Stats,
};
use api::About;
use guard::{Guard, Hosts};
use page::Page;
use routes::Site;
use server::Doors;
use session::Sessions;
use smaller::Smaller;
use socketio::Announcer;

/// The keys outside `[[camera]]` whose change [`Web::reconfigure`] carries out.
pub(crate) const CHANGES_AT_ONCE: [&str; 2] = ["hosts", "page.transport"];

/// The server and all that browsers get from it.
///
/// ```text
/// connection ─▶ guard ─▶ the Socket.IO client's file ─▶ Socket.IO ─▶ routes
/// ```
pub(crate) struct Web {
    announcer: Announcer,
    hosts: watch::Sender<Hosts>,
    told: watch::Sender<PageConfig>,
    server: JoinHandle<()>,
}

/// Listens where the configuration says, and warns when that is more than this machine.
///
/// # Errors
/// When the address is not to be had: who has it, and what to do.
pub(crate) fn bind(config: &Config) -> std::io::Result<TcpListener> {
    let files = server::raise_file_limit(config.limits.connections);
    let wanted = config.limits.connections;
    let fit = server::connections_within(files, wanted);
    if fit < wanted {
        tracing::warn!(
            "{fit} connections are let in, not {wanted} as limits.connections says: no more than {files} files may be \
             open; raise that limit (in systemd: LimitNOFILE)"
        );
    }
    let listener = server::bind(config.listen)?;
    if !config.listen.ip().is_loopback() {
        tracing::warn!(
            "there is no password yet: whoever reaches {} can watch, so let only a network that you trust reach it",
            config.listen
        );
    }
    Ok(listener)
}

impl Web {
    /// Serves until `shutdown`.
    pub(crate) fn start(
        config: &Config,
        cameras: Cameras,
        about: Arc<About>,
        stats: Stats,
        page: Page,
        doors: Doors,
        shutdown: CancellationToken,
    ) -> Self {
        let (hosts, current_hosts) = watch::channel(Hosts::new(&config.hosts));
        let guard = Guard::new(current_hosts, cameras.clone());
        let (announcer, socketio) = Announcer::new(&config.socketio, cameras.clone());
        let heartbeat = (&config.socketio).into();
        let (told, page_config) = watch::channel(config.page.clone());
        let smaller = Smaller::new(smaller::scale);
        let site = Site { cameras, about, stats, page: page.clone(), page_config, heartbeat, smaller };
        // Once, and cloned for each connection: each call of `layer` makes a table of sessions of its own.
        let routes = warp::service(routes::routes(site));
        let service = guard.layer(page.layer(Sessions.layer(socketio.layer(routes))));
        let server = tokio::spawn(server::serve(doors, service, config.into(), shutdown));
        Self { announcer, hosts, told, server }
    }

    /// Takes over the cameras that there are now, and what of `config` can change while it runs.
    pub(crate) fn reconfigure(&mut self, config: &Config) {
        self.announcer.follow();
        self.hosts.send_replace(Hosts::new(&config.hosts));
        self.told.send_replace(config.page.clone());
    }

    /// Ends all connections and returns when they have ended; to be called after `shutdown`.
    pub(crate) async fn close(self) {
        self.announcer.close().await;
        if self.server.await.is_err() {
            tracing::error!("the server has panicked");
        }
    }
}
