//! The law: fixed cases, and properties of random histories.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail"
)]

use std::collections::{BTreeMap, BTreeSet};

use message_extensions_core::code::*;
use message_extensions_core::digest::of_entry;
use message_extensions_core::law::{Attempts, CallRate, Decision, Message, Operation, Terms, Writer};
use message_extensions_core::limits::Limits;
use message_extensions_core::wire::{Item, SetRequest};
use proptest::prelude::*;

fn item(key: &str, value: &str, seq: u64) -> Item {
    Item { key: key.into(), value: value.into(), seq: Some(seq) }
}

fn apply(message: &mut Message, operation: &Operation, admin: bool) -> Result<Decision, Error> {
    let decision = message.decide(
        operation,
        Writer { is_admin: admin, ..Writer::new("alice") },
        Terms::new(&Limits::DEFAULT, 1),
    )?;
    if let Some(change) = &decision.change {
        message.absorb(change);
    }
    Ok(decision)
}

fn set(message: &mut Message, items: &[Item]) -> Decision {
    apply(message, &Operation::Set(items.to_vec()), false).unwrap()
}

fn delete(message: &mut Message, items: &[Item]) -> Decision {
    apply(message, &Operation::Delete(items.to_vec()), false).unwrap()
}

fn clear(message: &mut Message) -> Decision {
    apply(message, &Operation::Clear, false).unwrap()
}

/// Code, value and Seq of each item.
fn answers(decision: &Decision) -> Vec<(u32, &str, u64)> {
    decision.items.iter().map(|i| (i.code, i.value.as_str(), i.seq)).collect()
}

#[test]
fn all_keys_of_an_operation_share_its_seq_and_the_next_takes_the_next() {
    let mut m = Message::default();
    assert_eq!(answers(&set(&mut m, &[item("a", "1", 0), item("b", "2", 0)])), [(0, "1", 1), (0, "2", 1)]);
    assert_eq!(answers(&set(&mut m, &[item("a", "1", 1)])), [(0, "1", 2)]);
    assert_eq!(m.latest_seq, 2);
}

#[test]
fn a_stale_seq_refuses_its_item_with_what_the_key_holds_and_the_others_count() {
    let mut m = Message::default();
    set(&mut m, &[item("a", "1", 0)]);
    let decision = set(&mut m, &[item("a", "x", 0), item("b", "2", 0), item("c", "3", 9)]);
    assert_eq!(answers(&decision), [(SEQ_CONFLICT, "1", 1), (0, "2", 2), (SEQ_CONFLICT, "", 0)]);
    assert_eq!(decision.latest_seq, 2);
}

#[test]
fn an_operation_whose_items_are_all_refused_takes_no_seq() {
    let mut m = Message::default();
    set(&mut m, &[item("a", "1", 0)]);
    let decision = set(&mut m, &[item("a", "x", 0)]);
    assert!(decision.change.is_none());
    assert_eq!((decision.latest_seq, m.latest_seq), (1, 1));
}

#[test]
fn a_tombstone_accepts_0_or_its_own_seq() {
    for (seq, code) in [(0, 0), (2, 0), (1, SEQ_CONFLICT)] {
        let mut m = Message::default();
        set(&mut m, &[item("a", "1", 0)]);
        assert_eq!(answers(&delete(&mut m, &[item("a", "", 1)])), [(0, "", 2)]);
        let decision = set(&mut m, &[item("a", "2", seq)]);
        assert_eq!(decision.items[0].code, code, "seq {seq}");
    }
}

#[test]
fn deleting_an_absent_key_succeeds_and_leaves_nothing() {
    let mut m = Message::default();
    let decision = delete(&mut m, &[item("a", "", 5)]);
    assert_eq!(answers(&decision), [(0, "", 0)]);
    assert!(decision.change.is_none() && m.entries.is_empty());
    set(&mut m, &[item("b", "1", 0)]);
    clear(&mut m);
    assert!(delete(&mut m, &[item("b", "", 1)]).change.is_none());
}

#[test]
fn a_clear_takes_a_seq_and_drops_tombstones_too_also_on_an_empty_message() {
    let mut m = Message::default();
    assert_eq!(clear(&mut m).latest_seq, 1);
    set(&mut m, &[item("a", "1", 0), item("b", "1", 0)]);
    delete(&mut m, &[item("a", "", 2)]);
    clear(&mut m);
    assert_eq!((m.latest_seq, m.clear_seq, m.entries.len(), m.live_keys()), (4, 4, 0, 0));
    assert_eq!(answers(&set(&mut m, &[item("a", "2", 0)])), [(0, "2", 5)]);
}

