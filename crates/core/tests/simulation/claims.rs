//! What must hold: at every moment, at every answer, and when all has come to rest.

use super::*;

impl World {
    pub(super) fn viewed(&mut self, i: usize, view: View) {
        let peer = &mut self.peers[i];
        peer.synced = view.synced;
        for entry in view.changed {
            peer.watch.insert(entry.key.clone(), entry);
        }
        for key in view.removed {
            peer.watch.remove(&key);
        }
        // At every moment: what is not marked as pending, the server has had.
        let is_own = |e: &&EntryView| matches!(e.status, EntryStatus::Pending | EntryStatus::Queued);
        for entry in peer.watch.values().filter(|e| !is_own(e)) {
            assert!(self.history.contains(&(entry.key.clone(), entry.value.clone())), "never had {entry:?}");
        }
    }

    /// What listeners are told of a key is what the server had; of what they have read it is something later each time.
    pub(super) fn told(&mut self, i: usize, notice: &Notice) {
        let Notice::Updated(list) = notice else { return };
        for (key, value) in list {
            assert!(self.history.contains(&(key.clone(), value.clone())), "never had {value} of {key}");
            // Before the first get an own reply and its push may each tell. A count that was begun anew has values of before, and a
            // server that lost some Seqs gives them to others.
            if self.peers[i].view.is_none() || key == "count" || self.is_forked {
                continue;
            }
            let seq = self.written[value];
            let before = self.peers[i].told.insert(key.clone(), seq);
            assert!(before.is_none_or(|before| before < seq), "{i} is told {key} of {seq} after {before:?}");
        }
    }

    pub(super) fn settled(&mut self, i: usize, call: CallId, result: Result<Answer, Error>) {
        let now = self.clock(i);
        let peer = &mut self.peers[i];
        let since = peer.calls.remove(&call).expect("a promise is settled once");
        if call == peer.login_call && result.is_err() {
            let page = peer.page;
            self.later(self.now + 2 * SECOND, Arrival::Open(i, page));
            return;
        }
        if call == peer.drain_call {
            let user = peer.user;
            return self.unlock(user, i);
        }
        // A machine that slept meanwhile is late.
        let limit = TIME_LIMIT + if self.now > TROUBLE + TIME_LIMIT { 0 } else { peer.skew };
        assert!(now - since <= limit, "a promise is settled within the time limit");
        if let Some(value) = peer.set_values.get(&call) {
            match &result {
                Ok(Answer::Items(items)) => {
                    let met_itself =
                        items.iter().any(|(code, _, current)| *code == SEQ_CONFLICT && current == value);
                    assert!(!met_itself || self.too_late.contains(value), "a retry has met its own write");
                    if items.iter().all(|(code, ..)| *code == 0) {
                        self.done.insert(value.clone());
                    }
                }
                Ok(Answer::Queued(_)) => {
                    self.queued.insert(value.clone());
                }
                _ => {}
            }
        }
        // It came too early, or the login that it waited for has failed.
        let is_logged_out = peer.client.identity().0.is_empty();
        let is_refused = result.as_ref().is_err_and(|e| is_logged_out || e.code == NOT_READY);
        if peer.watch_call == call && is_refused {
            peer.is_watching = false;
        }
        if peer.first_get == Some(call) {
            peer.first_get = None;
            if let Ok(Answer::Extensions(listing)) = result {
                peer.view = Some(listing.pairs().into_iter().collect());
            }
        }
    }

    pub(super) fn check(mut self) {
        self.now = REST;
        let truth = live(&self.message);
        for store in &self.stores {
            assert!(store.queued.is_empty() && store.holder.is_none(), "an outbox that is not drained");
        }
        for (value, times) in self.accepted.iter().filter(|(value, _)| !self.too_late.contains(*value)) {
            // What was lost may have been written again.
            assert!(*times == 1 || self.is_forked, "{value} was written more than once");
        }
        for value in &self.done {
            assert!(self.accepted.contains_key(value), "{value} was acknowledged, and is not written");
        }
        for value in &self.queued {
            let is_told = self.accepted.contains_key(value) || self.conflicts.contains(value);
            assert!(is_told, "{value} was queued, and neither written nor told as a conflict");
        }
        for i in 0..self.peers.len() {
            let peer = &self.peers[i];
            assert!(peer.calls.is_empty(), "promises of {i} that are pending: {:?}", peer.calls);
            if peer.is_watching {
                let shown = peer.watch.iter().map(|(key, entry)| (key.clone(), entry.value.clone()));
                assert_eq!(shown.collect::<Map>(), truth, "what {i} is shown");
                assert!(peer.synced && peer.watch.values().all(|e| !e.is_own()), "{:?}", peer.watch);
            }
            if self.is_without_push {
                continue;
            }
            if let Some(view) = &self.peers[i].view {
                assert_eq!(*view, truth, "what the events of {i} add up to");
                // At rest and live, a read asks nobody: what it says is the cache.
                self.peers[i].view = None;
                self.get(i);
                assert!(self.peers[i].calls.is_empty(), "a live read of {i} was not answered at once");
                assert_eq!(self.peers[i].view, Some(truth.clone()), "the cache of {i}");
            }
        }
    }
}
