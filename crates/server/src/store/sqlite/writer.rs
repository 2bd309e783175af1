//! The one thread that writes. It takes everything that waits, commits it as one transaction and only then lets the
//! answers go: the more waits, the cheaper each write becomes.

use std::panic::{AssertUnwindSafe, catch_unwind};
#[cfg(test)]
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use rusqlite::{Connection, ErrorCode};
use tokio::sync::oneshot;

use super::metrics::WriterMetrics;
use super::schema;
use crate::store::StoreError;

/// Jobs of one transaction at most, so that the first answer of many is not kept waiting for the last.
const BATCH: usize = 1024;

/// Does its work when called, and returns how to tell the outcome, to be called after the commit.
type Job = Box<dyn FnOnce(&Connection) -> rusqlite::Result<Tell> + Send>;
type Tell = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

pub(super) struct Writer {
    /// `None` once finished.
    jobs: Mutex<Option<Sender<Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    pub(super) metrics: WriterMetrics,
}

impl Writer {
    pub(super) fn start(db: Connection) -> std::io::Result<Self> {
        let (jobs, waiting) = mpsc::channel();
        let metrics = WriterMetrics::default();
        let counted = metrics.clone();
        let thread = thread::Builder::new().name("sqlite-writer".into());
        let thread = thread.spawn(move || write(&db, &waiting, &counted))?;
        Ok(Self { jobs: Mutex::new(Some(jobs)), thread: Mutex::new(Some(thread)), metrics })
    }

    /// Runs `work` in a savepoint of the next transaction, and answers after the commit.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let gone = || StoreError::Failed("the store did not finish this write".into());
        let (answer, outcome) = oneshot::channel();
        // Whoever asked may have gone meanwhile.
        let job: Job = Box::new(move |db| match work(db) {
            Ok(done) => {
                let tell: Tell = Box::new(move |committed| {
                    let _ = answer.send(committed.map(|()| done));
                });
                Ok(tell)
            }
            Err(error) => {
                let _ = answer.send(Err(StoreError::Failed(error.to_string())));
                Err(error)
            }
        });
        let _waiting = self.metrics.waiting();
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner).clone();
        jobs.ok_or_else(gone)?.send(job).map_err(|_| gone())?;
        outcome.await.map_err(|_| gone())?
    }

    /// Whether a write can be made, found out by making one if the last ones failed.
    pub(super) async fn check(&self) -> Result<(), StoreError> {
        if self.metrics.is_failing() { self.run(schema::touch).await } else { self.run(|_| Ok(())).await }
    }

    /// Commits what waits, takes nothing new, and ends the thread.
    pub(super) async fn finish(&self) {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }
}

fn write(db: &Connection, waiting: &Receiver<Job>, metrics: &WriterMetrics) {
    while let Ok(first) = waiting.recv() {
        let batch = std::iter::once(first).chain(waiting.try_iter()).take(BATCH).collect();
        let mut done = Vec::new();
        let committed = commit(db, batch, &mut done, metrics).map_err(|error| {
            metrics.failures.inc();
            metrics.set_failing(true);
            tracing::error!(%error, "a transaction could not be committed");
            StoreError::from(error)
        });
        for tell in done {
            tell(committed.clone());
        }
    }
}

/// On an error nothing of the batch was written, and those of its jobs that are not `done` will not be told.
fn commit(
    db: &Connection,
    batch: Vec<Job>,
    done: &mut Vec<Tell>,
    metrics: &WriterMetrics,
) -> rusqlite::Result<()> {
    let written = db.total_changes();
    let transaction = db.unchecked_transaction()?;
    let jobs = batch.len();
    let mut is_disk_well = true;
    for job in batch {
        match run_apart(db, job)? {
            Ok(tell) => done.push(tell),
            Err(cause) => is_disk_well &= !is_of_the_disk(&cause),
        }
    }
    let begun = Instant::now();
    transaction.commit()?;
    // One that wrote nothing was not synced: it would make the disk look faster than it is, and says nothing of its health.
    if db.total_changes() != written {
        metrics.committed(jobs, begun.elapsed());
        metrics.set_failing(!is_disk_well);
    } else if !is_disk_well {
        metrics.set_failing(true);
    }
    Ok(())
}

