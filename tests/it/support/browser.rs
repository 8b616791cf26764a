//! A browser's Socket.IO connection over WebSocket, in both engine protocols.

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::{net::TcpSocket, sync::mpsc, task::JoinHandle, time::interval};
use tokio_tungstenite::{
    client_async,
    tungstenite::{Message, client::IntoClientRequest},
};

use super::{eventually, get, in_time};

/// How a browser behaves.
#[derive(Clone)]
pub(crate) struct Manner {
    /// The Engine.IO protocol: 4, or 3 for clients before Socket.IO 3.
    pub(crate) protocol: u8,
    /// `/`, or `/NAME` for a camera.
    pub(crate) namespace: String,
    /// What it says with its connection.
    pub(crate) auth: Option<Value>,
    /// What it says in the moment when it is told that it is connected.
    pub(crate) says: Vec<&'static str>,
    /// It reads nothing once it is connected.
    pub(crate) stops_reading: bool,
    /// So many pings it answers, and then none, as one that has vanished.
    pub(crate) answers: usize,
    /// The site of its page, where that is not the daemon's own.
    pub(crate) origin: Option<&'static str>,
    /// What it says of who it is: a header line `Cookie` or `Authorization`.
    pub(crate) credential: Option<(&'static str, String)>,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            protocol: 4,
            namespace: "/".to_owned(),
            auth: None,
            says: Vec::new(),
            stops_reading: false,
            answers: usize::MAX,
            origin: None,
            credential: None,
        }
    }
}

impl Manner {
    /// Watches that camera.
    pub(crate) fn of(camera: &str) -> Self {
        Self { namespace: format!("/{camera}"), ..Self::default() }
    }

    /// Wants states only.
    pub(crate) fn observer() -> Self {
        Self { auth: Some(serde_json::json!({ "watch": false })), ..Self::default() }
    }
}

/// A connected browser. Dropping it breaks the connection, as the end of its process would.
pub(crate) struct Browser {
    address: SocketAddr,
    manner: Manner,
    send: mpsc::UnboundedSender<Message>,
    inbox: Arc<Mutex<Inbox>>,
    last_ack: AtomicU32,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Inbox {
    connected: bool,
    refused: Option<Value>,
    closed: bool,
    pings: usize,
    events: HashMap<String, VecDeque<Value>>,
    acks: HashMap<u32, Value>,
    /// What came in another namespace, as it came.
    elsewhere: Vec<String>,
}

impl Browser {
    /// Connects to the first camera.
    pub(crate) async fn open(address: SocketAddr) -> Self {
        Self::with(address, Manner::default()).await
    }

    /// Connects, and waits until it is told that it is connected.
    pub(crate) async fn with(address: SocketAddr, manner: Manner) -> Self {
        let browser = Self::knock(address, manner).await;
        eventually("a Socket.IO connection", async || {
            let inbox = browser.inbox.lock().unwrap();
            assert!(inbox.refused.is_none() && !inbox.closed, "refused: {:?}", inbox.refused);
            inbox.connected.then_some(())
        })
        .await;
        browser
    }

    /// Asks to be connected, and does not wait for the answer.
    pub(crate) async fn knock(address: SocketAddr, manner: Manner) -> Self {
        let url = format!("ws://{address}/socket.io/?EIO={}&transport=websocket", manner.protocol);
        let socket = TcpSocket::new_v4().unwrap();
        if manner.stops_reading {
            socket.set_recv_buffer_size(4096).unwrap();
        }
        let stream = socket.connect(address).await.unwrap();
        let mut opening = url.into_client_request().unwrap();
        if let Some(origin) = manner.origin {
            opening.headers_mut().insert("origin", origin.parse().unwrap());
        }
        if let Some((name, value)) = &manner.credential {
            opening.headers_mut().insert(*name, value.parse().unwrap());
        }
        let (socket, _) = in_time("a WebSocket", client_async(opening, stream)).await.unwrap();
        let (send, mut to_send) = mpsc::unbounded_channel();
        let inbox = Arc::new(Mutex::new(Inbox::default()));
        let (heard, answers, how) = (inbox.clone(), send.clone(), manner.clone());
        // The old protocol connects everybody to `/` by itself.
        if manner.protocol == 4 || manner.namespace != "/" {
            let auth = manner.auth.as_ref().map(Value::to_string).unwrap_or_default();
            let _ = send.send(Message::text(format!("40{}{auth}", prefix(&manner.namespace))));
        }
        let task = tokio::spawn(async move {
            let (mut output, mut input) = socket.split();
            let mut ping = interval(Duration::from_secs(1));
            loop {
                tokio::select! {
                    message = input.next(), if !how.stops_reading || !heard.lock().unwrap().connected => match message {
                        Some(Ok(Message::Text(text))) => for answer in hear(&text, &how, &heard) {
                            let _ = answers.send(Message::text(answer));
                        },
                        Some(Ok(_)) => {}
                        None | Some(Err(_)) => break,
                    },
                    Some(message) = to_send.recv() => if output.send(message).await.is_err() { break },
                    // In the old protocol it is the client that pings.
                    _ = ping.tick(), if how.protocol == 3 => drop(answers.send(Message::text("2"))),
                }
            }
            heard.lock().unwrap().closed = true;
        });
        Self { address, manner, send, inbox, last_ack: AtomicU32::new(0), task }
    }

