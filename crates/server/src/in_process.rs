//! The server without sockets of its own: for those who hand it whatever there is (`crates/fuzz`), and on a network that is
//! not the machine's (`tests/system`).

use std::future::IntoFuture;
use std::io;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, Uri};
use axum::serve::Listener;
use message_extensions_core::code::Error;
use message_extensions_core::serve::body;
use message_extensions_core::wire::{ClientFrame, MessageState};
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;
use tower::ServiceExt;

use crate::caller::Caller;
use crate::config::Config;
use crate::http;
use crate::resume::Resume;
use crate::store::Store;
use crate::{App, tend};

/// A body as a command reads it.
///
/// # Errors
/// 60003, 10004.
pub fn read_body<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    body::parse(body)
}

/// A frame as the push connection reads it.
#[must_use]
pub fn read_frame(text: &str) -> Option<ClientFrame> {
    body::read_frame(text)
}

/// A server that is called in this process.
pub struct Service {
    app: Arc<App>,
    router: Router,
}

impl Service {
    /// One on `store`. Calls need a tokio runtime with time.
    #[must_use]
    pub fn new(config: Config, store: Arc<dyn Store>) -> Self {
        let app = Arc::new(App::new(config, store));
        Self { router: http::router(&app), app }
    }

    /// Serves those who connect, for as long as it is polled; does all that [`run`](crate::run) does until it stops, but for
    /// webhooks, health and metrics.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn serve<L>(&self, listener: L) -> io::Result<()>
    where
        L: Listener,
        L::Addr: std::fmt::Debug,
    {
        tokio::select! {
            outcome = axum::serve(listener, self.router.clone()).into_future() => outcome,
            never = tend(&self.app) => match never {},
        }
    }

    /// Posts to a path with its query. `None`: that is not a URL.
    pub async fn post(&self, url: &str, body: &[u8]) -> Option<(StatusCode, Vec<u8>)> {
        let request = Request::post(Uri::try_from(url).ok()?).body(Body::from(body.to_vec())).ok()?;
        let answer = self.router.clone().oneshot(request).await.ok()?;
        let status = answer.status();
        Some((status, to_bytes(answer.into_body(), usize::MAX).await.ok()?.to_vec()))
    }

    /// The frames that answer a resume. `None`: it is refused.
    pub async fn resume(&self, user: &str, messages: Option<Vec<MessageState>>) -> Option<Vec<String>> {
        let caller = Caller { identifier: user.to_owned(), is_admin: false };
        let one = Semaphore::new(1);
        let mut rest = Some(Resume::new(&self.app, &caller, one.acquire().await.ok()?, messages)?);
        let mut frames = Vec::new();
        while let Some(resume) = rest {
            let frame;
            (frame, rest) = resume.next_frame(|| false).await;
            frames.extend(frame);
        }
        Some(frames)
    }
}
