//! What crosses the network, named as on the wire. `docs/protocol.md` describes every field and frame.
//!
//! The types are as lenient as the protocol is (fields that depend on one another are optional); [`Address`] and the
//! [`law`](crate::law) decide what is acceptable, so that each refusal is worded in one place.

mod chat;
mod extension;
mod fields;
mod object;
mod push;
mod register;
mod rules;
mod state;

pub use chat::*;
pub use extension::*;
pub use fields::{Json, Read, Sink, Source, Write};
pub use push::*;
pub use register::RegisterRequest;
pub use rules::{ClearBy, KeyOwner, Rules};
pub use state::{MessageState, QueuedItem, QueuedWrite};

use alloc::string::String;
use fields::wire_types;
use serde::{Deserialize, Serialize};

/// `ActionStatus` of a reply.
pub const OK: &str = "OK";
/// `ActionStatus` of a refusal.
pub const FAIL: &str = "FAIL";

wire_types! {
    /// A reply with nothing but its outcome: every refusal, and the answer of commands that return no data. The SDK reads the
    /// outcome of every other reply as this, too.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    pub struct Status {
        /// `OK` or `FAIL`.
        "ActionStatus" => action_status: String,
        /// A sentence; empty when OK.
        #[serde(default)]
        "ErrorInfo" => error_info: String,
        /// 0 when OK, else one of [`crate::code::CODES`].
        "ErrorCode" => error_code: u32,
    }
}

impl Status {
    /// The answer "done".
    #[must_use]
    pub fn ok() -> Self {
        Self { action_status: OK.into(), error_info: String::new(), error_code: 0 }
    }

    /// The answer to a refused request.
    #[must_use]
    pub fn refused(error: &crate::code::Error) -> Self {
        Self {
            action_status: FAIL.into(),
            error_info: error.message.clone().into_owned(),
            error_code: error.code,
        }
    }
}
