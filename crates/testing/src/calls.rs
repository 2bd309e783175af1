//! REST: who calls, and which command.

use message_extensions_core::code::{BAD_IDENTITY, Error};
use message_extensions_core::serve::command::Command;
use message_extensions_core::serve::names::check_user_id;
use message_extensions_core::serve::refusal::{admin_only, internal, no_such_command};
use serde::Serialize;

use crate::fault::Effect;
use crate::io::{Call, Output};
use crate::server::{ADMIN, Caller, Server};

/// An answer as JSON, or why there is none.
pub(crate) type Answer = Result<String, Error>;

pub(crate) fn to_json(reply: &impl Serialize) -> Answer {
    serde_json::to_string(reply).map_err(|_| internal())
}

/// Who calls. Whatever is a signature is a good one.
pub(crate) fn authenticate(identifier: &str, usersig: &str) -> Result<Caller, Error> {
    if identifier.is_empty() {
        return Err(Error::new(BAD_IDENTITY, "identifier is missing"));
    }
    check_user_id("identifier", identifier)?;
    if usersig.is_empty() {
        return Err(Error::new(BAD_IDENTITY, "usersig is missing"));
    }
    Ok(Caller { identifier: identifier.to_owned(), is_admin: identifier == ADMIN })
}

impl Server {
    pub(crate) fn call(&mut self, call: &Call, now: u64, output: &mut Output) {
        let answer = self.run(call, now, output);
        output.answer = Some(answer.unwrap_or_else(|error| Output::refused(&error)));
    }

    fn run(&mut self, call: &Call, now: u64, output: &mut Output) -> Answer {
        let command = Command::of(&call.service, &call.command).ok_or_else(no_such_command)?;
        let caller = authenticate(&call.identifier, &call.usersig)?;
        if !call.is_test {
            match self.faults.strike(command.into(), &caller.identifier) {
                Some(Effect::Refuse(error)) => return Err(error),
                Some(Effect::Lose) => output.is_lost = true,
                None => {}
            }
            self.admit(&caller, command, now)?;
        }
        match command {
            Command::SetC2c | Command::SetGroup => self.set(call, &caller, command, now, output),
            Command::PullC2c | Command::PullGroup => self.pull(call, &caller, command),
            Command::SendC2c => self.send_c2c(call, &caller, now, output),
            Command::SendGroup => self.send_group(call, &caller, now, output),
            Command::ListC2c => self.list_c2c(call, &caller),
            Command::ListGroup => self.list_group(call, &caller),
            _ if !caller.is_admin => Err(admin_only()),
            Command::CreateGroup => self.create_group(call),
            Command::DestroyGroup => self.destroy_group(call, now, output),
            Command::AddMembers => self.add_members(call),
            Command::DeleteMembers => self.delete_members(call, now, output),
            // Adopting the messages of another chat is for its backend.
            Command::Register => Err(no_such_command()),
        }
    }

    fn admit(&mut self, caller: &Caller, command: Command, now: u64) -> Result<(), Error> {
        let (command, limit) = if caller.is_admin {
            (Some(command), self.limits.admin_calls_per_second)
        } else {
            (None, self.limits.user_calls_per_second)
        };
        self.rates.entry((caller.identifier.clone(), command)).or_default().admit(now, limit)
    }
}
