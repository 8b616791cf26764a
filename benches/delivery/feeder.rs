//! The camera: replaces the rolling file at a rate, or sends its pictures, as cheaply as that goes.

use std::{
    env,
    fs::{self, File},
    io::{Read, Write},
    net::SocketAddr,
    os::unix::fs::FileExt,
    path::PathBuf,
    thread,
    time::{Duration, Instant, UNIX_EPOCH},
};

use anyhow::{Context, ensure};

use crate::{
    arguments, connection,
    picture::{Pictures, micros},
};

/// What a sender says to be let in.
pub(crate) const TOKEN: &str = "benchmark";

/// Runs until it is killed.
pub(crate) fn run(arguments: &arguments::Feeder) -> anyhow::Result<()> {
    let pictures = Pictures::load(&arguments.pictures, arguments.size)?;
    let mut log = File::create(&arguments.log).context("the feeder's log")?;
    let mut show: Box<dyn FnMut(u64) -> anyhow::Result<u64>> = match arguments.upload {
        Some(address) => Box::new(upload(address, pictures)?),
        None => Box::new(replace(pictures)?),
    };
    let interval = Duration::from_secs_f64(1.0 / arguments.rate);
    let mut due = Instant::now();
    for number in 0.. {
        let micros = show(number)?;
        log.write_all(format!("{micros}\n").as_bytes())?;
        due += interval;
        thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    Ok(())
}

/// Sends pictures as a camera far away does, over one connection. Gives the time in µs since 1970, just before the first byte goes.
fn upload(address: SocketAddr, pictures: Pictures) -> anyhow::Result<impl FnMut(u64) -> anyhow::Result<u64>> {
    let mut stream = connection::connect(address)?;
    Ok(move |number| {
        let mut picture = pictures.unstamped(number).to_vec();
        let micros = micros()?;
        for (stamp, at) in pictures.stamps(number, micros) {
            picture[at as usize..at as usize + stamp.len()].copy_from_slice(&stamp);
        }
        let head = format!(
            "POST /upload HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {TOKEN}\r\n\
             Content-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n",
            picture.len()
        );
        stream.write_all(&[head.as_bytes(), &picture].concat())?;
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\nSuccess") {
            let mut piece = [0; 1024];
            let count = stream.read(&mut piece)?;
            answer.extend_from_slice(&piece[..count]);
            ensure!(count > 0 && answer.starts_with(b"HTTP/1.1 2"), "{}", String::from_utf8_lossy(&answer));
        }
        Ok(micros)
    })
}

/// Replaces the rolling file. Gives the time in µs since 1970, just before the rename.
fn replace(pictures: Pictures) -> anyhow::Result<impl FnMut(u64) -> anyhow::Result<u64>> {
    let path = PathBuf::from(env::var_os("EYELID_FILE").context("EYELID_FILE is not set")?);
    // The daemon is what is measured: past the capture process, which would write each picture once more, into the
    // rolling file itself.
    let folder = path.parent().context("the file has no folder")?.with_extension("");
    let path = folder.join(path.file_name().context("the file has no name")?);
    // Beside the folder: nobody who watches it has to look at what is half done.
    let part = path.parent().context("the rolling file has no folder")?.with_extension("part");
    Ok(move |number| {
        let mut file = File::create(&part)?;
        file.write_all(pictures.unstamped(number))?;
        let micros = micros()?;
        for (stamp, at) in pictures.stamps(number, micros) {
            file.write_all_at(&stamp, at)?;
        }
        file.set_modified(UNIX_EPOCH + Duration::from_micros(micros))?;
        drop(file);
        fs::rename(&part, &path)?;
        Ok(micros)
    })
}
