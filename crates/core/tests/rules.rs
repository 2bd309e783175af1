//! The rules of a message: what each forbids, to whom, and that nothing else changes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use message_extensions_core::code::{
    CLEAR_REFUSED, CLOSED, FULL, INVALID_PARAMETER, KEY_OF_ANOTHER, SEQ_CONFLICT, VALUE_NOT_ALLOWED,
    WRITTEN_ONCE,
};
use message_extensions_core::law::{Decision, Message, Operation, Terms, Writer};
use message_extensions_core::limits::Limits;
use message_extensions_core::wire::{ClearBy, Item, KeyOwner, Rules};
use proptest::prelude::*;

/// Milliseconds since 1970; messages that close do so at it.
const NOON: u64 = 1_000_000;

const SENDER: Writer<'static> = Writer { is_sender: true, ..Writer::new("alice") };
const BOB: Writer<'static> = Writer::new("bob");
const ADMIN: Writer<'static> = Writer { is_admin: true, ..Writer::new("root") };

fn item(key: &str, value: &str, seq: u64) -> Item {
    Item { key: key.into(), value: value.into(), seq: Some(seq) }
}

fn set(key: &str, value: &str, seq: u64) -> Operation {
    Operation::Set(vec![item(key, value, seq)])
}

fn delete(key: &str, seq: u64) -> Operation {
    Operation::Delete(vec![item(key, "", seq)])
}

/// A message with rules, and what time it is.
struct Ruled {
    message: Message,
    rules: Rules,
    now: u64,
}

impl Ruled {
    fn new(rules: Rules) -> Self {
        rules.check(&Limits::DEFAULT).unwrap();
        Self { message: Message::default(), rules, now: 1 }
    }

    fn decide(&mut self, writer: Writer<'_>, operation: &Operation) -> Result<Decision, u32> {
        let terms = Terms { limits: &Limits::DEFAULT, rules: Some(&self.rules), now: self.now };
        let decision = self.message.decide(operation, writer, terms).map_err(|e| e.code)?;
        if let Some(change) = &decision.change {
            self.message.absorb(change);
        }
        Ok(decision)
    }

    /// The code of each item.
    fn items(&mut self, writer: Writer<'_>, operation: &Operation) -> Vec<u32> {
        self.decide(writer, operation).unwrap().items.iter().map(|item| item.code).collect()
    }

    /// The code of the only item.
    fn item(&mut self, writer: Writer<'_>, operation: &Operation) -> u32 {
        self.items(writer, operation)[0]
    }

    /// The code of a clear.
    fn clear(&mut self, writer: Writer<'_>) -> u32 {
        self.decide(writer, &Operation::Clear).err().unwrap_or(0)
    }
}

fn owned(suffix: &str) -> Rules {
    Rules { key_owner: Some(KeyOwner { suffix: suffix.into() }), ..Rules::default() }
}

#[test]
fn a_key_is_its_owners_alone_to_set_and_to_delete() {
    let mut vote = Ruled::new(owned("_0"));
    assert_eq!(vote.item(BOB, &set("bob_0", "1", 0)), 0);
    for key in ["alice_0", "bob", "bob_1", "bob_00", "_0", "bob_0_0", "abob_0", "Bob_0", "closed"] {
        assert_eq!(vote.item(BOB, &set(key, "1", 0)), KEY_OF_ANOTHER, "{key}");
        assert_eq!(vote.item(BOB, &delete(key, 0)), KEY_OF_ANOTHER, "{key}");
    }
    // Not even the sender.
    let refused = vote.decide(SENDER, &set("bob_0", "2", 1)).unwrap();
    assert_eq!(
        (refused.items[0].code, refused.items[0].value.as_str(), refused.items[0].seq),
        (KEY_OF_ANOTHER, "1", 1)
    );
    assert!(refused.change.is_none());
    assert_eq!(vote.item(ADMIN, &set("bob_0", "2", 0)), 0);
    assert_eq!(vote.item(BOB, &delete("bob_0", 2)), 0);
}

#[test]
fn without_a_suffix_the_key_is_the_user_id() {
    let mut chain = Ruled::new(owned(""));
    assert_eq!(chain.item(BOB, &set("bob", "me too", 0)), 0);
    assert_eq!(chain.item(BOB, &set("bobby", "he too", 0)), KEY_OF_ANOTHER);
    assert_eq!(chain.item(BOB, &set("", "he too", 0)), KEY_OF_ANOTHER);
}

#[test]
fn items_that_break_no_rule_count() {
    let mut vote = Ruled::new(owned("_0"));
    let two = Operation::Set(vec![item("carol_0", "1", 0), item("bob_0", "1", 0)]);
    let decision = vote.decide(BOB, &two).unwrap();
    assert_eq!(decision.items.iter().map(|i| i.code).collect::<Vec<_>>(), [KEY_OF_ANOTHER, 0]);
    assert_eq!(decision.latest_seq, 1);
    assert_eq!(vote.message.live_keys(), 1);
}

