//! HTTP: routes, files, and how a request becomes a command.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method};
use axum::response::Response;
use axum::routing::any;
use futures_util::StreamExt;
use message_extensions_core::code::{BAD_HTTP, Error};
use message_extensions_core::serve::command::Command;
use message_extensions_core::serve::refusal::{internal, no_such_command};
use tower::ServiceBuilder;
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::App;
use crate::caller::UrlParameters;
use crate::envelope::{Answer, respond};
use crate::origin::cors;
use crate::{commands, push};

/// Largest body, bytes.
const BODY_BYTES: usize = 1 << 20;
/// Of a larger body so much is still read, so that its sender gets to see the answer.
const READ_BYTES: usize = 16 << 20;
const BODY_TIME: Duration = Duration::from_secs(30);

/// Everything that the server answers.
pub(crate) fn router(app: &Arc<App>) -> Router {
    let api = Router::new()
        .route("/v4/push", any(push::connect))
        .route("/v4", any(command))
        .route("/v4/", any(command))
        .route("/v4/{*path}", any(command))
        .layer(cors(&app.config.allow_origins))
        .with_state(Arc::clone(app));
    match &app.config.static_dir {
        None => api,
        Some(dir) => {
            let no_cache = HeaderValue::from_static("no-cache");
            let files = ServiceBuilder::new()
                .layer(SetResponseHeaderLayer::overriding(CACHE_CONTROL, no_cache))
                .service(ServeDir::new(dir));
            api.fallback_service(files)
        }
    }
}

/// `/v4/{service}/{command}`.
async fn command(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = read(body).await;
    // A task of its own: what was begun is finished though the caller hangs up, and a panic ends nothing else.
    let tasks = app.tasks.clone();
    let running = tasks.spawn(async move {
        let mut counted = app.metrics.call(parts.uri.path());
        let answer = run(&app, &parts, body).await;
        counted.answered(&answer);
        answer
    });
    respond(running.await.unwrap_or_else(|error| {
        tracing::error!(%error, "a command panicked");
        Err(internal())
    }))
}

async fn run(app: &App, parts: &Parts, body: Result<Vec<u8>, Error>) -> Answer {
    if parts.method != Method::POST {
        let text = format!("the API is called with POST, not {}", parts.method);
        return Err(Error::with(BAD_HTTP, text));
    }
    let path = parts.uri.path().strip_prefix("/v4/").unwrap_or_default();
    let (service, command) = path.split_once('/').ok_or_else(no_such_command)?;
    let command = Command::of(service, command).ok_or_else(no_such_command)?;
    let url = UrlParameters::of(&parts.uri)?;
    let (caller, _) = app.callers.identify(&url)?;
    url.check()?;
    commands::run(command, app, caller, &url, &body?).await
}

/// The body, if it is not too large and comes in time.
async fn read(body: Body) -> Result<Vec<u8>, Error> {
    match tokio::time::timeout(BODY_TIME, read_all(body)).await {
        Ok(read) => read,
        Err(_) => Err(Error::new(BAD_HTTP, "the body did not arrive within 30 seconds")),
    }
}

async fn read_all(body: Body) -> Result<Vec<u8>, Error> {
    let mut parts = body.into_data_stream();
    let (mut body, mut length) = (Vec::new(), 0);
    while let Some(part) = parts.next().await {
        let part = part.map_err(|e| Error::with(BAD_HTTP, format!("the body cannot be read: {e}")))?;
        length += part.len();
        if length <= BODY_BYTES {
            body.extend_from_slice(&part);
        } else if length > READ_BYTES {
            break;
        }
    }
    if length > BODY_BYTES {
        let text = format!("the body is larger than {BODY_BYTES} bytes");
        return Err(Error::with(BAD_HTTP, text));
    }
    Ok(body)
}
