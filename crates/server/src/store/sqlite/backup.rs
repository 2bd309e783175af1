//! A copy of the data, of one moment, while a server may be writing it.

use std::fs::File;
use std::future::Future;
use std::path::Path;

use tempfile::{Builder, NamedTempFile};

use super::file;

/// Copies the data of the folder `dir` into the file `to`, which is there when it is whole and on the disk. `stop` gives it
/// up. Returns the bytes of the file.
///
/// SQLite rebuilds the content (`VACUUM INTO`) in one read transaction, by which no writer is kept waiting. It reads every
/// page, so data that is damaged makes no backup.
///
/// # Errors
/// A sentence for the operator; then there is no file.
pub(super) async fn backup(dir: &Path, to: &Path, stop: impl Future<Output = ()>) -> Result<u64, String> {
    let failed = |error: &dyn std::fmt::Display| format!("cannot write the backup {}: {error}", to.display());
    if to.try_exists().map_err(|e| failed(&e))? {
        return Err(failed(&"the file is there already, and is not overwritten"));
    }
    let db = file::open_to_read(dir)?;
    let beside = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let new = Builder::new().prefix(".backup-").tempfile_in(beside).map_err(|e| failed(&e))?;
    let path = new.path().to_str().ok_or_else(|| failed(&"its name is not UTF-8"))?.to_owned();
    let handle = db.get_interrupt_handle();
    let mut copying = tokio::task::spawn_blocking(move || db.execute("VACUUM INTO ?1", [path]));
    let copied = tokio::select! {
        copied = &mut copying => copied,
        () = stop => {
            handle.interrupt();
            copying.await
        }
    };
    let copied = copied.map_err(|e| failed(&e))?;
    copied.map_err(|error| match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DatabaseCorrupt) => file::in_words(&file::path(dir), &error),
        _ => failed(&error),
    })?;
    put(new, to, beside).map_err(|e| failed(&e))
}

/// SQLite does not sync what it made.
fn put(new: NamedTempFile, to: &Path, beside: &Path) -> std::io::Result<u64> {
    new.as_file().sync_all()?;
    let file = new.persist_noclobber(to)?;
    File::open(beside)?.sync_all()?;
    Ok(file.metadata()?.len())
}
