//! The write path. Operations on one message wait in one queue; whoever waits when its turn comes is decided together,
//! on a working copy, and committed at once. Only then are they absorbed, answered and pushed, in the order of their
//! Seq. Messages in use are kept in memory in front of the store.

mod hot;
mod turn;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use message_extensions_core::code::{Error, INTERNAL};
use message_extensions_core::law::{Attempts, Message, Operation};
use message_extensions_core::limits::Limits;
use message_extensions_core::serve::refusal::{internal, no_such_message};
use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use self::hot::HotMessages;
use self::turn::Turn;
use crate::caller::Caller;
use crate::clock::steady_ms;
use crate::delivery::Delivery;
use crate::envelope::Answer;
use crate::hub::EventJson;
use crate::metrics::Metrics;
use crate::store::{Conversation, Head, Hearers, MessageName, SeenGroup, Store, StoreError, StoredMessage};
use crate::webhook::Outgoing;

pub(crate) use self::hot::Hot;

/// A well-formed operation of somebody who may see the message.
pub(crate) struct Request {
    pub(crate) operation: Operation,
    pub(crate) caller: Caller,
    pub(crate) request_id: Option<u128>,
    /// As it was when the caller was found to be a member, if that may be old: then it is compared before anything is kept or said.
    pub(crate) group: Option<Arc<SeenGroup>>,
}

/// What became of a request.
pub(crate) enum Outcome {
    Answered(Answer),
    /// Nothing: [`Request::group`] was old, so it is to be decided again whether the caller may see the message.
    Outdated(Request),
}

/// How long operations are decided anew when other nodes write the same message.
const CONTENTION: Duration = Duration::from_secs(5);

/// A request and who waits for its answer.
struct Pending {
    request: Request,
    /// It was counted as an attempt.
    is_admitted: bool,
    /// Had another node answered it before, that would be remembered in what was loaded.
    is_looked_up: bool,
    outcome: oneshot::Sender<Outcome>,
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

    /// A message that is in memory.
    pub(crate) fn known(&self, name: &MessageName) -> Option<Arc<Hot>> {
        self.hot.get(name)
    }

    /// The committed state of a message; `None`: it was removed.
    pub(crate) async fn committed(&self, hot: &Hot) -> Result<Option<Arc<Message>>, StoreError> {
        let committed = hot.committed(&*self.store, &self.delivery).await?;
        if committed.is_none() {
            self.forget(std::slice::from_ref(&hot.stored));
        }
        Ok(committed)
    }

    /// Which state a message is in, which is not loaded for it; `None`: it was removed.
    pub(crate) async fn head(&self, hot: &Hot) -> Result<Option<Head>, StoreError> {
        match hot.known() {
            Some((message, _)) if !self.store.is_shared() => Ok(Some(Head::of(&message))),
            _ => self.store.head(hot.stored.no).await,
        }
    }

    /// Forgets messages that were removed from the store: whoever asks from here on finds none.
    pub(crate) fn forget(&self, removed: &[StoredMessage]) {
        self.hot.forget(removed);
    }

    /// Queues an operation and waits for its answer, which is given after the commit.
    pub(crate) async fn submit(self: &Arc<Self>, hot: &Arc<Hot>, request: Request) -> Outcome {
        let _waiting = self.metrics.waiting();
        let (said, outcome) = oneshot::channel();
        if hot.enqueue(Pending { request, is_admitted: false, is_looked_up: false, outcome: said }) {
            // A task of its own, so that a caller who hangs up does not take the others' turn along.
            let (queue, hot) = (Arc::clone(self), Arc::clone(hot));
            self.tasks.spawn(async move { queue.drain(&hot).await });
        }
        outcome.await.unwrap_or_else(|_| Outcome::Answered(Err(internal())))
    }

    /// Takes turns until nobody waits.
    async fn drain(&self, hot: &Hot) {
        let _released_on_panic = hot.draining();
        while let Some(waiting) = hot.take_waiting() {
            self.turn(hot, waiting).await;
        }
    }

