//! The push connection's states.
//!
//! ```text
//!            login             socket open          ready frame
//!   Off ───────────▶ Opening ──────────────▶ LoggingIn ──────────▶ Live
//!    ▲                 ▲  │ closed, silent        │ closed, silent   │
//!    │ logout,         │  ▼                       ▼                  │
//!    └─ refused     Waiting ◀───────────────────────────────────────┘
//! ```
//! Waiting lasts a random time up to a bound that doubles with each failure (full jitter). Times are milliseconds.

use fastrand::Rng;

use super::jitter;

/// How long opening and logging in may each take.
const PATIENCE: u64 = 10_000;
/// Between two pings. A server closes a connection from which it hears nothing for 60 s.
const PING_AFTER: u64 = 15_000;
/// Silence after which the peer is dead.
const DEAD_AFTER: u64 = 35_000;
const FIRST_BACKOFF: u64 = 500;
const LAST_BACKOFF: u64 = 30_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Off,
    Opening { until: u64 },
    LoggingIn { until: u64 },
    Live { heard: u64, next_ping: u64 },
    Waiting { until: u64 },
}

/// What the machine must do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Nothing,
    Open,
    Ping,
    /// The socket is dead: close it; it counts as closed.
    GiveUp,
}

/// The push connection.
#[derive(Debug)]
pub(super) struct Connection {
    state: State,
    failures: u32,
    /// Counts connections that went live; 0 before the first.
    number: u64,
}

impl Connection {
    pub(super) const fn new() -> Self {
        Self { state: State::Off, failures: 0, number: 0 }
    }

    /// The number of the live connection, 0 when there is none.
    pub(super) const fn live(&self) -> u64 {
        if matches!(self.state, State::Live { .. }) { self.number } else { 0 }
    }

    pub(super) const fn is_off(&self) -> bool {
        matches!(self.state, State::Off)
    }

    pub(super) const fn open(&mut self, now: u64) {
        self.state = State::Opening { until: now + PATIENCE };
    }

    pub(super) const fn opened(&mut self, now: u64) {
        self.state = State::LoggingIn { until: now + PATIENCE };
    }

    pub(super) const fn ready(&mut self, now: u64) {
        self.failures = 0;
        self.number += 1;
        self.state = State::Live { heard: now, next_ping: now + PING_AFTER };
    }

    pub(super) const fn heard(&mut self, now: u64) {
        if let State::Live { heard, .. } = &mut self.state {
            *heard = now;
        }
    }

    pub(super) const fn off(&mut self) {
        self.state = State::Off;
        self.failures = 0;
    }

    /// The socket is closed: wait, then open again.
    pub(super) fn closed(&mut self, now: u64, rng: &mut Rng) {
        let bound = (FIRST_BACKOFF << self.failures.min(16)).min(LAST_BACKOFF);
        self.failures += 1;
        self.state = State::Waiting { until: now + jitter(rng, bound) };
    }

    /// The network may have changed: waits no longer, and asks a live peer whether it is there.
    pub(super) const fn wake(&mut self, now: u64) {
        match &mut self.state {
            State::Waiting { until } => *until = now,
            State::Live { next_ping, .. } => *next_ping = now,
            _ => {}
        }
    }

    pub(super) const fn deadline(&self) -> Option<u64> {
        match self.state {
            State::Off => None,
            State::Opening { until } | State::LoggingIn { until } | State::Waiting { until } => Some(until),
            State::Live { heard, next_ping } => {
                let dead = heard + DEAD_AFTER;
                Some(if dead < next_ping { dead } else { next_ping })
            }
        }
    }

    pub(super) fn tick(&mut self, now: u64) -> Step {
        if self.deadline().is_none_or(|deadline| deadline > now) {
            return Step::Nothing;
        }
        match &mut self.state {
            State::Waiting { .. } => {
                self.open(now);
                Step::Open
            }
            State::Live { heard, next_ping } if now < *heard + DEAD_AFTER => {
                *next_ping = now + PING_AFTER;
                Step::Ping
            }
            _ => Step::GiveUp,
        }
    }
}
