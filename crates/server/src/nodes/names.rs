//! Under which names the others know this node: after something that could not be told it takes another one, so that they take
//! it for dead and look into the log. They miss only names that they knew, so each is announced before it is used.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long a name lives on that is not used any more: longer than what was begun under it may take.
const LINGER: Duration = Duration::from_secs(6);

pub(super) struct Names(Mutex<State>);

struct State {
    own: String,
    is_to_change: bool,
    past: Vec<(String, Instant)>,
}

impl Names {
    pub(super) fn new() -> Self {
        Self(Mutex::new(State { own: made(), is_to_change: false, past: Vec::new() }))
    }

    /// What it signs with.
    pub(super) fn own(&self) -> String {
        self.state().own.clone()
    }

    pub(super) fn is_own(&self, name: &str) -> bool {
        let state = self.state();
        state.own == name || state.past.iter().any(|(past, _)| past == name)
    }

    /// Another one is to be used.
    pub(super) fn change(&self) {
        self.state().is_to_change = true;
    }

    /// The one that is to be announced now.
    pub(super) fn next(&self) -> String {
        let mut state = self.state();
        if std::mem::take(&mut state.is_to_change) { made() } else { state.own.clone() }
    }

    /// That could not be announced.
    pub(super) fn failed(&self, next: &str) {
        let mut state = self.state();
        state.is_to_change |= next != state.own;
    }

    /// It was, and is used from here on; those that are to live on.
    pub(super) fn announced(&self, next: String, now: Instant) -> Vec<String> {
        let mut state = self.state();
        if next != state.own {
            let past = std::mem::replace(&mut state.own, next);
            state.past.push((past, now));
        }
        state.past.retain(|(_, since)| now - *since < LINGER);
        state.past.iter().map(|(name, _)| name.clone()).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn made() -> String {
    format!("{:016x}", fastrand::u64(..))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_announced_before_it_is_used_and_lives_on_for_a_while() {
        let (names, now) = (Names::new(), Instant::now());
        let first = names.own();
        assert_eq!(names.announced(names.next(), now), [] as [String; 0]);
        names.change();
        assert_eq!(names.own(), first);
        let next = names.next();
        assert_ne!(next, first);
        names.failed(&next);
        assert_eq!(names.own(), first);
        let next = names.next();
        assert_ne!(next, first);
        assert_eq!(names.announced(next.clone(), now), std::slice::from_ref(&first));
        assert_eq!((names.own(), names.next()), (next.clone(), next.clone()));
        assert!(names.is_own(&first) && names.is_own(&next));
        assert_eq!(names.announced(names.next(), now + LINGER), [] as [String; 0]);
        assert!(!names.is_own(&first));
    }
}
