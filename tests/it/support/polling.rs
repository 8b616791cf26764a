//! A Socket.IO connection over HTTP polling.

use std::net::SocketAddr;

use serde_json::Value;

use super::{get, in_time, request};

/// A session of the engine, without a WebSocket.
pub(crate) struct Polling {
    address: SocketAddr,
    path: String,
    protocol: u8,
    /// What came with the last answer and was not asked for yet.
    waiting: Vec<String>,
}

impl Polling {
    /// Opens a session in the Engine.IO protocol 3 or 4.
    pub(crate) async fn open(address: SocketAddr, protocol: u8) -> Self {
        let path = format!("/socket.io/?EIO={protocol}&transport=polling");
        let mut polling = Self { address, path, protocol, waiting: Vec::new() };
        let open = polling.next("0").await;
        let open: Value = serde_json::from_str(&open).unwrap();
        polling.path = format!("{}&sid={}", polling.path, open["sid"].as_str().unwrap());
        polling
    }

    /// The session's id.
    pub(crate) fn sid(&self) -> &str {
        self.path.rsplit_once("sid=").unwrap().1
    }

    /// Sends a packet.
    pub(crate) async fn send(&self, packet: &str) {
        let body = match self.protocol {
            3 => format!("{}:{packet}", packet.chars().count()),
            _ => packet.to_owned(),
        };
        let kind = "Content-Type: text/plain;charset=UTF-8\r\n";
        let reply = request(self.address, "POST", &self.path, kind, body.as_bytes()).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
    }

    /// The rest of the next packet that begins like this. Answers pings on the way.
    pub(crate) async fn next(&mut self, start: &str) -> String {
        let search = async {
            loop {
                while !self.waiting.is_empty() {
                    let packet = self.waiting.remove(0);
                    if packet == "2" {
                        self.send("3").await;
                    } else if let Some(rest) = packet.strip_prefix(start) {
                        return rest.to_owned();
                    }
                }
                let reply = get(self.address, &self.path).await;
                assert_eq!(reply.status, 200, "{}", reply.text());
                self.waiting = packets(&reply.text(), self.protocol);
            }
        };
        in_time(&format!("a packet {start}…"), search).await
    }
}

/// Takes a payload apart: `LENGTH:PACKET…` in protocol 3, packets with a separator between them in 4.
fn packets(payload: &str, protocol: u8) -> Vec<String> {
    if protocol == 4 {
        return payload.split('\u{1e}').map(str::to_owned).collect();
    }
    let (mut packets, mut rest) = (Vec::new(), payload);
    while let Some((length, after)) = rest.split_once(':') {
        let length: usize = length.parse().unwrap();
        packets.push(after.chars().take(length).collect());
        rest = &after[after.char_indices().nth(length).map_or(after.len(), |(at, _)| at)..];
    }
    packets
}
