//! How many writes of one message may be on their way. The server remembers the answers to a caller's last writes on a
//! message, so that a retry gets the first answer again; a write that has fallen further behind would be taken for a new
//! one, and meet itself as a conflict. Writes that would push an open one out of that memory wait.

use alloc::vec::Vec;

use super::CallId;
use super::write::Write;
use crate::list::take;

/// Half of the answers that a server remembers of one caller on one message; late doubles of older requests may take
/// the places of the other half.
const MOST: u64 = 4;

/// The writes of one message.
#[derive(Debug, Default)]
pub(super) struct Window {
    next: u64,
    /// Numbers of those whose answer has not come, ascending.
    open: Vec<u64>,
    waiting: Vec<Waiting>,
}

/// A write that has not been sent.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) write: Write,
    pub(super) give_up: u64,
}

impl Window {
    /// Queues a write behind those that wait.
    pub(super) fn queue(&mut self, write: Waiting) {
        self.waiting.push(write);
    }

    /// The first of those that wait of which `is_it` says so.
    pub(super) fn position(&self, is_it: impl Fn(&Write) -> bool) -> Option<usize> {
        self.waiting.iter().position(|waiting| is_it(&waiting.write))
    }

    /// Takes out one that waits.
    pub(super) fn take(&mut self, i: usize) -> Option<Write> {
        (i < self.waiting.len()).then(|| self.waiting.remove(i).write)
    }

    /// Whether no write is on its way.
    pub(super) fn is_quiet(&self) -> bool {
        self.open.is_empty()
    }

    /// The next write that may go, if any.
    pub(super) fn next(&mut self) -> Option<Waiting> {
        if self.is_full() || self.waiting.is_empty() { None } else { Some(self.waiting.remove(0)) }
    }

    /// A write goes out; its number.
    pub(super) fn open(&mut self) -> u64 {
        let number = self.next;
        self.next += 1;
        self.open.push(number);
        number
    }

    /// The write with this number is done.
    pub(super) fn close(&mut self, number: u64) {
        take(&mut self.open, |open| *open == number);
    }

    /// When the first of those that wait gives up, if that is before `soonest`.
    pub(super) fn deadline(&self, soonest: u64) -> u64 {
        self.waiting.iter().fold(soonest, |soonest, waiting| soonest.min(waiting.give_up))
    }

    /// One that has waited too long; taken out.
    pub(super) fn late(&mut self, now: u64) -> Option<Write> {
        let i = self.waiting.iter().position(|waiting| waiting.give_up <= now)?;
        Some(self.waiting.remove(i).write)
    }

    /// Adds everybody who waits.
    pub(super) fn add_calls(&self, calls: &mut Vec<CallId>) {
        for waiting in &self.waiting {
            calls.push(waiting.write.call);
        }
    }

    fn is_full(&self) -> bool {
        self.open.first().is_some_and(|oldest| self.next - oldest >= MOST)
    }
}
