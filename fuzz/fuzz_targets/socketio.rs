//! What a browser that has joined a camera may send: frames of WebSocket, packets of Engine.IO and Socket.IO. The first
//! byte tells how the rest is sent, see below. Whatever comes, nothing panics, and no connection is kept when its client
//! has gone.

#![no_main]

use eyelid_fuzz::{BINARY, Daemon, TEXT, frame};
use libfuzzer_sys::fuzz_target;

/// Between packets, as in the body of a poll.
const SEPARATOR: u8 = 0x1E;

thread_local! {
    static DAEMON: Daemon = Daemon::start();
}

fuzz_target!(|bytes: &[u8]| {
    let Some((how, rest)) = bytes.split_first() else { return };
    DAEMON.with(|daemon| match how {
        b'0' => daemon.websocket(4, &[rest.to_vec()]),
        b'1' => daemon.websocket(4, &pieces(rest)),
        b'2' => daemon.websocket(3, &pieces(rest)),
        b'3' => daemon.polling(4, rest),
        _ => daemon.polling(3, rest),
    });
});

/// Each packet in a frame of its own. What follows one that joins is said when that is done: it would end the session.
fn pieces(packets: &[u8]) -> Vec<Vec<u8>> {
    let mut pieces = vec![Vec::new()];
    for packet in packets.split(|byte| *byte == SEPARATOR) {
        let kind = if std::str::from_utf8(packet).is_ok() { TEXT } else { BINARY };
        pieces.last_mut().expect("there is one always").extend(frame(kind, packet));
        if packet.starts_with(b"40") {
            pieces.push(Vec::new());
        }
    }
    pieces
}
