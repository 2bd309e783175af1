//! The embedded store: one SQLite file, written by one thread that commits everything waiting at a time.

mod archive;
mod backup;
mod connections;
mod extensions;
mod file;
mod groups;
mod messages;
mod metrics;
mod number;
mod retention;
mod schema;
mod webhooks;
mod writer;

use std::collections::HashSet;
use std::fs::{self, File, TryLockError};
use std::future::Future;
use std::path::Path;

use async_trait::async_trait;
use message_extensions_core::message::MessageRef;
use prometheus_client::registry::Registry;
use rusqlite::Connection;

use self::connections::Readers;
use self::writer::Writer;
use super::{
    Archive, C2cPage, Commit, Group, Head, Hearers, Inserted, Loaded, MessageName, NewGroup, NewMessage,
    Store, StoreError, StoredMessage, Trimmed, Webhook,
};

/// Files up to this size are looked through at the start unless somebody says otherwise: one second or, when nothing of
/// it is in the system's cache, as long as the disk needs to read it.
pub const CHECK_BYTES: u64 = 1 << 30;

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
    /// A sentence for the operator: the folder cannot be used, another process uses it, the file is damaged, or not ours, or
    /// of a newer version. Then it is left as it is.
    pub fn open(dir: &Path) -> Result<Self, String> {
        Self::open_checking(dir, CHECK_BYTES)
    }

    /// The same; a file of more than `check_bytes` is not looked through for damage first.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_checking(dir: &Path, check_bytes: u64) -> Result<Self, String> {
        let failed = |what: &str, why: &dyn std::fmt::Display| format!("{what} {}: {why}", dir.display());
        fs::create_dir_all(dir).map_err(|e| failed("cannot make the data folder", &e))?;
        let lock = lock(dir)?;
        let path = file::path(dir);
        let writer = file::open(dir, check_bytes)?;
        let readers = Readers::open(&path).map_err(|e| file::in_words(&path, &e))?;
        let writer = Writer::start(writer).map_err(|e| failed("cannot start the writer of", &e))?;
        Ok(Self { writer, readers, _lock: lock })
    }

    /// Copies the data of the folder `dir` into the file `to`, as of one moment, also while a server uses the folder. The
    /// copy is a `messages.db`, and is there when it is whole and on the disk. `stop` gives it up. Returns its bytes.
    ///
    /// # Errors
    /// A sentence for the operator: there is no data, or the file is there already or cannot be written. Then there is no
    /// new file.
    pub async fn backup(dir: &Path, to: &Path, stop: impl Future<Output = ()>) -> Result<u64, String> {
        backup::backup(dir, to, stop).await
    }

    /// Everything of a message in the folder `dir`, also while a server uses the folder. `None`: there is no such message.
    ///
    /// # Errors
    /// A sentence for the operator: there is no data, or it cannot be read.
    pub fn archive_in(dir: &Path, named: MessageRef) -> Result<Option<Archive>, String> {
        archive::find(dir, named)
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

    async fn head(&self, message_no: i64) -> Result<Option<Head>, StoreError> {
        self.read(move |db| extensions::head(db, message_no)).await
    }

    async fn load(&self, message_no: i64) -> Result<Option<Loaded>, StoreError> {
        self.read(move |db| extensions::load(db, message_no)).await
    }

    async fn commit(&self, commit: Commit) -> Result<Hearers, StoreError> {
        let is_kept = self.write(move |db| extensions::commit(db, &commit)).await?;
        if is_kept { Ok(Hearers::Nobody) } else { Err(StoreError::Conflict) }
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

    async fn archive(&self, message_no: i64) -> Result<Option<Archive>, StoreError> {
        self.read(move |db| archive::archive(db, message_no)).await
    }

    async fn restore(&self, archive: &Archive) -> Result<Inserted, StoreError> {
        let archive = archive.clone();
        self.write(move |db| archive::restore(db, &archive)).await?.ok_or(StoreError::Conflict)
    }

    async fn expire(&self, before_ms: u64, count: usize) -> Result<Vec<StoredMessage>, StoreError> {
        let old = self.read(move |db| retention::old(db, before_ms, count)).await?;
        if old.is_empty() {
            return Ok(Vec::new());
        }
        self.write(move |db| retention::remove(db, &old, before_ms)).await
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.writer.check().await?;
        self.head(0).await.map(drop)
    }

    fn register(&self, metrics: &mut Registry) {
        self.writer.metrics.register(metrics);
    }

    async fn close(&self) {
        // The connection that writes goes last: it brings the log (-wal) into the file, which others cannot.
        self.readers.close();
        self.writer.finish().await;
    }
}
