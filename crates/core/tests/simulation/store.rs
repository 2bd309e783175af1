//! What a browser keeps for a user, for all tabs: the messages as they were, writes made offline, and a lock.

use super::*;

/// A user's.
#[derive(Default)]
pub(super) struct Store {
    state: Option<MessageState>,
    pub(super) queued: Vec<QueuedWrite>,
    orders: u64,
    /// The tab that may drain, and those that want to.
    pub(super) holder: Option<usize>,
    waiting: VecDeque<usize>,
}

/// What happens between a page and what is kept.
pub(super) enum Kept {
    Load,
    Stale,
    Queue(CallId, Box<QueuedWrite>),
    Unqueue(u64),
    /// The lock is this page's.
    Locked,
    Unlock,
}

impl World {
    /// What the machine asks its owner for.
    pub(super) fn keep(&mut self, i: usize, event: Event) {
        let at = self.now + self.rng.u64(1..20);
        let user = self.peers[i].user;
        match event {
            Event::Load(_) => self.keep_at(at, i, Kept::Load),
            Event::Stale => self.keep_at(at + 500, i, Kept::Stale),
            Event::Keep(states) => {
                for state in states {
                    let kept = &mut self.stores[user].state;
                    if state.extension_list.is_none() {
                        *kept = None;
                    } else if kept.as_ref().is_none_or(|kept| kept.latest_seq <= state.latest_seq) {
                        *kept = Some(state);
                    }
                }
            }
            Event::Queue(call, write) => self.keep_at(at, i, Kept::Queue(call, Box::new(write))),
            Event::Unqueue(order) => self.keep_at(at, i, Kept::Unqueue(order)),
            Event::Drain => {
                self.stores[user].waiting.push_back(i);
                self.next_holder(user);
            }
            Event::Conflict(_, conflicts) => {
                for conflict in conflicts {
                    assert_ne!(conflict.value, conflict.current, "a write that has met itself");
                    self.conflicts.insert(conflict.value);
                }
            }
            _ => {}
        }
    }

    fn keep_at(&mut self, at: u64, i: usize, kept: Kept) {
        let page = self.peers[i].page;
        self.later(at, Arrival::Kept(i, page, kept));
    }

    pub(super) fn kept(&mut self, i: usize, kept: Kept) {
        let user = self.peers[i].user;
        let now = self.clock(i);
        let (store, client) = (&mut self.stores[user], &mut self.peers[i].client);
        match kept {
            Kept::Load => {
                client.handle_loaded(store.state.iter().cloned().collect(), store.queued.clone(), now);
            }
            Kept::Stale => client.handle_keep(),
            Kept::Queue(call, mut write) => {
                store.orders += 1;
                write.order = Some(store.orders);
                store.queued.push(*write);
                client.handle_queued(call);
            }
            Kept::Unqueue(order) => store.queued.retain(|write| write.order != Some(order)),
            Kept::Locked => {
                let records = store.queued.clone();
                self.peers[i].drain_call = self.peers[i].last_call + 1;
                self.call(i, |client, call, now| client.handle_drain(call, records, now));
            }
            Kept::Unlock => {
                store.holder = None;
                self.next_holder(user);
            }
        }
        self.outputs(i);
    }

    /// A tab has drained. Its removals come first.
    pub(super) fn unlock(&mut self, user: usize, i: usize) {
        if self.stores[user].holder == Some(i) {
            self.keep_at(self.now + 20, i, Kept::Unlock);
        }
    }

    fn next_holder(&mut self, user: usize) {
        if self.stores[user].holder.is_none()
            && let Some(i) = self.stores[user].waiting.pop_front()
        {
            self.stores[user].holder = Some(i);
            let at = self.now + self.rng.u64(1..20);
            self.keep_at(at, i, Kept::Locked);
        }
    }

    /// A page is closed: its lock is free, and what it waited for never comes.
    pub(super) fn release(&mut self, i: usize) {
        let user = self.peers[i].user;
        self.stores[user].waiting.retain(|other| *other != i);
        if self.stores[user].holder == Some(i) {
            self.stores[user].holder = None;
            self.next_holder(user);
        }
    }
}
