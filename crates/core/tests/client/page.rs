//! A page: one client, its owner, and the server that it talks to, which answers at once. The time is what a test makes
//! of it.

mod machinery;
mod outcome;
mod server;
mod shapes;

use std::collections::{BTreeMap, BTreeSet};

use message_extensions_core::client::*;
use message_extensions_core::code::{Error, NO_SUCH_MESSAGE};
use message_extensions_core::law::{Change, ChangeKind, Message, Operation, Terms, Writer};
use message_extensions_core::limits::Limits;
use message_extensions_core::message::MessageRef;
use message_extensions_core::serve::frames::is_as_named;
use message_extensions_core::wire::{
    self, ClientFrame, Extension, ItemReply, MessageState, OK, PullReply, PullRequest, QueuedWrite,
    ServerFrame, SetReply, SetRequest, command,
};

pub(crate) use shapes::*;

pub(crate) const SECOND: u64 = 1000;
pub(crate) const MINUTE: u64 = 60 * SECOND;
/// Far more than anything here does at one moment.
const MOST_TURNS: u32 = 20_000;

pub(crate) type Map = BTreeMap<String, String>;

/// What of the server can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Network {
    Whole,
    /// Requests are answered, sockets do not open.
    WithoutPush,
    Down,
    /// What is sent is never heard of again.
    Silent,
}

/// A page with everything around it. Fields say what the server does, and hold what the client has done.
pub(crate) struct Page {
    pub(crate) client: Client,
    config: Config,
    pub(crate) now: u64,

    pub(crate) network: Network,
    /// Requests wait in `held` until they are answered by hand.
    pub(crate) holds: bool,
    pub(crate) held: Vec<Request>,
    /// Pushes get lost.
    pub(crate) loses_pushes: bool,
    /// A resume is answered by hand.
    pub(crate) holds_resume: bool,
    /// Every request is refused with this code.
    pub(crate) refuses: Option<u32>,
    /// Something that is no server of this protocol answers.
    pub(crate) is_captive: bool,
    pub(crate) messages: BTreeMap<MessageRef, Message>,
    /// Messages that the user may not see.
    pub(crate) hidden: BTreeSet<MessageRef>,
    /// Answers by request id.
    answers: BTreeMap<String, Reply>,
    is_open: bool,
    is_live: bool,

    /// The owner answers what it is asked for.
    pub(crate) owns: bool,
    pub(crate) kept: BTreeMap<MessageRef, MessageState>,
    pub(crate) queued: Vec<QueuedWrite>,
    orders: u64,

    pub(crate) requests: Vec<Request>,
    pub(crate) frames: Vec<ClientFrame>,
    pub(crate) events: Vec<Event>,
    pub(crate) computes: Vec<(CallId, Option<String>)>,
    pub(crate) aborts: Vec<RequestId>,
    settled: BTreeMap<CallId, Result<Answer, Error>>,
    pub(crate) last_call: CallId,
    views: BTreeMap<WatchId, (BTreeMap<String, EntryView>, bool)>,
    last_watch: WatchId,
    work: Vec<Work>,
}

enum Work {
    Reply(RequestId, Result<Reply, Failure>),
    SocketOpen,
    Closed,
    Frame(ServerFrame),
    Load,
    Queue(CallId, QueuedWrite),
    Drain,
}

pub(crate) fn config() -> Config {
    Config {
        sdk_app_id: 1,
        refuse_empty_key_list: false,
        nonce: "0123456789abcdef01234567".into(),
        seed: 7,
        persists: false,
        offline: false,
    }
}

pub(crate) fn persists() -> Config {
    Config { persists: true, ..config() }
}

pub(crate) fn offline() -> Config {
    Config { persists: true, offline: true, ..config() }
}

impl Page {
    /// Nobody is logged in.
    pub(crate) fn new(config: Config) -> Self {
        Self {
            client: Client::new(config.clone()),
            config,
            now: 1_000_000,
            network: Network::Whole,
            holds: false,
            held: Vec::new(),
            loses_pushes: false,
            holds_resume: false,
            refuses: None,
            is_captive: false,
            messages: BTreeMap::new(),
            hidden: BTreeSet::new(),
            answers: BTreeMap::new(),
            is_open: false,
            is_live: false,
            owns: true,
            kept: BTreeMap::new(),
            queued: Vec::new(),
            orders: 0,
            requests: Vec::new(),
            frames: Vec::new(),
            events: Vec::new(),
            computes: Vec::new(),
            aborts: Vec::new(),
            settled: BTreeMap::new(),
            last_call: 0,
            views: BTreeMap::new(),
            last_watch: 0,
            work: Vec::new(),
        }
    }

    /// Logged in, with a push connection.
    pub(crate) fn live(config: Config) -> Self {
        let mut page = Self::new(config);
        page.login();
        page
    }

