//! The client as a story: one page, a server that is the law and answers at once, and time that passes when a test says
//! so. What many clients do to each other under loss and delay is the simulation's matter.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail"
)]

mod anew;
mod chat;
mod group;
mod hostile;
mod keep;
mod login;
mod memory;
mod merge;
mod outbox;
mod outbox_fails;
mod page;
mod poll;
mod pulls;
mod reads;
mod resume;
mod told;