    /// Decides what waits, again as long as another node is faster.
    async fn turn(&self, hot: &Hot, mut waiting: Vec<Pending>) {
        let begun = Instant::now();
        while begun.elapsed() < CONTENTION {
            waiting = match self.attempt(hot, waiting).await {
                Some(waiting) if !waiting.is_empty() => waiting,
                _ => return,
            };
            hot.drop_state();
        }
        tracing::error!("operations could not be committed: other nodes were faster each time");
        waiting.into_iter().for_each(|pending| pending.refuse(internal()));
    }

    /// Those who are still to be decided, since what is in memory was old.
    async fn attempt(&self, hot: &Hot, waiting: Vec<Pending>) -> Option<Vec<Pending>> {
        let (state, commit) = match hot.loaded(&*self.store, &self.delivery).await {
            Ok(Some(loaded)) => loaded,
            Ok(None) => return self.refuse_gone(hot, waiting),
            Err(error) => {
                tracing::error!(%error, "a message could not be loaded");
                waiting.into_iter().for_each(|pending| pending.refuse(internal()));
                return None;
            }
        };
        let (waiting, group) = of_one_group(waiting);
        let mut turn = Turn::new(state, self.store.is_shared().then_some(commit), group.clone());
        let waiting = self.unanswered(hot, waiting).await;
        let (admitted, refused) = match self.admitted(hot, waiting, group.as_deref()).await {
            Ok(outcomes) => outcomes,
            Err(waiting) => return Some(not_outdated(waiting)),
        };
        let mut again = self.refuse_too_often(hot, commit, refused).await;
        if !again.is_empty() {
            again.extend(admitted);
            return Some(again);
        }
        for pending in admitted {
            turn.decide(pending, hot, &self.limits);
        }
        let events = match turn.events(&hot.stored) {
            Ok(events) => events,
            Err(error) => {
                tracing::error!(%error, "changes could not be written as events");
                turn.refuse(&internal());
                return None;
            }
        };
        let webhooks = self.outgoing.as_ref().map(|_| turn.webhooks(&events)).unwrap_or_default();
        let queued = webhooks.len();
        let Some(mut commit) = turn.take_commit(&hot.stored, webhooks) else {
            return self.answer_uncommitted(hot, turn, group).await;
        };
        let first_seq = commit.expected_seq + 1;
        let record = self.record(hot, first_seq, &events);
        commit.record.clone_from(&record);
        let committed = self.metrics.commit(turn.operations(), self.store.commit(commit)).await;
        if let Some(outgoing) = &self.outgoing {
            outgoing.committed(hot.stored.no, queued, committed.is_ok());
            if let (Some(nodes), true) = (self.delivery.nodes(), queued > 0) {
                nodes.tell_webhook(hot.stored.no);
            }
        }
        let hearers = match committed {
            Ok(hearers) => hearers,
            Err(error) => return self.not_committed(hot, turn, error).await,
        };
        hot.absorb(&turn);
        turn.answer();
        let told = record.filter(|_| hearers == Hearers::Perhaps);
        self.delivery.push_changes(&hot.stored, first_seq, &events, told).await;
        None
    }

    /// Those who are to be decided again, after nothing was kept; the others are refused.
    async fn not_committed(&self, hot: &Hot, turn: Turn, error: StoreError) -> Option<Vec<Pending>> {
        hot.drop_state();
        if error == StoreError::GroupChanged {
            return Some(not_outdated(turn.into_waiting()));
        }
        if error == StoreError::Conflict {
            if self.store.is_shared() {
                return Some(turn.into_waiting());
            }
            if matches!(self.head(hot).await, Ok(None)) {
                return self.refuse_gone(hot, turn.into_waiting());
            }
        }
        tracing::error!(%error, "operations could not be committed");
        // They may have been, all the same.
        if let Some(nodes) = self.delivery.nodes() {
            nodes.rename();
        } else if !matches!(self.head(hot).await, Ok(Some(head)) if head.latest_seq == turn.expected_seq()) {
            self.delivery.hub.interrupt();
        }
        turn.refuse(&internal());
        None
    }

