//! `ws`: pictures over a WebSocket, a JPEG a message, always the newest one; and a text when something changes.
//!
//! A task for each viewer, with two halves: one listens and keeps what the viewer wishes, the other sends one
//! message at a time and then looks what is the newest. So a slow viewer skips pictures, and holds up nobody.

mod sender;
mod wishes;

use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream::SplitStream};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::time::timeout;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Message, Utf8Bytes,
        error::Error,
        handshake::derive_accept_key,
        protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode},
    },
};

use super::{
    access::Visitor,
    error::{self, Refusal},
    server::Line,
};
use crate::{
    camera::{Camera, waves::Waver},
    config::SocketIoConfig,
};
use sender::Sender;
use wishes::{Wish, Wishes};

/// The longest message of a viewer, in bytes. Wishes are short.
const LONGEST_MESSAGE: usize = 4 << 10;

/// How long a viewer may take to say goodbye too. Shorter than the server's grace.
const GOODBYE: Duration = Duration::from_secs(2);

/// A viewer is asked for a sign of life at this interval, and counts as gone when it gives none in time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heartbeat {
    interval: Duration,
    timeout: Duration,
}

impl From<&SocketIoConfig> for Heartbeat {
    fn from(config: &SocketIoConfig) -> Self {
        Self { interval: config.ping_interval, timeout: config.ping_timeout }
    }
}

/// How a conversation ends.
enum End {
    /// The connection is of no use any more.
    Lost,
    /// The viewer has said goodbye, and was answered.
    Left,
    /// The viewer sends messages that are too long.
    TooLong,
    /// The viewer may not look any more.
    ShutOut,
    /// The camera is gone, or the daemon stops.
    Away,
}

/// Answers with the change of protocol, and starts the camera, if need be, for as long as that lasts.
pub(crate) fn websocket(
    camera: &Camera,
    visitor: Visitor,
    query: Option<&str>,
    headers: &HeaderMap,
    upgrade: Option<OnUpgrade>,
    line: Option<Line>,
    heartbeat: Heartbeat,
) -> Response<Bytes> {
    let agreed = handshake(headers, upgrade).and_then(|agreed| Ok((agreed, wishes::asked(query)?)));
    let ((upgrade, accept), (wish, counts)) = match agreed {
        Ok(agreed) => agreed,
        Err(refusal) => return *refusal,
    };
    let (camera, lease) = (camera.clone(), counts.then(|| camera.lease()));
    tokio::spawn(async move {
        let _lease = lease;
        let Ok(connection) = upgrade.await else { return };
        if let Some(line) = &line {
            line.keep_short();
        }
        let config = WebSocketConfig::default()
            .read_buffer_size(1024)
            .write_buffer_size(0)
            .max_message_size(Some(LONGEST_MESSAGE))
            .max_frame_size(Some(LONGEST_MESSAGE));
        let connection = TokioIo::new(connection);
        let socket = WebSocketStream::from_raw_socket(connection, Role::Server, Some(config)).await;
        converse(socket, &camera, visitor, wish, line, heartbeat).await;
    });
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    response
}

/// Whether this is a WebSocket's opening; if so, what to answer it with.
fn handshake(headers: &HeaderMap, upgrade: Option<OnUpgrade>) -> Result<(OnUpgrade, HeaderValue), Refusal> {
    let said = |name: &HeaderName| headers.get(name).map(HeaderValue::as_bytes);
    let is_websocket = said(&header::UPGRADE).is_some_and(|to| to.eq_ignore_ascii_case(b"websocket"));
    let Some(upgrade) = upgrade.filter(|_| is_websocket) else {
        return Err(wrong_protocol("this is a WebSocket", "connect to it with ws:// or wss://"));
    };
    if said(&header::SEC_WEBSOCKET_VERSION) != Some(b"13") {
        return Err(wrong_protocol("the version of the WebSocket protocol is unknown", "use version 13"));
    }
    // 16 bytes in base64.
    let Some(key) = said(&header::SEC_WEBSOCKET_KEY).filter(|key| key.len() == 24) else {
        let hint = "send the Sec-WebSocket-Key that the protocol asks for";
        let problem = "the WebSocket's opening has no valid key";
        return Err(Box::new(error::json(StatusCode::BAD_REQUEST, problem, hint)));
    };
    let accept = derive_accept_key(key);
    Ok((upgrade, HeaderValue::from_str(&accept).expect("base64 is a header value")))
}

fn wrong_protocol(problem: &str, hint: &str) -> Refusal {
    let mut refusal = error::json(StatusCode::UPGRADE_REQUIRED, problem, hint);
    let headers = refusal.headers_mut();
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    Box::new(refusal)
}

type Socket = WebSocketStream<TokioIo<Upgraded>>;

async fn converse(
    socket: Socket,
    camera: &Camera,
    visitor: Visitor,
    wish: Wish,
    line: Option<Line>,
    heartbeat: Heartbeat,
) {
    let (output, mut input) = socket.split();
    let wishes = Wishes::from(wish);
    let waver = camera.waves().waver("");
    let mut sender = Sender::new(output, camera, &wishes, &waver, line, heartbeat);
    let end = tokio::select! {
        end = listen(&mut input, &wishes, &waver) => end,
        end = sender.run() => end,
        () = visitor.shut_out(camera.clone()) => End::ShutOut,
    };
    let goodbye = match end {
        End::Lost | End::Left => return,
        End::TooLong => CloseFrame {
            code: CloseCode::Size,
            reason: Utf8Bytes::from(format!("a message has at most {LONGEST_MESSAGE} bytes")),
        },
        End::ShutOut => CloseFrame {
            code: CloseCode::Policy,
            reason: Utf8Bytes::from_static("sign in: you may not look any more"),
        },
        End::Away => {
            CloseFrame { code: CloseCode::Away, reason: Utf8Bytes::from_static("the camera goes away") }
        }
    };
    let farewell = async {
        sender.close(goodbye).await;
        // Closing a socket that has unread bytes would take the goodbye away from the viewer.
        while input.next().await.is_some_and(|message| message.is_ok()) {}
    };
    let _ = timeout(GOODBYE, farewell).await;
}

/// Hears the viewer until it leaves.
async fn listen(input: &mut SplitStream<Socket>, wishes: &Wishes, waver: &Waver) -> End {
    while let Some(message) = input.next().await {
        match message {
            Ok(Message::Text(text)) => wishes.hear(&text, || waver.wave()),
            Ok(Message::Binary(_)) => wishes.refuse("a binary message"),
            Ok(Message::Close(_)) => {
                // The answer is sent by reading on.
                let _ = timeout(GOODBYE, input.next()).await;
                return End::Left;
            }
            Ok(_) => wishes.alive(),
            Err(Error::Capacity(_)) => return End::TooLong,
            Err(_) => return End::Lost,
        }
    }
    End::Lost
}
