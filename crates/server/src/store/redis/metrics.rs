//! What goes between this node and the engine, in numbers.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::metrics::{Counted, SECONDS, SIZES};

#[derive(Clone)]
pub(super) struct EngineMetrics {
    waiting: Gauge,
    write_seconds: Histogram,
    writes: Histogram,
    read_seconds: Histogram,
    pub(super) unacknowledged: Counter,
    pub(super) redirections: Counter,
    pub(super) failures: Counter,
    pub(super) connections: Counter,
}

impl Default for EngineMetrics {
    fn default() -> Self {
        Self {
            waiting: Gauge::default(),
            write_seconds: Histogram::new(SECONDS),
            writes: Histogram::new(SIZES),
            read_seconds: Histogram::new(SECONDS),
            unacknowledged: Counter::default(),
            redirections: Counter::default(),
            failures: Counter::default(),
            connections: Counter::default(),
        }
    }
}

impl EngineMetrics {
    pub(super) fn register(&self, to: &mut Registry) {
        let Self {
            waiting,
            write_seconds,
            writes,
            read_seconds,
            unacknowledged,
            redirections,
            failures,
            connections,
        } = self.clone();
        to.register("redis_writes_waiting", "Writes that wait for their batch, or are in it", waiting);
        to.register(
            "redis_batch_seconds",
            "From a batch of writes to the word of its replicas",
            write_seconds,
        );
        to.register("redis_batch_writes", "Writes in a batch", writes);
        to.register("redis_read_seconds", "From a read to its answer", read_seconds);
        to.register(
            "redis_unacknowledged",
            "Writes that too few replicas acknowledged in time",
            unacknowledged,
        );
        to.register(
            "redis_redirections",
            "Calls that were told of another server: slots that move",
            redirections,
        );
        to.register(
            "redis_failures",
            "Attempts that a server did not answer, or not yet: failovers",
            failures,
        );
        to.register("redis_connections", "Connections that were made", connections);
    }

    /// Counts a write until what is returned is dropped.
    pub(super) fn waiting(&self) -> Counted {
        Counted::new(&self.waiting)
    }

    pub(super) fn wrote(&self, writes: usize, time: Duration) {
        self.write_seconds.observe(time.as_secs_f64());
        #[expect(clippy::cast_precision_loss, reason = "a batch is small")]
        self.writes.observe(writes as f64);
    }

    pub(super) fn read(&self, time: Duration) {
        self.read_seconds.observe(time.as_secs_f64());
    }
}
