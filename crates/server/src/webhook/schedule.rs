//! Which message's webhooks are sent next, and who waits until when. No store, no socket, no clock of its own.
//!
//! ```text
//!            ┌────────── more of it, or woken meanwhile ──────────┐
//!            ▼                                                    │
//!  woken ─▶ ready ── take ─▶ busy: sent, then removed ── release ─┼─▶ forgotten
//!            ▲                                                    │
//!            └──────────── its time has come ─── blocked ◀─ failed┘
//! ```
//!
//! A message is in one place at a time, so its webhooks are sent one after the other. While the receiver is ill
//! everything rests, and one request at a time finds out whether it still is.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use super::{Backoff, Pace};

/// Messages that are ready, at most; the store knows of the others.
const READY: usize = 1024;
/// Messages found in the store at a time.
pub(super) const PAGE: usize = READY / 2;
/// Webhooks of a message that are sent before it is another's turn.
const ROWS: usize = 8;
/// Messages whose webhooks were received and are still to be removed, at most.
const UNREMOVED: usize = 256;
/// Messages that are blocked, at most. A receiver that refuses more of them at once is ill.
const BLOCKED: usize = 20_000;

pub(super) struct Schedule {
    pace: Pace,
    known: HashMap<i64, Known>,
    ready: VecDeque<i64>,
    blocked: BTreeSet<(Instant, i64)>,
    busy: usize,
    sending: usize,
    scan: Scan,
    pause: Pause,
}

/// A message that is looked after.
struct Known {
    /// In a row.
    failures: u32,
    /// While it is busy: something came for it.
    is_woken: bool,
}

/// The look into the store for messages that are not known: from the beginning of the message numbers to their end.
#[derive(Default)]
struct Scan {
    /// Where to go on; `None`: it has ended.
    after: Option<i64>,
    is_running: bool,
    /// Something came that was not remembered: begin again at the end.
    is_due: bool,
}

/// While the receiver is ill.
#[derive(Default)]
struct Pause {
    /// Counts pauses. What was begun before one says nothing about it.
    number: u64,
    /// In a row.
    failures: u32,
    until: Option<Instant>,
    is_probing: bool,
}

/// A message to be sent from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Turn {
    pub(super) message_no: i64,
    /// So many webhooks at most.
    pub(super) rows: usize,
    /// In which pause, or after which, it was begun.
    pub(super) pause: u64,
}

/// How a turn ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Nothing was left of the message.
    Emptied,
    /// There may be more.
    More,
    /// The receiver is ill, and wants to be left alone for so long.
    Ill(Option<Duration>),
    /// The receiver refused one, or the store could not be read.
    Blocked,
}

impl Schedule {
    /// Nothing is known yet of what the store holds.
    pub(super) fn new(pace: Pace) -> Self {
        let scan = Scan { after: Some(i64::MIN), ..Scan::default() };
        let (known, ready, blocked, pause) =
            (HashMap::new(), VecDeque::new(), BTreeSet::new(), Pause::default());
        Self { pace, known, ready, blocked, busy: 0, sending: 0, scan, pause }
    }

    /// Something came for the message.
    pub(super) fn woken(&mut self, message_no: i64) {
        if let Some(known) = self.known.get_mut(&message_no) {
            known.is_woken = true;
        } else if self.ready.len() < READY {
            self.known.insert(message_no, Known { failures: 0, is_woken: false });
            self.ready.push_back(message_no);
        } else {
            self.missed();
        }
    }

    /// Something came, and it is not remembered for which message.
    pub(super) fn missed(&mut self) {
        self.scan.is_due = true;
    }

    /// After which message the store is to be looked into, if it is.
    #[must_use]
    pub(super) fn scan(&mut self) -> Option<i64> {
        if self.scan.after.is_none() && self.scan.is_due {
            (self.scan.after, self.scan.is_due) = (Some(i64::MIN), false);
        }
        let after = self.scan.after.filter(|_| !self.scan.is_running && self.ready.len() <= READY - PAGE)?;
        self.scan.is_running = true;
        Some(after)
    }

