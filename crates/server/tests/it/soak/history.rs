//! What one message went through, found out from the answers alone. The Seqs say in which order the operations were
//! done; done by the law in that order, each must answer what was answered, and the end must be what the server holds.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use super::follower::Known;
use super::replay::{Done, Replay, is_accepted, parse};
use crate::client::{Api, GROUP_GET, with};

/// An operation as it was sent, by whom, and its answer.
pub(super) struct Answered {
    pub(super) operation: Value,
    pub(super) author: String,
    pub(super) answer: Value,
}

impl Answered {
    /// The counter after it.
    pub(super) fn seq(&self) -> u64 {
        assert_eq!(self.answer["ActionStatus"], "OK", "{}: {}", self.operation, self.answer);
        self.answer["Seq"].as_u64().unwrap()
    }

    /// Whether it took that Seq, and did not only answer with it.
    pub(super) fn is_accepted(&self) -> bool {
        is_accepted(&parse(&self.operation, false), &self.answer)
    }
}

/// One message.
#[derive(Default)]
pub(super) struct History {
    replay: Replay,
    /// Each change as whoever hears of it must: kind, items and author, by Seq.
    changes: BTreeMap<u64, Value>,
}

impl History {
    /// Does what was answered since the last time, of which nothing may be missing.
    pub(super) fn advance(&mut self, answered: Vec<Answered>) {
        let (mut accepted, mut refused) = (BTreeMap::new(), HashMap::<u64, Vec<Answered>>::new());
        for one in answered {
            let seq = one.seq();
            if !one.is_accepted() {
                refused.entry(seq).or_default().push(one);
            } else if let Some(other) = accepted.insert(seq, one) {
                panic!("the Seq {seq} was given twice, once for {} by {}", other.operation, other.author);
            }
        }
        loop {
            let seq = self.replay.message.latest_seq;
            for one in refused.remove(&seq).unwrap_or_default() {
                self.apply(&one);
                assert_eq!(self.replay.message.latest_seq, seq);
            }
            let Some(one) = accepted.remove(&(seq + 1)) else { break };
            self.apply(&one);
            let kind = &one.operation["OperateType"];
            let change = json!({"OperateType": kind, "Author": one.author, "Items": written(&one)});
            self.changes.insert(seq + 1, change);
        }
        let last = self.replay.message.latest_seq;
        assert!(accepted.is_empty(), "after the Seq {last} comes {:?}", accepted.keys().next());
        assert!(refused.is_empty(), "answered with the Seq {:?}, not {last}", refused.keys().next());
    }

    fn apply(&mut self, one: &Answered) {
        let done = Done::write(&one.operation, &one.author, false, one.answer.clone());
        let expected = self.replay.answer(&done);
        assert_eq!(one.answer, expected, "{} by {}", one.operation, one.author);
    }

    /// Whether the server holds just this.
    pub(super) async fn check(&self, api: &Api, user: &str, named: &Value) {
        let (mut start, mut held) = (1, BTreeMap::new());
        loop {
            let page =
                api.ok(user, GROUP_GET, &with(named, json!({"StartSeq": start, "WithAuthor": 1}))).await;
            assert_eq!(
                (&page["LatestSeq"], &page["ClearSeq"]),
                (&json!(self.latest_seq()), &json!(self.replay.message.clear_seq))
            );
            for item in page["ExtensionList"].as_array().unwrap() {
                let text = |name: &str| item[name].as_str().unwrap().to_owned();
                let seq = item["Seq"].as_u64().unwrap();
                held.insert(text("Key"), (text("Value"), seq, text("Author")));
                start = seq + 1;
            }
            if page["CompleteFlag"] == 1 {
                break;
            }
        }
        let expected = self.replay.message.entries.iter().map(|(key, entry)| {
            let value = entry.value.clone().unwrap_or_default();
            (key.clone(), (value, entry.seq, entry.author.clone()))
        });
        assert_eq!(held, expected.collect::<BTreeMap<_, _>>());
    }

    /// Whether somebody who was told of everything knows just this.
    pub(super) fn check_known(&self, known: &Known) {
        assert_eq!(known.latest_seq, self.latest_seq());
        let live = self.replay.message.entries.iter().filter_map(|(key, entry)| {
            let value = entry.value.clone()?;
            Some((key.clone(), (value, entry.seq)))
        });
        assert_eq!(known.entries, live.collect());
    }

    /// Whether those who were told of changes were told of these, one after the other; of the last ones perhaps not. Who
    /// must be told of all of them has heard of `latest_seq`.
    pub(super) fn check_events(&self, events: &[Value]) {
        let mut last = None;
        for event in events {
            let seq = event["Seq"].as_u64().unwrap();
            assert!(last.is_none_or(|last| last + 1 == seq), "after the Seq {last:?} came {seq}");
            let told = json!({"OperateType": event["OperateType"], "Author": event["Author"], "Items": items(&event["ExtensionList"])});
            assert_eq!(Some(&told), self.changes.get(&seq), "the event of the Seq {seq}");
            last = Some(seq);
        }
    }

    pub(super) fn latest_seq(&self) -> u64 {
        self.replay.message.latest_seq
    }
}

/// The items that were accepted, as an event has them.
fn written(one: &Answered) -> Value {
    let all = one.answer["ExtensionList"].as_array().unwrap().iter();
    let accepted = all.filter(|item| item["ErrorCode"] == 0 && item["Extension"]["Seq"] != 0);
    items(&accepted.map(|item| item["Extension"].clone()).collect())
}

/// Key and value of each.
fn items(list: &Value) -> Value {
    list.as_array().unwrap().iter().map(|item| json!([item["Key"], item["Value"]])).collect()
}
