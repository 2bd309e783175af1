//! How events reach those who may see them, why a message always arrives before its changes, and why nothing of a group
//! follows to those who were told that they have left it.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::group_cache::GroupCache;
use crate::hub::{EventJson, Hub};
use crate::store::{Conversation, StoredMessage};

const STRIPES: usize = 64;

pub(crate) struct Delivery {
    pub(crate) hub: Arc<Hub>,
    groups: Arc<GroupCache>,
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
    pub(crate) fn new(hub: Arc<Hub>, groups: Arc<GroupCache>) -> Self {
        Self { hub, groups, arrivals: Stripes::new(), memberships: Stripes::new() }
    }

    /// Hands the events to everybody who sees the conversation at this moment.
    pub(crate) async fn push(&self, sender: &str, conversation: &Conversation, events: &[EventJson]) {
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
            // Clients see the gap in Seq and pull.
            Err(error) => tracing::error!(%error, "events were not pushed: the members are unknown"),
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
