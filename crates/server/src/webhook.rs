//! Webhooks: every change is told to one program of the operator's, by a signed POST (`docs/protocol.md`, "Webhooks").
//!
//! | file | what it holds |
//! |---|---|
//! | `url`, `signature` | where to, and how the receiver knows that it is us |
//! | `post` | one attempt, and what its answer means |
//! | `outgoing` | what a commit leaves to be told; all that the write path knows of webhooks |
//! | `schedule` | which message is next, who waits until when; pure |
//! | `dispatch` | carries that out |
//! | `metrics` | counts it |
//!
//! A webhook is stored in the transaction of its change and removed when it was received, so it is told at least once,
//! whatever ends the process between. Only numbers of messages are held in memory, and only so many.

mod dispatch;
mod metrics;
mod outgoing;
mod post;
mod schedule;
mod signature;
mod url;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::App;
use crate::nodes::Nodes;

pub(crate) use self::metrics::WebhookMetrics;
pub(crate) use self::outgoing::Outgoing;
pub use self::signature::Secret;
pub use self::url::Url;

/// Who is told of every change.
#[derive(Clone)]
pub struct Receiver {
    /// Where it listens.
    pub url: Url,
    /// What it knows us by.
    pub secret: Secret,
    /// The secret before it, during a rotation: webhooks are signed with both.
    pub previous_secret: Option<Secret>,
    /// Webhooks that may wait; then the oldest are dropped.
    pub queue: usize,
    /// How long one may wait before it is dropped.
    pub max_age: Duration,
    /// How fast, and how patient.
    pub pace: Pace,
}

impl Receiver {
    /// The defaults.
    #[must_use]
    pub fn new(url: Url, secret: Secret) -> Self {
        let (queue, max_age) = (Self::QUEUE, Self::MAX_AGE);
        Self { url, secret, previous_secret: None, queue, max_age, pace: Pace::default() }
    }

    /// The default of [`Self::queue`].
    pub const QUEUE: usize = 100_000;
    /// The default of [`Self::max_age`].
    pub const MAX_AGE: Duration = Duration::from_secs(86_400);
}

/// How fast webhooks are sent, and how long is waited for what.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Requests at a time, each of another message.
    pub concurrency: usize,
    /// How long an answer may take.
    pub timeout: Duration,
    /// How long nothing is sent to a receiver that is ill.
    pub ill: Backoff,
    /// How long a message waits of which a webhook was refused.
    pub refused: Backoff,
    /// How often it is looked for what is too old; ten times as often when too many wait.
    pub trim: Duration,
    /// How long a stop waits for requests that were begun.
    pub stop: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        let (second, minute) = (Duration::from_secs(1), Duration::from_secs(60));
        Self {
            concurrency: 8,
            timeout: 10 * second,
            ill: Backoff { first: second, most: minute },
            refused: Backoff { first: second, most: 5 * minute },
            trim: 10 * second,
            stop: 5 * second,
        }
    }
}

/// A wait that doubles with each failure, less up to a half by chance, so that nobody comes in step.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    /// After the first failure.
    pub first: Duration,
    /// Never longer.
    pub most: Duration,
}

impl Backoff {
    /// After so many failures in a row, from 1.
    fn after(self, failures: u32) -> Duration {
        let doubled = self.first.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1)));
        doubled.min(self.most).mul_f64(0.5 + fastrand::f64() / 2.0)
    }
}

/// Begins to send, if there is a receiver.
///
/// # Errors
/// When its certificate could not be checked, since this machine has no authorities' certificates.
pub(crate) fn start(app: &App) -> io::Result<()> {
    if let (Some(receiver), Some(outgoing)) = (&app.config.webhook, &app.outgoing) {
        let post = post::Post::new(receiver, app.config.sdk_app_id, app.metrics.webhooks.clone())?;
        let shared = dispatch::Shared::new(
            Arc::clone(&app.store),
            Arc::clone(outgoing),
            post,
            receiver,
            app.stop.clone(),
        );
        let leads = app.delivery.nodes().map(Nodes::leads);
        app.tasks.spawn(dispatch::run(Arc::new(shared), leads));
    }
    Ok(())
}
