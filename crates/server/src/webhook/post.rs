//! One attempt to tell one change, and what its answer means.

use std::error::Error;
use std::io;
use std::time::{Duration, Instant};

use axum::body::{Body, to_bytes};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use axum::http::{HeaderMap, Request, StatusCode};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::crypto::ring::default_provider;
use rustls::{ClientConfig, RootCertStore};
use serde::Deserialize;
use tokio::time::timeout;

use super::signature::{Secret, id, signatures};
use super::{Receiver, Url, WebhookMetrics};
use crate::clock::now_s;

/// Of an answer's body so much is read, and forgotten, so that its connection can be used again.
const READ: usize = 64 << 10;
/// A connection that was idle for longer is not used again: many servers close theirs after five seconds.
const IDLE: Duration = Duration::from_secs(4);

/// What an attempt came to.
pub(super) enum Answer {
    /// The receiver has it.
    Received,
    /// The receiver cannot take anything for now.
    Ill(Failure),
    /// The receiver will not take this one.
    Refused(Failure),
}

/// Why an attempt failed.
pub(super) struct Failure {
    /// One of [`super::metrics::FAILURES`].
    reason: &'static str,
    /// For the log.
    pub(super) text: String,
    /// How long the receiver wants to be left alone.
    pub(super) wait: Option<Duration>,
}

pub(super) struct Post {
    client: Client<HttpsConnector<HttpConnector>, Body>,
    url: Url,
    app: u64,
    secrets: Vec<Secret>,
    timeout: Duration,
    metrics: WebhookMetrics,
}

/// All that must be known of an event.
#[derive(Deserialize)]
struct Head {
    #[serde(rename = "CallbackCommand")]
    command: String,
}

impl Post {
    /// # Errors
    /// When the certificates of authorities, which an https receiver is checked by, cannot be read.
    pub(super) fn new(receiver: &Receiver, app: u64, metrics: WebhookMetrics) -> io::Result<Self> {
        let connector = connector(receiver.url.is_https())?;
        let mut client = Client::builder(TokioExecutor::new());
        let client = client.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE).build(connector);
        let secrets = std::iter::once(&receiver.secret).chain(&receiver.previous_secret).cloned().collect();
        Ok(Self { client, url: receiver.url.clone(), app, secrets, timeout: receiver.pace.timeout, metrics })
    }

    /// Tells the change.
    pub(super) async fn post(&self, body: &str) -> Answer {
        let begun = Instant::now();
        let answer = match self.request(body) {
            Ok(request) => self.send(request, begun).await,
            Err(text) => Answer::Refused(Failure { reason: "other", text, wait: None }),
        };
        let failure = match &answer {
            Answer::Received => None,
            Answer::Ill(failure) | Answer::Refused(failure) => Some(failure.reason),
        };
        self.metrics.attempted(begun.elapsed(), failure);
        answer
    }

    fn request(&self, body: &str) -> Result<Request<Body>, String> {
        let head: Head = serde_json::from_str(body).map_err(|_| "what is stored is no event")?;
        let (id, timestamp) = (id(body), now_s());
        let mut request = Request::post(self.url.of(self.app, &head.command))
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("message-extensions-server/", env!("CARGO_PKG_VERSION")))
            .header("webhook-signature", signatures(&self.secrets, &id, timestamp, body))
            .header("webhook-timestamp", timestamp)
            .header("webhook-id", id);
        if let Some(authorization) = self.url.authorization() {
            request = request.header(AUTHORIZATION, authorization);
        }
        request.body(Body::from(body.to_owned())).map_err(|error| error.to_string())
    }

    async fn send(&self, request: Request<Body>, begun: Instant) -> Answer {
        let failure = |reason, text| Answer::Ill(Failure { reason, text, wait: None });
        let response = match timeout(self.timeout, self.client.request(request)).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => {
                return failure(if error.is_connect() { "connect" } else { "broken" }, whole_text(&error));
            }
            Err(_) => return failure("timeout", format!("no answer within {:?}", self.timeout)),
        };
        let (parts, body) = response.into_parts();
        let left = self.timeout.saturating_sub(begun.elapsed());
        let _ = timeout(left, to_bytes(Body::new(body), READ)).await;
        judge(parts.status, &parts.headers)
    }
}

/// What a status means.
fn judge(status: StatusCode, headers: &HeaderMap) -> Answer {
    let failure = |reason| Failure { reason, text: format!("HTTP {}", status.as_u16()), wait: wait(headers) };
    match status.as_u16() {
        200..=299 => Answer::Received,
        408 => Answer::Ill(failure("408")),
        429 => Answer::Ill(failure("429")),
        500..=599 => Answer::Ill(failure("5xx")),
        300..=399 => Answer::Refused(failure("3xx")),
        400..=499 => Answer::Refused(failure("4xx")),
        _ => Answer::Refused(failure("other")),
    }
}

/// `Retry-After` in seconds; as a date it is not looked at.
fn wait(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// An error with its causes.
fn whole_text(error: &dyn Error) -> String {
    let (mut text, mut cause) = (error.to_string(), error.source());
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

fn connector(is_https: bool) -> io::Result<HttpsConnector<HttpConnector>> {
    let builder = HttpsConnectorBuilder::new();
    let builder = if is_https {
        builder.with_provider_and_native_roots(default_provider()).map_err(|error| {
            io::Error::other(format!(
                "cannot read the certificates of authorities by which the webhook's receiver is checked: {error}"
            ))
        })?
    } else {
        // Never asked for: redirects are not followed.
        let config = ClientConfig::builder_with_provider(default_provider().into());
        let config = config.with_safe_default_protocol_versions().map_err(io::Error::other)?;
        builder.with_tls_config(config.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
    };
    Ok(builder.https_or_http().enable_http1().build())
}

#[cfg(test)]
mod tests {
    use super::super::metrics::FAILURES;
    use super::*;

    #[test]
    fn a_status_is_taken_for_what_it_says() {
        for status in 100..=999 {
            let code = StatusCode::from_u16(status).unwrap();
            let kind = match judge(code, &HeaderMap::new()) {
                Answer::Received => "received",
                Answer::Ill(failure) | Answer::Refused(failure) if !FAILURES.contains(&failure.reason) => {
                    "no label"
                }
                Answer::Ill(_) => "ill",
                Answer::Refused(_) => "refused",
            };
            let expected = match status {
                200..=299 => "received",
                408 | 429 | 500..=599 => "ill",
                _ => "refused",
            };
            assert_eq!(kind, expected, "{status}");
        }
    }

    #[test]
    fn retry_after_is_read_in_seconds() {
        let after = |text: &str| wait(&HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]));
        assert_eq!(after("120"), Some(Duration::from_secs(120)));
        assert_eq!((after("-1"), after("Wed, 21 Oct 2026 07:28:00 GMT")), (None, None));
    }
}
