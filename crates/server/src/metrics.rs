//! What the server does, in numbers for Prometheus. Every label is one of a list in this program: nothing that a caller
//! says becomes one, so nobody can make the page grow.

mod page;
mod process;

use std::future::Future;
use std::time::Instant;

use message_extensions_core::code::INTERNAL;
use message_extensions_core::wire::Status;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use crate::App;
use crate::envelope::Answer;
use crate::hub::Hub;
use crate::store::{Hearers, Store, StoreError};
use crate::webhook::WebhookMetrics;
use message_extensions_core::serve::command::Command;

pub(crate) use page::{Audience, router};

/// Buckets for times, from 0.1 ms, which is a good disk's fsync, to the 10 s that a stop waits.
pub(crate) const SECONDS: [f64; 15] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
/// Buckets for how many go together.
pub(crate) const SIZES: [f64; 11] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0];

/// All commands that there are not.
const UNKNOWN: &str = "unknown";

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CommandLabel {
    command: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    command: String,
    code: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CodeLabel {
    code: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct VersionLabel {
    version: &'static str,
}

pub(crate) struct Metrics {
    registry: Registry,
    calls: Family<CallLabels, Counter>,
    call_seconds: Family<CommandLabel, Histogram, fn() -> Histogram>,
    waiting: Gauge,
    commit_seconds: Histogram,
    commit_operations: Histogram,
    commit_failures: Counter,
    expired: Counter,
    closed: Family<CodeLabel, Counter>,
    pub(crate) webhooks: WebhookMetrics,
    gauges: Gauges,
}

/// What is looked up when the page is made.
#[derive(Default)]
struct Gauges {
    users: Gauge,
    connections: Gauge,
    events: Gauge,
    bytes: Gauge,
    hot: Gauge,
    counted: Gauge,
}

impl Metrics {
    pub(crate) fn new(hub: &Hub, store: &dyn Store) -> Self {
        let mut metrics = Self {
            registry: Registry::default(),
            calls: Family::default(),
            call_seconds: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            waiting: Gauge::default(),
            commit_seconds: Histogram::new(SECONDS),
            commit_operations: Histogram::new(SIZES),
            commit_failures: Counter::default(),
            expired: Counter::default(),
            closed: Family::default(),
            webhooks: WebhookMetrics::default(),
            gauges: Gauges::default(),
        };
        let mut registry = Registry::default();
        process::register(&mut registry);
        let ours = registry.sub_registry_with_prefix("message_extensions");
        metrics.register(ours);
        ours.register(
            "push_events",
            "Events handed to push connections, counted for each",
            hub.handed.clone(),
        );
        store.register(ours);
        metrics.registry = registry;
        metrics
    }

    fn register(&self, to: &mut Registry) {
        let Self { calls, call_seconds, waiting, commit_seconds, commit_operations, .. } = self;
        let version = VersionLabel { version: env!("CARGO_PKG_VERSION") };
        to.register("build", "The program", Info::new(version));
        to.register("calls", "Calls, by the ErrorCode of their answer; 0 is success", calls.clone());
        to.register("call_seconds", "From a call's whole body to its answer", call_seconds.clone());
        to.register(
            "operations_waiting",
            "Operations on messages that wait for their answer",
            waiting.clone(),
        );
        to.register(
            "commit_seconds",
            "From operations decided together to the store's word",
            commit_seconds.clone(),
        );
        to.register(
            "commit_operations",
            "Operations on one message in one commit",
            commit_operations.clone(),
        );
        to.register("commit_failures", "Commits that the store refused", self.commit_failures.clone());
        to.register("expired_messages", "Messages removed by retention-days", self.expired.clone());
        to.register(
            "push_closed",
            "Push connections closed by the server, by close code",
            self.closed.clone(),
        );
        self.webhooks.register(to);
        let Gauges { users, connections, events, bytes, hot, counted } = &self.gauges;
        to.register("push_users", "Users with a push connection", users.clone());
        to.register("push_connections", "Push connections that are logged in", connections.clone());
        to.register("push_queued_events", "Events that wait for slow push connections", events.clone());
        to.register("push_queued_bytes", "Bytes of these", bytes.clone());
        to.register("hot_messages", "Messages in memory", hot.clone());
        to.register("counted_messages", "Messages of which the write attempts are counted", counted.clone());
    }

    /// Counts a call of the URL's path when what is returned is dropped: as 10002, as if it had panicked, unless it was answered.
    pub(crate) fn call(&self, path: &str) -> Running<'_> {
        Running { metrics: self, command: command_of(path), begun: Instant::now(), code: INTERNAL }
    }

    /// Counts a waiting operation until what is returned is dropped.
    pub(crate) fn waiting(&self) -> Counted {
        Counted::new(&self.waiting)
    }

    /// Counts a commit of so many operations.
    pub(crate) async fn commit(
        &self,
        operations: usize,
        commit: impl Future<Output = Result<Hearers, StoreError>>,
    ) -> Result<Hearers, StoreError> {
        let begun = Instant::now();
        let outcome = commit.await;
        self.commit_seconds.observe(begun.elapsed().as_secs_f64());
        #[expect(clippy::cast_precision_loss, reason = "so many do not wait")]
        self.commit_operations.observe(operations as f64);
        if outcome.is_err() {
            self.commit_failures.inc();
        }
        outcome
    }

    /// Counts messages that were removed because they are old.
    pub(crate) fn expired(&self, messages: usize) {
        self.expired.inc_by(messages as u64);
    }

    /// Counts a push connection that the server closes.
    pub(crate) fn closed(&self, code: u16) {
        self.closed.get_or_create(&CodeLabel { code }).inc();
    }

    /// The page.
    fn encode(&self, app: &App) -> Result<String, std::fmt::Error> {
        let set = |gauge: &Gauge, value: usize| gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        let (load, (hot, counted)) = (app.delivery.hub.load(), app.queue.in_memory());
        let gauges = &self.gauges;
        set(&gauges.users, load.users);
        set(&gauges.connections, load.connections);
        set(&gauges.events, load.events);
        set(&gauges.bytes, load.bytes);
        set(&gauges.hot, hot);
        set(&gauges.counted, counted);
        self.webhooks.refresh();
        let mut page = String::new();
        prometheus_client::encoding::text::encode(&mut page, &self.registry)?;
        Ok(page)
    }
}

/// Something that is counted as long as it lives.
pub(crate) struct Counted(Gauge);

impl Counted {
    pub(crate) fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// A call until it is counted, however it ends.
pub(crate) struct Running<'a> {
    metrics: &'a Metrics,
    command: String,
    begun: Instant,
    code: u32,
}

impl Running<'_> {
    pub(crate) fn answered(&mut self, answer: &Answer) {
        self.code = code_of(answer);
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let command = std::mem::take(&mut self.command);
        let label = CommandLabel { command: command.clone() };
        self.metrics.call_seconds.get_or_create(&label).observe(self.begun.elapsed().as_secs_f64());
        self.metrics.calls.get_or_create(&CallLabels { command, code: self.code }).inc();
    }
}

