//! A program that watches over the binary WebSocket.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, protocol::CloseFrame},
};

use super::{http::connect, in_time};

/// A connected viewer. Dropping it is how its program is killed.
pub(crate) struct Viewer {
    socket: WebSocketStream<TcpStream>,
}

impl Viewer {
    pub(crate) async fn open(address: SocketAddr, path: &str) -> Self {
        Self::with_buffer(address, path, None).await
    }

    /// Connects through a small buffer.
    pub(crate) async fn with_buffer(address: SocketAddr, path: &str, buffer: Option<u32>) -> Self {
        let stream = connect(address, buffer).await;
        let url = format!("ws://{address}{path}");
        let (socket, _) = in_time("a WebSocket", client_async(url, stream)).await.unwrap();
        Self { socket }
    }

    /// Sends a text message.
    pub(crate) async fn say(&mut self, text: &str) {
        self.send(Message::text(text)).await;
    }

    /// Sends a message.
    pub(crate) async fn send(&mut self, message: Message) {
        in_time("a message sent", self.socket.send(message)).await.unwrap();
    }

    /// The next message but pings; nothing when the connection has ended.
    pub(crate) async fn message(&mut self) -> Option<Message> {
        loop {
            match in_time("a message", self.socket.next()).await {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(message)) => return Some(message),
                Some(Err(_)) | None => return None,
            }
        }
    }

    /// The next picture, with what was told before it.
    pub(crate) async fn picture(&mut self) -> (Vec<u8>, Vec<Value>) {
        let mut told = Vec::new();
        loop {
            match self.message().await {
                Some(Message::Binary(jpeg)) => {
                    eyelid::jpeg::inspect(&jpeg).unwrap();
                    return (jpeg.to_vec(), told);
                }
                Some(Message::Text(text)) => told.push(serde_json::from_str(&text).unwrap()),
                other => panic!("no picture, but {other:?}"),
            }
        }
    }

    /// The next text of that event, past pictures and others.
    pub(crate) async fn told(&mut self, event: &str, fits: impl Fn(&Value) -> bool) -> Value {
        // Pictures may come for ever.
        in_time(event, async {
            loop {
                match self.message().await {
                    Some(Message::Binary(_)) => {}
                    Some(Message::Text(text)) => {
                        let value: Value = serde_json::from_str(&text).unwrap();
                        if value["event"] == event && fits(&value) {
                            return value;
                        }
                    }
                    other => panic!("no {event}, but {other:?}"),
                }
            }
        })
        .await
    }

    /// Reads and answers until that many pings have come.
    pub(crate) async fn pinged(&mut self, times: usize) {
        for _ in 0..times {
            let ping = async {
                while !matches!(self.socket.next().await.expect("it goes on").unwrap(), Message::Ping(_)) {}
            };
            in_time("a ping", ping).await;
        }
    }

    /// How the daemon says goodbye, past all that comes before.
    pub(crate) async fn goodbye(&mut self) -> Option<CloseFrame> {
        loop {
            match self.message().await {
                Some(Message::Close(frame)) => return frame,
                Some(_) => {}
                None => return None,
            }
        }
    }
}
