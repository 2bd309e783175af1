//! What a server does with a call before and after the law, whatever it keeps things in: the real one (`crates/server`) and
//! the one of an app's own tests (`crates/testing`). So that both check the same, in the same words.
//!
//! | module | what it holds |
//! |---|---|
//! | [`body`] | from a body to a request, from a text to a frame |
//! | [`command`] | which URL is which command |
//! | [`frames`] | what is sent on the push connection |
//! | [`names`] | what users, groups and messages may be called |
//! | [`refusal`] | errors with a fixed text |
//! | [`sending`] | what a message must be, and how it is told and listed |

pub mod body;
pub mod command;
pub mod frames;
pub mod names;
pub mod refusal;
pub mod sending;

/// How many answers of one caller on one message are remembered, by request id.
pub const REMEMBERED_ANSWERS: u64 = 8;
