//! Socket.IO: pictures announced to browsers, and their wish to watch.
//!
//! The wire is that of the old Node program, `start-stream` in and `liveStream` out, and more; all of it is
//! in `docs/protocol.md`. A camera has the namespace `/NAME`; the first one has `/` too.

use std::{
    collections::HashMap,
    future::ready,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use serde::Deserialize;
use serde_json::{Value, json};
use socketioxide::{
    ParserConfig, ProtocolVersion, SocketIo,
    extract::{AckSender, SocketRef, TryData},
    handler::ConnectHandler,
    layer::SocketIoLayer,
    operators::BroadcastOperators,
    socket::{DisconnectReason, Sid},
};
use tokio::{sync::watch, task::JoinHandle};

use super::{access::Visitor, controls::Panels, guard, states::States};
use crate::{
    access::Access,
    camera::{
        Camera, Cameras,
        lifecycle::State,
        status::unix_ms,
        viewers::Viewer,
        waves::{TooSoon, Waver},
    },
    capture::rolling_file::FILE_NAME,
    config,
    feed::Frame,
};

/// The room of the browsers that have not opted out.
const WATCHING: &str = "watching";

/// The room of those who may set what the camera does.
const MANAGING: &str = "managing";

/// The longest message of a browser, in bytes. Ours are the names of events.
const LONGEST_MESSAGE: usize = 16 << 10;

/// The Socket.IO server of all cameras.
pub(crate) struct Announcer {
    io: SocketIo,
    cameras: Cameras,
    running: HashMap<String, (Camera, JoinHandle<()>)>,
    door: JoinHandle<()>,
}

/// What a browser may say when it connects.
#[derive(Debug, Deserialize)]
struct Auth {
    #[serde(default = "yes")]
    watch: bool,
}

fn yes() -> bool {
    true
}

impl Announcer {
    /// The server, and the layer that answers its requests.
    pub(crate) fn new(
        config: &config::SocketIoConfig,
        cameras: Cameras,
        access: &Access,
    ) -> (Self, SocketIoLayer) {
        let (layer, io) = SocketIo::builder()
            .ping_interval(config.ping_interval)
            .ping_timeout(config.ping_timeout)
            .connect_timeout(Duration::from_secs(10))
            .max_payload(LONGEST_MESSAGE as u64)
            .ws_max_message_size(LONGEST_MESSAGE)
            .ws_max_frame_size(LONGEST_MESSAGE)
            .ws_read_buffer_size(1024)
            .with_parser(ParserConfig::common().max_incoming_binaries(0))
            .build_layer();
        let first = cameras.clone();
        io.ns(
            "/",
            connected
                .with(move |socket: SocketRef, auth: TryData<Auth>| register(first.first(), socket, auth)),
        );
        let door = tokio::spawn(look_again(io.clone(), cameras.clone(), access.changes()));
        let mut announcer = Self { io, cameras, running: HashMap::new(), door };
        announcer.follow();
        (announcer, layer)
    }

    /// Serves the cameras that there are now; to be called when they have changed.
    pub(crate) fn follow(&mut self) {
        let cameras = self.cameras.all();
        let (io, list) = (&self.io, &self.cameras);
        self.running.retain(|name, (old, task)| {
            let stays = cameras.iter().any(|camera| camera.is(old));
            if !stays {
                task.abort();
                let path = format!("/{name}");
                // Deleting the namespace alone would leave its browsers waiting for ever.
                for browser in io.of(&path).into_iter().flat_map(BroadcastOperators::sockets) {
                    let _ = browser.disconnect();
                }
                io.delete_ns(path);
            }
            stays
        });
        for camera in cameras {
            self.running.entry(camera.name().to_string()).or_insert_with(|| {
                let own = camera.clone();
                let handler =
                    move |socket: SocketRef, auth: TryData<Auth>| register(Some(own.clone()), socket, auth);
                io.ns(format!("/{}", camera.name()), connected.with(handler));
                let task = tokio::spawn(announce(io.clone(), list.clone(), camera.clone()));
                (camera, task)
            });
        }
        for browser in self.io.of("/").into_iter().flat_map(BroadcastOperators::sockets) {
            reseat(&self.cameras, &browser);
        }
        show_out(&self.io, &self.cameras);
    }

    /// Ends all connections.
    pub(crate) async fn close(self) {
        self.door.abort();
        for (_, task) in self.running.values() {
            task.abort();
        }
        self.io.close().await;
    }
}

/// Looks at all browsers anew each time when somebody may be somebody else than before.
async fn look_again(io: SocketIo, cameras: Cameras, mut changes: watch::Receiver<u64>) {
    while changes.changed().await.is_ok() {
        show_out(&io, &cameras);
    }
}

/// Ends the connections of those who may not look any more: whose session has ended, or whose site may not show the
/// camera, or not the one that is the first now.
fn show_out(io: &SocketIo, cameras: &Cameras) {
    let paths = cameras.all().into_iter().map(|camera| format!("/{}", camera.name())).chain(["/".to_owned()]);
    for browser in paths.filter_map(|path| io.of(path)).flat_map(BroadcastOperators::sockets) {
        let Some(seat) = Seat::of(&browser) else { continue };
        if not_let_in(&seat.camera, &browser).is_some() {
            let _ = browser.disconnect();
        } else if !may_manage(&browser) {
            browser.leave(MANAGING);
        }
    }
}

/// A browser's seat, from before it is told that it is connected until it has left.
#[derive(Clone)]
struct Seat {
    camera: Camera,
    viewer: Arc<Viewer>,
    waver: Arc<Waver>,
    /// It has said `start-stream`.
    asked: Arc<AtomicBool>,
}

impl Seat {
    fn new(camera: Camera, id: Sid, willing: bool) -> Self {
        let viewer = Arc::new(camera.viewers().connect(willing));
        let waver = Arc::new(camera.waves().waver(id.as_str()));
        Self { camera, viewer, waver, asked: Arc::new(AtomicBool::new(false)) }
    }

    fn of(socket: &SocketRef) -> Option<Self> {
        socket.extensions.get()
    }
}

/// Opts a client out of the namespace `/` that wants another one. Clients before Socket.IO 3 are connected to
/// `/` whatever they want, so it means nothing until they ask there.
fn leave_main(io: &SocketIo, id: Sid) {
    let Some(main) = io.get_socket(id) else { return };
    if let Some(seat) = Seat::of(&main).filter(|seat| !seat.asked.load(Ordering::Relaxed)) {
        seat.viewer.stop();
        main.leave(WATCHING);
    }
}

/// Moves a browser of the namespace `/` to the camera that is the first one now.
fn reseat(cameras: &Cameras, socket: &SocketRef) {
    let Some(first) = cameras.first() else { return };
    let Some(old) = Seat::of(socket).filter(|seat| !seat.camera.is(&first)) else { return };
    let seat = Seat::new(first, socket.id, old.viewer.willing());
    socket.extensions.insert(seat.clone());
    old.viewer.leave();
    tell(&seat.camera, socket);
}

/// Tells a browser what its camera is doing and what can be set of it.
fn tell(camera: &Camera, socket: &SocketRef) {
    let _ = socket.emit("state", &camera.status().borrow().to_json());
    if may_manage(socket) {
        let _ = socket.emit("controls", &camera.controls().borrow().to_json());
    }
}

/// Whether the browser may set what cameras do.
fn may_manage(socket: &SocketRef) -> bool {
    socket.req_parts().extensions.get().is_some_and(Visitor::may_manage)
}

/// Why a browser, or a page of another site in it, is not let in, where it isn't.
fn not_let_in(camera: &Camera, socket: &SocketRef) -> Option<String> {
    let name = camera.name();
    if !socket.req_parts().extensions.get::<Visitor>().is_some_and(|visitor| visitor.may_look(camera)) {
        return Some(format!("sign in first: you may not look at the camera {name}"));
    }
    let site = guard::other_site(socket.req_parts()).filter(|site| !camera.origins().allow(site))?;
    Some(format!("{site} may not show the camera {name}: its owner can set origins = [{site:?}] for it"))
}

/// Registers the handlers. As a middleware it runs before the browser is told that it is connected: what
/// the browser says at once would be lost otherwise. The handlers run inline, in order of arrival.
fn register(
    camera: Option<Camera>,
    socket: SocketRef,
    TryData(auth): TryData<Auth>,
) -> std::future::Ready<Result<(), String>> {
    let Some(camera) = camera else { return ready(Err("the daemon stops".to_owned())) };
    if let Some(refusal) = not_let_in(&camera, &socket) {
        return ready(Err(refusal));
    }
    socket.extensions.insert(Seat::new(camera, socket.id, auth.map_or(true, |auth| auth.watch)));
    socket.on("start-stream", |socket: SocketRef, ack: AckSender| {
        if let Some(seat) = Seat::of(&socket) {
            seat.asked.store(true, Ordering::Relaxed);
            seat.viewer.start();
            enter(&socket, WATCHING);
            announce_newest(&seat.camera, &socket);
            let _ = ack.send(&done(&seat.camera));
        }
        ready(())
    });
    socket.on("stop-stream", |socket: SocketRef, ack: AckSender| {
        if let Some(seat) = Seat::of(&socket) {
            seat.viewer.stop();
            socket.leave(WATCHING);
            let _ = ack.send(&done(&seat.camera));
        }
        ready(())
    });
    socket.on("wave", |socket: SocketRef, ack: AckSender| {
        if let Some(seat) = Seat::of(&socket) {
            let _ = ack.send(&waved(seat.waver.wave()));
        }
        ready(())
    });
    socket.on("clock", |ack: AckSender| {
        let _ = ack.send(&json!({ "now": unix_ms(SystemTime::now()) }));
        ready(())
    });
    socket.on_disconnect(|socket: SocketRef, reason: DisconnectReason| {
        if let Some(seat) = Seat::of(&socket) {
            tracing::debug!(camera = %seat.camera.name(), %reason, "a browser went");
            seat.viewer.leave();
        }
        ready(())
    });
    ready(Ok(()))
}

/// Puts a browser into a room. One that has left meanwhile was taken out of all rooms before it got into this one, and
/// nobody would do it again.
fn enter(socket: &SocketRef, room: &'static str) {
    socket.join(room);
    if Seat::of(socket).is_none_or(|seat| seat.viewer.has_left()) {
        socket.leave_all();
    }
}

async fn connected(io: SocketIo, socket: SocketRef) {
    let Some(seat) = Seat::of(&socket) else { return };
    if socket.protocol() == ProtocolVersion::V4 && socket.ns() != "/" {
        leave_main(&io, socket.id);
    }
    if seat.viewer.willing() {
        enter(&socket, WATCHING);
        announce_newest(&seat.camera, &socket);
    }
    if may_manage(&socket) {
        enter(&socket, MANAGING);
    }
    // It may have opted out before it joined.
    if !seat.viewer.willing() {
        socket.leave(WATCHING);
    }
    tell(&seat.camera, &socket);
}

fn done(camera: &Camera) -> Value {
    json!({ "ok": true, "state": camera.status().borrow().to_json() })
}

fn waved(outcome: Result<(), TooSoon>) -> Value {
    match outcome {
        Ok(()) => json!({ "ok": true }),
        Err(refusal) => {
            let error = format!("{refusal}: {}", refusal.hint());
            json!({ "ok": false, "error": error, "retry_in_ms": refusal.retry_in_ms() })
        }
    }
}

fn url(frame: &Frame) -> String {
    format!("{FILE_NAME}?_t={}", frame.id)
}

/// Shows whoever comes while the camera is on the picture that there is: the next one may be an hour away.
fn announce_newest(camera: &Camera, socket: &SocketRef) {
    let status = camera.status();
    let on = status.borrow().playing || matches!(status.borrow().state, State::Live | State::Lingering);
    if let (true, true, Some(frame)) = (on, camera.viewers().session(), camera.feed().newest()) {
        let _ = socket.volatile().emit("liveStream", &url(&frame));
    }
}

/// Announces pictures, states, controls and waves of one camera for as long as it is there.
async fn announce(io: SocketIo, cameras: Cameras, camera: Camera) {
    let own = format!("/{}", camera.name());
    let mut frames = camera.feed().subscribe();
    let mut states = States::of(&camera);
    let mut panels = Panels::of(&camera);
    let mut waves = camera.waves().seen();
    loop {
        let namespaces = [Some(own.as_str()), cameras.is_first(&camera).then_some("/")];
        tokio::select! {
            changed = frames.changed() => {
                if changed.is_err() {
                    return;
                }
                let frame = frames.borrow_and_update().clone();
                if let Some(url) = frame.filter(|_| camera.viewers().session()).as_deref().map(url) {
                    for room in namespaces.into_iter().flatten().filter_map(|ns| io.of(ns)) {
                        // Volatile keeps one packet for each browser, the newest: no other event may be.
                        let _ = room.to(WATCHING).volatile().emit("liveStream", &url).await;
                    }
                }
            }
            panel = panels.next() => {
                let Some(panel) = panel else { return };
                for room in namespaces.into_iter().flatten().filter_map(|ns| io.of(ns)) {
                    let _ = room.to(MANAGING).emit("controls", &panel).await;
                }
            }
            wave = waves.next() => {
                let Some(wave) = wave else { return };
                let event = json!({ "at": unix_ms(wave.at) as u64 });
                for everybody in namespaces.into_iter().flatten().filter_map(|ns| io.of(ns)) {
                    // A connection has one id in all namespaces.
                    let waver = wave.by().parse().ok().and_then(|id| everybody.get_socket(id));
                    let others = waver.map_or(everybody, |waver| waver.broadcast());
                    let _ = others.emit("wave", &event).await;
                }
            }
            state = states.next() => {
                let Some(state) = state else { return };
                for everybody in namespaces.into_iter().flatten().filter_map(|ns| io.of(ns)) {
                    let _ = everybody.emit("state", &state).await;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