#[test]
fn an_admin_overwrites_without_a_seq() {
    let mut m = Message::default();
    set(&mut m, &[item("a", "1", 0)]);
    let blind = Item { seq: None, ..item("a", "2", 0) };
    assert_eq!(answers(&apply(&mut m, &Operation::Set(vec![blind]), true).unwrap()), [(0, "2", 2)]);
}

#[test]
fn three_hundred_live_keys_and_no_more_counting_only_what_would_be_accepted() {
    let mut m = Message::default();
    for i in 0..15 {
        let items: Vec<_> = (0..20).map(|j| item(&format!("k{i}_{j}"), "v", 0)).collect();
        set(&mut m, &items);
    }
    assert_eq!(m.live_keys(), 300);
    let before = m.clone();
    let error =
        apply(&mut m, &Operation::Set(vec![item("k0_0", "w", 1), item("new", "v", 0)]), false).unwrap_err();
    assert_eq!((error.code, &m), (INVALID_PARAMETER, &before));
    // A refused item does not count, nor does one that replaces a value.
    assert_eq!(answers(&set(&mut m, &[item("k0_0", "w", 1), item("new", "v", 7)]))[1].0, SEQ_CONFLICT);
    delete(&mut m, &[item("k0_1", "", 1)]);
    assert_eq!(set(&mut m, &[item("new", "v", 0)]).items[0].code, 0);
    assert_eq!(m.live_keys(), 300);
}

#[test]
fn where_the_limit_was_lowered_since_what_is_there_may_still_be_written_and_nothing_added() {
    let limits = Limits { live_keys: 1, ..Limits::DEFAULT };
    let mut m = Message::default();
    set(&mut m, &[item("a", "1", 0), item("b", "1", 0)]);
    let decide = |items: Vec<Item>| {
        m.decide(&Operation::Set(items), Writer::new("alice"), Terms::new(&limits, 1))
            .map(|decision| decision.latest_seq)
            .map_err(|error| error.code)
    };
    assert_eq!(decide(vec![item("a", "2", 1)]), Ok(2));
    assert_eq!(decide(vec![item("a", "2", 1), item("c", "1", 0)]), Err(INVALID_PARAMETER));
}

#[test]
fn one_tombstone_too_many_is_refused_with_an_item_code() {
    let limits = Limits { tombstones: 1, ..Limits::DEFAULT };
    let mut m = Message::default();
    set(&mut m, &[item("a", "1", 0), item("b", "1", 0)]);
    let both = Operation::Delete(vec![item("a", "", 1), item("b", "", 1)]);
    let decision = m.decide(&both, Writer::new("alice"), Terms::new(&limits, 1)).unwrap();
    assert_eq!(answers(&decision), [(0, "", 2), (TOO_MANY_TOMBSTONES, "1", 1)]);
}

#[test]
fn a_page_holds_200_and_never_splits_a_seq() {
    let mut m = Message::default();
    for i in 0..15 {
        let items: Vec<_> = (0..19).map(|j| item(&format!("k{i}_{j}"), "v", 0)).collect();
        set(&mut m, &items);
    }
    let page = m.pull(0);
    assert_eq!((page.entries.len(), page.complete), (190, false));
    let next = page.entries.last().unwrap().1.seq + 1;
    let page = m.pull(next);
    assert_eq!((page.entries.len(), page.complete), (95, true));
}

