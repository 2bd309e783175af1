//! The server from outside: over real sockets, as real processes, and its stores against one contract.

// Clippy's leave for tests does not reach the helpers that tests share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod archive;
mod backup;
mod bad_requests;
mod chat;
mod client;
mod digests;
mod extensions;
mod faulty;
mod flawed_store;
mod full_disk;
mod http;
mod membership;
mod nodes;
mod operating;
mod permissions;
mod process;
mod proxy;
mod push;
mod redis_faults;
mod redis_process;
mod redis_servers;
mod register;
mod remembered_members;
mod resume;
mod retention;
mod rules;
mod settings;
mod soak;
mod socket;
mod storage;
mod store_contract;
mod webhook_receiver;
mod webhooks;
mod webhooks_process;
