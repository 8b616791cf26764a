//! The half of a viewer's task that sends.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::{SinkExt, stream::SplitSink};
use serde_json::{Value, json};
use tokio::{
    pin,
    sync::watch,
    time::{sleep, sleep_until},
};
use tokio_tungstenite::tungstenite::{Message, protocol::CloseFrame};
use tokio_util::sync::CancellationToken;

use super::{End, Heartbeat, Socket, wishes::Wishes};
use crate::{
    camera::{
        Camera,
        fresh::at_hand,
        status::unix_ms,
        waves::{Seen, Waver},
    },
    feed::{Frame, FrameId},
    web::{server::Line, states::States},
};

/// How often it is looked whether a viewer that takes its time still takes something.
const LOOK: Duration = Duration::from_secs(1);

/// Sends a viewer the newest picture, the camera's states, waves of others, and what answers its messages.
pub(super) struct Sender<'a> {
    output: SplitSink<Socket, Message>,
    wishes: &'a Wishes,
    waver: &'a Waver,
    line: Option<Line>,
    heartbeat: Heartbeat,
    frames: watch::Receiver<Option<Arc<Frame>>>,
    states: States,
    waves: Seen,
    closed: &'a CancellationToken,
    camera: &'a Camera,
    /// The last picture sent, or that is too old to be sent.
    last: Option<FrameId>,
    /// A picture was sent.
    begun: bool,
    /// When the next picture may be sent.
    due: Instant,
    /// The last sign of life but those that were heard.
    moved: Instant,
}

impl<'a> Sender<'a> {
    pub(super) fn new(
        output: SplitSink<Socket, Message>,
        camera: &'a Camera,
        wishes: &'a Wishes,
        waver: &'a Waver,
        line: Option<Line>,
        heartbeat: Heartbeat,
    ) -> Self {
        let frames = camera.feed().subscribe();
        let old = frames.borrow().as_ref().map(|frame| frame.id);
        let now = Instant::now();
        Self {
            output,
            wishes,
            waver,
            line,
            heartbeat,
            frames,
            states: States::of(camera),
            waves: camera.waves().seen(),
            closed: camera.closed(),
            camera,
            last: old,
            begun: false,
            due: now,
            moved: now,
        }
    }

    /// Sends until there is a reason to end.
    pub(super) async fn run(&mut self) -> End {
        let Err(end) = self.send_on().await;
        end
    }

    async fn send_on(&mut self) -> Result<std::convert::Infallible, End> {
        let mut ping = Instant::now() + self.heartbeat.interval;
        self.tell(&json!({ "event": "state", "state": self.states.now() })).await?;
        loop {
            let wish = self.wishes.look();
            if let Some(complaint) = wish.complaint {
                self.send(Message::text(complaint)).await?;
            }
            // Also of a camera that is known to be on only after its first picture has come.
            if !self.begun && at_hand(self.camera).is_some() {
                self.last = None;
            }
            let wanted = !wish.paced || wish.ready;
            let (last, due, look) = (self.last, self.due, ping.min(self.gone()));
            tokio::select! {
                () = self.closed.cancelled() => return Err(End::Away),
                () = self.wishes.changed() => {}
                state = self.states.next() => {
                    let state = state.ok_or(End::Away)?;
                    self.tell(&json!({ "event": "state", "state": state })).await?;
                }
                wave = self.waves.next() => {
                    let wave = wave.ok_or(End::Away)?;
                    if !self.waver.is_from_me(&wave) {
                        self.tell(&json!({ "event": "wave", "at": unix_ms(wave.at) as u64 })).await?;
                    }
                }
                () = sleep_until(look.into()) => {
                    let now = Instant::now();
                    if self.gone() <= now {
                        return Err(End::Lost);
                    }
                    if ping <= now {
                        ping = now + self.heartbeat.interval;
                        self.send(Message::Ping(Bytes::new())).await?;
                    }
                }
                frame = newer(&mut self.frames, last, due), if wanted => {
                    let frame = frame.ok_or(End::Away)?;
                    let now = Instant::now();
                    self.due = (self.due + wish.period).max(now + wish.period / 2);
                    (self.last, self.begun) = (Some(frame.id), true);
                    self.wishes.granted();
                    if wish.times {
                        let (id, taken_ms, live) = (frame.id.micros(), unix_ms(frame.taken), !frame.recorded);
                        let event =
                            json!({ "event": "picture", "id": id, "taken_ms": taken_ms, "live": live });
                        self.tell(&event).await?;
                    }
                    self.send(Message::Binary(frame.jpeg.clone())).await?;
                    self.camera.tally().sent(frame.jpeg.len());
                }
            }
        }
    }

    /// When the viewer counts as gone, if it gives no sign of life until then.
    fn gone(&self) -> Instant {
        self.wishes.heard().max(self.moved) + self.heartbeat.interval + self.heartbeat.timeout
    }

    async fn tell(&mut self, value: &Value) -> Result<(), End> {
        self.send(Message::text(value.to_string())).await
    }

    /// Sends a message, for as long as the viewer takes anything.
    async fn send(&mut self, message: Message) -> Result<(), End> {
        let (heartbeat, wishes) = (self.heartbeat, self.wishes);
        let sent = self.output.send(message);
        pin!(sent);
        let mut taken = self.line.as_ref().map(Line::taken);
        loop {
            tokio::select! {
                biased;
                result = &mut sent => return result.map_err(|_| End::Lost),
                () = self.closed.cancelled() => return Err(End::Away),
                () = sleep(LOOK) => {
                    let now = self.line.as_ref().map(Line::taken);
                    if std::mem::replace(&mut taken, now) != now {
                        self.moved = Instant::now();
                    }
                    if (wishes.heard().max(self.moved) + heartbeat.interval + heartbeat.timeout) < Instant::now() {
                        return Err(End::Lost);
                    }
                }
            }
        }
    }

    /// Says goodbye, behind what is on its way.
    pub(super) async fn close(&mut self, goodbye: CloseFrame) {
        let _ = self.output.send(Message::Close(Some(goodbye))).await;
    }
}

/// The newest picture, once there is one after `last` and it is time.
async fn newer(
    frames: &mut watch::Receiver<Option<Arc<Frame>>>,
    last: Option<FrameId>,
    due: Instant,
) -> Option<Arc<Frame>> {
    if due > Instant::now() {
        sleep_until(due.into()).await;
    }
    let newer = |newest: &Option<Arc<Frame>>| newest.as_ref().map(|frame| frame.id) > last;
    frames.wait_for(newer).await.ok()?.clone()
}
