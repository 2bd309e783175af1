//! `message-extensions/testing`: the law as a server inside a page, for an app's own tests without a network.
//!
//! | module | what it does |
//! |---|---|
//! | [`Server`] | what it holds, and who may see it |
//! | [`Input`], [`Output`] | what goes in and comes out, as JSON from and to `pkg-template/testing-server.js` |
//! | `calls` | REST: who calls, which command |
//! | `extensions` | set, delete, clear, pull |
//! | `messages` | sending and listing |
//! | `groups` | groups and their members |
//! | `push` | push connections: login, events, resume |
//! | [`fault`] | what a test has the server do wrong |
//! | `edge` | the one class that JavaScript sees |
//!
//! It is a machine without IO: inputs and the time go in, answers and frames come out. Every rule is `core`'s: its `law` decides, its `serve`
//! checks and words, as for the real server (`crates/server`); `tests/testing-parity.test.js` holds the two against each other.

mod calls;
mod extensions;
pub mod fault;
mod groups;
mod io;
mod messages;
mod push;
mod server;

#[cfg(target_arch = "wasm32")]
mod edge;

pub use io::{Call, Input, Output};
pub use server::{ADMIN, Server, Settings};
