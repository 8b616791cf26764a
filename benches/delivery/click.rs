//! From the click to the first picture.

use std::{io::Read, path::Path, time::Instant};

use anyhow::{Context, ensure};

use crate::{
    arguments::Arguments,
    connection::{self, Message, understand},
    daemon::Daemon,
    report,
};

/// How many times it is clicked.
const CLICKS: usize = 20;

/// Clicks while the camera is off, and takes the time until all bytes of the first picture are there.
pub(crate) fn run(arguments: &Arguments, folder: &Path) -> anyhow::Result<()> {
    if !arguments.wants("click") {
        return Ok(());
    }
    let clicks = if arguments.quick { 5 } else { CLICKS };
    for program in arguments.daemons() {
        let daemon = Daemon::start(&program, folder, 2, "kind = \"pattern\"\nlinger = \"0s\"\n")?;
        let mut times = Vec::new();
        for _ in 0..clicks {
            times.push(click(&daemon)?);
            daemon.off()?;
        }
        times.sort_by(f64::total_cmp);
        report::line(&format!(
            "From the click to the last byte of the first picture, the camera of kind `pattern` off before: \
             {:.0} ms (median of {clicks}; {:.0} to {:.0}){}\n",
            report::median(times.iter().copied()),
            times[0],
            times[times.len() - 1],
            if arguments.daemon.len() > 1 { format!(" with {}", program.display()) } else { String::new() },
        ));
    }
    Ok(())
}

/// One click, in milliseconds.
fn click(daemon: &Daemon) -> anyhow::Result<f64> {
    let (mut stream, mut messages) = connection::socketio(daemon.address)?;
    let mut pictures = connection::connect(daemon.address)?;
    let clicked = Instant::now();
    connection::send(&mut stream, connection::START)?;
    let mut id = 0;
    connection::wait(&mut stream, &mut messages, |text| match understand(text) {
        Message::Picture(announced) => {
            id = announced;
            true
        }
        _ => false,
    })?;
    let request = format!("GET /image_stream.jpg?_t={id} HTTP/1.1\r\nHost: {}\r\n\r\n", daemon.address);
    std::io::Write::write_all(&mut pictures, request.as_bytes())?;
    let mut answer = Vec::new();
    let mut buffer = [0; 64 << 10];
    loop {
        let count = pictures.read(&mut buffer).context("the first picture")?;
        ensure!(count > 0, "the connection was closed before the first picture had come");
        answer.extend_from_slice(&buffer[..count]);
        let body = answer.windows(4).position(|four| four == b"\r\n\r\n").map(|end| &answer[end + 4..]);
        if body.is_some_and(|body| eyelid::jpeg::inspect(body).is_ok()) {
            let took = clicked.elapsed().as_secs_f64() * 1000.0;
            connection::send(&mut stream, connection::STOP)?;
            return Ok(took);
        }
    }
}
