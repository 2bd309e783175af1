//! Whole messages out of the file and into it.

use std::path::Path;

use message_extensions_core::message::MessageRef;
use rusqlite::{Connection, OptionalExtension};

use super::{extensions, file, groups, messages, schema};
use crate::store::{AnswerId, Archive, Conversation, Inserted, MessageName, NewGroup};

/// The message that is named, out of the data of a folder that a server may be using.
///
/// # Errors
/// A sentence for the operator.
pub(super) fn find(dir: &Path, named: MessageRef) -> Result<Option<Archive>, String> {
    let db = file::open_to_read(dir)?;
    let found = || {
        let _of_one_moment = db.unchecked_transaction()?;
        schema::is_present(&db)?;
        let name = match named {
            MessageRef::C2c { from, to, msg_key } => MessageName::C2c { from, to, msg_key },
            MessageRef::Group { group_id, msg_seq } => match groups::load(&db, &group_id)? {
                Some(group) => MessageName::Group { no: group.no, msg_seq },
                None => return Ok(None),
            },
        };
        let found = messages::find(&db, &name)?.into_iter().next();
        found.map_or(Ok(None), |stored| archive(&db, stored.no))
    };
    found().map_err(|e| file::in_words(&file::path(dir), &e))
}

pub(super) fn archive(db: &Connection, message_no: i64) -> rusqlite::Result<Option<Archive>> {
    let Some(stored) = messages::by_no(db, message_no)? else { return Ok(None) };
    let Some(loaded) = extensions::load(db, message_no)? else { return Ok(None) };
    let mut message = stored.message;
    let mut group = None;
    if let Conversation::Group { group_id, no } = &mut message.conversation {
        *no = 0;
        message.sequence = u32::try_from(stored.msg_seq).unwrap_or_default();
        let Some(found) = new_group(db, group_id)? else { return Ok(None) };
        group = Some(found);
    }
    let mut ids = loaded.answers;
    ids.sort_by(|a, b| (&a.caller, a.turn).cmp(&(&b.caller, b.turn)));
    let answer = |id: AnswerId| {
        let answer = extensions::answer(db, message_no, &id.caller, id.request_id)?;
        Ok(answer.map(|answer| (id, answer)))
    };
    let answers: Vec<_> = ids.into_iter().map(answer).collect::<rusqlite::Result<_>>()?;
    let answers = answers.into_iter().flatten().collect();
    Ok(Some(Archive { group, message, state: loaded.message, answers }))
}

fn new_group(db: &Connection, group_id: &str) -> rusqlite::Result<Option<NewGroup>> {
    let Some(group) = groups::load(db, group_id)? else { return Ok(None) };
    let name =
        db.query_row("SELECT name FROM groups WHERE no = ?1", [group.no], |row| row.get(0)).optional()?;
    let mut members: Vec<_> = group.members.into_iter().collect();
    members.sort();
    let (group_id, name) = (group_id.to_owned(), name.unwrap_or_default());
    Ok(Some(NewGroup { group_id, group_type: group.group_type, name, members }))
}

/// `None`: its group is gone again.
pub(super) fn restore(db: &Connection, archive: &Archive) -> rusqlite::Result<Option<Inserted>> {
    let mut message = archive.message.clone();
    if let Some(group) = &archive.group {
        groups::create(db, group)?;
        let Some(there) = groups::load(db, &group.group_id)? else { return Ok(None) };
        message.conversation = Conversation::Group { group_id: group.group_id.clone(), no: there.no };
    }
    let Some(inserted) = messages::insert(db, message)? else { return Ok(None) };
    if inserted.is_new {
        extensions::commit(db, &archive.commit(inserted.stored.no))?;
    }
    Ok(Some(inserted))
}
