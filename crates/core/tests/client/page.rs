//! A page: one client, its owner, and the server that it talks to, which answers at once. The time is what a test makes
//! of it.

use std::collections::{BTreeMap, BTreeSet};

use message_extensions_core::client::*;
use message_extensions_core::code::{Error, NO_SUCH_MESSAGE};
use message_extensions_core::law::{Change, ChangeKind, Message, Operation};
use message_extensions_core::limits::Limits;
use message_extensions_core::message::MessageRef;
use message_extensions_core::wire::{
    self, ClientFrame, Extension, MessageState, OK, PullReply, PullRequest, QueuedWrite, ServerFrame,
    SetReply, SetRequest, command,
};

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

/// The n-th message of the group g; every hundred thousand begin another group.
pub(crate) fn name(n: u64) -> MessageRef {
    MessageRef::Group { group_id: group(n), msg_seq: n }
}

fn group(n: u64) -> String {
    if n < 100_000 { "g".into() } else { format!("g{}", n / 100_000) }
}

pub(crate) fn argument(n: u64) -> Option<MessageArgument> {
    Some(MessageArgument {
        id: Some(id(n)),
        conversation_type: Some(CONV_GROUP.into()),
        to: Some(group(n)),
        status: Some("success".into()),
        is_support_extension: true,
        sequence: Some(n as f64),
        ..MessageArgument::default()
    })
}

pub(crate) fn id(n: u64) -> String {
    format!("m-1-{n}")
}

pub(crate) fn map(items: &[(&str, &str)]) -> Map {
    items.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect()
}

pub(crate) fn live(message: &Message) -> Map {
    message.entries.iter().filter_map(|(k, e)| Some((k.clone(), e.value.clone()?))).collect()
}

