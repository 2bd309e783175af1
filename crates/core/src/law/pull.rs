//! What a pull answers (seeds 003 and 004).

use alloc::string::String;
use alloc::vec::Vec;

use super::{Entry, Message};
use crate::limits::Limits;
use crate::wire::{Extension, OK, PullReply};

/// A page of a pull.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<'a> {
    /// Ascending by Seq, then by key.
    pub entries: Vec<(&'a str, &'a Entry)>,
    /// Whether nothing follows.
    pub complete: bool,
    /// The message's counter.
    pub latest_seq: u64,
    /// The Seq of the last clear.
    pub clear_seq: u64,
    /// Of the last page: the digest of the whole state.
    pub digest: Option<u32>,
}

impl Message {
    /// Entries with a Seq of at least `start_seq`, at most [`Limits::PAGE`], a group of equal Seq never split (an
    /// operation writes fewer keys than a page holds). Tombstones only when `start_seq` is past 0.
    #[must_use]
    pub fn pull(&self, start_seq: u64) -> Page<'_> {
        let wanted = |e: &Entry| e.seq >= start_seq && (start_seq > 0 || e.value.is_some());
        let mut entries: Vec<_> =
            self.entries.iter().filter(|(_, e)| wanted(e)).map(|(k, e)| (k.as_str(), e)).collect();
        entries.sort_by_key(|(_, e)| e.seq);
        let following = entries.get(Limits::PAGE).map(|(_, e)| e.seq);
        if let Some(seq) = following {
            let whole = entries.partition_point(|(_, e)| e.seq < seq);
            // A limit of 0 on items allows a group larger than a page; then the page grows instead.
            let end = if whole > 0 {
                whole.min(Limits::PAGE)
            } else {
                entries.partition_point(|(_, e)| e.seq <= seq)
            };
            let complete = end == entries.len();
            entries.truncate(end);
            return self.page(entries, complete);
        }
        self.page(entries, true)
    }

    fn page<'a>(&self, entries: Vec<(&'a str, &'a Entry)>, complete: bool) -> Page<'a> {
        let digest = complete.then_some(self.digest());
        Page { entries, complete, latest_seq: self.latest_seq, clear_seq: self.clear_seq, digest }
    }
}

impl Page<'_> {
    /// As the reply of seeds 003 and 004; `with_author`: items carry `Author` and `Time`.
    #[must_use]
    pub fn into_reply(self, with_author: bool) -> PullReply {
        let item = |(key, entry): (&str, &Entry)| Extension {
            key: key.into(),
            value: entry.value.clone().unwrap_or_default(),
            seq: entry.seq,
            author: with_author.then(|| entry.author.clone()),
            time: with_author.then_some(entry.time),
        };
        PullReply {
            error_code: 0,
            error_info: String::new(),
            action_status: OK.into(),
            complete_flag: self.complete.into(),
            latest_seq: self.latest_seq,
            clear_seq: self.clear_seq,
            digest: self.digest,
            extension_list: self.entries.into_iter().map(item).collect(),
        }
    }
}
