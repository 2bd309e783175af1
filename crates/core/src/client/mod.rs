//! The SDK as a state machine without IO.
//!
//! Calls, replies, frames and the time go in through the `handle_…` methods; each may leave [`Output`]s, which the owner
//! takes with [`Client::poll_output`] until there are none, and a deadline, at which it calls [`Client::handle_timeout`].
//!
//! | file | what it decides |
//! |---|---|
//! | `argument` | whether what a call hands in will do |
//! | `session` | login, logout, and the push connection's life |
//! | `connection` | the push connection's states and clocks |
//! | `calls` | which request a call makes, and what its reply answers |
//! | `sync` | when a message is pulled, and who hears of what changed |
//! | `cache` | how pushes, replies and pulls of one message merge |
//! | `chat` | messages as they are sent, listed and received |

mod argument;
mod cache;
mod calls;
mod chat;
mod connection;
mod io;
mod session;
mod sync;

pub use argument::{CONV_C2C, CONV_GROUP, ExtensionArgument, MessageArgument};
pub use cache::Notice;
pub use io::*;

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

use crate::code::{Error, TIMEOUT};
use connection::Connection;
use session::Session;
use sync::Messages;

/// A call settles within this time, milliseconds.
pub const TIME_LIMIT: u64 = 15_000;

/// What is fixed when a client is made.
#[derive(Debug, Clone)]
pub struct Config {
    /// The app.
    pub sdk_app_id: u64,
    /// `deleteMessageExtensions(message, [])` is refused instead of clearing the message.
    pub refuse_empty_key_list: bool,
    /// Real randomness: request ids count up from here.
    pub nonce: u128,
    /// Seeds the jitter.
    pub seed: u64,
}

/// One user's client. Times are milliseconds of one clock that does not go back.
#[derive(Debug)]
pub struct Client {
    config: Config,
    rng: fastrand::Rng,
    session: Session,
    connection: Connection,
    messages: Messages,
    requests: Vec<OpenRequest>,
    last_request: RequestId,
    /// IDs of messages sent from here, which come back as pushes.
    sent: VecDeque<String>,
    outputs: VecDeque<Output>,
}

/// A request whose reply has not come.
#[derive(Debug)]
struct OpenRequest {
    id: RequestId,
    until: u64,
    purpose: calls::Purpose,
}

impl Client {
    /// A client that nobody is logged in to.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            rng: fastrand::Rng::with_seed(config.seed),
            config,
            session: Session::default(),
            connection: Connection::new(),
            messages: Messages::default(),
            requests: Vec::new(),
            last_request: 0,
            sent: VecDeque::new(),
            outputs: VecDeque::new(),
        }
    }

    /// The next thing to do, if any. Call it after every `handle_…` until it gives `None`.
    #[must_use]
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called, if nothing else happens before. Ask after every
    /// `handle_…`.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<u64> {
        let requests = self.requests.iter().map(|r| r.until);
        requests
            .chain(self.messages.deadline())
            .chain(self.connection.deadline())
            .chain(self.session.deadline())
            .min()
    }

    /// The time has come that [`poll_timeout`](Self::poll_timeout) named; calling it early does no harm.
    pub fn handle_timeout(&mut self, now: u64) {
        while let Some(i) = self.requests.iter().position(|r| r.until <= now) {
            let request = self.requests.swap_remove(i);
            self.outputs.push_back(Output::Abort(request.id));
            self.fail(request.purpose, timeout(), now);
        }
        self.session_timeout(now);
        self.sync_timeout(now);
    }

    /// A reply has come, or none will. One to a request that was aborted is ignored.
    pub fn handle_reply(&mut self, id: RequestId, reply: Result<Reply, Failure>, now: u64) {
        let Some(i) = self.requests.iter().position(|r| r.id == id) else { return };
        let request = self.requests.swap_remove(i);
        match calls::accepted(reply) {
            Ok(reply) => self.replied(request.purpose, reply, now),
            Err(error) => {
                self.session_refused(&error);
                self.fail(request.purpose, error, now);
            }
        }
    }

    fn settle(&mut self, call: CallId, result: Result<Answer, Error>) {
        self.outputs.push_back(Output::Settle(call, result));
    }

    fn emit(&mut self, event: Event) {
        self.outputs.push_back(Output::Emit(event));
    }

    fn request(&mut self, path: (&'static str, &'static str), body: Body, purpose: calls::Purpose, now: u64) {
        self.last_request += 1;
        let id = self.last_request;
        let is_write = matches!(body, Body::Set(_));
        let request_id = is_write.then(|| {
            self.config.nonce = self.config.nonce.wrapping_add(1);
            self.config.nonce
        });
        self.requests.push(OpenRequest { id, until: now + TIME_LIMIT, purpose });
        self.outputs.push_back(Output::Request(Request {
            id,
            path,
            random: self.rng.u32(..),
            request_id,
            body,
        }));
    }
}

const fn timeout() -> Error {
    Error::new(TIMEOUT, "no answer within 15 seconds")
}
