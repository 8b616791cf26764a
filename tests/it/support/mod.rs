//! What the tests are made of.

mod browser;
mod daemon;
mod http;
mod mjpeg;
mod owner;
mod polling;
mod processes;
mod program;
mod stand_in;
mod tls;
mod viewer;
mod wait;

pub(crate) use browser::{Browser, Manner};
pub(crate) use daemon::Daemon;
pub(crate) use http::{Reply, exchange, get, request, request_over};
pub(crate) use mjpeg::Mjpeg;
pub(crate) use owner::{
    PASSWORD, app, choose_password, choose_password_at, cookie, guest, headers_basic, send, setup_code,
};
pub(crate) use polling::Polling;
pub(crate) use processes::{captures, children, exists, group, no_process_left, signal};
pub(crate) use program::Program;
pub(crate) use stand_in::{StandIn, jpeg};
pub(crate) use tls::{Certificate, Tunnel, connect_tls};
pub(crate) use viewer::Viewer;
pub(crate) use wait::{eventually, in_time};
