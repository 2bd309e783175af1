//! The pages of one pull, until it has finished (seeds 003 and 004).

use alloc::vec::Vec;

use crate::wire::{Extension, PullReply};

/// The pages of a pull that has not finished.
#[derive(Debug)]
pub(super) struct Pages {
    pub(super) start: u64,
    /// The push connection that was live when the pull was sent, 0 for none.
    pub(super) connection: u64,
    /// The pages come by the push connection, which was asked to resume.
    pub(super) is_resumed: bool,
    next: u64,
    count: usize,
    pub(super) first_latest: u64,
    pub(super) latest: u64,
    pub(super) clear_seq: u64,
    pub(super) entries: Vec<Extension>,
}

impl Pages {
    /// Far more than a message can fill.
    const MOST: usize = 100;

    pub(super) const fn new(start: u64, connection: u64) -> Self {
        Self {
            start,
            connection,
            is_resumed: false,
            next: start,
            count: 0,
            first_latest: 0,
            latest: 0,
            clear_seq: 0,
            entries: Vec::new(),
        }
    }

    /// Those that will come by the push connection.
    pub(super) fn resumed(start: u64, connection: u64) -> Self {
        Self { is_resumed: true, ..Self::new(start, connection) }
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
    pub(super) fn add(&mut self, mut page: PullReply) -> Option<bool> {
        if self.count == 0 {
            self.first_latest = page.latest_seq;
        }
        self.count += 1;
        self.latest = page.latest_seq;
        self.clear_seq = self.clear_seq.max(page.clear_seq);
        if page.extension_list.iter().any(|e| e.key.is_empty() || e.seq == 0) {
            return None;
        }
        let last = page.extension_list.last().map(|e| e.seq);
        self.entries.append(&mut page.extension_list);
        if page.complete_flag == 1 {
            return Some(true);
        }
        let last = last.filter(|seq| *seq >= self.next && self.count < Self::MOST)?;
        self.next = last.saturating_add(1);
        Some(false)
    }
}
