//! The program: reads its settings, opens the store and the sockets, serves until a signal.

mod cli;
mod data;

use std::future::Future;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use message_extensions_core::usersig;
use message_extensions_server::Listeners;
use message_extensions_server::store::{CHECK_BYTES, MemoryStore, RedisStore, SqliteStore, Store};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use cli::{Failure, Place, Settings, Task};

/// A quarter of what a set takes here is memory taken and given back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match cli::read() {
        Err(failure) => Err(failure),
        Ok((Task::Serve, settings)) => serve(settings).await,
        Ok((Task::Config, settings)) => print_config(&settings),
        Ok((Task::Usersig(identifier, expire), settings)) => print_usersig(&settings, &identifier, expire),
        Ok((Task::Backup(file), settings)) => data::backup(&settings, &file).await,
        Ok((Task::Export(named), settings)) => data::export(&settings, named).await,
        Ok((Task::Import, settings)) => data::import(&settings).await,
    };
    let (code, text) = match outcome {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Usage(text)) => (2, text),
        Err(Failure::Run(text)) => (1, text),
    };
    eprintln!("message-extensions-server: {text}");
    ExitCode::from(code)
}

/// Prints what is in force even when something is missing, since that is when it is asked for.
fn print_config(settings: &Settings) -> Result<(), Failure> {
    print!("{}", settings.to_toml());
    settings.config().map(drop)
}

fn print_usersig(settings: &Settings, identifier: &str, expire: u64) -> Result<(), Failure> {
    let (id, key) = settings.app()?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    println!("{}", usersig::sign(id, key.as_bytes(), identifier, now, expire));
    Ok(())
}

async fn serve(settings: Settings) -> Result<(), Failure> {
    let begun = Instant::now();
    let config = settings.config()?;
    let values = &settings.values;
    cli::start_log(values.log_format)?;
    let cannot = |what: &str, why: std::io::Error| Failure::Run(format!("cannot {what}: {why}"));
    let store = open_store(&settings).await?;
    let api = listen("listen", values.listen.as_deref().unwrap_or_default()).await?;
    let metrics = match &values.metrics_listen {
        Some(address) => Some(listen("metrics-listen", address).await?),
        None => None,
    };
    let local = |listener: &TcpListener| listener.local_addr().map_err(|e| cannot("learn the port", e));
    let address = local(&api)?;
    let metrics_address = metrics.as_ref().map(local).transpose()?;
    let stop = stop_signal().map_err(|e| cannot("wait for signals", e))?;
    tracing::info!(version = env!("CARGO_PKG_VERSION"), %address, settings = %settings.in_one_line(), "started");
    println!("listening on http://{address}");
    if let Some(address) = metrics_address {
        println!("metrics on http://{address}/metrics");
    }
    let listeners = Listeners { api, metrics };
    let outcome = message_extensions_server::run(listeners, config, store, stop).await;
    tracing::info!(uptime_s = begun.elapsed().as_secs(), "stopped");
    outcome.map_err(|e| cannot("serve", e))
}

async fn listen(setting: &str, address: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        let advice = match error.kind() {
            std::io::ErrorKind::AddrInUse => {
                format!("; another program listens there: stop it, or choose another --{setting}")
            }
            std::io::ErrorKind::AddrNotAvailable => "; this machine does not have the address".into(),
            _ => String::new(),
        };
        Failure::Run(format!("cannot listen on {address}: {error}{advice}"))
    })
}

async fn open_store(settings: &Settings) -> Result<Arc<dyn Store>, Failure> {
    Ok(match settings.place()? {
        Place::Memory => Arc::new(MemoryStore::new()),
        Place::Folder(dir) => {
            let check_bytes =
                settings.values.startup_check_mib.map_or(CHECK_BYTES, |mib| mib.saturating_mul(1 << 20));
            Arc::new(SqliteStore::open_checking(dir, check_bytes).map_err(Failure::Run)?)
        }
        Place::Redis(servers) => Arc::new(RedisStore::connect(servers).await.map_err(Failure::Run)?),
    })
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