#[test]
fn what_is_written_once_stays() {
    let mut ballot = Ruled::new(Rules { write_once: true, ..Rules::default() });
    assert_eq!(ballot.item(BOB, &set("k", "1", 0)), 0);
    for seq in [0, 1, 7] {
        assert_eq!(ballot.item(BOB, &set("k", "2", seq)), WRITTEN_ONCE);
        assert_eq!(ballot.item(BOB, &delete("k", seq)), WRITTEN_ONCE);
    }
    assert_eq!(ballot.item(BOB, &delete("never set", 0)), 0);
    assert_eq!(ballot.message.latest_seq, 1);
    // Whom an admin has given their vote back may vote again.
    assert_eq!(ballot.item(ADMIN, &delete("k", 0)), 0);
    assert_eq!(ballot.item(BOB, &set("k", "2", 0)), 0);
}

#[test]
fn nothing_is_written_from_the_time_on_at_which_the_message_closes() {
    let mut vote = Ruled::new(Rules { closes_at: Some(NOON), ..Rules::default() });
    vote.now = NOON - 1;
    assert_eq!(vote.item(BOB, &set("k", "1", 0)), 0);
    for now in [NOON, NOON + 1, u64::MAX] {
        vote.now = now;
        for writer in [BOB, SENDER] {
            assert_eq!(vote.item(writer, &set("k", "2", 1)), CLOSED);
            assert_eq!(vote.item(writer, &set("new", "2", 0)), CLOSED);
            assert_eq!(vote.item(writer, &delete("k", 1)), CLOSED);
            assert_eq!(vote.clear(writer), CLEAR_REFUSED);
        }
    }
    assert_eq!(vote.message.latest_seq, 1);
    assert_eq!(vote.item(ADMIN, &set("result", "1", 0)), 0);
    assert_eq!(vote.clear(ADMIN), 0);
}

#[test]
fn there_are_as_many_seats_as_the_rule_says_and_no_more() {
    let mut chain = Ruled::new(Rules { max_keys: Some(2), ..Rules::default() });
    let three = Operation::Set(vec![item("a", "1", 0), item("b", "1", 0), item("c", "1", 0)]);
    assert_eq!(chain.items(BOB, &three), [0, 0, FULL]);
    assert_eq!(chain.item(BOB, &set("a", "2", 1)), 0, "a seat that is taken may be written");
    assert_eq!(chain.item(BOB, &set("c", "1", 5)), SEQ_CONFLICT);
    assert_eq!(chain.item(BOB, &delete("b", 1)), 0);
    assert_eq!(chain.item(BOB, &set("c", "1", 0)), 0, "a seat that was given back is free");
    assert_eq!(chain.item(BOB, &set("b", "1", 0)), FULL, "a tombstone takes no seat, and keeps none");
    assert_eq!(chain.item(ADMIN, &set("b", "1", 0)), 0);
    assert_eq!(chain.message.live_keys(), 3);
    assert_eq!(chain.item(BOB, &set("a", "3", 2)), 0);
}

#[test]
fn a_value_is_one_of_those_listed() {
    let values = Some(vec!["yes".into(), "no".into()]);
    let mut vote = Ruled::new(Rules { values, ..Rules::default() });
    assert_eq!(vote.item(BOB, &set("k", "yes", 0)), 0);
    for value in ["", "maybe", "YES", "yes ", "yesno"] {
        assert_eq!(vote.item(BOB, &set("k", value, 1)), VALUE_NOT_ALLOWED, "{value}");
    }
    assert_eq!(vote.item(BOB, &delete("k", 1)), 0);
    assert_eq!(vote.item(ADMIN, &set("k", "maybe", 0)), 0);
}

#[test]
fn who_may_clear_is_said_or_follows_from_the_other_rules() {
    let by = |clear_by| Rules { clear_by: Some(clear_by), ..Rules::default() };
    let (any, sender, admin) = ([0, 0, 0], [CLEAR_REFUSED, 0, 0], [CLEAR_REFUSED, CLEAR_REFUSED, 0]);
    for (rules, codes) in [
        (Rules::default(), any),
        (Rules { max_keys: Some(1), ..Rules::default() }, any),
        (owned("_0"), sender),
        (Rules { write_once: true, ..Rules::default() }, sender),
        (by(ClearBy::Any), any),
        (by(ClearBy::Author), sender),
        (by(ClearBy::Admin), admin),
        (Rules { clear_by: Some(ClearBy::Any), write_once: true, ..owned("") }, any),
        (Rules { clear_by: Some(ClearBy::Admin), ..owned("") }, admin),
    ] {
        let mut ruled = Ruled::new(rules.clone());
        assert_eq!([BOB, SENDER, ADMIN].map(|writer| ruled.clear(writer)), codes, "{rules:?}");
        let accepted = codes.iter().filter(|code| **code == 0).count() as u64;
        assert_eq!(ruled.message.latest_seq, accepted, "a clear that is refused takes no Seq");
    }
}

