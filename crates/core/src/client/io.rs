//! What goes into the machine and what comes out of it.

use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Conflict, Listing, Notice, View};
use crate::code::Error;
use crate::wire::{
    ClientFrame, Json, ListReply, ListRequest, MessageState, MsgElement, PullReply, PullRequest, QueuedWrite,
    SendReply, SendRequest, SetReply, SetRequest, Status,
};

/// Names a user's call, so that its answer finds the promise.
pub type CallId = u32;
/// Names a request, so that its reply finds the machine's memory of it.
pub type RequestId = u32;

/// What the owner of the machine must do. Taken with [`Client::poll_output`](super::Client::poll_output).
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Send a request; hand what comes back to [`Client::handle_reply`](super::Client::handle_reply).
    Request(Request),
    /// Nobody waits for this request any more: stop it, its reply will be ignored.
    Abort(RequestId),
    /// Open the push connection's socket.
    OpenSocket,
    /// Send a frame on it.
    Frame(ClientFrame),
    /// Close it; nothing that it does afterwards is handed in.
    CloseSocket,
    /// Resolve or reject the promise of a call.
    Settle(CallId, Result<Answer, Error>),
    /// Call the listeners of an event.
    Emit(Event),
    /// Call a mutation's function with the key's value, and hand the result to
    /// [`Client::handle_computed`](super::Client::handle_computed).
    Compute(CallId, Option<String>),
}

/// A request of the REST API.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Names it.
    pub id: RequestId,
    /// `{service}/{command}`, the part of the URL after `/v4/`.
    pub path: (&'static str, &'static str),
    /// The `random` parameter.
    pub random: u32,
    /// The `requestid` parameter, for writes, 32 hex digits: a retry is not a conflict.
    pub request_id: Option<String>,
    /// What is posted; shared with the machine, which may send it again.
    pub body: Rc<Body>,
}

/// What a request posts, which also says which reply it expects.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// Nothing: a GET that asks whether the endpoint knows of push.
    Probe,
    /// See [`SetRequest`].
    Set(SetRequest),
    /// See [`PullRequest`].
    Pull(PullRequest),
    /// See [`SendRequest`].
    Send(SendRequest),
    /// See [`ListRequest`].
    List(ListRequest),
}

/// What came back for a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// For [`Body::Probe`]: anything that was an HTTP answer.
    Probe,
    /// For [`Body::Set`].
    Set(SetReply),
    /// For [`Body::Pull`].
    Pull(PullReply),
    /// For [`Body::Send`].
    Send(SendReply),
    /// For [`Body::List`].
    List(ListReply),
}

impl Reply {
    /// It with its outcome, where all of it was read at once.
    #[must_use]
    pub fn with_status(self) -> (Status, Self) {
        let (action_status, error_code, error_info) = match &self {
            Self::Probe => return (Status::ok(), self),
            Self::Set(r) => (&r.action_status, r.error_code, &r.error_info),
            Self::Pull(r) => (&r.action_status, r.error_code, &r.error_info),
            Self::Send(r) => (&r.action_status, r.error_code, &r.error_info),
            Self::List(r) => (&r.action_status, r.error_code, &r.error_info),
        };
        let (action_status, error_info) = (action_status.clone(), error_info.clone());
        (Status { action_status, error_info, error_code }, self)
    }
}

/// Why there is no [`Reply`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The server was not reached, or the connection broke.
    Network,
    /// Something came that is not a reply of this protocol.
    Unusable,
}

/// What a call's promise resolves with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// login, logout.
    Done,
    /// set, delete, clear: code, key and value of each item.
    Items(Vec<(u32, String, String)>),
    /// set, delete: made offline, waits for the network; key and value of each item.
    Queued(Vec<(String, String)>),
    /// get: what the message holds.
    Extensions(Listing),
    /// send: what the server added to the message.
    Sent {
        /// The message's ID.
        id: String,
        /// The sender.
        from: String,
        /// Seconds since 1970.
        time: u64,
        /// The sender's sequence, or the Seq in the group.
        sequence: u64,
    },
    /// list: a page, oldest message first.
    Messages {
        /// The messages.
        list: Vec<ChatMessage>,
        /// What to hand in for the page before; empty when complete.
        next: String,
    },
}

/// What listeners are called with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The calls that need a login work from here on.
    Ready,
    /// They do not any more.
    NotReady,
    /// Something went wrong that no promise tells of.
    Error(Error),
    /// A message's extensions changed; the string is the message's ID.
    Extensions(String, Notice),
    /// For those who watch.
    View(View),
    /// New messages.
    Messages(Vec<ChatMessage>),
    /// A write that was made offline could not be done as it was meant; the string is the message's ID.
    Conflict(String, Vec<Conflict>),
    /// For the owner: find what was kept for this user, for [`Client::handle_loaded`](super::Client::handle_loaded).
    Load(String),
    /// For the owner: from here on messages may be watched.
    Begin,
    /// For the owner: what is kept is not all that is known. Call [`Client::handle_keep`](super::Client::handle_keep) before
    /// long.
    Stale,
    /// For the owner: keep this of each message, unless what is kept is newer; without an `ExtensionList`, keep nothing.
    Keep(Vec<MessageState>),
    /// For the owner: keep this write until [`Event::Unqueue`], then call
    /// [`Client::handle_queued`](super::Client::handle_queued).
    Queue(CallId, QueuedWrite),
    /// For the owner: the write of this order is done.
    Unqueue(u64),
    /// For the owner: see that no other tab sends the writes that are kept, then call
    /// [`Client::handle_drain`](super::Client::handle_drain) with them.
    Drain,
}

/// A chat message as the SDK shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChatMessage {
    /// The message's ID.
    pub id: String,
    /// Whether it is a group's.
    pub is_group: bool,
    /// The sender.
    pub from: String,
    /// UserID or GroupID it was sent to.
    pub to: String,
    /// Whether the user who is logged in sent it.
    pub is_out: bool,
    /// Seconds since 1970.
    pub time: u64,
    /// The sender's sequence, or the Seq in the group.
    pub sequence: u64,
    /// The sender's random number.
    pub random: u32,
    /// Whether it can be extended.
    pub support: bool,
    /// Its rules, as on the wire.
    pub rules: Option<Json>,
    /// What it says.
    pub body: Vec<MsgElement>,
}
