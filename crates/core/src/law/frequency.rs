//! How often: write attempts on a message (23003) and calls of a caller (60007). Times are milliseconds of a clock that
//! does not go back.

use alloc::collections::VecDeque;
use alloc::string::{String, ToString};

use crate::code::{Error, TOO_FREQUENT, TOO_MANY_WRITES};
use crate::limits::{Limits, exceeds};

const MINUTE: u64 = 60_000;

/// The write attempts on one message within the last minute; refused ones count (seed 002).
#[derive(Debug, Default)]
pub struct Attempts {
    recent: VecDeque<(u64, String)>,
}

impl Attempts {
    /// Counts an attempt of `user`. `admin`: no share of one user, only the message's total.
    ///
    /// # Errors
    /// 23003 when the message, or this user on it, has had its attempts; this one is not counted then, so that a client
    /// which keeps trying is let in again as the minute passes.
    pub fn admit(&mut self, user: &str, admin: bool, now: u64, limits: &Limits) -> Result<(), Error> {
        while self.recent.front().is_some_and(|(at, _)| at + MINUTE <= now) {
            self.recent.pop_front();
        }
        if exceeds(self.recent.len() + 1, limits.writes_per_minute) {
            return Err(Error::new(
                TOO_MANY_WRITES,
                "too many write attempts on this message within a minute; try again later",
            ));
        }
        let own = self.recent.iter().filter(|(_, who)| who == user).count();
        if !admin && exceeds(own + 1, limits.user_writes_per_minute) {
            return Err(Error::new(
                TOO_MANY_WRITES,
                "too many write attempts of this user on this message within a minute; try again later",
            ));
        }
        if limits.writes_per_minute != 0 || limits.user_writes_per_minute != 0 {
            self.recent.push_back((now, user.to_string()));
        }
        Ok(())
    }

    /// Whether the last attempt is more than a minute ago, so that this can be dropped.
    #[must_use]
    pub fn is_idle(&self, now: u64) -> bool {
        self.recent.back().is_none_or(|(at, _)| at + MINUTE <= now)
    }
}

/// The calls of one caller within the current second.
#[derive(Debug, Default)]
pub struct CallRate {
    second: u64,
    calls: usize,
}

impl CallRate {
    /// Counts a call.
    ///
    /// # Errors
    /// 60007 when `limit` calls were made in this second.
    pub fn admit(&mut self, now: u64, limit: usize) -> Result<(), Error> {
        let second = now / 1000;
        if self.second != second {
            *self = Self { second, calls: 0 };
        }
        if exceeds(self.calls + 1, limit) {
            return Err(Error::new(TOO_FREQUENT, "too many calls within a second; try again later"));
        }
        self.calls += 1;
        Ok(())
    }

    /// Whether the last call was in an earlier second, so that this can be dropped.
    #[must_use]
    pub const fn is_idle(&self, now: u64) -> bool {
        self.second != now / 1000
    }
}
