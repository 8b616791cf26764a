//! `kind = "push"`: pictures that are sent to the daemon, by a camera that nobody can reach.
//!
//! The daemon replaces a file by what was sent, and does no more than look whether it is a whole JPEG. Whatever
//! decodes a stranger's picture happens here.

use std::{sync::mpsc::sync_channel, thread};

use super::{
    Spec,
    output::Output,
    own_file::OwnFile,
    protocol::{Event, Failure, Streaming},
    runner::Stop,
};
use crate::config::Kind;

/// Publishes what is sent until `stop` is set.
///
/// # Errors
/// When the folder of what is sent can't be watched, or the pictures can't be written.
pub fn capture(spec: &Spec, stop: &Stop, emit: &mut dyn FnMut(Event)) -> Result<(), Failure> {
    let cant = |error: &dyn std::fmt::Display| {
        Failure::unexplained(format!("the folder of what is sent can't be watched: {error}"))
    };
    let mut output = Output::open(spec)?;
    let mut file = OwnFile::pushed(&spec.output).map_err(|error| cant(&error))?;
    // One wake-up waits at most: each looks at all there is.
    let (wake, woken) = sync_channel(1);
    let told = wake.clone();
    let tell = move || {
        let _ = told.try_send(());
    };
    file.watch(tell).map_err(|error| cant(&error))?;
    let asked = stop.clone();
    thread::spawn(move || {
        asked.wait();
        let _ = wake.try_send(());
    });
    emit(Event::Streaming(Streaming {
        kind: Kind::Push,
        device: "a camera that sends its pictures".to_owned(),
        width: None,
        height: None,
        notice: None,
    }));
    while !stop.is_set() {
        // Also before the first wake-up: a picture may have been quicker than the watch.
        match file.read() {
            Ok(Some((picture, sent))) => output.publish(picture, sent)?,
            Ok(None) => {}
            Err(error) => emit(Event::Ignored { reason: error.to_string() }),
        }
        if woken.recv().is_err() {
            break;
        }
    }
    Ok(())
}
