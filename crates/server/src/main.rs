//! The command line of the server.

use std::future::Future;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Args, Parser, Subcommand, ValueEnum};
use message_extensions_core::limits::Limits;
use message_extensions_core::usersig;
use message_extensions_server::config::{Config, DEFAULT_ADMIN, PushLimits};
use message_extensions_server::store::{MemoryStore, SqliteStore, Store};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Shared key/value state on chat messages: REST, push, and an embedded store.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: Serve,
}

#[derive(Subcommand)]
enum Command {
    /// Prints a UserSig.
    Usersig(Usersig),
}

/// The app whose signatures are made and checked.
#[derive(Args)]
struct AppKey {
    /// The app's SDKAppID.
    #[arg(long, env = "MESSAGE_EXTENSIONS_SDK_APP_ID", value_name = "N")]
    sdk_app_id: Option<u64>,
    /// The app's secret key. Better given by the environment: other users of the machine see flags.
    #[arg(long, env = "MESSAGE_EXTENSIONS_SECRET_KEY", value_name = "S", hide_env_values = true)]
    secret_key: Option<String>,
}

impl AppKey {
    fn get(self) -> Result<(u64, String), Failure> {
        let missing =
            |flag: &str, variable: &str| Failure::Usage(format!("{flag} is missing (or {variable})"));
        let id = self.sdk_app_id.ok_or_else(|| missing("--sdk-app-id", "MESSAGE_EXTENSIONS_SDK_APP_ID"))?;
        let key = self.secret_key.filter(|key| !key.is_empty());
        let key = key.ok_or_else(|| missing("--secret-key", "MESSAGE_EXTENSIONS_SECRET_KEY"))?;
        Ok((id, key))
    }
}

#[derive(Args)]
struct Usersig {
    #[command(flatten)]
    app: AppKey,
    /// The UserID that it is for.
    #[arg(long, value_name = "U")]
    identifier: String,
    /// Seconds until it expires.
    #[arg(long, value_name = "S", default_value_t = 180 * 86_400)]
    expire: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum StoreKind {
    /// SQLite in the folder of --data.
    Sqlite,
    /// Forgets everything at exit.
    Memory,
}

#[derive(Args)]
struct Serve {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, env = "MESSAGE_EXTENSIONS_LISTEN", value_name = "ADDR", default_value = "127.0.0.1:8080")]
    listen: String,
    /// The folder for the data, made when missing.
    #[arg(long, env = "MESSAGE_EXTENSIONS_DATA", value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where to keep messages, groups and extensions.
    #[arg(long, env = "MESSAGE_EXTENSIONS_STORE", value_enum, default_value_t = StoreKind::Sqlite)]
    store: StoreKind,
    #[command(flatten)]
    app: AppKey,
    /// UserID of an app admin; may be repeated.
    #[arg(long, env = "MESSAGE_EXTENSIONS_ADMIN", value_name = "NAME", value_delimiter = ',', default_value = DEFAULT_ADMIN)]
    admin: Vec<String>,
    /// A folder of files to serve beside the API.
    #[arg(long = "static", env = "MESSAGE_EXTENSIONS_STATIC", value_name = "DIR")]
    static_dir: Option<PathBuf>,
    /// An origin whose pages may use the API, besides the server's own host; may be repeated. Without it: any.
    #[arg(long, env = "MESSAGE_EXTENSIONS_ALLOW_ORIGIN", value_name = "ORIGIN", value_delimiter = ',')]
    allow_origin: Vec<String>,
    /// Answers 10008 to every set and pull of extensions.
    #[arg(long, env = "MESSAGE_EXTENSIONS_OFF", value_parser = clap::builder::FalseyValueParser::new())]
    extensions_off: bool,
    #[command(flatten)]
    limits: LimitFlags,
}

macro_rules! limit_flags {
    ($($name:ident = $variable:literal, $help:literal;)*) => {
        /// A flag for each of the law's limits; 0 turns it off.
        #[derive(Args)]
        struct LimitFlags {$(
            #[doc = $help]
            #[arg(long, env = $variable, value_name = "N", default_value_t = Limits::DEFAULT.$name, help_heading = "Limits (0: none)")]
            $name: usize,
        )*}

        impl LimitFlags {
            const fn get(&self) -> Limits {
                Limits { $($name: self.$name),* }
            }
        }
    };
}