    /// What other nodes are told of changes.
    fn record(&self, hot: &Hot, first_seq: u64, events: &[EventJson]) -> Option<Arc<str>> {
        let nodes = self.delivery.nodes().filter(|_| !events.is_empty())?;
        nodes.changes(&hot.stored, first_seq, events).ok().map(Arc::from)
    }

    fn refuse_gone(&self, hot: &Hot, waiting: Vec<Pending>) -> Option<Vec<Pending>> {
        self.forget(std::slice::from_ref(&hot.stored));
        not_outdated(waiting).into_iter().for_each(|pending| pending.refuse(no_such_message()));
        None
    }

    /// Nothing is to be kept. What was refused must have been refused on what is there now.
    async fn answer_uncommitted(
        &self,
        hot: &Hot,
        turn: Turn,
        group: Option<Arc<SeenGroup>>,
    ) -> Option<Vec<Pending>> {
        if self.store.is_shared() && turn.operations() > 0 {
            let last = self.store.last_commit(hot.stored.no);
            match tokio::try_join!(last, self.is_unchanged(group.as_deref())) {
                Ok((_, false)) => return Some(not_outdated(turn.into_waiting())),
                Ok((last, true)) if last == Some(turn.after()) => {}
                Ok(_) => return Some(turn.into_waiting()),
                Err(error) => {
                    tracing::error!(%error, "it could not be seen whether a message has changed");
                    turn.refuse(&internal());
                    return None;
                }
            }
        }
        turn.answer();
        None
    }

    async fn is_unchanged(&self, group: Option<&SeenGroup>) -> Result<bool, StoreError> {
        match group {
            Some(seen) => self.store.is_unchanged(seen).await,
            None => Ok(true),
        }
    }

    /// Those that are no retry of one that was answered.
    async fn unanswered(&self, hot: &Hot, waiting: Vec<Pending>) -> Vec<Pending> {
        let mut unanswered = Vec::new();
        for pending in waiting {
            match self.remembered(hot, &pending.request).await {
                Ok(Some(answer)) => match self.is_unchanged(pending.request.group.as_deref()).await {
                    Ok(true) => pending.answer(answer),
                    Ok(false) => pending.send_back(),
                    Err(error) => {
                        tracing::error!(%error, "it could not be seen whether a group has changed");
                        pending.refuse(internal());
                    }
                },
                Ok(None) => unanswered.push(pending),
                Err(error) => {
                    tracing::error!(%error, "a remembered answer could not be read");
                    pending.refuse(internal());
                }
            }
        }
        unanswered
    }

    /// Those that do not come too often, and those that do. A retry counts with what it repeats. All, and none is counted, when
    /// the group was old.
    async fn admitted(
        &self,
        hot: &Hot,
        waiting: Vec<Pending>,
        group: Option<&SeenGroup>,
    ) -> Result<(Vec<Pending>, Vec<(Pending, Error)>), Vec<Pending>> {
        let mut counted: Vec<&Pending> = Vec::new();
        let mut counts = Vec::new();
        for pending in &waiting {
            let first = counted.iter().position(|other| other.is_repeated_by(pending));
            counts.push(if pending.is_admitted { None } else { Some(first.unwrap_or(counted.len())) });
            if first.is_none() && !pending.is_admitted {
                counted.push(pending);
            }
        }
        let callers: Vec<_> = counted.iter().map(|pending| pending.request.caller.clone()).collect();
        let Some(outcomes) = self.count(hot, group, &callers).await else { return Err(waiting) };
        let (mut admitted, mut refused) = (Vec::new(), Vec::new());
        for (mut pending, count) in waiting.into_iter().zip(counts) {
            match count.and_then(|count| outcomes.get(count)) {
                Some(Err(error)) => refused.push((pending, error.clone())),
                _ => {
                    pending.is_admitted = true;
                    admitted.push(pending);
                }
            }
        }
        Ok((admitted, refused))
    }