    /// What was found there, at most [`PAGE`]; `None`: the store could not be read.
    pub(super) fn scanned(&mut self, page: Option<Vec<i64>>) {
        self.scan.is_running = false;
        let Some(page) = page else { return };
        self.scan.after = page.last().copied().filter(|_| page.len() >= PAGE);
        // Also for one that is busy: it may have been read before this came.
        page.into_iter().for_each(|message_no| self.woken(message_no));
    }

    /// The next message to be sent from; asked until there is none.
    #[must_use]
    pub(super) fn take(&mut self, now: Instant) -> Option<Turn> {
        while let Some((_, message_no)) = self.blocked.first().copied().filter(|(until, _)| *until <= now) {
            self.blocked.pop_first();
            self.ready.push_back(message_no);
        }
        let rows = match self.pause.until {
            None if self.sending < self.pace.concurrency && self.busy - self.sending < UNREMOVED => ROWS,
            Some(until) if until <= now && !self.pause.is_probing => 1,
            _ => return None,
        };
        let message_no = self.ready.pop_front()?;
        self.pause.is_probing = self.pause.until.is_some();
        self.busy += 1;
        self.sending += 1;
        if let Some(known) = self.known.get_mut(&message_no) {
            known.is_woken = false;
        }
        Some(Turn { message_no, rows, pause: self.pause.number })
    }

    /// Nothing is being sent of the turn any more. `answered`: the receiver took or refused something.
    pub(super) fn sent(&mut self, turn: Turn, answered: bool, end: End, now: Instant) {
        self.sending -= 1;
        if turn.pause != self.pause.number {
            return;
        }
        self.pause.is_probing = false;
        if answered {
            (self.pause.until, self.pause.failures) = (None, 0);
        }
        match end {
            End::Ill(wait) => self.rest(wait, now),
            End::Blocked if self.blocked.len() >= BLOCKED => self.rest(None, now),
            _ => {}
        }
    }

    fn rest(&mut self, wait: Option<Duration>, now: Instant) {
        let pause = &mut self.pause;
        pause.number += 1;
        pause.failures += 1;
        let wanted = wait.unwrap_or_default().min(self.pace.refused.most);
        pause.until = Some(now + self.pace.ill.after(pause.failures).max(wanted));
    }

    /// What was received in the turn is removed, so the message may be taken again. `progress`: something was.
    pub(super) fn release(&mut self, message_no: i64, progress: bool, end: End, now: Instant) {
        self.busy -= 1;
        let Some(known) = self.known.get_mut(&message_no) else { return };
        if progress {
            known.failures = 0;
        }
        match end {
            End::Emptied if !known.is_woken => {
                self.known.remove(&message_no);
            }
            End::Emptied | End::More => self.ready.push_back(message_no),
            // For its own part, too: it may be this webhook that the receiver falls ill of.
            End::Ill(_) => self.block(message_no, self.pace.ill, now),
            End::Blocked => self.block(message_no, self.pace.refused, now),
        }
    }

    fn block(&mut self, message_no: i64, backoff: Backoff, now: Instant) {
        if let Some(known) = self.known.get_mut(&message_no) {
            known.failures += 1;
            self.blocked.insert((now + backoff.after(known.failures), message_no));
        }
    }

    /// When to ask again, if nothing happens before.
    #[must_use]
    pub(super) fn until(&self) -> Option<Instant> {
        let probe = self.pause.until.filter(|_| !self.pause.is_probing && !self.ready.is_empty());
        let unblocked = self.blocked.first().map(|(until, _)| *until);
        // What is ready cannot be taken before the pause is over.
        let unblocked = unblocked.map(|until| self.pause.until.map_or(until, |pause| pause.max(until)));
        let unblocked = unblocked.filter(|_| !self.pause.is_probing);
        probe.into_iter().chain(unblocked).min()
    }

    /// The number of the present pause, or of the last one.
    pub(super) const fn pause(&self) -> u64 {
        self.pause.number
    }

