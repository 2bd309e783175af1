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
}

impl Default for WriterMetrics {
    fn default() -> Self {
        Self {
            waiting: Gauge::default(),
            seconds: Histogram::new(SECONDS),
            writes: Histogram::new(SIZES),
            failures: Counter::default(),
        }
    }
}

impl WriterMetrics {
    pub(super) fn register(&self, metrics: &mut Registry) {
        let Self { waiting, seconds, writes, failures } = self.clone();
        metrics.register(
            "sqlite_writes_waiting",
            "Writes that wait for their transaction, or are in it",
            waiting,
        );
        metrics.register("sqlite_commit_seconds", "COMMIT of a transaction, with its fsync", seconds);
        metrics.register("sqlite_commit_writes", "Writes in a transaction", writes);
        metrics.register("sqlite_commit_failures", "Transactions that could not be committed", failures);
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
}
