//! Somebody else's checker of linearizability, which knows nothing of Seqs, on the same histories. It tries out orders, so
//! only short ones can be given to it.

use fastrand::Rng;
use serde_json::Value;
use todc_utils::Action;

use super::super::linear::{Act, Actions, is_linearizable};
use super::super::operation;
use super::super::replay::{Done, Replay};
use super::judge::{Once, judge};

/// Whether the other checker finds an order, beginning with this state. Each call is made by somebody of its own.
pub(super) fn has_order(calls: &[Once], begin: &Replay) -> bool {
    let mut actions: Actions =
        vec![(0, Action::Call(Act::Open)), (0, Action::Response(Act::Begin(begin.clone())))];
    let mut moments: Vec<_> = (1..)
        .zip(calls)
        .flat_map(|(n, call)| {
            let answer = Action::Response(Act::Done(call.done.clone()));
            [(call.begun, n, Action::Call(Act::Open)), (call.ended, n, answer)]
        })
        .collect();
    moments.sort_by_key(|(moment, ..)| *moment);
    actions.extend(moments.into_iter().map(|(_, n, action)| (n, action)));
    is_linearizable(actions)
}

const USERS: usize = 3;
const KEYS: [&str; 2] = ["a", "b"];

/// Somebody's call in this state, of which they may know an earlier one.
fn next_call(rng: &mut Rng, user: usize, state: &Replay) -> Done {
    if rng.bool() {
        return Done::pull(rng.u64(0..4), rng.bool(), Value::Null);
    }
    let old = rng.u64(0..2);
    let seq = |key: &str| state.message.entries.get(key).map_or(0, |entry| entry.seq.saturating_sub(old));
    let operation = operation(rng, KEYS.map(str::to_owned).into(), 2, 50, seq);
    Done::write(&operation, &format!("user{user}"), false, Value::Null)
}

/// So many calls of a few users, as a server that is right answers them, and every state that there was.
fn right(rng: &mut Rng, count: usize) -> (Vec<Once>, Vec<Replay>) {
    /// Since when, and whether the server has done it.
    type Open = (u64, Done, bool);
    let mut open: [Option<Open>; USERS] = Default::default();
    let (mut states, mut calls) = (vec![Replay::default()], Vec::new());
    for moment in (0..).step_by(1000) {
        let user = rng.usize(0..USERS);
        let state = &states[states.len() - 1];
        open[user] = match open[user].take() {
            None => Some((moment, next_call(rng, user, state), false)),
            Some((begun, done, false)) => {
                let mut next = state.clone();
                let answer = next.answer(&done);
                if next != *state {
                    states.push(next);
                }
                Some((begun, done.answered(answer), true))
            }
            Some((begun, done, true)) => {
                calls.push(Once::new(done, begun, moment));
                None
            }
        };
        if calls.len() == count {
            break;
        }
    }
    (calls, states)
}

/// Something that may be wrong with a history, and need not be: another answer, which would be right in some state, or
/// another time.
fn spoil(rng: &mut Rng, calls: &mut [Once], states: &[Replay]) {
    let last = calls.len() as u64 * 3000;
    let n = rng.usize(0..calls.len());
    let Once { done, begun, ended, .. } = calls[n].clone();
    calls[n] = if rng.bool() {
        let answer = states[rng.usize(0..states.len())].clone().answer(&done);
        Once::new(done.answered(answer), begun, ended)
    } else {
        // No two moments are the same.
        let begun = rng.u64(0..last) / 1000 * 1000 + 1 + n as u64;
        Once::new(done, begun, begun + 500 + rng.u64(0..6) * 1000)
    };
}

#[test]
fn the_checker_finds_an_order_where_another_checker_finds_one_and_none_where_not() {
    let histories = super::super::amount("SOAK_HISTORY_SMALL", 2000);
    let mut rng = Rng::with_seed(super::super::seed());
    let mut with_order = 0;
    for n in 0..histories {
        let count = rng.usize(2..14);
        let (mut calls, states) = right(&mut rng, count);
        for _ in 0..rng.usize(0..3) {
            spoil(&mut rng, &mut calls, &states);
        }
        let (ours, other) = (judge(calls.clone(), Replay::default()), has_order(&calls, &Replay::default()));
        with_order += u64::from(other);
        assert_eq!(ours.is_ok(), other, "the history {n}: {:?}\n{calls:#?}", ours.err());
    }
    assert!((histories / 10..histories / 10 * 9).contains(&with_order), "{with_order}");
    super::super::done(format_args!(
        "{histories} small histories, of which {with_order} have an order: both checkers say the same"
    ));
}
