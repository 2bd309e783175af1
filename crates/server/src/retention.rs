//! Removing messages that nobody has changed for long.

use std::convert::Infallible;
use std::future::pending;
use std::time::Instant;

use crate::App;
use crate::clock::now_ms;

/// Messages removed at a time.
const BATCH: usize = 100;

/// Removes what is old, now and then.
pub(crate) async fn run(app: &App) -> Infallible {
    let Some(age) = app.config.retention else { return pending().await };
    let age_ms = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
    loop {
        remove_before(app, now_ms().saturating_sub(age_ms)).await;
        tokio::time::sleep(app.config.retention_interval).await;
    }
}

async fn remove_before(app: &App, before_ms: u64) {
    let mut count = 0;
    loop {
        let begun = Instant::now();
        match app.store.expire(before_ms, BATCH).await {
            Ok(removed) if removed.is_empty() => break,
            Ok(removed) => {
                app.queue.forget(&removed);
                app.metrics.expired(removed.len());
                count += removed.len();
                // Half of the time is for those who write.
                tokio::time::sleep(begun.elapsed()).await;
            }
            Err(error) => {
                tracing::error!(%error, "old messages could not be removed");
                break;
            }
        }
    }
    if count > 0 {
        tracing::info!(count, "messages that nobody had changed for retention-days were removed");
    }
}
