//! A server that has another history than what is known here: it has lost changes, and perhaps made others under the same
//! Seqs. By a LatestSeq that went back, or by the digest, it is found out; then all is pulled and replaced.

use alloc::vec::Vec;

use super::{Cached, Entry, Notice};
use crate::change::pairs;
use crate::client::pages::Pages;
use crate::digest::of_entry;
use crate::list::gather;

impl Cached {
    /// The digest of all that is here.
    pub(in crate::client) fn digest(&self) -> u32 {
        let mut sum = 0_u32;
        for entry in self.entries.iter() {
            if let Some(value) = &entry.value {
                // A value that a clear has dropped is told to be gone by that clear. Had the server none, it would stay: so it is
                // unlike whatever the server has.
                let one = if entry.is_cleared { 1 } else { of_entry(&entry.key, value, entry.seq) };
                sum = sum.wrapping_add(one);
            }
        }
        sum
    }

    /// Whether, by the digest, the server has what is here after its pages; also where that cannot be compared. What was just
    /// pulled from 0 is not compared: a server that names wrong digests would be asked for ever.
    pub(super) fn is_same(&self, pages: &Pages) -> bool {
        let Some(digest) = pages.digest.filter(|_| pages.start > 0) else { return true };
        if pages.latest < pages.start {
            // Nothing has changed, whatever was pushed meanwhile. Own changes past it are acknowledged, and so lost.
            return pages.own == digest;
        }
        let is_past = |e: &Entry| e.seq > self.known;
        self.known != pages.latest
            || self.is_behind()
            || self.entries.iter().any(is_past)
            || self.digest() == digest
    }

    /// There is no such message any more for this user: nothing of it stays.
    pub(in crate::client) fn forget(&mut self) {
        self.drop_up_to(u64::MAX);
        self.begin_anew();
        self.is_anew = false;
    }

    /// Nothing counts any more; what is shown stays until the pull from 0 has finished.
    pub(super) fn begin_anew(&mut self) {
        let mut entries = core::mem::take(&mut self.entries);
        for entry in entries.edit() {
            if entry.seq > self.known {
                // Nobody was told of this value.
                entry.value = None;
                entry.is_touched.set(true);
            }
            entry.seq = 0;
        }
        *self = Self { entries, touched: self.touched.take(), is_anew: true, ..Self::default() };
    }

    /// Tells how all that was pulled differs from what somebody outside may hold.
    pub(super) fn tell_replaced(&self, pages: &Pages, notices: &mut Vec<Notice>) {
        let pulled = || pages.entries.iter().filter(|e| !e.value.is_empty());
        let gone = self
            .entries
            .iter()
            .filter(|e| e.is_told.get() && e.seq <= pages.latest && !pulled().any(|p| p.key == e.key));
        let gone = gather(gone.map(|e| e.key.clone()));
        if !gone.is_empty() {
            notices.push(Notice::Deleted(gone));
        }
        let new = pulled().filter(|p| {
            let held = self.entries.position(&p.key).ok().and_then(|i| self.entries.get(i));
            // What was pushed since is told.
            p.seq > self.clear_seq
                && held.is_none_or(|e| {
                    let is_told = e.is_told.get() && e.seq == 0 && e.value() == Some(&p.value);
                    e.seq <= p.seq.max(pages.first_latest) && !is_told
                })
        });
        let new = gather(new.cloned());
        if !new.is_empty() {
            notices.push(Notice::Updated(pairs(&new)));
        }
    }
}
