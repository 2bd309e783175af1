//! One message, done again by the law: whether an answer is the one that the law gives in this very state.

use message_extensions_core::law::{Message, Operation, Terms, Writer};
use message_extensions_core::limits::Limits;
use message_extensions_core::wire::{Rules, SetRequest};
use serde_json::Value;

/// A message as it is at some Seq.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Replay {
    pub(super) message: Message,
    pub(super) rules: Option<Rules>,
}

/// A call with its answer.
#[derive(Debug, Clone)]
pub(super) enum Done {
    Write { operation: Operation, author: String, is_admin: bool, answer: Value },
    Pull { start: u64, with_author: bool, answer: Value },
}

/// An operation as a request has it.
pub(super) fn parse(operation: &Value, is_admin: bool) -> Operation {
    let request: SetRequest = serde_json::from_value(operation.clone()).unwrap();
    Operation::parse(request, is_admin, &Limits::DEFAULT).unwrap()
}

impl Replay {
    pub(super) fn with_rules(rules: &Value) -> Self {
        Self { message: Message::default(), rules: serde_json::from_value(rules.clone()).unwrap() }
    }

    /// What the law answers.
    pub(super) fn answer(&mut self, done: &Done) -> Value {
        match done {
            Done::Write { operation, author, is_admin, .. } => {
                let writer = Writer { is_admin: *is_admin, ..Writer::new(author) };
                let terms = Terms { rules: self.rules.as_ref(), ..Terms::new(&Limits::DEFAULT, 0) };
                let decision = match self.message.decide(operation, writer, terms) {
                    Ok(decision) => decision,
                    Err(error) => panic!("an operation that no history has: {operation:?}: {error:?}"),
                };
                if let Some(change) = &decision.change {
                    self.message.absorb(change);
                }
                serde_json::to_value(decision.into_reply()).unwrap()
            }
            Done::Pull { start, with_author, .. } => {
                let mut reply =
                    serde_json::to_value(self.message.pull(*start).into_reply(*with_author)).unwrap();
                without_time(&mut reply);
                reply
            }
        }
    }

    /// Does it.
    ///
    /// # Errors
    /// What the law answers instead.
    pub(super) fn check(&mut self, done: &Done) -> Result<(), Value> {
        let expected = self.answer(done);
        if expected == *done.given() { Ok(()) } else { Err(expected) }
    }
}

impl Done {
    pub(super) fn write(operation: &Value, author: &str, is_admin: bool, answer: Value) -> Self {
        Self::Write { operation: parse(operation, is_admin), author: author.to_owned(), is_admin, answer }
    }

    /// The clocks of servers are not compared.
    pub(super) fn pull(start: u64, with_author: bool, mut answer: Value) -> Self {
        without_time(&mut answer);
        Self::Pull { start, with_author, answer }
    }

    /// The same call with this answer.
    pub(super) fn answered(self, answer: Value) -> Self {
        match self {
            Self::Write { operation, author, is_admin, .. } => {
                Self::Write { operation, author, is_admin, answer }
            }
            Self::Pull { start, with_author, .. } => Self::pull(start, with_author, answer),
        }
    }

    pub(super) fn given(&self) -> &Value {
        match self {
            Self::Write { answer, .. } | Self::Pull { answer, .. } => answer,
        }
    }
}

fn without_time(reply: &mut Value) {
    let items = reply.get_mut("ExtensionList").and_then(Value::as_array_mut);
    for item in items.into_iter().flatten() {
        item.as_object_mut().unwrap().remove("Time");
    }
}

/// Whether an answer to an operation says that something was done, under the Seq that it carries.
pub(super) fn is_accepted(operation: &Operation, answer: &Value) -> bool {
    let mut items = answer["ExtensionList"].as_array().unwrap().iter();
    matches!(operation, Operation::Clear)
        || items.any(|item| item["ErrorCode"] == 0 && item["Extension"]["Seq"] != 0)
}
