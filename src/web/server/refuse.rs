//! How a connection too many is told so, with bounded work.

use super::admission::Full;
use super::peer::Peer;
use super::wire::Wire;
use crate::repeats::Repeats;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Refused clients that are waited for at one time. Others may lose the answer, see [`linger`].
const MOST_LINGERING: usize = 32;

/// Tells clients that there is no room, and the log too, once a minute.
#[derive(Default)]
pub(super) struct Refusals {
    lingering: JoinSet<()>,
    in_all: Repeats,
    from_address: Repeats,
}

impl Refusals {
    pub(super) fn refuse(&mut self, wire: Wire, peer: Peer, full: Full) {
        let (repeats, error, advice, limit) = match full {
            Full::InAll => {
                (&mut self.in_all, "too many connections", "try again in a moment", "limits.connections")
            }
            Full::FromAddress => (
                &mut self.from_address,
                "too many connections from your address",
                "close some pages",
                "limits.connections_per_address",
            ),
        };
        if let Some(more_since_last) = repeats.note() {
            tracing::warn!(%peer, more_since_last, "refused a connection: {limit} is reached");
        }
        // Without a handshake a client of TLS can't be told.
        let Wire::Tcp(stream) = wire else { return };
        let hint = format!("{advice}; the limit is {limit}");
        let body = format!(r#"{{"error":"{error}","hint":"{hint}"}}"#);
        let answer = format!(
            "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
             retry-after: 5\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        // Straight to the kernel, whose buffer is empty: tokio would wait for its first event.
        socket2::SockRef::from(&stream).send(answer.as_bytes()).ok();
        while self.lingering.try_join_next().is_some() {}
        if self.lingering.len() < MOST_LINGERING {
            self.lingering.spawn(linger(stream));
        }
    }
}

/// Reads what the client sends until it has read the answer and closes. Closing a socket with unread
/// bytes resets the connection, and the client's kernel throws the answer away.
async fn linger(mut stream: TcpStream) {
    socket2::SockRef::from(&stream).shutdown(std::net::Shutdown::Write).ok();
    let drained = async {
        let mut waste = [0; 1024];
        for _ in 0..64 {
            if !matches!(stream.read(&mut waste).await, Ok(1..)) {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(1), drained).await.ok();
}
