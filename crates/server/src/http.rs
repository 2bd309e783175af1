//! HTTP: routes, the envelope that is the same whatever happens, CORS, and files.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HOST, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use futures_util::StreamExt;
use message_extensions_core::code::{BAD_HTTP, Error, NO_SUCH_COMMAND};
use message_extensions_core::wire::Status;
use tower::ServiceBuilder;
use tower_http::cors::{AllowOrigin, Any, CorsLayer};
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::App;
use crate::caller::UrlParameters;
use crate::commands::Command;
use crate::message_queue::{Answer, internal};
use crate::push;

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
        .layer(cors(app))
        .with_state(Arc::clone(app));
    let router = Router::new().route("/healthz", get(|| async { "ok" })).merge(api);
    match &app.config.static_dir {
        None => router,
        Some(dir) => {
            let no_cache = HeaderValue::from_static("no-cache");
            let files = ServiceBuilder::new()
                .layer(SetResponseHeaderLayer::overriding(CACHE_CONTROL, no_cache))
                .service(ServeDir::new(dir));
            router.fallback_service(files)
        }
    }
}

fn no_such_command() -> Error {
    Error::new(
        NO_SUCH_COMMAND,
        "there is no such service or command: the URL must be /v4/{service}/{command}",
    )
}

/// `/v4/{service}/{command}`.
async fn command(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = read(body).await;
    // A task of its own: what was begun is finished though the caller hangs up, and a panic ends nothing else.
    let tasks = app.tasks.clone();
    let running = tasks.spawn(async move { run(&app, &parts, body).await });
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
    command.run(app, caller, &url, &body?).await
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

/// The envelope: HTTP 200 and JSON, whatever happened.
pub(crate) fn respond(answer: Answer) -> Response {
    let refused = |error| serde_json::to_string(&Status::refused(&error)).unwrap_or_default();
    let json = answer.unwrap_or_else(refused);
    ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], json).into_response()
}

/// Answers every OPTIONS itself, so without a signature.
fn cors(app: &Arc<App>) -> CorsLayer {
    let origins = if app.config.allow_origins.is_empty() {
        AllowOrigin::any()
    } else {
        let app = Arc::clone(app);
        AllowOrigin::predicate(move |_, parts| is_allowed_origin(&app.config.allow_origins, &parts.headers))
    };
    CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers(Any)
        .max_age(Duration::from_secs(86_400))
}

/// Whether a page of this origin may use the API. What is not a browser sends none, and may.
pub(crate) fn is_allowed_origin(allowed: &[String], headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return true };
    let Ok(origin) = origin.to_str() else { return false };
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let is_same_host = origin.split_once("://").is_some_and(|(_, of)| Some(of) == host);
    allowed.is_empty() || is_same_host || allowed.iter().any(|one| one == origin)
}
