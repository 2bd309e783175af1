//! `/healthz`: the process answers. `/readyz`: send it calls.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::App;

/// The store must answer within this time.
const PATIENCE: Duration = Duration::from_secs(2);
/// For so long what the store said last is good, so that nobody keeps it busy with asking.
const FRESH: Duration = Duration::from_secs(1);

#[derive(Default)]
pub(crate) struct Health {
    is_stopping: AtomicBool,
    /// When the store was asked last, and whether it was well. Held while it is asked: one asks for all.
    store: Mutex<Option<(Instant, bool)>>,
}

impl Health {
    /// From here on the server is not ready.
    pub(crate) fn stop(&self) {
        self.is_stopping.store(true, Ordering::Relaxed);
    }
}

/// The two pages. Neither is cached on the way, and neither tells who asks anything about the data.
pub(crate) fn router(app: &Arc<App>) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .with_state(Arc::clone(app))
}

async fn ready(State(app): State<Arc<App>>) -> (StatusCode, &'static str) {
    let unavailable = |why| (StatusCode::SERVICE_UNAVAILABLE, why);
    if app.health.is_stopping.load(Ordering::Relaxed) {
        return unavailable("the server stops");
    }
    if !store_answers(&app).await {
        return unavailable("the store does not answer");
    }
    (StatusCode::OK, "ready")
}

async fn store_answers(app: &App) -> bool {
    let mut last = app.health.store.lock().await;
    if let Some((when, is_well)) = *last
        && when.elapsed() < FRESH
    {
        return is_well;
    }
    let outcome = timeout(PATIENCE, app.store.check()).await;
    let is_well = match outcome {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            tracing::warn!(%error, "the store is not well");
            false
        }
        Err(_) => {
            tracing::warn!("the store did not answer in time");
            false
        }
    };
    *last = Some((Instant::now(), is_well));
    is_well
}
