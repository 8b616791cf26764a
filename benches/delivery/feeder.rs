//! The camera: replaces the rolling file at a rate, as cheaply as that goes.

use std::{
    env,
    fs::{self, File},
    io::Write,
    os::unix::fs::FileExt,
    path::PathBuf,
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::Context;

use crate::{arguments, picture::Pictures};

/// Runs until it is killed.
pub(crate) fn run(arguments: &arguments::Feeder) -> anyhow::Result<()> {
    let path = PathBuf::from(env::var_os("EYELID_FILE").context("EYELID_FILE is not set")?);
    // The daemon is what is measured: past the capture process, which would write each picture once more, into the
    // rolling file itself.
    let folder = path.parent().context("the file has no folder")?.with_extension("");
    let path = folder.join(path.file_name().context("the file has no name")?);
    // Beside the folder: nobody who watches it has to look at what is half done.
    let part = path.parent().context("the rolling file has no folder")?.with_extension("part");
    let pictures = Pictures::load(&arguments.pictures, arguments.size)?;
    let mut log = File::create(&arguments.log).context("the feeder's log")?;
    let interval = Duration::from_secs_f64(1.0 / arguments.rate);
    let mut due = Instant::now();
    for number in 0.. {
        let mut file = File::create(&part)?;
        file.write_all(pictures.unstamped(number))?;
        let micros = SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros() as u64;
        for (stamp, at) in pictures.stamps(number, micros) {
            file.write_all_at(&stamp, at)?;
        }
        file.set_modified(UNIX_EPOCH + Duration::from_micros(micros))?;
        drop(file);
        fs::rename(&part, &path)?;
        log.write_all(format!("{micros}\n").as_bytes())?;
        due += interval;
        thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    Ok(())
}
