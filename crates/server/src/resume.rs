//! What a client that comes back has missed (`docs/protocol.md`, "Resuming").
//!
//! Only the names are held. Frames are made one at a time, each when the one before is with the socket, and so are
//! never in the outbox and its bound. A frame ends early when something waits in the outbox; so whoever has left a
//! group gets nothing of it after the event that says so, since what is in a frame was visible after the last turn of
//! the outbox.

use std::fmt::Display;
use std::sync::Arc;
use std::vec::IntoIter;

use message_extensions_core::code::{INTERNAL, NO_SUCH_MESSAGE, NOT_ENABLED};
use message_extensions_core::law::Message;
use message_extensions_core::serve::frames::{self, Frame};
use message_extensions_core::wire::{Address, MessageState, RESUMED_MESSAGES};
use tokio::sync::SemaphorePermit;
use tokio::task::yield_now;

use crate::caller::Caller;
use crate::message_queue::Hot;
use crate::store::Head;
use crate::{App, visibility};

/// A resume that is being answered.
pub(crate) struct Resume<'a> {
    app: &'a App,
    caller: &'a Caller,
    named: IntoIter<Named>,
    /// Has its turn, and parts that were not sent yet.
    current: Option<Named>,
    _only: SemaphorePermit<'a>,
}

/// A message that the client named.
struct Named {
    address: Address,
    /// What is before it is known, or has been sent.
    start_seq: u64,
    /// The digest of what is known.
    digest: Option<u32>,
    /// The message as it was when its turn came, so that its parts fit together.
    snapshot: Option<Snapshot>,
}

#[derive(Clone)]
struct Snapshot {
    hot: Arc<Hot>,
    message: Arc<Message>,
}

/// What is said of a message in one piece, as JSON.
struct Part {
    json: String,
    /// Where the next part starts.
    next: Option<u64>,
}

impl<'a> Resume<'a> {
    /// `only`: the connection's leave to have one resume, given back with the last frame. `None`: the frame names no
    /// messages, or too many.
    pub(crate) fn new(
        app: &'a App,
        caller: &'a Caller,
        only: SemaphorePermit<'a>,
        messages: Option<Vec<MessageState>>,
    ) -> Option<Self> {
        let messages = messages.filter(|messages| messages.len() <= RESUMED_MESSAGES)?;
        let named: Vec<_> = messages.into_iter().map(Named::new).collect();
        Some(Self { app, caller, named: named.into_iter(), current: None, _only: only })
    }

    /// The next frame, and what remains after it. It ends when it is full or `is_interrupted`; then there may be no
    /// frame yet.
    pub(crate) async fn next_frame(
        mut self,
        is_interrupted: impl Fn() -> bool,
    ) -> (Option<String>, Option<Self>) {
        let mut frame = Frame::new();
        while let Some(mut message) = self.current.take().or_else(|| self.named.next()) {
            if let Some(part) = message.part(self.app, self.caller).await {
                if !frame.add(&part.json) {
                    // It is looked at again for the next frame: until then the user may have left.
                    self.current = Some(message);
                    return (frame.unfinished(), Some(self));
                }
                self.current = part.next.map(|start_seq| Named { start_seq, ..message });
            }
            // A thousand messages in memory would else keep the thread to themselves.
            yield_now().await;
            if is_interrupted() {
                return (frame.unfinished(), Some(self));
            }
        }
        (Some(frame.last()), None)
    }
}

impl Named {
    fn new(mut state: MessageState) -> Self {
        let start_seq = state.latest_seq.unwrap_or(0).saturating_add(1);
        Self { address: state.take_address(), start_seq, digest: state.digest, snapshot: None }
    }

    /// What is to be said next; `None`: the message has not changed.
    async fn part(&mut self, app: &App, caller: &Caller) -> Option<Part> {
        let (state, next) = match self.look(app, caller).await {
            Ok(None) => return None,
            Ok(Some(snapshot)) => {
                let message_id = &snapshot.hot.stored.message.message_id;
                let named = self.address.clone();
                let part = frames::part(named, message_id, &snapshot.message, self.start_seq);
                self.snapshot = Some(snapshot);
                part
            }
            Err(code) => (frames::no_state(self.address.clone(), code), None),
        };
        let json = serde_json::to_string(&state).ok()?;
        Some(Part { json, next })
    }

    /// The message, if it has changed.
    ///
    /// # Errors
    /// 23004 when the user may not see it, or not any more; 10002; 10008.
    async fn look(&self, app: &App, caller: &Caller) -> Result<Option<Snapshot>, u32> {
        if app.config.extensions_off {
            return Err(NOT_ENABLED);
        }
        if let Some(snapshot) = &self.snapshot {
            let message = &snapshot.hot.stored.message;
            let sees = visibility::still_sees(app, caller, message).await.map_err(|e| failed(&e))?;
            return if sees { Ok(Some(snapshot.clone())) } else { Err(NO_SUCH_MESSAGE) };
        }
        let address = self.address.clone();
        let named = address.message().ok_or(NO_SUCH_MESSAGE)?;
        let found = visibility::find(app, caller, named).await.map_err(|e| failed(&e))?;
        let hot = found.ok_or(NO_SUCH_MESSAGE)?;
        if !hot.stored.message.extensible {
            return Ok(None);
        }
        // Most have not changed, and those that nobody uses are not loaded to learn that.
        // A client that knows more than there is has met a server that lost what it had, and is told so.
        let head = app.queue.head(&hot).await.map_err(|e| failed(&e))?.ok_or(NO_SUCH_MESSAGE)?;
        if self.is_known(head) {
            return Ok(None);
        }
        let message = app.queue.committed(&hot).await.map_err(|e| failed(&e))?.ok_or(NO_SUCH_MESSAGE)?;
        Ok((!self.is_known(Head::of(&message))).then_some(Snapshot { hot, message }))
    }

    fn is_known(&self, held: Head) -> bool {
        frames::is_as_named((self.start_seq - 1, self.digest), (held.latest_seq, held.digest))
    }
}

fn failed(error: &dyn Display) -> u32 {
    tracing::error!(%error, "a message could not be resumed");
    INTERNAL
}
