//! Set, delete, clear and pull of extensions.

use message_extensions_core::code::Error;
use message_extensions_core::law::{Change, Operation, Terms, Writer};
use message_extensions_core::message::MessageRef;
use message_extensions_core::serve::REMEMBERED_ANSWERS;
use message_extensions_core::serve::body;
use message_extensions_core::serve::command::Command;
use message_extensions_core::serve::names::check_message;
use message_extensions_core::serve::refusal::{no_such_message, not_supported};
use message_extensions_core::wire::{Address, Event, Item, MsgElement, PullRequest, SetRequest};

use crate::calls::{Answer, to_json};
use crate::io::{Call, Output};
use crate::server::{ADMIN, Caller, Held, Server};

impl Server {
    /// The order is that of the real server: who may not see the message learns nothing.
    pub(crate) fn set(
        &mut self,
        call: &Call,
        caller: &Caller,
        command: Command,
        now: u64,
        output: &mut Output,
    ) -> Answer {
        let mut request: SetRequest = body::parse(call.body.as_bytes())?;
        let named = named(request.take_address(), command)?;
        let limits = self.limits;
        let held = self.find(caller, &named).ok_or_else(no_such_message)?;
        let name = held.sent().name();
        let operation = Operation::parse(request, caller.is_admin, &limits)?;
        if !held.extensible {
            return Err(not_supported());
        }
        if let Some(answer) = held.remembered(&caller.identifier, call.request_id.as_deref()) {
            return Ok(answer);
        }
        if !call.is_test {
            held.attempts.admit(&caller.identifier, caller.is_admin, now, &limits)?;
            self.let_rival_write(&name, &operation, caller, now, output);
        }
        let answer = self.write(&name, &operation, caller, now, output)?;
        if let (Some(id), Some(held)) = (&call.request_id, self.find(caller, &name)) {
            held.remember(&caller.identifier, id, &answer);
        }
        Ok(answer)
    }

    /// Decides, absorbs, tells.
    fn write(
        &mut self,
        name: &MessageRef,
        operation: &Operation,
        caller: &Caller,
        now: u64,
        output: &mut Output,
    ) -> Answer {
        let limits = self.limits;
        let held = self.find(caller, name).ok_or_else(no_such_message)?;
        let writer = Writer {
            user: &caller.identifier,
            is_admin: caller.is_admin,
            is_sender: caller.identifier == held.sender,
        };
        let terms = Terms { limits: &limits, rules: held.rules.as_ref(), now };
        // A refusal of the law is remembered like any other answer.
        let mut decision = match held.extensions.decide(operation, writer, terms) {
            Ok(decision) => decision,
            Err(refusal) => return Ok(Output::refused(&refusal)),
        };
        if let Some(change) = decision.change.take() {
            held.extensions.absorb(&change);
            let event = event(&change, held)?;
            let (sender, conversation) = (held.sender.clone(), held.conversation.clone());
            self.push(&sender, &conversation, &event, output);
        }
        to_json(&decision.into_reply())
    }

    /// If a test wants somebody else to be first.
    fn let_rival_write(
        &mut self,
        name: &MessageRef,
        operation: &Operation,
        caller: &Caller,
        now: u64,
        output: &mut Output,
    ) {
        let (Operation::Set(items) | Operation::Delete(items)) = operation else { return };
        let Some(rival) = self.faults.take_rival(name, items, &caller.identifier) else { return };
        // As an admin, who needs no Seq and whom no rule binds; but under the rival's name.
        let writer = Writer { user: &rival.by, is_admin: true, is_sender: rival.by == ADMIN };
        let limits = self.limits;
        let admin = Caller { identifier: ADMIN.to_owned(), is_admin: true };
        let Some(held) = self.find(&admin, name) else { return };
        let items = rival.extensions.into_iter();
        let items = items.map(|(key, value)| Item { key, value, seq: None }).collect();
        let decision = held.extensions.decide(&Operation::Set(items), writer, Terms::new(&limits, now));
        let Some(change) = decision.ok().and_then(|decision| decision.change) else { return };
        held.extensions.absorb(&change);
        let Ok(event) = event(&change, held) else { return };
        let (sender, conversation) = (held.sender.clone(), held.conversation.clone());
        self.push(&sender, &conversation, &event, output);
    }

    pub(crate) fn pull(&mut self, call: &Call, caller: &Caller, command: Command) -> Answer {
        let mut request: PullRequest = body::parse(call.body.as_bytes())?;
        let named = named(request.take_address(), command)?;
        let held = self.find(caller, &named).ok_or_else(no_such_message)?;
        // One without support has nothing.
        let page = held.extensions.pull(request.start_seq.unwrap_or(0));
        to_json(&page.into_reply(request.with_author == Some(1)))
    }
}

impl Held {
    fn remembered(&self, caller: &str, request_id: Option<&str>) -> Option<String> {
        let answers = self.answers.get(caller)?.iter();
        answers.into_iter().find(|(id, _)| Some(id.as_str()) == request_id).map(|(_, answer)| answer.clone())
    }

    fn remember(&mut self, caller: &str, request_id: &str, answer: &str) {
        let answers = self.answers.entry(caller.to_owned()).or_default();
        answers.push_back((request_id.to_owned(), answer.to_owned()));
        if answers.len() as u64 > REMEMBERED_ANSWERS {
            answers.pop_front();
        }
    }
}

fn named(address: Address, command: Command) -> Result<MessageRef, Error> {
    let named = match command {
        Command::SetC2c | Command::PullC2c => address.c2c()?,
        _ => address.group()?,
    };
    check_message(&named).map(|()| named)
}

fn event(change: &Change, held: &Held) -> Answer {
    let event: Event<MsgElement> = change.to_event(held.sent().name(), Some(held.message_id.clone()));
    to_json(&event)
}
