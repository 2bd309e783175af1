//! Who is connected, and what waits for each connection.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus_client::metrics::counter::Counter;
use tokio::sync::Notify;

use crate::config::PushLimits;

/// An event as JSON, serialised once for all its receivers.
pub(crate) type EventJson = Arc<str>;

/// The push connections by user.
#[derive(Default)]
pub(crate) struct Hub {
    // A std mutex: held for a few map look-ups, never across an await.
    users: Mutex<HashMap<String, Vec<Arc<Outbox>>>>,
    /// Events that were handed to connections, each counted for each.
    pub(crate) handed: Counter,
}

/// Who is connected, and what waits for all of them.
#[derive(Default)]
pub(crate) struct Load {
    pub(crate) users: usize,
    pub(crate) connections: usize,
    pub(crate) events: usize,
    pub(crate) bytes: usize,
}

/// What waits for one connection.
pub(crate) struct Outbox {
    limits: PushLimits,
    waiting: Mutex<Waiting>,
    changed: Notify,
}

#[derive(Default)]
struct Waiting {
    events: Vec<EventJson>,
    bytes: usize,
    pongs: usize,
    overflowed: bool,
    interrupted: bool,
}

/// What a connection sends next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Answers to so many pings, then events for one frame.
    Send(usize, Vec<EventJson>),
    /// More waited than may; it is gone.
    Overflowed,
    /// Something may be missing.
    Interrupted,
}

impl Outbox {
    fn new(limits: PushLimits) -> Self {
        Self { limits, waiting: Mutex::default(), changed: Notify::new() }
    }

    fn change(&self, change: impl FnOnce(&mut Waiting)) {
        change(&mut self.waiting());
        self.changed.notify_one();
    }

    fn push(&self, events: &[EventJson]) {
        self.change(|waiting| {
            if waiting.overflowed {
                return;
            }
            waiting.bytes += events.iter().map(|event| event.len()).sum::<usize>();
            waiting.events.extend_from_slice(events);
            if waiting.events.len() > self.limits.queued_events || waiting.bytes > self.limits.queued_bytes {
                *waiting = Waiting { overflowed: true, ..Waiting::default() };
            }
        });
    }

    /// Answers a ping in the next turn.
    pub(crate) fn pong(&self) {
        self.change(|waiting| waiting.pongs += 1);
    }

    /// Whether there is something to send.
    pub(crate) fn is_waiting(&self) -> bool {
        let waiting = self.waiting();
        waiting.overflowed || waiting.interrupted || waiting.pongs > 0 || !waiting.events.is_empty()
    }

    /// Waits until there is something to send, and takes all of it. Nothing is lost when the wait is given up.
    pub(crate) async fn next(&self) -> Turn {
        while !self.is_waiting() {
            self.changed.notified().await;
        }
        // Whatever else is ready to run now may have more for the same frame.
        tokio::task::yield_now().await;
        let waiting = self.take();
        match waiting {
            Waiting { overflowed: true, .. } => Turn::Overflowed,
            Waiting { interrupted: true, .. } => Turn::Interrupted,
            Waiting { pongs, events, .. } => Turn::Send(pongs, events),
        }
    }

