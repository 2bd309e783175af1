//! Whatever is handed in, whenever: nothing panics, and each call is settled exactly once.

use std::collections::BTreeSet;

use fastrand::Rng;
use message_extensions_core::client::*;
use message_extensions_core::wire::{
    Event as WireEvent, Extension, ItemReply, Json, ListReply, MessageState, MsgElement, PullReply,
    QueuedItem, QueuedWrite, SendReply, ServerFrame, SetReply, command,
};

use crate::page::{argument, name};

const RUNS: u64 = 4_000;
const STEPS: u32 = 60;

struct Host {
    rng: Rng,
    /// The largest numbers that rubbish holds.
    most: u64,
    /// The owner drains when nobody does, and sees records when it has said so.
    is_orderly: bool,
    drain: CallId,
    client: Client,
    now: u64,
    last_call: CallId,
    open: BTreeSet<CallId>,
    requests: Vec<Request>,
    /// Calls that wait for their record, or their function.
    queue: Vec<(CallId, QueuedWrite)>,
    compute: Vec<CallId>,
    records: Vec<QueuedWrite>,
    watches: u32,
}

impl Host {
    fn new(seed: u64, most: u64, is_orderly: bool) -> Self {
        let mut rng = Rng::with_seed(seed);
        let config = Config {
            sdk_app_id: 1,
            refuse_empty_key_list: rng.bool(),
            nonce: "0123456789abcdef01234567".into(),
            seed,
            persists: rng.bool(),
            offline: rng.bool(),
        };
        Self {
            client: Client::new(config),
            rng,
            most,
            is_orderly,
            drain: 0,
            now: 0,
            last_call: 0,
            open: BTreeSet::new(),
            requests: Vec::new(),
            queue: Vec::new(),
            compute: Vec::new(),
            records: Vec::new(),
            watches: 0,
        }
    }

