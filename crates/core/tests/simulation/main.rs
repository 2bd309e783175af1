//! Clients against the law, on virtual time, under delay, loss, doubled requests, connections that break, networks that
//! are gone for a while, pages that are closed and opened again, tabs of one user that share what is kept, servers that
//! restart, servers that lose what they have acknowledged, machines that sleep. Each run is made from its seed alone: `SIMULATION_SEED=n` runs one, `SIMULATION_SEEDS=n`
//! the first n.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail"
)]

mod claims;
mod server;
mod store;
mod user;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};

use fastrand::Rng;
use message_extensions_core::change::{Change, ChangeKind};
use message_extensions_core::client::*;
use message_extensions_core::code::{Error, NOT_READY, SEQ_CONFLICT};
use message_extensions_core::law::{Message, Operation, Terms, Writer};
use message_extensions_core::limits::Limits;
use message_extensions_core::message::MessageRef;
use message_extensions_core::serve::frames::is_as_named;
use message_extensions_core::wire::{self, MessageState, QueuedWrite, ServerFrame, SetRequest};

const SECOND: u64 = 1000;
/// Calls and faults happen until then; after it the network is whole, and everything must come to rest.
const TROUBLE: u64 = 60 * SECOND;
const REST: u64 = 240 * SECOND;
const LONGEST_SLEEP: u64 = 600 * SECOND;

use store::{Kept, Store};

type Map = BTreeMap<String, String>;
/// By user, each with its request id.
type Answers = BTreeMap<usize, VecDeque<(String, Reply)>>;

/// Something that reaches somebody.
enum Arrival {
    Request(usize, u32, Request),
    Reply(usize, u32, RequestId, Result<Reply, Failure>),
    SocketOpen(usize, u32),
    Frame(usize, u32, ServerFrame),
    Login(usize, u32),
    /// A resume has reached the server: the Seq up to which the message is known, and the digest.
    Resume(usize, u32, (u64, Option<u32>)),
    Closed(usize, u32),
    /// The user does something.
    Act(usize),
    Timeout(usize),
    /// A mutation's function has come to a result.
    Computed(usize, u32, CallId, String),
    /// For the page with this number, from or for what is kept.
    Kept(usize, u32, Kept),
    /// A page is opened, or its user tries once more to log in.
    Open(usize, u32),
    /// The server stops and is back at once.
    ServerRestart,
    /// It is back without the last changes.
    Failover,
}

struct Peer {
    client: Client,
    /// Peers of one user are tabs.
    user: usize,
    /// Counts pages: what was for an older one reaches nobody.
    page: u32,
    /// The network is gone until then.
    offline_until: u64,
    /// How far ahead the machine's clock is, from sleeping.
    skew: u64,
    login_call: CallId,
    drain_call: CallId,
    /// Counts sockets: what comes from an older one is not heard.
    socket: u32,
    is_connected: bool,
    /// Frames of a socket arrive in order.
    last_frame: u64,
    calls: BTreeMap<CallId, u64>,
    /// What each set wants to write.
    set_values: BTreeMap<CallId, String>,
    last_call: CallId,
    first_get: Option<CallId>,
    /// What a listener makes of the first answer and the events after it.
    view: Option<Map>,
    /// The Seq of what listeners were told last of each key.
    told: BTreeMap<String, u64>,
    /// What a watch shows, key by key; and whether it says that this is all.
    watch: BTreeMap<String, EntryView>,
    synced: bool,
    is_watching: bool,
    watch_call: CallId,
    timeout: Option<u64>,
}

