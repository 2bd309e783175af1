//! The commands by their URLs, and what all of them share. A file a subject.

mod extensions;
mod groups;
mod messages;

use std::fmt::Display;
use std::sync::Arc;

use message_extensions_core::code::{BAD_JSON, Error, INVALID_PARAMETER};
use message_extensions_core::wire::{C2C_SERVICE, EXTENSION_SERVICE, GROUP_SERVICE};
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::App;
use crate::caller::{Caller, UrlParameters};
use crate::message_queue::{Answer, internal};
use crate::store::Group;

/// What the server can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Command {
    /// Seed 002.
    SetC2c,
    /// Seed 002, for a group's message.
    SetGroup,
    /// Seed 003.
    PullC2c,
    /// Seed 004.
    PullGroup,
    SendC2c,
    SendGroup,
    ListC2c,
    ListGroup,
    CreateGroup,
    DestroyGroup,
    AddMembers,
    DeleteMembers,
}

impl Command {
    /// The command of `/v4/{service}/{command}`.
    pub(crate) fn of(service: &str, command: &str) -> Option<Self> {
        Some(match (service, command) {
            (EXTENSION_SERVICE, "set_key_values") => Self::SetC2c,
            (EXTENSION_SERVICE, "group_set_key_values") => Self::SetGroup,
            (EXTENSION_SERVICE, "get_key_values") => Self::PullC2c,
            (EXTENSION_SERVICE, "group_get_key_values") => Self::PullGroup,
            (C2C_SERVICE, "sendmsg") => Self::SendC2c,
            (C2C_SERVICE, "admin_getroammsg") => Self::ListC2c,
            (GROUP_SERVICE, "send_group_msg") => Self::SendGroup,
            (GROUP_SERVICE, "group_msg_get_simple") => Self::ListGroup,
            (GROUP_SERVICE, "create_group") => Self::CreateGroup,
            (GROUP_SERVICE, "destroy_group") => Self::DestroyGroup,
            (GROUP_SERVICE, "add_group_member") => Self::AddMembers,
            (GROUP_SERVICE, "delete_group_member") => Self::DeleteMembers,
            _ => return None,
        })
    }

    /// Parses the body, counts the call, does the work.
    pub(crate) async fn run(self, app: &App, caller: Caller, url: &UrlParameters, body: &[u8]) -> Answer {
        let call = Call { app, caller, command: self };
        match self {
            Self::SetC2c | Self::SetGroup => extensions::set(call, url, body).await,
            Self::PullC2c | Self::PullGroup => extensions::pull(call, body).await,
            Self::SendC2c => messages::send_c2c(call, body).await,
            Self::SendGroup => messages::send_group(call, body).await,
            Self::ListC2c => messages::list_c2c(call, body).await,
            Self::ListGroup => messages::list_group(call, body).await,
            Self::CreateGroup => groups::create(call, body).await,
            Self::DestroyGroup => groups::destroy(call, body).await,
            Self::AddMembers => groups::add_members(call, body).await,
            Self::DeleteMembers => groups::delete_members(call, body).await,
        }
    }
}

/// One call of a command.
struct Call<'a> {
    app: &'a App,
    caller: Caller,
    command: Command,
}

impl Call<'_> {
    /// The request in the body; then the call counts.
    fn request<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T, Error> {
        let request = parse(body)?;
        self.app.callers.admit(&self.caller, self.command)?;
        Ok(request)
    }

    /// A group, if the caller may see it: as a member now, or as an admin.
    async fn group(&self, group_id: &str) -> Result<Option<Arc<Group>>, Error> {
        let group = self.app.groups.get(group_id).await.map_err(|e| failed(&e))?;
        Ok(group.filter(|group| self.caller.is_admin || group.members.contains(&self.caller.identifier)))
    }
}

/// Reads a JSON object. What is not JSON is 60003, what has a field of the wrong type is 10004 and names the field.
fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    let not_json = |why: &dyn Display| Error::with(BAD_JSON, format!("the body is not a JSON object: {why}"));
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(not_json(&"it does not begin with {"));
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let parsed = serde_path_to_error::deserialize(&mut json);
    match parsed {
        Ok(request) => json.end().map(|()| request).map_err(|e| not_json(&e)),
        Err(error) => match serde_json::from_slice::<IgnoredAny>(body) {
            Ok(_) => Err(Error::with(INVALID_PARAMETER, format!("{}: {}", error.path(), error.inner()))),
            Err(syntax) => Err(not_json(&syntax)),
        },
    }
}

fn to_json(reply: &impl Serialize) -> Answer {
    serde_json::to_string(reply).map_err(|error| failed(&error))
}

/// For what went wrong inside: the log gets the reason, the caller 10002.
fn failed(error: &dyn Display) -> Error {
    tracing::error!(%error, "a command failed");
    internal()
}

fn invalid(text: impl Into<String>) -> Error {
    Error::with(INVALID_PARAMETER, text.into())
}
