//! Operations on one message: whatever they are, the law's promises are kept. They are stated here anew, in other words than the law's own.

use std::collections::BTreeMap;

use message_extensions_core::code::{INVALID_PARAMETER, SEQ_CONFLICT, TOO_MANY_TOMBSTONES};
use message_extensions_core::law::{Decision, Message, Operation};
use message_extensions_core::limits::{Limits, exceeds};
use message_extensions_core::wire::{Item, SetRequest};

use crate::check_refusal;

/// So small that the limits are reached.
const LIMITS: Limits = Limits { items: 4, live_keys: 6, tombstones: 4, ..Limits::DEFAULT };
const OPERATIONS: usize = 200;

/// Each operation: a byte that says what and by whom, then for each item a byte for its key and one for its Seq.
pub fn check(input: &[u8]) {
    let mut bytes = input.iter().copied();
    let mut message = Message::default();
    for _ in 0..OPERATIONS {
        let Some(what) = bytes.next() else { break };
        let admin = what & 4 != 0;
        let items: Vec<_> = (0..what >> 3 & 7).filter_map(|_| item(&mut bytes, &message)).collect();
        let request = SetRequest {
            operate_type: Some(u32::from(what & 3)),
            extension_list: (!items.is_empty()).then_some(items),
            ..SetRequest::default()
        };
        match Operation::parse(request, admin, &LIMITS) {
            Ok(operation) => apply(&mut message, &operation, admin, &LIMITS),
            Err(error) => check_refusal(error.code.into(), &error.message),
        }
    }
    pages(&message);
}

/// A key of a few, with its own Seq, one that is off, or none.
fn item(bytes: &mut impl Iterator<Item = u8>, message: &Message) -> Option<Item> {
    let (key, how) = (bytes.next()?, bytes.next()?);
    let key = format!("k{}", key % 12);
    let own = message.entries.get(&key).map_or(0, |entry| entry.seq);
    let seq = match how % 8 {
        0..=3 => Some(own),
        4 => Some(0),
        5 => Some(own + u64::from(how >> 3)),
        6 => Some(u64::MAX),
        _ => None,
    };
    let value = if how > 250 { String::new() } else { format!("v{how}") };
    Some(Item { key, value, seq })
}

/// What is at a key: its value, unless it was deleted, and its Seq.
type Map = BTreeMap<String, (Option<String>, u64)>;

fn map(message: &Message) -> Map {
    message.entries.iter().map(|(key, entry)| (key.clone(), (entry.value.clone(), entry.seq))).collect()
}

/// Applies it as a server does, and checks what it has answered and done.
pub(crate) fn apply(message: &mut Message, operation: &Operation, admin: bool, limits: &Limits) {
    let before = message.clone();
    let decision = match message.decide(operation, "alice", admin, 1, limits) {
        Ok(decision) => decision,
        Err(error) => {
            assert_eq!(error.code, INVALID_PARAMETER);
            assert!(matches!(operation, Operation::Set(_)));
            return check_refusal(error.code.into(), &error.message);
        }
    };
    assert_eq!(*message, before, "deciding changes nothing");
    if let Some(change) = &decision.change {
        assert_eq!(change.seq, before.latest_seq + 1, "Seq is dense");
        message.absorb(change);
    }
    assert_eq!(message.latest_seq, decision.latest_seq);
    let expected = expected(&before, operation, &decision, admin);
    assert_eq!(map(message), expected);

    let live = expected.values().filter(|(value, _)| value.is_some()).count();
    let tombstones = expected.len() - live;
    assert_eq!(message.live_keys(), live);
    assert!(live <= before.live_keys() || !exceeds(live, limits.live_keys));
    let had = before.entries.len() - before.live_keys();
    assert!(tombstones <= had || !exceeds(tombstones, limits.tombstones));
    assert!(expected.values().all(|(_, seq)| (message.clear_seq + 1..=message.latest_seq).contains(seq)));
}

/// What the message must hold after the operation, by what it was and by what each item was answered.
fn expected(before: &Message, operation: &Operation, decision: &Decision, admin: bool) -> Map {
    let (items, is_set) = match operation {
        Operation::Set(items) => (items, true),
        Operation::Delete(items) => (items, false),
        Operation::Clear => {
            assert!(decision.items.is_empty() && decision.change.is_some());
            return Map::new();
        }
    };
    let mut expected = map(before);
    let (seq, mut written) = (before.latest_seq + 1, 0);
    assert_eq!(items.len(), decision.items.len());
    for (item, answer) in items.iter().zip(&decision.items) {
        assert_eq!(item.key, answer.key);
        let held = expected.get(&item.key).cloned();
        let (value, own) = held.clone().unwrap_or_default();
        let is_absent = held.is_none();
        let fits = admin || item.seq == Some(own) || (item.seq == Some(0) && value.is_none());
        let told = (answer.value.as_str(), answer.seq);
        match answer.code {
            0 if !is_set && is_absent => assert_eq!(told, ("", 0)),
            0 => {
                assert!(fits, "{item:?} was accepted on {held:?}");
                let value = is_set.then(|| item.value.clone());
                assert_eq!(told, (value.as_deref().unwrap_or_default(), seq));
                expected.insert(item.key.clone(), (value, seq));
                written += 1;
            }
            SEQ_CONFLICT => {
                assert!(!fits, "{item:?} was refused on {held:?}");
                assert_eq!(told, (value.as_deref().unwrap_or_default(), own));
            }
            TOO_MANY_TOMBSTONES => {
                assert!(fits && !is_set);
                assert_eq!(told, (value.as_deref().unwrap(), own));
            }
            other => panic!("{other} is not a code of items"),
        }
    }
    assert_eq!(decision.change.is_some(), written > 0);
    expected
}

/// The pages of a pull join up to everything that there is.
fn pages(message: &Message) {
    let (mut start, mut pulled) = (1, Map::new());
    loop {
        let page = message.pull(start);
        assert!(page.entries.is_sorted_by_key(|(_, entry)| entry.seq));
        pulled.extend(
            page.entries.iter().map(|(key, entry)| ((*key).to_owned(), (entry.value.clone(), entry.seq))),
        );
        if page.complete {
            break;
        }
        start = page.entries.last().expect("a page that is not the last holds something").1.seq + 1;
    }
    assert_eq!(pulled, map(message));
    assert!(message.pull(0).entries.iter().all(|(_, entry)| entry.value.is_some()));
}
