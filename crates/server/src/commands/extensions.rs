//! Set, delete, clear and pull of extensions (seeds 002 to 004).

use std::sync::Arc;

use message_extensions_core::code::{Error, NOT_SUPPORTED};
use message_extensions_core::law::{Message, Operation};
use message_extensions_core::message::MessageRef;
use message_extensions_core::wire::{Address, PullRequest, SetRequest};

use super::groups::check_group_id;
use super::{Call, Command, failed, to_json};
use crate::caller::{UrlParameters, check_user_id};
use crate::envelope::{Answer, no_such_message};
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
        return Err(Error::new(
            NOT_SUPPORTED,
            "the message does not support extensions: it was sent without SupportMessageExtension, or to a group of a \
             type that has none",
        ));
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
    check(&named)?;
    let found = visibility::find(call.app, &call.caller, named).await.map_err(|e| failed(&e))?;
    found.ok_or_else(no_such_message)
}

/// What no message can be named by, whoever asks.
fn check(named: &MessageRef) -> Result<(), Error> {
    match named {
        MessageRef::C2c { from, to, .. } => {
            from.iter().try_for_each(|from| check_user_id("From_Account", from))?;
            check_user_id("To_Account", to)
        }
        MessageRef::Group { group_id, .. } => check_group_id(group_id),
    }
}