struct World {
    rng: Rng,
    now: u64,
    count: u64,
    queue: BinaryHeap<Reverse<(u64, u64)>>,
    arrivals: BTreeMap<u64, Arrival>,
    message: Message,
    /// The last answers to each user's writes, by request id, as a store remembers them.
    answers: Answers,
    /// Request ids whose answers are not remembered any more, and what was written again with such a one.
    forgotten: BTreeSet<String>,
    too_late: BTreeSet<String>,
    stores: Vec<Store>,
    /// The server may lose changes: what was before each one. Whether it has.
    forks: bool,
    past: Vec<(Message, Answers)>,
    is_forked: bool,
    /// The endpoint has no push connection.
    is_without_push: bool,
    /// How often each value that somebody set was accepted.
    accepted: BTreeMap<String, u32>,
    /// Values of writes that were acknowledged as done, as queued, and told as conflicts.
    done: BTreeSet<String>,
    queued: BTreeSet<String>,
    conflicts: BTreeSet<String>,
    /// The Seq that wrote each value.
    written: BTreeMap<String, u64>,
    /// Every value that a key ever had.
    history: BTreeSet<(String, String)>,
    /// Numbers values, so that no two are alike.
    values: u32,
    peers: Vec<Peer>,
}

fn name() -> MessageRef {
    MessageRef::Group { group_id: "g".into(), msg_seq: 1 }
}

fn argument() -> Option<MessageArgument> {
    Some(MessageArgument {
        id: Some("a-1-2".into()),
        conversation_type: Some("GROUP".into()),
        to: Some("g".into()),
        status: Some("success".into()),
        is_support_extension: true,
        sequence: Some(1.0),
        ..MessageArgument::default()
    })
}

fn plus_one(value: Option<&str>) -> String {
    (value.map_or(0, |value| value.parse::<u32>().unwrap()) + 1).to_string()
}

fn written<'a>(change: &'a Change, key: &str) -> Option<&'a str> {
    let ChangeKind::Set(items) = &change.kind else { return None };
    items.iter().find(|(k, _)| k == key).map(|(_, value)| value.as_str())
}

fn live(message: &Message) -> Map {
    message.entries.iter().filter_map(|(k, e)| Some((k.clone(), e.value.clone()?))).collect()
}

impl Peer {
    fn new(i: usize, user: usize, rng: &mut Rng) -> Self {
        Self {
            client: client(i, 0, rng),
            user,
            page: 0,
            offline_until: 0,
            skew: 0,
            login_call: 0,
            drain_call: 0,
            socket: 0,
            is_connected: false,
            last_frame: 0,
            calls: BTreeMap::new(),
            set_values: BTreeMap::new(),
            last_call: 0,
            first_get: None,
            view: None,
            told: BTreeMap::new(),
            watch: BTreeMap::new(),
            synced: false,
            is_watching: false,
            watch_call: 0,
            timeout: None,
        }
    }
}

/// The client of a page. Which users keep what they read and queue what they write is a matter of their number.
fn client(i: usize, page: u32, rng: &mut Rng) -> Client {
    Client::new(Config {
        sdk_app_id: 1,
        refuse_empty_key_list: false,
        nonce: format!("{i:012x}{page:012x}"),
        seed: rng.u64(..),
        persists: i % 4 != 3,
        offline: i.is_multiple_of(2),
    })
}

