//! What nodes that share a store tell each other, so that everybody hears of every change, whichever node made it.
//!
//! ```text
//! commit here ──▶ own connections ──▶ tell the topics ──▶ other nodes: in order of Seq, once ──▶ their connections
//!      └──▶ the log ◀── looked through when a node dies, or when a Seq is missing
//! ```
//!
//! | part | what |
//! |---|---|
//! | this one | notices; hearing them; nodes that die |
//! | [`names`] | under which names this node is known |
//! | [`interest`] | which topics are listened to: those of the users who are connected |
//! | [`order`] | up to which Seq a message was delivered |

pub(crate) mod interest;
mod names;
pub(crate) mod order;

use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tokio_util::task::TaskTracker;

use self::interest::Interest;
use self::names::Names;
use self::order::Order;
use crate::App;
use crate::hub::EventJson;
use crate::store::{Bus, Conversation, Heard, StoreError, StoredMessage, Topic};

/// How often a node says that it lives.
const BEAT: Duration = Duration::from_secs(1);
/// For how long a node is asked to send webhooks; it asks again with each beat.
const LEAD: Duration = Duration::from_secs(8);

/// How often the node that sends webhooks looks for those of which it was not told.
const LOOK: Duration = Duration::from_secs(60);

/// All that a log can have, and more.
const LOG_RECORDS: usize = 10_000;

/// What one node tells the others.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Notice {
    /// Who tells it; a node does not listen to itself.
    node: String,
    what: What,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum What {
    /// Changes of a message, the first with this Seq, the next ones following it.
    Changes { no: i64, sender: String, conversation: Conversation, seq: u64, events: Vec<Box<RawValue>> },
    /// Something else that everybody in a group hears.
    Event { sender: String, conversation: Conversation, event: Box<RawValue> },
    /// The same of a one-to-one conversation, for one of the two: each has a topic of their own.
    UserEvent { user: String, event: Box<RawValue> },
    /// A webhook of the message waits.
    Webhook { no: i64 },
    /// A user is a member of a group now.
    Joined { group_id: String, user: String },
    /// A user is none any more, and is told so.
    Left { group_id: String, user: String, event: Box<RawValue> },
}

/// This node among the others.
pub(crate) struct Nodes {
    pub(crate) bus: Arc<dyn Bus>,
    pub(crate) interest: Interest,
    pub(crate) order: Order,
    /// Whether this node is the one that sends webhooks.
    leads: watch::Sender<bool>,
    names: Names,
    tasks: TaskTracker,
}

impl Nodes {
    pub(crate) fn new(bus: Arc<dyn Bus>, tasks: TaskTracker) -> Self {
        let interest = Interest::new(Arc::clone(&bus));
        let leads = watch::Sender::new(false);
        Self { bus, interest, order: Order::default(), leads, names: Names::new(), tasks }
    }

    /// Says that this node lives; those who do.
    async fn beat(&self) -> Result<HashSet<String>, StoreError> {
        let name = self.names.next();
        let living = self.bus.beat(&name).await.inspect_err(|_| self.names.failed(&name))?;
        for past in self.names.announced(name, Instant::now()) {
            self.bus.beat(&past).await?;
        }
        Ok(living.into_iter().collect())
    }

    /// The events of a message between two Seqs, as far as the log has them. Most often they are among the last records.
    pub(crate) async fn missing(
        &self,
        message_no: i64,
        after: u64,
        before: u64,
    ) -> Result<Vec<EventJson>, StoreError> {
        let mut found = Vec::new();
        for count in [16, LOG_RECORDS] {
            let log = self.bus.log_of(message_no, count).await?;
            found = missing(&log, message_no, after, before);
            if found.len() as u64 == before - after - 1 || log.len() < count {
                break;
            }
        }
        Ok(found)
    }

    /// Whether this node is the one that sends webhooks, now and later.
    pub(crate) fn leads(&self) -> watch::Receiver<bool> {
        self.leads.subscribe()
    }

    /// Tells the node that sends webhooks that one of the message waits. Only a stop waits for it.
    pub(crate) fn tell_webhook(&self, message_no: i64) {
        if *self.leads.borrow() {
            return;
        }
        let Ok(notice) = self.notice(What::Webhook { no: message_no }) else { return };
        let bus = Arc::clone(&self.bus);
        self.tasks.spawn(async move {
            if let Err(error) = bus.tell(&Topic::Webhooks, &notice).await {
                tracing::warn!(%error, "the node that sends webhooks could not be told of one; it finds it later");
            }
        });
    }

