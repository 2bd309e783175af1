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
        let login = json!({"Type": "login", "SDKAppID": APP, "Identifier": user, "UserSig": signature(user)});
        socket.send(&login.to_string()).await;
        assert_eq!(socket.frame().await, json!({"Type": "ready"}));
        socket
    }

    pub(crate) async fn send(&mut self, text: &str) {
        self.stream.send(Frame::text(text)).await.unwrap();
    }

    async fn next(&mut self) -> Frame {
        let next = timeout(PATIENCE, self.stream.next()).await.expect("a frame in time");
        next.expect("a frame, not the end").expect("a frame")
    }

    pub(crate) async fn frame(&mut self) -> Value {
        match self.next().await {
            Frame::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("{other:?}"),
        }
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