#[test]
fn an_operation_larger_than_a_page_makes_the_page_larger() {
    let unlimited = Limits { items: 0, live_keys: 0, ..Limits::DEFAULT };
    let mut m = Message::default();
    for (size, name) in [(250, "a"), (250, "b"), (2, "c")] {
        let items = (0..size).map(|i| item(&format!("{name}{i}"), "v", 0)).collect();
        let request =
            SetRequest { operate_type: Some(1), extension_list: Some(items), ..SetRequest::default() };
        let operation = Operation::parse(request, false, &unlimited).unwrap();
        let decision = m.decide(&operation, Writer::new("alice"), Terms::new(&unlimited, 1)).unwrap();
        m.absorb(&decision.change.unwrap());
    }
    let page = |start| {
        let page = m.pull(start);
        let seqs: BTreeSet<_> = page.entries.iter().map(|(_, e)| e.seq).collect();
        (page.entries.len(), seqs.into_iter().collect::<Vec<_>>(), page.complete, page.digest.is_some())
    };
    assert_eq!(page(0), (250, vec![1], false, false));
    assert_eq!(page(2), (250, vec![2], false, false));
    assert_eq!(page(3), (2, vec![3], true, true));
    // The last page may be such a one.
    let mut m = Message::default();
    let items = (0..201).map(|i| item(&i.to_string(), "v", 0)).collect();
    m.absorb(
        &m.decide(&Operation::Set(items), Writer::new("a"), Terms::new(&unlimited, 1))
            .unwrap()
            .change
            .unwrap(),
    );
    assert_eq!((m.pull(0).entries.len(), m.pull(0).complete), (201, true));
}

#[test]
fn tombstones_are_pulled_only_from_a_seq_past_0() {
    let mut m = Message::default();
    set(&mut m, &[item("a", "1", 0)]);
    delete(&mut m, &[item("a", "", 1)]);
    assert!(m.pull(0).entries.is_empty());
    assert_eq!(m.pull(1).into_reply(true).extension_list[0].value, "");
    assert!(m.pull(3).entries.is_empty());
}

#[test]
fn malformed_operations_are_refused_by_name() {
    let parse = |operate_type: Option<u32>, list: Option<Vec<Item>>| {
        let request = SetRequest { operate_type, extension_list: list, ..SetRequest::default() };
        Operation::parse(request, false, &Limits::DEFAULT)
    };
    let many: Vec<_> = (0..21).map(|i| item(&i.to_string(), "v", 0)).collect();
    let wrong = [
        (None, None, "OperateType"),
        (Some(4), None, "OperateType"),
        (Some(1), None, "ExtensionList"),
        (Some(2), Some(vec![]), "ExtensionList"),
        (Some(3), Some(vec![item("a", "", 0)]), "ExtensionList"),
        (Some(1), Some(many), "at most 20"),
        (Some(1), Some(vec![item("", "v", 0)]), "ExtensionList[0].Key"),
        (Some(1), Some(vec![item(&"é".repeat(51), "v", 0)]), "102 bytes"),
        (Some(1), Some(vec![item("a", "v", 0), item("b", "", 0)]), "ExtensionList[1].Value"),
        (Some(1), Some(vec![item("a", &"x".repeat(1001), 0)]), "1001 bytes"),
        (Some(2), Some(vec![item("a", "", 0), item("a", "", 0)]), "twice"),
        (Some(1), Some(vec![Item { seq: None, ..item("a", "v", 0) }]), "Seq"),
    ];
    for (operate_type, list, named) in wrong {
        let error = parse(operate_type, list.clone()).expect_err(named);
        assert_eq!(error.code, INVALID_PARAMETER);
        assert!(error.message.contains(named), "{list:?}: {error}");
    }
    assert!(parse(Some(1), Some(vec![item(&"é".repeat(50), &"x".repeat(1000), 0)])).is_ok());
    assert_eq!(parse(Some(3), Some(vec![])), Ok(Operation::Clear));
}

#[test]
fn a_message_admits_200_attempts_a_minute_and_60_of_one_user() {
    let mut attempts = Attempts::default();
    let limits = Limits::DEFAULT;
    let admitted =
        |attempts: &mut Attempts, user: &str, now: u64| attempts.admit(user, false, now, &limits).is_ok();
    assert_eq!((0..100).filter(|_| admitted(&mut attempts, "alice", 0)).count(), 60);
    for user in ["bob", "carol"] {
        assert_eq!((0..60).filter(|_| admitted(&mut attempts, user, 10)).count(), 60);
    }
    assert_eq!((0..60).filter(|_| admitted(&mut attempts, "dave", 20)).count(), 20);
    assert_eq!(attempts.admit("eve", true, 59_999, &limits).unwrap_err().code, TOO_MANY_WRITES);
    assert!(admitted(&mut attempts, "alice", 60_000));
    assert!(!attempts.is_idle(60_000) && attempts.is_idle(120_000));
}