    /// Asks to be the one that sends webhooks, or to be it on.
    async fn lead(&self, asked: &mut Option<Instant>) {
        let begun = Instant::now();
        match self.bus.lead(&self.names.own(), LEAD).await {
            Ok(true) => *asked = Some(begun),
            Ok(false) => *asked = None,
            Err(error) => tracing::warn!(%error, "it cannot be asked which node sends webhooks"),
        }
        // It ends here well before another may begin.
        let leads = asked.is_some_and(|asked| asked.elapsed() < LEAD / 2);
        if leads != *self.leads.borrow() {
            if leads && let Err(error) = self.bus.listen(&Topic::Webhooks).await {
                return tracing::warn!(%error, "other nodes' webhooks cannot be heard of");
            }
            if !leads {
                self.bus.unlisten(&Topic::Webhooks).await;
            }
            self.leads.send_replace(leads);
        }
    }

    /// At the end: another node need not wait.
    pub(crate) async fn resign(&self) {
        if *self.leads.borrow() {
            let _ = self.bus.lead(&self.names.own(), Duration::ZERO).await;
        }
    }

    /// A notice of this node, as it is told and logged.
    pub(crate) fn notice(&self, what: What) -> Result<String, serde_json::Error> {
        serde_json::to_string(&Notice { node: self.names.own(), what })
    }

    /// The changes of a message as a notice.
    pub(crate) fn changes(
        &self,
        stored: &StoredMessage,
        seq: u64,
        events: &[EventJson],
    ) -> Result<String, serde_json::Error> {
        let events = events.iter().map(|event| raw(event)).collect::<Result<_, _>>()?;
        let (sender, conversation) = (stored.message.sender.clone(), stored.message.conversation.clone());
        self.notice(What::Changes { no: stored.no, sender, conversation, seq, events })
    }

    /// Tells everybody who is in a conversation of an event, on other nodes.
    pub(crate) async fn tell_event(&self, sender: &str, conversation: &Conversation, event: &EventJson) {
        let tell = |topic: Topic| async move {
            let Ok(event) = raw(event) else { return Ok(()) };
            let (sender, conversation) = (sender.to_owned(), conversation.clone());
            let what = match &topic {
                Topic::User(user) => What::UserEvent { user: user.clone(), event },
                _ => What::Event { sender, conversation, event },
            };
            let Ok(notice) = self.notice(what) else { return Ok(()) };
            self.bus.tell(&topic, &notice).await
        };
        let told = join_all(topics(sender, conversation).into_iter().map(tell)).await;
        self.or_rename(told.into_iter().collect());
    }

    /// Tells everybody who is in a conversation, on other nodes; only a stop waits for it. It goes out in the order of these calls.
    pub(crate) fn send(self: &Arc<Self>, sender: &str, conversation: &Conversation, notice: Arc<str>) {
        let (nodes, topics) = (Arc::clone(self), topics(sender, conversation));
        let mut telling = Box::pin(async move { nodes.tell_topics(&topics, &notice).await });
        // Looked at once, it is under way.
        if (&mut telling).now_or_never().is_none() {
            self.tasks.spawn(telling);
        }
    }

    async fn tell_topics(&self, topics: &[Topic], notice: &str) {
        let told = join_all(topics.iter().map(|topic| self.bus.tell(topic, notice))).await;
        self.or_rename(told.into_iter().collect());
    }

    /// Tells these users' nodes what there is for each.
    pub(crate) async fn tell_users(
        &self,
        users: impl IntoIterator<Item = &String>,
        what: impl Fn(&str) -> What,
    ) {
        for user in users {
            let Ok(notice) = self.notice(what(user)) else { return };
            let outcome = self.bus.tell(&Topic::User(user.clone()), &notice).await;
            self.or_rename(outcome);
        }
    }

    fn or_rename(&self, outcome: Result<(), StoreError>) {
        if let Err(error) = outcome {
            tracing::error!(%error, "other nodes could not be told of a change; they find it in the log");
            self.rename();
        }
    }

    /// What this node has committed so far may not have been told, not even to its own connections: under another name it takes
    /// part in looking for that, as if a node had died.
    pub(crate) fn rename(&self) {
        self.names.change();
    }
}

fn topics(sender: &str, conversation: &Conversation) -> Vec<Topic> {
    match conversation {
        Conversation::C2c { to } if to == sender => vec![Topic::User(to.clone())],
        Conversation::C2c { to } => vec![Topic::User(sender.to_owned()), Topic::User(to.clone())],
        Conversation::Group { group_id, .. } => vec![Topic::Group(group_id.clone())],
    }
}

pub(crate) fn raw(json: &str) -> Result<Box<RawValue>, serde_json::Error> {
    RawValue::from_string(json.to_owned())
}

