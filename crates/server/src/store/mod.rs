//! Where messages, groups and extensions are kept. A store compares and keeps; every rule is the law's, in `core`.
//!
//! [`MemoryStore`] forgets at exit, [`SqliteStore`] survives a power cut, [`RedisStore`] is for many nodes. One contract test suite
//! (`tests/it/store_contract.rs`) runs on each.

pub mod archive;
mod bus;
mod memory;
mod redis;
mod sqlite;

pub use archive::Archive;
pub use bus::{Bus, Heard, Topic};
pub use memory::MemoryStore;
pub use redis::{RedisStore, Servers};
pub use sqlite::{CHECK_BYTES, SqliteStore};

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use message_extensions_core::code::Error;
use message_extensions_core::law::{Change, Message};
use message_extensions_core::limits::Limits;
use message_extensions_core::message::{MessageRef, msg_key, msg_key_parts};
use message_extensions_core::serve::sending::{Place, Sent};
use message_extensions_core::wire::Rules;
use prometheus_client::registry::Registry;
use serde::{Deserialize, Serialize};

pub use message_extensions_core::serve::REMEMBERED_ANSWERS;

/// What other numbers than these could not be read by JavaScript.
const LATEST_TIME: u64 = (1 << 53) - 1;

/// What a store can do. Every method that writes returns once the write will survive what the store survives.
#[async_trait]
pub trait Store: Send + Sync {
    /// Makes a group. `false`: there is one with this ID.
    async fn create_group(&self, group: NewGroup) -> Result<bool, StoreError>;

    /// Removes a group with its messages; says who was a member. `None`: there is none.
    async fn destroy_group(&self, group_id: &str) -> Result<Option<HashSet<String>>, StoreError>;

    /// Adds members; says of each whether it is new. `None`: there is no such group.
    async fn add_members(&self, group_id: &str, users: Vec<String>) -> Result<Option<Vec<bool>>, StoreError>;

    /// Removes members; says of each whether it was one. `None`: there is no such group.
    async fn remove_members(
        &self,
        group_id: &str,
        users: Vec<String>,
    ) -> Result<Option<Vec<bool>>, StoreError>;

    /// A group with its present members.
    async fn group(&self, group_id: &str) -> Result<Option<Group>, StoreError>;

    /// Keeps a new message, or finds the one that it repeats: the same sender and conversation, and the same
    /// `message_id` or `MsgKey`; or the same group and the MsgSeq that it was to have. `None`: its group is gone.
    async fn insert_message(&self, message: NewMessage) -> Result<Option<Inserted>, StoreError>;

    /// The messages that a name can mean, oldest first: at most one, unless the sender is left open.
    async fn find_messages(&self, name: &MessageName) -> Result<Vec<StoredMessage>, StoreError>;

    /// One-to-one messages between two users, newest first.
    async fn list_c2c(&self, page: C2cPage) -> Result<Vec<StoredMessage>, StoreError>;

    /// Messages of a group with a MsgSeq up to `max_seq`, newest first, at most `count`.
    async fn list_group(
        &self,
        group_no: i64,
        max_seq: Option<u64>,
        count: usize,
    ) -> Result<Vec<StoredMessage>, StoreError>;

    /// Which state a message is in, for less than it costs to load the message. `None`: it is gone.
    async fn head(&self, message_no: i64) -> Result<Option<Head>, StoreError>;

    /// The extensions of a message and what is remembered of its callers. `None`: it is gone.
    async fn load(&self, message_no: i64) -> Result<Option<Loaded>, StoreError>;

    /// Keeps changes and answers together, if the message's counter is still `expected_seq`, and in a shared store nothing was
    /// committed since [`Commit::after`] and the group is what [`Commit::group`] says. Says whether other nodes are to be told.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it is not, or the message is gone, [`StoreError::GroupChanged`]: then nothing is kept.
    async fn commit(&self, commit: Commit) -> Result<Hearers, StoreError>;

    /// A remembered answer.
    async fn answer(
        &self,
        message_no: i64,
        caller: &str,
        request_id: u128,
    ) -> Result<Option<String>, StoreError>;

