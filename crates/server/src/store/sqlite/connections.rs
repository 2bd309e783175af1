//! How connections are set up, and the few that read.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use tokio::sync::Semaphore;

use crate::store::StoreError;

const READERS: usize = 4;
/// Prepared statements a connection keeps; more than there are different ones.
const STATEMENTS: usize = 64;

/// How much of the log (-wal) stays on the disk once its content is in the file: a long backup may make it large.
const WAL_BYTES: i64 = 64 << 20;

pub(super) fn set_up(db: &Connection) -> rusqlite::Result<()> {
    db.pragma_update(None, "foreign_keys", true)?;
    db.busy_timeout(Duration::from_secs(5))?;
    db.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(())
}

/// Pages that the writer remembers, KiB. Each set changes two of its message, and thousands of messages are in use at once.
const WRITER_CACHE_KIB: i64 = 32 << 10;
/// So many pages of the log are brought into the file at a time: those that were written often in between, once.
const CHECKPOINT_PAGES: i64 = 8 << 10;

/// What the connection that writes has besides.
pub(super) fn set_up_writer(db: &Connection) -> rusqlite::Result<()> {
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "journal_size_limit", WAL_BYTES)?;
    db.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    db.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    Ok(())
}

/// A connection that only reads; another process may write meanwhile.
pub(super) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let db = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    set_up(&db)?;
    Ok(db)
}

/// Connections that read, each for one piece of work at a time; in WAL mode they do not wait for the writer.
pub(super) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    permits: Semaphore,
}

impl Readers {
    pub(super) fn open(path: &Path) -> rusqlite::Result<Self> {
        let idle = Mutex::new(vec![open_reader(path)?]);
        Ok(Self { path: path.to_owned(), idle, permits: Semaphore::new(READERS) })
    }

    /// Closes those that nobody uses.
    pub(super) fn close(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Runs `work` on the blocking pool, in one transaction: what it reads is of one moment.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let failed = |e: &dyn std::fmt::Display| StoreError::Failed(e.to_string());
        let _permit = self.permits.acquire().await.map_err(|e| failed(&e))?;
        let db = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let db = db.map_or_else(|| open_reader(&self.path), Ok)?;
        let reading = tokio::task::spawn_blocking(move || {
            let outcome = db.unchecked_transaction().and_then(|_transaction| work(&db));
            (db, outcome)
        });
        let (db, outcome) = reading.await.map_err(|e| failed(&e))?;
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(db);
        Ok(outcome?)
    }
}
