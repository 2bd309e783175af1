//! Carries out what the schedule says: reads what waits in the store, sends it, removes what was received, and drops what
//! is too old or too much.

use std::convert::Infallible;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::outgoing::Outgoing;
use super::post::{Answer, Failure, Post};
use super::schedule::{End, PAGE, Schedule, Turn};
use super::{Pace, Receiver};
use crate::clock::now_ms;
use crate::store::{Store, StoreError, Trimmed};

/// How long a store that could not do its work is left alone.
const STORE_REST: Duration = Duration::from_secs(1);
/// How often the log says at most that something was dropped.
const LOG_REST: Duration = Duration::from_secs(60);

/// What all tasks reach.
pub(super) struct Shared {
    store: Arc<dyn Store>,
    outgoing: Arc<Outgoing>,
    post: Post,
    keep: usize,
    max_age: Duration,
    pace: Pace,
    /// The schedule's, for turns that were begun before a pause.
    pause: AtomicU64,
    stop: CancellationToken,
}

/// What a task has done.
enum Done {
    Sent(Sent),
    /// `false`: the store could not.
    Removed(Vec<Sent>, bool),
    /// Messages that were found; `None`: the store could not be read.
    Scanned(Option<Vec<i64>>),
}

/// What became of a turn.
struct Sent {
    turn: Turn,
    end: End,
    /// Up to which Seq.
    received: Option<u64>,
    /// Whether the receiver took or refused something.
    answered: bool,
    failure: Option<Failure>,
}

impl Shared {
    pub(super) fn new(
        store: Arc<dyn Store>,
        outgoing: Arc<Outgoing>,
        post: Post,
        receiver: &Receiver,
        stop: CancellationToken,
    ) -> Self {
        let Receiver { queue: keep, max_age, pace, .. } = *receiver;
        Self { store, outgoing, post, keep, max_age, pace, pause: AtomicU64::new(0), stop }
    }

    async fn send(&self, turn: Turn) -> Sent {
        let mut sent = Sent { turn, end: End::Emptied, received: None, answered: false, failure: None };
        let rows = match outcome(self.store.webhooks(turn.message_no, turn.rows)).await {
            Ok(rows) => rows,
            Err(error) => {
                tracing::error!(%error, "webhooks could not be read");
                return Sent { end: End::Blocked, ..sent };
            }
        };
        let may_be_more = rows.len() == turn.rows;
        for row in rows {
            if self.stop.is_cancelled() || self.pause.load(Ordering::Relaxed) != turn.pause {
                return Sent { end: End::More, ..sent };
            }
            match self.post.post(&row.body).await {
                Answer::Received => (sent.received, sent.answered) = (Some(row.seq), true),
                Answer::Ill(failure) => {
                    return Sent { end: End::Ill(failure.wait), failure: Some(failure), ..sent };
                }
                Answer::Refused(failure) => {
                    return Sent { end: End::Blocked, answered: true, failure: Some(failure), ..sent };
                }
            }
        }
        Sent { end: if may_be_more { End::More } else { End::Emptied }, ..sent }
    }

    /// Whether it could be done; if not, after a rest.
    async fn remove(&self, sent: &[Sent]) -> bool {
        let received = sent.iter().filter_map(|sent| Some((sent.turn.message_no, sent.received?)));
        match outcome(self.store.remove_webhooks(received.collect())).await {
            Ok(removed) => self.outgoing.metrics.removed(removed),
            Err(error) => {
                self.rest(&error, "webhooks that were received could not be removed").await;
                return false;
            }
        }
        true
    }

    async fn scan(&self, after: i64) -> Option<Vec<i64>> {
        match outcome(self.store.webhook_messages(after, PAGE)).await {
            Ok(page) => Some(page),
            Err(error) => {
                self.rest(&error, "webhooks that wait could not be looked for").await;
                None
            }
        }
    }

    async fn rest(&self, error: &StoreError, what: &str) {
        tracing::error!(%error, "{what}");
        tokio::select! {
            () = sleep(STORE_REST) => {}
            () = self.stop.cancelled() => {}
        }
    }

    async fn trim(&self, unlogged: &mut Unlogged) {
        let age = u64::try_from(self.max_age.as_millis()).unwrap_or(u64::MAX);
        let since = now_ms().saturating_sub(age);
        match outcome(self.store.trim_webhooks(self.keep, since)).await {
            Ok(trimmed) => {
                self.outgoing.metrics.trimmed(&trimmed);
                unlogged.dropped(&trimmed);
            }
            Err(error) => tracing::error!(%error, "the queue of webhooks could not be trimmed"),
        }
    }

    async fn keep_bounded(&self, mut unlogged: Unlogged) -> Infallible {
        let least = self.pace.trim / 10;
        loop {
            sleep(least).await;
            tokio::select! {
                () = sleep(self.pace.trim.saturating_sub(least)) => {}
                () = self.outgoing.too_many() => {}
            }
            self.trim(&mut unlogged).await;
        }
    }
}

/// What was dropped since the log has said so. A receiver that is gone for long must not fill the log.
#[derive(Default)]
struct Unlogged {
    too_old: usize,
    too_many: usize,
    logged: Option<Instant>,
}

impl Unlogged {
    fn dropped(&mut self, trimmed: &Trimmed) {
        self.too_old += trimmed.too_old;
        self.too_many += trimmed.too_many;
        let Self { too_old, too_many, logged } = *self;
        let is_due = logged.is_none_or(|logged| logged.elapsed() >= LOG_REST);
        if is_due && too_old + too_many > 0 {
            let left = trimmed.left;
            tracing::warn!(too_old, too_many, left, "webhooks were dropped that the receiver did not take");
            *self = Self { logged: Some(Instant::now()), ..Self::default() };
        }
    }
}