    /// Whether others write to it, too: then what is in memory must be compared with it before it is used.
    fn is_shared(&self) -> bool {
        false
    }

    /// [`Commit::id`] of a message's last commit, 0 before the first; asked of a shared store only. `None`: it is gone.
    async fn last_commit(&self, _message_no: i64) -> Result<Option<u64>, StoreError> {
        Ok(None)
    }

    /// [`Group::no`] and [`Group::version`]; asked of a shared store only. `None`: there is none.
    async fn group_version(&self, _group_id: &str) -> Result<Option<(i64, u64)>, StoreError> {
        Ok(None)
    }

    /// Whether a group is still as it was seen; asked of a shared store only.
    async fn is_unchanged(&self, seen: &SeenGroup) -> Result<bool, StoreError> {
        Ok(self.group_version(&seen.group_id).await? == Some((seen.no, seen.version)))
    }

    /// Counts write attempts on a message, each by its user and whether that is an admin, as [`Attempts`](message_extensions_core::law::Attempts) would count those of
    /// all nodes; asked of a shared store only. Says what became of each.
    ///
    /// # Errors
    /// [`StoreError::GroupChanged`] when the message's group is not what is said: then nothing is counted.
    async fn count_attempts(
        &self,
        _message_no: i64,
        _group: Option<&SeenGroup>,
        attempts: &[(&str, bool)],
        _limits: &Limits,
    ) -> Result<Vec<Result<(), Error>>, StoreError> {
        Ok(vec![Ok(()); attempts.len()])
    }

    /// Counts a call under a name and says how many there were in this second; asked of a shared store only.
    async fn count_call(&self, _user: &str, _name: &str) -> Result<usize, StoreError> {
        Ok(0)
    }

    /// The way to other nodes, of a shared store; `None`: there are no others.
    fn bus(&self) -> Option<Arc<dyn Bus>> {
        None
    }

    /// The messages of which webhooks wait: numbers past `after`, ascending, at most `count`.
    async fn webhook_messages(&self, after: i64, count: usize) -> Result<Vec<i64>, StoreError>;

    /// The first webhooks that wait of a message, ascending by Seq, at most `count`. They outlive their message.
    async fn webhooks(&self, message_no: i64, count: usize) -> Result<Vec<Webhook>, StoreError>;

    /// Forgets webhooks that were received: of each message named, those up to this Seq. Says how many were there.
    async fn remove_webhooks(&self, received: Vec<(i64, u64)>) -> Result<usize, StoreError>;

    /// Drops webhooks that are older than `since`, milliseconds since 1970, and of the rest the oldest, until `keep` are
    /// left. A store of several parts may do so part by part, as long as each message loses its oldest first.
    async fn trim_webhooks(&self, keep: usize, since: u64) -> Result<Trimmed, StoreError>;

    /// Everything of a message, of one moment. `None`: it is gone.
    async fn archive(&self, message_no: i64) -> Result<Option<Archive>, StoreError>;

    /// Keeps a message with everything of it, and its group if there is none with this ID; all of it or nothing, where the
    /// store outlives the process. A message that it repeats is left as it is, see [`insert_message`](Self::insert_message).
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when its group is gone again.
    async fn restore(&self, archive: &Archive) -> Result<Inserted, StoreError> {
        let mut message = archive.message.clone();
        if let Some(group) = &archive.group {
            self.create_group(group.clone()).await?;
            let no = self.group(&group.group_id).await?.ok_or(StoreError::Conflict)?.no;
            message.conversation = Conversation::Group { group_id: group.group_id.clone(), no };
        }
        let inserted = self.insert_message(message).await?.ok_or(StoreError::Conflict)?;
        if inserted.is_new {
            self.commit(archive.commit(inserted.stored.no)).await?;
        }
        Ok(inserted)
    }

    /// Removes messages, each with everything of it, that were made and last changed before `before_ms`, milliseconds since
    /// 1970: at most `count`, fewer if they hold much, so that nobody waits long. Says which.
    async fn expire(&self, before_ms: u64, count: usize) -> Result<Vec<StoredMessage>, StoreError>;

