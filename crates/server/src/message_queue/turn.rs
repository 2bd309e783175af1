//! One turn of a message's queue: what is decided together, before it is committed.

use std::sync::Arc;

use message_extensions_core::code::Error;
use message_extensions_core::law::{Change, Message, Terms, Writer};
use message_extensions_core::limits::Limits;
use message_extensions_core::serve::refusal::internal;
use message_extensions_core::wire::{Event, MsgElement, Status};

use super::{Hot, Pending};
use crate::clock::now_ms;
use crate::hub::EventJson;
use crate::store::{AnswerId, Commit, Conversation, SeenGroup, StoredMessage, Webhook};

/// A working copy of the message, and what became of the operations so far.
pub(super) struct Turn {
    expected_seq: u64,
    /// [`Commit::after`], where the store is shared.
    after: Option<u64>,
    /// [`Commit::group`].
    group: Option<Arc<SeenGroup>>,
    /// [`Commit::id`].
    id: u64,
    /// Shared with the committed state until the first change.
    message: Arc<Message>,
    changes: Vec<Change>,
    answered: Vec<(Pending, String)>,
    remembered: Vec<(AnswerId, String)>,
    answer_ids: Vec<AnswerId>,
}

impl Turn {
    /// On top of what is committed; `after` says by which commit, where the store is shared.
    pub(super) fn new(message: Arc<Message>, after: Option<u64>, group: Option<Arc<SeenGroup>>) -> Self {
        Self {
            expected_seq: message.latest_seq,
            after,
            group,
            id: if after.is_some() { fastrand::u64(1..) } else { 0 },
            message,
            changes: Vec::new(),
            answered: Vec::new(),
            remembered: Vec::new(),
            answer_ids: Vec::new(),
        }
    }

    /// Lets the law decide, on top of what was decided before in this turn; a retry of what was is answered alike.
    pub(super) fn decide(&mut self, pending: Pending, hot: &Hot, limits: &Limits) {
        if let Some(answer) = self.repeated(&pending) {
            return self.answered.push((pending, answer));
        }
        let request = &pending.request;
        let caller = &request.caller;
        let message = &hot.stored.message;
        let writer = Writer {
            user: &caller.identifier,
            is_admin: caller.is_admin,
            is_sender: caller.identifier == message.sender,
        };
        let terms = Terms { limits, rules: message.rules.as_ref(), now: now_ms() };
        let decision = self.message.decide(&request.operation, writer, terms);
        let json = match decision {
            Ok(mut decision) => {
                if let Some(change) = decision.change.take() {
                    Arc::make_mut(&mut self.message).absorb(&change);
                    self.changes.push(change);
                }
                serde_json::to_string(&decision.into_reply())
            }
            Err(refusal) => serde_json::to_string(&Status::refused(&refusal)),
        };
        let Ok(json) = json else { return pending.refuse(internal()) };
        if let Some(request_id) = request.request_id {
            let caller = caller.identifier.clone();
            let turn = self.last_turn(&caller).unwrap_or_else(|| hot.last_turn(&caller)) + 1;
            self.remembered.push((AnswerId { caller, turn, request_id }, json.clone()));
        }
        self.answered.push((pending, json));
    }

    /// What a retry of an operation of this very turn is answered with, after the commit.
    fn repeated(&self, pending: &Pending) -> Option<String> {
        let (caller, request_id) = (&pending.request.caller.identifier, pending.request.request_id);
        let is_it = |id: &AnswerId| id.caller == *caller && Some(id.request_id) == request_id;
        self.remembered.iter().find(|(id, _)| is_it(id)).map(|(_, answer)| answer.clone())
    }

    fn last_turn(&self, caller: &str) -> Option<u64> {
        self.remembered.iter().rfind(|(id, _)| id.caller == caller).map(|(id, _)| id.turn)
    }

    /// What is to be stored, if anything; taken out.
    pub(super) fn take_commit(&mut self, stored: &StoredMessage, webhooks: Vec<Webhook>) -> Option<Commit> {
        if self.changes.is_empty() && self.remembered.is_empty() {
            return None;
        }
        let (changes, answers) = (std::mem::take(&mut self.changes), std::mem::take(&mut self.remembered));
        self.answer_ids = answers.iter().map(|(id, _)| id.clone()).collect();
        Some(Commit {
            message_no: stored.no,
            id: self.id,
            after: self.after,
            in_group: match &stored.message.conversation {
                Conversation::Group { group_id, .. } => Some(group_id.clone()),
                Conversation::C2c { .. } => None,
            },
            group: self.group.take(),
            expected_seq: self.expected_seq,
            changes,
            digest: self.message.digest(),
            answers,
            webhooks,
            record: None,
        })
    }

    /// The commit on top of which everything was decided; 0 where the store is not shared.
    pub(super) fn after(&self) -> u64 {
        self.after.unwrap_or_default()
    }

    /// The counter on which everything was decided.
    pub(super) const fn expected_seq(&self) -> u64 {
        self.expected_seq
    }

    pub(super) const fn commit_id(&self) -> u64 {
        self.id
    }

    /// Nothing was kept: those who wait are to be decided again.
    pub(super) fn into_waiting(self) -> Vec<Pending> {
        self.answered.into_iter().map(|(pending, _)| pending).collect()
    }

    /// The changes as everybody is told of them, in their order.
    pub(super) fn events(&self, stored: &StoredMessage) -> Result<Vec<EventJson>, serde_json::Error> {
        let event = |change: &Change| -> Event<MsgElement> {
            change.to_event(stored.wire_key(), Some(stored.message.message_id.clone()))
        };
        self.changes.iter().map(|change| Ok(serde_json::to_string(&event(change))?.into())).collect()
    }

    /// The same for a webhook.
    pub(super) fn webhooks(&self, events: &[EventJson]) -> Vec<Webhook> {
        let told = self.changes.iter().zip(events);
        told.map(|(change, body)| Webhook { seq: change.seq, time: change.time, body: Arc::clone(body) })
            .collect()
    }

    /// How many operations are answered with it.
    pub(super) const fn operations(&self) -> usize {
        self.answered.len()
    }

    pub(super) const fn message(&self) -> &Arc<Message> {
        &self.message
    }

    /// Of the answers that were committed.
    pub(super) fn answer_ids(&self) -> &[AnswerId] {
        &self.answer_ids
    }

    pub(super) fn answer(self) {
        for (pending, answer) in self.answered {
            pending.answer(answer);
        }
    }

    pub(super) fn refuse(self, error: &Error) {
        for (pending, _) in self.answered {
            pending.refuse(error.clone());
        }
    }
}
