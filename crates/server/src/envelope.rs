//! The envelope: every answer of the API is HTTP 200 and JSON, whatever happened.

use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use message_extensions_core::code::Error;
use message_extensions_core::wire::Status;

/// An answer as JSON, or why there is none.
pub(crate) type Answer = Result<String, Error>;

/// As a response.
pub(crate) fn respond(answer: Answer) -> Response {
    let refused = |error| serde_json::to_string(&Status::refused(&error)).unwrap_or_default();
    let json = answer.unwrap_or_else(refused);
    ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], json).into_response()
}