    /// Sends a WebSocket message as it is.
    pub(crate) fn send(&self, message: Message) {
        // Who has been thrown out can't send; the test sees that elsewhere.
        let _ = self.send.send(message);
    }

    /// Sends an event.
    pub(crate) fn say(&self, event: &str) {
        self.send(Message::text(format!("42{}[\"{event}\"]", prefix(&self.manner.namespace))));
    }

    /// Sends an event and waits for its acknowledgement.
    pub(crate) async fn ask(&self, event: &str) -> Value {
        let id = self.last_ack.fetch_add(1, Ordering::Relaxed);
        self.send(Message::text(format!("42{}{id}[\"{event}\"]", prefix(&self.manner.namespace))));
        eventually(&format!("the acknowledgement of {event}"), async || {
            let mut inbox = self.inbox.lock().unwrap();
            assert!(!inbox.closed, "thrown out before {event} was acknowledged");
            inbox.acks.remove(&id)
        })
        .await
    }

    /// The next event of that name.
    pub(crate) async fn next(&self, event: &str) -> Value {
        eventually(&format!("the event {event}"), async || {
            self.inbox.lock().unwrap().events.get_mut(event)?.pop_front()
        })
        .await
    }

    /// The first state told from here on that fits.
    pub(crate) async fn told(&self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        eventually(&format!("the state {what}"), async || {
            let mut inbox = self.inbox.lock().unwrap();
            let states = inbox.events.get_mut("state")?;
            std::iter::from_fn(|| states.pop_front()).find(&fits)
        })
        .await
    }

    /// Gets the next picture that is announced, and sees that it is one.
    pub(crate) async fn picture(&self) -> Vec<u8> {
        let url = self.next("liveStream").await;
        let url = url.as_str().unwrap();
        let path = match self.manner.namespace.as_str() {
            "/" => format!("/{url}"),
            camera => format!("/cameras{camera}/{url}"),
        };
        let reply = get(self.address, &path).await;
        assert_eq!((reply.status, reply.header("content-type")), (200, "image/jpeg"), "{path}");
        eyelid::jpeg::inspect(&reply.body).unwrap();
        reply.body
    }

    /// Forgets what has come of that name, and tells how much it was.
    pub(crate) fn forget(&self, event: &str) -> usize {
        self.inbox.lock().unwrap().events.remove(event).map_or(0, |events| events.len())
    }

    /// What came in another namespace of its connection, as it came.
    pub(crate) fn elsewhere(&self) -> Vec<String> {
        self.inbox.lock().unwrap().elsewhere.clone()
    }

    /// Why it was not let in, once that is known.
    pub(crate) fn refused(&self) -> Option<Value> {
        self.inbox.lock().unwrap().refused.clone()
    }

    /// Whether the connection has ended.
    pub(crate) fn is_closed(&self) -> bool {
        self.inbox.lock().unwrap().closed
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Inbox {
    fn hear(&mut self, text: &str, namespace: &str) {
        let Some(packet) = text.strip_prefix('4') else { return };
        let (kind, rest) = packet.split_at(1);
        let own = prefix(namespace);
        let in_own = rest.strip_prefix(&own).filter(|rest| !own.is_empty() || !rest.starts_with('/'));
        let Some(rest) = in_own else { return self.elsewhere.push(text.to_owned()) };
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (id, data) = (rest[..digits].parse(), &rest[digits..]);
        let data: Value = if data.is_empty() { Value::Null } else { serde_json::from_str(data).unwrap() };
        match kind {
            "0" => self.connected = true,
            "1" => self.closed = true,
            "2" => {
                let name = data[0].as_str().unwrap().to_owned();
                self.events.entry(name).or_default().push_back(data[1].clone());
            }
            "3" => drop(self.acks.insert(id.unwrap(), data[0].clone())),
            _ => self.refused = Some(data),
        }
    }
}

/// Takes a packet in, and gives what there is to say to it.
fn hear(packet: &str, how: &Manner, inbox: &Mutex<Inbox>) -> Vec<String> {
    let mut inbox = inbox.lock().unwrap();
    if packet == "2" {
        inbox.pings += 1;
        return if inbox.pings <= how.answers { vec!["3".to_owned()] } else { Vec::new() };
    }
    let before = inbox.connected;
    inbox.hear(packet, &how.namespace);
    let says = if inbox.connected && !before { how.says.as_slice() } else { &[] };
    says.iter().map(|event| format!("42{}[\"{event}\"]", prefix(&how.namespace))).collect()
}

/// How a packet names its namespace.
fn prefix(namespace: &str) -> String {
    if namespace == "/" { String::new() } else { format!("{namespace},") }
}
