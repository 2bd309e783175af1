//! Webhooks that wait, in SQL.

use rusqlite::{Connection, OptionalExtension, params};

use super::number::{integer, unsigned};
use crate::store::Webhook;

/// Webhooks that are dropped in one piece.
pub(super) const PIECE: usize = 500;

fn limit(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

pub(super) fn add(db: &Connection, message_no: i64, webhooks: &[Webhook]) -> rusqlite::Result<()> {
    for webhook in webhooks {
        db.prepare_cached("INSERT INTO webhooks (message_no, seq, time, body) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![message_no, integer(webhook.seq), integer(webhook.time), &*webhook.body])?;
    }
    Ok(())
}

pub(super) fn messages(db: &Connection, after: i64, count: usize) -> rusqlite::Result<Vec<i64>> {
    db.prepare_cached(
        "SELECT DISTINCT message_no FROM webhooks WHERE message_no > ?1 ORDER BY message_no LIMIT ?2",
    )?
    .query_map(params![after, limit(count)], |row| row.get(0))?
    .collect()
}

pub(super) fn of(db: &Connection, message_no: i64, count: usize) -> rusqlite::Result<Vec<Webhook>> {
    db.prepare_cached("SELECT seq, time, body FROM webhooks WHERE message_no = ?1 ORDER BY seq LIMIT ?2")?
        .query_map(params![message_no, limit(count)], |row| {
            Ok(Webhook { seq: unsigned(row.get(0)?), time: unsigned(row.get(1)?), body: row.get(2)? })
        })?
        .collect()
}

pub(super) fn remove(db: &Connection, received: &[(i64, u64)]) -> rusqlite::Result<usize> {
    let mut remove = db.prepare_cached("DELETE FROM webhooks WHERE message_no = ?1 AND seq <= ?2")?;
    received.iter().map(|(message_no, seq)| remove.execute(params![message_no, integer(*seq)])).sum()
}

/// What there is too much of.
pub(super) struct Excess {
    /// Those with a smaller number are too old.
    pub(super) too_old: Option<i64>,
    /// Those with a smaller number are too many.
    pub(super) too_many: Option<i64>,
    /// How many there are without these.
    pub(super) left: usize,
    /// When the oldest of the rest happened.
    pub(super) oldest: Option<u64>,
}

/// Looked up apart from the dropping, since it takes time and only writes wait for each other.
pub(super) fn excess(db: &Connection, keep: usize, since: u64) -> rusqlite::Result<Excess> {
    let number =
        |sql: &str| -> rusqlite::Result<i64> { db.prepare_cached(sql)?.query_row((), |row| row.get(0)) };
    // Of the narrow index, not of the table.
    let count = number("SELECT count(*) FROM webhooks")?;
    // What comes meanwhile has a larger number.
    let end = number("SELECT ifnull(max(no), 0) + 1 FROM webhooks")?;
    let young: i64 = db
        .prepare_cached("SELECT no FROM webhooks WHERE time >= ?1 ORDER BY no LIMIT 1")?
        .query_row([integer(since)], |row| row.get(0))
        .optional()?
        .unwrap_or(end);
    let old: i64 = db
        .prepare_cached("SELECT count(*) FROM webhooks WHERE no < ?1")?
        .query_row([young], |row| row.get(0))?;
    let many = (count - old - limit(keep)).max(0);
    let rest: Option<(i64, u64)> = db
        .prepare_cached("SELECT no, time FROM webhooks WHERE no >= ?1 ORDER BY no LIMIT 1 OFFSET ?2")?
        .query_row([young, many], |row| Ok((row.get(0)?, unsigned(row.get(1)?))))
        .optional()?;
    Ok(Excess {
        too_old: (old > 0).then_some(young),
        too_many: (many > 0).then_some(rest.map_or(end, |(no, _)| no)),
        left: usize::try_from(count - old - many).unwrap_or_default(),
        oldest: rest.map(|(_, time)| time),
    })
}

/// Drops the oldest that have a smaller number, as many as are dropped in one piece at most. Says how many there were.
pub(super) fn drop_piece(db: &Connection, before: i64) -> rusqlite::Result<usize> {
    db.prepare_cached(
        "DELETE FROM webhooks WHERE no IN (SELECT no FROM webhooks WHERE no < ?1 ORDER BY no LIMIT ?2)",
    )?
    .execute(params![before, limit(PIECE)])
}
