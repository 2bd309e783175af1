//! One master: a connection that reads, and one that writes whatever waits in one go and then waits for the replicas, once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ConnectionInfo, IntoConnectionInfo, Pipeline, RedisError, RedisResult,
    Value, cmd,
};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::yield_now;

use super::{Address, Servers, Trouble};
use crate::store::redis::keys::Bucket;
use crate::store::redis::metrics::EngineMetrics;
use crate::store::redis::script::Call;

/// An answer that takes longer never comes; a wait for replicas comes on top.
const ANSWER: Duration = Duration::from_secs(2);
pub(super) const CONNECT: Duration = Duration::from_secs(1);
/// Writes that go out together, at most.
const BATCH: usize = 512;

type Outcome = Result<Vec<Value>, Trouble>;

#[derive(Clone)]
pub(super) struct Node {
    target: Arc<Target>,
    reader: Arc<Mutex<Reader>>,
    writes: mpsc::Sender<(Job, oneshot::Sender<Outcome>)>,
}

#[derive(Default)]
struct Reader {
    connection: Option<MultiplexedConnection>,
    /// Which one it is, so that who has seen it fail does not take away the next one.
    number: u64,
}

/// Where to, and what a write waits for there.
pub(super) struct Target {
    address: Address,
    url: String,
    prefix: String,
    replicas: usize,
    replica_timeout: Duration,
    metrics: EngineMetrics,
}

/// Calls of one bucket.
pub(super) struct Job {
    bucket: Bucket,
    calls: Arc<[Call]>,
    asking: bool,
}

impl Node {
    pub(super) fn new(target: Target) -> Self {
        let target = Arc::new(target);
        let (writes, jobs) = mpsc::channel(BATCH);
        tokio::spawn(write(Arc::clone(&target), jobs));
        Self { target, reader: Arc::default(), writes }
    }

    pub(super) async fn write(&self, job: Job) -> Outcome {
        let (done, outcome) = oneshot::channel();
        let gone = || Trouble::Lost(format!("the connection to {} was closed", self.target.address.host));
        self.writes.send((job, done)).await.map_err(|_| gone())?;
        outcome.await.unwrap_or_else(|_| Err(gone()))
    }

    pub(super) async fn read(&self, job: Job) -> Outcome {
        let target = &self.target;
        let (mut connection, number) =
            self.reading().await.map_err(|e| Trouble::Passing(target.named(&e)))?;
        let begun = Instant::now();
        let outcome = read(target, &mut connection, &job).await;
        target.metrics.read(begun.elapsed());
        match outcome {
            Ok(outcome) => outcome,
            Err(error) => {
                let mut reader = self.reader.lock().await;
                if reader.number == number {
                    reader.connection = None;
                }
                Err(Trouble::Passing(target.named(&error)))
            }
        }
    }

    async fn reading(&self) -> RedisResult<(MultiplexedConnection, u64)> {
        let mut reader = self.reader.lock().await;
        if let Some(connection) = &reader.connection {
            return Ok((connection.clone(), reader.number));
        }
        let connection = self.target.connect().await?;
        reader.connection = Some(connection.clone());
        reader.number += 1;
        Ok((connection, reader.number))
    }
}

async fn read(target: &Target, connection: &mut MultiplexedConnection, job: &Job) -> RedisResult<Outcome> {
    let mut outcomes = send(connection, target, &[job], false, false).await?;
    if outcomes.iter().any(is_unknown_script) {
        outcomes = send(connection, target, &[job], false, true).await?;
    }
    Ok(outcomes.pop().unwrap_or_else(|| Ok(Vec::new())))
}

impl Target {
    pub(super) fn new(
        address: &Address,
        servers: &Servers,
        replicas: usize,
        metrics: &EngineMetrics,
    ) -> Self {
        Self {
            address: address.clone(),
            url: servers.urls.first().cloned().unwrap_or_default(),
            prefix: servers.prefix.clone(),
            replicas,
            replica_timeout: servers.replica_timeout,
            metrics: metrics.clone(),
        }
    }

