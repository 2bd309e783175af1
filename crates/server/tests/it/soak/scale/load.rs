//! Users who set, each over a keep-alive connection, as fast as they are answered. It shares the machine with what it
//! measures, so it does as little as it can.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::client::{GROUP_SET, query, set};

pub(super) struct Load {
    voters: Vec<Voter>,
}

/// What was answered, and in which time.
pub(super) struct Written {
    pub(super) sets: usize,
    /// 10002: they were asked again, under the same request id.
    pub(super) refused: usize,
    pub(super) seconds: f64,
}

#[derive(Clone)]
struct Voter {
    name: String,
    query: String,
    /// Messages, and the Seq of the voter's key there.
    messages: Vec<(Value, u64)>,
}

impl Load {
    /// Of each voter the messages that they write in turn.
    pub(super) fn new(voters: &[String], messages: impl IntoIterator<Item = Vec<Value>>) -> Self {
        let voter = |(name, messages): (&String, Vec<Value>)| Voter {
            name: name.clone(),
            query: query(name),
            messages: messages.into_iter().map(|message| (message, 0)).collect(),
        };
        Self { voters: voters.iter().zip(messages).map(voter).collect() }
    }

    /// All write for so long, their connections spread over these nodes.
    pub(super) async fn write(&mut self, nodes: &[SocketAddr], time: Duration) -> Written {
        let mut connected = Vec::new();
        for (voter, node) in std::mem::take(&mut self.voters).into_iter().zip(nodes.iter().cycle()) {
            let stream = TcpStream::connect(node).await.unwrap();
            stream.set_nodelay(true).unwrap();
            connected.push((voter, BufReader::new(stream)));
        }
        let begun = Instant::now();
        let writing: Vec<_> = connected
            .into_iter()
            .map(|(voter, stream)| tokio::spawn(voter.write(stream, begun + time)))
            .collect();
        let mut written = Written { sets: 0, refused: 0, seconds: 0.0 };
        for voter in writing {
            let (voter, sets, refused) = voter.await.unwrap();
            self.voters.push(voter);
            written.sets += sets;
            written.refused += refused;
        }
        written.seconds = begun.elapsed().as_secs_f64();
        written
    }
}

impl Voter {
    async fn write(mut self, mut stream: BufReader<TcpStream>, until: Instant) -> (Self, usize, usize) {
        let (mut sets, mut refused) = (0, 0);
        while Instant::now() < until {
            let at = sets % self.messages.len();
            let (message, seq) = &self.messages[at];
            let body = set(message, &[(&self.name, "yes", *seq)]).to_string();
            let request = format!(
                "POST /v4/{GROUP_SET}?{}&requestid={:032x} HTTP/1.1\r\nhost: node\r\ncontent-length: {}\r\n\r\n{body}",
                self.query,
                fastrand::u128(..),
                body.len()
            );
            let answer = loop {
                let answer = ask(&mut stream, &request).await;
                if answer["ErrorCode"] != 10002 {
                    break answer;
                }
                refused += 1;
            };
            let item = &answer["ExtensionList"][0];
            assert_eq!(
                (&answer["ErrorCode"], &item["ErrorCode"]),
                (&Value::from(0), &Value::from(0)),
                "{answer}"
            );
            self.messages[at].1 = item["Extension"]["Seq"].as_u64().unwrap();
            sets += 1;
        }
        (self, sets, refused)
    }
}

async fn ask(stream: &mut BufReader<TcpStream>, request: &str) -> Value {
    stream.get_mut().write_all(request.as_bytes()).await.unwrap();
    let (mut line, mut length) = (String::new(), 0);
    loop {
        line.clear();
        stream.read_line(&mut line).await.unwrap();
        match line.trim_end().split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.parse().unwrap()
            }
            _ if line == "\r\n" => break,
            _ => assert!(!line.is_empty(), "a node has closed a connection"),
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    serde_json::from_slice(&body).unwrap()
}
