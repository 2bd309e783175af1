//! The settings that say where the data is.

use std::path::Path;
use std::time::Duration;

use message_extensions_server::store::Servers;

use super::Failure;
use super::secret::StoreKind;
use super::settings::Settings;

/// Where the data is.
pub(crate) enum Place<'a> {
    /// Nowhere: it is forgotten at exit.
    Memory,
    /// In a folder.
    Folder(&'a Path),
    /// On servers.
    Redis(Servers),
}

impl Settings {
    /// Where the data is.
    ///
    /// # Errors
    /// When it is not clear where.
    pub(crate) fn place(&self) -> Result<Place<'_>, Failure> {
        let values = &self.values;
        let failed = |text: String| Err(Failure::Usage(text));
        let kind = match &values.store {
            Some(given) => given.kind().map_err(|why| Failure::Usage(format!("store {why}")))?,
            None => StoreKind::Sqlite,
        };
        match (kind, values.data.as_deref()) {
            (StoreKind::Sqlite, Some(dir)) => Ok(Place::Folder(dir)),
            (StoreKind::Sqlite, None) => failed(
                "--data DIR says where to keep the data; to keep none, --store memory; for Redis, --store redis://host:port"
                    .into(),
            ),
            (StoreKind::Memory, None) => Ok(Place::Memory),
            (StoreKind::Redis(servers), None) => Ok(Place::Redis(self.careful(servers)?)),
            (kind, Some(_)) => {
                let name = if matches!(kind, StoreKind::Memory) { "memory" } else { "redis://…" };
                failed(format!("--data has no meaning with --store {name}: leave one of them out"))
            }
        }
    }

    /// With what the other settings say.
    fn careful(&self, mut servers: Servers) -> Result<Servers, Failure> {
        let values = &self.values;
        servers.replicas = values.redis_replicas;
        if let Some(ms) = values.redis_replica_timeout_ms {
            servers.replica_timeout = Duration::from_millis(ms);
        }
        // The engine takes 0 for forever.
        if servers.replica_timeout.is_zero() || servers.replica_timeout > Servers::LONGEST_REPLICA_TIMEOUT {
            let most = Servers::LONGEST_REPLICA_TIMEOUT.as_millis();
            return Err(Failure::Usage(format!("redis-replica-timeout-ms must be from 1 to {most}")));
        }
        if let Some(prefix) = &values.redis_key_prefix {
            // Braces would choose the slot.
            if prefix.contains(['{', '}']) {
                return Err(Failure::Usage("redis-key-prefix must have no braces".into()));
            }
            servers.prefix.clone_from(prefix);
        }
        Ok(servers)
    }
}
