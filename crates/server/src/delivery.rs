//! How events reach those who may see them, and why a message always arrives before its changes.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use tokio::sync::{RwLock, RwLockReadGuard};

use crate::group_cache::GroupCache;
use crate::hub::{EventJson, Hub};
use crate::store::{Conversation, StoredMessage};

const STRIPES: usize = 64;

pub(crate) struct Delivery {
    pub(crate) hub: Arc<Hub>,
    groups: Arc<GroupCache>,
    /// Held for reading while a message is stored and pushed, and passed through before a message's first change: so
    /// the message is pushed first. Striped by conversation, so that conversations do not wait for each other.
    arrivals: Vec<RwLock<()>>,
}

impl Delivery {
    pub(crate) fn new(hub: Arc<Hub>, groups: Arc<GroupCache>) -> Self {
        Self { hub, groups, arrivals: (0..STRIPES).map(|_| RwLock::new(())).collect() }
    }

    /// Hands the events to everybody who sees the conversation at this moment.
    pub(crate) async fn push(&self, sender: &str, conversation: &Conversation, events: &[EventJson]) {
        if events.is_empty() || self.hub.is_empty() {
            return;
        }
        match conversation {
            Conversation::C2c { to } => self.hub.push_to_pair(sender, to, events),
            Conversation::Group { group_id, no } => match self.groups.get(group_id).await {
                Ok(Some(group)) if group.no == *no => self.hub.push_to_members(&group.members, events),
                Ok(_) => {}
                // Clients see the gap in Seq and pull.
                Err(error) => tracing::error!(%error, "events were not pushed: the members are unknown"),
            },
        }
    }

    /// Held from before a message is stored until it has been pushed.
    pub(crate) async fn arrival(&self, conversation: &Conversation) -> Option<RwLockReadGuard<'_, ()>> {
        Some(self.stripe(conversation)?.read().await)
    }

    /// Returns once `message`, which is in the store, has been pushed.
    pub(crate) async fn arrived(&self, message: &StoredMessage) {
        if let Some(stripe) = self.stripe(&message.message.conversation) {
            drop(stripe.write().await);
        }
    }

    fn stripe(&self, conversation: &Conversation) -> Option<&RwLock<()>> {
        let mut hasher = DefaultHasher::new();
        conversation.hash(&mut hasher);
        self.arrivals.get(usize::try_from(hasher.finish()).unwrap_or_default() % STRIPES)
    }
}