    fn any<T>(&mut self, most: usize, mut one: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.rng.usize(0..=most)).map(|_| one(self)).collect()
    }

    fn maybe<T>(&mut self, one: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.rng.u8(0..8) > 0).then(|| one(self))
    }

    fn number(&mut self) -> u64 {
        match self.rng.u8(0..20) {
            0 => 0,
            1 => self.most,
            2 => self.rng.u64(0..=self.most),
            _ => self.rng.u64(0..8),
        }
    }

    fn small(&mut self) -> u32 {
        self.rng.u32(0..5)
    }

    fn text(&mut self) -> String {
        ["", "a", "b", "c", "é"][self.rng.usize(0..5)].into()
    }

    fn code(&mut self) -> u32 {
        const CODES: [u32; 10] = [0, 0, 0, 0, 10002, 10004, 23001, 23003, 23004, 70001];
        CODES[self.rng.usize(0..CODES.len())]
    }

    fn message(&mut self) -> Option<MessageArgument> {
        let n = self.rng.u64(1..4);
        let mut message = argument(n)?;
        match self.rng.u8(0..20) {
            0 => return None,
            1 => message.sequence = Some(f64::NAN),
            2 => message.to = None,
            3 => {
                message.conversation_type = Some("C2C".into());
                message.from = Some("a".into());
                message.random = Some(1.0);
                message.time = Some(2.0);
            }
            _ => {}
        }
        Some(message)
    }

    fn extension(&mut self) -> Extension {
        Extension {
            key: self.text(),
            value: self.text(),
            seq: self.number(),
            author: self.maybe(Self::text),
            time: self.maybe(Self::number),
        }
    }

    fn state(&mut self) -> MessageState {
        let state = MessageState {
            to_account: self.maybe(Self::text),
            message_id: self.maybe(Self::text),
            error_code: if self.rng.u8(0..8) == 0 { Some(self.code()) } else { None },
            complete_flag: self.maybe(Self::small),
            latest_seq: self.maybe(Self::number),
            clear_seq: self.maybe(Self::number),
            extension_list: self.maybe(|host| host.any(3, Self::extension)),
            ..MessageState::default()
        };
        let n = self.rng.u64(1..4);
        if self.rng.u8(0..8) > 0 { state.addressed_to(name(n)) } else { state }
    }

    fn record(&mut self) -> QueuedWrite {
        let item = |host: &mut Self| QueuedItem {
            key: host.text(),
            value: host.text(),
            seq: host.number(),
            seen: host.maybe(Self::text),
        };
        let write = QueuedWrite {
            order: self.maybe(Self::number),
            request_id: format!("{:032x}", self.rng.u8(0..4)),
            operate_type: self.small(),
            extension_list: self.any(3, item),
            ..QueuedWrite::default()
        };
        let n = self.rng.u64(1..4);
        if self.rng.u8(0..8) > 0 { write.addressed_to(name(n)) } else { write }
    }

    fn event(&mut self) -> WireEvent {
        let commands = [
            command::GROUP_CHANGE,
            command::GROUP_CHANGE,
            command::GROUP_CHANGE,
            command::C2C_CHANGE,
            command::C2C_MESSAGE,
            command::GROUP_MESSAGE,
            command::GROUP_LEFT,
            command::GROUP_DESTROYED,
            "other",
        ];
        let event = WireEvent {
            callback_command: commands[self.rng.usize(0..commands.len())].into(),
            operate_type: self.maybe(Self::small),
            extension_list: self.maybe(|host| host.any(3, Self::extension)),
            seq: self.maybe(Self::number),
            event_time: self.maybe(Self::number),
            message_id: self.maybe(Self::text),
            msg_body: self.maybe(|host| host.any(1, |_| MsgElement::default())),
            ..WireEvent::empty()
        };
        let n = self.rng.u64(1..4);
        if self.rng.u8(0..8) > 0 { event.addressed_to(name(n)) } else { event }
    }

    fn frame(&mut self) -> Option<ServerFrame> {
        let kinds =
            ["ready", "ready", "push", "push", "push", "resumed", "resumed", "refused", "pong", "other"];
        let frame = ServerFrame {
            r#type: kinds[self.rng.usize(0..kinds.len())].into(),
            error_code: self.maybe(Self::code),
            error_info: self.maybe(Self::text),
            events: self.maybe(|host| host.any(3, Self::event)),
            messages: self.maybe(|host| host.any(3, Self::state)),
            complete: self.maybe(Self::small),
        };
        self.maybe(|_| frame)
    }

    fn reply(&mut self) -> Result<Reply, Failure> {
        let error_code = self.code();
        let status = |ok: bool| String::from(if ok { "OK" } else { "" });
        let action_status = status(self.rng.u8(0..8) > 0);
        let error_info = String::new();
        let item =
            |host: &mut Self| ItemReply { error_code: host.code(), extension: host.maybe(Self::extension) };
        Ok(match self.rng.u8(0..8) {
            0 => return Err(Failure::Network),
            1 => return Err(Failure::Unusable),
            2 => Reply::Probe,
            3 => Reply::Send(SendReply {
                action_status,
                error_info,
                error_code,
                msg_time: self.number(),
                msg_key: None,
                msg_seq: self.maybe(Self::number),
                message_id: self.maybe(Self::text),
            }),
            4 => Reply::List(ListReply { action_status, error_info, error_code, ..ListReply::default() }),
            5 => Reply::Set(SetReply {
                action_status,
                error_info,
                error_code,
                extension_list: self.any(3, item),
                seq: self.maybe(Self::number),
            }),
            _ => Reply::Pull(PullReply {
                action_status,
                error_info,
                error_code,
                complete_flag: self.small(),
                latest_seq: self.number(),
                clear_seq: self.number(),
                extension_list: self.any(3, Self::extension),
                digest: self.maybe(|any| any.number() as u32),
            }),
        })
    }

    fn call(&mut self) -> CallId {
        self.last_call += 1;
        self.open.insert(self.last_call);
        self.last_call
    }

    fn step(&mut self) {
        let now = self.now;
        match self.rng.u8(0..30) {
            0 | 1 => {
                let (call, user, sig) = (self.call(), self.maybe(Self::text), self.maybe(Self::text));
                self.client.handle_login(call, user, sig, now);
            }
            2 => {
                let (states, records) = (self.any(3, Self::state), self.any(3, Self::record));
                self.client.handle_loaded(states, records, now);
            }
            3 if self.rng.u8(0..4) == 0 => {
                let call = self.call();
                self.client.handle_logout(call);
            }
            3 if self.rng.u8(0..4) == 0 => {
                let call = self.call();
                self.client.handle_destroy(call);
            }
            4 | 5 => self.client.handle_socket_open(now),
            6 => {
                let code = [0, 1006, 4001, 4004, 4005][self.rng.usize(0..5)];
                self.client.handle_socket_closed(code, now);
            }
            7..=11 => {
                let frame = self.frame();
                self.client.handle_frame(frame, now);
            }
            12..=15 => {
                let id = match self.requests.is_empty() {
                    true => self.small(),
                    false => self.requests.swap_remove(self.rng.usize(0..self.requests.len())).id,
                };
                let reply = self.reply();
                self.client.handle_reply(id, reply.map(Reply::with_status), now);
            }
            16 | 17 => {
                let (call, message) = (self.call(), self.message());
                let items =
                    self.maybe(|host| host.any(3, |host| (host.maybe(Self::text), host.maybe(Self::text))));
                self.client.handle_set(call, message, items, now);
            }
            18 => {
                let (call, message) = (self.call(), self.message());
                let keys = self.maybe(|host| host.maybe(|host| host.any(3, |host| host.maybe(Self::text))));
                self.client.handle_delete(call, message, keys, now);
            }
            19 | 20 => {
                let (call, message) = (self.call(), self.message());
                let keys = self.maybe(|host| host.maybe(|host| host.any(3, Self::text)));
                let source = [None, Some("cache"), Some("server"), Some("x")][self.rng.usize(0..4)];
                self.client.handle_get(call, message, keys.filter(|_| self.rng.bool()), source, now);
            }
            21 => {
                let (call, message, key) = (self.call(), self.message(), self.maybe(Self::text));
                self.client.handle_mutate(call, message, key, now);
            }
            22 => {
                let call = self.compute.pop().unwrap_or(self.last_call);
                let value = self.maybe(Self::text);
                self.client.handle_computed(call, value, now);
            }
            23 => {
                self.watches += 1;
                let (call, message) = (self.call(), self.message());
                self.client.handle_watch(call, self.watches, message, now);
            }
            24 => self.client.handle_unwatch(self.rng.u32(0..=self.watches)),
            25 => {
                let (call, message) = (self.call(), self.message());
                let body = self.maybe(|host| host.any(2, |_| MsgElement::default()));
                let rules = self.maybe(|_| Json("{}".into()));
                self.client.handle_send(call, message, body, rules, now);
                let (call, conversation, next) =
                    (self.call(), self.maybe(Self::text), self.maybe(Self::text));
                let count = self.maybe(|host| [f64::NAN, -1.0, 3.0][host.rng.usize(0..3)]);
                self.client.handle_list(call, conversation, next, count, now);
            }
            26 => {
                let (call, write) = self.queue.pop().unzip();
                if self.is_orderly {
                    self.records.extend(write);
                }
                self.client.handle_queued(call.unwrap_or(self.last_call));
            }
            27 if !self.is_orderly || !self.open.contains(&self.drain) => {
                let call = self.call();
                self.drain = call;
                let mut records = self.records.clone();
                records.extend(self.any(2, Self::record));
                self.client.handle_drain(call, records, now);
            }
            28 => {
                self.client.handle_keep();
                self.client.handle_wake(now);
            }
            _ => {
                self.now = match self.client.poll_timeout().filter(|_| self.rng.bool()) {
                    Some(at) => self.now.max(at),
                    None => now + self.rng.u64(0..10_000),
                };
                self.client.handle_timeout(self.now);
            }
        }
        self.take();
    }

    fn take(&mut self) {
        while let Some(output) = self.client.poll_output() {
            match output {
                Output::Request(request) => self.requests.push(request),
                Output::Abort(id) => self.requests.retain(|request| request.id != id),
                Output::Settle(call, _) => assert!(self.open.remove(&call), "call {call} is settled twice"),
                Output::Compute(call, _) => self.compute.push(call),
                Output::Emit(Event::Queue(call, mut write)) => {
                    write.order = Some(u64::from(call));
                    if !self.is_orderly {
                        self.records.push(write.clone());
                    }
                    self.queue.push((call, write));
                }
                _ => {}
            }
        }
    }

    fn run(mut self) {
        for _ in 0..STEPS {
            self.step();
        }
        let call = self.call();
        self.client.handle_destroy(call);
        self.take();
        assert!(self.open.is_empty(), "calls that are pending: {:?}", self.open);
        assert_eq!(self.client.poll_timeout(), None, "nothing goes on");
    }
}

fn every_seed(most: u64, is_orderly: bool) {
    for seed in 0..RUNS {
        let run = std::panic::catch_unwind(|| Host::new(seed, most, is_orderly).run());
        assert!(run.is_ok(), "failed with the seed {seed}");
    }
}

#[test]
fn rubbish_at_any_time_settles_each_call_once() {
    every_seed(1 << 53, true);
}

#[test]
fn an_owner_out_of_order_leaves_no_call_pending() {
    every_seed(1 << 53, false);
}

#[test]
fn the_largest_number_that_can_be_read_does_no_harm() {
    every_seed(u64::MAX, true);
}
