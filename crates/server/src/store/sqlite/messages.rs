//! Messages in SQL.

use message_extensions_core::wire::Rules;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Params, Row, params};

use super::number::{integer, unsigned};
use crate::clock::now_ms;
use crate::store::{C2cPage, Conversation, Inserted, MessageName, NewMessage, StoredMessage};

/// What [`stored`] reads, from `messages m` joined with `groups g`.
const SELECT: &str =
    "SELECT m.no, m.sender, m.recipient, m.group_no, g.group_id, m.msg_seq, m.random, m.time,
    m.extensible, m.message_id, m.body, m.rules FROM messages m LEFT JOIN groups g ON g.no = m.group_no";

fn stored(row: &Row<'_>) -> rusqlite::Result<StoredMessage> {
    let to: Option<String> = row.get(2)?;
    let conversation = match to {
        Some(to) => Conversation::C2c { to },
        None => Conversation::Group { group_id: row.get(4)?, no: row.get(3)? },
    };
    let msg_seq = unsigned(row.get(5)?);
    let message = NewMessage {
        sender: row.get(1)?,
        sequence: match conversation {
            Conversation::C2c { .. } => row.get(5)?,
            Conversation::Group { .. } => 0,
        },
        conversation,
        random: row.get(6)?,
        time: unsigned(row.get(7)?),
        extensible: row.get(8)?,
        message_id: row.get(9)?,
        body: row.get(10)?,
        rules: row.get::<_, Option<String>>(11)?.map(|json| rules(&json)).transpose()?,
    };
    Ok(StoredMessage { no: row.get(0)?, msg_seq, message })
}

fn rules(json: &str) -> rusqlite::Result<Rules> {
    serde_json::from_str(json)
        .map_err(|e| rusqlite::Error::FromSqlConversionFailure(11, Type::Text, e.into()))
}

fn all(db: &Connection, rest: &str, params: impl Params) -> rusqlite::Result<Vec<StoredMessage>> {
    db.prepare_cached(&format!("{SELECT} {rest}"))?.query_map(params, stored)?.collect()
}

pub(super) fn insert(db: &Connection, mut new: NewMessage) -> rusqlite::Result<Option<Inserted>> {
    if let Some(stored) = repeated(db, &new)? {
        return Ok(Some(Inserted { stored, is_new: false }));
    }
    let (recipient, msg_key, group_no, msg_seq) = match &new.conversation {
        Conversation::C2c { to } => (Some(to), Some(new.msg_key()), None, i64::from(new.sequence)),
        Conversation::Group { no, .. } => match take_msg_seq(db, *no, new.sequence)? {
            Some(msg_seq) => (None, None, Some(*no), msg_seq),
            None => return Ok(None),
        },
    };
    let rules = new.rules.as_ref().map(serde_json::to_string).transpose();
    let rules = rules.map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))?;
    db.prepare_cached(
        "INSERT INTO messages (sender, recipient, msg_key, group_no, msg_seq, random, time, extensible, message_id, body, rules)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?
    .execute(params![
        new.sender,
        recipient,
        msg_key,
        group_no,
        msg_seq,
        new.random,
        integer(new.time),
        new.extensible,
        new.message_id,
        new.body,
        rules
    ])?;
    let no = db.last_insert_rowid();
    if group_no.is_some() {
        new.sequence = 0;
    }
    db.prepare_cached(
        "INSERT INTO counters (message_no, latest_seq, clear_seq, time) VALUES (?1, 0, 0, ?2)",
    )?
    .execute([no, integer(now_ms())])?;
    let stored = StoredMessage { no, msg_seq: unsigned(msg_seq), message: new };
    Ok(Some(Inserted { stored, is_new: true }))
}

fn repeated(db: &Connection, new: &NewMessage) -> rusqlite::Result<Option<StoredMessage>> {
    let by_id = match &new.conversation {
        Conversation::C2c { to } => all(
            db,
            "WHERE m.group_no IS NULL AND m.sender = ?1 AND m.recipient = ?2 AND m.message_id = ?3",
            params![new.sender, to, new.message_id],
        )?,
        Conversation::Group { no, .. } => all(
            db,
            "WHERE m.group_no = ?1 AND m.sender = ?2 AND m.message_id = ?3",
            params![no, new.sender, new.message_id],
        )?,
    };
    let found = match &new.conversation {
        Conversation::C2c { to } if by_id.is_empty() => {
            let (from, to) = (Some(new.sender.clone()), to.clone());
            find(db, &MessageName::C2c { from, to, msg_key: new.msg_key() })?
        }
        Conversation::Group { no, .. } if by_id.is_empty() && new.sequence != 0 => {
            find(db, &MessageName::Group { no: *no, msg_seq: new.sequence.into() })?
        }
        _ => by_id,
    };
    Ok(found.into_iter().next())
}