impl World {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let number = rng.usize(2..=5);
        // Half of the time the third is another tab of the first.
        let tabs = rng.bool();
        let user = |i: usize| if tabs && i == 2 { 0 } else { i };
        let peers = (0..number).map(|i| Peer::new(i, user(i), &mut rng)).collect();
        Self {
            is_without_push: rng.u8(..) < 12,
            forks: rng.u8(..) < 64,
            past: Vec::new(),
            is_forked: false,
            rng,
            now: 0,
            count: 0,
            queue: BinaryHeap::new(),
            arrivals: BTreeMap::new(),
            message: Message::default(),
            answers: BTreeMap::new(),
            forgotten: BTreeSet::new(),
            too_late: BTreeSet::new(),
            stores: (0..number).map(|_| Store::default()).collect(),
            accepted: BTreeMap::new(),
            written: BTreeMap::new(),
            done: BTreeSet::new(),
            queued: BTreeSet::new(),
            conflicts: BTreeSet::new(),
            history: BTreeSet::new(),
            values: 0,
            peers,
        }
    }

    fn later(&mut self, at: u64, arrival: Arrival) {
        self.count += 1;
        self.queue.push(Reverse((at, self.count)));
        self.arrivals.insert(self.count, arrival);
    }

    fn delay(&mut self) -> u64 {
        if self.now < TROUBLE && self.rng.u8(..) < 8 {
            self.rng.u64(0..5 * SECOND)
        } else {
            self.rng.u64(1..200)
        }
    }

    fn is_lost(&mut self) -> bool {
        self.now < TROUBLE && self.rng.u8(..) < 12
    }

    /// Whether what peer `i` sends, or is sent, gets lost.
    fn is_cut(&mut self, i: usize) -> bool {
        self.now < self.peers[i].offline_until || self.is_lost()
    }

    /// The time on a peer's own clock.
    fn clock(&self, i: usize) -> u64 {
        self.now + self.peers[i].skew
    }

    fn login(&mut self, i: usize) {
        let user = self.peers[i].user;
        self.peers[i].login_call = self.peers[i].last_call + 1;
        self.call(i, |client, call, now| {
            client.handle_login(call, Some(format!("u{user}")), Some("sig".into()), now);
        });
    }

    fn run(mut self) {
        for at in [20, 40].map(|s| s * SECOND) {
            if self.rng.bool() {
                self.later(at, Arrival::ServerRestart);
            }
        }
        if self.forks {
            for _ in 0..2 {
                let at = self.rng.u64(10 * SECOND..TROUBLE);
                self.later(at, Arrival::Failover);
            }
            // An answer of before may have come after a client had compared: it compares again when it comes back.
            self.later(TROUBLE + 100 * SECOND, Arrival::ServerRestart);
        }
        for i in 0..self.peers.len() {
            self.login(i);
            let at = self.rng.u64(0..SECOND);
            self.later(at, Arrival::Act(i));
        }
        while let Some(Reverse((at, id))) = self.queue.pop() {
            if at > REST {
                break;
            }
            self.now = at;
            let arrival = self.arrivals.remove(&id).unwrap();
            self.arrive(arrival);
        }
        self.check();
    }

    fn call(&mut self, i: usize, input: impl FnOnce(&mut Client, CallId, u64)) -> CallId {
        let peer = &mut self.peers[i];
        peer.last_call += 1;
        let call = peer.last_call;
        let now = self.now + peer.skew;
        peer.calls.insert(call, now);
        input(&mut peer.client, call, now);
        self.outputs(i);
        call
    }

    fn arrive(&mut self, arrival: Arrival) {
        match arrival {
            Arrival::Request(i, page, request) => {
                let reply = self.serve(i, &request);
                let at = self.now + self.delay();
                let reply = if self.is_cut(i) { Err(Failure::Network) } else { Ok(reply) };
                // Half of what is lost is never heard of: the client must notice by itself.
                if reply.is_ok() || self.rng.bool() {
                    self.later(at, Arrival::Reply(i, page, request.id, reply));
                }
            }
            Arrival::Reply(i, page, id, reply) if page == self.peers[i].page => {
                let now = self.clock(i);
                self.peers[i].client.handle_reply(id, reply.map(Reply::with_status), now);
                self.outputs(i);
            }
            Arrival::SocketOpen(i, socket) if socket == self.peers[i].socket => {
                let now = self.clock(i);
                self.peers[i].client.handle_socket_open(now);
                self.outputs(i);
            }
            Arrival::Login(i, socket) if socket == self.peers[i].socket => {
                self.peers[i].is_connected = true;
                self.frame(i, ServerFrame { r#type: ServerFrame::READY.into(), ..ServerFrame::default() });
            }
            Arrival::Resume(i, socket, named) if socket == self.peers[i].socket => self.resume(i, named),
            Arrival::Frame(i, socket, frame) if socket == self.peers[i].socket => {
                let now = self.clock(i);
                self.peers[i].client.handle_frame(Some(frame), now);
                self.outputs(i);
            }
            Arrival::Closed(i, socket) if socket == self.peers[i].socket => {
                self.peers[i].socket += 1;
                self.peers[i].is_connected = false;
                let now = self.clock(i);
                self.peers[i].client.handle_socket_closed(1006, now);
                self.outputs(i);
            }
            Arrival::Act(i) => self.act(i),
            Arrival::Computed(i, page, call, value) if page == self.peers[i].page => {
                let now = self.clock(i);
                self.peers[i].client.handle_computed(call, Some(value), now);
                self.outputs(i);
            }
            Arrival::Timeout(i) => {
                let now = self.clock(i);
                if self.peers[i].timeout.take_if(|at| *at <= now).is_some() {
                    self.peers[i].client.handle_timeout(now);
                    self.outputs(i);
                }
            }
            Arrival::Kept(i, page, kept) if page == self.peers[i].page => self.kept(i, kept),
            Arrival::Open(i, page) if page == self.peers[i].page => self.login(i),
            Arrival::ServerRestart => self.restart(),
            Arrival::Failover => self.fail_over(),
            _ => {}
        }
    }

    fn outputs(&mut self, i: usize) {
        while let Some(output) = self.peers[i].client.poll_output() {
            match output {
                Output::Request(request) => {
                    let (at, page) = (self.now + self.delay(), self.peers[i].page);
                    if !self.is_cut(i) {
                        if self.is_lost() {
                            // Not lost, but twice.
                            let again = at + self.delay();
                            self.later(again, Arrival::Request(i, page, request.clone()));
                        }
                        self.later(at, Arrival::Request(i, page, request));
                    } else if self.rng.bool() {
                        self.later(at, Arrival::Reply(i, page, request.id, Err(Failure::Network)));
                    }
                }
                Output::Abort(_) => {}
                Output::OpenSocket => {
                    self.peers[i].socket += 1;
                    self.peers[i].is_connected = false;
                    let (at, socket) = (self.now + self.delay(), self.peers[i].socket);
                    let lost = self.is_cut(i) || self.is_without_push;
                    self.later(
                        at,
                        if lost { Arrival::Closed(i, socket) } else { Arrival::SocketOpen(i, socket) },
                    );
                }
                Output::Frame(frame) => {
                    let (at, socket) = (self.now + self.delay(), self.peers[i].socket);
                    if frame.r#type == wire::ClientFrame::LOGIN {
                        self.later(at, Arrival::Login(i, socket));
                    } else if let Some(named) = frame.messages {
                        assert_eq!(named.len(), 1);
                        // Now and then it is never answered.
                        if !self.is_lost() {
                            let known = (named[0].latest_seq.unwrap(), named[0].digest);
                            self.later(at, Arrival::Resume(i, socket, known));
                        }
                    } else if self.peers[i].is_connected {
                        self.frame(
                            i,
                            ServerFrame { r#type: ServerFrame::PONG.into(), ..ServerFrame::default() },
                        );
                    }
                }
                Output::CloseSocket => {
                    self.peers[i].socket += 1;
                    self.peers[i].is_connected = false;
                }
                Output::Settle(call, result) => self.settled(i, call, result),
                Output::Emit(Event::Extensions(id, notice)) => {
                    self.told(i, &notice);
                    if let Some(view) = &mut self.peers[i].view {
                        assert_eq!(id, "a-1-2", "the caller's own ID for the message");
                        match notice {
                            Notice::Updated(list) => view.extend(list),
                            Notice::Deleted(keys) => view.retain(|key, _| !keys.contains(key)),
                        }
                    }
                }
                Output::Emit(Event::View(view)) => self.viewed(i, view),
                Output::Emit(event) => self.keep(i, event),
                Output::Compute(call, value) => {
                    let (at, page) = (self.now + self.delay(), self.peers[i].page);
                    self.later(at, Arrival::Computed(i, page, call, plus_one(value.as_deref())));
                }
            }
        }
        let timeout = self.peers[i].client.poll_timeout();
        if timeout != self.peers[i].timeout {
            self.peers[i].timeout = timeout;
            if let Some(at) = timeout {
                let at = at.saturating_sub(self.peers[i].skew);
                self.later(at.max(self.now), Arrival::Timeout(i));
            }
        }
    }
}

#[test]
fn every_client_ends_with_what_the_server_has_and_hears_of_it_once() {
    let number = |name: &str| std::env::var(name).ok().and_then(|n| n.parse::<u64>().ok());
    let seeds = match number("SIMULATION_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SIMULATION_SEEDS").unwrap_or(10_000),
    };
    for seed in seeds {
        let run = std::panic::catch_unwind(|| World::new(seed).run());
        assert!(run.is_ok(), "failed with SIMULATION_SEED={seed}");
    }
}
