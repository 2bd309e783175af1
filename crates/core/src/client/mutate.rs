//! `mutateMessageExtension`: read, compute, compare-and-set, and on a conflict again with what the winner wrote.
//!
//! ```text
//!   Reading ──value, Seq──▶ Computing ──new value──▶ Writing ──accepted──▶ settled
//!      ▲                                               │ 23001
//!      └────────────────── Waiting (jitter) ◀──────────┘
//! ```
//! The write carries the Seq of the very value that was computed from, so nothing that came between is overwritten.

use alloc::string::String;
use alloc::vec;

use super::argument::{self, Extensible, MessageArgument};
use super::messages::Wanted;
use super::write::Write;
use super::{Answer, CallId, Client, Output, TIME_LIMIT, jitter, timeout};
use crate::code::{Error, INVALID_ARGUMENT, SEQ_CONFLICT};
use crate::limits::Limits;
use crate::wire::{QueuedItem, operate_type};

/// Compare-and-sets of one call at most.
const MOST_ATTEMPTS: u32 = 10;
/// The bound of the first wait, which grows with the attempts, milliseconds.
const WAIT: u64 = 40;

/// One call.
#[derive(Debug)]
pub(super) struct Mutation {
    pub(super) call: CallId,
    message: Extensible,
    key: String,
    give_up: u64,
    attempts: u32,
    stage: Stage,
}

#[derive(Debug, Clone, Copy)]
enum Stage {
    Reading,
    /// The user's function has the value that this Seq wrote.
    Computing {
        seq: u64,
    },
    Writing,
    Waiting {
        until: u64,
    },
}

impl Mutation {
    /// When it needs a look, if nothing comes before. While it reads or writes, the pull or the request has a deadline.
    pub(super) const fn deadline(&self) -> Option<u64> {
        match self.stage {
            Stage::Computing { .. } => Some(self.give_up),
            Stage::Waiting { until } => Some(until),
            Stage::Reading | Stage::Writing => None,
        }
    }
}

impl Client {
    /// `mutateMessageExtension(message, key, fn)`. [`Output::Compute`] asks for the function's result, which
    /// [`handle_computed`](Self::handle_computed) takes.
    pub fn handle_mutate(
        &mut self,
        call: CallId,
        message: Option<MessageArgument>,
        key: Option<String>,
        now: u64,
    ) {
        let made = self.mutate(call, message.as_ref(), key, now);
        self.made(call, made);
    }

    fn mutate(
        &mut self,
        call: CallId,
        message: Option<&MessageArgument>,
        key: Option<String>,
        now: u64,
    ) -> Result<(), Error> {
        self.admit()?;
        let message = argument::extensible(message)?;
        // One key is a list of one.
        let key = argument::keys(&[key])?.pop().unwrap_or_default();
        let give_up = now + TIME_LIMIT;
        self.mutations.push(Mutation { call, message, key, give_up, attempts: 0, stage: Stage::Reading });
        self.mutation_reads(call, now);
        Ok(())
    }

    /// What the user's function made of the value: the new one, or `None` to delete the key.
    pub fn handle_computed(&mut self, call: CallId, value: Option<String>, now: u64) {
        let Some(mutation) = self.mutations.iter_mut().find(|m| m.call == call) else { return };
        let Stage::Computing { seq } = mutation.stage else { return };
        let is_good = |v: &String| (1..=Limits::DEFAULT.value_bytes).contains(&v.len());
        if !value.as_ref().is_none_or(is_good) {
            let text = "fn must return a string of 1 to 1000 bytes of UTF-8, or undefined to delete the key";
            return self.settle(call, Err(Error::new(INVALID_ARGUMENT, text)));
        }
        mutation.stage = Stage::Writing;
        let operation = if value.is_some() { operate_type::SET } else { operate_type::DELETE };
        let item =
            QueuedItem { key: mutation.key.clone(), value: value.unwrap_or_default(), seq, seen: None };
        let (message, give_up) = (mutation.message.clone(), mutation.give_up);
        let write = Write { id: self.new_request_id(), call, message, operation, items: vec![item] };
        self.write_until(give_up, write, now);
    }

    /// The message is as current as it can be: hands the key's value to the user's function.
    pub(super) fn mutation_read(&mut self, call: CallId) {
        let Some(mutation) = self.mutations.iter_mut().find(|m| m.call == call) else { return };
        let cached = self.messages.at(&mutation.message);
        let value = cached.value_of(&mutation.key).map(String::from);
        mutation.stage = Stage::Computing { seq: cached.seq_of(&mutation.key) };
        self.outputs.push(Output::Compute(call, value));
    }

    /// A write was answered; settles its call, unless it is a mutation that tries again.
    pub(super) fn write_answered(&mut self, call: CallId, answer: Result<Answer, Error>, now: u64) {
        let is_conflict =
            matches!(&answer, Ok(Answer::Items(items)) if items.iter().any(|i| i.0 == SEQ_CONFLICT));
        let mutation = self.mutations.iter_mut().find(|m| m.call == call);
        let Some(mutation) = mutation.filter(|_| is_conflict) else { return self.settle(call, answer) };
        mutation.attempts += 1;
        let until = now + jitter(&mut self.rng, WAIT * u64::from(mutation.attempts));
        if mutation.attempts == MOST_ATTEMPTS || until >= mutation.give_up {
            let text = "others wrote this key each time before this could; try again";
            return self.settle(call, Err(Error::new(SEQ_CONFLICT, text)));
        }
        mutation.stage = Stage::Waiting { until };
    }

    pub(super) fn mutation_timeout(&mut self, now: u64) {
        while let Some(mutation) = self.mutations.iter().find(|m| m.deadline().is_some_and(|at| at <= now)) {
            let call = mutation.call;
            match mutation.stage {
                Stage::Waiting { .. } => self.mutation_reads(call, now),
                _ => self.settle(call, Err(timeout())),
            }
        }
    }

    fn mutation_reads(&mut self, call: CallId, now: u64) {
        let Some(mutation) = self.mutations.iter_mut().find(|m| m.call == call) else { return };
        mutation.stage = Stage::Reading;
        let (message, give_up) = (mutation.message.clone(), mutation.give_up);
        self.get(call, message, Wanted::Mutation, give_up, now);
    }
}
