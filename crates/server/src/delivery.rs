//! How events reach those who may see them, why a message always arrives before its changes, and why nothing of a group
//! follows to those who were told that they have left it.

use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use tokio_util::task::TaskTracker;

use crate::group_cache::GroupCache;
use crate::hub::{EventJson, Hub};
use crate::nodes::{self, Nodes, What};
use crate::store::{Bus, Conversation, StoredMessage};

const STRIPES: usize = 64;

pub(crate) struct Delivery {
    pub(crate) hub: Arc<Hub>,
    groups: Arc<GroupCache>,
    /// `None`: this is the only node.
    nodes: Option<Arc<Nodes>>,
    /// Held for reading while a message is stored and pushed, and passed through before a message's first change: so
    /// the message is pushed first. Striped by conversation, so that conversations do not wait for each other.
    arrivals: Stripes,
    /// Held for reading from asking who the members are until their events are in the hub, and for writing from before
    /// members change in the store until the past ones' farewell is in the hub: so what was meant for them as members
    /// comes before it, and farewells come in the order of the store. Striped by group; taken after `arrivals`.
    memberships: Stripes,
}

/// Locks by the hash of what they are for: few, and yet seldom in each other's way.
struct Stripes(Vec<RwLock<()>>);

impl Stripes {
    fn new() -> Self {
        Self((0..STRIPES).map(|_| RwLock::new(())).collect())
    }

    fn of(&self, key: &(impl Hash + ?Sized)) -> Option<&RwLock<()>> {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        self.0.get(usize::try_from(hasher.finish()).unwrap_or_default() % STRIPES)
    }
}

impl Delivery {
    pub(crate) fn new(
        hub: Arc<Hub>,
        groups: Arc<GroupCache>,
        bus: Option<Arc<dyn Bus>>,
        tasks: &TaskTracker,
    ) -> Self {
        let nodes = bus.map(|bus| Arc::new(Nodes::new(bus, tasks.clone())));
        Self { hub, groups, nodes, arrivals: Stripes::new(), memberships: Stripes::new() }
    }

    /// This node among others, where there are others.
    pub(crate) fn nodes(&self) -> Option<&Nodes> {
        self.nodes.as_deref()
    }

    /// Hands committed changes of a message, the first with this Seq, to everybody who sees the conversation at this moment.
    /// `notice`: what other nodes are told.
    pub(crate) async fn push_changes(
        &self,
        stored: &StoredMessage,
        seq: u64,
        events: &[EventJson],
        notice: Option<Arc<str>>,
    ) {
        let (sender, conversation) = (&stored.message.sender, &stored.message.conversation);
        self.take_changes(stored.no, sender, conversation, seq, events).await;
        if let (Some(nodes), Some(notice), false) = (&self.nodes, notice, events.is_empty()) {
            nodes.send(sender, conversation, notice);
        }
    }

    /// Hands an event to everybody who sees the conversation at this moment.
    pub(crate) async fn push_event(&self, sender: &str, conversation: &Conversation, event: EventJson) {
        self.take_event(sender, conversation, EventJson::clone(&event)).await;
        if let Some(nodes) = &self.nodes {
            nodes.tell_event(sender, conversation, &event).await;
        }
    }

    /// Changes to the connections of this node: in the order of Seq, each once.
    pub(crate) async fn take_changes(
        &self,
        message_no: i64,
        sender: &str,
        conversation: &Conversation,
        seq: u64,
        events: &[EventJson],
    ) {
        let Some(nodes) = &self.nodes else { return self.hand(sender, conversation, events).await };
        let Some(last) = (events.len() as u64).checked_sub(1).map(|more| seq + more) else { return };
        let place = nodes.order.of(message_no);
        let mut delivered = place.lock().await;
        // Of what is not remembered nothing was delivered for longer than the log goes back.
        let known = delivered.seq.unwrap_or_default();
        if seq > known + 1 && !self.hub.is_empty() {
            // Another node has committed what is between, and has not told it yet.
            match nodes.missing(message_no, known, seq).await {
                Ok(between) => self.hand(sender, conversation, &between).await,
                // Clients see the gap in Seq and pull.
                Err(error) => tracing::warn!(%error, "what another node has committed cannot be read"),
            }
        }
        let told = known.saturating_add(1).saturating_sub(seq);
        let new = events.get(usize::try_from(told).unwrap_or(usize::MAX)..).unwrap_or_default();
        self.hand(sender, conversation, new).await;
        delivered.until(last);
    }

