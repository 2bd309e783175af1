//! One master: a connection that reads, and one that writes whatever waits in one go and then waits for the replicas, once.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ConnectionInfo, IntoConnectionInfo, Pipeline, RedisError, RedisResult,
    Value, cmd,
};
use tokio::sync::{Mutex, mpsc, oneshot};

use super::{Address, Servers, Trouble};
use crate::store::redis::script::Call;

/// An answer that takes longer never comes. Waiting for replicas is part of it.
const ANSWER: Duration = Duration::from_secs(3);
const CONNECT: Duration = Duration::from_secs(2);
/// Writes that go out together, at most.
const BATCH: usize = 512;

type Outcome = Result<Vec<Value>, Trouble>;

#[derive(Clone)]
pub(super) struct Node {
    target: Arc<Target>,
    reader: Arc<Mutex<Option<MultiplexedConnection>>>,
    writes: mpsc::Sender<Job>,
}

/// Where to, and what a write waits for there.
struct Target {
    address: Address,
    url: String,
    prefix: String,
    replicas: usize,
    replica_timeout: Duration,
}

/// Calls of one bucket, and who waits for what they answer.
struct Job {
    calls: Arc<[Call]>,
    asking: bool,
    done: oneshot::Sender<Outcome>,
}

impl Node {
    pub(super) fn new(address: &Address, servers: &Servers) -> Self {
        let target = Arc::new(Target {
            address: address.clone(),
            url: servers.urls.first().cloned().unwrap_or_default(),
            prefix: servers.prefix.clone(),
            replicas: servers.replicas,
            replica_timeout: servers.replica_timeout,
        });
        let (writes, jobs) = mpsc::channel(BATCH);
        tokio::spawn(write(Arc::clone(&target), jobs));
        Self { target, reader: Arc::default(), writes }
    }

    pub(super) async fn run(&self, calls: Arc<[Call]>, is_write: bool, asking: bool) -> Outcome {
        if !is_write {
            return self.read(&calls, asking).await;
        }
        let (done, outcome) = oneshot::channel();
        let gone = || Trouble::Passing(format!("the connection to {} was closed", self.target.address.host));
        self.writes.send(Job { calls, asking, done }).await.map_err(|_| gone())?;
        outcome.await.unwrap_or_else(|_| Err(gone()))
    }

    async fn read(&self, calls: &Arc<[Call]>, asking: bool) -> Outcome {
        let mut connection = self.reading().await?;
        let (done, _) = oneshot::channel();
        let job = Job { calls: Arc::clone(calls), asking, done };
        let mut outcomes = send(&mut connection, &self.target.prefix, &[&job], None, false).await?;
        if outcomes.iter().any(is_unknown_script) {
            outcomes = send(&mut connection, &self.target.prefix, &[&job], None, true).await?;
        }
        outcomes.pop().unwrap_or_else(|| Ok(Vec::new()))
    }

    async fn reading(&self) -> Result<MultiplexedConnection, Trouble> {
        let mut reader = self.reader.lock().await;
        match &*reader {
            Some(connection) => Ok(connection.clone()),
            None => Ok(reader.insert(self.target.connect().await?).clone()),
        }
    }
}

impl Target {
    async fn connect(&self) -> RedisResult<MultiplexedConnection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(ANSWER));
        let client = Client::open(self.address.info(&self.url)?)?;
        client.get_multiplexed_async_connection_with_config(&config).await
    }

    /// What makes everything before it on the connection count.
    fn wait(&self) -> Option<(usize, redis::Cmd)> {
        let mut wait = cmd("WAIT");
        wait.arg(self.replicas).arg(self.replica_timeout.as_millis().to_string());
        (self.replicas > 0).then_some((self.replicas, wait))
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
async fn write(target: Arc<Target>, mut jobs: mpsc::Receiver<Job>) {
    let mut connection = None;
    let mut batch = Vec::new();
    while jobs.recv_many(&mut batch, BATCH).await > 0 {
        let outcomes = write_batch(&target, &mut connection, &batch).await;
        if outcomes.iter().any(|outcome| matches!(outcome, Err(Trouble::Passing(_)))) {
            connection = None;
        }
        for (job, outcome) in batch.drain(..).zip(outcomes) {
            // Whoever asked may have gone.
            let _ = job.done.send(outcome);
        }
    }
}

async fn write_batch(
    target: &Target,
    connection: &mut Option<MultiplexedConnection>,
    batch: &[Job],
) -> Vec<Outcome> {
    let jobs: Vec<&Job> = batch.iter().collect();
    let attempt = async {
        let connection = match connection {
            Some(connection) => connection,
            None => connection.insert(target.connect().await?),
        };
        let mut outcomes = send(connection, &target.prefix, &jobs, target.wait(), false).await?;
        let unknown: Vec<usize> =
            (0..outcomes.len()).filter(|i| outcomes.get(*i).is_some_and(is_unknown_script)).collect();
        if !unknown.is_empty() {
            let again: Vec<&Job> = unknown.iter().filter_map(|i| jobs.get(*i).copied()).collect();
            let answers = send(connection, &target.prefix, &again, target.wait(), true).await?;
            for (i, answer) in unknown.into_iter().zip(answers) {
                if let Some(outcome) = outcomes.get_mut(i) {
                    *outcome = answer;
                }
            }
        }
        Ok::<_, RedisError>(outcomes)
    };
    match attempt.await {
        Ok(outcomes) => outcomes,
        Err(error) => batch.iter().map(|_| Err(Trouble::from(error.clone()))).collect(),
    }
}

/// The outcome of each job, if an answer came at all.
async fn send(
    connection: &mut MultiplexedConnection,
    prefix: &str,
    jobs: &[&Job],
    wait: Option<(usize, redis::Cmd)>,
    with_text: bool,
) -> RedisResult<Vec<Outcome>> {
    let mut pipeline = Pipeline::new();
    for job in jobs {
        job.add_to(&mut pipeline, prefix, with_text);
    }
    if let Some((_, wait)) = &wait {
        pipeline.add_command(wait.clone());
    }
    let mut answers = connection.send_packed_commands(&pipeline, 0, pipeline.len()).await?.into_iter();
    let mut outcomes: Vec<_> = jobs.iter().map(|job| job.outcome(&mut answers)).collect();
    if let Some((wanted, _)) = wait {
        let is_enough =
            matches!(answers.next(), Some(Value::Int(n)) if usize::try_from(n).is_ok_and(|n| n >= wanted));
        if !is_enough {
            for outcome in outcomes.iter_mut().filter(|outcome| outcome.is_ok()) {
                *outcome = Err(Trouble::Unacknowledged);
            }
        }
    }
    Ok(outcomes)
}

fn is_unknown_script(outcome: &Outcome) -> bool {
    matches!(outcome, Err(Trouble::UnknownScript))
}

impl Job {
    fn add_to(&self, pipeline: &mut Pipeline, prefix: &str, with_text: bool) {
        if self.asking {
            pipeline.add_command(cmd("ASKING"));
        }
        match &*self.calls {
            [call] => {
                pipeline.add_command(call.command(prefix, with_text));
            }
            // With their texts: one that is not known would be left out, and the others done.
            calls => {
                pipeline.add_command(cmd("MULTI"));
                for call in calls {
                    pipeline.add_command(call.command(prefix, true));
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
