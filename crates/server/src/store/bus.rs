//! How nodes that share a store hear of each other.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::StoreError;

/// What a node listens to. A user's topic has what is sent between them and another, and which groups they join and leave.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Topic {
    /// A UserID.
    User(String),
    /// A GroupId.
    Group(String),
    /// Which messages have webhooks that wait.
    Webhooks,
}

/// What comes in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// Somebody, perhaps this very node, told it.
    Notice(String),
    /// Something may have been told and was not heard. What comes from here on is.
    Lost,
}

/// A way to all nodes that listen. What is told may get lost with a connection, and what was not heard is said by
/// [`Heard::Lost`]; what a node did not live to tell is in the log.
#[async_trait]
pub trait Bus: Send + Sync {
    /// Returns when everything that is told to the topic from here on will be heard.
    async fn listen(&self, topic: &Topic) -> Result<(), StoreError>;

    /// Undoes [`listen`](Self::listen).
    async fn unlisten(&self, topic: &Topic);

    /// Tells everybody who listens to the topic.
    async fn tell(&self, topic: &Topic, notice: &str) -> Result<(), StoreError>;

    /// What is heard next, in the order in which each connection brings it; for one caller.
    async fn hear(&self) -> Heard;

    /// The groups in which the user may be a member: never one too few.
    async fn groups_of(&self, user: &str) -> Result<Vec<String>, StoreError>;

    /// [`Commit::record`](super::Commit::record) of what was committed last, at most so many, oldest first: of a message, and
    /// others besides.
    async fn log_of(&self, message_no: i64, count: usize) -> Result<Vec<Arc<str>>, StoreError>;

    /// The same of all messages.
    async fn whole_log(&self) -> Result<Vec<Arc<str>>, StoreError>;

    /// Whether this node is the one that sends webhooks, for so long from when it was asked; no time gives it up.
    async fn lead(&self, node: &str, duration: Duration) -> Result<bool, StoreError>;

    /// Says that this node lives, and hears which others do.
    async fn beat(&self, node: &str) -> Result<Vec<String>, StoreError>;
}
