//! Up to which Seq a message was delivered here. Nodes tell of their own commits, so what two of them have committed may be
//! heard the wrong way round, and what was told by one that is dead twice.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::clock::steady_ms;

/// How long it is remembered after the last delivery: longer than the log of what was committed goes back.
const IDLE_MS: u64 = 300_000;

/// By the message's number. The inner lock is held while something is delivered, so that it is in order.
#[derive(Default)]
pub(crate) struct Order {
    messages: Mutex<HashMap<i64, Arc<Place>>>,
}

#[derive(Default)]
pub(crate) struct Place {
    last: tokio::sync::Mutex<Delivered>,
}

/// What was delivered of a message.
#[derive(Debug, Default)]
pub(crate) struct Delivered {
    /// The last Seq; `None`: nothing that is remembered.
    pub(crate) seq: Option<u64>,
    used: u64,
}

impl Delivered {
    /// Everything up to this Seq was delivered.
    pub(crate) fn until(&mut self, seq: u64) {
        self.seq = Some(self.seq.map_or(seq, |known| known.max(seq)));
        self.used = steady_ms();
    }
}

impl Place {
    pub(crate) async fn lock(&self) -> tokio::sync::MutexGuard<'_, Delivered> {
        self.last.lock().await
    }
}

impl Order {
    pub(crate) fn of(&self, message_no: i64) -> Arc<Place> {
        let mut messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(messages.entry(message_no).or_default())
    }

    /// Forgets what was not delivered lately.
    pub(crate) fn sweep(&self) {
        let now = steady_ms();
        let mut messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        messages.retain(|_, place| {
            let is_held = Arc::strong_count(place) > 1;
            is_held || place.last.try_lock().is_ok_and(|delivered| delivered.used + IDLE_MS > now)
        });
    }
}
