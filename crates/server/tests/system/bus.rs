//! How servers on the shared store hear of each other. What is told arrives in order, unless the connection breaks: then the server
//! is told that it has missed something, as soon as it hears again.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use message_extensions_server::store::{Bus, Heard, Hearers, StoreError, Topic};
use tokio::time::sleep;

use crate::disk::Disk;
use crate::history::GROUP;
use crate::world::{TROUBLE, now_ms};

/// Who does not beat for so long is dead.
const SILENCE_MS: u64 = 3000;
/// The log goes back so long.
const LOG_MS: u64 = 60_000;

/// What the servers tell each other.
#[derive(Default)]
pub(crate) struct Air {
    last: u64,
    listeners: BTreeMap<u64, Listener>,
    /// When each was committed.
    log: Vec<(u64, Arc<str>)>,
    beats: BTreeMap<String, u64>,
}

#[derive(Default)]
struct Listener {
    topics: HashSet<Topic>,
    /// When each arrives.
    waiting: VecDeque<(u64, Heard)>,
    /// The connection is broken until then.
    deaf_until: u64,
}

/// The way of one server, until it is dropped with it.
pub(crate) struct NodeBus {
    disk: Arc<Disk>,
    number: u64,
}

impl NodeBus {
    pub(crate) fn new(disk: Arc<Disk>) -> Self {
        let mut air = disk.air.lock().unwrap();
        air.last += 1;
        let number = air.last;
        air.listeners.insert(number, Listener::default());
        drop(air);
        Self { disk, number }
    }

    fn air(&self) -> MutexGuard<'_, Air> {
        self.disk.air.lock().unwrap()
    }
}

impl Drop for NodeBus {
    fn drop(&mut self) {
        self.air().listeners.remove(&self.number);
    }
}

impl Air {
    pub(crate) fn record(&mut self, record: Arc<str>) {
        self.log.push((now_ms(), record));
    }

    /// Whether anybody listens who would hear it at once.
    pub(crate) fn hearers(&self, group_id: Option<String>) -> Hearers {
        let topic = group_id.map(Topic::Group);
        let hears = |listener: &Listener| {
            now_ms() >= listener.deaf_until
                && topic.as_ref().is_none_or(|topic| listener.topics.contains(topic))
        };
        if self.listeners.values().any(hears) { Hearers::Perhaps } else { Hearers::Nobody }
    }

    fn log(&self) -> Vec<Arc<str>> {
        let recent = self.log.iter().filter(|(at, _)| *at + LOG_MS > now_ms());
        recent.map(|(_, record)| Arc::clone(record)).collect()
    }
}

impl Listener {
    fn told(&mut self, notice: &str, losses: u8, chance: &mut fastrand::Rng) {
        let now = now_ms();
        if now < self.deaf_until {
            return;
        }
        let last = self.waiting.back().map_or(0, |(at, _)| *at);
        if now < TROUBLE && chance.u8(..) < losses {
            self.deaf_until = last.max(now + chance.u64(0..2000));
            return self.waiting.push_back((self.deaf_until, Heard::Lost));
        }
        let at = last.max(now + chance.u64(0..30));
        self.waiting.push_back((at, Heard::Notice(notice.to_owned())));
    }
}

#[async_trait]
impl Bus for NodeBus {
    async fn listen(&self, topic: &Topic) -> Result<(), StoreError> {
        self.disk.takes_time().await?;
        if let Some(listener) = self.air().listeners.get_mut(&self.number) {
            listener.topics.insert(topic.clone());
        }
        self.disk.takes_time().await
    }

    async fn unlisten(&self, topic: &Topic) {
        if let Some(listener) = self.air().listeners.get_mut(&self.number) {
            listener.topics.remove(topic);
        }
    }

    async fn tell(&self, topic: &Topic, notice: &str) -> Result<(), StoreError> {
        self.disk.takes_time().await?;
        {
            let (mut air, mut chance) = (self.air(), self.disk.chance());
            for listener in air.listeners.values_mut().filter(|listener| listener.topics.contains(topic)) {
                listener.told(notice, self.disk.losses, &mut chance);
            }
        }
        self.disk.takes_time().await
    }

    async fn hear(&self) -> Heard {
        loop {
            if let Some(listener) = self.air().listeners.get_mut(&self.number)
                && let Some((_, heard)) = listener.waiting.pop_front_if(|(at, _)| *at <= now_ms())
            {
                return heard;
            }
            sleep(Duration::from_millis(5)).await;
        }
    }

    async fn groups_of(&self, user: &str) -> Result<Vec<String>, StoreError> {
        self.disk.takes_time().await?;
        Ok(if self.disk.was_ever_member(user) { vec![GROUP.to_owned()] } else { Vec::new() })
    }

    async fn log_of(&self, _: i64, count: usize) -> Result<Vec<Arc<str>>, StoreError> {
        self.disk.takes_time().await?;
        let log = self.air().log();
        Ok(log[log.len().saturating_sub(count)..].to_vec())
    }

    async fn whole_log(&self) -> Result<Vec<Arc<str>>, StoreError> {
        self.disk.takes_time().await?;
        Ok(self.air().log())
    }

    async fn lead(&self, _: &str, _: Duration) -> Result<bool, StoreError> {
        Ok(true)
    }

    async fn beat(&self, node: &str) -> Result<Vec<String>, StoreError> {
        self.disk.takes_time().await?;
        let (now, mut air) = (now_ms(), self.air());
        air.beats.insert(node.to_owned(), now);
        air.beats.retain(|_, at| *at + SILENCE_MS > now);
        Ok(air.beats.keys().cloned().collect())
    }
}
