//! What a browser keeps for a user, for all tabs: the message as it was, writes made offline, and a lock.

use std::collections::VecDeque;
use std::time::Duration;

use message_extensions_core::client::{CallId, Event};
use message_extensions_core::wire::{MessageState, QueuedWrite};

use crate::page::{Input, Page};

/// A user's.
#[derive(Default)]
pub(crate) struct Kept {
    state: Option<MessageState>,
    pub(crate) queued: Vec<QueuedWrite>,
    orders: u64,
    /// The page that may drain, and those that want to.
    pub(crate) holder: Option<usize>,
    waiting: VecDeque<usize>,
}

/// What happens between a page and what is kept.
pub(crate) enum Keeping {
    Load,
    Stale,
    Queue(CallId, Box<QueuedWrite>),
    Unqueue(u64),
    /// The page asks whether the lock is its own now.
    Lock,
    Unlock,
}

impl Kept {
    /// A page is gone: its lock is free.
    pub(crate) fn release(&mut self, page: usize) {
        self.waiting.retain(|other| *other != page);
        if self.holder == Some(page) {
            self.holder = None;
        }
    }
}

impl Page {
    /// What the machine asks its owner for.
    pub(crate) fn keep(&mut self, event: Event) {
        let at = Duration::from_millis(self.common.any(1..20));
        match event {
            Event::Load(_) => self.later(at, Input::Keeping(Keeping::Load)),
            Event::Stale => self.later(Duration::from_millis(500), Input::Keeping(Keeping::Stale)),
            Event::Keep(states) => {
                let kept = &mut self.common.kept(self.user).state;
                for state in states {
                    if kept.as_ref().is_none_or(|kept| kept.latest_seq <= state.latest_seq) {
                        *kept = Some(state);
                    }
                }
            }
            Event::Queue(call, write) => {
                self.later(at, Input::Keeping(Keeping::Queue(call, Box::new(write))))
            }
            Event::Unqueue(order) => self.later(at, Input::Keeping(Keeping::Unqueue(order))),
            Event::Drain => {
                self.common.kept(self.user).waiting.push_back(self.number);
                self.later(at, Input::Keeping(Keeping::Lock));
            }
            Event::Conflict(_, conflicts) => self.conflicts(conflicts),
            _ => {}
        }
    }

    pub(crate) fn keeping(&mut self, keeping: Keeping) {
        let (now, common) = (self.now(), self.common.clone());
        let mut kept = common.kept(self.user);
        match keeping {
            Keeping::Load => {
                let (states, queued) = (kept.state.iter().cloned().collect(), kept.queued.clone());
                self.client.handle_loaded(states, queued, now);
            }
            Keeping::Stale => self.client.handle_keep(),
            Keeping::Queue(call, mut write) => {
                kept.orders += 1;
                write.order = Some(kept.orders);
                kept.queued.push(*write);
                self.client.handle_queued(call);
            }
            Keeping::Unqueue(order) => kept.queued.retain(|write| write.order != Some(order)),
            Keeping::Lock => {
                if kept.holder.is_none() && kept.waiting.front() == Some(&self.number) {
                    kept.waiting.pop_front();
                    kept.holder = Some(self.number);
                    let records = kept.queued.clone();
                    drop(kept);
                    self.drain_call = self.last_call + 1;
                    self.call(|client, call, now| client.handle_drain(call, records, now));
                } else if kept.waiting.contains(&self.number) {
                    self.later(Duration::from_millis(50), Input::Keeping(Keeping::Lock));
                }
            }
            Keeping::Unlock => kept.holder = None,
        }
    }
}
