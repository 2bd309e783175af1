//! What is done with the data besides serving it: `backup`, `export`, `import`.

use std::io::{self, Write};
use std::path::Path;

use message_extensions_core::message::MessageRef;
use message_extensions_server::store::archive::{self, Archive, Imported};
use message_extensions_server::store::{SqliteStore, Store};

use crate::cli::{Failure, Settings};

/// Copies the data into `file`, unless it is told to stop.
pub(crate) async fn backup(settings: &Settings, file: &Path) -> Result<(), Failure> {
    let stop = crate::stop_signal().map_err(|e| Failure::Run(format!("cannot wait for signals: {e}")))?;
    let bytes = SqliteStore::backup(folder(settings)?, file, stop).await.map_err(Failure::Run)?;
    say(format!("{} bytes in {}\n", bytes, file.display()).as_bytes())
}

/// Prints the message that is named.
pub(crate) fn export(settings: &Settings, named: MessageRef) -> Result<(), Failure> {
    let dir = folder(settings)?;
    let found = SqliteStore::archive_in(dir, named).map_err(Failure::Run)?;
    let archive = found
        .ok_or_else(|| Failure::Run(format!("there is no such message in the folder {}", dir.display())))?;
    // First in memory: so there is all of it or, on an error, nothing.
    let mut lines = Vec::new();
    archive.write(&mut lines).map_err(|e| Failure::Run(format!("cannot write the message down: {e}")))?;
    say(&lines)
}

/// Keeps the message that stdin holds.
pub(crate) async fn import(settings: &Settings) -> Result<(), Failure> {
    let dir = folder(settings)?;
    let archive = Archive::read(io::stdin().lock()).map_err(|why| Failure::Run(format!("stdin, {why}")))?;
    let store = SqliteStore::open(dir).map_err(Failure::Run)?;
    let imported = archive::import(&store, &archive).await;
    store.close().await;
    let said: &[u8] = match imported.map_err(Failure::Run)? {
        Imported::New => b"the message is kept\n",
        Imported::WasThere => b"the message was there with the same content, nothing was done\n",
    };
    say(said)
}

fn folder(settings: &Settings) -> Result<&Path, Failure> {
    settings.data()?.ok_or_else(|| {
        Failure::Usage("--store memory keeps nothing: --data DIR says where the data is".into())
    })
}

/// A reader that has gone is an error like any other.
fn say(text: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text)
        .and_then(|()| out.flush())
        .map_err(|e| Failure::Run(format!("cannot write to stdout: {e}")))
}
