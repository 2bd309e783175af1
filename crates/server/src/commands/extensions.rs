//! Set, delete, clear and pull of extensions (seeds 002 to 004).

use std::sync::Arc;

use message_extensions_core::code::Error;
use message_extensions_core::law::{Message, Operation};
use message_extensions_core::serve::names::check_message;
use message_extensions_core::serve::refusal::{no_such_message, not_supported};
use message_extensions_core::wire::{Address, PullRequest, SetRequest};

use super::{Call, Command, failed, to_json};
use crate::caller::UrlParameters;
use crate::envelope::Answer;
use crate::message_queue::{Hot, Request};
use crate::visibility;

/// Visibility is decided before everything that the request says about the message, so that 23004 tells a stranger
/// nothing.
pub(super) async fn set(call: Call<'_>, url: &UrlParameters, body: &[u8]) -> Answer {
    let mut request: SetRequest = call.request(body).await?;
    let hot = find(&call, request.take_address()).await?;
    let request_id = url.request_id()?;
    let operation = Operation::parse(request, call.caller.is_admin, &call.app.config.limits)?;
    if !hot.stored.message.extensible {
        return Err(not_supported());
    }
    let request = Request { operation, caller: call.caller, request_id };
    call.app.queue.submit(&hot, request).await
}

pub(super) async fn pull(call: Call<'_>, url: &UrlParameters, body: &[u8]) -> Answer {
    let mut request: PullRequest = call.request(body).await?;
    let hot = find(&call, request.take_address()).await?;
    let message = if hot.stored.message.extensible {
        call.app.queue.committed(&hot).await.map_err(|e| failed(&e))?.ok_or_else(no_such_message)?
    } else {
        Arc::new(Message::default())
    };
    url.request_id()?;
    let page = message.pull(request.start_seq.unwrap_or(0));
    to_json(&page.into_reply(request.with_author == Some(1)))
}

/// The message that is named, if the caller may see it.
async fn find(call: &Call<'_>, address: Address) -> Result<Arc<Hot>, Error> {
    let named = match call.command {
        Command::SetC2c | Command::PullC2c => address.c2c()?,
        _ => address.group()?,
    };
    check_message(&named)?;
    let found = visibility::find(call.app, &call.caller, named).await.map_err(|e| failed(&e))?;
    found.ok_or_else(no_such_message)
}