    pub(super) const fn is_ill(&self) -> bool {
        self.pause.until.is_some()
    }

    pub(super) fn blocked(&self) -> usize {
        self.blocked.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn woken(messages: impl IntoIterator<Item = i64>) -> Schedule {
        let mut schedule = Schedule::new(Pace::default());
        assert_eq!(schedule.scan(), Some(i64::MIN));
        schedule.scanned(Some(vec![]));
        messages.into_iter().for_each(|no| schedule.woken(no));
        schedule
    }

    fn all(schedule: &mut Schedule, now: Instant) -> Vec<Turn> {
        std::iter::from_fn(|| schedule.take(now)).collect()
    }

    fn end(schedule: &mut Schedule, turn: Turn, end: End, now: Instant) {
        schedule.sent(turn, !matches!(end, End::Ill(_)), end, now);
        schedule.release(turn.message_no, false, end, now);
    }

    fn numbers(turns: &[Turn]) -> Vec<i64> {
        turns.iter().map(|turn| turn.message_no).collect()
    }

    #[test]
    fn a_message_is_not_taken_before_it_was_released() {
        let now = Instant::now();
        let mut schedule = woken([1]);
        let turn = schedule.take(now).unwrap();
        schedule.woken(1);
        assert_eq!(schedule.take(now), None);
        schedule.sent(turn, true, End::Emptied, now);
        assert_eq!(schedule.take(now), None);
        schedule.release(1, true, End::Emptied, now);
        // It was woken meanwhile.
        let turn = schedule.take(now).unwrap();
        end(&mut schedule, turn, End::Emptied, now);
        assert_eq!((schedule.take(now), schedule.known.len()), (None, 0));
    }

    #[test]
    fn several_messages_go_at_once_and_no_more_than_may() {
        let now = Instant::now();
        let mut schedule = woken(1..=20);
        assert_eq!(numbers(&all(&mut schedule, now)), (1..=8).collect::<Vec<_>>());
    }

    #[test]
    fn a_message_with_more_goes_behind_the_others() {
        let now = Instant::now();
        let mut schedule = woken(1..=20);
        for turn in all(&mut schedule, now) {
            end(&mut schedule, turn, End::More, now);
        }
        assert_eq!(numbers(&all(&mut schedule, now)), (9..=16).collect::<Vec<_>>());
    }

    #[test]
    fn an_ill_receiver_is_left_alone_and_then_asked_once() {
        let mut now = Instant::now();
        let mut schedule = woken(1..=20);
        for turn in all(&mut schedule, now) {
            end(&mut schedule, turn, End::Ill(None), now);
        }
        for expected in [1, 2, 4, 8, 16, 32, 60, 60] {
            assert_eq!(all(&mut schedule, now + SECOND / 3), []);
            let until = schedule.until().unwrap();
            // Eight that failed together count once, and less than half is left to chance.
            let waited = until - now;
            assert!(
                waited >= SECOND * expected / 2 && waited <= SECOND * expected,
                "{expected} s: {waited:?}"
            );
            now = until;
            let [probe] = all(&mut schedule, now)[..] else { panic!("one at a time") };
            assert_eq!(probe.rows, 1);
            end(&mut schedule, probe, End::Ill(None), now);
        }
        now += 61 * SECOND;
        let [probe] = all(&mut schedule, now)[..] else { panic!("one at a time") };
        end(&mut schedule, probe, End::Emptied, now);
        assert_eq!(all(&mut schedule, now).len(), 8);
    }

    #[test]
    fn a_receiver_that_says_how_long_is_left_alone_for_so_long() {
        let now = Instant::now();
        for (wanted, waits) in [(30 * SECOND, 30 * SECOND), (86_400 * SECOND, 300 * SECOND)] {
            let mut schedule = woken(1..=2);
            let turn = schedule.take(now).unwrap();
            end(&mut schedule, turn, End::Ill(Some(wanted)), now);
            assert_eq!(schedule.until(), Some(now + waits));
        }
    }

    #[test]
    fn a_refused_message_waits_and_the_others_do_not() {
        let mut now = Instant::now();
        let mut schedule = woken(1..=2);
        let turns = all(&mut schedule, now);
        end(&mut schedule, turns[0], End::Blocked, now);
        end(&mut schedule, turns[1], End::More, now);
        assert_eq!(numbers(&all(&mut schedule, now)), [2]);
        schedule.woken(1);
        for expected in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
            let waited = schedule.until().unwrap() - now;
            assert!(
                waited >= SECOND * expected / 2 && waited <= SECOND * expected,
                "{expected} s: {waited:?}"
            );
            now += waited;
            let turns = all(&mut schedule, now);
            assert_eq!(numbers(&turns), [1]);
            end(&mut schedule, turns[0], End::Blocked, now);
        }
        now += 300 * SECOND;
        let turn = schedule.take(now).unwrap();
        schedule.sent(turn, true, End::Blocked, now);
        schedule.release(1, true, End::Blocked, now);
        assert!(schedule.until().unwrap() <= now + SECOND, "what was received counts anew");
    }

