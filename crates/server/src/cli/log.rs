//! The log.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

use super::Failure;
use super::settings::LogFormat;

/// Starts the log, on stderr. `RUST_LOG` chooses, as everywhere.
///
/// # Errors
/// When `RUST_LOG` cannot be read.
pub(crate) fn start(format: Option<LogFormat>) -> Result<(), Failure> {
    let chosen = std::env::var(EnvFilter::DEFAULT_ENV).unwrap_or_default();
    let filter = EnvFilter::try_new(if chosen.is_empty() { "info" } else { &chosen })
        .map_err(|e| Failure::Usage(format!("RUST_LOG is not a filter of the log: {e}")))?;
    let log = tracing_subscriber::fmt().with_writer(io::stderr).with_env_filter(filter);
    let log = log.with_ansi(io::stderr().is_terminal());
    match format {
        Some(LogFormat::Json) => log.json().flatten_event(true).init(),
        _ => log.init(),
    }
    Ok(())
}