    fn take(&self) -> Waiting {
        let mut waiting = self.waiting();
        let overflowed = waiting.overflowed;
        std::mem::replace(&mut *waiting, Waiting { overflowed, ..Waiting::default() })
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hub {
    /// From here on the events of `user` wait in the returned outbox, until [`leave`](Self::leave). `None`: the user has as
    /// many connections as they may.
    pub(crate) fn join(&self, user: &str, limits: PushLimits) -> Option<Arc<Outbox>> {
        let mut users = self.users();
        if users.get(user).is_some_and(|own| own.len() >= limits.user_connections) {
            return None;
        }
        let outbox = Arc::new(Outbox::new(limits));
        users.entry(user.to_owned()).or_default().push(Arc::clone(&outbox));
        Some(outbox)
    }

    /// Undoes [`join`](Self::join).
    pub(crate) fn leave(&self, user: &str, outbox: &Arc<Outbox>) {
        let mut users = self.users();
        if let Some(own) = users.get_mut(user) {
            own.retain(|other| !Arc::ptr_eq(other, outbox));
            if own.is_empty() {
                users.remove(user);
            }
        }
    }

    /// Ends all connections: what comes from here on is not all. Their clients come back, and say up to where they know.
    pub(crate) fn interrupt(&self) {
        for outbox in self.users().values().flatten() {
            outbox.change(|waiting| waiting.interrupted = true);
        }
    }

    /// Whether nobody is connected, so that there is nobody to look up for.
    pub(crate) fn is_empty(&self) -> bool {
        self.users().is_empty()
    }

    /// Hands the events to both users of a one-to-one conversation.
    pub(crate) fn push_to_pair(&self, a: &str, b: &str, events: &[EventJson]) {
        let users = self.users();
        let both = [Some(a), (a != b).then_some(b)];
        for outbox in both.into_iter().flatten().filter_map(|user| users.get(user)).flatten() {
            self.hand(outbox, events);
        }
    }

    /// Hands the events to those of `users` who are connected.
    pub(crate) fn push_to_users(&self, users: &HashSet<String>, events: &[EventJson]) {
        let online = self.users();
        if users.len() < online.len() {
            users
                .iter()
                .filter_map(|user| online.get(user))
                .flatten()
                .for_each(|outbox| self.hand(outbox, events));
        } else {
            let reached = online.iter().filter(|(user, _)| users.contains(*user));
            reached.flat_map(|(_, own)| own).for_each(|outbox| self.hand(outbox, events));
        }
    }

    fn hand(&self, outbox: &Outbox, events: &[EventJson]) {
        outbox.push(events);
        self.handed.inc_by(events.len() as u64);
    }

    pub(crate) fn load(&self) -> Load {
        let users = self.users();
        let mut load = Load { users: users.len(), ..Load::default() };
        for outbox in users.values().flatten() {
            let waiting = outbox.waiting();
            load.connections += 1;
            load.events += waiting.events.len();
            load.bytes += waiting.bytes;
        }
        load
    }

    fn users(&self) -> MutexGuard<'_, HashMap<String, Vec<Arc<Outbox>>>> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(n: usize) -> Vec<EventJson> {
        (0..n).map(|i| EventJson::from(i.to_string())).collect()
    }

    #[tokio::test]
    async fn everything_that_waits_is_taken_in_one_turn_in_order() {
        let hub = Hub::default();
        let outbox = hub.join("alice", PushLimits::default()).unwrap();
        hub.push_to_pair("alice", "bob", &events(3)[..2]);
        hub.push_to_pair("bob", "alice", &events(3)[2..]);
        assert_eq!(outbox.next().await, Turn::Send(0, events(3)));
    }

    #[tokio::test]
    async fn nothing_is_lost_when_a_wait_is_given_up() {
        let hub = Hub::default();
        let outbox = hub.join("alice", PushLimits::default()).unwrap();
        hub.push_to_pair("alice", "bob", &events(1));
        tokio::select! {
            biased;
            turn = outbox.next() => panic!("{turn:?} without letting others run"),
            () = std::future::ready(()) => {}
        }
        assert_eq!(outbox.next().await, Turn::Send(0, events(1)));
    }

    #[tokio::test]
    async fn an_outbox_that_overflows_keeps_nothing_and_says_so() {
        let hub = Hub::default();
        let outbox = hub.join("alice", PushLimits { queued_events: 2, ..PushLimits::default() }).unwrap();
        hub.push_to_pair("alice", "alice", &events(3));
        hub.push_to_pair("alice", "alice", &events(1));
        assert_eq!(outbox.next().await, Turn::Overflowed);
    }

    #[test]
    fn nothing_is_left_of_a_user_whose_last_connection_has_gone() {
        let hub = Hub::default();
        let outbox = hub.join("alice", PushLimits::default()).unwrap();
        hub.leave("alice", &outbox);
        assert!(hub.is_empty());
    }
}