fn texts(events: Vec<Box<RawValue>>) -> Vec<EventJson> {
    events.into_iter().map(|event| EventJson::from(event.get())).collect()
}

/// Hears other nodes, for as long as the server runs.
pub(crate) async fn run(app: &App) -> Infallible {
    let Some(nodes) = app.delivery.nodes() else { return std::future::pending().await };
    tokio::select! {
        never = hear(app, nodes) => never,
        never = watch(app, nodes) => never,
    }
}

async fn hear(app: &App, nodes: &Nodes) -> Infallible {
    loop {
        match nodes.bus.hear().await {
            Heard::Notice(text) => take(app, nodes, &text, false).await,
            // Whoever is connected may have missed something: they come back, and say up to where they know.
            Heard::Lost => {
                app.delivery.hub.interrupt();
                if let Some(outgoing) = &app.outgoing {
                    outgoing.missed();
                }
            }
        }
    }
}

/// `is_late`: from the log of a node that is dead.
async fn take(app: &App, nodes: &Nodes, text: &str, is_late: bool) {
    let Ok(notice) = serde_json::from_str::<Notice>(text) else {
        return tracing::warn!("a notice cannot be read");
    };
    if !is_late && nodes.names.is_own(&notice.node) {
        return;
    }
    match notice.what {
        What::Changes { no, sender, conversation, seq, events } => {
            app.delivery.take_changes(no, &sender, &conversation, seq, &texts(events)).await;
        }
        What::Event { sender, conversation, event } => {
            app.delivery.take_event(&sender, &conversation, EventJson::from(event.get())).await;
        }
        What::UserEvent { user, event } => {
            app.delivery.hub.push_to_pair(&user, &user, &[EventJson::from(event.get())]);
        }
        What::Webhook { no } => {
            if let Some(outgoing) = &app.outgoing {
                outgoing.wake(no);
            }
        }
        What::Joined { group_id, user } => {
            app.groups.forget(&group_id);
            app.delivery.take_joined(&group_id, &[user]).await;
        }
        What::Left { group_id, user, event } => {
            let past = HashSet::from([user]);
            app.delivery.take_farewell(&group_id, &past, EventJson::from(event.get())).await;
        }
    }
}

/// Says that this node lives, and looks after those that do not any more.
async fn watch(app: &App, nodes: &Nodes) -> Infallible {
    let mut known = HashSet::<String>::new();
    // Dead ones whose log could not be read yet.
    let mut dead = HashSet::<String>::new();
    let mut asked_to_lead = None;
    let mut looked = Instant::now();
    loop {
        if let Some(outgoing) = &app.outgoing {
            nodes.lead(&mut asked_to_lead).await;
            if looked.elapsed() >= LOOK {
                looked = Instant::now();
                outgoing.missed();
            }
        }
        match nodes.beat().await {
            Ok(living) => {
                dead.extend(known.difference(&living).cloned());
                known = living;
            }
            Err(error) => tracing::warn!(%error, "other nodes cannot be seen"),
        }
        if !dead.is_empty() {
            match nodes.bus.whole_log().await {
                Ok(log) => {
                    tracing::warn!(
                        count = dead.len(),
                        "other nodes are gone; what they did not tell is told now"
                    );
                    for record in log.iter().filter(|record| is_of(record, &dead)) {
                        take(app, nodes, record, true).await;
                    }
                    dead.clear();
                    if let Some(outgoing) = &app.outgoing {
                        outgoing.missed();
                    }
                }
                Err(error) => tracing::warn!(%error, "what dead nodes did not tell cannot be read yet"),
            }
        }
        sleep(BEAT).await;
    }
}

fn is_of(record: &str, nodes: &HashSet<String>) -> bool {
    serde_json::from_str::<Notice>(record).is_ok_and(|notice| nodes.contains(&notice.node))
}

/// The events of a message between two Seqs that are in these records.
fn missing(log: &[Arc<str>], message_no: i64, after: u64, before: u64) -> Vec<EventJson> {
    let mut found = Vec::new();
    for record in log {
        let Ok(Notice { what: What::Changes { no, seq, events, .. }, .. }) = serde_json::from_str(record)
        else {
            continue;
        };
        if no == message_no {
            let numbered = (seq..).zip(texts(events));
            found.extend(numbered.filter(|(seq, _)| *seq > after && *seq < before));
        }
    }
    found.sort_by_key(|(seq, _)| *seq);
    found.dedup_by_key(|(seq, _)| *seq);
    found.into_iter().map(|(_, event)| event).collect()
}
