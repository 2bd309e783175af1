//! What is done with the data besides serving it: `backup`, `export`, `import`.

use std::io::{self, Write};
use std::path::Path;

use message_extensions_core::message::MessageRef;
use message_extensions_server::store::archive::{self, Archive, Imported};
use message_extensions_server::store::{RedisStore, SqliteStore, Store};

use crate::cli::{Failure, Place, Settings};

/// Copies the data into `file`, unless it is told to stop.
pub(crate) async fn backup(settings: &Settings, file: &Path) -> Result<(), Failure> {
    let dir = match settings.place()? {
        Place::Folder(dir) => dir,
        Place::Memory => return Err(nowhere()),
        Place::Redis(_) => {
            let text = "data on Redis is copied by its own means: snapshots (BGSAVE), append-only files, or those of your provider";
            return Err(Failure::Usage(text.into()));
        }
    };
    let stop = crate::stop_signal().map_err(|e| Failure::Run(format!("cannot wait for signals: {e}")))?;
    let bytes = SqliteStore::backup(dir, file, stop).await.map_err(Failure::Run)?;
    say(format!("{} bytes in {}\n", bytes, file.display()).as_bytes())
}

/// Prints the message that is named.
pub(crate) async fn export(settings: &Settings, named: MessageRef) -> Result<(), Failure> {
    let (found, place) = match settings.place()? {
        Place::Memory => return Err(nowhere()),
        Place::Folder(dir) => {
            (SqliteStore::archive_in(dir, named), format!("in the folder {}", dir.display()))
        }
        Place::Redis(servers) => {
            let place = format!("on {servers}");
            let store = RedisStore::connect(servers).await.map_err(Failure::Run)?;
            (archive::find(&store, named).await, place)
        }
    };
    let archive = found
        .map_err(Failure::Run)?
        .ok_or_else(|| Failure::Run(format!("there is no such message {place}")))?;
    // First in memory: so there is all of it or, on an error, nothing.
    let mut lines = Vec::new();
    archive.write(&mut lines).map_err(|e| Failure::Run(format!("cannot write the message down: {e}")))?;
    say(&lines)
}

/// Keeps the message that stdin holds.
pub(crate) async fn import(settings: &Settings) -> Result<(), Failure> {
    let place = settings.place()?;
    let archive = Archive::read(io::stdin().lock()).map_err(|why| Failure::Run(format!("stdin, {why}")))?;
    let store: Box<dyn Store> = match place {
        Place::Memory => return Err(nowhere()),
        Place::Folder(dir) => Box::new(SqliteStore::open(dir).map_err(Failure::Run)?),
        Place::Redis(servers) => Box::new(RedisStore::connect(servers).await.map_err(Failure::Run)?),
    };
    let imported = archive::import(&*store, &archive).await;
    store.close().await;
    let said: &[u8] = match imported.map_err(Failure::Run)? {
        Imported::New => b"the message is kept\n",
        Imported::WasThere => b"the message was there with the same content, nothing was done\n",
    };
    say(said)
}

fn nowhere() -> Failure {
    Failure::Usage(
        "--store memory keeps nothing: --data DIR or --store redis://… says where the data is".into(),
    )
}

/// A reader that has gone is an error like any other.
fn say(text: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text)
        .and_then(|()| out.flush())
        .map_err(|e| Failure::Run(format!("cannot write to stdout: {e}")))
}
