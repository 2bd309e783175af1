//! Messages in use: the committed state in memory, what waits for it, and when it is dropped.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use message_extensions_core::law::Message;

use super::turn::Turn;
use super::{Pending, name_of};
use crate::clock::steady_ms;
use crate::delivery::Delivery;
use crate::store::{AnswerId, Loaded, MessageName, REMEMBERED_ANSWERS, Store, StoreError, StoredMessage};

/// Messages kept at most, and how long one that nobody uses is kept.
const KEPT: usize = 20_000;
const IDLE_MS: u64 = 300_000;
/// How long somebody waits for the loads of others and their own, together.
const LOADING: Duration = Duration::from_secs(5);

/// The messages in use, by name.
#[derive(Default)]
pub(super) struct HotMessages {
    messages: Mutex<HashMap<MessageName, Arc<Hot>>>,
    /// Counts [`HotMessages::forget`]: what was found in the store before one must not be kept after it.
    removals: AtomicU64,
}

impl HotMessages {
    pub(super) fn get(&self, name: &MessageName) -> Option<Arc<Hot>> {
        let hot = self.messages().get(name).cloned()?;
        hot.used.store(steady_ms(), Ordering::Relaxed);
        Some(hot)
    }

    /// To be asked before messages are looked for in the store.
    pub(super) fn removals(&self) -> u64 {
        self.removals.load(Ordering::SeqCst)
    }

    /// Keeps messages that were found in the store, unless somebody else was faster. `None`: meanwhile messages were removed
    /// from the store, perhaps these, so they are to be looked for again.
    pub(super) fn insert(&self, found: Vec<StoredMessage>, removals: u64) -> Option<Vec<Arc<Hot>>> {
        let mut messages = self.messages();
        if self.removals() != removals {
            return None;
        }
        if messages.len() >= KEPT {
            drop_oldest(&mut messages);
        }
        let mut keep = |stored: StoredMessage| {
            Arc::clone(messages.entry(name_of(&stored)).or_insert_with(|| Arc::new(Hot::new(stored))))
        };
        Some(found.into_iter().map(&mut keep).collect())
    }

    /// Forgets messages that were removed from the store. Who holds one already learns it from there.
    pub(super) fn forget(&self, removed: &[StoredMessage]) {
        let mut messages = self.messages();
        self.removals.fetch_add(1, Ordering::SeqCst);
        for stored in removed {
            // Under its name there may be a later one.
            let name = name_of(stored);
            if let Some(hot) = messages.get(&name).filter(|hot| hot.stored.no == stored.no) {
                hot.drop_state();
                messages.remove(&name);
            }
        }
    }

    pub(super) fn sweep(&self) {
        let now = steady_ms();
        self.messages().retain(|_, hot| is_in_use(hot) || hot.used.load(Ordering::Relaxed) + IDLE_MS > now);
    }

    pub(super) fn len(&self) -> usize {
        self.messages().len()
    }

    fn messages(&self) -> MutexGuard<'_, HashMap<MessageName, Arc<Hot>>> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a call or a turn holds it: two of one message would not see each other's commits.
fn is_in_use(hot: &Arc<Hot>) -> bool {
    Arc::strong_count(hot) > 1
}

/// Drops the older half of what nobody holds; so the cost of looking is shared by many inserts.
fn drop_oldest(messages: &mut HashMap<MessageName, Arc<Hot>>) {
    let mut used: Vec<_> = messages.values().map(|hot| hot.used.load(Ordering::Relaxed)).collect();
    let middle = used.len() / 2;
    let (_, median, _) = used.select_nth_unstable(middle);
    let median = *median;
    messages.retain(|_, hot| is_in_use(hot) || hot.used.load(Ordering::Relaxed) > median);
}

/// One message in use.
pub(crate) struct Hot {
    pub(crate) stored: StoredMessage,
    used: AtomicU64,
    queue: Mutex<Queue>,
    state: Mutex<Option<State>>,
    /// Held while the state is loaded, so that an older load cannot overwrite a newer state.
    loading: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<Pending>,
    is_draining: bool,
}

/// What is committed.
struct State {
    message: Arc<Message>,
    answers: HashMap<String, Remembered>,
    /// [`Loaded::commit`].
    commit: u64,
}

/// The remembered answers of one caller; their text stays in the store, a retry is rare.
#[derive(Default)]
struct Remembered {
    last_turn: u64,
    request_ids: VecDeque<u128>,
}

impl Remembered {
    fn add(&mut self, id: &AnswerId) {
        self.last_turn = id.turn;
        self.request_ids.push_back(id.request_id);
        if self.request_ids.len() as u64 > REMEMBERED_ANSWERS {
            self.request_ids.pop_front();
        }
    }
}

impl State {
    fn new(loaded: Loaded) -> Self {
        let mut state =
            Self { message: Arc::new(loaded.message), answers: HashMap::new(), commit: loaded.commit };
        state.remember(&loaded.answers);
        state
    }

    fn remember<'a>(&mut self, ids: impl IntoIterator<Item = &'a AnswerId>) {
        for id in ids {
            self.answers.entry(id.caller.clone()).or_default().add(id);
        }
    }
}