    async fn connect(&self) -> RedisResult<MultiplexedConnection> {
        let wait = if self.replicas > 0 { self.replica_timeout } else { Duration::ZERO };
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(ANSWER + wait));
        let client = Client::open(self.address.info(&self.url)?)?;
        let connection = client.get_multiplexed_async_connection_with_config(&config).await?;
        self.metrics.connections.inc();
        Ok(connection)
    }

    /// An error with the server of which it tells.
    fn named(&self, error: &RedisError) -> String {
        format!("{}:{}: {error}", self.address.host, self.address.port)
    }

    /// What makes everything before it on the connection count. Newer engines wait for what the connection has written
    /// last, and a call may have found things as it would leave them: so something is written at any rate.
    fn add_wait(&self, pipeline: &mut Pipeline, job: &Job) {
        let name = |name: &str| format!("{}{}", self.prefix, job.bucket.key("touched", name));
        let mut touch = cmd("SET");
        if job.asking {
            // One that is on neither server: a key that is on both stops the move.
            pipeline.add_command(cmd("ASKING"));
            touch.arg(name(&fastrand::u64(..).to_string())).arg(1).arg("PX").arg(1000);
        } else {
            touch.arg(name("")).arg(1);
        }
        pipeline.add_command(touch);
        let mut wait = cmd("WAIT");
        wait.arg(self.replicas).arg(self.replica_timeout.as_millis().to_string());
        pipeline.add_command(wait);
    }

    /// Takes what [`add_wait`](Self::add_wait) is answered with.
    fn acknowledged(&self, job: &Job, answers: &mut impl Iterator<Item = Value>) -> Result<(), Trouble> {
        if job.asking {
            answers.next();
        }
        let touched = usable(answers.next().unwrap_or_default());
        let acknowledged = answers.next();
        if touched.is_err() {
            return Err(Trouble::Lost("a slot moves while it is written".into()));
        }
        match acknowledged {
            Some(Value::Int(n)) if usize::try_from(n).is_ok_and(|n| n >= self.replicas) => Ok(()),
            _ => Err(Trouble::Unacknowledged),
        }
    }
}

impl Address {
    /// How to connect to it, with what else a URL says.
    pub(super) fn info(&self, url: &str) -> RedisResult<ConnectionInfo> {
        let info = url.into_connection_info()?;
        let address = match info.addr().clone() {
            redis::ConnectionAddr::TcpTls { insecure, tls_params, .. } => redis::ConnectionAddr::TcpTls {
                host: self.host.clone(),
                port: self.port,
                insecure,
                tls_params,
            },
            _ => redis::ConnectionAddr::Tcp(self.host.clone(), self.port),
        };
        Ok(info.set_addr(address))
    }

    /// Of a server that the operator has named.
    pub(super) fn of(info: &ConnectionInfo) -> Option<Self> {
        match info.addr() {
            redis::ConnectionAddr::Tcp(host, port) | redis::ConnectionAddr::TcpTls { host, port, .. } => {
                Some(Self { host: host.clone(), port: *port })
            }
            _ => None,
        }
    }
}

/// Sends what waits, one batch after the other, as long as somebody may have something to send.
async fn write(target: Arc<Target>, mut jobs: mpsc::Receiver<(Job, oneshot::Sender<Outcome>)>) {
    let mut connection = None;
    let mut batch = Vec::new();
    loop {
        // Those who were answered just now, or come at the same time, may have something for this batch.
        yield_now().await;
        if jobs.recv_many(&mut batch, BATCH).await == 0 {
            break;
        }
        // Whoever has given up is not to be surprised later.
        batch.retain(|(_, done)| !done.is_closed());
        if batch.is_empty() {
            continue;
        }
        let jobs: Vec<&Job> = batch.iter().map(|(job, _)| job).collect();
        let begun = Instant::now();
        let outcomes = write_batch(&target, &mut connection, &jobs).await;
        target.metrics.wrote(jobs.len(), begun.elapsed());
        for ((_, done), outcome) in batch.drain(..).zip(outcomes) {
            // Whoever asked may have gone.
            let _ = done.send(outcome);
        }
    }
}

/// The outcome of each job.
async fn write_batch(
    target: &Target,
    connection: &mut Option<MultiplexedConnection>,
    jobs: &[&Job],
) -> Vec<Outcome> {
    let all = |trouble: fn(String) -> Trouble, error: &RedisError| {
        let why = target.named(error);
        jobs.iter().map(|_| Err(trouble(why.clone()))).collect()
    };
    let open = match connection {
        Some(open) => open,
        None => match target.connect().await {
            Ok(new) => connection.insert(new),
            Err(error) => return all(Trouble::Passing, &error),
        },
    };
    let outcomes = match send(open, target, jobs, true, false).await {
        Ok(outcomes) => send_unknown(open, target, jobs, outcomes).await,
        Err(error) => Err(error),
    };
    match outcomes {
        Ok(outcomes) => outcomes,
        Err(error) => {
            *connection = None;
            all(Trouble::Lost, &error)
        }
    }
}