    /// Refuses those that come too often, but not those that another node may have answered already: such answers are in the
    /// store, and not yet in what was loaded before `commit` was followed by others.
    async fn refuse_too_often(&self, hot: &Hot, commit: u64, refused: Vec<(Pending, Error)>) -> Vec<Pending> {
        let may_be_retry = |pending: &Pending, error: &Error| {
            pending.request.request_id.is_some() && !pending.is_looked_up && error.code != INTERNAL
        };
        let is_old = self.store.is_shared()
            && refused.iter().any(|(pending, error)| may_be_retry(pending, error))
            && self.store.last_commit(hot.stored.no).await.ok().flatten() != Some(commit);
        let mut again = Vec::new();
        for (mut pending, error) in refused {
            if is_old && may_be_retry(&pending, &error) {
                pending.is_looked_up = true;
                again.push(pending);
            } else {
                pending.refuse(error);
            }
        }
        again
    }

    /// What becomes of each attempt; `None`: the group was old.
    async fn count(
        &self,
        hot: &Hot,
        group: Option<&SeenGroup>,
        callers: &[Caller],
    ) -> Option<Vec<Result<(), Error>>> {
        if !self.store.is_shared() {
            let mut attempts = self.attempts();
            let attempts = attempts.entry(hot.stored.no).or_default();
            let mut admit = |caller: &Caller| {
                attempts.admit(&caller.identifier, caller.is_admin, steady_ms(), &self.limits)
            };
            return Some(callers.iter().map(&mut admit).collect());
        }
        if callers.is_empty() {
            return Some(Vec::new());
        }
        let named: Vec<_> =
            callers.iter().map(|caller| (caller.identifier.as_str(), caller.is_admin)).collect();
        match self.store.count_attempts(hot.stored.no, group, &named, &self.limits).await {
            Ok(outcomes) => Some(outcomes),
            Err(StoreError::GroupChanged) => None,
            Err(error) => {
                tracing::error!(%error, "attempts could not be counted");
                Some(callers.iter().map(|_| Err(internal())).collect())
            }
        }
    }

    async fn remembered(&self, hot: &Hot, request: &Request) -> Result<Option<String>, StoreError> {
        let caller = &request.caller.identifier;
        match request.request_id {
            Some(id) if hot.remembers(caller, id) => self.store.answer(hot.stored.no, caller, id).await,
            _ => Ok(None),
        }
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
    /// Whether the other one is the same request once more.
    fn is_repeated_by(&self, other: &Self) -> bool {
        let id = |pending: &Self| pending.request.request_id;
        id(self).is_some()
            && id(self) == id(other)
            && self.request.caller.identifier == other.request.caller.identifier
    }

    fn answer(self, answer: String) {
        let _ = self.outcome.send(Outcome::Answered(Ok(answer)));
    }

    fn refuse(self, error: Error) {
        let _ = self.outcome.send(Outcome::Answered(Err(error)));
    }

    fn send_back(self) {
        let _ = self.outcome.send(Outcome::Outdated(self.request));
    }
}

/// A turn compares with one state of the group, so that whoever has seen another one is sent back.
fn of_one_group(waiting: Vec<Pending>) -> (Vec<Pending>, Option<Arc<SeenGroup>>) {
    let group = waiting.iter().find_map(|pending| pending.request.group.clone());
    let (alike, others): (Vec<_>, Vec<_>) = waiting
        .into_iter()
        .partition(|pending| pending.request.group.is_none() || pending.request.group == group);
    others.into_iter().for_each(Pending::send_back);
    (alike, group)
}

/// The group has changed: those to whom that does not matter. The others are sent back.
fn not_outdated(waiting: Vec<Pending>) -> Vec<Pending> {
    let (outdated, others): (Vec<_>, Vec<_>) =
        waiting.into_iter().partition(|pending| pending.request.group.is_some());
    outdated.into_iter().for_each(Pending::send_back);
    others
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
