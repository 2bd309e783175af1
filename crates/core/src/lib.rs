//! The part of message-extensions that does no IO: the protocol, the law, and the client as a state machine.
//!
//! | module | what it holds |
//! |---|---|
//! | [`code`] | the one list of error codes |
//! | [`digest`] | the digest of a message's state |
//! | [`limits`] | the law's limits |
//! | [`list`] | lists with little code |
//! | [`message`] | how a message is named |
//! | [`text`] | text made of parts |
//! | [`wire`] | what crosses the network, and what a browser keeps |
//! | [`change`] | what one accepted operation does |
//! | [`law`] | what a message holds and what each operation does to it; the server and the tests run this |
//! | [`serve`] | what a server does with a call besides; feature `serve` |
//! | [`client`] | the SDK without IO: inputs and the time go in, requests, events and answers come out |
//! | [`usersig`] | UserSig (TLSSigAPIv2), minted and checked |
//!
//! `client` and `law` meet only in `wire`, `change`, `digest` and `message`. Nothing here knows a clock, a socket, a file or JavaScript.

#![no_std]
extern crate alloc;
#[cfg(any(test, feature = "usersig"))]
extern crate std;

pub mod change;
pub mod client;
pub mod code;
pub mod digest;
pub mod law;
pub mod limits;
pub mod list;
pub mod message;
#[cfg(feature = "serve")]
pub mod serve;
pub mod text;
#[cfg(feature = "usersig")]
pub mod usersig;
pub mod wire;
