//! What an operator decides: one value, made from the settings by `cli/` and by hand in tests.

use std::path::PathBuf;
use std::time::Duration;

use message_extensions_core::limits::Limits;

use crate::webhook::Receiver;

/// The server's settings. The store is opened apart from it, see [`crate::store`].
#[derive(Clone)]
pub struct Config {
    /// `SDKAppID`: signatures and URLs of other apps are refused (70014).
    pub sdk_app_id: u64,
    /// The app's secret key, with which every UserSig is made. Never logged; `Config` is not `Debug` for its sake.
    pub secret_key: String,
    /// The key before it, during a rotation: signatures made with it are good too.
    pub previous_secret_key: Option<String>,
    /// UserIDs of the app admins.
    pub admins: Vec<String>,
    /// A folder of files to serve beside the API.
    pub static_dir: Option<PathBuf>,
    /// Origins whose pages may use the API, besides pages of the server's own host. Empty: any, since a signature and
    /// not a cookie says who calls, so a foreign page has nothing to abuse.
    pub allow_origins: Vec<String>,
    /// Whether setting and pulling extensions is switched off for the app (10008).
    pub extensions_off: bool,
    /// The law's limits.
    pub limits: Limits,
    /// The push connection's.
    pub push: PushLimits,
    /// Who is told of every change; `None`: nobody.
    pub webhook: Option<Receiver>,
    /// Messages that nobody has changed for so long are removed; `None`: none are.
    pub retention: Option<Duration>,
    /// How long it takes until they are looked for again.
    pub retention_interval: Duration,
    /// How long `/readyz` says 503 before the server stops accepting, so that a load balancer has looked.
    pub stop_delay: Duration,
}

impl Config {
    /// The defaults for an app: admin `administrator`, any origin, the limits of the seeds.
    #[must_use]
    pub fn new(sdk_app_id: u64, secret_key: impl Into<String>) -> Self {
        Self {
            sdk_app_id,
            secret_key: secret_key.into(),
            previous_secret_key: None,
            admins: vec![DEFAULT_ADMIN.into()],
            static_dir: None,
            allow_origins: Vec::new(),
            extensions_off: false,
            limits: Limits::DEFAULT,
            push: PushLimits::default(),
            webhook: None,
            retention: None,
            retention_interval: Duration::from_secs(3600),
            stop_delay: Duration::ZERO,
        }
    }

    /// The keys with which a good signature may have been made.
    pub(crate) fn secret_keys(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.secret_key.as_str()).chain(self.previous_secret_key.as_deref())
    }
}

/// The admin when none is named; the mirrored service's own default.
pub const DEFAULT_ADMIN: &str = "administrator";

/// What one push connection may do (`docs/protocol.md`, "The push connection").
#[derive(Debug, Clone, Copy)]
pub struct PushLimits {
    /// The login must come within this time.
    pub login: Duration,
    /// A frame from the client must come within this time.
    pub idle: Duration,
    /// Connections that a user may have at a time; one more is closed with 4007.
    pub user_connections: usize,
    /// Events that may wait for a connection; more, and it is closed with 4004.
    pub queued_events: usize,
    /// Bytes of events that may wait for a connection.
    pub queued_bytes: usize,
}

impl PushLimits {
    /// The defaults, as a constant so that the flags' help can name them.
    pub const DEFAULT: Self = Self {
        login: Duration::from_secs(10),
        idle: Duration::from_secs(60),
        user_connections: 50,
        queued_events: 8192,
        queued_bytes: 4 << 20,
    };
}

impl Default for PushLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