/// The command's name, if there is such a command.
fn command_of(path: &str) -> String {
    let named = path.strip_prefix("/v4/").and_then(|path| path.split_once('/'));
    let known = named.filter(|(service, command)| Command::of(service, command).is_some());
    known.map_or(UNKNOWN, |(_, command)| command).to_owned()
}

/// The answer's code. A refusal that is remembered with the message comes as JSON: only such is read.
fn code_of(answer: &Answer) -> u32 {
    match answer {
        Err(error) => error.code,
        Ok(json) if json.starts_with(r#"{"ActionStatus":"FAIL""#) => {
            serde_json::from_str::<Status>(json).map_or(INTERNAL, |status| status.error_code)
        }
        Ok(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use message_extensions_core::code::{Error, INVALID_PARAMETER};

    use super::*;

    #[test]
    fn only_commands_that_there_are_become_labels() {
        assert_eq!(command_of("/v4/openim/sendmsg"), "sendmsg");
        for path in
            ["/v4/openim/nothing", "/v4/nothing/sendmsg", "/v4/openim", "/v4", "/v4/openim/sendmsg/more"]
        {
            assert_eq!(command_of(path), UNKNOWN, "{path}");
        }
    }

    #[test]
    fn a_refusal_has_its_code_also_when_it_comes_as_json() {
        let error = Error::new(INVALID_PARAMETER, "no");
        let json = serde_json::to_string(&Status::refused(&error)).unwrap();
        assert_eq!(code_of(&Ok(json)), INVALID_PARAMETER);
        assert_eq!(code_of(&Err(error)), INVALID_PARAMETER);
        assert_eq!(code_of(&Ok(serde_json::to_string(&Status::ok()).unwrap())), 0);
    }
}
