//! Numbers as SQLite keeps them.

/// SQLite's integers are signed. What is past them is larger than anything that is kept, and so stays.
pub(super) fn integer(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// An integer that was kept by [`integer`].
pub(super) fn unsigned(n: i64) -> u64 {
    u64::try_from(n).unwrap_or_default()
}
