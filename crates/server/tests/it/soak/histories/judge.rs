//! A checker of linearizability for this protocol, in time linear in the history but for a sort. An answer to a write, or
//! a pull, carries the Seq at which it was done, so there is one order in which the calls can have been done; the law says
//! what each must have answered in it, and the clock whether it can have been so: nothing is done before something that
//! was over when it began.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::super::replay::{Done, Replay, is_accepted};

/// What somebody asked.
#[derive(Debug, Clone)]
pub(super) enum Asked {
    Write { request_id: u128, operation: Value },
    Pull { start: u64, with_author: bool },
}

/// A call of one message, from the moment at which it was first sent to its answer.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) user: Arc<str>,
    pub(super) is_admin: bool,
    pub(super) asked: Asked,
    /// How often it was sent until it was answered.
    pub(super) tries: usize,
    /// Moments of one clock for all: no two are the same.
    pub(super) begun: u64,
    pub(super) ended: u64,
    /// As it came.
    pub(super) answer: String,
}

/// What cannot have been.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is none that a history has.
    Refused(String),
    /// A retry was answered in another way than at first.
    RetryDiffers {
        first: String,
        then: String,
    },
    /// So often nobody had written yet.
    RefusedTooEarly {
        attempts: usize,
    },
    /// Something was done before what was over when it began: something acknowledged was not there.
    Old {
        answer: String,
        at: u64,
        after: u64,
    },
    SeqTwice {
        seq: u64,
        answer: String,
    },
    /// Nobody was told that they have done it.
    SeqMissing {
        seq: u64,
    },
    NotByLaw {
        seq: u64,
        answer: String,
        expected: String,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(answer) => write!(to, "refused: {answer}"),
            Self::RetryDiffers { first, then } => write!(to, "answered {first}, and then {then}"),
            Self::RefusedTooEarly { attempts } => {
                write!(to, "refused as too frequent after {attempts} attempts")
            }
            Self::Old { answer, at, after } => {
                write!(to, "done at the Seq {at}, though {after} was over when it began: {answer}")
            }
            Self::SeqTwice { seq, answer } => write!(to, "the Seq {seq} was given twice: {answer}"),
            Self::SeqMissing { seq } => write!(to, "nobody was given the Seq {seq}"),
            Self::NotByLaw { seq, answer, expected } => {
                write!(to, "at the Seq {seq} the answer is {expected}, not {answer}")
            }
        }
    }
}

/// A call as somebody made it, however often it was sent.
#[derive(Debug, Clone)]
pub(super) struct Once {
    pub(super) done: Done,
    pub(super) begun: u64,
    pub(super) ended: u64,
    /// Twice the Seq that it took; what it saw without taking one is just after that.
    place: u64,
}

impl Once {
    pub(super) fn new(done: Done, begun: u64, ended: u64) -> Self {
        let answer = done.given();
        let place = match &done {
            Done::Write { operation, .. } => {
                2 * answer["Seq"].as_u64().unwrap() + u64::from(!is_accepted(operation, answer))
            }
            Done::Pull { .. } => 2 * answer["LatestSeq"].as_u64().unwrap() + 1,
        };
        Self { done, begun, ended, place }
    }

    const fn seq(&self) -> u64 {
        self.place / 2
    }

    const fn takes_seq(&self) -> bool {
        self.place.is_multiple_of(2)
    }
}

/// All calls of one message in the order in which they were done, and what it is after them.
///
/// # Errors
/// Why there is no such order.
pub(super) fn judge(mut calls: Vec<Once>, begin: Replay) -> Result<(Vec<Once>, Replay), Fault> {
    check_times(&calls)?;
    calls.sort_by_key(|call| (call.place, call.begun));
    let mut replay = begin;
    for call in &calls {
        let latest = replay.message.latest_seq;
        if call.takes_seq() && call.seq() <= latest {
            return Err(Fault::SeqTwice { seq: call.seq(), answer: call.done.given().to_string() });
        }
        if call.seq() > latest + u64::from(call.takes_seq()) {
            return Err(Fault::SeqMissing { seq: latest + 1 });
        }
        replay.check(&call.done).map_err(|expected| Fault::NotByLaw {
            seq: call.seq(),
            answer: call.done.given().to_string(),
            expected: expected.to_string(),
        })?;
    }
    Ok((calls, replay))
}

/// Goes through all beginnings and ends as they were: what begins is done after everything that has ended.
fn check_times(calls: &[Once]) -> Result<(), Fault> {
    let mut moments: Vec<_> =
        calls.iter().flat_map(|call| [(call.begun, false, call), (call.ended, true, call)]).collect();
    moments.sort_unstable_by_key(|(moment, ..)| *moment);
    let mut over = 0;
    for (_, is_end, call) in moments {
        if is_end {
            over = over.max(call.place);
        } else if call.place < over {
            let answer = call.done.given().to_string();
            return Err(Fault::Old { answer, at: call.seq(), after: over / 2 });
        }
    }
    Ok(())
}

/// What was sent under one request id is one call; what was refused as too frequent is none.
///
/// # Errors
/// When its answers differ, or nothing explains a refusal. `writes_per_minute` is the server's limit, 0 if it has none.
pub(super) fn once(calls: &[Call], writes_per_minute: usize) -> Result<Vec<Once>, Fault> {
    let mut all: Vec<Once> = Vec::with_capacity(calls.len());
    let (mut by_request, mut too_frequent) = (HashMap::new(), Vec::new());
    for call in calls {
        let answer: Value = serde_json::from_str(&call.answer).unwrap();
        if answer["ErrorCode"] == 23003 && writes_per_minute > 0 {
            too_frequent.push(call.ended);
            continue;
        }
        if answer["ActionStatus"] != "OK" {
            return Err(Fault::Refused(call.answer.clone()));
        }
        let done = match &call.asked {
            Asked::Write { request_id, operation } => {
                match by_request.entry((&call.user, *request_id)) {
                    Entry::Vacant(first) => {
                        first.insert((&call.answer, all.len()));
                    }
                    Entry::Occupied(first) => {
                        let (first, index) = *first.get();
                        if *first != call.answer {
                            let (first, then) = (first.clone(), call.answer.clone());
                            return Err(Fault::RetryDiffers { first, then });
                        }
                        // It was done when the first had its answer, and not before the first was sent.
                        all[index].begun = all[index].begun.min(call.begun);
                        all[index].ended = all[index].ended.min(call.ended);
                        continue;
                    }
                }
                Done::write(operation, &call.user, call.is_admin, answer)
            }
            Asked::Pull { start, with_author } => Done::pull(*start, *with_author, answer),
        };
        all.push(Once::new(done, call.begun, call.ended));
    }
    check_frequency(calls, &too_frequent, writes_per_minute)?;
    Ok(all)
}

/// Whoever is refused because too many write can count as many attempts.
fn check_frequency(calls: &[Call], refused: &[u64], writes_per_minute: usize) -> Result<(), Fault> {
    let Some(first) = refused.iter().min() else { return Ok(()) };
    let is_write = |call: &&Call| matches!(call.asked, Asked::Write { .. }) && call.begun < *first;
    let attempts = calls.iter().filter(is_write).map(|call| call.tries).sum();
    if attempts > writes_per_minute { Ok(()) } else { Err(Fault::RefusedTooEarly { attempts }) }
}
