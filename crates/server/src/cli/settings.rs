//! Every setting: its flag, its variable, its name in the file. One list, from which help, file and `config` follow.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use message_extensions_core::limits::Limits;
use message_extensions_server::config::{Config, DEFAULT_ADMIN, PushLimits};
use message_extensions_server::store::{CHECK_BYTES, Servers};
use message_extensions_server::webhook::Receiver;
use serde::{Deserialize, Serialize};

use super::Failure;
use super::secret::{self, GivenStore, GivenUrl, Secret};

/// How the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// A line for people.
    Text,
    /// A JSON object a line.
    Json,
}

/// Where a setting's value comes from; a later one goes before an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// Nobody gave one.
    Default,
    /// The settings file.
    File,
    /// The environment.
    Environment,
    /// The command line.
    Flag,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Default => "default",
            Self::File => "file",
            Self::Environment => "environment",
            Self::Flag => "flag",
        })
    }
}

/// A setting as it is shown: its name, its value if it has one, whence.
pub(super) type Shown = (String, Option<toml::Value>, Source);

macro_rules! settings {
    ($($(#[$attribute:meta])* $name:ident: $type:ty,)*) => {
        /// What was given, by flags and environment or by the file.
        #[derive(Default, Args, Deserialize)]
        #[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
        pub(crate) struct Values {$(
            $(#[$attribute])*
            #[arg(long)]
            pub(crate) $name: Option<$type>,
        )*}

        impl Values {
            /// clap's ids of the settings.
            pub(super) fn names() -> impl Iterator<Item = &'static str> {
                [$(id(stringify!($name))),*].into_iter()
            }

            /// These, of which each came from `source`, over those of the file.
            pub(super) fn over(self, file: Self, source: impl Fn(&str) -> Source, path: Option<PathBuf>) -> Settings {
                let mut sources = Vec::new();
                let values = Self {$(
                    $name: {
                        let own = source(id(stringify!($name)));
                        let is_in_file = own == Source::Default && file.$name.is_some();
                        sources.push(if is_in_file { Source::File } else { own });
                        if is_in_file { file.$name } else { self.$name }
                    },
                )*};
                Settings { values, sources, file: path }
            }

            fn shown(&self) -> Vec<(&'static str, Option<toml::Value>)> {
                let value = |value: Result<toml::Value, _>| value.ok();
                vec![$((id(stringify!($name)), self.$name.as_ref().and_then(|given| value(toml::Value::try_from(given))))),*]
            }
        }
    };
}

/// As clap names a field.
fn id(field: &str) -> &str {
    field.trim_start_matches("r#")
}

const PUSH: &str = "Push connections";
const REDIS: &str = "Redis";
const WEBHOOKS: &str = "Webhooks";
const LIMITS: &str = "Limits (0: none)";

settings! {
    /// Where to listen; port 0 takes a free one.
    #[arg(value_name = "ADDR", default_value = "127.0.0.1:8080")]
    listen: String,
    /// Where to serve /metrics, and /healthz and /readyz besides. Without it /metrics is at --listen, for callers on this machine only.
    #[arg(value_name = "ADDR")]
    metrics_listen: String,
    /// The folder for the data, made when missing.
    #[arg(value_name = "DIR")]
    data: PathBuf,
    /// Where to keep messages, groups and extensions: sqlite, memory, or Redis or Valkey servers, of a cluster any of them: redis://[user:password@]host:port[,host:port…], with TLS rediss://….
    #[arg(value_name = "STORE", default_value = "sqlite", hide_env_values = true)]
    store: GivenStore,
    /// Replicas that must have a write before it is answered. Without it: 1 in a cluster, 0 on a single server.
    #[arg(value_name = "N", help_heading = REDIS)]
    redis_replicas: usize,
    /// Milliseconds that they have for it; then the write is answered 10002.
    #[arg(value_name = "MS", default_value = Servers::REPLICA_TIMEOUT.as_millis().to_string(), help_heading = REDIS)]
    redis_replica_timeout_ms: u64,
    /// What all keys begin with.
    #[arg(value_name = "TEXT", default_value = Servers::PREFIX, help_heading = REDIS)]
    redis_key_prefix: String,
    /// Data of up to so many MiB is looked through for damage at the start; 0: none is.
    #[arg(value_name = "N", default_value = (CHECK_BYTES >> 20).to_string())]
    startup_check_mib: u64,
    /// Days after which a message that nobody has changed is removed with its extensions; 0: never.
    #[arg(value_name = "N", default_value = "0")]
    retention_days: u64,
    /// The app's SDKAppID.
    #[arg(value_name = "N")]
    sdk_app_id: u64,
    /// The app's secret key. Better given in a file: other users of the machine see flags.
    #[arg(value_name = "S", hide_env_values = true)]
    secret_key: Secret,
    /// A file that holds the secret key and nothing else; a line break at its end does not count.
    #[arg(value_name = "FILE")]
    secret_key_file: PathBuf,
    /// The secret key before this one, during a rotation: signatures made with it are good too.
    #[arg(value_name = "S", hide_env_values = true)]
    previous_secret_key: Secret,
    /// A file that holds it.
    #[arg(value_name = "FILE")]
    previous_secret_key_file: PathBuf,
    /// UserID of an app admin; may be repeated.
    #[arg(value_name = "NAME", value_delimiter = ',', default_value = DEFAULT_ADMIN)]
    admin: Vec<String>,
    /// A folder of files to serve beside the API.
    #[arg(value_name = "DIR")]
    r#static: PathBuf,
    /// An origin whose pages may use the API, besides the server's own host; may be repeated. Without it: any.
    #[arg(value_name = "ORIGIN", value_delimiter = ',')]
    allow_origin: Vec<String>,
    /// Whether the feature is switched off for the app: every set and pull of extensions answers 10008.
    #[arg(value_name = "BOOL", default_value = "false", num_args = 0..=1, default_missing_value = "true")]
    extensions_off: bool,
    /// How the log looks; it goes to stderr. RUST_LOG says how much of it there is.
    #[arg(value_enum, default_value = "text")]
    log_format: LogFormat,
    /// Seconds for which /readyz says 503 before a stop begins, so that a load balancer has looked.
    #[arg(value_name = "S", default_value = "0")]
    stop_delay: u64,
    /// Seconds within which a login must come.
    #[arg(value_name = "S", default_value = PushLimits::DEFAULT.login.as_secs().to_string(), help_heading = PUSH)]
    push_login: u64,
    /// Seconds within which something must be heard from a client.
    #[arg(value_name = "S", default_value = PushLimits::DEFAULT.idle.as_secs().to_string(), help_heading = PUSH)]
    push_idle: u64,
    /// Connections that a user may have at a time; one more is refused.
    #[arg(value_name = "N", default_value = PushLimits::DEFAULT.user_connections.to_string(), help_heading = PUSH)]
    push_user_connections: usize,
    /// Events that may wait for a connection; more, and it is closed.
    #[arg(value_name = "N", default_value = PushLimits::DEFAULT.queued_events.to_string(), help_heading = PUSH)]
    push_queued_events: usize,
    /// Bytes of events that may wait for a connection.
    #[arg(value_name = "N", default_value = PushLimits::DEFAULT.queued_bytes.to_string(), help_heading = PUSH)]
    push_queued_bytes: usize,
    /// The URL to which every change of extensions is posted. Without it: none is.
    #[arg(value_name = "URL", hide_env_values = true, help_heading = WEBHOOKS)]
    webhook: GivenUrl,
    /// The secret with which they are signed: base64 after whsec_, or the text as it is. Better given in a file.
    #[arg(value_name = "S", hide_env_values = true, help_heading = WEBHOOKS)]
    webhook_secret: Secret,
    /// A file that holds the secret and nothing else.
    #[arg(value_name = "FILE", help_heading = WEBHOOKS)]
    webhook_secret_file: PathBuf,
    /// The secret before this one, during a rotation: they are signed with both.
    #[arg(value_name = "S", hide_env_values = true, help_heading = WEBHOOKS)]
    previous_webhook_secret: Secret,
    /// A file that holds it.
    #[arg(value_name = "FILE", help_heading = WEBHOOKS)]
    previous_webhook_secret_file: PathBuf,
    /// Changes that may wait for the receiver; with more, the oldest are dropped.
    #[arg(value_name = "N", default_value = Receiver::QUEUE.to_string(), help_heading = WEBHOOKS)]
    webhook_queue: usize,
    /// Seconds for which a change may wait for the receiver; then it is dropped.
    #[arg(value_name = "S", default_value = Receiver::MAX_AGE.as_secs().to_string(), help_heading = WEBHOOKS)]
    webhook_max_age: u64,
    /// Longest key, bytes.
    #[arg(value_name = "N", default_value = Limits::DEFAULT.key_bytes.to_string(), help_heading = LIMITS)]
    key_bytes: usize,
    /// Longest value, bytes.
    #[arg(value_name = "N", default_value = Limits::DEFAULT.value_bytes.to_string(), help_heading = LIMITS)]
    value_bytes: usize,
    /// Items in one set or delete.
    #[arg(value_name = "N", default_value = Limits::DEFAULT.items.to_string(), help_heading = LIMITS)]
    items: usize,
    /// Keys a message.
    #[arg(value_name = "N", default_value = Limits::DEFAULT.live_keys.to_string(), help_heading = LIMITS)]
    live_keys: usize,
    /// Deleted keys that a message remembers.
    #[arg(value_name = "N", default_value = Limits::DEFAULT.tombstones.to_string(), help_heading = LIMITS)]
    tombstones: usize,
    /// Write attempts a minute a message.
    #[arg(value_name = "N", default_value = Limits::DEFAULT.writes_per_minute.to_string(), help_heading = LIMITS)]
    writes_per_minute: usize,
    /// Of those, one user's share.
    #[arg(value_name = "N", default_value = Limits::DEFAULT.user_writes_per_minute.to_string(), help_heading = LIMITS)]
    user_writes_per_minute: usize,
    /// Admin calls a second per command.
    #[arg(value_name = "N", default_value = Limits::DEFAULT.admin_calls_per_second.to_string(), help_heading = LIMITS)]
    admin_calls_per_second: usize,
    /// Calls a second a user.
    #[arg(value_name = "N", default_value = Limits::DEFAULT.user_calls_per_second.to_string(), help_heading = LIMITS)]
    user_calls_per_second: usize,
}

/// The settings in force.
pub(crate) struct Settings {
    pub(crate) values: Values,
    /// In the order of [`Values::names`].
    sources: Vec<Source>,
    /// The settings file, if one was given.
    pub(super) file: Option<PathBuf>,
}

impl Settings {
    /// Each setting for people; secrets as they are shown.
    pub(super) fn shown(&self) -> impl Iterator<Item = Shown> {
        let shown = self.values.shown().into_iter().zip(&self.sources);
        shown.map(|((name, value), source)| (name.replace('_', "-"), value, *source))
    }

    /// The app and the key with which its signatures are made.
    ///
    /// # Errors
    /// When one is missing or cannot be had.
    pub(crate) fn app(&self) -> Result<(u64, String), Failure> {
        let missing = |text: &str| Failure::Usage(format!("{text} is missing"));
        let Values { sdk_app_id, secret_key, secret_key_file, .. } = &self.values;
        let id = sdk_app_id.ok_or_else(|| missing("--sdk-app-id (or MESSAGE_EXTENSIONS_SDK_APP_ID)"))?;
        let key = secret::get("secret-key", secret_key.as_ref(), secret_key_file.as_deref());
        let key = key.map_err(Failure::Usage)?;
        Ok((
            id,
            key.ok_or_else(|| {
                missing("--secret-key-file (or --secret-key, or MESSAGE_EXTENSIONS_SECRET_KEY)")
            })?,
        ))
    }

    /// As the server takes them.
    ///
    /// # Errors
    /// When one is missing, or has no meaning.
    pub(crate) fn config(&self) -> Result<Config, Failure> {
        let values = &self.values;
        let (sdk_app_id, secret_key) = self.app()?;
        let previous = (values.previous_secret_key.as_ref(), values.previous_secret_key_file.as_deref());
        let previous = secret::get("previous-secret-key", previous.0, previous.1);
        self.place()?;
        let list = |name: &str, given: &Option<Vec<String>>| {
            let given = given.clone().unwrap_or_default();
            let is_good = !given.iter().any(String::is_empty);
            is_good.then_some(given).ok_or_else(|| Failure::Usage(format!("an item of {name} is empty")))
        };
        let mut config = Config::new(sdk_app_id, secret_key);
        config.previous_secret_key = previous.map_err(Failure::Usage)?;
        config.admins = list("admin", &values.admin)?;
        config.static_dir.clone_from(&values.r#static);
        config.allow_origins = list("allow-origin", &values.allow_origin)?;
        config.extensions_off = values.extensions_off.unwrap_or_default();
        config.limits = self.limits();
        config.push = self.push()?;
        config.webhook = self.webhook()?;
        let retention_days = values.retention_days.filter(|days| *days > 0);
        config.retention = retention_days.map(|days| Duration::from_secs(days.saturating_mul(86_400)));
        config.stop_delay = Duration::from_secs(values.stop_delay.unwrap_or_default());
        Ok(config)
    }

    fn limits(&self) -> Limits {
        let (values, default) = (&self.values, Limits::DEFAULT);
        Limits {
            key_bytes: values.key_bytes.unwrap_or(default.key_bytes),
            value_bytes: values.value_bytes.unwrap_or(default.value_bytes),
            items: values.items.unwrap_or(default.items),
            live_keys: values.live_keys.unwrap_or(default.live_keys),
            tombstones: values.tombstones.unwrap_or(default.tombstones),
            writes_per_minute: values.writes_per_minute.unwrap_or(default.writes_per_minute),
            user_writes_per_minute: values.user_writes_per_minute.unwrap_or(default.user_writes_per_minute),
            admin_calls_per_second: values.admin_calls_per_second.unwrap_or(default.admin_calls_per_second),
            user_calls_per_second: values.user_calls_per_second.unwrap_or(default.user_calls_per_second),
        }
    }

    fn push(&self) -> Result<PushLimits, Failure> {
        let (values, default) = (&self.values, PushLimits::DEFAULT);
        let push = PushLimits {
            login: values.push_login.map_or(default.login, Duration::from_secs),
            idle: values.push_idle.map_or(default.idle, Duration::from_secs),
            user_connections: values.push_user_connections.unwrap_or(default.user_connections),
            queued_events: values.push_queued_events.unwrap_or(default.queued_events),
            queued_bytes: values.push_queued_bytes.unwrap_or(default.queued_bytes),
        };
        // Unlike the law's limits these cannot be turned off: what waits for a client that is gone would fill the memory.
        let is_zero = [
            ("push-login", push.login.is_zero()),
            ("push-idle", push.idle.is_zero()),
            ("push-user-connections", push.user_connections == 0),
            ("push-queued-events", push.queued_events == 0),
            ("push-queued-bytes", push.queued_bytes == 0),
        ];
        match is_zero.into_iter().find(|(_, is_zero)| *is_zero) {
            Some((name, _)) => Err(Failure::Usage(format!("{name} must be at least 1"))),
            None => Ok(push),
        }
    }
}