/// Sends until the server stops; of several nodes the one that leads does, as long as it leads.
pub(super) async fn run(shared: Arc<Shared>, leads: Option<watch::Receiver<bool>>) {
    let Some(mut leads) = leads else { return run_alone(shared).await };
    while !shared.stop.is_cancelled() {
        tokio::select! {
            _ = leads.wait_for(|leads| *leads) => {}
            () = shared.stop.cancelled() => return,
        }
        let mut until = leads.clone();
        tokio::select! {
            () = run_alone(Arc::clone(&shared)) => {}
            // What was begun may be received once more.
            _ = until.wait_for(|leads| !*leads) => {}
        }
    }
}

/// Sends until the server stops; then finishes what was begun and leaves the rest in the store.
async fn run_alone(shared: Arc<Shared>) {
    // First, so that what is too old is not sent.
    let mut unlogged = Unlogged::default();
    shared.trim(&mut unlogged).await;
    tokio::select! {
        () = Dispatch::new(&shared).run() => {}
        never = shared.keep_bounded(unlogged) => match never {},
    }
}

struct Dispatch {
    shared: Arc<Shared>,
    schedule: Schedule,
    tasks: JoinSet<Done>,
    /// Turns of which something was received that is still in the store.
    unremoved: Vec<Sent>,
    is_removing: bool,
}

impl Dispatch {
    fn new(shared: &Arc<Shared>) -> Self {
        Self {
            shared: Arc::clone(shared),
            schedule: Schedule::new(shared.pace),
            tasks: JoinSet::new(),
            unremoved: Vec::new(),
            is_removing: false,
        }
    }

    async fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        while !shared.stop.is_cancelled() {
            self.begin();
            let next = self.schedule.until();
            tokio::select! {
                () = shared.stop.cancelled() => {}
                Some(done) = self.tasks.join_next() => self.done(done),
                woken = shared.outgoing.woken() => {
                    woken.messages.into_iter().for_each(|message_no| self.schedule.woken(message_no));
                    if woken.missed {
                        self.schedule.missed();
                    }
                }
                () = wait(next), if next.is_some() => {}
            }
        }
        let finished = async {
            while let Some(done) = self.tasks.join_next().await {
                self.done(done);
            }
        };
        if timeout(shared.pace.stop, finished).await.is_err() {
            tracing::warn!("some webhooks did not finish in time; they will be sent again");
            shared.remove(&self.unremoved).await;
        }
    }

    /// Begins what can be begun.
    fn begin(&mut self) {
        if let Some(after) = self.schedule.scan() {
            let shared = Arc::clone(&self.shared);
            self.tasks.spawn(async move { Done::Scanned(shared.scan(after).await) });
        }
        while let Some(turn) = self.schedule.take(Instant::now()) {
            let shared = Arc::clone(&self.shared);
            self.tasks.spawn(async move { Done::Sent(shared.send(turn).await) });
        }
        let blocked = i64::try_from(self.schedule.blocked()).unwrap_or(i64::MAX);
        self.shared.outgoing.metrics.blocked.set(blocked);
    }

    fn done(&mut self, done: Result<Done, tokio::task::JoinError>) {
        match done {
            Ok(Done::Sent(sent)) => self.sent(sent),
            Ok(Done::Scanned(page)) => self.schedule.scanned(page),
            Ok(Done::Removed(sent, true)) => {
                self.is_removing = false;
                sent.iter().for_each(|sent| self.release(sent));
            }
            Ok(Done::Removed(sent, false)) => {
                self.is_removing = false;
                self.unremoved.extend(sent);
                if self.shared.stop.is_cancelled() {
                    return;
                }
            }
            Err(error) => tracing::error!(%error, "a webhook's task failed"),
        }
        self.remove();
    }

    fn sent(&mut self, sent: Sent) {
        let was_ill = self.schedule.is_ill();
        self.schedule.sent(sent.turn, sent.answered, sent.end, Instant::now());
        self.shared.pause.store(self.schedule.pause(), Ordering::Relaxed);
        self.log(&sent, was_ill);
        if sent.received.is_some() {
            self.unremoved.push(sent);
        } else {
            self.release(&sent);
        }
    }

    /// One line when it begins and one when it ends, not one a webhook.
    fn log(&self, sent: &Sent, was_ill: bool) {
        let why = sent.failure.as_ref().map_or("", |failure| failure.text.as_str());
        match (was_ill, self.schedule.is_ill(), sent.end) {
            (false, true, _) => tracing::warn!(why, "the webhook's receiver takes nothing; trying on"),
            (true, false, _) => tracing::info!("the webhook's receiver answers again"),
            (false, false, End::Blocked) if self.schedule.blocked() == 0 && !why.is_empty() => {
                tracing::warn!(why, "the webhook's receiver refuses the change of a message; trying on");
            }
            _ => {}
        }
    }

    fn release(&mut self, sent: &Sent) {
        self.schedule.release(sent.turn.message_no, sent.received.is_some(), sent.end, Instant::now());
    }

    /// Removes what has gathered since the last removal, so that under load many go together.
    fn remove(&mut self) {
        if self.is_removing || self.unremoved.is_empty() {
            return;
        }
        self.is_removing = true;
        let (shared, sent) = (Arc::clone(&self.shared), std::mem::take(&mut self.unremoved));
        self.tasks.spawn(async move {
            let is_done = shared.remove(&sent).await;
            Done::Removed(sent, is_done)
        });
    }
}

/// One that panics must not take the dispatcher along.
async fn outcome<T>(work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    let panicked = |_| Err(StoreError::Failed("it panicked".into()));
    AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(panicked)
}

async fn wait(until: Option<Instant>) {
    if let Some(until) = until {
        tokio::time::sleep_until(until).await;
    }
}