    /// Logged in at an endpoint without push.
    pub(crate) fn polling(config: Config) -> Self {
        let mut page = Self::new(config);
        page.network = Network::WithoutPush;
        page.login();
        page
    }

    /// The page is closed and opened again: what was kept stays, nobody is logged in.
    pub(crate) fn reload(&mut self) {
        // A nonce of its own, as if made of real randomness.
        self.config.nonce = format!("{:024x}", self.now);
        self.client = Client::new(self.config.clone());
        (self.is_open, self.is_live) = (false, false);
        self.work.clear();
        self.held.clear();
        self.forget_history();
        self.views.clear();
    }

    /// What was done so far is not looked at any more.
    pub(crate) fn forget_history(&mut self) {
        self.requests.clear();
        self.frames.clear();
        self.events.clear();
        self.aborts.clear();
    }

    // What the user does.

    pub(crate) fn login(&mut self) -> CallId {
        self.call(|client, call, now| client.handle_login(call, Some("ann".into()), Some("sig".into()), now))
    }

    pub(crate) fn logout(&mut self) -> CallId {
        self.call(|client, call, _| client.handle_logout(call))
    }

    pub(crate) fn set(&mut self, n: u64, key: &str, value: &str) -> CallId {
        let items = Some(vec![(Some(key.into()), Some(value.into()))]);
        self.call(|client, call, now| client.handle_set(call, argument(n), items, now))
    }

    pub(crate) fn delete(&mut self, n: u64, key: &str) -> CallId {
        let keys = Some(Some(vec![Some(key.into())]));
        self.call(|client, call, now| client.handle_delete(call, argument(n), keys, now))
    }

    pub(crate) fn clear(&mut self, n: u64) -> CallId {
        self.call(|client, call, now| client.handle_delete(call, argument(n), None, now))
    }

    pub(crate) fn mutate(&mut self, n: u64, key: &str) -> CallId {
        self.call(|client, call, now| client.handle_mutate(call, argument(n), Some(key.into()), now))
    }

    pub(crate) fn get(&mut self, n: u64) -> CallId {
        self.get_from(n, None, None)
    }

    pub(crate) fn get_from(&mut self, n: u64, keys: Option<&[&str]>, source: Option<&str>) -> CallId {
        let keys = keys.map(|keys| Some(keys.iter().map(|key| (*key).into()).collect()));
        self.call(|client, call, now| client.handle_get(call, argument(n), keys, source, now))
    }

    /// Its call, and its name.
    pub(crate) fn watch(&mut self, n: u64) -> (CallId, WatchId) {
        self.last_watch += 1;
        let watch = self.last_watch;
        (self.call(|client, call, now| client.handle_watch(call, watch, argument(n), now)), watch)
    }

    pub(crate) fn unwatch(&mut self, watch: WatchId) {
        self.client.handle_unwatch(watch);
        self.run();
    }

    pub(crate) fn call(&mut self, input: impl FnOnce(&mut Client, CallId, u64)) -> CallId {
        self.last_call += 1;
        let call = self.last_call;
        input(&mut self.client, call, self.now);
        self.run();
        call
    }

    // The network.

    /// The network is gone, and the page knows.
    pub(crate) fn go_down(&mut self) {
        self.network = Network::Down;
        self.close_socket();
    }

    pub(crate) fn close_socket(&mut self) {
        (self.is_open, self.is_live) = (false, false);
        self.client.handle_socket_closed(1006, self.now);
        self.run();
    }

    /// The network is back, and the page knows.
    pub(crate) fn go_up(&mut self) {
        self.network = Network::Whole;
        self.client.handle_wake(self.now);
        self.run();
    }

    pub(crate) fn frame(&mut self, frame: ServerFrame) {
        self.client.handle_frame(Some(frame), self.now);
        self.run();
    }

    /// Answers the requests that are held.
    pub(crate) fn release(&mut self) {
        self.holds = false;
        for request in std::mem::take(&mut self.held) {
            let reply = self.answer(&request);
            self.work.push(Work::Reply(request.id, reply));
        }
        self.run();
    }

    /// Answers a request by hand.
    pub(crate) fn reply(&mut self, id: RequestId, reply: Result<Reply, Failure>) {
        self.client.handle_reply(id, reply.map(Reply::with_status), self.now);
        self.run();
    }

    /// Lets time pass.
    pub(crate) fn pass(&mut self, time: u64) {
        let until = self.now + time;
        let mut turns = 0;
        while let Some(at) = self.client.poll_timeout().filter(|at| *at <= until) {
            turns = if at > self.now { 0 } else { turns + 1 };
            assert!(turns < MOST_TURNS, "the time stands still");
            self.now = self.now.max(at);
            self.client.handle_timeout(self.now);
            self.run();
        }
        self.now = until;
    }
}
