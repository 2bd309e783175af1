//! Operations on one message: whatever they are, the law's promises are kept. They are stated here anew, in other words than the law's own.

use std::collections::BTreeMap;

use message_extensions_core::code::{
    CLEAR_REFUSED, CLOSED, FULL, INVALID_PARAMETER, KEY_OF_ANOTHER, SEQ_CONFLICT, TOO_MANY_TOMBSTONES,
    VALUE_NOT_ALLOWED, WRITTEN_ONCE,
};
use message_extensions_core::law::{Decision, Message, Operation, Terms, Writer};
use message_extensions_core::limits::{Limits, exceeds};
use message_extensions_core::wire::{ClearBy, Item, KeyOwner, Rules, SetRequest};

use crate::check_refusal;

/// So small that the limits are reached.
const LIMITS: Limits = Limits { items: 4, live_keys: 6, tombstones: 4, ..Limits::DEFAULT };
const OPERATIONS: u64 = 200;
/// With the suffix `1` the owner of `k1`.
const USER: &str = "k";

/// A byte for the message's rules; then each operation: a byte that says what and by whom, then for each item a byte for its
/// key and one for its Seq.
pub fn check(input: &[u8]) {
    let mut bytes = input.iter().copied();
    let mut message = Message::default();
    let rules = rules(bytes.next().unwrap_or(0));
    for now in 1..=OPERATIONS {
        let Some(what) = bytes.next() else { break };
        let admin = what & 4 != 0;
        let writer = Writer { user: USER, is_admin: admin, is_sender: now % 2 == 0 };
        let terms = Terms { limits: &LIMITS, rules: Some(&rules), now };
        let items: Vec<_> = (0..what >> 3 & 7).filter_map(|_| item(&mut bytes, &message)).collect();
        let request = SetRequest {
            operate_type: Some(u32::from(what & 3)),
            extension_list: (!items.is_empty()).then_some(items),
            ..SetRequest::default()
        };
        match Operation::parse(request, admin, &LIMITS) {
            Ok(operation) => apply(&mut message, &operation, writer, terms),
            Err(error) => check_refusal(error.code.into(), &error.message),
        }
    }
    pages(&message);
}

/// Each rule is there or not.
fn rules(bits: u8) -> Rules {
    let is = |bit: u8| bits >> bit & 1 == 1;
    let clear_by = [None, Some(ClearBy::Admin), Some(ClearBy::Author), Some(ClearBy::Any)];
    Rules {
        key_owner: is(0).then(|| KeyOwner { suffix: "1".into() }),
        write_once: is(1),
        closes_at: is(2).then_some(8),
        max_keys: is(3).then_some(3),
        values: is(4).then(|| ["v0", "v1", "v9", "v17"].map(String::from).into()),
        clear_by: clear_by[usize::from(bits >> 5 & 3)],
    }
}

/// The rules that forbid to set a key to the value, or to delete it.
fn broken(rules: &Rules, key: &str, value: Option<&str>, is_live: bool, now: u64) -> Vec<u32> {
    let mut broken = Vec::new();
    let mut add = |code, is_broken: bool| broken.extend(is_broken.then_some(code));
    add(CLOSED, rules.closes_at.is_some_and(|at| at <= now));
    add(
        KEY_OF_ANOTHER,
        rules.key_owner.as_ref().is_some_and(|owner| key != format!("{USER}{}", owner.suffix)),
    );
    add(WRITTEN_ONCE, rules.write_once && is_live);
    let values = rules.values.iter().flatten().collect::<Vec<_>>();
    add(
        VALUE_NOT_ALLOWED,
        value.is_some_and(|value| rules.values.is_some() && !values.iter().any(|v| *v == value)),
    );
    broken
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
pub(crate) fn apply(message: &mut Message, operation: &Operation, writer: Writer<'_>, terms: Terms<'_>) {
    let (before, limits) = (message.clone(), terms.limits);
    let decision = match message.decide(operation, writer, terms) {
        Ok(decision) => decision,
        Err(error) => {
            let is_clear = matches!(operation, Operation::Clear);
            assert_eq!(error.code, if is_clear { CLEAR_REFUSED } else { INVALID_PARAMETER });
            assert!(!is_clear || !may_clear(terms, writer));
            assert!(!matches!(operation, Operation::Delete(_)));
            return check_refusal(error.code.into(), &error.message);
        }
    };
    assert_eq!(*message, before, "deciding changes nothing");
    if let Some(change) = &decision.change {
        assert_eq!(change.seq, before.latest_seq + 1, "Seq is dense");
        message.absorb(change);
    }
    assert_eq!(message.latest_seq, decision.latest_seq);
    assert!(*operation != Operation::Clear || may_clear(terms, writer));
    let expected = expected(&before, operation, &decision, writer, terms);
    assert_eq!(map(message), expected);

    let live = expected.values().filter(|(value, _)| value.is_some()).count();
    let tombstones = expected.len() - live;
    assert_eq!(message.live_keys(), live);
    assert!(live <= before.live_keys() || !exceeds(live, limits.live_keys));
    let seats = terms.rules.and_then(|rules| rules.max_keys).filter(|_| !writer.is_admin);
    assert!(live <= before.live_keys() || seats.is_none_or(|seats| live <= seats));
    let had = before.entries.len() - before.live_keys();
    assert!(tombstones <= had || !exceeds(tombstones, limits.tombstones));
    assert!(expected.values().all(|(_, seq)| (message.clear_seq + 1..=message.latest_seq).contains(seq)));
}

fn may_clear(terms: Terms<'_>, writer: Writer<'_>) -> bool {
    let Some(rules) = terms.rules.filter(|_| !writer.is_admin) else { return true };
    let protects = rules.write_once || rules.key_owner.is_some();
    let by = rules.clear_by.unwrap_or(if protects { ClearBy::Author } else { ClearBy::Any });
    let is_open = rules.closes_at.is_none_or(|at| at > terms.now);
    is_open && (by == ClearBy::Any || (by == ClearBy::Author && writer.is_sender))
}

/// What the message must hold after the operation, by what it was and by what each item was answered.
fn expected(
    before: &Message,
    operation: &Operation,
    decision: &Decision,
    writer: Writer<'_>,
    terms: Terms<'_>,
) -> Map {
    let admin = writer.is_admin;
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
        let set_to = is_set.then_some(item.value.as_str());
        let rules = terms.rules.filter(|_| !admin);
        let broken =
            rules.map_or(Vec::new(), |rules| broken(rules, &item.key, set_to, value.is_some(), terms.now));
        assert!(broken.is_empty() || broken.contains(&answer.code), "{item:?} was not refused: {answer:?}");
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
            FULL => {
                assert!(fits && is_set && value.is_none());
                let live = expected.values().filter(|(value, _)| value.is_some()).count();
                assert!(rules.and_then(|rules| rules.max_keys).is_some_and(|seats| live >= seats));
                assert_eq!(told, ("", own));
            }
            rule if broken.contains(&rule) => {
                assert_eq!(told, (value.as_deref().unwrap_or_default(), own));
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
