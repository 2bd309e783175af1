//! The groups that are in use, in memory: every call and every event asks who is a member.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::clock::steady_ms;
use crate::store::{Group, SeenGroup, Store, StoreError};

/// Groups kept at most, and how long one that nobody asks for is kept.
const KEPT: usize = 10_000;
const IDLE_MS: u64 = 300_000;

pub(crate) struct GroupCache {
    store: Arc<dyn Store>,
    cached: Mutex<Cached>,
}

#[derive(Default)]
struct Cached {
    groups: HashMap<String, (Arc<Group>, u64)>,
    /// Counts [`GroupCache::forget`]: what was read from the store before one must not be kept after it.
    forgotten: u64,
}

impl GroupCache {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self { store, cached: Mutex::default() }
    }

    /// The group as it is now; `None` when there is none.
    pub(crate) async fn get(&self, group_id: &str) -> Result<Option<Arc<Group>>, StoreError> {
        let forgotten = self.cached().forgotten;
        if let Some(group) = self.known(group_id) {
            if !self.store.is_shared() {
                return Ok(Some(group));
            }
            // Another node may have changed it.
            if self.store.group_version(group_id).await? == Some((group.no, group.version)) {
                return Ok(Some(group));
            }
            self.cached().groups.remove(group_id);
        }
        let Some(group) = self.store.group(group_id).await?.map(Arc::new) else { return Ok(None) };
        let mut cached = self.cached();
        if cached.forgotten == forgotten {
            if cached.groups.len() >= KEPT {
                cached.groups.clear();
            }
            cached.groups.insert(group_id.to_owned(), (Arc::clone(&group), steady_ms()));
        }
        Ok(Some(group))
    }

    /// The group as this node remembers it, if other nodes may have changed it; whoever relies on it compares later.
    pub(crate) fn remembered(&self, group_id: &str) -> Option<(Arc<Group>, Arc<SeenGroup>)> {
        let group = self.known(group_id).filter(|_| self.store.is_shared())?;
        let seen = SeenGroup { group_id: group_id.to_owned(), no: group.no, version: group.version };
        Some((group, Arc::new(seen)))
    }

    fn known(&self, group_id: &str) -> Option<Arc<Group>> {
        let mut cached = self.cached();
        let (group, used) = cached.groups.get_mut(group_id)?;
        *used = steady_ms();
        Some(Arc::clone(group))
    }

    /// To be called after every change of a group, before the change is answered.
    pub(crate) fn forget(&self, group_id: &str) {
        let mut cached = self.cached();
        cached.forgotten += 1;
        cached.groups.remove(group_id);
    }

    /// Drops what was not asked for lately.
    pub(crate) fn sweep(&self) {
        let now = steady_ms();
        self.cached().groups.retain(|_, (_, used)| *used + IDLE_MS > now);
    }

    fn cached(&self) -> MutexGuard<'_, Cached> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
