//! How often: write attempts on a message (23003) and calls of a caller (60007). Times are milliseconds of a clock that
//! does not go back.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::sync::Arc;

use crate::code::{Error, TOO_FREQUENT, TOO_MANY_WRITES};
use crate::limits::{Limits, exceeds};

const MINUTE: u64 = 60_000;

/// The write attempts on one message within the last minute; refused ones count (seed 002).
#[derive(Debug, Default)]
pub struct Attempts {
    /// When, and whose, oldest first.
    recent: VecDeque<(u64, Arc<str>)>,
    /// How many of them each user has.
    of_user: BTreeMap<Arc<str>, usize>,
}

impl Attempts {
    /// How long an attempt counts, milliseconds.
    pub const WINDOW: u64 = MINUTE;
    /// The message has had its attempts.
    pub const OF_MESSAGE: Error = Error::new(
        TOO_MANY_WRITES,
        "too many write attempts on this message within a minute; try again later",
    );
    /// The user has had their share of them.
    pub const OF_USER: Error = Error::new(
        TOO_MANY_WRITES,
        "too many write attempts of this user on this message within a minute; try again later",
    );

    /// Counts an attempt of `user`. `admin`: no share of one user, only the message's total.
    ///
    /// # Errors
    /// 23003 when the message, or this user on it, has had its attempts; this one is not counted then, so that a client
    /// which keeps trying is let in again as the minute passes.
    pub fn admit(&mut self, user: &str, admin: bool, now: u64, limits: &Limits) -> Result<(), Error> {
        self.forget(now);
        if exceeds(self.recent.len() + 1, limits.writes_per_minute) {
            return Err(Self::OF_MESSAGE);
        }
        let own = self.of_user.get(user).copied().unwrap_or(0);
        if !admin && exceeds(own + 1, limits.user_writes_per_minute) {
            return Err(Self::OF_USER);
        }
        if limits.writes_per_minute != 0 || limits.user_writes_per_minute != 0 {
            let user = self.of_user.get_key_value(user).map_or_else(|| user.into(), |(user, _)| user.clone());
            self.of_user.insert(user.clone(), own + 1);
            self.recent.push_back((now, user));
        }
        Ok(())
    }

    /// Whether the last attempt is more than a minute ago, so that this can be dropped.
    #[must_use]
    pub fn is_idle(&self, now: u64) -> bool {
        self.recent.back().is_none_or(|(at, _)| at + MINUTE <= now)
    }

    fn forget(&mut self, now: u64) {
        while let Some((_, user)) = self.recent.pop_front_if(|(at, _)| *at + MINUTE <= now) {
            if let Some(count) = self.of_user.get_mut(&user) {
                *count -= 1;
                if *count == 0 {
                    self.of_user.remove(&user);
                }
            }
        }
    }
}

/// The calls of one caller within the current second.
#[derive(Debug, Default)]
pub struct CallRate {
    second: u64,
    calls: usize,
}

impl CallRate {
    /// The caller has had the calls of this second.
    pub const REFUSED: Error = Error::new(TOO_FREQUENT, "too many calls within a second; try again later");

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
            return Err(Self::REFUSED);
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
