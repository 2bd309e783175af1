//! The schema and its versions: what a file must be to be opened, and how an older one is brought up to date.

use rusqlite::{Connection, ErrorCode};

/// The steps from an empty file to the present version, which is their number; kept in the file as `user_version`. A step
/// that was released is never changed.
const STEPS: [&str; VERSION as usize] =
    [include_str!("schema/1.sql"), include_str!("schema/2.sql"), include_str!("schema/3.sql")];
const VERSION: i64 = 3;
/// Says that a file is ours ("MsgX"); kept since version 2.
const APPLICATION_ID: i64 = 0x4d73_6758;

/// The tables of version 1, which has no other mark.
const TABLES: [&str; 6] = ["answers", "counters", "entries", "groups", "members", "messages"];

/// Brings the file to the present version, in one transaction; a file that is not ours, or newer, is not touched.
pub(super) fn migrate(db: &mut Connection) -> rusqlite::Result<()> {
    let version = version(db)?;
    let steps = usize::try_from(version).ok().and_then(|done| STEPS.get(done..)).unwrap_or_default();
    if steps.is_empty() {
        return Ok(());
    }
    let transaction = db.transaction()?;
    let stepped = steps.iter().try_for_each(|step| transaction.execute_batch(step));
    stepped.map_err(|error| match error {
        rusqlite::Error::SqlInputError { msg, .. } => refused(format!(
            "it cannot be brought from version {version} to {VERSION}, and was left as it is: {msg}"
        )),
        _ => error,
    })?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.commit()?;
    if version > 0 {
        tracing::info!(from = version, to = VERSION, "the data were brought to the present version");
    }
    Ok(())
}

/// The version of a file that is ours and not newer; 0: it is empty.
///
/// # Errors
/// When it is newer, or another program's; also when it cannot be read.
pub(super) fn version(db: &Connection) -> rusqlite::Result<i64> {
    let version: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let application: i64 = db.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables = tables(db)?;
    let is_ours = match version {
        0 => tables.is_empty(),
        1 => application == 0 && TABLES.iter().all(|ours| tables.iter().any(|there| there == ours)),
        _ => application == APPLICATION_ID,
    };
    if !is_ours {
        return Err(refused("it was made by another program: choose another folder".into()));
    }
    if version > VERSION {
        return Err(refused(format!(
            "it is of version {version} and this program knows versions up to {VERSION}: use the newer program, or restore the backup that was made before it"
        )));
    }
    Ok(version)
}

/// That the file is of the present version.
///
/// # Errors
/// When it is of another, or another program's.
pub(super) fn is_present(db: &Connection) -> rusqlite::Result<()> {
    match version(db)? {
        VERSION => Ok(()),
        older => Err(refused(format!(
            "it is of version {older}, and of version {VERSION} once this program has served it"
        ))),
    }
}

/// Writes, and leaves everything as it was; all that can be seen of it is a number that no group will have.
pub(super) fn touch(db: &Connection) -> rusqlite::Result<()> {
    db.execute_batch("INSERT INTO groups (group_id, type, name) VALUES ('', '', ''); DELETE FROM groups WHERE group_id = ''")
}

fn tables(db: &Connection) -> rusqlite::Result<Vec<String>> {
    db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")?
        .query_map((), |row| row.get(0))?
        .collect()
}

fn refused(text: String) -> rusqlite::Error {
    let code = rusqlite::ffi::Error { code: ErrorCode::Unknown, extended_code: 0 };
    rusqlite::Error::SqliteFailure(code, Some(text))
}
