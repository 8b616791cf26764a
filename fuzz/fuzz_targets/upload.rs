//! A body from a sender that is let in: as a picture, in a form, or as what it says itself. The first byte tells which.
//! Whatever comes, nothing panics, and exactly whole pictures are taken.

#![no_main]

use eyelid::jpeg::inspect;
use eyelid_fuzz::{Daemon, TOKEN, status};
use libfuzzer_sys::fuzz_target;

const MOST_PIXELS: u32 = 16 << 20;

thread_local! {
    static DAEMON: Daemon = Daemon::start();
}

fuzz_target!(|bytes: &[u8]| {
    let Some((how, rest)) = bytes.split_first() else { return };
    let (kind, body): (&[u8], _) = match how {
        b'p' => (b"image/jpeg", rest),
        b'f' => (b"multipart/form-data; boundary=LMR", rest),
        _ => {
            let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
            (&rest[..end], rest.get(end + 1..).unwrap_or_default())
        }
    };
    let head = format!(
        "POST /upload HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {TOKEN}\r\n\
         Content-Length: {}\r\nContent-Type: ",
        body.len()
    );
    let request = [head.as_bytes(), kind, b"\r\n\r\n", body].concat();
    let answer = DAEMON.with(|daemon| daemon.ask(&request));
    let told = status(&answer);
    let fine = match how {
        b'p' => {
            let whole =
                inspect(body).is_ok_and(|info| u32::from(info.width) * u32::from(info.height) <= MOST_PIXELS);
            told == Some(if whole { 200 } else { 422 })
        }
        b'f' => matches!(told, Some(200 | 422)),
        _ => told.is_some_and(|told| (200..500).contains(&told)),
    };
    assert!(fine, "{}", String::from_utf8_lossy(&answer));
});
