//! What the commands do, and what all of them share. A file a subject.

mod extensions;
mod groups;
mod messages;
mod register;

use std::fmt::Display;
use std::sync::Arc;

use message_extensions_core::code::Error;
use message_extensions_core::serve::body;
use message_extensions_core::serve::command::Command;
use message_extensions_core::serve::refusal::{admin_only, internal, not_enabled};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::App;
use crate::caller::{Caller, UrlParameters};
use crate::envelope::Answer;
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
    if app.config.extensions_off && command.is_of_extensions() {
        call.count().await?;
        return Err(not_enabled());
    }
    match command {
        Command::SetC2c | Command::SetGroup => extensions::set(call, url, body).await,
        Command::PullC2c | Command::PullGroup => extensions::pull(call, url, body).await,
        // Boxed, so that a task for the commands above need not have room for those below.
        Command::Register => Box::pin(register::register(call, body)).await,
        Command::SendC2c => Box::pin(messages::send_c2c(call, body)).await,
        Command::SendGroup => Box::pin(messages::send_group(call, body)).await,
        Command::ListC2c => Box::pin(messages::list_c2c(call, body)).await,
        Command::ListGroup => Box::pin(messages::list_group(call, body)).await,
        Command::CreateGroup => Box::pin(groups::create(call, body)).await,
        Command::DestroyGroup => Box::pin(groups::destroy(call, body)).await,
        Command::AddMembers => Box::pin(groups::add_members(call, body)).await,
        Command::DeleteMembers => Box::pin(groups::delete_members(call, body)).await,
    }
}

/// One call of a command.
struct Call<'a> {
    app: &'a App,
    caller: Caller,
    command: Command,
}

impl Call<'_> {
    async fn count(&self) -> Result<(), Error> {
        self.app.callers.admit(&self.caller, self.command, &*self.app.store).await
    }

    /// The request in the body. The call counts first, so that nobody floods with what cannot be read.
    async fn request<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T, Error> {
        self.count().await?;
        body::parse(body)
    }

    /// The same of a command for admins.
    async fn admin_request<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T, Error> {
        let request = self.request(body).await?;
        if self.caller.is_admin {
            return Ok(request);
        }
        Err(admin_only())
    }

    /// A group, if the caller may see it.
    async fn group(&self, group_id: &str) -> Result<Option<Arc<Group>>, Error> {
        visibility::find_group(self.app, &self.caller, group_id).await.map_err(|e| failed(&e))
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
