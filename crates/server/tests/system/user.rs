//! What the users do.

use std::time::Duration;

use message_extensions_core::client::MessageArgument;

use crate::history::GROUP;
use crate::page::{Input, Page};
use crate::world::{MESSAGE_ID, TROUBLE, now_ms};

const SECOND: u64 = 1000;

fn argument() -> Option<MessageArgument> {
    Some(MessageArgument {
        id: Some(MESSAGE_ID.into()),
        conversation_type: Some("GROUP".into()),
        to: Some(GROUP.into()),
        status: Some("success".into()),
        is_support_extension: true,
        sequence: Some(1.0),
        ..MessageArgument::default()
    })
}

impl Page {
    /// What a user does, and what befalls their machine.
    pub(crate) fn act(&mut self) {
        if now_ms() > TROUBLE {
            return;
        }
        let choice = self.common.any(0..20);
        let key = Some(format!("k{}", self.common.any(0..6)));
        match choice {
            0..=7 => self.set(key),
            8..=10 => {
                let keys = Some(Some(vec![key]));
                self.call(|client, call, now| client.handle_delete(call, argument(), keys, now));
            }
            11 => self.call(|client, call, now| client.handle_delete(call, argument(), None, now)),
            12..=14 => self.get(),
            15 if self.is_watching => {
                self.is_watching = false;
                self.client.handle_unwatch(1);
                self.watch.clear();
            }
            15 => self.watch(),
            16..=17 => {
                let key = Some("count".into());
                self.call(|client, call, now| client.handle_mutate(call, argument(), key, now));
            }
            18 => {
                let ms = self.common.any(0..10 * SECOND);
                let sleeps = self.common.any(0..4);
                match sleeps {
                    0 => self.freeze(ms),
                    // It wakes, and its clock says how long it slept.
                    1 if self.skew == 0 => self.skew = 60 * ms,
                    _ => {}
                }
            }
            _ if self.common.any(0..4) == 0 => self.break_socket(),
            _ => {}
        }
        let after = self.common.any(0..self.common.pace);
        self.later(Duration::from_millis(after), Input::Act);
    }

    fn set(&mut self, key: Option<String>) {
        let value = {
            let mut promises = self.common.promises();
            promises.values += 1;
            promises.values.to_string()
        };
        self.set_values.insert(self.last_call + 1, value.clone());
        let items = Some(vec![(key, Some(value))]);
        self.call(|client, call, now| client.handle_set(call, argument(), items, now));
    }

    fn watch(&mut self) {
        self.watch.clear();
        self.is_watching = true;
        self.watch_call = self.last_call + 1;
        self.call(|client, call, now| client.handle_watch(call, 1, argument(), now));
    }

    fn get(&mut self) {
        // Registered before the call: it may be answered at once.
        if self.view.is_none() && self.first_get.is_none() {
            self.first_get = Some(self.last_call + 1);
        }
        self.call(|client, call, now| client.handle_get(call, argument(), None, None, now));
    }

    /// Looks at the message, and reads it.
    pub(crate) fn look(&mut self) {
        if !self.is_watching {
            self.watch();
        }
        // Of a group that was left nothing is told; whoever is in it again begins anew.
        if self.common.history().joined_after(&self.name(), self.viewed_at) {
            self.view = None;
        }
        if self.view.is_none() && self.first_get.is_none() {
            self.get();
        }
        // Live and at rest, a read asks nobody: what it says is the cache.
        self.read = None;
        self.read_call = self.last_call + 1;
        self.call(|client, call, now| client.handle_get(call, argument(), None, None, now));
        if self.calls.contains_key(&self.read_call) {
            self.read_call = 0;
        }
    }
}
