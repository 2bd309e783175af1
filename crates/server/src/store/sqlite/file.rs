//! The file on the disk: made whole or not at all, and looked through before it is written to. What is not as it should be
//! is refused in words and left as it is.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::{connections, schema};

/// Where the data of a folder is.
pub(super) fn path(dir: &Path) -> PathBuf {
    dir.join("messages.db")
}

/// The connection that writes, to a file of the present version of the schema, which was looked through unless it is
/// larger than `check_bytes`.
///
/// # Errors
/// A sentence for the operator.
pub(super) fn open(dir: &Path, check_bytes: u64) -> Result<Connection, String> {
    let path = path(dir);
    if !path.try_exists().map_err(|e| format!("cannot look for {}: {e}", path.display()))? {
        create(dir, &path)?;
    }
    let is_checked = bytes(&path)? <= check_bytes;
    if !is_checked {
        tracing::info!(
            "the data was not looked through for damage: it is larger than startup-check-mib says"
        );
    }
    open_existing(&path, is_checked).map_err(|e| in_words(&path, &e))
}

/// How large the file is. An empty one SQLite itself would take for a new one.
fn bytes(path: &Path) -> Result<u64, String> {
    match fs::metadata(path) {
        Ok(file) if file.len() > 0 => Ok(file.len()),
        Ok(_) => Err(format!(
            "{} is empty, so the data is lost or was not copied: restore the backup, or remove the file to begin with nothing",
            path.display()
        )),
        Err(error) => Err(format!("cannot look at {}: {error}", path.display())),
    }
}

fn open_existing(path: &Path, is_checked: bool) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = Connection::open_with_flags(path, flags)?;
    // What is refused is left as it is, its log (-wal) too.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connections::set_up(&db)?;
    schema::version(&db)?;
    if is_checked {
        check(&db)?;
    }
    schema::migrate(&mut db)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    connections::set_up_writer(&db)?;
    Ok(db)
}

/// A connection that reads, also while a server writes; the data may be of an older version.
///
/// # Errors
/// A sentence for the operator.
pub(super) fn open_to_read(dir: &Path) -> Result<Connection, String> {
    let path = path(dir);
    if !path.try_exists().map_err(|e| format!("cannot look for {}: {e}", path.display()))? {
        return Err(format!("there is no data in the folder {}: it has no messages.db", dir.display()));
    }
    bytes(&path)?;
    let opened = connections::open_reader(&path).and_then(|db| schema::version(&db).map(|_| db));
    opened.map_err(|e| in_words(&path, &e))
}

/// Looks at every page.
fn check(db: &Connection) -> rusqlite::Result<()> {
    let found: String = db.query_row("PRAGMA quick_check(1)", (), |row| row.get(0))?;
    if found == "ok" {
        return Ok(());
    }
    let code = rusqlite::ffi::Error { code: ErrorCode::DatabaseCorrupt, extended_code: 0 };
    Err(rusqlite::Error::SqliteFailure(code, Some(found)))
}

/// Makes the file beside its place and moves it there when it is on the disk: so one that is there was whole once, and an
/// empty one means a loss.
fn create(dir: &Path, path: &Path) -> Result<(), String> {
    let wal = beside(path, "-wal");
    if fs::metadata(&wal).is_ok_and(|file| file.len() > 0) {
        return Err(format!(
            "{} is missing, but {}, which is a part of it, is there: put it back or restore the backup, or remove both to begin with nothing",
            path.display(),
            wal.display()
        ));
    }
    let new = beside(path, ".new");
    for left in [new.clone(), beside(&new, "-journal")] {
        // Of a start that was cut short.
        let _ = fs::remove_file(left);
    }
    let made = Connection::open(&new).and_then(|mut db| schema::migrate(&mut db));
    made.map_err(|e| in_words(&new, &e))?;
    let moved = File::open(&new)
        .and_then(|file| file.sync_all())
        .and_then(|()| fs::rename(&new, path))
        .and_then(|()| File::open(dir)?.sync_all());
    moved.map_err(|e| format!("cannot make {}: {e}", path.display()))
}

/// The file whose name is that of `path` with more at its end.
fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// What is wrong with the file, and what to do.
pub(super) fn in_words(path: &Path, error: &rusqlite::Error) -> String {
    let name = path.display();
    match error.sqlite_error_code() {
        // In our own words already.
        Some(ErrorCode::Unknown) => format!("cannot use {name}: {}", text(error)),
        Some(ErrorCode::NotADatabase) => format!(
            "{name} is not the data of message-extensions, or its beginning is damaged: restore the backup, or choose another folder"
        ),
        Some(ErrorCode::DatabaseCorrupt) => {
            format!("{name} is damaged: restore the backup; it was left as it is ({})", text(error))
        }
        Some(ErrorCode::DiskFull) => format!("the disk of {name} is full: make room, then start again"),
        Some(ErrorCode::SystemIoFailure) => {
            format!(
                "the disk of {name} is full or does not work: make room, or look at the system's log ({error})"
            )
        }
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            format!("cannot open {name}: {error}; it takes the user that owns it and its folder")
        }
        _ => format!("cannot open {name}: {error}"),
    }
}

/// In one line, and short: SQLite's report on a damaged file has many lines.
fn text(error: &rusqlite::Error) -> String {
    let text = error.to_string();
    let line = text.lines().find(|line| !line.starts_with("***")).unwrap_or_default();
    line.to_owned()
}
