//! The write path. Operations on one message wait in one queue; whoever waits when its turn comes is decided together,
//! on a working copy, and committed at once. Only then are they absorbed, answered and pushed, in the order of their
//! Seq. Messages in use are kept in memory in front of the store.

mod hot;
mod turn;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use message_extensions_core::code::Error;
use message_extensions_core::law::{Attempts, Message, Operation};
use message_extensions_core::limits::Limits;
use message_extensions_core::serve::refusal::{internal, no_such_message};
use tokio::sync::oneshot;
use tokio_util::task::TaskTracker;

use self::hot::HotMessages;
use self::turn::Turn;
use crate::caller::Caller;
use crate::clock::steady_ms;
use crate::delivery::Delivery;
use crate::envelope::Answer;
use crate::metrics::Metrics;
use crate::store::{Conversation, MessageName, Store, StoreError, StoredMessage};
use crate::webhook::Outgoing;

pub(crate) use self::hot::Hot;

/// A well-formed operation of somebody who may see the message.
pub(crate) struct Request {
    pub(crate) operation: Operation,
    pub(crate) caller: Caller,
    pub(crate) request_id: Option<u128>,
}

/// A request and who waits for its answer.
struct Pending {
    request: Request,
    answer: oneshot::Sender<Answer>,
}

pub(crate) struct MessageQueue {
    store: Arc<dyn Store>,
    delivery: Arc<Delivery>,
    metrics: Arc<Metrics>,
    /// `None`: nobody is told of changes but by push.
    outgoing: Option<Arc<Outgoing>>,
    limits: Limits,
    hot: HotMessages,
    /// Apart from the hot messages, so that one which is dropped does not forget how often it was written.
    attempts: Mutex<HashMap<i64, Attempts>>,
    tasks: TaskTracker,
}

