//! The SDK's wasm edge: the only place that knows JavaScript.
//!
//! | file | what it does |
//! |---|---|
//! | this one | the methods that the package's entry (`pkg-template/index.js`) calls |
//! | `pump` | hands inputs to the client machine and carries out what it asks for |
//! | `convert` | what JavaScript hands in, and what it is told |
//! | `record` | objects of the page, field by field |
//! | `rest` | REST requests by `fetch` (gloo-net) |
//! | `socket` | the push connection's WebSocket |
//! | `host` | clock and timer |
//!
//! An exported method converts and calls; every decision is made in `message_extensions_core::client`.

#![cfg(target_arch = "wasm32")]

mod convert;
mod host;
mod pump;
mod record;
mod rest;
mod socket;

use js_sys::Function;
use message_extensions_core::client::Config;
use message_extensions_core::wire::Source;
use pump::{Call, Pump};
pub use record::Record;
use wasm_bindgen::prelude::*;

/// A tenth of the code of the default one, which shows in what a page loads.
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

/// Hex digits of `random` with which request ids begin; the rest seeds the jitter.
const NONCE: usize = 24;

/// One client. Every method takes the `resolve(data)` and `reject(code, message)` of the promise that the entry gave.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Edge(Pump);

#[wasm_bindgen]
impl Edge {
    /// `options`: `SDKAppID`, `endpoint`, `refuseEmptyKeyList`, `persists`, `offline`, and as `random` six random 32-bit
    /// numbers in hex. `emit(name, data)` calls the listeners of an event, and does what the machine asks of its owner.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &Record, emit: Function) -> Self {
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
        Self(Pump::new(config, options.text("endpoint").unwrap_or_default(), emit))
    }

    /// `login({userID, userSig})`
    pub fn login(&self, options: &Record, resolve: Function, reject: Function) {
        let (user_id, user_sig) = (options.text("userID"), options.text("userSig"));
        self.0.call(Call::new(resolve, reject), |client, call, now| {
            client.handle_login(call, user_id, user_sig, now)
        });
    }

    /// `logout()`
    pub fn logout(&self, resolve: Function, reject: Function) {
        self.0.call(Call::new(resolve, reject), |client, call, _| client.handle_logout(call));
    }

    /// `destroy()`
    pub fn destroy(&self, resolve: Function, reject: Function) {
        self.0.call(Call::new(resolve, reject), |client, call, _| client.handle_destroy(call));
    }

    /// What was kept for the user who logs in: states of messages, writes made offline.
    pub fn loaded(&self, states: &JsValue, queued: &JsValue) {
        let (states, queued) = (record::read_list(states), record::read_list(queued));
        self.0.turn(|client, now| client.handle_loaded(states, queued, now));
    }

    /// What is to be kept and is not is emitted as `keep`.
    pub fn keep(&self) {
        self.0.turn(|client, _| client.handle_keep());
    }

    /// The write of this call is kept.
    pub fn queued(&self, call: u32) {
        self.0.turn(|client, _| client.handle_queued(call));
    }

    /// No other tab sends the writes that are kept, which are these; resolves when all that can be sent is.
    pub fn drain(&self, writes: &JsValue, resolve: Function, reject: Function) {
        let writes = record::read_list(writes);
        self.0.call(Call::new(resolve, reject), |client, call, now| client.handle_drain(call, writes, now));
    }

    /// The network is back, or the page is looked at again.
    pub fn wake(&self) {
        self.0.turn(message_extensions_core::client::Client::handle_wake);
    }

    /// `setMessageExtensions(message, extensions)`
    pub fn set(&self, message: &Record, extensions: &JsValue, resolve: Function, reject: Function) {
        let (message, extensions) = (convert::message(message), convert::extensions(extensions));
        self.0.call(Call::new(resolve, reject), |client, call, now| {
            client.handle_set(call, message, extensions, now)
        });
    }

    /// `getMessageExtensions(message, keyList?, {source?})`
    pub fn get(
        &self,
        message: &Record,
        key_list: &JsValue,
        source: &JsValue,
        resolve: Function,
        reject: Function,
    ) {
        let (message, source) = (convert::message(message), convert::optional_text(source));
        let keys = convert::optional_list(key_list)
            .map(|list| list.and_then(|list| list.into_iter().collect::<Option<Vec<String>>>()));
        self.0.call(Call::new(resolve, reject), |client, call, now| {
            client.handle_get(call, message, keys, source.as_deref(), now)
        });
    }

    /// `deleteMessageExtensions(message, keyList?)`
    pub fn delete(&self, message: &Record, key_list: &JsValue, resolve: Function, reject: Function) {
        let (message, keys) = (convert::message(message), convert::optional_list(key_list));
        self.0.call(Call::new(resolve, reject), |client, call, now| {
            client.handle_delete(call, message, keys, now)
        });
    }

    /// `mutateMessageExtension(message, key, fn)`: `compute(call, value)` calls `fn` and then [`computed`](Self::computed).
    pub fn mutate(
        &self,
        message: &Record,
        key: &JsValue,
        compute: Function,
        resolve: Function,
        reject: Function,
    ) {
        let (message, key) = (convert::message(message), key.as_string());
        let call = Call { compute: Some(compute), ..Call::new(resolve, reject) };
        self.0.call(call, |client, call, now| client.handle_mutate(call, message, key, now));
    }

    /// What a mutation's `fn` returned: a string, or undefined to delete the key.
    pub fn computed(&self, call: u32, value: &JsValue) {
        let value = convert::optional_text(value);
        self.0.turn(|client, now| client.handle_computed(call, value, now));
    }

    /// `watchMessageExtensions(message, listener)`: views are emitted as `view`. Resolves when the message is up to date.
    pub fn watch(&self, watch: u32, message: &Record, resolve: Function, reject: Function) {
        let message = convert::message(message);
        self.0.call(Call::new(resolve, reject), |client, call, now| {
            client.handle_watch(call, watch, message, now);
        });
    }

    /// The `stop` of a watch.
    pub fn unwatch(&self, watch: u32) {
        self.0.turn(|client, _| client.handle_unwatch(watch));
    }

    /// `sendMessage(message)`
    pub fn send(&self, message: &Record, resolve: Function, reject: Function) {
        let (argument, body) = (convert::message(message), convert::body(message));
        self.0.call(Call::new(resolve, reject), |client, call, now| {
            client.handle_send(call, argument, body, now)
        });
    }

    /// `getMessageList({conversationID, nextReqMessageID?, count?})`
    pub fn list(&self, options: &Record, resolve: Function, reject: Function) {
        let conversation = options.text("conversationID");
        let next = options.text("nextReqMessageID");
        let count = options.number("count");
        self.0.call(Call::new(resolve, reject), |client, call, now| {
            client.handle_list(call, conversation, next, count, now);
        });
    }
}
