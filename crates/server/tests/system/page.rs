//! A page: the client machine, and what a browser does for it.

use std::cell::{RefCell, RefMut};
use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::ops::Range;
use std::rc::Rc;
use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use fastrand::Rng;
use message_extensions_core::client::*;
use message_extensions_core::usersig;
use message_extensions_core::wire::ClientFrame;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::spawn_local;
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;

use crate::disk::Disk;
use crate::history::{History, Map, plus_one};
use crate::kept::{Keeping, Kept};
use crate::network::{Told, connect, post};
use crate::world::{APP, SECRET, now_ms};

/// What the pages have in common, and what outlives them.
pub(crate) struct Common {
    pub(crate) disk: Arc<Disk>,
    servers: Vec<String>,
    chance: RefCell<Rng>,
    /// Longest time between two things that a user does, milliseconds.
    pub(crate) pace: u64,
    /// By user.
    kept: Vec<RefCell<Kept>>,
    /// What is open on each machine.
    pages: Vec<RefCell<Option<Page>>>,
    promises: RefCell<Promises>,
}

/// What users were promised, to be held against the store in the end.
#[derive(Default)]
pub(crate) struct Promises {
    /// Numbers values, so that no two are alike.
    pub(crate) values: u32,
    /// Values of writes by their request id.
    pub(crate) sent: BTreeMap<u128, Vec<String>>,
    /// Values of writes that were acknowledged as done, as queued, and told as conflicts.
    pub(crate) done: BTreeSet<String>,
    pub(crate) queued: BTreeSet<String>,
    pub(crate) conflicts: BTreeSet<String>,
}

impl Common {
    pub(crate) fn new(disk: Arc<Disk>, servers: Vec<String>, pages: usize, mut chance: Rng) -> Self {
        Self {
            pace: chance.u64(200..3000),
            disk,
            servers,
            chance: RefCell::new(chance),
            kept: (0..pages).map(|_| RefCell::default()).collect(),
            pages: (0..pages).map(|_| RefCell::default()).collect(),
            promises: RefCell::default(),
        }
    }

    /// A random number.
    pub(crate) fn any(&self, of: Range<u64>) -> u64 {
        self.chance.borrow_mut().u64(of)
    }

    pub(crate) fn kept(&self, user: usize) -> RefMut<'_, Kept> {
        self.kept[user].borrow_mut()
    }

    pub(crate) fn page(&self, number: usize) -> RefMut<'_, Option<Page>> {
        self.pages[number].borrow_mut()
    }

    pub(crate) fn promises(&self) -> RefMut<'_, Promises> {
        self.promises.borrow_mut()
    }

    pub(crate) fn history(&self) -> MutexGuard<'_, History> {
        self.disk.history()
    }

    pub(crate) fn server(&self) -> String {
        self.servers[self.any(0..self.servers.len() as u64) as usize].clone()
    }
}

/// What reaches a page.
pub(crate) enum Input {
    Reply(RequestId, Rc<Body>, Option<String>, u64),
    Told(u32, Told),
    Keeping(Keeping),
    /// A mutation's function has come to a result.
    Computed(CallId, String),
    Login,
    /// The user does something.
    Act,
    /// All is well again: the user looks at the message, and reads it.
    Look,
}

pub(crate) struct Page {
    pub(crate) common: Rc<Common>,
    pub(crate) number: usize,
    /// Pages of one user are tabs.
    pub(crate) user: usize,
    pub(crate) client: Client,
    inputs: UnboundedSender<Input>,
    /// How far ahead the machine's clock is, and for how long the page was frozen.
    pub(crate) skew: u64,
    frozen: u64,
    frozen_until: u64,
    pub(crate) last_call: CallId,
    pub(crate) login_call: CallId,
    pub(crate) drain_call: CallId,
    /// When each was made.
    pub(crate) calls: BTreeMap<CallId, u64>,
    /// What each set wants to write.
    pub(crate) set_values: BTreeMap<CallId, String>,
    requests: BTreeMap<RequestId, AbortOnDropHandle<()>>,
    /// Counts sockets: what comes from an older one is not heard.
    socket: u32,
    connection: Option<(UnboundedSender<String>, AbortOnDropHandle<()>)>,
    /// When it was last said what is known.
    pub(crate) resumed: u64,
    pub(crate) first_get: Option<CallId>,
    /// What a listener makes of the first answer and the events after it.
    pub(crate) view: Option<Map>,
    pub(crate) viewed_at: u64,
    /// Values of which the listener was told, and whether the message had been read before; and when last.
    pub(crate) heard: BTreeMap<String, bool>,
    pub(crate) heard_at: u64,
    /// What a watch shows, key by key; and whether it says that this is all.
    pub(crate) watch: BTreeMap<String, EntryView>,
    pub(crate) synced: bool,
    pub(crate) is_watching: bool,
    pub(crate) watch_call: CallId,
    /// The last read that asked nobody, and what it said.
    pub(crate) read_call: CallId,
    pub(crate) read: Option<Map>,
}

