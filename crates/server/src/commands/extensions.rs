//! Set, delete, clear and pull of extensions (seeds 002 to 004).

use std::sync::Arc;

use message_extensions_core::code::Error;
use message_extensions_core::law::{Message, Operation};
use message_extensions_core::message::MessageRef;
use message_extensions_core::serve::names::check_message;
use message_extensions_core::serve::refusal::{internal, no_such_message, not_supported};
use message_extensions_core::wire::{Address, PullRequest, SetRequest};

use super::{Call, Command, failed, to_json};
use crate::caller::UrlParameters;
use crate::envelope::Answer;
use crate::message_queue::{Hot, Outcome, Request};
use crate::visibility;

/// Visibility is decided before everything that the request says about the message, so that 23004 tells a stranger
/// nothing.
pub(super) async fn set(call: Call<'_>, url: &UrlParameters, body: &[u8]) -> Answer {
    let mut request: SetRequest = call.request(body).await?;
    let named = name(&call, request.take_address())?;
    let mut request = parse(&call, url, request);
    // Who is a member is compared together with what is written. Whoever is to be refused, and any other call, asks for it first.
    if let Some((hot, group)) = visibility::remembered(call.app, &call.caller, &named)
        && hot.stored.message.extensible
        && let Ok(parsed) = request
    {
        match call.app.queue.submit(&hot, Request { group: Some(group), ..parsed }).await {
            Outcome::Answered(answer) => return answer,
            Outcome::Outdated(parsed) => request = Ok(Request { group: None, ..parsed }),
        }
    }
    let hot = find(&call, named).await?;
    let request = request?;
    if !hot.stored.message.extensible {
        return Err(not_supported());
    }
    match call.app.queue.submit(&hot, request).await {
        Outcome::Answered(answer) => answer,
        Outcome::Outdated(_) => Err(internal()),
    }
}

fn parse(call: &Call<'_>, url: &UrlParameters, request: SetRequest) -> Result<Request, Error> {
    let request_id = url.request_id()?;
    let operation = Operation::parse(request, call.caller.is_admin, &call.app.config.limits)?;
    Ok(Request { operation, caller: call.caller.clone(), request_id, group: None })
}

pub(super) async fn pull(call: Call<'_>, url: &UrlParameters, body: &[u8]) -> Answer {
    let mut request: PullRequest = call.request(body).await?;
    let named = name(&call, request.take_address())?;
    let hot = find(&call, named).await?;
    let message = if hot.stored.message.extensible {
        call.app.queue.committed(&hot).await.map_err(|e| failed(&e))?.ok_or_else(no_such_message)?
    } else {
        Arc::new(Message::default())
    };
    url.request_id()?;
    let page = message.pull(request.start_seq.unwrap_or(0));
    to_json(&page.into_reply(request.with_author == Some(1)))
}

fn name(call: &Call<'_>, address: Address) -> Result<MessageRef, Error> {
    let named = match call.command {
        Command::SetC2c | Command::PullC2c => address.c2c()?,
        _ => address.group()?,
    };
    check_message(&named).map(|()| named)
}

/// The message that is named, if the caller may see it.
async fn find(call: &Call<'_>, named: MessageRef) -> Result<Arc<Hot>, Error> {
    let found = visibility::find(call.app, &call.caller, named).await.map_err(|e| failed(&e))?;
    found.ok_or_else(no_such_message)
}