/// The MsgSeq that a message has already, or the group's next; those that follow are larger. `None`: there is no such group.
fn take_msg_seq(db: &Connection, group_no: i64, given: u32) -> rusqlite::Result<Option<i64>> {
    db.prepare_cached(
        "UPDATE groups SET last_msg_seq = iif(?2 = 0, last_msg_seq + 1, max(last_msg_seq, ?2)) WHERE no = ?1
        RETURNING iif(?2 = 0, last_msg_seq, ?2)",
    )?
    .query_row(params![group_no, given], |row| row.get(0))
    .optional()
}

pub(super) fn find(db: &Connection, name: &MessageName) -> rusqlite::Result<Vec<StoredMessage>> {
    match name {
        MessageName::C2c { from: Some(from), to, msg_key } => all(
            db,
            "WHERE m.group_no IS NULL AND m.recipient = ?1 AND m.msg_key = ?2 AND m.sender = ?3",
            params![to, msg_key, from],
        ),
        MessageName::C2c { from: None, to, msg_key } => all(
            db,
            "WHERE m.group_no IS NULL AND m.recipient = ?1 AND m.msg_key = ?2 ORDER BY m.no",
            params![to, msg_key],
        ),
        MessageName::Group { no, msg_seq } => {
            all(db, "WHERE m.group_no = ?1 AND m.msg_seq = ?2", params![no, integer(*msg_seq)])
        }
    }
}

pub(super) fn by_no(db: &Connection, no: i64) -> rusqlite::Result<Option<StoredMessage>> {
    Ok(all(db, "WHERE m.no = ?1", [no])?.into_iter().next())
}

pub(super) fn list_c2c(db: &Connection, page: &C2cPage) -> rusqlite::Result<Vec<StoredMessage>> {
    let [a, b] = &page.users;
    let (time, no) = page_end(db, page)?;
    let mut found = Vec::new();
    let directions = if a == b { vec![(a, b)] } else { vec![(a, b), (b, a)] };
    for (from, to) in directions {
        found.extend(all(
            db,
            "WHERE m.group_no IS NULL AND m.sender = ?1 AND m.recipient = ?2 AND m.time >= ?3
            AND (m.time, m.no) < (?4, ?5) ORDER BY m.time DESC, m.no DESC LIMIT ?6",
            params![from, to, integer(page.min_time), time, no, integer(page.count as u64)],
        )?);
    }
    found.sort_by_key(|m| std::cmp::Reverse((m.message.time, m.no)));
    found.truncate(page.count);
    Ok(found)
}

/// The `(time, no)` before which a page ends: that of the message `before`, or just after `max_time`.
fn page_end(db: &Connection, page: &C2cPage) -> rusqlite::Result<(i64, i64)> {
    let latest = (page.max_time.map_or(i64::MAX, integer), i64::MAX);
    let Some(before) = &page.before else { return Ok(latest) };
    let [a, b] = &page.users;
    let found = db
        .prepare_cached(
            "SELECT time, no FROM messages WHERE group_no IS NULL AND msg_key = ?3
            AND ((recipient = ?1 AND sender = ?2) OR (recipient = ?2 AND sender = ?1))",
        )?
        .query_row(params![a, b, before], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(found.map_or(latest, |place| latest.min(place)))
}

pub(super) fn list_group(
    db: &Connection,
    group_no: i64,
    max_seq: Option<u64>,
    count: usize,
) -> rusqlite::Result<Vec<StoredMessage>> {
    let max_seq = max_seq.map_or(i64::MAX, integer);
    all(
        db,
        "WHERE m.group_no = ?1 AND m.msg_seq <= ?2 ORDER BY m.msg_seq DESC LIMIT ?3",
        params![group_no, max_seq, integer(count as u64)],
    )
}
