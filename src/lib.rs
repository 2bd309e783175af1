//! The SDK's wasm edge: the only place that knows JavaScript.
//!
//! | file | what it does |
//! |---|---|
//! | this one | what the package's entries (`pkg-template/client.js`) call |
//! | `pump` | hands inputs to the client machine and carries out what it asks for |
//! | `convert` | what JavaScript hands in, and what it is told |
//! | `mirror` | the strings of what was read last, as JavaScript has them |
//! | `record` | objects of the page, field by field |
//! | `rest` | REST requests by `fetch` (gloo-net) |
//! | `socket` | the push connection's WebSocket |
//! | `host` | clock and timer |
//! | `what` | what the entry may tell |
//!
//! What is called converts and calls on; every decision is made in `message_extensions_core::client`.

#![cfg(target_arch = "wasm32")]

mod convert;
mod host;
mod mirror;
mod pump;
mod record;
mod rest;
mod socket;
mod what;

use js_sys::Function;
use message_extensions_core::client::{Client, Config};
use message_extensions_core::wire::Source;
use pump::Pump;
pub use record::Record;
use record::read_list;
use wasm_bindgen::prelude::*;
pub use what::What;

/// A tenth of the code of the default one, which shows in what a page loads.
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

/// Hex digits of `random` with which request ids begin; the rest seeds the jitter.
const NONCE: usize = 24;

/// One client.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Edge(Pump);

#[wasm_bindgen]
impl Edge {
    /// `options`: `SDKAppID`, `endpoint`, `refuseEmptyKeyList`, `persists`, `offline`, and as `random` six random 32-bit
    /// numbers in hex. `told(what, data)` calls the listeners of an event, and does what the machine asks of its owner;
    /// of calls it hears `("done", call, data)`, `("failed", call, {code, message})`, and `("compute", call, value)`,
    /// to which it answers with [`tell`](Self::tell)`("computed", …)`. Reads end with `("read", call, pairs)`, where `pairs`
    /// is what it has returned to `("listing", text)`, now or before: it hands out copies.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &Record, told: Function) -> Self {
        let is = |name| options.property(name).is_some_and(|value| value.is_truthy());
        let mut nonce = options.text("random").unwrap_or_default();
        let seed = nonce.split_off(nonce.len().min(NONCE));
        let config = Config {
            sdk_app_id: options.number("SDKAppID").unwrap_or_default() as u64,
            refuse_empty_key_list: is("refuseEmptyKeyList"),
            nonce,
            seed: seed.bytes().fold(0, |seed, digit| seed << 4 ^ u64::from(digit)),
            persists: is("persists"),
            offline: is("offline"),
        };
        Self(Pump::new(config, options.text("endpoint").unwrap_or_default(), told))
    }

    /// Tells the machine something; to a call, whose number `id` is, `told` hears the answer. One function for all of it,
    /// since each that is exported weighs as much as what it does.
    pub fn tell(&self, what: What, id: u32, a: &Record, b: &JsValue, c: &JsValue) {
        // What is handed in is read before the machine is borrowed: a getter may call back in.
        match what {
            What::Login => {
                let (user_id, user_sig) = (a.text("userID"), a.text("userSig"));
                self.0.input(|client, now| client.handle_login(id, user_id, user_sig, now));
            }
            What::Logout => self.0.input(|client, _| client.handle_logout(id)),
            What::Destroy => self.0.input(|client, _| client.handle_destroy(id)),
            What::Set => {
                let (message, extensions) = (convert::message(a), convert::extensions(b));
                self.0.input(|client, now| client.handle_set(id, message, extensions, now));
            }
            What::Get => {
                let (message, keys) = (convert::message(a), convert::optional_list(b));
                let keys = keys.map(|list| list.and_then(|list| list.into_iter().collect::<Option<_>>()));
                let source = convert::optional_text(c);
                self.0.input(|client, now| client.handle_get(id, message, keys, source.as_deref(), now));
            }
            What::Delete => {
                let (message, keys) = (convert::message(a), convert::optional_list(b));
                self.0.input(|client, now| client.handle_delete(id, message, keys, now));
            }
            What::Mutate => {
                let (message, key) = (convert::message(a), b.as_string());
                self.0.input(|client, now| client.handle_mutate(id, message, key, now));
            }
            What::Computed => {
                let value = convert::optional_text(a);
                self.0.input(|client, now| client.handle_computed(id, value, now));
            }
            What::Watch => {
                let (message, watch) = (convert::message(a), b.as_f64().unwrap_or_default() as u32);
                self.0.input(|client, now| client.handle_watch(id, watch, message, now));
            }
            What::Unwatch => self.0.input(|client, _| client.handle_unwatch(id)),
            What::Send => {
                let (message, body, rules) = (convert::message(a), convert::body(a), convert::rules(a));
                self.0.input(|client, now| client.handle_send(id, message, body, rules, now));
            }
            What::List => {
                let (conversation, next) = (a.text("conversationID"), a.text("nextReqMessageID"));
                let count = a.number("count");
                self.0.input(|client, now| client.handle_list(id, conversation, next, count, now));
            }
            What::Loaded => {
                let (states, writes) = (read_list(a), read_list(b));
                self.0.input(|client, now| client.handle_loaded(states, writes, now));
            }
            What::Keep => self.0.input(|client, _| client.handle_keep()),
            What::Queued => self.0.input(|client, _| client.handle_queued(id)),
            What::Drain => {
                let writes = read_list(a);
                self.0.input(|client, now| client.handle_drain(id, writes, now));
            }
            _ => self.0.input(Client::handle_wake),
        }
        self.0.end_turn();
    }
}