pub(crate) fn frame(kind: &str) -> ServerFrame {
    ServerFrame { r#type: kind.into(), ..ServerFrame::default() }
}

/// A part of the answer to a resume: everything from `start` on.
pub(crate) fn part(n: u64, message: &Message, start: u64) -> MessageState {
    let page = message.pull(start).into_reply(true);
    MessageState {
        complete_flag: Some(page.complete_flag),
        latest_seq: Some(page.latest_seq),
        clear_seq: Some(page.clear_seq),
        extension_list: Some(page.extension_list),
        ..MessageState::default()
    }
    .addressed_to(name(n))
}

pub(crate) fn refused_part(n: u64, code: u32) -> MessageState {
    MessageState { error_code: Some(code), ..MessageState::default() }.addressed_to(name(n))
}

pub(crate) fn resumed(parts: Vec<MessageState>, complete: bool) -> ServerFrame {
    ServerFrame { messages: Some(parts), complete: complete.then_some(1), ..frame(ServerFrame::RESUMED) }
}

pub(crate) fn group_event(command: &str, group_id: &str) -> ServerFrame {
    let event = wire::Event {
        callback_command: command.into(),
        group_id: Some(group_id.into()),
        ..wire::Event::empty()
    };
    ServerFrame { events: Some(vec![event]), ..frame(ServerFrame::PUSH) }
}

pub(crate) fn left(group_id: &str) -> ServerFrame {
    group_event(command::GROUP_LEFT, group_id)
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

    // What others do.

    /// Another user writes.
    pub(crate) fn bob(&mut self, n: u64, request: SetRequest) {
        let (reply, change) = self.write(n, request, "bob");
        assert!(matches!(reply, Reply::Set(_)));
        self.push(n, change);
        self.run();
    }

    pub(crate) fn bob_sets(&mut self, n: u64, key: &str, value: &str) {
        let seq = self.seq(n, key);
        let item = wire::Item { key: key.into(), value: value.into(), seq: Some(seq) };
        self.bob(
            n,
            SetRequest { operate_type: Some(1), extension_list: Some(vec![item]), ..SetRequest::default() },
        );
    }

    pub(crate) fn bob_deletes(&mut self, n: u64, key: &str) {
        let seq = self.seq(n, key);
        let item = wire::Item { key: key.into(), seq: Some(seq), ..wire::Item::default() };
        self.bob(
            n,
            SetRequest { operate_type: Some(2), extension_list: Some(vec![item]), ..SetRequest::default() },
        );
    }

    pub(crate) fn bob_clears(&mut self, n: u64) {
        self.bob(n, SetRequest { operate_type: Some(3), ..SetRequest::default() });
    }

    /// Several keys, one write each.
    pub(crate) fn bob_fills(&mut self, n: u64, keys: std::ops::Range<u64>) {
        for i in keys {
            self.bob_sets(n, &format!("k{i:03}"), &format!("v{i}"));
        }
    }

    fn seq(&self, n: u64, key: &str) -> u64 {
        self.messages.get(&name(n)).and_then(|m| m.entries.get(key)).map_or(0, |e| e.seq)
    }

    pub(crate) fn server(&self, n: u64) -> Map {
        self.messages.get(&name(n)).map(live).unwrap_or_default()
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
        self.client.handle_reply(id, reply, self.now);
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

    // What has become of it.

    /// What a call came to, if it has.
    pub(crate) fn settled(&self, call: CallId) -> Option<&Result<Answer, Error>> {
        self.settled.get(&call)
    }

    #[track_caller]
    pub(crate) fn answered(&self, call: CallId) -> &Answer {
        self.settled(call).expect("the call is pending").as_ref().unwrap()
    }

    #[track_caller]
    pub(crate) fn code(&self, call: CallId) -> u32 {
        self.settled(call).expect("the call is pending").as_ref().unwrap_err().code
    }

    #[track_caller]
    pub(crate) fn read(&self, call: CallId) -> Map {
        match self.answered(call) {
            Answer::Extensions(list) => list.iter().cloned().collect(),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn pulls(&self) -> Vec<&PullRequest> {
        let mut pulls = Vec::new();
        for request in &self.requests {
            if let Body::Pull(pull) = &*request.body {
                pulls.push(pull);
            }
        }
        pulls
    }

    /// The writes that were sent: key, value and Seq of their first item, and the request id.
    pub(crate) fn sets(&self) -> Vec<(String, String, u64, String)> {
        let set = |request: &Request| match &*request.body {
            Body::Set(set) => {
                let item = set.extension_list.iter().flatten().next().cloned().unwrap_or_default();
                Some((item.key, item.value, item.seq.unwrap_or(0), request.request_id.clone()?))
            }
            _ => None,
        };
        self.requests.iter().filter_map(set).collect()
    }

    /// What each resume has named: the message's number, and the Seq.
    pub(crate) fn resumes(&self) -> Vec<Vec<(u64, u64)>> {
        let named = |state: &MessageState| (state.msg_seq.unwrap(), state.latest_seq.unwrap());
        let frames = self.frames.iter().filter(|frame| frame.r#type == ClientFrame::RESUME);
        frames.map(|frame| frame.messages.iter().flatten().map(named).collect()).collect()
    }

    /// What the listeners of MESSAGE_EXTENSIONS events were told.
    pub(crate) fn notices(&self) -> Vec<Notice> {
        let notice = |event: &Event| match event {
            Event::Extensions(_, notice) => Some(notice.clone()),
            _ => None,
        };
        self.events.iter().filter_map(notice).collect()
    }

    pub(crate) fn errors(&self) -> Vec<u32> {
        let code = |event: &Event| match event {
            Event::Error(error) => Some(error.code),
            _ => None,
        };
        self.events.iter().filter_map(code).collect()
    }

    pub(crate) fn conflicts(&self) -> Vec<Conflict> {
        let conflicts = |event: &Event| match event {
            Event::Conflict(_, conflicts) => conflicts.clone(),
            _ => Vec::new(),
        };
        self.events.iter().flat_map(conflicts).collect()
    }

    pub(crate) fn count(&self, is_it: impl Fn(&Event) -> bool) -> usize {
        self.events.iter().filter(|event| is_it(event)).count()
    }

    /// What a watch shows.
    pub(crate) fn shown(&self, watch: WatchId) -> Map {
        self.views[&watch].0.iter().map(|(key, entry)| (key.clone(), entry.value.clone())).collect()
    }

    pub(crate) fn is_synced(&self, watch: WatchId) -> bool {
        self.views[&watch].1
    }

    pub(crate) fn status(&self, watch: WatchId, key: &str) -> EntryStatus {
        self.views[&watch].0[key].status
    }

    // The machinery.

    /// Does what the client wants until it wants nothing more.
    pub(crate) fn run(&mut self) {
        let mut turns = 0;
        loop {
            while let Some(output) = self.client.poll_output() {
                self.output(output);
            }
            if self.work.is_empty() {
                return;
            }
            turns += 1;
            assert!(turns < MOST_TURNS, "it never comes to rest");
            let work = self.work.remove(0);
            self.work(work);
        }
    }

    fn output(&mut self, output: Output) {
        match output {
            Output::Request(request) => {
                self.requests.push(request.clone());
                if self.holds {
                    self.held.push(request);
                } else if self.network != Network::Silent {
                    let reply = self.answer(&request);
                    self.work.push(Work::Reply(request.id, reply));
                }
            }
            Output::Abort(id) => {
                self.held.retain(|request| request.id != id);
                self.aborts.push(id);
            }
            Output::OpenSocket => {
                self.is_open = self.network == Network::Whole;
                self.is_live = false;
                match self.network {
                    Network::Whole => self.work.push(Work::SocketOpen),
                    Network::Silent => {}
                    _ => self.work.push(Work::Closed),
                }
            }
            Output::CloseSocket => {
                (self.is_open, self.is_live) = (false, false);
                let is_of_socket =
                    |work: &Work| matches!(work, Work::SocketOpen | Work::Closed | Work::Frame(_));
                self.work.retain(|work| !is_of_socket(work));
            }
            Output::Frame(frame) => {
                self.frames.push(frame.clone());
                if self.is_open && self.network == Network::Whole {
                    self.framed(frame);
                }
            }
            Output::Settle(call, result) => {
                let before = self.settled.insert(call, result);
                assert!(before.is_none(), "call {call} is settled twice");
            }
            Output::Compute(call, value) => self.computes.push((call, value)),
            Output::Emit(event) => {
                self.events.push(event.clone());
                self.emitted(event);
            }
        }
    }

    fn framed(&mut self, frame: ClientFrame) {
        match frame.r#type.as_str() {
            ClientFrame::LOGIN => {
                self.is_live = true;
                self.work.push(Work::Frame(self::frame(ServerFrame::READY)));
            }
            ClientFrame::RESUME if !self.holds_resume => {
                let mut parts = Vec::new();
                for mut state in frame.messages.unwrap() {
                    let n = state.msg_seq.unwrap();
                    let message = state.take_address().group().unwrap();
                    let mut start = state.latest_seq.unwrap() + 1;
                    if self.hidden.contains(&message) {
                        parts.push(refused_part(n, NO_SUCH_MESSAGE));
                        continue;
                    }
                    let message = self.messages.entry(message).or_default();
                    let mut more = message.latest_seq + 1 != start;
                    while more {
                        let part = part(n, message, start);
                        more = part.complete_flag == Some(0);
                        let last = part.extension_list.iter().flatten().last();
                        start = last.map_or(start, |last| last.seq + 1);
                        parts.push(part);
                    }
                }
                // A frame a part, as long messages come.
                for part in parts {
                    self.work.push(Work::Frame(resumed(vec![part], false)));
                }
                self.work.push(Work::Frame(resumed(Vec::new(), true)));
            }
            ClientFrame::PING => self.work.push(Work::Frame(self::frame(ServerFrame::PONG))),
            _ => {}
        }
    }

    fn emitted(&mut self, event: Event) {
        match event {
            Event::View(view) => {
                for watch in view.watches {
                    let (shown, synced) = self.views.entry(watch).or_default();
                    *synced = view.synced;
                    shown.extend(view.changed.iter().map(|entry| (entry.key.clone(), entry.clone())));
                    shown.retain(|key, _| !view.removed.contains(key));
                }
            }
            Event::Keep(states) => {
                for mut state in states {
                    let message = state.clone().take_address().group().unwrap();
                    if state.extension_list.is_none() {
                        self.kept.remove(&message);
                    } else if self.kept.get(&message).is_none_or(|k| k.latest_seq <= state.latest_seq) {
                        state.complete_flag = None;
                        self.kept.insert(message, state);
                    }
                }
            }
            Event::Unqueue(order) => self.queued.retain(|write| write.order != Some(order)),
            Event::Load if self.owns => self.work.push(Work::Load),
            Event::Queue(call, write) if self.owns => self.work.push(Work::Queue(call, write)),
            Event::Drain if self.owns => self.work.push(Work::Drain),
            _ => {}
        }
    }

    fn work(&mut self, work: Work) {
        match work {
            Work::Reply(id, reply) => self.client.handle_reply(id, reply, self.now),
            Work::SocketOpen => self.client.handle_socket_open(self.now),
            Work::Closed => self.client.handle_socket_closed(1006, self.now),
            Work::Frame(frame) => self.client.handle_frame(Some(frame), self.now),
            Work::Load => self.load(),
            Work::Queue(call, write) => {
                self.record(write);
                self.client.handle_queued(call);
            }
            Work::Drain => {
                self.drain();
            }
        }
    }

    /// Hands in what was kept.
    pub(crate) fn load(&mut self) {
        let states = self.kept.values().cloned().collect();
        self.client.handle_loaded(states, self.queued.clone(), self.now);
    }

    pub(crate) fn record(&mut self, mut write: QueuedWrite) {
        self.orders += 1;
        write.order = Some(self.orders);
        self.queued.push(write);
    }

    /// This page may drain; the call.
    pub(crate) fn drain(&mut self) -> CallId {
        let records = self.queued.clone();
        self.last_call += 1;
        self.client.handle_drain(self.last_call, records, self.now);
        self.last_call
    }

    // The server.

    /// What the server answers.
    pub(crate) fn answer(&mut self, request: &Request) -> Result<Reply, Failure> {
        if matches!(self.network, Network::Down | Network::Silent) {
            return Err(Failure::Network);
        }
        if self.is_captive {
            return Err(Failure::Unusable);
        }
        match &*request.body {
            Body::Set(body) => {
                let id = request.request_id.clone().expect("a write has a request id");
                if let Some(answer) = self.answers.get(&id) {
                    return Ok(answer.clone());
                }
                let n = body.msg_seq.unwrap();
                if let Some(code) = self.refused(n) {
                    return Ok(Reply::Set(SetReply {
                        action_status: "FAIL".into(),
                        error_code: code,
                        error_info: "refused".into(),
                        extension_list: Vec::new(),
                        seq: None,
                    }));
                }
                let (reply, change) = self.write(n, body.clone(), "ann");
                self.answers.insert(id, reply.clone());
                self.push(n, change);
                Ok(reply)
            }
            Body::Pull(body) => {
                let n = body.msg_seq.unwrap();
                Ok(Reply::Pull(match self.refused(n) {
                    Some(code) => refused_pull(code),
                    None => {
                        let message = self.messages.entry(name(n)).or_default();
                        message.pull(body.start_seq.unwrap_or(0)).into_reply(true)
                    }
                }))
            }
            _ => Ok(Reply::Probe),
        }
    }

    fn refused(&self, n: u64) -> Option<u32> {
        self.refuses.or(self.hidden.contains(&name(n)).then_some(NO_SUCH_MESSAGE))
    }

    fn write(&mut self, n: u64, mut request: SetRequest, author: &str) -> (Reply, Option<Change>) {
        request.take_address();
        let operation = Operation::parse(request, false, &Limits::DEFAULT).unwrap();
        let message = self.messages.entry(name(n)).or_default();
        let decision = message.decide(&operation, author, false, self.now, &Limits::DEFAULT).unwrap();
        if let Some(change) = &decision.change {
            message.absorb(change);
        }
        let change = decision.change.clone();
        (Reply::Set(decision.into_reply()), change)
    }

    fn push(&mut self, n: u64, change: Option<Change>) {
        if let Some(change) = change.filter(|_| self.is_live && !self.loses_pushes) {
            self.work.push(Work::Frame(pushed(n, &change)));
        }
    }
}

/// What a push frame says of a change of message 1; a set writes the Seq.
pub(crate) fn wire_event(operation: u32, key: &str, seq: u64) -> wire::Event {
    let kind = match operation {
        wire::operate_type::SET => ChangeKind::Set(vec![(key.into(), seq.to_string())]),
        wire::operate_type::DELETE => ChangeKind::Delete(vec![key.into()]),
        _ => ChangeKind::Clear,
    };
    Change { seq, kind, author: "bob".into(), time: 0 }.to_event(name(1), Some("foreign".into()))
}

/// The push of a change.
pub(crate) fn pushed(n: u64, change: &Change) -> ServerFrame {
    let events = vec![change.to_event(name(n), Some("foreign".into()))];
    ServerFrame { events: Some(events), ..frame(ServerFrame::PUSH) }
}

pub(crate) fn refused_pull(code: u32) -> PullReply {
    PullReply {
        action_status: if code == 0 { OK } else { "FAIL" }.into(),
        error_code: code,
        error_info: String::new(),
        complete_flag: 1,
        latest_seq: 0,
        clear_seq: 0,
        extension_list: Vec::<Extension>::new(),
    }
}
