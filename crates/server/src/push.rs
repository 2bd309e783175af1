//! The push connection (`docs/protocol.md`, "The push connection").
//!
//! ```text
//! upgrade ── login within 10 s ──▶ ready ──▶ events, pongs, resumed ──▶ close
//!                  │                              ▲ 4002 not a frame of ours   4003 silent
//!                  └▶ refused, close 4001         │ 4004 too slow  4005 signature expired  4006 server stops
//!                     too many, close 4007
//! ```

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message as Frame, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use message_extensions_core::code::{Error, SIGNATURE_EXPIRED};
use message_extensions_core::serve::body::read_frame;
use message_extensions_core::serve::command::Command;
use message_extensions_core::serve::{frames, refusal::internal};
use message_extensions_core::wire::{ClientFrame, ServerFrame, Status, close, push_frame};
use serde_json::to_string;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{sleep, timeout};

use crate::App;
use crate::caller::{Caller, UrlParameters};
use crate::clock::now_s;
use crate::envelope::respond;
use crate::hub::{Outbox, Turn};
use crate::origin::is_allowed_origin;
use crate::resume::Resume;

/// Largest frame from a client, bytes; a resume is the largest there is.
const FRAME_BYTES: usize = 1 << 20;
/// What a connection reads at a time, bytes; reserved as long as it is there, and most have nothing to say.
const READ_BYTES: usize = 2 << 10;
/// Largest login frame, bytes.
const LOGIN_BYTES: usize = 64 << 10;
/// How long a connection that ends may take to hear why.
const FAREWELL: Duration = Duration::from_secs(3);

type Sink = SplitSink<WebSocket, Frame>;
type Stream = SplitStream<WebSocket>;

/// Why a connection ends: a close code and, before it, perhaps a `refused` frame. `None`: the client has gone.
type End = Option<(u16, Option<Error>)>;

/// `GET /v4/push`: upgrades, or says that push exists.
pub(crate) async fn connect(
    State(app): State<Arc<App>>,
    uri: Uri,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let Ok(upgrade) = upgrade else { return respond(to_string(&Status::ok()).map_err(|_| internal())) };
    if !is_allowed_origin(&app.config.allow_origins, &headers) {
        return (StatusCode::FORBIDDEN, "this Origin is not allowed").into_response();
    }
    let url = UrlParameters::of(&uri);
    let upgrade =
        upgrade.max_message_size(FRAME_BYTES).max_frame_size(FRAME_BYTES).read_buffer_size(READ_BYTES);
    upgrade.on_upgrade(move |socket| async move {
        let tasks = app.tasks.clone();
        // Tracked, so that the server's stop waits for the farewell.
        tasks.spawn(async move { serve(&app, socket, url).await });
    })
}

async fn serve(app: &App, socket: WebSocket, url: Result<UrlParameters, Error>) {
    let (mut sink, mut stream) = socket.split();
    let end = tokio::select! {
        end = converse(app, &mut sink, &mut stream, url) => end,
        () = app.stop.cancelled() => Some((close::GOING_AWAY, None)),
    };
    let Some((code, refused)) = end else { return };
    app.metrics.closed(code);
    let farewell = async {
        if let Some(error) = refused {
            sink.send(Frame::text(frames::refused(&error))).await?;
        }
        sink.send(Frame::Close(Some(CloseFrame { code, reason: "".into() }))).await
    };
    if let Ok(Ok(())) = timeout(FAREWELL, farewell).await {
        // The close handshake: the client's close, or its end.
        let _ = timeout(FAREWELL, async { while let Some(Ok(_)) = stream.next().await {} }).await;
    }
}

async fn converse(app: &App, sink: &mut Sink, stream: &mut Stream, url: Result<UrlParameters, Error>) -> End {
    // What is not needed while it waits is boxed: a connection's task is as large as the most that it may hold.
    let (caller, until) = match Box::pin(login(app, stream, url)).await {
        Ok(caller) => caller,
        Err(end) => return end,
    };
    let joined = match Box::pin(Joined::new(app, caller)).await {
        Ok(joined) => joined,
        Err(code) => return Some((code, None)),
    };
    if let Err(end) = send(sink, frames::plain(ServerFrame::READY)).await {
        return end;
    }
    let (one, (ask, asked)) = (Semaphore::new(1), mpsc::channel(1));
    tokio::select! {
        end = hear(&joined, stream, &one, &ask) => end,
        Err(end) = speak(sink, &joined.outbox, asked) => end,
        () = sleep(Duration::from_secs(until.saturating_sub(now_s()))) => {
            let expired = Error::new(SIGNATURE_EXPIRED, "usersig has expired: log in with a new one");
            Some((close::EXPIRED, Some(expired)))
        }
    }
}

/// A connection in the hub; it leaves when dropped, however the connection ends.
struct Joined<'a> {
    app: &'a App,
    caller: Caller,
    outbox: Arc<Outbox>,
    /// Other nodes are listened to for it.
    listens: bool,
}

impl<'a> Joined<'a> {
    /// # Errors
    /// The close code.
    async fn new(app: &'a App, caller: Caller) -> Result<Self, u16> {
        let outbox = app.delivery.hub.join(&caller.identifier, app.config.push).ok_or(close::TOO_MANY)?;
        let joined = Self { app, caller, outbox, listens: false };
        joined.listening().await
    }

