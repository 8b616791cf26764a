//! Who is at the other end of a connection.

use std::fmt;
use std::net::SocketAddr;

/// The other end of the connection that a request came over, as an extension of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peer {
    /// Where it connects from: the client, or a proxy in front of the daemon. `None` on the local socket.
    pub(crate) address: Option<SocketAddr>,
    /// Whether what goes over this connection is encrypted.
    pub(crate) tls: bool,
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            Some(address) => write!(f, "{address}"),
            None => f.write_str("the local socket"),
        }
    }
}