    #[test]
    fn a_webhook_of_which_the_receiver_falls_ill_does_not_stop_the_others() {
        let mut now = Instant::now();
        let mut schedule = woken(1..=3);
        let mut sent = HashMap::<i64, u32>::new();
        let end_of_day = now + 600 * SECOND;
        while now < end_of_day {
            for turn in all(&mut schedule, now) {
                *sent.entry(turn.message_no).or_default() += 1;
                let is_bad = turn.message_no == 1;
                end(&mut schedule, turn, if is_bad { End::Ill(None) } else { End::More }, now);
            }
            now += SECOND / 10;
        }
        assert!(sent[&1] < 60 && sent[&2] > 3000 && sent[&3] > 3000, "{sent:?}");
    }

    #[test]
    fn more_messages_than_are_remembered_are_found_in_the_store() {
        let now = Instant::now();
        let stored: Vec<i64> = (1..=3000).collect();
        let mut schedule = woken(stored.iter().copied().take(2000));
        assert!(schedule.known.len() <= READY);
        let mut sent = Vec::new();
        for _ in 0..stored.len() {
            if let Some(after) = schedule.scan() {
                let page = stored.iter().copied().filter(|no| *no > after && !sent.contains(no));
                schedule.scanned(Some(page.take(PAGE).collect()));
            }
            for turn in all(&mut schedule, now) {
                sent.push(turn.message_no);
                end(&mut schedule, turn, End::Emptied, now);
            }
            assert!(schedule.known.len() <= READY + 8);
        }
        sent.sort_unstable();
        assert_eq!(sent, stored);
        assert_eq!((schedule.scan(), schedule.known.len()), (None, 0));
    }

    #[test]
    fn a_store_that_could_not_be_read_is_looked_into_again_at_the_same_place() {
        let mut schedule = Schedule::new(Pace::default());
        assert_eq!((schedule.scan(), schedule.scan()), (Some(i64::MIN), None));
        schedule.scanned(None);
        assert_eq!(schedule.scan(), Some(i64::MIN));
    }

    #[test]
    fn what_came_for_a_message_after_it_was_read_is_found_in_the_store() {
        let now = Instant::now();
        let mut schedule = woken([1]);
        let turn = schedule.take(now).unwrap();
        schedule.missed();
        assert_eq!(schedule.scan(), Some(i64::MIN));
        schedule.scanned(Some(vec![1]));
        end(&mut schedule, turn, End::Emptied, now);
        assert_eq!(schedule.take(now).map(|turn| turn.message_no), Some(1));
    }

    #[test]
    fn so_many_refusals_at_once_are_an_illness() {
        let now = Instant::now();
        let mut schedule = woken([]);
        let count = i64::try_from(BLOCKED).unwrap() + 1;
        for no in 1..=count {
            schedule.woken(no);
            let turn = schedule.take(now).unwrap();
            assert!(!schedule.is_ill());
            end(&mut schedule, turn, End::Blocked, now);
        }
        assert!(schedule.is_ill());
    }
}
