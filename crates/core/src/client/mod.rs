//! The SDK as a state machine without IO.
//!
//! Calls, replies, frames and the time go in through the `handle_…` methods; each may leave [`Output`]s, which the owner
//! takes with [`Client::poll_output`] until there are none, and a deadline, at which it calls [`Client::handle_timeout`].
//!
//! | file | what it decides |
//! |---|---|
//! | `io` | nothing: what goes in and what comes out |
//! | `argument` | whether what a call hands in will do |
//! | `session` | login, logout, and the push connection's life |
//! | `connection` | the push connection's states and clocks |
//! | `calls` | which request a call makes, and what its reply answers |
//! | `write` | with which Seq writes go out, and what their replies say |
//! | `mutate` | read, compute, compare-and-set, again on a conflict |
//! | `retry` | which failed requests are sent again, and when |
//! | `watch` | what those who watch a message are shown |
//! | `window` | how many writes of one message are on their way |
//! | `messages` | which messages are kept |
//! | `outbox` | writes made offline: kept, sent later, exactly once |
//! | `sync` | when a message is pulled, and who hears of what changed |
//! | `resume` | how a connection that comes back brings all of them up to date |
//! | `pages` | the pages of one pull |
//! | `cache` | how pushes, replies and pulls of one message merge |
//! | `chat` | messages as they are sent, listed and received |

mod argument;
mod cache;
mod calls;
mod chat;
mod connection;
mod io;
mod messages;
mod mutate;
mod outbox;
mod pages;
mod resume;
mod retry;
mod session;
mod sync;
mod watch;
mod window;
mod write;

pub use argument::{CONV_C2C, CONV_GROUP, ExtensionArgument, MessageArgument};
pub use cache::{Listing, Notice};
pub use io::*;
pub use outbox::Conflict;
pub use watch::{EntryStatus, EntryView, View, WatchId};

use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;

use crate::code::{Error, SIGNATURE_EXPIRED, SIGNATURE_OF_ANOTHER_APP, TIMEOUT};
use crate::list::{Queue, take};
use crate::wire::Status;
use connection::Connection;
use messages::Messages;
use mutate::Mutation;
use outbox::Outbox;
use session::Session;

/// A call settles within this time, milliseconds.
pub const TIME_LIMIT: u64 = 15_000;

/// What is fixed when a client is made.
#[derive(Debug, Clone)]
pub struct Config {
    /// The app.
    pub sdk_app_id: u64,
    /// `deleteMessageExtensions(message, [])` is refused instead of clearing the message.
    pub refuse_empty_key_list: bool,
    /// 24 hex digits of real randomness, with which request ids begin.
    pub nonce: String,
    /// Seeds the jitter.
    pub seed: u64,
    /// The owner keeps what was read, see [`Event::Load`] and [`Event::Stale`].
    pub persists: bool,
    /// Writes made offline wait for the network instead of being refused.
    pub offline: bool,
}

/// One user's client. Times are milliseconds of one clock that does not go back.
#[derive(Debug)]
pub struct Client {
    config: Config,
    rng: fastrand::Rng,
    session: Session,
    connection: Connection,
    messages: Messages,
    outbox: Outbox,
    requests: Vec<OpenRequest>,
    mutations: Vec<Mutation>,
    last_request: RequestId,
    last_write: u32,
    /// IDs of messages that were sent from here, or pushed: each is told once.
    known: Vec<String>,
    outputs: Queue<Output>,
}

