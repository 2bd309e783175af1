//! The embedded store: one SQLite file, written by one thread that commits everything waiting at a time.

mod connections;
mod extensions;
mod groups;
mod messages;
mod metrics;
mod schema;
mod webhooks;
mod writer;

use std::collections::HashSet;
use std::fs::{self, File, TryLockError};
use std::path::Path;

use async_trait::async_trait;
use prometheus_client::registry::Registry;
use rusqlite::Connection;

use self::connections::Readers;
use self::writer::Writer;
use super::{
    C2cPage, Commit, Group, Inserted, Loaded, MessageName, NewGroup, NewMessage, Store, StoreError,
    StoredMessage, Trimmed, Webhook,
};

/// Messages, groups and extensions in `messages.db` of a folder. What was answered survives a power cut: WAL with
/// `synchronous=FULL`, and answers are given after the commit.
pub struct SqliteStore {
    writer: Writer,
    readers: Readers,
    /// Held as long as the store lives: one process a folder.
    _lock: File,
}

impl SqliteStore {
    /// Opens the store in the folder `dir`, which is made when missing.
    ///
    /// # Errors
    /// A sentence for the operator: the folder cannot be used, another process uses it, a newer version wrote it.
    pub fn open(dir: &Path) -> Result<Self, String> {
        let failed = |what: &str, why: &dyn std::fmt::Display| format!("{what} {}: {why}", dir.display());
        fs::create_dir_all(dir).map_err(|e| failed("cannot make the data folder", &e))?;
        let lock = lock(dir)?;
        let path = dir.join("messages.db");
        let writer =
            connections::open_writer(&path).map_err(|e| failed("cannot open the data in the folder", &e))?;
        let readers = Readers::open(&path).map_err(|e| failed("cannot read the data in the folder", &e))?;
        let writer = Writer::start(writer).map_err(|e| failed("cannot start the writer of", &e))?;
        Ok(Self { writer, readers, _lock: lock })
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.readers.run(work).await
    }

    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.writer.run(work).await
    }
}

/// The operating system frees the lock when the process ends, however it ends.
fn lock(dir: &Path) -> Result<File, String> {
    let path = dir.join("lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|e| format!("cannot write to the data folder {}: {e}", dir.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(format!(
            "the data folder {} is in use by another message-extensions-server; stop it, or choose another folder",
            dir.display()
        )),
        Err(TryLockError::Error(e)) => Err(format!("cannot lock {}: {e}", path.display())),
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn create_group(&self, group: NewGroup) -> Result<bool, StoreError> {
        self.write(move |db| groups::create(db, &group)).await
    }

    async fn destroy_group(&self, group_id: &str) -> Result<Option<HashSet<String>>, StoreError> {
        let group_id = group_id.to_owned();
        self.write(move |db| groups::destroy(db, &group_id)).await
    }

    async fn add_members(&self, group_id: &str, users: Vec<String>) -> Result<Option<Vec<bool>>, StoreError> {
        let group_id = group_id.to_owned();
        self.write(move |db| groups::add_members(db, &group_id, &users)).await
    }

    async fn remove_members(
        &self,
        group_id: &str,
        users: Vec<String>,
    ) -> Result<Option<Vec<bool>>, StoreError> {
        let group_id = group_id.to_owned();
        self.write(move |db| groups::remove_members(db, &group_id, &users)).await
    }

    async fn group(&self, group_id: &str) -> Result<Option<Group>, StoreError> {
        let group_id = group_id.to_owned();
        self.read(move |db| groups::load(db, &group_id)).await
    }

    async fn insert_message(&self, message: NewMessage) -> Result<Option<Inserted>, StoreError> {
        self.write(move |db| messages::insert(db, message)).await
    }

    async fn find_messages(&self, name: &MessageName) -> Result<Vec<StoredMessage>, StoreError> {
        let name = name.clone();
        self.read(move |db| messages::find(db, &name)).await
    }

    async fn list_c2c(&self, page: C2cPage) -> Result<Vec<StoredMessage>, StoreError> {
        self.read(move |db| messages::list_c2c(db, &page)).await
    }

    async fn list_group(
        &self,
        group_no: i64,
        max_seq: Option<u64>,
        count: usize,
    ) -> Result<Vec<StoredMessage>, StoreError> {
        self.read(move |db| messages::list_group(db, group_no, max_seq, count)).await
    }

    async fn latest_seq(&self, message_no: i64) -> Result<Option<u64>, StoreError> {
        self.read(move |db| extensions::latest_seq(db, message_no)).await
    }

    async fn load(&self, message_no: i64) -> Result<Option<Loaded>, StoreError> {
        self.read(move |db| extensions::load(db, message_no)).await
    }

    async fn commit(&self, commit: Commit) -> Result<(), StoreError> {
        let is_kept = self.write(move |db| extensions::commit(db, &commit)).await?;
        if is_kept { Ok(()) } else { Err(StoreError::Conflict) }
    }

    async fn answer(
        &self,
        message_no: i64,
        caller: &str,
        request_id: u128,
    ) -> Result<Option<String>, StoreError> {
        let caller = caller.to_owned();
        self.read(move |db| extensions::answer(db, message_no, &caller, request_id)).await
    }

    async fn webhook_messages(&self, after: i64, count: usize) -> Result<Vec<i64>, StoreError> {
        self.read(move |db| webhooks::messages(db, after, count)).await
    }

    async fn webhooks(&self, message_no: i64, count: usize) -> Result<Vec<Webhook>, StoreError> {
        self.read(move |db| webhooks::of(db, message_no, count)).await
    }

    async fn remove_webhooks(&self, received: Vec<(i64, u64)>) -> Result<usize, StoreError> {
        self.write(move |db| webhooks::remove(db, &received)).await
    }

    async fn trim_webhooks(&self, keep: usize, since: u64) -> Result<Trimmed, StoreError> {
        let excess = self.read(move |db| webhooks::excess(db, keep, since)).await?;
        let mut trimmed = Trimmed { left: excess.left, oldest: excess.oldest, ..Trimmed::default() };
        let kinds = [(excess.too_old, &mut trimmed.too_old), (excess.too_many, &mut trimmed.too_many)];
        for (before, dropped) in kinds {
            // Piece by piece, so that no write of a user waits long behind it.
            while let Some(before) = before {
                let piece = self.write(move |db| webhooks::drop_piece(db, before)).await?;
                *dropped += piece;
                if piece < webhooks::PIECE {
                    break;
                }
            }
        }
        Ok(trimmed)
    }

    async fn check(&self) -> Result<(), StoreError> {
        // A transaction in which nothing is written needs no fsync.
        self.write(|_| Ok(())).await?;
        self.latest_seq(0).await.map(drop)
    }

    fn register(&self, metrics: &mut Registry) {
        self.writer.metrics.register(metrics);
    }

    async fn close(&self) {
        self.writer.finish().await;
    }
}
