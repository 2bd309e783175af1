//! Who may see a message: both users of a one-to-one message, the present members of a group, app admins. To anybody else
//! it does not exist.

use std::sync::Arc;

use message_extensions_core::message::MessageRef;

use crate::App;
use crate::caller::Caller;
use crate::message_queue::Hot;
use crate::store::{Conversation, Group, MessageName, NewMessage, SeenGroup, StoreError};

/// The message that is named, if the caller may see it.
pub(crate) async fn find(
    app: &App,
    caller: &Caller,
    named: MessageRef,
) -> Result<Option<Arc<Hot>>, StoreError> {
    match named {
        MessageRef::C2c { from, to, msg_key } => {
            let candidates = app.queue.find(&MessageName::C2c { from, to, msg_key }).await?;
            Ok(candidates.into_iter().find(|hot| is_party(caller, &hot.stored.message)))
        }
        MessageRef::Group { group_id, msg_seq } => {
            let Some(group) = find_group(app, caller, &group_id).await? else { return Ok(None) };
            let name = MessageName::Group { no: group.no, msg_seq };
            Ok(app.queue.find(&name).await?.into_iter().next())
        }
    }
}

/// A group's message, if it and the caller as a member are remembered here. Nothing may be kept nor said before the group was
/// compared with the store.
pub(crate) fn remembered(
    app: &App,
    caller: &Caller,
    named: &MessageRef,
) -> Option<(Arc<Hot>, Arc<SeenGroup>)> {
    let MessageRef::Group { group_id, msg_seq } = named else { return None };
    let (group, seen) = app.groups.remembered(group_id).filter(|(group, _)| may_see(caller, group))?;
    let name = MessageName::Group { no: group.no, msg_seq: *msg_seq };
    Some((app.queue.known(&name)?, seen))
}

/// The group, if the caller may see it.
pub(crate) async fn find_group(
    app: &App,
    caller: &Caller,
    group_id: &str,
) -> Result<Option<Arc<Group>>, StoreError> {
    let group = app.groups.get(group_id).await?;
    Ok(group.filter(|group| may_see(caller, group)))
}

fn may_see(caller: &Caller, group: &Group) -> bool {
    caller.is_admin || group.members.contains(&caller.identifier)
}

/// Whether the caller still sees a message that was found before.
pub(crate) async fn still_sees(app: &App, caller: &Caller, message: &NewMessage) -> Result<bool, StoreError> {
    match &message.conversation {
        Conversation::C2c { .. } => Ok(is_party(caller, message)),
        Conversation::Group { group_id, no } => {
            Ok(find_group(app, caller, group_id).await?.is_some_and(|group| group.no == *no))
        }
    }
}

fn is_party(caller: &Caller, message: &NewMessage) -> bool {
    let who = &caller.identifier;
    let is_recipient = matches!(&message.conversation, Conversation::C2c { to } if to == who);
    caller.is_admin || message.sender == *who || is_recipient
}
