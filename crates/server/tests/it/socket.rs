//! A push connection from the client's side.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::client::{APP, signature};

const PATIENCE: Duration = Duration::from_secs(10);
const READY: &str = r#"{"Type":"ready"}"#;

pub(crate) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    events: std::collections::VecDeque<Value>,
}

impl Socket {
    pub(crate) async fn open(address: SocketAddr, query: &str) -> Self {
        let (stream, _) = connect_async(format!("ws://{address}/v4/push{query}")).await.unwrap();
        Self { stream, events: Default::default() }
    }

    /// Connected and logged in.
    pub(crate) async fn login(address: SocketAddr, user: &str) -> Self {
        let mut socket = Self::open(address, "").await;
        socket.send_login(user).await.unwrap();
        assert_eq!(socket.text().await, READY);
        socket
    }

    /// The same, unless the server is gone or refuses.
    pub(crate) async fn try_login(address: SocketAddr, user: &str) -> Option<Self> {
        let (stream, _) = connect_async(format!("ws://{address}/v4/push")).await.ok()?;
        let mut socket = Self { stream, events: Default::default() };
        socket.send_login(user).await?;
        (socket.text_unless_gone().await? == READY).then_some(socket)
    }

    async fn send_login(&mut self, user: &str) -> Option<()> {
        let login = json!({"Type": "login", "SDKAppID": APP, "Identifier": user, "UserSig": signature(user)});
        self.stream.send(Frame::text(login.to_string())).await.ok()
    }

    /// Whether the next frame says that the login was accepted, and is not a close.
    pub(crate) async fn is_ready(&mut self) -> bool {
        matches!(self.next().await, Frame::Text(text) if text.as_str() == READY)
    }

    pub(crate) async fn send(&mut self, text: &str) {
        self.stream.send(Frame::text(text)).await.unwrap();
    }

    async fn next(&mut self) -> Frame {
        let next = timeout(PATIENCE, self.stream.next()).await.expect("a frame in time");
        next.expect("a frame, not the end").expect("a frame")
    }

    async fn text(&mut self) -> String {
        match self.next().await {
            Frame::Text(text) => text.to_string(),
            other => panic!("{other:?}"),
        }
    }

    async fn text_unless_gone(&mut self) -> Option<String> {
        match timeout(PATIENCE, self.stream.next()).await.expect("a frame in time") {
            Some(Ok(Frame::Text(text))) => Some(text.to_string()),
            _ => None,
        }
    }

    pub(crate) async fn frame(&mut self) -> Value {
        serde_json::from_str(&self.text().await).unwrap()
    }

    /// Names messages, each with its `LatestSeq`.
    pub(crate) async fn resume(&mut self, messages: &[Value]) {
        self.send(&json!({"Type": "resume", "Messages": messages}).to_string()).await;
    }

    /// The frames that answer a resume, with their lengths. Events between them are kept, pongs are not.
    pub(crate) async fn resumed_frames(&mut self) -> Vec<(Value, usize)> {
        self.resumed_frames_unless_gone().await.expect("frames, not the end")
    }

    /// The same, unless the server is gone.
    pub(crate) async fn resumed_frames_unless_gone(&mut self) -> Option<Vec<(Value, usize)>> {
        let mut frames = Vec::new();
        loop {
            let text = self.text_unless_gone().await?;
            let mut frame: Value = serde_json::from_str(&text).unwrap();
            match frame["Type"].as_str().unwrap() {
                "push" => {
                    let events: Vec<Value> = serde_json::from_value(frame["Events"].take()).unwrap();
                    self.events.extend(events);
                }
                "pong" => {}
                "resumed" => {
                    let is_last = frame["Complete"] == 1;
                    frames.push((frame, text.len()));
                    if is_last {
                        return Some(frames);
                    }
                }
                _ => panic!("{frame}"),
            }
        }
    }

    /// What the server says of the messages of a resume.
    pub(crate) async fn resumed(&mut self, messages: &[Value]) -> Vec<Value> {
        self.resume(messages).await;
        let frames = self.resumed_frames().await;
        frames.iter().flat_map(|(frame, _)| frame["Messages"].as_array().unwrap().clone()).collect()
    }

    /// The next event, whatever frames they come in.
    pub(crate) async fn event(&mut self) -> Value {
        while self.events.is_empty() {
            let mut frame = self.frame().await;
            assert_eq!(frame["Type"], "push", "{frame}");
            let events: Vec<Value> = serde_json::from_value(frame["Events"].take()).unwrap();
            self.events.extend(events);
        }
        self.events.pop_front().unwrap()
    }

    /// The same, unless the server is gone.
    pub(crate) async fn event_unless_gone(&mut self) -> Option<Value> {
        while self.events.is_empty() {
            let Some(Ok(Frame::Text(text))) = self.stream.next().await else { return None };
            let mut frame: Value = serde_json::from_str(&text).unwrap();
            let events: Vec<Value> = serde_json::from_value(frame["Events"].take()).unwrap();
            self.events.extend(events);
        }
        self.events.pop_front()
    }

    /// The code with which the server closes.
    pub(crate) async fn closed(&mut self) -> u16 {
        loop {
            match self.next().await {
                Frame::Close(close) => return close.unwrap().code.into(),
                Frame::Text(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// That nothing was pushed before the answer to a ping.
    pub(crate) async fn has_nothing(&mut self) {
        self.send(r#"{"Type":"ping"}"#).await;
        assert_eq!(self.frame().await, json!({"Type": "pong"}));
    }
}