    /// An event to the connections of this node.
    pub(crate) async fn take_event(&self, sender: &str, conversation: &Conversation, event: EventJson) {
        self.hand(sender, conversation, &[event]).await;
    }

    async fn hand(&self, sender: &str, conversation: &Conversation, events: &[EventJson]) {
        if events.is_empty() || self.hub.is_empty() {
            return;
        }
        match conversation {
            Conversation::C2c { to } => self.hub.push_to_pair(sender, to, events),
            Conversation::Group { group_id, no } => self.push_to_group(group_id, *no, events).await,
        }
    }

    async fn push_to_group(&self, group_id: &str, no: i64, events: &[EventJson]) {
        let Some(membership) = self.memberships.of(group_id) else { return };
        let _unchanged = membership.read().await;
        match self.groups.get(group_id).await {
            Ok(Some(group)) if group.no == no => self.hub.push_to_users(&group.members, events),
            Ok(_) => {}
            // The next change, after which clients would see the gap, may be long in coming.
            Err(error) => {
                tracing::error!(%error, "events were not pushed: the members are unknown");
                self.hub.interrupt();
            }
        }
    }

    /// Tells past members that the group is none of theirs any more; while [`membership`](Self::membership) is held.
    pub(crate) async fn bid_farewell(&self, group_id: &str, past: HashSet<String>, event: EventJson) {
        self.hub.push_to_users(&past, &[EventJson::clone(&event)]);
        let Some(nodes) = &self.nodes else { return };
        let Ok(event) = nodes::raw(&event) else { return };
        let left = |user: &str| What::Left {
            group_id: group_id.to_owned(),
            user: user.to_owned(),
            event: event.clone(),
        };
        nodes.tell_users(&past, left).await;
    }

    /// The same, from another node.
    pub(crate) async fn take_farewell(&self, group_id: &str, past: &HashSet<String>, event: EventJson) {
        let _changing = self.membership(group_id).await;
        self.groups.forget(group_id);
        self.hub.push_to_users(past, &[event]);
    }

    /// Users are members of a group now.
    pub(crate) async fn welcome(&self, group_id: &str, users: &[String]) {
        let Some(nodes) = &self.nodes else { return };
        self.take_joined(group_id, users).await;
        let joined = |user: &str| What::Joined { group_id: group_id.to_owned(), user: user.to_owned() };
        nodes.tell_users(users, joined).await;
    }

    /// The same, from another node.
    pub(crate) async fn take_joined(&self, group_id: &str, users: &[String]) {
        let Some(nodes) = &self.nodes else { return };
        if let Err(error) = nodes.interest.joined(group_id, users).await {
            tracing::error!(%error, "a group cannot be listened to");
            self.hub.interrupt();
        }
    }

    /// Held while members of the group change, until those who have left have been told.
    pub(crate) async fn membership(&self, group_id: &str) -> Option<RwLockWriteGuard<'_, ()>> {
        Some(self.memberships.of(group_id)?.write().await)
    }

    /// Held from before a message is stored until it has been pushed.
    pub(crate) async fn arrival(&self, conversation: &Conversation) -> Option<RwLockReadGuard<'_, ()>> {
        Some(self.arrivals.of(conversation)?.read().await)
    }

    /// Returns once `message`, which is in the store, has been pushed.
    pub(crate) async fn arrived(&self, message: &StoredMessage) {
        if let Some(stripe) = self.arrivals.of(&message.message.conversation) {
            drop(stripe.write().await);
        }
    }
}
