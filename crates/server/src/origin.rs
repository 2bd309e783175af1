//! Which pages may use the API from a browser.

use std::time::Duration;

use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, Method};
use tower_http::cors::{AllowOrigin, Any, CorsLayer};

/// Answers every OPTIONS itself, so without a signature.
pub(crate) fn cors(allowed: &[String]) -> CorsLayer {
    let origins = if allowed.is_empty() {
        AllowOrigin::any()
    } else {
        let allowed = allowed.to_vec();
        AllowOrigin::predicate(move |_, parts| is_allowed_origin(&allowed, &parts.headers))
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