impl MessageQueue {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        delivery: Arc<Delivery>,
        metrics: Arc<Metrics>,
        outgoing: Option<Arc<Outgoing>>,
        limits: Limits,
        tasks: TaskTracker,
    ) -> Self {
        let (hot, attempts) = (HotMessages::default(), Mutex::default());
        Self { store, delivery, metrics, outgoing, limits, hot, attempts, tasks }
    }

    /// The messages that a name can mean, oldest first.
    pub(crate) async fn find(&self, name: &MessageName) -> Result<Vec<Arc<Hot>>, StoreError> {
        if let Some(hot) = self.hot.get(name) {
            return Ok(vec![hot]);
        }
        loop {
            let removals = self.hot.removals();
            let found = self.store.find_messages(name).await?;
            if let Some(hot) = self.hot.insert(found, removals) {
                return Ok(hot);
            }
        }
    }

    /// The committed state of a message; `None`: it was removed.
    pub(crate) async fn committed(&self, hot: &Hot) -> Result<Option<Arc<Message>>, StoreError> {
        hot.committed(&*self.store, &self.delivery).await
    }

    /// The counter of a message, which is not loaded for it; `None`: it was removed.
    pub(crate) async fn latest_seq(&self, hot: &Hot) -> Result<Option<u64>, StoreError> {
        match hot.known() {
            Some(message) => Ok(Some(message.latest_seq)),
            None => self.store.latest_seq(hot.stored.no).await,
        }
    }

    /// Forgets messages that were removed from the store: whoever asks from here on finds none.
    pub(crate) fn forget(&self, removed: &[StoredMessage]) {
        self.hot.forget(removed);
    }

    /// Queues an operation and waits for its answer, which is given after the commit.
    pub(crate) async fn submit(self: &Arc<Self>, hot: &Arc<Hot>, request: Request) -> Answer {
        let _waiting = self.metrics.waiting();
        let (answer, outcome) = oneshot::channel();
        if hot.enqueue(Pending { request, answer }) {
            // A task of its own, so that a caller who hangs up does not take the others' turn along.
            let (queue, hot) = (Arc::clone(self), Arc::clone(hot));
            self.tasks.spawn(async move { queue.drain(&hot).await });
        }
        outcome.await.unwrap_or_else(|_| Err(internal()))
    }

    /// Takes turns until nobody waits.
    async fn drain(&self, hot: &Hot) {
        let _released_on_panic = hot.draining();
        while let Some(waiting) = hot.take_waiting() {
            self.turn(hot, waiting).await;
        }
    }

    async fn turn(&self, hot: &Hot, waiting: Vec<Pending>) {
        let state = match self.committed(hot).await {
            Ok(Some(state)) => state,
            Ok(None) => return waiting.into_iter().for_each(|pending| pending.refuse(no_such_message())),
            Err(error) => {
                tracing::error!(%error, "a message could not be loaded");
                return waiting.into_iter().for_each(|pending| pending.refuse(internal()));
            }
        };
        let mut turn = Turn::new(state);
        for pending in waiting {
            self.decide(hot, &mut turn, pending).await;
        }
        let events = match turn.events(&hot.stored) {
            Ok(events) => events,
            Err(error) => {
                tracing::error!(%error, "changes could not be written as events");
                return turn.refuse(&internal());
            }
        };
        let webhooks = self.outgoing.as_ref().map(|_| turn.webhooks(&events)).unwrap_or_default();
        let queued = webhooks.len();
        let Some(commit) = turn.take_commit(hot.stored.no, webhooks) else { return turn.answer() };
        let committed = self.metrics.commit(turn.operations(), self.store.commit(commit)).await;
        if let Some(outgoing) = &self.outgoing {
            outgoing.committed(hot.stored.no, queued, committed.is_ok());
        }
        if let Err(error) = committed {
            hot.drop_state();
            if error == StoreError::Conflict && matches!(self.latest_seq(hot).await, Ok(None)) {
                return turn.refuse(&no_such_message());
            }
            tracing::error!(%error, "operations could not be committed");
            return turn.refuse(&internal());
        }
        hot.absorb(&turn);
        turn.answer();
        let message = &hot.stored.message;
        self.delivery.push(&message.sender, &message.conversation, &events).await;
    }

    /// Decides one operation, unless it is a retry of one that was answered, or comes too often.
    async fn decide(&self, hot: &Hot, turn: &mut Turn, pending: Pending) {
        let Err(pending) = turn.repeat(pending) else { return };
        match self.remembered(hot, &pending.request).await {
            Ok(Some(answer)) => return pending.answer(answer),
            Ok(None) => {}
            Err(error) => {
                tracing::error!(%error, "a remembered answer could not be read");
                return pending.refuse(internal());
            }
        }
        match self.admit(hot, &pending.request.caller) {
            Ok(()) => turn.decide(pending, hot, &self.limits),
            Err(error) => pending.refuse(error),
        }
    }

    async fn remembered(&self, hot: &Hot, request: &Request) -> Result<Option<String>, StoreError> {
        let caller = &request.caller.identifier;
        match request.request_id {
            Some(id) if hot.remembers(caller, id) => self.store.answer(hot.stored.no, caller, id).await,
            _ => Ok(None),
        }
    }

    fn admit(&self, hot: &Hot, caller: &Caller) -> Result<(), Error> {
        let mut attempts = self.attempts();
        let attempts = attempts.entry(hot.stored.no).or_default();
        attempts.admit(&caller.identifier, caller.is_admin, steady_ms(), &self.limits)
    }

    /// Drops what was not used lately.
    pub(crate) fn sweep(&self) {
        self.hot.sweep();
        let now = steady_ms();
        self.attempts().retain(|_, attempts| !attempts.is_idle(now));
    }

    /// How many messages are in memory, and of how many it is known how often they were written.
    pub(crate) fn in_memory(&self) -> (usize, usize) {
        (self.hot.len(), self.attempts().len())
    }

    fn attempts(&self) -> MutexGuard<'_, HashMap<i64, Attempts>> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// Whoever asked may have gone meanwhile, so nobody minds an answer that nobody takes.
impl Pending {
    fn answer(self, answer: String) {
        let _ = self.answer.send(Ok(answer));
    }

    fn refuse(self, error: Error) {
        let _ = self.answer.send(Err(error));
    }
}

/// The name under which a message is kept in memory.
fn name_of(stored: &StoredMessage) -> MessageName {
    match &stored.message.conversation {
        Conversation::C2c { to } => MessageName::C2c {
            from: Some(stored.message.sender.clone()),
            to: to.clone(),
            msg_key: stored.message.msg_key(),
        },
        Conversation::Group { no, .. } => MessageName::Group { no: *no, msg_seq: stored.msg_seq },
    }
}