impl Hot {
    fn new(stored: StoredMessage) -> Self {
        Self {
            stored,
            used: AtomicU64::new(steady_ms()),
            queue: Mutex::default(),
            state: Mutex::default(),
            loading: tokio::sync::Mutex::default(),
        }
    }

    /// Lets `pending` wait. `true`: nobody drains the queue, so the caller must.
    pub(super) fn enqueue(&self, pending: Pending) -> bool {
        let mut queue = self.queue();
        queue.waiting.push(pending);
        !std::mem::replace(&mut queue.is_draining, true)
    }

    /// Everything that waits; `None`, and the draining has ended, when nothing does.
    pub(super) fn take_waiting(&self) -> Option<Vec<Pending>> {
        let mut queue = self.queue();
        queue.is_draining = !queue.waiting.is_empty();
        queue.is_draining.then(|| std::mem::take(&mut queue.waiting))
    }

    /// Releases the queue should its drain panic: those who wait get an answer, the next one starts anew.
    pub(super) fn draining(&self) -> impl Drop {
        Draining(self)
    }

    /// What is in memory, and the commit that made it so.
    pub(super) fn known(&self) -> Option<(Arc<Message>, u64)> {
        self.state().as_ref().map(|state| (Arc::clone(&state.message), state.commit))
    }

    /// The committed state, loaded if need be; `None`: the message was removed.
    pub(super) async fn committed(
        &self,
        store: &dyn Store,
        delivery: &Delivery,
    ) -> Result<Option<Arc<Message>>, StoreError> {
        if !store.is_shared() {
            return Ok(self.loaded(store, delivery).await?.map(|(message, _)| message));
        }
        if let Some(message) = self.compared(store).await? {
            return Ok(Some(message));
        }
        in_time(async {
            let _loading = self.loading.lock().await;
            // Somebody may have loaded it meanwhile, and have begun before this was asked.
            if let Some(message) = self.compared(store).await? {
                return Ok(Some(message));
            }
            Ok(self.load(store, delivery).await?.map(|(message, _)| message))
        })
        .await
    }

    /// What is in memory, if it is what a shared store holds.
    async fn compared(&self, store: &dyn Store) -> Result<Option<Arc<Message>>, StoreError> {
        let Some((_, before)) = self.known() else { return Ok(None) };
        let last = store.last_commit(self.stored.no).await?;
        match self.known() {
            Some((message, commit)) if last == Some(commit) => Ok(Some(message)),
            Some((_, commit)) if commit == before => {
                self.drop_state();
                Ok(None)
            }
            // Committed meanwhile, and perhaps since the store was asked.
            _ => Ok(None),
        }
    }

    /// What is in memory, loaded if need be. In front of a shared store it may be old: who writes learns it by the commit.
    pub(super) async fn loaded(
        &self,
        store: &dyn Store,
        delivery: &Delivery,
    ) -> Result<Option<(Arc<Message>, u64)>, StoreError> {
        if let Some(known) = self.known() {
            return Ok(Some(known));
        }
        in_time(async {
            let _loading = self.loading.lock().await;
            match self.known() {
                Some(known) => Ok(Some(known)),
                None => self.load(store, delivery).await,
            }
        })
        .await
    }

    async fn load(
        &self,
        store: &dyn Store,
        delivery: &Delivery,
    ) -> Result<Option<(Arc<Message>, u64)>, StoreError> {
        let before = self.known().map(|(_, commit)| commit);
        let Some(loaded) = store.load(self.stored.no).await? else { return Ok(None) };
        delivery.arrived(&self.stored).await;
        let new = State::new(loaded);
        let known = (Arc::clone(&new.message), new.commit);
        let mut state = self.state();
        // What was committed here meanwhile is not older.
        if state.as_ref().map(|state| state.commit) == before {
            *state = Some(new);
        }
        Ok(Some(known))
    }

    /// Whether the answer to this request is in the store.
    pub(super) fn remembers(&self, caller: &str, request_id: u128) -> bool {
        self.state()
            .as_ref()
            .and_then(|state| state.answers.get(caller))
            .is_some_and(|own| own.request_ids.contains(&request_id))
    }

    /// The number of the caller's last remembered answer.
    pub(super) fn last_turn(&self, caller: &str) -> u64 {
        self.state().as_ref().and_then(|state| state.answers.get(caller)).map_or(0, |own| own.last_turn)
    }

    /// Makes what was committed visible.
    pub(super) fn absorb(&self, turn: &Turn) {
        let mut state = self.state();
        match state.as_mut() {
            Some(state) if state.commit == turn.after() => {
                state.message = Arc::clone(turn.message());
                state.commit = turn.commit_id();
                state.remember(turn.answer_ids());
            }
            // Loaded meanwhile, since somebody else has written, too.
            Some(known) if known.commit != turn.commit_id() => *state = None,
            _ => {}
        }
    }

    /// To be loaded again: it is not known what the store holds.
    pub(super) fn drop_state(&self) {
        *self.state() = None;
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, Option<State>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Many may wait for a store that does not answer: each for itself, not one after the other.
async fn in_time<T>(loading: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    let late = || StoreError::Failed("a message was not loaded in time".into());
    tokio::time::timeout(LOADING, loading).await.map_err(|_| late())?
}

struct Draining<'a>(&'a Hot);

impl Drop for Draining<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.drop_state();
            *self.0.queue() = Queue::default();
        }
    }
}
