//! What the writing thread does, in numbers.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::metrics::{Counted, SECONDS, SIZES};

#[derive(Clone)]
pub(super) struct WriterMetrics {
    waiting: Gauge,
    seconds: Histogram,
    writes: Histogram,
    pub(super) failures: Counter,
    /// 1 from a transaction that failed on until one is written.
    failing: Gauge,
}

impl Default for WriterMetrics {
    fn default() -> Self {
        Self {
            waiting: Gauge::default(),
            seconds: Histogram::new(SECONDS),
            writes: Histogram::new(SIZES),
            failures: Counter::default(),
            failing: Gauge::default(),
        }
    }
}

impl WriterMetrics {
    pub(super) fn register(&self, metrics: &mut Registry) {
        let Self { waiting, seconds, writes, failures, failing } = self.clone();
        metrics.register(
            "sqlite_writes_waiting",
            "Writes that wait for their transaction, or are in it",
            waiting,
        );
        metrics.register("sqlite_commit_seconds", "COMMIT of a transaction, with its fsync", seconds);
        metrics.register("sqlite_commit_writes", "Writes in a transaction", writes);
        metrics.register("sqlite_commit_failures", "Transactions that could not be committed", failures);
        metrics.register("sqlite_failing", "1: the last writes failed, as on a full disk", failing);
    }

    /// Counts a write until what is returned is dropped.
    pub(super) fn waiting(&self) -> Counted {
        Counted::new(&self.waiting)
    }

    pub(super) fn committed(&self, writes: usize, time: Duration) {
        self.seconds.observe(time.as_secs_f64());
        #[expect(clippy::cast_precision_loss, reason = "a batch is small")]
        self.writes.observe(writes as f64);
    }

    /// Whether the last writes failed for the disk's sake; said in the log when it changes.
    pub(super) fn set_failing(&self, is_failing: bool) {
        match (self.failing.set(is_failing.into()) != 0, is_failing) {
            (false, true) => {
                tracing::error!("writes fail: is the disk full? Until one succeeds, /readyz says 503")
            }
            (true, false) => tracing::info!("writes succeed again"),
            _ => {}
        }
    }

    pub(super) fn is_failing(&self) -> bool {
        self.failing.get() != 0
    }

    #[cfg(test)]
    pub(super) fn waiting_now(&self) -> i64 {
        self.waiting.get()
    }
}
