//! `/metrics`, and who may read it.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::App;

/// The text format as `OpenMetrics` has it, which Prometheus reads as it reads its own.
const FORMAT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Who may read the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    /// It has a listener of its own, so the operator has said who.
    Everybody,
    /// It is beside the API, which strangers reach: programs on this machine only.
    ThisMachine,
}

impl Audience {
    fn admits(self, caller: SocketAddr) -> bool {
        self == Self::Everybody || caller.ip().to_canonical().is_loopback()
    }
}

pub(crate) fn router(app: &Arc<App>, audience: Audience) -> Router {
    let page = move |State(app): State<Arc<App>>, ConnectInfo(caller): ConnectInfo<SocketAddr>| async move {
        if audience.admits(caller) { page(&app) } else { refusal() }
    };
    Router::new().route("/metrics", get(page)).with_state(Arc::clone(app))
}

fn page(app: &App) -> Response {
    match app.metrics.encode(app) {
        Ok(page) => ([(CONTENT_TYPE, FORMAT)], page).into_response(),
        Err(error) => {
            tracing::error!(%error, "the metrics could not be written down");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

fn refusal() -> Response {
    let text = "here the metrics are for callers on the server's own machine; --metrics-listen serves them elsewhere";
    (StatusCode::FORBIDDEN, text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beside_the_api_only_this_machine_reads_the_metrics() {
        let callers = [
            ("127.0.0.1:5000", true),
            ("[::1]:5000", true),
            ("[::ffff:127.0.0.1]:5000", true),
            ("10.0.0.7:5000", false),
            ("[::ffff:10.0.0.7]:5000", false),
        ];
        for (caller, is_here) in callers {
            let caller = caller.parse().unwrap();
            assert_eq!(Audience::ThisMachine.admits(caller), is_here, "{caller}");
            assert!(Audience::Everybody.admits(caller));
        }
    }
}
