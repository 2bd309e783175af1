//! The keys of a message, and what a reader is given of them. That is made once for each state: who has been given it before
//! sees by its identity that nothing has changed, without comparing, and it cannot outlive the state, since
//! [`Entries::edit`] is the only way to change what an entry shows.

use alloc::rc::{Rc, Weak};
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::Cell;
use core::ops::Deref;

#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: String,
    /// `None`: a tombstone.
    pub(super) value: Option<String>,
    pub(super) seq: u64,
    pub(super) author: String,
    /// Milliseconds since 1970, 0 when not known.
    pub(super) time: u64,
    /// A clear that is known of has dropped it. It stays until that clear is told.
    pub(super) is_cleared: bool,
    /// Somebody outside may hold a value of this key, so that a clear must tell them it is gone.
    pub(super) is_told: Cell<bool>,
    /// It has changed since [`Cached::take_touched`](super::Cached::take_touched).
    pub(super) is_touched: Cell<bool>,
}

impl Entry {
    /// What the key holds.
    pub(super) fn value(&self) -> Option<&str> {
        self.value.as_deref().filter(|_| !self.is_cleared)
    }
}

/// The keys and values that a message had when it was read, ascending by key, as one text, which crosses to JavaScript at once.
/// Clones are the same listing, of which [`is`](Self::is) tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing(Rc<String>);

impl Listing {
    fn push(text: &mut String, part: &str) {
        // A character each, and two for those past the first 65,536, which are those of four bytes.
        let units = |byte| usize::from(byte & 0xC0 != 0x80) + usize::from(byte >= 0xF0);
        let length = part.bytes().fold(0, |length, byte| length + units(byte));
        for digit in [length >> 14, length >> 7, length] {
            text.push(char::from(digit as u8 & 127));
        }
        text.push_str(part);
    }

    /// Keys and values in turn, each after its length in units of UTF-16, which is what JavaScript counts: three characters that
    /// are digits of base 128.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Whether it is the very same one, of the same state.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }

    /// Whether its message may give it once more.
    #[must_use]
    pub fn may_come_again(&self) -> bool {
        Rc::weak_count(&self.0) > 0
    }

    /// Keys with their values.
    #[must_use]
    pub fn pairs(&self) -> Vec<(String, String)> {
        let mut chars = self.0.chars();
        let mut part = || {
            let mut left = 0;
            for _ in 0..3 {
                left = left * 128 + chars.next()? as usize;
            }
            let mut part = String::new();
            while left > 0 {
                let next = chars.next()?;
                left = left.saturating_sub(next.len_utf16());
                part.push(next);
            }
            Some(part)
        };
        let mut pairs = Vec::new();
        while let (Some(key), Some(value)) = (part(), part()) {
            pairs.push((key, value));
        }
        pairs
    }
}

/// Those of one message.
#[derive(Debug, Default)]
pub(super) struct Entries {
    /// Ascending by key.
    list: Vec<Entry>,
    /// What was given of all of them, as long as somebody has it.
    listed: Weak<String>,
}

impl Entries {
    /// To change what they show.
    pub(super) fn edit(&mut self) -> &mut Vec<Entry> {
        self.listed = Weak::new();
        &mut self.list
    }

    pub(super) fn position(&self, key: &str) -> Result<usize, usize> {
        self.list.binary_search_by(|e| e.key.as_str().cmp(key))
    }

    /// Those that have a value, for somebody outside: all, or those of `keys`.
    pub(super) fn listing(&mut self, keys: Option<&[String]>) -> Listing {
        if let Some(listed) = self.listed.upgrade().filter(|_| keys.is_none()) {
            return Listing(listed);
        }
        let mut text = String::new();
        for entry in &self.list {
            let Some(value) = entry.value() else { continue };
            if keys.is_none_or(|keys| keys.contains(&entry.key)) {
                entry.is_told.set(true);
                Listing::push(&mut text, &entry.key);
                Listing::push(&mut text, value);
            }
        }
        let listed = Rc::new(text);
        if keys.is_none() {
            self.listed = Rc::downgrade(&listed);
        }
        Listing(listed)
    }
}

impl Deref for Entries {
    type Target = [Entry];

    fn deref(&self) -> &[Entry] {
        &self.list
    }
}