#[test]
fn rules_that_make_no_sense_are_refused_by_name() {
    let values = |values: Vec<String>| Rules { values: Some(values), ..Rules::default() };
    for (rules, names) in [
        (owned(&"x".repeat(100)), "ExtensionRules.KeyOwner.Suffix"),
        (Rules { closes_at: Some(0), ..Rules::default() }, "ExtensionRules.ClosesAt"),
        (Rules { max_keys: Some(0), ..Rules::default() }, "ExtensionRules.MaxKeys"),
        (Rules { max_keys: Some(301), ..Rules::default() }, "ExtensionRules.MaxKeys"),
        (values(vec![]), "ExtensionRules.Values"),
        (values((0..101).map(|i| i.to_string()).collect()), "ExtensionRules.Values"),
        (values(vec!["a".into(), String::new()]), "ExtensionRules.Values[1]"),
        (values(vec!["人".repeat(334)]), "ExtensionRules.Values[0]"),
        (values(vec!["a".into(), "b".into(), "a".into()]), "ExtensionRules.Values[2]"),
    ] {
        let error = rules.check(&Limits::DEFAULT).unwrap_err();
        assert_eq!(error.code, INVALID_PARAMETER);
        assert!(error.message.contains(names), "{names}: {error}");
    }
    owned(&"x".repeat(99)).check(&Limits::DEFAULT).unwrap();
    values((0..100).map(|i| i.to_string()).collect()).check(&Limits::DEFAULT).unwrap();
}

fn rules() -> impl Strategy<Value = Rules> {
    let owner = proptest::option::of("[_0]{0,2}".prop_map(|suffix| KeyOwner { suffix }));
    let values = proptest::option::of(Just(vec!["1".to_string(), "2".into()]));
    let clear_by =
        proptest::option::of(prop_oneof![Just(ClearBy::Admin), Just(ClearBy::Author), Just(ClearBy::Any)]);
    let closes_at = proptest::option::of(1..40u64);
    (owner, any::<bool>(), closes_at, proptest::option::of(1..4usize), values, clear_by).prop_map(
        |(key_owner, write_once, closes_at, max_keys, values, clear_by)| Rules {
            key_owner,
            write_once,
            closes_at,
            max_keys,
            values,
            clear_by,
        },
    )
}

fn operation() -> impl Strategy<Value = Operation> {
    let item = ("(a|b)(_0|0|)", "[123]", 0..6u64).prop_map(|(key, value, seq)| item(&key, &value, seq));
    let items = proptest::collection::vec(item, 1..4);
    prop_oneof![
        5 => items.clone().prop_map(Operation::Set),
        3 => items.prop_map(Operation::Delete),
        1 => Just(Operation::Clear)
    ]
}

proptest! {
    /// Written apart from the law: whatever is done, in whatever order, what the message holds keeps every rule.
    #[test]
    fn what_a_message_holds_keeps_its_rules(
        rules in rules(),
        operations in proptest::collection::vec((operation(), prop::bool::ANY), 1..40),
    ) {
        let mut ruled = Ruled::new(rules.clone());
        for (i, (operation, is_a)) in operations.iter().enumerate() {
            ruled.now = i as u64 + 1;
            let (before, user) = (ruled.message.clone(), if *is_a { "a" } else { "b" });
            let writer = Writer { is_sender: *is_a, ..Writer::new(user) };
            let Ok(decision) = ruled.decide(writer, operation) else { continue };
            let (after, is_clear) = (&ruled.message, matches!(operation, Operation::Clear));
            prop_assert_eq!(after.latest_seq, before.latest_seq + u64::from(decision.change.is_some()));
            if rules.closes_at.is_some_and(|at| ruled.now >= at) {
                prop_assert_eq!(after, &before);
            }
            prop_assert!(rules.max_keys.is_none_or(|max| after.live_keys() <= max));
            for (key, entry) in &after.entries {
                if before.entries.get(key) == Some(entry) {
                    continue;
                }
                let value = entry.value.as_deref();
                let is_own = |owner: &KeyOwner| *key == format!("{user}{}", owner.suffix);
                prop_assert!(rules.key_owner.as_ref().is_none_or(is_own));
                prop_assert!(rules.values.is_none() || value.is_none_or(|value| value != "3"));
                prop_assert!(!rules.write_once || before.entries.get(key).is_none_or(|e| e.value.is_none()));
            }
            if is_clear {
                prop_assert!(*is_a || rules.clear_by == Some(ClearBy::Any) || rules.clear_by.is_none());
                prop_assert!(rules.clear_by != Some(ClearBy::Admin));
            } else if rules.write_once {
                prop_assert!(before.entries.iter().all(|(k, e)| e.value.is_none() || after.entries.get(k) == Some(e)));
            }
        }
    }
}
