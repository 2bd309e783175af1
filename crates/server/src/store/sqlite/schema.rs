//! The schema and its versions: what a file must be to be opened, and how an older one is brought up to date.

use rusqlite::{Connection, ErrorCode};

/// The steps from an empty file to the present version, which is their number; kept in the file as `user_version`. A step
/// that was released is never changed.
const STEPS: [&str; VERSION as usize] = [include_str!("schema/1.sql"), include_str!("schema/2.sql")];
const VERSION: i64 = 2;
/// Says that a file is ours ("MsgX"); kept since version 2.
const APPLICATION_ID: i64 = 0x4d73_6758;

/// Brings the file to the present version, in one transaction; a file that is not ours, or newer, is not touched.
pub(super) fn migrate(db: &mut Connection) -> rusqlite::Result<()> {
    let version = version(db)?;
    let steps =
        usize::try_from(version).ok().and_then(|done| STEPS.get(done..)).ok_or_else(|| newer(version))?;
    if steps.is_empty() {
        return Ok(());
    }
    let transaction = db.transaction()?;
    steps.iter().try_for_each(|step| transaction.execute_batch(step))?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.commit()?;
    if version > 0 {
        tracing::info!(from = version, to = VERSION, "the data were brought to the present version");
    }
    Ok(())
}

/// The version of a file that is ours; 0: it is empty.
fn version(db: &Connection) -> rusqlite::Result<i64> {
    let version: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let application: i64 = db.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0))?;
    let is_ours = match version {
        0 => tables == 0,
        1 => application == 0,
        _ => application == APPLICATION_ID,
    };
    if !is_ours {
        return Err(refused("messages.db was made by another program".into()));
    }
    Ok(version)
}

fn newer(version: i64) -> rusqlite::Error {
    refused(format!("it is of version {version}, this program knows version {VERSION}: use a newer program"))
}

fn refused(text: String) -> rusqlite::Error {
    let code = rusqlite::ffi::Error { code: ErrorCode::NotADatabase, extended_code: 0 };
    rusqlite::Error::SqliteFailure(code, Some(text))
}
