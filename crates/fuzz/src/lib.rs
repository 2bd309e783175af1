//! What must hold whatever comes in over the network. Each module is a target: its `check` takes bytes and panics when
//! something does not hold.
//!
//! | module | what is read | as |
//! |---|---|---|
//! | [`body`] | the body of any command | one byte that says which, then the body |
//! | [`law`] | operations on one message | a few bytes each |
//! | [`rest`] | calls of a whole server | a line each |
//! | [`usersig`] | a signature | as it is, or as changes to a good one |
//! | [`push`] | frames from a client | a line each |
//! | [`client`] | replies and frames from a server, as the SDK reads them | a line each |
//!
//! `cargo xtask soak fuzz` has libFuzzer look for bytes that break something (`src/bin/`), the corpus in `corpus/` is run by
//! `cargo test`. A crash that libFuzzer found becomes a test by being copied there. To take over what covers more, from what was
//! gathered in `target/fuzz/`: the target's program with `-set_cover_merge=1 -use_counters=0`; keep a few dozen files.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "panicking is how a check says that something does not hold"
)]

pub mod body;
pub mod client;
pub mod law;
pub mod push;
pub mod rest;
mod service;
pub mod usersig;

use message_extensions_core::code::{CODES, Scope};

/// A target.
pub type Check = fn(&[u8]);

/// Every target by name; its program is `fuzz-{name}`, its corpus `corpus/{name}/`.
pub const TARGETS: [(&str, Check); 6] = [
    ("body", body::check),
    ("law", law::check),
    ("rest", rest::check),
    ("usersig", usersig::check),
    ("push", push::check),
    ("client", client::check),
];

/// Longest text of a refusal, bytes: an answer must not grow with the request.
const REFUSAL_BYTES: usize = 500;

/// A refusal has a code of the list, and a text of reasonable length.
fn check_refusal(code: u64, text: &str) {
    let is_of = |info: &&message_extensions_core::code::CodeInfo| {
        u64::from(info.code) == code && info.scope == Scope::Request
    };
    assert!(CODES.iter().any(|info| is_of(&info)), "{code} is not a code of requests: {text}");
    assert!(!text.is_empty() && text.len() <= REFUSAL_BYTES, "{code}: {text}");
}