/// Opens a page, and keeps it open until the machine is switched off. Which users keep what they read and queue what they write
/// is a matter of their number.
pub(crate) async fn open(common: Rc<Common>, number: usize, user: usize) -> turmoil::Result {
    let (inputs, mut arriving) = unbounded_channel();
    let (nonce, seed) = (common.any(0..1 << 48), common.any(0..u64::MAX));
    let client = Client::new(Config {
        sdk_app_id: APP,
        refuse_empty_key_list: false,
        nonce: format!("{number:012x}{nonce:012x}"),
        seed,
        persists: number % 4 != 3,
        offline: number.is_multiple_of(2),
    });
    let page = Page::new(common.clone(), number, user, client, inputs);
    *common.page(number) = Some(page);
    let with = |take: &dyn Fn(&mut Page)| common.page(number).as_mut().map(take);
    with(&|page| {
        page.take(Input::Login);
        page.later(Duration::from_millis(page.common.any(0..1000)), Input::Act);
    });
    loop {
        let (frozen, timeout) = common.page(number).as_ref().map_or((0, None), Page::waits);
        sleep(Duration::from_millis(frozen)).await;
        let timeout = async {
            match timeout {
                Some(wait) => sleep(Duration::from_millis(wait)).await,
                None => pending().await,
            }
        };
        tokio::select! {
            biased;
            Some(input) = arriving.recv() => {
                if let Some(page) = common.page(number).as_mut() {
                    page.take(input);
                }
            }
            () = timeout => {
                with(&|page| {
                    let now = page.now();
                    page.client.handle_timeout(now);
                    page.outputs();
                });
            }
        }
    }
}

impl Page {
    fn new(
        common: Rc<Common>,
        number: usize,
        user: usize,
        client: Client,
        inputs: UnboundedSender<Input>,
    ) -> Self {
        Self {
            common,
            number,
            user,
            client,
            inputs,
            skew: 0,
            frozen: 0,
            frozen_until: 0,
            last_call: 0,
            login_call: 0,
            drain_call: 0,
            calls: BTreeMap::new(),
            set_values: BTreeMap::new(),
            requests: BTreeMap::new(),
            socket: 0,
            connection: None,
            resumed: 0,
            first_get: None,
            view: None,
            viewed_at: 0,
            heard: BTreeMap::new(),
            heard_at: 0,
            watch: BTreeMap::new(),
            synced: false,
            is_watching: false,
            watch_call: 0,
            read_call: 0,
            read: None,
        }
    }

    pub(crate) fn name(&self) -> String {
        user_name(self.user)
    }

    /// The time on the page's own clock.
    pub(crate) fn now(&self) -> u64 {
        now_ms() + self.skew
    }

    /// How late it may be for having slept.
    pub(crate) const fn slack(&self) -> u64 {
        self.skew + self.frozen
    }

    /// For how long it is frozen, and until when the machine has nothing to do.
    fn waits(&self) -> (u64, Option<u64>) {
        let timeout = self.client.poll_timeout().map(|at| at.saturating_sub(self.now()));
        (self.frozen_until.saturating_sub(now_ms()), timeout)
    }

    pub(crate) fn freeze(&mut self, ms: u64) {
        self.frozen += ms;
        self.frozen_until = now_ms() + ms;
    }

    pub(crate) fn tell(&self, input: Input) {
        let _ = self.inputs.send(input);
    }

    pub(crate) fn later(&self, after: Duration, input: Input) {
        let inputs = self.inputs.clone();
        spawn_local(async move {
            sleep(after).await;
            let _ = inputs.send(input);
        });
    }

    /// Does what the user does.
    pub(crate) fn call(&mut self, input: impl FnOnce(&mut Client, CallId, u64)) {
        self.last_call += 1;
        let (call, now) = (self.last_call, self.now());
        self.calls.insert(call, now);
        input(&mut self.client, call, now);
        self.outputs();
    }

