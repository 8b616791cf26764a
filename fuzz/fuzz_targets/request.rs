//! A connection, from its first byte to its last, with the daemon behind it: whatever comes, nothing panics, no
//! connection is kept when its client has gone, and no answer is our mistake.

#![no_main]

use eyelid_fuzz::{Daemon, status};
use libfuzzer_sys::fuzz_target;

/// So that what is no error, or the beginning of something longer, has an end too.
const LAST: &[u8] = b"\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

thread_local! {
    static DAEMON: Daemon = Daemon::start();
}

fuzz_target!(|bytes: &[u8]| {
    let answer = DAEMON.with(|daemon| daemon.exchange(&[bytes, LAST].concat()));
    if !answer.is_empty() {
        let fine = answer.starts_with(b"HTTP/1.") && status(&answer).is_some_and(|status| status != 500);
        assert!(fine, "{}", String::from_utf8_lossy(&answer));
    }
});
