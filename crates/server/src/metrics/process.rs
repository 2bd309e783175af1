//! The process as the operating system sees it, under the names that Prometheus' own libraries use. Linux says it in
//! `/proc`; elsewhere only the start is known.

use std::fs;
use std::sync::atomic::AtomicU64;
use std::time::{SystemTime, UNIX_EPOCH};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::Registry;

pub(super) fn register(registry: &mut Registry) {
    let start = Gauge::<f64, AtomicU64>::default();
    start.set(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64());
    registry.register("process_start_time_seconds", "When the server began, seconds since 1970", start);
    registry.register_collector(Box::new(Proc));
}

/// Read whenever the page is made.
#[derive(Debug)]
struct Proc;

impl Collector for Proc {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let open = fs::read_dir("/proc/self/fd").ok().and_then(|files| u64::try_from(files.count()).ok());
        let gauges = [
            ("process_resident_memory_bytes", "Memory in use, bytes", resident()),
            ("process_open_fds", "Open files and connections", open),
            ("process_max_fds", "How many may be open", most_open()),
        ];
        for (name, help, value) in gauges {
            if let Some(value) = value {
                let gauge = ConstGauge::new(value);
                gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
            }
        }
        Ok(())
    }
}

fn resident() -> Option<u64> {
    let kilobytes = field("/proc/self/status", "VmRSS:")?;
    Some(kilobytes * 1024)
}

fn most_open() -> Option<u64> {
    field("/proc/self/limits", "Max open files")
}

/// The first number after `name` in a file of `/proc`.
fn field(path: &str, name: &str) -> Option<u64> {
    let text = fs::read_to_string(path).ok()?;
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}
