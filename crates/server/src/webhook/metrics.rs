//! What becomes of webhooks, in numbers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::clock::now_ms;
use crate::metrics::SECONDS;
use crate::store::Trimmed;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

/// Why an attempt failed, as a label.
pub(super) const FAILURES: [&str; 9] =
    ["connect", "timeout", "broken", "408", "429", "5xx", "3xx", "4xx", "other"];
const TOO_OLD: &str = "age";
const TOO_MANY: &str = "queue";

/// Cheap to clone: every clone counts into the same numbers.
#[derive(Clone)]
pub(crate) struct WebhookMetrics {
    /// Counted along with commits and removals, and set right when the queue is trimmed.
    waiting: Gauge,
    oldest_seconds: Gauge,
    /// When the oldest happened, milliseconds since 1970; 0: none waits.
    oldest: Arc<AtomicU64>,
    pub(super) blocked: Gauge,
    sent: Counter,
    failed: Family<ReasonLabel, Counter>,
    dropped: Family<ReasonLabel, Counter>,
    seconds: Histogram,
}

impl Default for WebhookMetrics {
    fn default() -> Self {
        let (failed, dropped) = (Family::default(), Family::default());
        // There from the beginning, so that the first one of a kind is seen as an increase.
        let labels = |family: &Family<ReasonLabel, Counter>, reasons: &[&'static str]| {
            reasons.iter().for_each(|&reason| drop(family.get_or_create(&ReasonLabel { reason })));
        };
        labels(&failed, &FAILURES);
        labels(&dropped, &[TOO_OLD, TOO_MANY]);
        Self {
            waiting: Gauge::default(),
            oldest_seconds: Gauge::default(),
            oldest: Arc::default(),
            blocked: Gauge::default(),
            sent: Counter::default(),
            failed,
            dropped,
            seconds: Histogram::new(SECONDS),
        }
    }
}

impl WebhookMetrics {
    pub(crate) fn register(&self, to: &mut Registry) {
        let Self { waiting, oldest_seconds, oldest: _, blocked, sent, failed, dropped, seconds } =
            self.clone();
        to.register("webhooks_waiting", "Changes that the webhook's receiver has not taken yet", waiting);
        to.register("webhooks_oldest_seconds", "Age of the oldest of them", oldest_seconds);
        to.register("webhooks_blocked", "Messages whose webhooks wait since one failed", blocked);
        to.register("webhooks_sent", "Changes that the receiver took", sent);
        to.register("webhooks_failed", "Attempts that it did not take, by reason", failed);
        to.register("webhooks_dropped", "Changes that were dropped before it took them, by reason", dropped);
        to.register("webhook_seconds", "From a request to the head of its answer, or its failure", seconds);
    }

    /// Counts webhooks that were stored; says how many wait.
    pub(super) fn queued(&self, webhooks: usize) -> usize {
        let before = self.waiting.inc_by(integer(webhooks));
        usize::try_from(before).unwrap_or_default().saturating_add(webhooks)
    }

    pub(super) fn removed(&self, webhooks: usize) {
        self.waiting.dec_by(integer(webhooks));
    }

    /// Counts an attempt; `failure` is one of [`FAILURES`].
    pub(super) fn attempted(&self, time: Duration, failure: Option<&'static str>) {
        self.seconds.observe(time.as_secs_f64());
        match failure {
            None => self.sent.inc(),
            Some(reason) => self.failed.get_or_create(&ReasonLabel { reason }).inc(),
        };
    }

    pub(super) fn trimmed(&self, trimmed: &Trimmed) {
        let count = |reason, dropped: usize| {
            self.dropped.get_or_create(&ReasonLabel { reason }).inc_by(dropped as u64);
        };
        count(TOO_OLD, trimmed.too_old);
        count(TOO_MANY, trimmed.too_many);
        self.waiting.set(integer(trimmed.left));
        self.oldest.store(trimmed.oldest.unwrap_or_default(), Ordering::Relaxed);
    }

    /// Looks up what changes by itself, before the page is made.
    pub(crate) fn refresh(&self) {
        let oldest = self.oldest.load(Ordering::Relaxed);
        let waits = oldest > 0 && self.waiting.get() > 0;
        let age = if waits { now_ms().saturating_sub(oldest) / 1000 } else { 0 };
        self.oldest_seconds.set(i64::try_from(age).unwrap_or(i64::MAX));
    }
}

fn integer(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