    /// Where there are other nodes, what they tell of the user must be heard before the user is told that all is.
    async fn listening(mut self) -> Result<Self, u16> {
        if let Some(nodes) = self.app.delivery.nodes() {
            nodes.interest.add(&self.caller.identifier).await.map_err(|error| {
                tracing::error!(%error, "other nodes cannot be listened to");
                close::GOING_AWAY
            })?;
            self.listens = true;
        }
        Ok(self)
    }
}

impl Drop for Joined<'_> {
    fn drop(&mut self) {
        self.app.delivery.hub.leave(&self.caller.identifier, &self.outbox);
        if let (Some(nodes), true) = (self.app.delivery.nodes(), self.listens) {
            nodes.interest.remove(&self.caller.identifier);
        }
    }
}

/// Who connects, and until when their signature is good.
async fn login(
    app: &App,
    stream: &mut Stream,
    url: Result<UrlParameters, Error>,
) -> Result<(Caller, u64), End> {
    let refused = |error| Some((close::REFUSED, Some(error)));
    let url = url.map_err(refused)?;
    if url.has_signature() {
        return app.callers.identify(&url).map_err(refused);
    }
    let frame = next_frame(stream, app.config.push.login, LOGIN_BYTES).await?;
    if frame.r#type != ClientFrame::LOGIN {
        return Err(Some((close::BAD_FRAME, None)));
    }
    let (identifier, signature) = (frame.identifier.as_deref(), frame.user_sig.as_deref());
    app.callers.authenticate(frame.sdk_app_id, identifier, signature).map_err(refused)
}

/// Answers pings and passes on resumes, `one` at a time, until the client falls silent or says what is not in the
/// protocol.
async fn hear<'a>(
    joined: &'a Joined<'_>,
    stream: &mut Stream,
    one: &'a Semaphore,
    ask: &mpsc::Sender<Box<Resume<'a>>>,
) -> End {
    let Joined { app, caller, outbox, .. } = joined;
    loop {
        let frame = match next_frame(stream, app.config.push.idle, FRAME_BYTES).await {
            Ok(frame) => frame,
            Err(end) => return end,
        };
        match frame.r#type.as_str() {
            ClientFrame::PING => outbox.pong(),
            ClientFrame::RESUME => {
                let only = one.try_acquire().ok();
                let resume = only.and_then(|only| Resume::new(app, caller, only, frame.messages));
                let Some(resume) = resume else { return Some((close::BAD_FRAME, None)) };
                // Counts as one pull, however much it names; over the rate it waits, and with it what the client says next.
                Box::pin(app.callers.admit_in_time(caller, Command::PullC2c, &*app.store)).await;
                ask.send(Box::new(resume)).await.ok()?;
            }
            _ => return Some((close::BAD_FRAME, None)),
        }
    }
}

/// The client's next frame of the protocol; those of WebSocket itself only show that it is there.
async fn next_frame(stream: &mut Stream, patience: Duration, bytes: usize) -> Result<ClientFrame, End> {
    loop {
        let next = timeout(patience, stream.next()).await;
        match next.map_err(|_| Some((close::SILENT, None)))? {
            Some(Ok(Frame::Text(text))) if text.len() <= bytes => {
                return read_frame(&text).ok_or(Some((close::BAD_FRAME, None)));
            }
            Some(Ok(Frame::Ping(_) | Frame::Pong(_))) => {}
            Some(Ok(Frame::Text(_) | Frame::Binary(_))) => return Err(Some((close::BAD_FRAME, None))),
            Some(Ok(Frame::Close(_)) | Err(_)) | None => return Err(None),
        }
    }
}

/// Sends what waits, as one frame a turn, and answers resumes.
async fn speak(
    sink: &mut Sink,
    outbox: &Outbox,
    mut asked: mpsc::Receiver<Box<Resume<'_>>>,
) -> Result<Infallible, End> {
    loop {
        tokio::select! {
            turn = outbox.next() => say(sink, turn).await?,
            Some(resume) = asked.recv() => Box::pin(answer(sink, outbox, *resume)).await?,
        }
    }
}

/// What waits goes between two frames of the answer.
async fn answer(sink: &mut Sink, outbox: &Outbox, resume: Resume<'_>) -> Result<(), End> {
    let mut rest = Some(resume);
    while let Some(resume) = rest {
        let frame;
        (frame, rest) = resume.next_frame(|| outbox.is_waiting()).await;
        if let Some(frame) = frame {
            send(sink, frame).await?;
        }
        if outbox.is_waiting() {
            say(sink, outbox.next().await).await?;
        }
    }
    Ok(())
}

async fn say(sink: &mut Sink, turn: Turn) -> Result<(), End> {
    let (pongs, events) = match turn {
        Turn::Send(pongs, events) => (pongs, events),
        Turn::Overflowed => return Err(Some((close::TOO_SLOW, None))),
        Turn::Interrupted => return Err(Some((close::GOING_AWAY, None))),
    };
    for _ in 0..pongs {
        send(sink, frames::plain(ServerFrame::PONG)).await?;
    }
    if !events.is_empty() {
        send(sink, push_frame(&events)).await?;
    }
    Ok(())
}

async fn send(sink: &mut Sink, frame: String) -> Result<(), End> {
    sink.send(Frame::text(frame)).await.map_err(|_| None)
}