#[test]
fn an_attempt_is_forgotten_when_a_minute_has_passed_and_not_with_the_others() {
    let mut attempts = Attempts::default();
    let limits = Limits { user_writes_per_minute: 2, ..Limits::DEFAULT };
    let mut admitted = |now: u64| attempts.admit("alice", false, now, &limits).is_ok();
    assert_eq!([0, 30_000, 59_999].map(&mut admitted), [true, true, false]);
    // The first has gone, the second counts for half a minute more.
    assert_eq!([60_000, 60_001, 89_999].map(&mut admitted), [true, false, false]);
    assert_eq!([90_000, 90_001].map(&mut admitted), [true, false]);
}

#[test]
fn each_of_the_two_limits_on_attempts_counts_without_the_other() {
    let admitted = |writes_per_minute, user_writes_per_minute| {
        let limits = Limits { writes_per_minute, user_writes_per_minute, ..Limits::DEFAULT };
        let mut attempts = Attempts::default();
        ["alice", "bob"]
            .map(|user| (0..9).filter(|_| attempts.admit(user, false, 0, &limits).is_ok()).count())
    };
    assert_eq!(admitted(3, 0), [3, 0]);
    assert_eq!(admitted(0, 3), [3, 3]);
    assert_eq!(admitted(0, 0), [9, 9]);
}

#[test]
fn who_has_not_called_in_this_second_is_idle() {
    let mut rate = CallRate::default();
    assert!(rate.admit(1999, 1).is_ok() && rate.admit(1000, 1).is_err());
    assert!([1000, 1999].iter().all(|now| !rate.is_idle(*now)));
    assert!([999, 2000, 2999].iter().all(|now| rate.is_idle(*now)));
    assert!(rate.admit(2999, 1).is_ok());
}

#[test]
fn calls_are_counted_a_second_at_a_time_and_0_turns_it_off() {
    let mut rate = CallRate::default();
    assert_eq!((0..300).filter(|_| rate.admit(1500, 200).is_ok()).count(), 200);
    assert!(rate.admit(2000, 200).is_ok() && rate.admit(2000, 0).is_ok());
}

// Properties of random histories.

#[derive(Debug, Clone)]
enum Step {
    Set(Vec<(u8, u8)>, i64),
    Delete(Vec<u8>, i64),
    Clear,
}

fn step() -> impl Strategy<Value = Step> {
    // The Seq that a writer gives is the key's own, or off by a little.
    let off = prop_oneof![4 => Just(0i64), 1 => -2..3i64];
    let keys = || proptest::collection::btree_set(0..12u8, 1..6);
    prop_oneof![
        6 => (keys(), any::<u8>(), off.clone())
            .prop_map(|(keys, v, off)| Step::Set(keys.into_iter().map(|k| (k, v)).collect(), off)),
        3 => (keys(), off).prop_map(|(keys, off)| Step::Delete(keys.into_iter().collect(), off)),
        1 => Just(Step::Clear),
    ]
}

fn take(m: &mut Message, step: &Step) -> Decision {
    let name = |k: &u8| format!("k{k}");
    let known = |m: &Message, k: &u8, off: i64| {
        let seq = m.entries.get(&name(k)).map_or(0, |e| e.seq);
        Some(seq.saturating_add_signed(off))
    };
    let operation = match step {
        Step::Set(items, off) => Operation::Set(
            items
                .iter()
                .map(|(k, v)| Item { key: name(k), value: format!("v{v}"), seq: known(m, k, *off) })
                .collect(),
        ),
        Step::Delete(keys, off) => Operation::Delete(
            keys.iter()
                .map(|k| Item { key: name(k), value: String::new(), seq: known(m, k, *off) })
                .collect(),
        ),
        Step::Clear => Operation::Clear,
    };
    apply(m, &operation, false).unwrap()
}

/// What a client that follows the seeds makes of a pull on top of what it had.
fn merge_pull(
    mut map: BTreeMap<String, (String, u64)>,
    m: &Message,
    start: u64,
) -> BTreeMap<String, (String, u64)> {
    let mut start = start;
    loop {
        let page = m.pull(start).into_reply(false);
        map.retain(|_, (_, seq)| *seq > page.clear_seq);
        for e in &page.extension_list {
            map.insert(e.key.clone(), (e.value.clone(), e.seq));
        }
        if page.complete_flag == 1 {
            map.retain(|_, (value, _)| !value.is_empty());
            return map;
        }
        start = page.extension_list.last().unwrap().seq + 1;
    }
}

