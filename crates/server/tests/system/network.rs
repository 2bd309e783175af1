//! The network between pages and servers, as each side uses it.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::serve::Listener;
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_util::task::AbortOnDropHandle;
use turmoil::net::{TcpListener, TcpStream};

const PORT: u16 = 80;

/// Where a server is reached.
pub(crate) struct Port(TcpListener);

impl Port {
    pub(crate) async fn open() -> std::io::Result<Self> {
        Ok(Self(TcpListener::bind((Ipv4Addr::UNSPECIFIED, PORT)).await?))
    }
}

impl Listener for Port {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            match self.0.accept().await {
                Ok(accepted) => return accepted,
                // It has hung up already.
                Err(_) => tokio::time::sleep(Duration::from_millis(1)).await,
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// Posts to a server on a connection of its own. `None`: no answer came.
pub(crate) async fn post(server: &str, path: &str, body: String) -> Option<String> {
    let stream = TcpStream::connect((server, PORT)).await.ok()?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
    let _connection = AbortOnDropHandle::new(tokio::task::spawn_local(connection));
    let request = Request::post(path).header("host", server).header("connection", "close");
    let answer = sender.send_request(request.body(Full::new(Bytes::from(body))).unwrap()).await.ok()?;
    let body = answer.into_body().collect().await.ok()?;
    String::from_utf8(body.to_bytes().into()).ok()
}

/// What a push connection tells its page.
pub(crate) enum Told {
    Open,
    Frame(String),
    /// With this code.
    Closed(u16),
}

/// A push connection to a server, until one side ends it or it is dropped.
pub(crate) async fn connect(server: &str, mut out: UnboundedReceiver<String>, tell: impl Fn(Told)) {
    const BROKEN: u16 = 1006;
    let Ok(stream) = TcpStream::connect((server, PORT)).await else { return tell(Told::Closed(BROKEN)) };
    let url = format!("ws://{server}/v4/push");
    let Ok((socket, _)) = tokio_tungstenite::client_async(url, stream).await else {
        return tell(Told::Closed(BROKEN));
    };
    tell(Told::Open);
    let (mut sink, mut stream) = socket.split();
    loop {
        tokio::select! {
            biased;
            next = stream.next() => match next {
                Some(Ok(Frame::Text(text))) => tell(Told::Frame(text.to_string())),
                Some(Ok(Frame::Close(close))) => {
                    return tell(Told::Closed(close.map_or(BROKEN, |close| close.code.into())));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return tell(Told::Closed(BROKEN)),
            },
            Some(text) = out.recv() => {
                if sink.send(Frame::text(text)).await.is_err() {
                    return tell(Told::Closed(BROKEN));
                }
            }
        }
    }
}
