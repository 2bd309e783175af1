//! What goes in and what comes out.

use std::collections::BTreeMap;

use message_extensions_core::wire::Status;
use serde::{Deserialize, Serialize};

use crate::fault::{Fault, Rival};

/// What happens to the server.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "what", rename_all = "camelCase")]
pub enum Input {
    /// Somebody calls.
    Call(Call),
    /// A push connection is open.
    Open {
        /// Its number, never used again.
        connection: u32,
    },
    /// It says something.
    Frame {
        /// Its number.
        connection: u32,
        /// One frame.
        text: String,
    },
    /// It is closed.
    Close {
        /// Its number.
        connection: u32,
    },
    /// From here on something goes wrong.
    Fault(Fault),
    /// Before the next write of a message somebody else writes to it.
    Rival(Rival),
    /// Nothing goes wrong any more.
    Heal,
}

/// One call of the REST API; the URL is taken apart already.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Call {
    /// `/v4/{service}/…`
    pub service: String,
    /// `/v4/…/{command}`
    pub command: String,
    /// Who calls.
    pub identifier: String,
    /// Their signature; any is good that is not empty.
    pub usersig: String,
    /// `requestid`.
    pub request_id: Option<String>,
    /// JSON.
    pub body: String,
    /// It is the test itself, which nothing refuses and no frequency limits.
    pub is_test: bool,
}

/// What the server does about it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    /// The answer to a call, JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// The answer never arrives.
    pub is_lost: bool,
    /// Frames for connections, in order.
    pub frames: Vec<(u32, String)>,
    /// Connections that the server closes, with their codes.
    pub closed: Vec<(u32, u16)>,
    /// Events by connection, until they are gathered into frames.
    #[serde(skip)]
    pub(crate) events: BTreeMap<u32, Vec<String>>,
}

impl Output {
    /// The answer to a call that did not go well.
    pub(crate) fn refused(error: &message_extensions_core::code::Error) -> String {
        serde_json::to_string(&Status::refused(error)).unwrap_or_default()
    }
}
