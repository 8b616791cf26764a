//! The text of a configuration file: whatever it says, it is a configuration, or each error names the line or the key
//! that is to blame.

#![no_main]

use std::{fs, path::PathBuf};

use eyelid::config::{Place, Request, diff, load};
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

thread_local! {
    static FILE: (TempDir, PathBuf) = {
        let folder = tempfile::tempdir_in("/dev/shm").expect("a folder in memory");
        let file = folder.path().join("config.toml");
        (folder, file)
    };
}

fuzz_target!(|bytes: &[u8]| {
    let file = FILE.with(|(_, file)| file.clone());
    fs::write(&file, bytes).expect("a file in memory");
    let request = Request { file: Some(file), ..Request::default() };
    match load(&request) {
        Ok(loaded) => {
            assert!(!loaded.config.cameras.is_empty());
            assert!(diff(&loaded.config, &loaded.config).is_empty(), "it differs from itself");
        }
        Err(errors) => {
            let lines = bytes.split(|byte| *byte == b'\n').count();
            assert!(!errors.0.is_empty(), "refused without a reason");
            for error in &errors.0 {
                let named = match &error.place {
                    Place::Position { line, .. } => (1..=lines).contains(line),
                    _ => !error.key.is_empty() || error.message.ends_with("more errors"),
                };
                assert!(named && !error.message.is_empty(), "{error:#}");
                let text = format!("{error:#}");
                let odd = text.chars().find(|c| c.is_control() && *c != '\n');
                assert_eq!(odd, None, "a control character for the terminal: {text:?}");
            }
        }
    }
});