    /// Whether it can be written and read. Nothing is written for it as long as writes succeed.
    async fn check(&self) -> Result<(), StoreError> {
        self.head(0).await.map(drop)
    }

    /// Adds the store's own metrics, if it has any, to those of the server.
    fn register(&self, _metrics: &mut Registry) {}

    /// Finishes what was begun; nothing is written after it.
    async fn close(&self);
}

/// Why a store did not do what it was asked to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreError {
    /// The message was not what the caller of [`Store::commit`] took it for.
    Conflict,
    /// Members of the group came or went, or it is another one, since it was seen.
    GroupChanged,
    /// The store could not work; the text is for the log.
    Failed(String),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict => f.write_str("the message was changed by somebody else"),
            Self::GroupChanged => f.write_str("members of the group have come or gone"),
            Self::Failed(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for StoreError {}

/// A group to be made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewGroup {
    /// `GroupId`.
    pub group_id: String,
    /// `Type`.
    pub group_type: String,
    /// `Name`.
    pub name: String,
    /// UserIDs, the owner's too; one that is repeated counts once.
    pub members: Vec<String>,
}

/// A group as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The store's own number, never used again: a group that is made anew under an old ID is another group.
    pub no: i64,
    /// `Type`.
    pub group_type: String,
    /// UserIDs.
    pub members: HashSet<String>,
    /// Of a shared store: another one whenever members come or go.
    pub version: u64,
}

/// A group as it was when a caller was found to be a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenGroup {
    /// `GroupId`.
    pub group_id: String,
    /// [`Group::no`].
    pub no: i64,
    /// [`Group::version`].
    pub version: u64,
}

/// Where a message is, and so who sees it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Conversation {
    /// Between its sender and this recipient.
    C2c {
        /// `To_Account`.
        to: String,
    },
    /// In a group.
    Group {
        /// `GroupId`.
        group_id: String,
        /// [`Group::no`].
        no: i64,
    },
}

/// A message to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMessage {
    /// UserID of the sender.
    pub sender: String,
    /// Where to.
    pub conversation: Conversation,
    /// One-to-one: the sender's sequence. For a group message that is to be kept, the MsgSeq that it has already, or 0 for
    /// the group's next one; 0 once it is kept.
    pub sequence: u32,
    /// `MsgRandom`.
    pub random: u32,
    /// Seconds since 1970.
    pub time: u64,
    /// Whether it may be extended.
    pub extensible: bool,
    /// `MessageID`.
    pub message_id: String,
    /// `MsgBody`, letter by letter.
    pub body: String,
    /// `ExtensionRules`.
    pub rules: Option<Rules>,
}

/// A message as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMessage {
    /// The store's own number, never used again.
    pub no: i64,
    /// The sender's sequence, or the MsgSeq in the group.
    pub msg_seq: u64,
    /// The rest.
    pub message: NewMessage,
}

impl StoredMessage {
    /// The wire key.
    #[must_use]
    pub fn wire_key(&self) -> MessageRef {
        self.sent().name()
    }

    /// As clients are told of it.
    pub(crate) fn sent(&self) -> Sent<'_> {
        let message = &self.message;
        Sent {
            sender: &message.sender,
            place: match &message.conversation {
                Conversation::C2c { to } => Place::C2c(to),
                Conversation::Group { group_id, .. } => Place::Group(group_id),
            },
            msg_seq: self.msg_seq,
            random: message.random,
            time: message.time,
            extensible: message.extensible,
            rules: message.rules.as_ref(),
            message_id: &message.message_id,
            body: &message.body,
        }
    }
}

impl NewMessage {
    /// `MsgKey`, should it be a one-to-one message.
    #[must_use]
    pub fn msg_key(&self) -> String {
        msg_key(self.sequence, self.random, self.time)
    }
}

/// The sequence, random number and time of a MsgKey that is written as the server itself would write it, so that it is found
/// by them.
pub(crate) fn msg_key_numbers(key: &str) -> Option<(u32, u32, u64)> {
    let (sequence, random, time) = msg_key_parts(key)?;
    let (sequence, random, time) = (sequence.parse().ok()?, random.parse().ok()?, time.parse().ok()?);
    (time <= LATEST_TIME && msg_key(sequence, random, time) == key).then_some((sequence, random, time))
}