/// Runs a job in a savepoint: one that fails, or panics, takes nothing of the others with it.
///
/// # Errors
/// When there is no transaction any more: at a full disk SQLite may give up all of it for one job's sake.
fn run_apart(db: &Connection, job: Job) -> rusqlite::Result<Result<Tell, Cause>> {
    db.prepare_cached("SAVEPOINT job")?.execute(())?;
    let outcome = catch_unwind(AssertUnwindSafe(|| job(db)));
    let outcome = match outcome {
        Ok(Ok(tell)) => Ok(tell),
        Ok(Err(error)) if db.is_autocommit() => return Err(error),
        Ok(Err(error)) => {
            tracing::error!(%error, "a write failed");
            Err(Some(error))
        }
        Err(_) => {
            tracing::error!("a write panicked");
            Err(None)
        }
    };
    if outcome.is_err() {
        db.prepare_cached("ROLLBACK TO job")?.execute(())?;
    }
    db.prepare_cached("RELEASE job")?.execute(())?;
    Ok(outcome)
}

/// Why a job failed; `None`: it panicked.
type Cause = Option<rusqlite::Error>;

/// Whether other writes can be expected to fail as well.
fn is_of_the_disk(cause: &Cause) -> bool {
    let code = cause.as_ref().and_then(rusqlite::Error::sqlite_error_code);
    matches!(
        code,
        Some(
            ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::ReadOnly
                | ErrorCode::DatabaseCorrupt
                | ErrorCode::CannotOpen
        )
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A database that holds `pages` pages, and a writer to it.
    fn full(dir: &std::path::Path, pages: u32) -> (Connection, Arc<Writer>) {
        let path = dir.join("test.db");
        let open = || Connection::open(&path).unwrap();
        let db = open();
        db.pragma_update(None, "journal_mode", "WAL").unwrap();
        db.execute_batch("CREATE TABLE kept (value BLOB)").unwrap();
        db.pragma_update(None, "max_page_count", pages).unwrap();
        (open(), Arc::new(Writer::start(db).unwrap()))
    }

    fn insert(bytes: u32) -> impl FnOnce(&Connection) -> rusqlite::Result<()> + Send + 'static {
        move |db| db.execute("INSERT INTO kept VALUES (zeroblob(?1))", [bytes]).map(drop)
    }

    fn kept(db: &Connection) -> i64 {
        db.query_row("SELECT count(*) FROM kept", (), |row| row.get(0)).unwrap()
    }

    #[tokio::test]
    async fn when_the_disk_is_full_all_of_the_transaction_are_told_and_nothing_of_it_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let (db, writer) = full(dir.path(), 20);
        writer.run(insert(10)).await.unwrap();
        // All of them wait while the first is at work, and so go together.
        let (go, wait) = mpsc::channel::<()>();
        let (begun, first) = oneshot::channel();
        let blocking = tokio::spawn({
            let writer = Arc::clone(&writer);
            async move { writer.run(move |_| Ok((begun.send(()), wait.recv()))).await }
        });
        first.await.unwrap();
        let jobs = [10, 1 << 20, 10].map(|bytes| {
            let writer = Arc::clone(&writer);
            tokio::spawn(async move { writer.run(insert(bytes)).await })
        });
        while writer.metrics.waiting_now() < 4 {
            tokio::task::yield_now().await;
        }
        go.send(()).unwrap();
        assert!(blocking.await.unwrap().is_ok());
        for job in jobs {
            assert!(matches!(job.await.unwrap(), Err(StoreError::Failed(_))));
        }
        assert_eq!(kept(&db), 1);
        assert!(writer.metrics.is_failing());
        writer.run(|_| Ok(())).await.unwrap();
        assert!(writer.metrics.is_failing(), "nothing was written, so nothing is known");
        writer.run(insert(10)).await.unwrap();
        assert_eq!((kept(&db), writer.metrics.is_failing()), (2, false));
        writer.finish().await;
    }

    #[tokio::test]
    async fn a_job_that_fails_or_panics_takes_no_other_with_it_and_the_disk_is_well() {
        let dir = tempfile::tempdir().unwrap();
        let (db, writer) = full(dir.path(), 20);
        let wrong = writer.run(|db| insert(10)(db).and_then(|()| db.execute_batch("no SQL")));
        let panicking = writer.run(|db| -> rusqlite::Result<()> {
            insert(10)(db)?;
            panic!("as the test wants it")
        });
        let (good, wrong, panicking) = tokio::join!(writer.run(insert(10)), wrong, panicking);
        assert!(good.is_ok() && wrong.is_err() && panicking.is_err());
        assert_eq!((kept(&db), writer.metrics.is_failing()), (1, false));
        writer.finish().await;
    }
}