/// A request whose reply has not come, or that will be sent again.
#[derive(Debug)]
struct OpenRequest {
    /// As it was sent last. A retry has another `id`, so that a late reply to the attempt before is not taken for its
    /// own, but the same `request_id`: whichever attempt the server saw first, it answers all of them alike.
    request: Request,
    purpose: calls::Purpose,
    /// When the attempt is given up, or sent again if it is `waiting`.
    until: u64,
    /// Why the last attempt failed, while the next one waits.
    waiting: Option<Error>,
    attempts: u32,
    /// When the whole of it is given up.
    give_up: u64,
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
            outbox: Outbox::default(),
            requests: Vec::new(),
            mutations: Vec::new(),
            last_request: 0,
            last_write: 0,
            known: Vec::new(),
            outputs: Queue::new(),
        }
    }

    /// The next thing to do, if any. Call it after every `handle_…` until it gives `None`.
    #[must_use]
    pub fn poll_output(&mut self) -> Option<Output> {
        if self.outputs.is_empty() {
            // The turn is over.
            self.tell_views();
            self.tell_stale();
        }
        loop {
            match self.outputs.pop() {
                // Nobody is left who watched.
                Some(Output::Emit(Event::View(view))) if view.watches.is_empty() => {}
                next => return next,
            }
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called, if nothing else happens before. Ask after every
    /// `handle_…`.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<u64> {
        let mut soonest = self.messages.deadline(u64::MAX);
        for request in &self.requests {
            soonest = soonest.min(request.until);
        }
        for mutation in &self.mutations {
            soonest = soonest.min(mutation.deadline().unwrap_or(u64::MAX));
        }
        for at in [self.connection.deadline(), self.session.deadline(), self.outbox.deadline()] {
            soonest = soonest.min(at.unwrap_or(u64::MAX));
        }
        (soonest != u64::MAX).then_some(soonest)
    }

    /// The time has come that [`poll_timeout`](Self::poll_timeout) named; calling it early does no harm.
    pub fn handle_timeout(&mut self, now: u64) {
        self.retry_timeout(now);
        self.mutation_timeout(now);
        self.session_timeout(now);
        self.sync_timeout(now);
        self.outbox_timeout(now);
    }

    /// A reply has come, or none will. One to a request that was aborted is ignored.
    pub fn handle_reply(&mut self, id: RequestId, reply: Result<(Status, Reply), Failure>, now: u64) {
        let Some(i) = self.requests.iter().position(|r| r.request.id == id && r.waiting.is_none()) else {
            return;
        };
        let request = self.requests.swap_remove(i);
        let was_reachable = self.session.is_reachable;
        self.session.is_reachable = reply.is_ok();
        if !was_reachable && self.session.is_reachable {
            self.drain_soon(now);
        }
        let accepted = match &reply {
            Ok((status, reply)) => calls::accepted(status).map(|()| reply),
            Err(failure) => Err(calls::failed(*failure)),
        };
        match accepted {
            Ok(reply) => self.replied(request.purpose, reply, now),
            Err(error) if (SIGNATURE_EXPIRED..=SIGNATURE_OF_ANOTHER_APP).contains(&error.code) => {
                // Who waits for it is told with all the others.
                self.requests.push(request);
                self.refused(error);
            }
            Err(error) => self.retry(request, error, now),
        }
    }

    fn settle(&mut self, call: CallId, result: Result<Answer, Error>) {
        take(&mut self.mutations, |mutation| mutation.call == call);
        self.outputs.push(Output::Settle(call, result));
    }

    fn emit(&mut self, event: Event) {
        self.outputs.push(Output::Emit(event));
    }

    fn request(&mut self, path: (&'static str, &'static str), body: Body, purpose: calls::Purpose, now: u64) {
        let request =
            Request { id: 0, path, random: self.rng.u32(..), request_id: None, body: Rc::new(body) };
        self.attempt(request, purpose, 0, now + TIME_LIMIT, now);
    }

    /// A `requestid` that nothing else has.
    fn new_request_id(&mut self) -> String {
        self.last_write += 1;
        let mut id = self.config.nonce.clone();
        for i in (0..8).rev() {
            id.extend(char::from_digit(self.last_write >> (4 * i) & 15, 16));
        }
        id
    }
}

/// A random time up to a bound of seconds, milliseconds.
fn jitter(rng: &mut fastrand::Rng, bound: u64) -> u64 {
    u64::from(rng.u32(..)) % (bound + 1)
}

const fn timeout() -> Error {
    Error::new(TIMEOUT, "no answer within 15 seconds")
}