limit_flags! {
    key_bytes = "MESSAGE_EXTENSIONS_KEY_BYTES", "Longest key, bytes.";
    value_bytes = "MESSAGE_EXTENSIONS_VALUE_BYTES", "Longest value, bytes.";
    items = "MESSAGE_EXTENSIONS_ITEMS", "Items in one set or delete.";
    live_keys = "MESSAGE_EXTENSIONS_LIVE_KEYS", "Keys a message.";
    tombstones = "MESSAGE_EXTENSIONS_TOMBSTONES", "Deleted keys that a message remembers.";
    writes_per_minute = "MESSAGE_EXTENSIONS_WRITES_PER_MINUTE", "Write attempts a minute a message.";
    user_writes_per_minute = "MESSAGE_EXTENSIONS_USER_WRITES_PER_MINUTE", "Of those, one user's share.";
    admin_calls_per_second = "MESSAGE_EXTENSIONS_ADMIN_CALLS_PER_SECOND", "Admin calls a second per command.";
    user_calls_per_second = "MESSAGE_EXTENSIONS_USER_CALLS_PER_SECOND", "Calls a second a user.";
}

/// Why the program ends with a failure, in a sentence.
enum Failure {
    /// It was called wrongly: exit code 2.
    Usage(String),
    /// It could not do its work: exit code 1.
    Run(String),
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command {
        Some(Command::Usersig(usersig)) => print_usersig(usersig),
        None => serve(cli.serve).await,
    };
    let (code, text) = match outcome {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Usage(text)) => (2, text),
        Err(Failure::Run(text)) => (1, text),
    };
    eprintln!("message-extensions-server: {text}");
    ExitCode::from(code)
}

fn print_usersig(usersig: Usersig) -> Result<(), Failure> {
    let (id, key) = usersig.app.get()?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    println!("{}", usersig::sign(id, key.as_bytes(), &usersig.identifier, now, usersig.expire));
    Ok(())
}

async fn serve(flags: Serve) -> Result<(), Failure> {
    // RUST_LOG chooses, as everywhere.
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(filter).init();
    let store = open_store(flags.store, flags.data)?;
    let (sdk_app_id, secret_key) = flags.app.get()?;
    let config = Config {
        sdk_app_id,
        secret_key,
        admins: flags.admin,
        static_dir: flags.static_dir,
        allow_origins: flags.allow_origin,
        extensions_off: flags.extensions_off,
        limits: flags.limits.get(),
        push: PushLimits::default(),
    };
    let cannot = |what: &str, why: std::io::Error| Failure::Run(format!("cannot {what}: {why}"));
    let listen = format!("listen on {}", flags.listen);
    let listener = TcpListener::bind(&flags.listen).await.map_err(|e| cannot(&listen, e))?;
    let address = listener.local_addr().map_err(|e| cannot(&listen, e))?;
    let stop = stop_signal().map_err(|e| cannot("wait for signals", e))?;
    println!("listening on http://{address}");
    message_extensions_server::run(listener, config, store, stop).await.map_err(|e| cannot("serve", e))
}

fn open_store(kind: StoreKind, data: Option<PathBuf>) -> Result<Arc<dyn Store>, Failure> {
    match (kind, data) {
        (StoreKind::Memory, None) => Ok(Arc::new(MemoryStore::new())),
        (StoreKind::Memory, Some(_)) => {
            Err(Failure::Usage("--data has no meaning with --store memory: leave one of them out".into()))
        }
        (StoreKind::Sqlite, None) => {
            Err(Failure::Usage("--data DIR says where to keep the data; to keep none, --store memory".into()))
        }
        (StoreKind::Sqlite, Some(dir)) => Ok(Arc::new(SqliteStore::open(&dir).map_err(Failure::Run)?)),
    }
}

/// Resolves at SIGTERM or SIGINT.
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
