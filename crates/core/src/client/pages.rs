//! The pages of one pull, until it has finished (seeds 003 and 004).

use alloc::vec::Vec;

use crate::wire::{Extension, MessageState, PullReply};

/// One page: the reply to a pull, or a part of the answer to a resume.
#[derive(Debug, Default)]
pub(super) struct Page<'a> {
    /// Nothing follows.
    pub(super) is_last: bool,
    /// The message's counter.
    pub(super) latest_seq: u64,
    pub(super) clear_seq: u64,
    pub(super) digest: Option<u32>,
    pub(super) entries: &'a [Extension],
}

impl<'a> From<&'a PullReply> for Page<'a> {
    fn from(reply: &'a PullReply) -> Self {
        Self {
            is_last: reply.complete_flag == 1,
            latest_seq: reply.latest_seq,
            clear_seq: reply.clear_seq,
            digest: reply.digest,
            entries: &reply.extension_list,
        }
    }
}

impl<'a> From<&'a MessageState> for Page<'a> {
    fn from(state: &'a MessageState) -> Self {
        Self {
            is_last: state.complete_flag == Some(1),
            latest_seq: state.latest_seq.unwrap_or(0),
            clear_seq: state.clear_seq.unwrap_or(0),
            digest: state.digest,
            entries: state.extension_list.as_deref().unwrap_or_default(),
        }
    }
}

/// The pages of a pull that has not finished.
#[derive(Debug)]
pub(super) struct Pages {
    pub(super) start: u64,
    /// The digest of what was known when the pull was sent.
    pub(super) own: u32,
    /// The largest Seq that had been heard of then.
    pub(super) ahead: u64,
    /// The push connection that was live when the pull was sent, 0 for none.
    pub(super) connection: u64,
    /// The pages come by the push connection, which was asked to resume.
    pub(super) is_resumed: bool,
    next: u64,
    count: usize,
    pub(super) first_latest: u64,
    pub(super) latest: u64,
    pub(super) clear_seq: u64,
    /// The digest of the message's state at `latest`, if the server names it.
    pub(super) digest: Option<u32>,
    pub(super) entries: Vec<Extension>,
}

impl Pages {
    /// Far more than a message can fill.
    const MOST: usize = 100;

    pub(super) const fn new(start: u64, own: u32, ahead: u64, connection: u64) -> Self {
        Self {
            start,
            own,
            ahead,
            connection,
            is_resumed: false,
            next: start,
            count: 0,
            first_latest: 0,
            latest: 0,
            clear_seq: 0,
            digest: None,
            entries: Vec::new(),
        }
    }

    /// Whether the server's counter is before what it was: it has lost what it had.
    pub(super) const fn is_from_another_history(&self) -> bool {
        self.latest.saturating_add(1) < self.start
    }

    /// Whether it has brought anything new.
    pub(super) const fn is_different(&self) -> bool {
        self.latest >= self.start
    }

    /// The `StartSeq` of the next page.
    pub(super) const fn next(&self) -> u64 {
        self.next
    }

    /// Takes a page. `Some(true)`: it was the last; `None`: it cannot be used, or brings the pull no further.
    pub(super) fn add(&mut self, page: &Page<'_>) -> Option<bool> {
        if self.count == 0 {
            self.first_latest = page.latest_seq;
        }
        self.count += 1;
        self.latest = page.latest_seq;
        self.digest = page.digest;
        self.clear_seq = self.clear_seq.max(page.clear_seq);
        if page.entries.iter().any(|e| e.key.is_empty() || e.seq == 0) {
            return None;
        }
        let last = page.entries.last().map(|e| e.seq);
        self.entries.extend_from_slice(page.entries);
        if page.is_last {
            return Some(true);
        }
        let last = last.filter(|seq| *seq >= self.next && self.count < Self::MOST)?;
        self.next = last.saturating_add(1);
        Some(false)
    }
}
