//! What commits leave to be told: which messages, not what, which is in the store.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

use super::{Receiver, WebhookMetrics};

/// Messages remembered until the dispatcher looks; with more, it is told to look into the store.
const REMEMBERED: usize = 1024;

/// Between the write path, which never waits for it, and the dispatcher.
pub(crate) struct Outgoing {
    woken: Mutex<Woken>,
    changed: Notify,
    too_many: Notify,
    /// Webhooks that may wait.
    keep: usize,
    pub(super) metrics: WebhookMetrics,
}

/// The messages of which webhooks came.
#[derive(Default)]
pub(super) struct Woken {
    pub(super) messages: HashSet<i64>,
    /// There were more than are named.
    pub(super) missed: bool,
}

impl Outgoing {
    pub(crate) fn new(receiver: &Receiver, metrics: WebhookMetrics) -> Self {
        let (woken, changed, too_many) = (Mutex::default(), Notify::new(), Notify::new());
        Self { woken, changed, too_many, keep: receiver.queue, metrics }
    }

    /// After a commit with so many webhooks of the message. One that failed may have been kept all the same.
    pub(crate) fn committed(&self, message_no: i64, webhooks: usize, is_kept: bool) {
        if webhooks == 0 {
            return;
        }
        if is_kept && self.metrics.queued(webhooks) > self.keep {
            self.too_many.notify_one();
        }
        self.wake(message_no);
    }

    /// Webhooks of the message wait.
    pub(crate) fn wake(&self, message_no: i64) {
        let mut woken = self.woken.lock().unwrap_or_else(PoisonError::into_inner);
        if woken.messages.len() < REMEMBERED {
            woken.messages.insert(message_no);
        } else if !woken.messages.contains(&message_no) {
            woken.missed = true;
        }
        drop(woken);
        self.changed.notify_one();
    }

    /// Webhooks may wait, and it is not known of which messages.
    pub(crate) fn missed(&self) {
        self.woken.lock().unwrap_or_else(PoisonError::into_inner).missed = true;
        self.changed.notify_one();
    }

    /// What came since it was asked last; waits until there is something.
    pub(super) async fn woken(&self) -> Woken {
        self.changed.notified().await;
        std::mem::take(&mut *self.woken.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Resolves when more wait than may.
    pub(super) async fn too_many(&self) {
        self.too_many.notified().await;
    }
}
