//! What the commands do, and what all of them share. A file a subject.

mod extensions;
mod groups;
mod messages;

use std::fmt::Display;
use std::sync::Arc;

use message_extensions_core::code::{BAD_JSON, Error, INVALID_PARAMETER};
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::App;
use crate::caller::{Caller, UrlParameters};
use crate::command::Command;
use crate::envelope::{Answer, internal};
use crate::store::Group;
use crate::visibility;

/// Counts the call, parses the body, does the work.
pub(crate) async fn run(
    command: Command,
    app: &App,
    caller: Caller,
    url: &UrlParameters,
    body: &[u8],
) -> Answer {
    let call = Call { app, caller, command };
    match command {
        Command::SetC2c | Command::SetGroup => extensions::set(call, url, body).await,
        Command::PullC2c | Command::PullGroup => extensions::pull(call, body).await,
        Command::SendC2c => messages::send_c2c(call, body).await,
        Command::SendGroup => messages::send_group(call, body).await,
        Command::ListC2c => messages::list_c2c(call, body).await,
        Command::ListGroup => messages::list_group(call, body).await,
        Command::CreateGroup => groups::create(call, body).await,
        Command::DestroyGroup => groups::destroy(call, body).await,
        Command::AddMembers => groups::add_members(call, body).await,
        Command::DeleteMembers => groups::delete_members(call, body).await,
    }
}

/// One call of a command.
struct Call<'a> {
    app: &'a App,
    caller: Caller,
    command: Command,
}

impl Call<'_> {
    /// The request in the body. The call counts first, so that nobody floods with what cannot be read.
    fn request<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T, Error> {
        self.app.callers.admit(&self.caller, self.command)?;
        parse(body)
    }

    /// A group, if the caller may see it.
    async fn group(&self, group_id: &str) -> Result<Option<Arc<Group>>, Error> {
        visibility::find_group(self.app, &self.caller, group_id).await.map_err(|e| failed(&e))
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
