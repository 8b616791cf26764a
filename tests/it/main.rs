//! The integration tests: a daemon, real sockets, real processes, a stand-in for the camera.
//!
//! A daemon runs in the test's own process ([`support::Daemon`]), or as the real program
//! ([`support::Program`]) where signals, exit codes and the log are what is tested. Nothing here waits for a
//! time to pass: each wait is for something to be seen, and fails when that does not come.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod access;
mod access_matrix;
mod capture_process;
mod cli;
mod config;
mod controls;
mod cors;
mod doctor;
mod documents;
mod embed;
mod erase;
mod faults;
mod full_disk;
mod garbage;
mod guard;
mod images;
mod ledger;
mod local;
mod mjpeg;
mod offline;
mod on_demand;
mod picture;
mod privacy;
mod race;
mod rolling_file;
mod siege;
mod signals;
mod snapshot;
mod socketio;
mod stats;
mod support;
mod tls;
mod upload;
mod wave;
mod websocket;
