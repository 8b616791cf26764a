//! What browsers get: the accept loop, the guard, the page, and one file per way to watch.

pub(crate) mod access;
pub(crate) mod addresses;
mod answer;
pub mod api;
mod body;
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
mod route;
mod routes;
pub(crate) mod server;
mod session;
mod smaller;
pub(crate) mod snapshot;
pub(crate) mod socketio;
mod states;
mod stats;
pub(crate) mod tls;
mod tls_only;
mod upload;
mod websocket;

use std::sync::Arc;

use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tower::Layer;

use crate::{
    access::Access,
    camera::Cameras,
    config::{Config, PageConfig, Proxies},
    stats::Stats,
};
use access::Door;
pub(crate) use access::Links;
use api::About;
use guard::{Guard, Hosts};
use page::Page;
use routes::Site;
use server::{Doors, Limits};
use session::Sessions;
use smaller::Smaller;
use socketio::Announcer;
use tls_only::TlsOnly;

/// The keys outside `[[camera]]` whose change [`Web::reconfigure`] carries out.
pub(crate) const CHANGES_AT_ONCE: [&str; 4] = ["access", "hosts", "page.transport", "proxies"];

pub(crate) use self::server::owner_of as port_owner;

/// The server and all that browsers get from it.
///
/// ```text
/// connection ─▶ guard ─▶ only by TLS ─▶ door ─▶ the Socket.IO client's file ─▶ Socket.IO ─▶ routes
/// ```
pub(crate) struct Web {
    announcer: Announcer,
    hosts: watch::Sender<Hosts>,
    proxies: watch::Sender<Proxies>,
    told: watch::Sender<PageConfig>,
    access: Access,
    server: JoinHandle<()>,
}

/// What the server serves.
pub(crate) struct Served {
    pub(crate) cameras: Cameras,
    pub(crate) access: Access,
    pub(crate) about: Arc<About>,
    pub(crate) stats: Stats,
    pub(crate) page: Page,
    pub(crate) links: Links,
}

/// Listens where the configuration says.
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
    Ok(listener)
}

impl Web {
    /// Serves until `shutdown`.
    pub(crate) fn start(config: &Config, served: Served, doors: Doors, shutdown: CancellationToken) -> Self {
        let Served { cameras, access, about, stats, page, links } = served;
        let (hosts, current_hosts) = watch::channel(Hosts::new(&config.hosts));
        let (proxies, current_proxies) = watch::channel(config.proxies.clone());
        let door = Door::new(access.clone(), cameras.clone());
        let guard = Guard::new(current_hosts, cameras.clone());
        let (announcer, socketio) = Announcer::new(&config.socketio, cameras.clone(), &access);
        let heartbeat = (&config.socketio).into();
        let (told, page_config) = watch::channel(config.page.clone());
        let smaller = Smaller::new(smaller::scale);
        let page_files = page.clone();
        let site = Site { cameras, about, stats, page: page_files, page_config, heartbeat, smaller, links };
        // Once, and cloned for each connection: each call of `layer` makes a table of sessions of its own.
        let routes = warp::service(routes::routes(site));
        let tls_only = TlsOnly { on: config.tls.is_on() };
        let service = page.layer(Sessions.layer(socketio.layer(routes)));
        let service = guard.layer(tls_only.layer(door.layer(service)));
        let limits = Limits::new(config, current_proxies);
        let server = tokio::spawn(server::serve(doors, service, limits, shutdown));
        Self { announcer, hosts, proxies, told, access, server }
    }

    /// Takes over the cameras that there are now, and what of `config` can change while it runs.
    pub(crate) fn reconfigure(&mut self, config: &Config) {
        self.announcer.follow();
        self.hosts.send_replace(Hosts::new(&config.hosts));
        self.proxies.send_replace(config.proxies.clone());
        self.told.send_replace(config.page.clone());
        // Last: whoever watches is looked at anew, by what the cameras say now.
        self.access.reconfigure(config);
    }

    /// Ends all connections and returns when they have ended; to be called after `shutdown`.
    pub(crate) async fn close(self) {
        self.announcer.close().await;
        if self.server.await.is_err() {
            tracing::error!("the server has panicked");
        }
    }
}