/// What became of a message that was to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inserted {
    /// The message that is kept now.
    pub stored: StoredMessage,
    /// `false`: it was there already.
    pub is_new: bool,
}

/// What a request names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum MessageName {
    /// A one-to-one message.
    C2c {
        /// `From_Account`; `None`: any sender.
        from: Option<String>,
        /// `To_Account`.
        to: String,
        /// `MsgKey`.
        msg_key: String,
    },
    /// A group message.
    Group {
        /// [`Group::no`].
        no: i64,
        /// `MsgSeq`.
        msg_seq: u64,
    },
}

/// Which one-to-one messages to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct C2cPage {
    /// The two users, in any order.
    pub users: [String; 2],
    /// Not older than this, seconds since 1970.
    pub min_time: u64,
    /// Not newer than this.
    pub max_time: Option<u64>,
    /// Only what is older than the message with this `MsgKey`; no effect when there is none.
    pub before: Option<String>,
    /// At most so many.
    pub count: usize,
}

/// Which state of its extensions a message is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The counter.
    pub latest_seq: u64,
    /// [`Message::digest`]; `None`: a program that knew of none wrote it last.
    pub digest: Option<u32>,
}

impl Head {
    /// That of a message.
    #[must_use]
    pub const fn of(message: &Message) -> Self {
        Self { latest_seq: message.latest_seq, digest: Some(message.digest()) }
    }
}

/// The extensions of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Loaded {
    /// The law's state.
    pub message: Message,
    /// Which answers are remembered, oldest first for each caller.
    pub answers: Vec<AnswerId>,
    /// Of a shared store: [`Commit::id`] of the last commit, 0 before the first.
    pub commit: u64,
}

/// Names a remembered answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerId {
    /// UserID.
    pub caller: String,
    /// Counts the caller's remembered answers on the message, from 1; the last [`REMEMBERED_ANSWERS`] are kept.
    pub turn: u64,
    /// `requestid`.
    pub request_id: u128,
}

/// Whether a node listened to a message's conversation when it was committed to. Who begins later pulls what is there then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hearers {
    /// None did, or there are no others.
    Nobody,
    /// One may have.
    Perhaps,
}

/// What one turn of a message's queue decided.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Commit {
    /// [`StoredMessage::no`].
    pub message_no: i64,
    /// A random number by which a shared store knows this commit again; not 0.
    pub id: u64,
    /// [`Commit::id`] of the one that everything was decided on; `None`: the counter alone is compared.
    pub after: Option<u64>,
    /// The GroupId of the message, if it is in a group.
    pub in_group: Option<String>,
    /// The group whose members those are who asked for it; `None`: that was compared before.
    pub group: Option<Arc<SeenGroup>>,
    /// The counter on which the changes were decided.
    pub expected_seq: u64,
    /// Ascending by Seq, the first is `expected_seq + 1`.
    pub changes: Vec<Change>,
    /// [`Message::digest`] after them.
    pub digest: u32,
    /// Answers to remember.
    pub answers: Vec<(AnswerId, String)>,
    /// What a webhook is to tell of the changes, ascending by Seq; empty when there is none.
    pub webhooks: Vec<Webhook>,
    /// What other nodes are told of the changes; a shared store keeps it for a while, should this node not live to tell, or one not hear
    /// it.
    pub record: Option<Arc<str>>,
}

/// A change that is still to be told to the operator's program (`docs/protocol.md`, "Webhooks").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// The change's Seq.
    pub seq: u64,
    /// When it happened, milliseconds since 1970.
    pub time: u64,
    /// The event as JSON, the very text that is pushed.
    pub body: Arc<str>,
}

/// What [`Store::trim_webhooks`] did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Trimmed {
    /// So many were dropped for their age.
    pub too_old: usize,
    /// So many more since too many waited.
    pub too_many: usize,
    /// So many wait now.
    pub left: usize,
    /// [`Webhook::time`] of the oldest of them.
    pub oldest: Option<u64>,
}
