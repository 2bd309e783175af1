//! What has happened in the store, in the order in which it took effect: what all others are held against.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use message_extensions_core::change::ChangeKind;
use message_extensions_core::law::{Change, Message};
use message_extensions_core::message::MessageRef;
use message_extensions_core::wire::{Event, Json, MsgElement};
use message_extensions_server::store::{Commit, REMEMBERED_ANSWERS};
use serde_json::Value;

use crate::world::{MESSAGE_ID, now_ms};

pub(crate) const GROUP: &str = "g";

pub(crate) type Map = BTreeMap<String, String>;

pub(crate) fn name() -> MessageRef {
    MessageRef::Group { group_id: GROUP.into(), msg_seq: 1 }
}

pub(crate) fn plus_one(value: Option<&str>) -> String {
    (value.map_or(0, |value| value.parse::<u32>().unwrap()) + 1).to_string()
}

#[derive(Default)]
pub(crate) struct History {
    pub(crate) message: Message,
    /// By Seq, as it is told.
    events: BTreeMap<u64, Value>,
    /// Every value that a key ever had.
    had: BTreeSet<(String, String)>,
    /// How often each value that somebody set was accepted.
    pub(crate) accepted: BTreeMap<String, u32>,
    /// The request ids of each caller, in the order in which they were answered.
    answered: BTreeMap<String, Vec<u128>>,
    /// Those that came again when nobody remembered them any more.
    pub(crate) too_late: BTreeSet<u128>,
    pub(crate) members: BTreeSet<String>,
    /// Who was one: the last Seq that was theirs to see, and when that was.
    past: BTreeMap<String, (u64, u64)>,
    /// When members came.
    joined: BTreeMap<String, u64>,
    trace: DefaultHasher,
}

impl History {
    /// One line of what the world's hash is made of; times of the day have no place in it.
    pub(crate) fn trace(&mut self, line: &str) {
        if std::env::var_os("SYSTEM_TRACE").is_some() {
            eprintln!("{:>7} {line}", now_ms());
        }
        (now_ms(), line).hash(&mut self.trace);
    }

    pub(crate) fn hash(&self) -> u64 {
        self.trace.finish()
    }

    pub(crate) fn live(&self) -> Map {
        let entries = self.message.entries.iter();
        entries.filter_map(|(key, entry)| Some((key.clone(), entry.value.clone()?))).collect()
    }

    pub(crate) fn committed(&mut self, commit: &Commit) {
        for change in &commit.changes {
            self.changed(change);
        }
        for (id, _) in &commit.answers {
            let answered = self.answered.entry(id.caller.clone()).or_default();
            if let Some(last) = answered.iter().rposition(|other| *other == id.request_id) {
                let since = (answered.len() - last - 1) as u64;
                assert!(since >= REMEMBERED_ANSWERS, "a request was decided twice");
                self.too_late.insert(id.request_id);
            }
            answered.push(id.request_id);
        }
        self.trace(&format!("commit of {} up to {}", commit.answers.len(), self.message.latest_seq));
    }

    fn changed(&mut self, change: &Change) {
        assert_eq!(change.seq, self.message.latest_seq + 1, "a Seq that has two contents, or none");
        if let ChangeKind::Set(items) = &change.kind {
            for (key, value) in items {
                if key == "count" {
                    let before = self.message.entries.get(key).and_then(|entry| entry.value.as_deref());
                    assert_eq!(*value, plus_one(before), "a mutation that overwrites another");
                } else {
                    *self.accepted.entry(value.clone()).or_default() += 1;
                }
            }
            self.had.extend(items.iter().cloned());
        }
        self.trace(&format!("{} {:?}", change.seq, change.kind));
        self.message.absorb(change);
        let event: Event<MsgElement, Json> = change.to_event(name(), Some(MESSAGE_ID.into()));
        self.events.insert(change.seq, serde_json::to_value(event).unwrap());
    }

    pub(crate) fn joined(&mut self, user: &str) {
        if self.members.insert(user.into()) {
            self.joined.insert(user.into(), now_ms());
        }
        self.past.remove(user);
        self.trace(&format!("{user} is a member"));
    }

    pub(crate) fn joined_after(&self, user: &str, at: u64) -> bool {
        self.joined.get(user).is_some_and(|joined| *joined > at)
    }

    pub(crate) fn left(&mut self, user: &str) {
        if self.members.remove(user) {
            self.past.insert(user.into(), (self.message.latest_seq, now_ms()));
            self.trace(&format!("{user} is none any more"));
        }
    }

    /// Whether the server has had this.
    pub(crate) fn has_had(&self, key: &str, value: &str) -> bool {
        self.had.contains(&(key.to_owned(), value.to_owned()))
    }

    /// Whoever is told this Seq may see it. `asked`: when they asked for it; what is pushed nobody asks for.
    pub(crate) fn may_see(&self, user: &str, seq: u64, asked: Option<u64>) {
        assert!(seq <= self.message.latest_seq, "{user} is told Seq {seq}, which was not committed");
        if self.members.contains(user) || seq == 0 {
            return;
        }
        let Some((last, at)) = self.past.get(user) else {
            panic!("{user} was never a member, and is told {seq}")
        };
        let was_asked_before = asked.is_some_and(|asked| asked <= *at);
        assert!(seq <= *last || was_asked_before, "{user} left at Seq {last}, and is told {seq}");
    }

    /// An event is what was committed.
    pub(crate) fn told(&self, user: &str, event: &Value) {
        let Some(seq) = event["Seq"].as_u64() else { return };
        self.may_see(user, seq, None);
        assert_eq!(
            Some(event),
            self.events.get(&seq),
            "Seq {seq} as {user} is told it, and as it was committed"
        );
    }
}
