//! The law's limits. Sizes are bytes of UTF-8; each is a server setting with the default given here, and 0 turns it off.

/// How much a message may hold, how large an operation may be, and how often it may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest key, bytes (seed 002: 100).
    pub key_bytes: usize,
    /// Longest value, bytes (seed 002: 1,000).
    pub value_bytes: usize,
    /// Items in one set or delete (seed 002: 20).
    pub items: usize,
    /// Live keys a message (seed 002: 300).
    pub live_keys: usize,
    /// Tombstones a message.
    pub tombstones: usize,
    /// Write attempts a minute a message (seed 002: 200).
    pub writes_per_minute: usize,
    /// Of those, how many one user gets.
    pub user_writes_per_minute: usize,
    /// Admin calls a second per command (seeds 002 to 004: 200).
    pub admin_calls_per_second: usize,
    /// Calls a second a user.
    pub user_calls_per_second: usize,
}

impl Limits {
    /// The defaults, as a constant so that the SDK can check sizes with the same numbers.
    pub const DEFAULT: Self = Self {
        key_bytes: 100,
        value_bytes: 1000,
        items: 20,
        live_keys: 300,
        tombstones: 10_000,
        writes_per_minute: 200,
        user_writes_per_minute: 60,
        admin_calls_per_second: 200,
        user_calls_per_second: 50,
    };

    /// Entries in one page of a pull (seeds 003 and 004). Part of the protocol, not a setting.
    pub const PAGE: usize = 200;
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Whether `amount` is past `limit`; a limit of 0 is no limit.
#[must_use]
pub const fn exceeds(amount: usize, limit: usize) -> bool {
    limit != 0 && amount > limit
}