proptest! {
    #[test]
    fn seq_is_dense_and_never_goes_back(steps in proptest::collection::vec(step(), 1..60)) {
        let mut m = Message::default();
        for step in &steps {
            let before = m.latest_seq;
            let decision = take(&mut m, step);
            let taken = u64::from(decision.change.is_some());
            prop_assert_eq!(m.latest_seq, before + taken);
            prop_assert_eq!(decision.latest_seq, m.latest_seq);
            prop_assert!(decision.change.is_none_or(|c| c.seq == before + 1));
            prop_assert_eq!(m.live_keys(), m.entries.values().filter(|e| e.value.is_some()).count());
        }
    }

    #[test]
    fn each_state_of_a_key_is_replaced_by_one_winner(steps in proptest::collection::vec(step(), 0..30), writers in 2..6usize) {
        let mut m = Message::default();
        for step in &steps {
            take(&mut m, step);
        }
        // All saw the same state of the key; each sets it once.
        let seen = m.entries.get("k0").map_or(0, |e| e.seq);
        let accepted = (0..writers).filter(|w| set(&mut m, &[item("k0", &format!("w{w}"), seen)]).items[0].code == 0);
        prop_assert_eq!(accepted.count(), 1);
    }

    #[test]
    fn pulling_from_any_seq_on_top_of_an_older_state_is_a_full_pull(
        before in proptest::collection::vec(step(), 0..30),
        after in proptest::collection::vec(step(), 0..30),
        start in any::<prop::sample::Index>(),
    ) {
        let mut m = Message::default();
        for step in &before {
            take(&mut m, step);
        }
        let known = m.latest_seq;
        let older = merge_pull(BTreeMap::new(), &m, 0);
        for step in &after {
            take(&mut m, step);
        }
        let full = merge_pull(BTreeMap::new(), &m, 0);
        let start = 1 + start.index(known as usize + 1) as u64;
        prop_assert_eq!(merge_pull(older, &m, start), full);
    }

    #[test]
    fn the_digest_is_that_of_what_is_there(steps in proptest::collection::vec(step(), 1..40)) {
        let mut m = Message::default();
        for step in &steps {
            take(&mut m, step);
            prop_assert_eq!(m.digest(), Message::restore(m.latest_seq, m.clear_seq, m.entries.clone()).digest());
            let live = m.entries.iter().filter_map(|(k, e)| Some(of_entry(k, e.value.as_ref()?, e.seq)));
            prop_assert_eq!(m.digest(), live.fold(0, u32::wrapping_add));
        }
    }

    #[test]
    fn nothing_comes_back_after_a_delete_or_a_clear(steps in proptest::collection::vec(step(), 1..40), last_is_clear: bool) {
        let mut m = Message::default();
        let mut older = Vec::new();
        for step in &steps {
            older.push((m.latest_seq, merge_pull(BTreeMap::new(), &m, 0)));
            take(&mut m, step);
        }
        if last_is_clear {
            clear(&mut m);
        } else {
            let live: Vec<_> = m.entries.iter().filter(|(_, e)| e.value.is_some()).map(|(k, e)| item(k, "", e.seq)).collect();
            if !live.is_empty() {
                delete(&mut m, &live);
            }
        }
        for (known, map) in older {
            prop_assert!(merge_pull(map, &m, known + 1).is_empty());
        }
    }

    #[test]
    fn a_page_never_splits_a_group_of_equal_seq(groups in proptest::collection::vec(1..21usize, 1..40), start in 0..40u64) {
        let mut m = Message::default();
        let unlimited = Limits { live_keys: 0, ..Limits::DEFAULT };
        for (i, size) in groups.iter().enumerate() {
            let items = (0..*size).map(|j| item(&format!("{i}.{j}"), "v", 0)).collect();
            let decision = m.decide(&Operation::Set(items), Writer::new("a"), Terms::new(&unlimited, 1)).unwrap();
            m.absorb(&decision.change.unwrap());
        }
        let mut start = start;
        loop {
            let page = m.pull(start);
            prop_assert!(page.entries.len() <= Limits::PAGE);
            let Some((_, last)) = page.entries.last() else { break };
            let whole = groups[last.seq as usize - 1];
            prop_assert_eq!(page.entries.iter().filter(|(_, e)| e.seq == last.seq).count(), whole);
            if page.complete {
                break;
            }
            start = last.seq + 1;
        }
    }
}
