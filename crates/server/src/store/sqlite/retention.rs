//! Removing what nobody has changed for long, a little at a time: whoever writes waits meanwhile.

use rusqlite::{Connection, params};

use super::messages;
use super::number::integer;
use crate::store::StoredMessage;

/// Rows removed in one go, about.
const ROWS: u64 = 2000;

/// The numbers of some messages that are old. Looked for apart from the removal, since it takes long where few are.
pub(super) fn old(db: &Connection, before_ms: u64, count: usize) -> rusqlite::Result<Vec<i64>> {
    let mut old = db.prepare_cached("SELECT message_no FROM counters WHERE time < ?1 LIMIT ?2")?;
    old.query_map(params![integer(before_ms), integer(count as u64)], |row| row.get(0))?.collect()
}

/// Removes those that are still old.
pub(super) fn remove(
    db: &Connection,
    numbers: &[i64],
    before_ms: u64,
) -> rusqlite::Result<Vec<StoredMessage>> {
    let begun = db.total_changes();
    let mut removed = Vec::new();
    for no in numbers {
        if db.total_changes() - begun > ROWS {
            break;
        }
        let Some(stored) = messages::by_no(db, *no)? else { continue };
        // What belongs to it goes with it.
        let sql =
            "DELETE FROM messages WHERE no = ?1 AND (SELECT time FROM counters WHERE message_no = ?1) < ?2";
        if db.prepare_cached(sql)?.execute(params![no, integer(before_ms)])? > 0 {
            removed.push(stored);
        }
    }
    Ok(removed)
}
