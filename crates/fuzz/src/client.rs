//! The SDK, as a server speaks to it: whatever comes, nothing panics, each call is settled once, and what is read is read as
//! serde reads it.

use std::collections::BTreeSet;
use std::fmt::Debug;

use message_extensions_core::client::*;
use message_extensions_core::wire::{
    ListReply, MessageState, PullReply, Read, SendReply, ServerFrame, SetReply, Write,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

#[path = "../../core/tests/support/mod.rs"]
mod support;

use support::{Built, Parsed};

const LINES: usize = 48;
/// More than any one input can lead to.
const OUTPUTS: usize = 10_000;
/// Above it, JavaScript has not every number.
const EXACT: u64 = 1 << 53;

/// A line each: `F` and a frame, `R` and the reply to the oldest request; other bytes stand for what users, the socket, the
/// clock and the browser's store do.
pub fn check(input: &[u8]) {
    let mut page = Page::new();
    for line in input.split(|byte| *byte == b'\n').take(LINES) {
        if let Some((what, rest)) = line.split_first() {
            page.step(*what, rest);
            page.take();
        }
    }
    let call = page.call();
    page.client.handle_destroy(call);
    page.take();
    assert!(page.open.is_empty(), "calls that are pending: {:?}", page.open);
    assert_eq!(page.client.poll_timeout(), None, "nothing goes on");
}

struct Page {
    client: Client,
    now: u64,
    last_call: CallId,
    open: BTreeSet<CallId>,
    requests: Vec<Request>,
    compute: Vec<CallId>,
    queue: Vec<CallId>,
}

fn argument(n: u8) -> Option<MessageArgument> {
    let sequence = f64::from(n % 4);
    Some(MessageArgument {
        id: Some(format!("m-1-{}", n % 4)),
        conversation_type: Some(CONV_GROUP.into()),
        to: Some("g".into()),
        status: Some("success".into()),
        is_support_extension: true,
        sequence: Some(sequence),
        ..MessageArgument::default()
    })
}

impl Page {
    fn new() -> Self {
        let client = Client::new(Config {
            sdk_app_id: 1,
            refuse_empty_key_list: false,
            nonce: "0123456789abcdef01234567".into(),
            seed: 1,
            persists: true,
            offline: true,
        });
        let mut page = Self {
            client,
            now: 0,
            last_call: 0,
            open: BTreeSet::new(),
            requests: Vec::new(),
            compute: Vec::new(),
            queue: Vec::new(),
        };
        let call = page.call();
        page.client.handle_login(call, Some("alice".into()), Some("sig".into()), 0);
        page.take();
        page
    }

    fn call(&mut self) -> CallId {
        self.last_call += 1;
        self.open.insert(self.last_call);
        self.last_call
    }

    fn step(&mut self, what: u8, rest: &[u8]) {
        let (now, n) = (self.now, rest.first().copied().unwrap_or(0));
        let text = String::from_utf8_lossy(rest).into_owned();
        let key = text.get(1..).unwrap_or_default().to_owned();
        match what {
            b'F' => self.client.handle_frame(read::<ServerFrame>(rest), now),
            b'R' => self.reply(rest),
            b'X' => {
                if let Some(request) = self.next_request() {
                    self.client.handle_reply(request.id, Err(Failure::Network), now);
                }
            }
            b'l' => {
                let states = serde_json::from_slice::<Vec<Value>>(rest).unwrap_or_default();
                let states = states.iter().map(|state| MessageState::read(&Parsed(state.clone()))).collect();
                self.client.handle_loaded(states, Vec::new(), now);
            }
            b'o' => self.client.handle_socket_open(now),
            b'c' => {
                self.client.handle_socket_closed(if n == 0 { 1006 } else { 4000 + u16::from(n % 8) }, now)
            }
            b'g' => {
                let (call, source) = (self.call(), [None, Some("cache"), Some("server")][usize::from(n % 3)]);
                self.client.handle_get(call, argument(n), None, source, now);
            }
            b's' => {
                let (call, value) = (self.call(), format!("v{call}", call = self.last_call));
                self.client.handle_set(call, argument(n), Some(vec![(Some(key), Some(value))]), now);
            }
            b'd' => {
                let call = self.call();
                self.client.handle_delete(call, argument(n), Some(Some(vec![Some(key)])), now);
            }
            b'w' => {
                let call = self.call();
                self.client.handle_watch(call, u32::from(n), argument(n), now);
            }
            b'm' => {
                let call = self.call();
                self.client.handle_mutate(call, argument(n), Some(key), now);
            }
            b'k' => {
                if let Some(call) = self.compute.pop() {
                    self.client.handle_computed(call, Some(text), now);
                }
            }
            b'q' => {
                if let Some(call) = self.queue.pop() {
                    self.client.handle_queued(call);
                }
            }
            b'K' => self.client.handle_keep(),
            b't' => {
                self.now = self.client.poll_timeout().map_or(now, |at| at.max(now));
                self.client.handle_timeout(self.now);
            }
            _ => {}
        }
    }

    fn next_request(&mut self) -> Option<Request> {
        (!self.requests.is_empty()).then(|| self.requests.remove(0))
    }

    fn reply(&mut self, json: &[u8]) {
        let Some(request) = self.next_request() else { return };
        let reply = match &*request.body {
            Body::Probe => Some(Reply::Probe),
            Body::Set(_) => read::<SetReply>(json).map(Reply::Set),
            Body::Pull(_) => read::<PullReply>(json).map(Reply::Pull),
            Body::Send(_) => read::<SendReply>(json).map(Reply::Send),
            Body::List(_) => read::<ListReply>(json).map(Reply::List),
        };
        self.client.handle_reply(
            request.id,
            reply.map(Reply::with_status).ok_or(Failure::Unusable),
            self.now,
        );
    }

    fn take(&mut self) {
        for _ in 0..OUTPUTS {
            match self.client.poll_output() {
                None => return,
                Some(Output::Request(request)) => self.requests.push(request),
                Some(Output::Abort(id)) => self.requests.retain(|request| request.id != id),
                Some(Output::Settle(call, _)) => {
                    assert!(self.open.remove(&call), "call {call} is settled twice");
                }
                Some(Output::Compute(call, _)) => self.compute.push(call),
                Some(Output::Emit(Event::Queue(call, _))) => self.queue.push(call),
                Some(_) => {}
            }
        }
        panic!("it never comes to rest");
    }
}

/// As the SDK reads it in a browser, where the browser has parsed the JSON.
fn read<T: Read + Write + DeserializeOwned + Serialize + Debug + PartialEq>(json: &[u8]) -> Option<T> {
    let value: Value = serde_json::from_slice(json).ok()?;
    if !value.is_object() {
        return None;
    }
    let read = T::read(&Parsed(value.clone()));
    let written = read.write::<Built>().json();
    assert_eq!(T::read(&Parsed(written.clone())), read);
    if let Ok(expected) = serde_json::from_value::<T>(value.clone())
        && is_exact(&value)
    {
        // Without what is the server's alone, which the SDK does not read.
        assert_eq!(written, expected.write::<Built>().json());
    }
    Some(read)
}

fn is_exact(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.as_u64().is_none_or(|number| number < EXACT),
        Value::Array(values) => values.iter().all(is_exact),
        Value::Object(fields) => fields.values().all(is_exact),
        _ => true,
    }
}