/// Those jobs again, with their texts, of which the server did not know the script.
async fn send_unknown(
    connection: &mut MultiplexedConnection,
    target: &Target,
    jobs: &[&Job],
    outcomes: Vec<Outcome>,
) -> RedisResult<Vec<Outcome>> {
    let unknown = jobs.iter().zip(&outcomes).filter(|(_, outcome)| is_unknown_script(outcome));
    let unknown: Vec<&Job> = unknown.map(|(job, _)| *job).collect();
    if unknown.is_empty() {
        return Ok(outcomes);
    }
    let mut again = send(connection, target, &unknown, true, true).await?.into_iter();
    let of = |outcome| if is_unknown_script(&outcome) { again.next().unwrap_or(outcome) } else { outcome };
    Ok(outcomes.into_iter().map(of).collect())
}

/// The outcome of each job, if an answer came at all.
async fn send(
    connection: &mut MultiplexedConnection,
    target: &Target,
    jobs: &[&Job],
    is_write: bool,
    with_text: bool,
) -> RedisResult<Vec<Outcome>> {
    let mut pipeline = Pipeline::new();
    for job in jobs {
        job.add_to(&mut pipeline, &target.prefix, with_text);
    }
    let waits_for = jobs.last().filter(|_| is_write && target.replicas > 0);
    if let Some(job) = waits_for {
        target.add_wait(&mut pipeline, job);
    }
    let mut answers = connection.send_packed_commands(&pipeline, 0, pipeline.len()).await?.into_iter();
    let mut outcomes: Vec<_> = jobs.iter().map(|job| job.outcome(&mut answers)).collect();
    let Some(Err(trouble)) = waits_for.map(|job| target.acknowledged(job, &mut answers)) else {
        return Ok(outcomes);
    };
    for outcome in outcomes.iter_mut().filter(|outcome| outcome.is_ok()) {
        *outcome = Err(match &trouble {
            Trouble::Lost(why) => Trouble::Lost(why.clone()),
            _ => Trouble::Unacknowledged,
        });
    }
    Ok(outcomes)
}

fn is_unknown_script(outcome: &Outcome) -> bool {
    matches!(outcome, Err(Trouble::UnknownScript))
}

impl Job {
    pub(super) const fn new(bucket: Bucket, calls: Arc<[Call]>, asking: bool) -> Self {
        Self { bucket, calls, asking }
    }

    fn add_to(&self, pipeline: &mut Pipeline, prefix: &str, with_text: bool) {
        if self.asking {
            pipeline.add_command(cmd("ASKING"));
        }
        match &*self.calls {
            [call] => {
                pipeline.add_command(call.to_cmd(prefix, with_text));
            }
            // With their texts: one that is not known would be left out, and the others done.
            calls => {
                pipeline.add_command(cmd("MULTI"));
                for call in calls {
                    pipeline.add_command(call.to_cmd(prefix, true));
                }
                pipeline.add_command(cmd("EXEC"));
            }
        }
    }

    /// Takes what [`add_to`](Self::add_to) is answered with.
    fn outcome(&self, answers: &mut impl Iterator<Item = Value>) -> Outcome {
        let mut next = || answers.next().unwrap_or_default();
        if self.asking {
            next();
        }
        if self.calls.len() == 1 {
            return Ok(vec![usable(next())?]);
        }
        // How MULTI and each call were received.
        let mut refused = None;
        for _ in 0..=self.calls.len() {
            refused = refused.or(usable(next()).err());
        }
        match (refused, next()) {
            (Some(trouble), _) => Err(trouble),
            (None, Value::Array(values)) => values.into_iter().map(usable).collect(),
            (None, other) => usable(other).map(|value| vec![value]),
        }
    }
}

fn usable(value: Value) -> Result<Value, Trouble> {
    match value {
        Value::ServerError(error) => Err(RedisError::from(error).into()),
        value => Ok(value),
    }
}
