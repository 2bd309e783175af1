//! Users who set, each over a keep-alive connection, as fast as they are answered. It shares the machine with what it
//! measures, so it does as little as it can.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
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

struct Voter {
    query: String,
    keys: Vec<Key>,
}

/// The voter's key of a message.
struct Key {
    /// What a set says before the Seq, and after it.
    before: String,
    after: String,
    seq: u64,
}

/// As little of an answer as has to be seen.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    error_code: u32,
    #[serde(default)]
    extension_list: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Item {
    error_code: u32,
    extension: Extension,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Extension {
    seq: u64,
}

impl Load {
    /// Of each voter the messages that they write in turn.
    pub(super) fn new(voters: &[String], messages: impl IntoIterator<Item = Vec<Value>>) -> Self {
        let voter = |(name, messages): (&String, Vec<Value>)| Voter {
            query: query(name),
            keys: messages.iter().map(|message| Key::new(name, message)).collect(),
        };
        Self { voters: voters.iter().zip(messages).map(voter).collect() }
    }

    /// All write for so long, their connections spread over these nodes.
    pub(super) async fn write(&mut self, nodes: &[SocketAddr], time: Duration) -> Written {
        let mut connected = Vec::new();
        for (voter, node) in std::mem::take(&mut self.voters).into_iter().zip(nodes.iter().cycle()) {
            let stream = TcpStream::connect(node).await.unwrap();
            stream.set_nodelay(true).unwrap();
            connected.push((voter, stream));
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

impl Key {
    fn new(name: &str, message: &Value) -> Self {
        let mark = u64::MAX;
        let set = set(message, &[(name, "yes", mark)]).to_string();
        let (before, after) = set.split_once(&mark.to_string()).unwrap();
        Self { before: before.to_owned(), after: after.to_owned(), seq: 0 }
    }
}

impl Voter {
    async fn write(mut self, mut stream: TcpStream, until: Instant) -> (Self, usize, usize) {
        let (mut sets, mut refused) = (0, 0);
        let mut received = Vec::new();
        while Instant::now() < until {
            let at = sets % self.keys.len();
            let key = &mut self.keys[at];
            let body = format!("{}{}{}", key.before, key.seq, key.after);
            let request = format!(
                "POST /v4/{GROUP_SET}?{}&requestid={:032x} HTTP/1.1\r\nhost: node\r\ncontent-length: {}\r\n\r\n{body}",
                self.query,
                fastrand::u128(..),
                body.len()
            );
            let answer = loop {
                let answer = ask(&mut stream, &request, &mut received).await;
                if answer.error_code != 10002 {
                    break answer;
                }
                refused += 1;
            };
            let item = &answer.extension_list[0];
            assert_eq!(
                (answer.error_code, item.error_code),
                (0, 0),
                "{}",
                String::from_utf8_lossy(&received)
            );
            key.seq = item.extension.seq;
            sets += 1;
        }
        (self, sets, refused)
    }
}

async fn ask(stream: &mut TcpStream, request: &str, received: &mut Vec<u8>) -> Answer {
    stream.write_all(request.as_bytes()).await.unwrap();
    received.clear();
    loop {
        assert_ne!(stream.read_buf(received).await.unwrap(), 0, "a node has closed a connection");
        let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let (head, body) = (str::from_utf8(&received[..end]).unwrap(), &received[end + 4..]);
        let length = head.lines().filter_map(|line| line.split_once(": ")).find_map(|(name, value)| {
            name.eq_ignore_ascii_case("content-length").then(|| value.parse::<usize>().unwrap())
        });
        if body.len() == length.unwrap() {
            return serde_json::from_slice(body).unwrap();
        }
    }
}
