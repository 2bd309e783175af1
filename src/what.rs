//! What the entry may tell the machine: strings there, numbers here, the list of both made by wasm-bindgen.

#![allow(missing_docs, reason = "of what the macro adds")]

use wasm_bindgen::prelude::*;

/// What the entry tells the machine, with what is handed in. Calls are settled, the others are not.
#[wasm_bindgen]
#[derive(Debug, Clone, Copy)]
pub enum What {
    /// A call: `({userID, userSig})`.
    Login = "login",
    /// A call.
    Logout = "logout",
    /// A call.
    Destroy = "destroy",
    /// A call: `(message, extensions)`.
    Set = "set",
    /// A call: `(message, keyList, source)`.
    Get = "get",
    /// A call: `(message, keyList)`.
    Delete = "delete",
    /// A call: `(message, key)`.
    Mutate = "mutate",
    /// `(value)`: what the function of the mutation with this `id` returned, a string, or undefined to delete the key.
    Computed = "computed",
    /// A call: `(message, watch)`. Views are told as `view`; the answer comes when the message is up to date.
    Watch = "watch",
    /// Nobody listens any more to the watch that `id` names.
    Unwatch = "unwatch",
    /// A call: `(message)`.
    Send = "send",
    /// A call: `({conversationID, nextReqMessageID?, count?})`.
    List = "list",
    /// `(states, writes)`: what was kept for the user who logs in.
    Loaded = "loaded",
    /// What is to be kept and is not is told as `keep`.
    Keep = "keep",
    /// The write of the call with this `id` is kept.
    Queued = "queued",
    /// A call: `(writes)`. No other tab sends the writes that are kept, which are these; it is settled when all that can be
    /// is sent.
    Drain = "drain",
    /// The network is back, or the page is looked at again.
    Wake = "wake",
}
