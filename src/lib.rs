//! Eyelid: a camera daemon whose camera is open only while somebody looks.
//!
//! ```text
//!            start-stream, stop-stream, a closed tab                         start, stop
//!  browsers ───────────────────────────▶ camera::viewers ──▶ camera ───────────────────▶ capture process
//!     ▲                                  (guards, leases)    (lifecycle)                 (a child: eyelid capture,
//!     │                                                                                   or eyelid-libcamera)
//!     │                                                                                        │ JPEG
//!     │  liveStream: image_stream.jpg?_t=ID                                                    ▼
//!     └──────────────────── web ◀── feed ◀── feed::watcher ◀─────────── rename ───────── rolling file on tmpfs
//!                        GET image_stream.jpg?_t=ID
//! ```
//!
//! The rolling file is the seam: a capture process replaces one JPEG, a watcher reads each finished
//! picture once into memory, and all that viewers get comes from there. Whatever can write a JPEG is a
//! camera, and half a picture can't get out.
//!
//! Each floor uses only what stands below it:
//!
//! | module      | what lives there |
//! | ----------- | --- |
//! | [`cli`]     | what each subcommand does: run, check, doctor, erase, cameras, snapshot, capture |
//! | [`doctor`]  | what there is to know of this machine when a camera does not work |
//! | [`erase`]   | what Eyelid keeps on this machine, by name, and its end |
//! | [`daemon`]  | builds cameras and server in order, tears them down in reverse |
//! | [`web`]     | accept loop, guard, and one file per way to watch |
//! | [`access`]  | who is known: password, sessions, app passwords, guest links |
//! | [`stats`]   | visitors of the cameras, day by day |
//! | [`camera`]  | the handle and its task, the lifecycle as a pure state machine, viewers, the child process |
//! | [`capture`] | what runs in the child: the protocol, the rolling file, one file per kind of camera |
//! | [`feed`]    | from the rolling file to frames in memory |
//! | [`child`], [`config`], [`controls`], [`jpeg`], [`logging`], `memory`, [`picture`], `repeats`, [`run_folder`], [`state_folder`], [`systemd`], [`token`] | the ground: used by the others, using none of them |

pub mod access;
pub mod camera;
pub mod capture;
pub mod child;
pub mod cli;
pub mod config;
pub mod controls;
pub mod daemon;
pub mod doctor;
pub mod erase;
pub mod feed;
pub mod jpeg;
pub mod logging;
mod memory;
pub mod picture;
mod repeats;
pub mod run_folder;
pub mod state_folder;
pub mod stats;
pub mod systemd;
pub mod token;
pub mod web;
