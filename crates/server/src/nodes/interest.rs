//! Which topics this node listens to: those of the users who are connected to it, and of the groups in which these are.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::try_join_all;
use tokio::sync::Mutex as AsyncMutex;

use crate::store::{Bus, StoreError, Topic};

pub(crate) struct Interest {
    bus: Arc<dyn Bus>,
    wanted: Mutex<Wanted>,
    /// Held while a topic is begun or ended, so that an end cannot overtake a beginning.
    changing: AsyncMutex<()>,
}

#[derive(Default)]
struct Wanted {
    /// Connections, and the groups that are listened to for them.
    users: HashMap<String, (usize, HashSet<String>)>,
    /// How many of the users want a group.
    groups: HashMap<String, usize>,
    /// Nobody wants them any more.
    idle: HashSet<Topic>,
}

impl Wanted {
    fn add_group(&mut self, user: &str, group_id: &str) -> bool {
        let Some((_, own)) = self.users.get_mut(user) else { return false };
        if own.insert(group_id.to_owned()) {
            *self.groups.entry(group_id.to_owned()).or_default() += 1;
        }
        true
    }

    fn is_wanted(&self, topic: &Topic) -> bool {
        match topic {
            Topic::User(user) => self.users.contains_key(user),
            Topic::Group(group_id) => self.groups.contains_key(group_id),
            // Not for users.
            Topic::Webhooks => true,
        }
    }
}

impl Interest {
    pub(crate) fn new(bus: Arc<dyn Bus>) -> Self {
        Self { bus, wanted: Mutex::default(), changing: AsyncMutex::default() }
    }

    /// A connection of the user more; returns when everything for them is heard.
    pub(crate) async fn add(&self, user: &str) -> Result<(), StoreError> {
        self.wanted().users.entry(user.to_owned()).or_default().0 += 1;
        let listened = self.listen_for(user).await;
        if listened.is_err() {
            self.remove(user);
        }
        listened
    }

    async fn listen_for(&self, user: &str) -> Result<(), StoreError> {
        let _changing = self.changing.lock().await;
        // First the user: whoever makes them a member from here on is heard.
        self.bus.listen(&Topic::User(user.to_owned())).await?;
        let groups = self.bus.groups_of(user).await?;
        let listen = |group_id: String| async move {
            self.wanted().add_group(user, &group_id);
            self.bus.listen(&Topic::Group(group_id)).await
        };
        try_join_all(groups.into_iter().map(listen)).await.map(drop)
    }

    /// A connection of the user less.
    pub(crate) fn remove(&self, user: &str) {
        let mut wanted = self.wanted();
        let Some((connections, _)) = wanted.users.get_mut(user) else { return };
        *connections = connections.saturating_sub(1);
        if *connections > 0 {
            return;
        }
        let groups = wanted.users.remove(user).map(|(_, groups)| groups).unwrap_or_default();
        wanted.idle.insert(Topic::User(user.to_owned()));
        for group_id in groups {
            let Some(count) = wanted.groups.get_mut(&group_id) else { continue };
            *count -= 1;
            if *count == 0 {
                wanted.groups.remove(&group_id);
                wanted.idle.insert(Topic::Group(group_id));
            }
        }
    }

    /// Users have become members of a group.
    ///
    /// # Errors
    /// The group is not heard for them before they connect again.
    pub(crate) async fn joined(&self, group_id: &str, users: &[String]) -> Result<(), StoreError> {
        let _changing = self.changing.lock().await;
        let is_new = users.iter().filter(|user| self.wanted().add_group(user, group_id)).count() > 0;
        if is_new { self.bus.listen(&Topic::Group(group_id.to_owned())).await } else { Ok(()) }
    }

    /// Ends what nobody has wanted again.
    pub(crate) async fn sweep(&self) {
        let idle = std::mem::take(&mut self.wanted().idle);
        for topic in idle {
            let _changing = self.changing.lock().await;
            let is_wanted = self.wanted().is_wanted(&topic);
            if !is_wanted {
                self.bus.unlisten(&topic).await;
            }
        }
    }

    fn wanted(&self) -> MutexGuard<'_, Wanted> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