    fn take(&mut self, input: Input) {
        let now = self.now();
        match input {
            Input::Reply(id, body, text, asked) => {
                self.requests.remove(&id);
                let reply = self.reply(&body, text, asked);
                self.client.handle_reply(id, reply.map(Reply::with_status), now);
            }
            Input::Told(socket, told) if socket == self.socket => match told {
                Told::Open => self.client.handle_socket_open(now),
                Told::Frame(text) => {
                    let frame = self.frame(&text);
                    self.client.handle_frame(Some(frame), now);
                }
                Told::Closed(code) => {
                    self.socket += 1;
                    self.connection = None;
                    self.client.handle_socket_closed(code, now);
                }
            },
            Input::Told(..) => {}
            Input::Keeping(keeping) => self.keeping(keeping),
            Input::Computed(call, value) => self.client.handle_computed(call, Some(value), now),
            Input::Login => self.login(),
            Input::Act => self.act(),
            Input::Look => self.look(),
        }
        self.outputs();
    }

    fn login(&mut self) {
        self.login_call = self.last_call + 1;
        let user = self.name();
        let signature = signature(&user);
        self.call(|client, call, now| client.handle_login(call, Some(user), Some(signature), now));
    }

    /// Does what the machine wants done.
    fn outputs(&mut self) {
        while let Some(output) = self.client.poll_output() {
            match output {
                Output::Request(request) => self.request(request),
                Output::Abort(id) => drop(self.requests.remove(&id)),
                Output::OpenSocket => self.open_socket(),
                Output::Frame(frame) => self.send(&frame),
                Output::CloseSocket => self.drop_socket(),
                Output::Settle(call, result) => self.settled(call, result),
                Output::Emit(event) => self.emitted(event),
                Output::Compute(call, value) => {
                    let after = Duration::from_millis(self.common.any(1..200));
                    self.later(after, Input::Computed(call, plus_one(value.as_deref())));
                }
            }
        }
    }

    fn request(&mut self, request: Request) {
        let (user, signature) = self.client.identity();
        let (service, command) = request.path;
        let mut path =
            format!("/v4/{service}/{command}?sdkappid={APP}&identifier={user}&usersig={signature}");
        path += &format!("&random={}&contenttype=json", request.random);
        if let Some(id) = &request.request_id {
            path += &format!("&requestid={id}");
            self.will_write(id, &request.body);
        }
        let body = match &*request.body {
            Body::Probe => String::new(),
            Body::Set(body) => serde_json::to_string(body).unwrap(),
            Body::Pull(body) => serde_json::to_string(body).unwrap(),
            Body::Send(body) => serde_json::to_string(body).unwrap(),
            Body::List(body) => serde_json::to_string(body).unwrap(),
        };
        let (server, inputs, asked) = (self.common.server(), self.inputs.clone(), now_ms());
        let posting = spawn_local(async move {
            let text = post(&server, &path, body).await;
            let _ = inputs.send(Input::Reply(request.id, request.body, text, asked));
        });
        self.requests.insert(request.id, AbortOnDropHandle::new(posting));
    }

    fn open_socket(&mut self) {
        self.socket += 1;
        let (server, inputs, socket) = (self.common.server(), self.inputs.clone(), self.socket);
        let (out, outgoing) = unbounded_channel();
        let connection = spawn_local(async move {
            let tell = |told| _ = inputs.send(Input::Told(socket, told));
            connect(&server, outgoing, tell).await;
        });
        self.connection = Some((out, AbortOnDropHandle::new(connection)));
    }

    fn send(&mut self, frame: &ClientFrame) {
        if frame.r#type == ClientFrame::RESUME {
            self.resumed = now_ms();
        }
        if let Some((out, _)) = &self.connection {
            let _ = out.send(serde_json::to_string(frame).unwrap());
        }
    }

    fn drop_socket(&mut self) {
        self.socket += 1;
        self.connection = None;
    }

    /// The connection breaks.
    pub(crate) fn break_socket(&mut self) {
        if self.connection.is_some() {
            self.drop_socket();
            let now = self.now();
            self.client.handle_socket_closed(1006, now);
        }
    }
}

/// Signatures are the same in every run, and good for longer than anybody runs this.
pub(crate) fn signature(user: &str) -> String {
    const SIGNED: u64 = 1_700_000_000;
    const GOOD_FOR: u64 = 3_000_000_000;
    usersig::sign(APP, SECRET.as_bytes(), user, SIGNED, GOOD_FOR)
}

pub(crate) fn user_name(user: usize) -> String {
    format!("u{user}")
}
