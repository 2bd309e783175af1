//! The one thread that writes. It takes everything that waits, commits it as one transaction and only then lets the
//! answers go: the more waits, the cheaper each write becomes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::metrics::WriterMetrics;
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
        let job: Job = Box::new(move |db| {
            let done = work(db)?;
            let tell: Tell = Box::new(move |committed| {
                // Whoever asked may have gone meanwhile.
                let _ = answer.send(committed.map(|()| done));
            });
            Ok(tell)
        });
        let _waiting = self.metrics.waiting();
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner).clone();
        jobs.ok_or_else(gone)?.send(job).map_err(|_| gone())?;
        outcome.await.map_err(|_| gone())?
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
            tracing::error!(%error, "a transaction could not be committed");
            StoreError::from(error)
        });
        for tell in done {
            tell(committed.clone());
        }
    }
}

fn commit(
    db: &Connection,
    batch: Vec<Job>,
    done: &mut Vec<Tell>,
    metrics: &WriterMetrics,
) -> rusqlite::Result<()> {
    let written = db.total_changes();
    let transaction = db.unchecked_transaction()?;
    let jobs = batch.len();
    for job in batch {
        if let Some(tell) = run_apart(db, job)? {
            done.push(tell);
        }
    }
    let begun = Instant::now();
    transaction.commit()?;
    // One that wrote nothing was not synced, and would make the disk look faster than it is.
    if db.total_changes() != written {
        metrics.committed(jobs, begun.elapsed());
    }
    Ok(())
}

/// Runs a job in a savepoint: one that fails, or panics, takes nothing of the others with it.
fn run_apart(db: &Connection, job: Job) -> rusqlite::Result<Option<Tell>> {
    db.prepare_cached("SAVEPOINT job")?.execute(())?;
    let outcome = catch_unwind(AssertUnwindSafe(|| job(db)));
    if !matches!(outcome, Ok(Ok(_))) {
        db.prepare_cached("ROLLBACK TO job")?.execute(())?;
    }
    db.prepare_cached("RELEASE job")?.execute(())?;
    match outcome {
        Ok(Ok(tell)) => Ok(Some(tell)),
        Ok(Err(error)) => {
            tracing::error!(%error, "a write failed");
            Ok(None)
        }
        Err(_) => {
            tracing::error!("a write panicked");
            Ok(None)
        }
    }
}
