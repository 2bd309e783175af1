//! Extensions and remembered answers in SQL.

use std::collections::BTreeMap;

use message_extensions_core::law::{Change, ChangeKind, Entry, Message};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::number::{integer, unsigned};
use super::webhooks;
use crate::store::{AnswerId, Commit, Head, Loaded, REMEMBERED_ANSWERS};

pub(super) fn head(db: &Connection, message_no: i64) -> rusqlite::Result<Option<Head>> {
    db.prepare_cached("SELECT latest_seq, digest FROM counters WHERE message_no = ?1")?
        .query_row([message_no], |row| Ok(Head { latest_seq: unsigned(row.get(0)?), digest: row.get(1)? }))
        .optional()
}

pub(super) fn load(db: &Connection, message_no: i64) -> rusqlite::Result<Option<Loaded>> {
    let counters = db
        .prepare_cached("SELECT latest_seq, clear_seq FROM counters WHERE message_no = ?1")?
        .query_row([message_no], |row| Ok((unsigned(row.get(0)?), unsigned(row.get(1)?))))
        .optional()?;
    let Some((latest_seq, clear_seq)) = counters else { return Ok(None) };
    let entries: BTreeMap<String, Entry> = db
        .prepare_cached("SELECT key, value, seq, author, time FROM entries WHERE message_no = ?1")?
        .query_map([message_no], entry)?
        .collect::<Result<_, _>>()?;
    let answers = db
        .prepare_cached("SELECT caller, turn, request_id FROM answers WHERE message_no = ?1 ORDER BY turn")?
        .query_map([message_no], answer_id)?
        .collect::<Result<_, _>>()?;
    Ok(Some(Loaded { message: Message::restore(latest_seq, clear_seq, entries), answers, commit: 0 }))
}

fn entry(row: &Row<'_>) -> rusqlite::Result<(String, Entry)> {
    let entry = Entry {
        value: row.get(1)?,
        seq: unsigned(row.get(2)?),
        author: row.get(3)?,
        time: unsigned(row.get(4)?),
    };
    Ok((row.get(0)?, entry))
}

fn answer_id(row: &Row<'_>) -> rusqlite::Result<AnswerId> {
    Ok(AnswerId {
        caller: row.get(0)?,
        turn: unsigned(row.get(1)?),
        request_id: u128::from_be_bytes(row.get(2)?),
    })
}

/// `false`: the message is not at `expected_seq`, or gone.
pub(super) fn commit(db: &Connection, commit: &Commit) -> rusqlite::Result<bool> {
    let no = commit.message_no;
    let latest_seq = commit.changes.last().map_or(commit.expected_seq, |change| change.seq);
    let cleared = commit.changes.iter().rfind(|change| change.kind == ChangeKind::Clear);
    let is_expected =
        db.prepare_cached(
            "UPDATE counters SET latest_seq = ?3, clear_seq = ifnull(?4, clear_seq), time = max(time, ifnull(?5, time)),
            digest = ?6 WHERE message_no = ?1 AND latest_seq = ?2",
        )?
        .execute(params![
            no,
            integer(commit.expected_seq),
            integer(latest_seq),
            cleared.map(|change| integer(change.seq)),
            commit.changes.last().map(|change| integer(change.time)),
            commit.digest
        ])? == 1;
    if is_expected {
        for change in &commit.changes {
            apply(db, no, change)?;
        }
        for (id, answer) in &commit.answers {
            remember(db, no, id, answer)?;
        }
        webhooks::add(db, no, &commit.webhooks)?;
    }
    Ok(is_expected)
}

fn apply(db: &Connection, no: i64, change: &Change) -> rusqlite::Result<()> {
    match &change.kind {
        ChangeKind::Set(items) => {
            items.iter().try_for_each(|(key, value)| write(db, no, key, Some(value), change))
        }
        ChangeKind::Delete(keys) => keys.iter().try_for_each(|key| write(db, no, key, None, change)),
        ChangeKind::Clear => {
            db.prepare_cached("DELETE FROM entries WHERE message_no = ?1")?.execute([no])?;
            Ok(())
        }
    }
}

fn write(
    db: &Connection,
    no: i64,
    key: &str,
    value: Option<&String>,
    change: &Change,
) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT OR REPLACE INTO entries VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?.execute(params![
        no,
        key,
        value,
        integer(change.seq),
        change.author,
        integer(change.time)
    ])?;
    Ok(())
}

fn remember(db: &Connection, no: i64, id: &AnswerId, answer: &str) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT OR REPLACE INTO answers VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?.execute(params![
        no,
        id.caller,
        integer(id.turn % REMEMBERED_ANSWERS),
        integer(id.turn),
        id.request_id.to_be_bytes(),
        answer
    ])?;
    Ok(())
}

pub(super) fn answer(
    db: &Connection,
    message_no: i64,
    caller: &str,
    request_id: u128,
) -> rusqlite::Result<Option<String>> {
    db.prepare_cached("SELECT answer FROM answers WHERE message_no = ?1 AND caller = ?2 AND request_id = ?3")?
        .query_row(params![message_no, caller, request_id.to_be_bytes()], |row| row.get(0))
        .optional()
}
