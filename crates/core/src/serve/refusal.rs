//! Errors with a fixed text.

use alloc::string::String;

use crate::code::{
    ADMIN_ONLY, Error, INTERNAL, INVALID_PARAMETER, NO_SUCH_COMMAND, NO_SUCH_GROUP, NO_SUCH_MESSAGE,
    NOT_ENABLED, NOT_SUPPORTED,
};

/// 10002, for what went wrong inside.
#[must_use]
pub fn internal() -> Error {
    Error::new(INTERNAL, "the server could not do its work; try again")
}

/// 23004, for what is not there, or not for the caller to see: they learn no more.
#[must_use]
pub fn no_such_message() -> Error {
    Error::new(NO_SUCH_MESSAGE, "the message does not exist, or you may not see it")
}

/// 10010, likewise.
#[must_use]
pub fn no_such_group() -> Error {
    Error::new(NO_SUCH_GROUP, "GroupId names no group that exists and that you may see")
}

/// 23002.
#[must_use]
pub fn not_supported() -> Error {
    Error::new(
        NOT_SUPPORTED,
        "the message does not support extensions: it was sent without SupportMessageExtension, or to a group of a \
         type that has none",
    )
}

/// 10008.
#[must_use]
pub fn not_enabled() -> Error {
    Error::new(NOT_ENABLED, "message extensions are switched off for this app")
}

/// 60010.
#[must_use]
pub fn admin_only() -> Error {
    Error::new(ADMIN_ONLY, "only an app admin may make this call")
}

/// 60010, for a user who speaks for another: `field` and what admins alone may do.
#[must_use]
pub fn not_yourself(field: &str, what: &str) -> Error {
    Error::with(
        ADMIN_ONLY,
        alloc::format!("{field} must be yourself; only an app admin may {what} for others"),
    )
}

/// 60009.
#[must_use]
pub fn no_such_command() -> Error {
    Error::new(
        NO_SUCH_COMMAND,
        "there is no such service or command: the URL must be /v4/{service}/{command}",
    )
}

/// 10004.
#[must_use]
pub fn invalid(text: impl Into<String>) -> Error {
    Error::with(INVALID_PARAMETER, text.into())
}
