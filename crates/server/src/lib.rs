//! The self-hosted server of message-extensions: the REST API of seeds 002 to 004, the little of a chat that it needs,
//! the push connection, and an embedded store. The protocol and every rule are in `message-extensions-core`.
//!
//! | module | what it holds |
//! |---|---|
//! | [`config`] | what an operator decides |
//! | [`store`] | where everything is kept |
//! | `http` | routes and files |
//! | `envelope`, `origin` | how answers look, which pages may ask |
//! | `caller` | URL parameters, signatures, call rates |
//! | `commands` | what they do, a file a subject: extensions, messages, groups, registering; what is checked without a store is `core`'s `serve` |
//! | `visibility` | who may see a message |
//! | `message_queue` | the write path: decide together, commit once, then answer and push |
//! | `group_cache` | who is a member, in memory |
//! | `delivery`, `hub`, `push` | to whom events go, what waits for each connection, the connection |
//! | `nodes` | what several servers on one store tell each other |
//! | [`webhook`] | telling a program of the operator's of every change |
//! | `resume` | what a client that comes back has missed |
//! | `retention` | removing messages that nobody has changed for long |
//! | `health`, `metrics` | whether the server is well, and what it does, for the operator's machines |
//! | `in_process` | the server without sockets of its own, for tests |
//!
//! `http` calls `commands`, these call `message_queue` and `store`, and the queue hands events to `delivery`.
//! [`run`] serves until it is told to stop; the caller owns the sockets and the signal, so tests bind port 0.

mod caller;
mod clock;
mod commands;
pub mod config;
mod delivery;
mod envelope;
mod group_cache;
mod health;
mod http;
mod hub;
#[doc(hidden)]
pub mod in_process;
mod message_queue;
mod metrics;
mod nodes;
mod origin;
mod push;
mod resume;
mod retention;
pub mod store;
mod visibility;
pub mod webhook;

use std::convert::Infallible;
use std::future::{Future, IntoFuture};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use caller::Callers;
use config::Config;
use delivery::Delivery;
use group_cache::GroupCache;
use health::Health;
use hub::Hub;
use message_queue::MessageQueue;
use metrics::{Audience, Metrics};
use store::Store;
use webhook::Outgoing;

/// How often what is no longer used is dropped from memory.
const SWEEP: Duration = Duration::from_secs(10);
/// How long a stop waits for calls that were begun.
const PATIENCE: Duration = Duration::from_secs(10);

/// What every request can reach.
struct App {
    config: Config,
    callers: Callers,
    store: Arc<dyn Store>,
    groups: Arc<GroupCache>,
    delivery: Arc<Delivery>,
    queue: Arc<MessageQueue>,
    metrics: Arc<Metrics>,
    /// `None`: there is no webhook.
    outgoing: Option<Arc<Outgoing>>,
    health: Health,
    /// Everything that a stop must wait for.
    tasks: TaskTracker,
    /// Tells the push connections to end.
    stop: CancellationToken,
}

impl App {
    fn new(config: Config, store: Arc<dyn Store>) -> Self {
        let groups = Arc::new(GroupCache::new(Arc::clone(&store)));
        let hub = Arc::new(Hub::default());
        let metrics = Arc::new(Metrics::new(&hub, &*store));
        let tasks = TaskTracker::new();
        let delivery = Arc::new(Delivery::new(hub, Arc::clone(&groups), store.bus(), &tasks));
        let outgoing =
            config.webhook.as_ref().map(|to| Arc::new(Outgoing::new(to, metrics.webhooks.clone())));
        let queue = MessageQueue::new(
            Arc::clone(&store),
            Arc::clone(&delivery),
            Arc::clone(&metrics),
            outgoing.clone(),
            config.limits,
            tasks.clone(),
        );
        Self {
            callers: Callers::new(&config),
            config,
            store,
            groups,
            delivery,
            queue: Arc::new(queue),
            metrics,
            outgoing,
            health: Health::default(),
            tasks,
            stop: CancellationToken::new(),
        }
    }

    async fn sweep(&self) -> Infallible {
        loop {
            tokio::time::sleep(SWEEP).await;
            self.callers.sweep();
            self.groups.sweep();
            self.queue.sweep();
            if let Some(nodes) = self.delivery.nodes() {
                nodes.order.sweep();
                nodes.interest.sweep().await;
            }
        }
    }
}

/// The sockets on which to serve.
pub struct Listeners {
    /// For everybody. Without another, the metrics too, for callers on this machine only.
    pub api: TcpListener,
    /// For the operator's machines: health and metrics.
    pub metrics: Option<TcpListener>,
}

impl From<TcpListener> for Listeners {
    fn from(api: TcpListener) -> Self {
        Self { api, metrics: None }
    }
}

/// Serves until `shutdown` resolves; then is not ready for [`Config::stop_delay`], stops accepting, closes the push
/// connections (4006), finishes what was begun and closes the store. Health and metrics are answered until the end if
/// they have a listener of their own.
///
/// # Errors
/// When the listener fails, or the certificate of the webhook's receiver could not be checked.
pub async fn run(
    listeners: impl Into<Listeners>,
    config: Config,
    store: Arc<dyn Store>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let Listeners { api, metrics } = listeners.into();
    let app = Arc::new(App::new(config, store));
    webhook::start(&app)?;
    let shutdown = {
        let app = Arc::clone(&app);
        async move {
            shutdown.await;
            app.health.stop();
            tokio::time::sleep(app.config.stop_delay).await;
            app.stop.cancel();
        }
    };
    let is_apart = metrics.is_some();
    let _until_the_end = metrics.map(|listener| {
        let router = health::router(&app).merge(metrics::router(&app, Audience::Everybody));
        let serving = axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>());
        AbortOnDropHandle::new(tokio::spawn(serving.into_future()))
    });
    let router = http::router(&app).merge(health::router(&app));
    let router = if is_apart { router } else { router.merge(metrics::router(&app, Audience::ThisMachine)) };
    let router = router.into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(api, router).with_graceful_shutdown(shutdown);
    let outcome = tokio::select! {
        outcome = serving.into_future() => outcome,
        () = give_up(&app) => Ok(()),
        never = tend(&app) => match never {},
    };
    app.stop.cancel();
    app.tasks.close();
    if tokio::time::timeout(PATIENCE, app.tasks.wait()).await.is_err() {
        tracing::warn!("some calls did not finish in time");
    }
    if let Some(nodes) = app.delivery.nodes() {
        nodes.resign().await;
    }
    app.store.close().await;
    outcome
}

/// What a server does besides answering.
async fn tend(app: &App) -> Infallible {
    tokio::select! {
        never = app.sweep() => never,
        never = retention::run(app) => never,
        never = nodes::run(app) => never,
    }
}

/// Ends the wait for clients that keep their connections open after the stop.
async fn give_up(app: &App) {
    app.stop.cancelled().await;
    tokio::time::sleep(PATIENCE).await;
}
