//! What the users do.

use super::*;

impl World {
    /// What a user does, and what befalls their connection.
    pub(super) fn act(&mut self, i: usize) {
        if self.now > TROUBLE {
            return;
        }
        let key = |rng: &mut Rng| Some(format!("k{}", rng.u8(0..6)));
        match self.rng.u8(0..20) {
            0..=7 => {
                self.values += 1;
                let items = vec![(key(&mut self.rng), Some(self.values.to_string()))];
                let next_call = self.peers[i].last_call + 1;
                self.peers[i].set_values.insert(next_call, self.values.to_string());
                self.call(i, |client, call, now| client.handle_set(call, argument(), Some(items), now));
            }
            8..=10 => {
                let keys = vec![key(&mut self.rng)];
                self.call(i, |client, call, now| {
                    client.handle_delete(call, argument(), Some(Some(keys)), now)
                });
            }
            11 => {
                self.call(i, |client, call, now| client.handle_delete(call, argument(), None, now));
            }
            12..=14 => {
                self.get(i);
            }
            15 => self.watch(i),
            16..=17 => {
                let key = Some("count".into());
                self.call(i, |client, call, now| client.handle_mutate(call, argument(), key, now));
            }
            18 => match self.rng.u8(0..5) {
                0 => return self.close_page(i),
                1 => {
                    self.peers[i].offline_until = self.now + self.rng.u64(0..15 * SECOND);
                    self.peers[i].is_connected = false;
                    if self.rng.bool() {
                        let socket = self.peers[i].socket;
                        self.later(self.now, Arrival::Closed(i, socket));
                    }
                }
                2 if self.peers[i].skew == 0 => self.peers[i].skew = self.rng.u64(0..LONGEST_SLEEP),
                _ => {
                    let socket = self.peers[i].socket;
                    self.later(self.now, Arrival::Closed(i, socket));
                }
            },
            // The connection is dead and nobody is told.
            _ => self.peers[i].is_connected = false,
        }
        let at = self.now + self.rng.u64(0..3 * SECOND);
        self.later(at, Arrival::Act(i));
    }

    /// The page is gone with all that it had in memory, and is opened again a little later.
    fn close_page(&mut self, i: usize) {
        self.release(i);
        let client = client(i, self.peers[i].page + 1, &mut self.rng);
        let peer = &mut self.peers[i];
        peer.client = client;
        peer.page += 1;
        peer.socket += 1;
        peer.is_connected = false;
        peer.calls.clear();
        peer.first_get = None;
        peer.view = None;
        peer.told.clear();
        peer.watch.clear();
        peer.is_watching = false;
        peer.timeout = None;
        let at = self.now + self.rng.u64(0..5 * SECOND);
        self.later(at, Arrival::Open(i, self.peers[i].page));
        self.later(at + 1, Arrival::Act(i));
    }

    /// Starts to watch, or stops.
    pub(super) fn watch(&mut self, i: usize) {
        let peer = &mut self.peers[i];
        peer.watch.clear();
        if peer.is_watching {
            peer.client.handle_unwatch(1);
            peer.is_watching = false;
            return self.outputs(i);
        }
        peer.is_watching = true;
        peer.watch_call = peer.last_call + 1;
        self.call(i, |client, call, now| client.handle_watch(call, 1, argument(), now));
    }

    pub(super) fn get(&mut self, i: usize) -> CallId {
        let call = self.peers[i].last_call + 1;
        // Registered before the call: it may be answered at once.
        if self.peers[i].view.is_none() && self.peers[i].first_get.is_none() {
            self.peers[i].first_get = Some(call);
        }
        self.call(i, |client, call, now| client.handle_get(call, argument(), None, None, now))
    }
}
