//! Connections that ask, each as fast as it is answered. It shares the machine with what it measures, so it does as little as
//! it can: one thread, requests from templates, answers looked at only as far as they matter.
//!
//! `message-extensions-load PROTOCOL ADDRESS AMOUNT < PLAN`, where AMOUNT is `3s` (for so long) or `2x` (so often to each
//! target). A line of the plan is a connection, its fields separated by tabs: the first target's number, the step to
//! the next, how many targets, and a template, in which `{n}` is the target's number, `{seq}` the Seq that its last answer had, `{id}` 32 hex digits that
//! differ each time. It prints one line of JSON.

mod plan;
mod protocol;

use std::io::{Error, ErrorKind, Read, Result};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use plan::Connection;
use protocol::Protocol;

/// When a connection stops.
#[derive(Clone, Copy)]
enum Amount {
    Until(Instant),
    Times(u64),
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or_else(|| wrong("PROTOCOL ADDRESS AMOUNT"));
    let (protocol, address, amount) = (next()?, next()?, next()?);
    let protocol = Protocol::parse(&protocol).ok_or_else(|| wrong("PROTOCOL is http, redis or postgres"))?;
    let address: SocketAddr = address.parse().map_err(|_| wrong("ADDRESS is IP:PORT"))?;
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let plan = text.lines().map(Connection::parse).collect::<Option<Vec<_>>>();
    let plan = plan.ok_or_else(|| wrong("a line of the plan has four fields"))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(run(protocol, address, &amount, plan))
}

fn wrong(text: &str) -> Error {
    Error::new(ErrorKind::InvalidInput, text.to_owned())
}

async fn run(protocol: Protocol, address: SocketAddr, amount: &str, plan: Vec<Connection>) -> Result<()> {
    let mut streams = Vec::new();
    for connection in plan {
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let mut answer = Vec::new();
        if let Some(hello) = protocol.hello() {
            stream.write_all(&hello).await?;
            receive(protocol, &mut stream, &mut answer).await?;
        }
        streams.push((connection, stream));
    }
    let (begun, before) = (Instant::now(), cpu_seconds()?);
    let amount = Amount::parse(amount, begun).ok_or_else(|| wrong("AMOUNT is 3s or 2x"))?;
    let mut asking = JoinSet::new();
    for (connection, stream) in streams {
        asking.spawn(ask(protocol, connection, stream, amount));
    }
    let mut took = Vec::new();
    while let Some(done) = asking.join_next().await {
        took.extend(done??);
    }
    let seconds = begun.elapsed().as_secs_f64();
    took.sort_unstable();
    let at = |share: usize| took.get(took.len() * share / 100).copied().unwrap_or_default();
    println!(
        r#"{{"answers":{},"seconds":{seconds},"cpu":{},"p50":{},"p99":{}}}"#,
        took.len(),
        cpu_seconds()? - before,
        f64::from(at(50)) / 1e3,
        f64::from(at(99)) / 1e3,
    );
    Ok(())
}

impl Amount {
    fn parse(text: &str, begun: Instant) -> Option<Self> {
        if let Some(seconds) = text.strip_suffix('s') {
            return Some(Self::Until(begun + Duration::try_from_secs_f64(seconds.parse().ok()?).ok()?));
        }
        Some(Self::Times(text.strip_suffix('x')?.parse().ok()?))
    }
}

/// Asks target after target; gives the microseconds that each answer took.
async fn ask(
    protocol: Protocol,
    mut connection: Connection,
    mut stream: TcpStream,
    amount: Amount,
) -> Result<Vec<u32>> {
    let (mut took, mut request, mut answer) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0.. {
        if matches!(amount, Amount::Times(times) if round == times) {
            break;
        }
        for target in 0..connection.targets() {
            let begun = Instant::now();
            if matches!(amount, Amount::Until(end) if begun >= end) {
                return Ok(took);
            }
            request.clear();
            protocol.request(&connection.fill(target), &mut request);
            stream.write_all(&request).await?;
            receive(protocol, &mut stream, &mut answer).await?;
            let Some(seq) = protocol.seq(&answer) else {
                let (asked, answered) = (String::from_utf8_lossy(&request), String::from_utf8_lossy(&answer));
                return Err(Error::other(format!("{asked}\nwas answered with\n{answered}")));
            };
            connection.know(target, seq);
            took.push(u32::try_from(begun.elapsed().as_micros()).unwrap_or(u32::MAX));
        }
    }
    Ok(took)
}

/// Reads one answer into `answer`.
async fn receive(protocol: Protocol, stream: &mut TcpStream, answer: &mut Vec<u8>) -> Result<()> {
    answer.clear();
    while !protocol.is_whole(answer) {
        if stream.read_buf(answer).await? == 0 {
            return Err(Error::from(ErrorKind::UnexpectedEof));
        }
    }
    Ok(())
}

/// What this thread, the only one, has taken of the CPU.
fn cpu_seconds() -> Result<f64> {
    let text = std::fs::read_to_string("/proc/self/schedstat")?;
    let nanoseconds: Option<f64> = text.split(' ').next().and_then(|number| number.parse().ok());
    nanoseconds.map(|number| number / 1e9).ok_or_else(|| wrong("/proc/self/schedstat"))
}
