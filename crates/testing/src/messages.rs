//! Sending and listing messages.

use std::collections::BTreeMap;

use message_extensions_core::law::{Attempts, Message};
use message_extensions_core::message::{is_refused_group, message_id};
use message_extensions_core::serve::body;
use message_extensions_core::serve::names::check_user_id;
use message_extensions_core::serve::refusal::{internal, no_such_group};
use message_extensions_core::serve::sending::{
    Element, c2c_count, c2c_page, check_message_id, check_operator, check_rules, check_sender, checked_body,
    group_count, group_page,
};
use message_extensions_core::wire::{ListRequest, Rules, SendRequest};

use crate::calls::{Answer, to_json};
use crate::io::{Call, Output};
use crate::server::{Caller, Conversation, Held, Server};

impl Server {
    pub(crate) fn send_c2c(&mut self, call: &Call, caller: &Caller, now: u64, output: &mut Output) -> Answer {
        let request: SendRequest<Element, Rules> = body::parse(call.body.as_bytes())?;
        let to = request.to_account.clone().unwrap_or_default();
        check_user_id("To_Account", &to)?;
        let extensible = request.support_message_extension == Some(1);
        self.send(request, caller, Conversation::C2c { to }, extensible, now, output)
    }

    pub(crate) fn send_group(
        &mut self,
        call: &Call,
        caller: &Caller,
        now: u64,
        output: &mut Output,
    ) -> Answer {
        let request: SendRequest<Element, Rules> = body::parse(call.body.as_bytes())?;
        let group_id = request.group_id.clone().unwrap_or_default();
        let group = self.find_group(caller, &group_id).ok_or_else(no_such_group)?;
        let wanted = request.support_message_extension == Some(1);
        let extensible = wanted && !is_refused_group(&group.group_type, &group_id);
        let conversation = Conversation::Group { no: group.no, group_id };
        self.send(request, caller, conversation, extensible, now, output)
    }

    /// Keeps and tells; a message that is sent again is answered again.
    fn send(
        &mut self,
        request: SendRequest<Element, Rules>,
        caller: &Caller,
        conversation: Conversation,
        extensible: bool,
        now: u64,
        output: &mut Output,
    ) -> Answer {
        let sender = request.from_account.unwrap_or_else(|| caller.identifier.clone());
        check_user_id("From_Account", &sender)?;
        check_sender(&sender, &caller.identifier, caller.is_admin)?;
        if let Some(id) = &request.message_id {
            check_message_id(id, &sender, caller.is_admin)?;
        }
        let rules = request.extension_rules;
        check_rules(rules.as_ref(), request.support_message_extension == Some(1), &self.limits)?;
        let body = checked_body(&request.msg_body)?;
        let random = request.msg_random.or(request.random).unwrap_or_else(|| self.next_random());
        let time = now / 1000;
        let is_c2c = matches!(conversation, Conversation::C2c { .. });
        let sequence = if is_c2c { request.msg_seq.unwrap_or_else(|| self.next_random()) } else { 0 };
        let message_id = request.message_id.unwrap_or_else(|| message_id(&sender, time, random));
        let mut held = Held {
            sender,
            conversation,
            msg_seq: sequence.into(),
            random,
            time,
            extensible,
            rules,
            message_id,
            body,
            extensions: Message::default(),
            answers: BTreeMap::new(),
            attempts: Attempts::default(),
        };
        if let Some(first) = self.messages.iter().find(|other| held.repeats(other)) {
            return to_json(&first.sent().reply());
        }
        if let Conversation::Group { group_id, .. } = &held.conversation
            && let Some(group) = self.groups.get_mut(group_id)
        {
            group.last_msg_seq += 1;
            held.msg_seq = group.last_msg_seq;
        }
        let event = to_json(&held.sent().arrival(now).map_err(|_| internal())?)?;
        let reply = to_json(&held.sent().reply())?;
        self.push(&held.sender, &held.conversation, &event, output);
        self.messages.push(held);
        Ok(reply)
    }

    pub(crate) fn list_c2c(&self, call: &Call, caller: &Caller) -> Answer {
        let request: ListRequest = body::parse(call.body.as_bytes())?;
        let own = request.operator_account.unwrap_or_else(|| caller.identifier.clone());
        check_user_id("Operator_Account", &own)?;
        let peer = request.peer_account.unwrap_or_default();
        check_user_id("Peer_Account", &peer)?;
        check_operator(&own, &caller.identifier, caller.is_admin)?;
        let count = c2c_count(request.max_cnt);
        let is_between = |held: &&Held| match &held.conversation {
            Conversation::C2c { to } => {
                (held.sender == own && *to == peer) || (held.sender == peer && *to == own)
            }
            Conversation::Group { .. } => false,
        };
        let mut found: Vec<_> = self.messages.iter().filter(is_between).enumerate().collect();
        let place = |(no, held): &(usize, &Held)| (held.time, *no);
        let before = request.last_msg_key.as_ref();
        let before = before.and_then(|key| {
            found.iter().find(|(_, held)| held.sent().reply().msg_key.as_ref() == Some(key)).map(place)
        });
        found.retain(|one| {
            let time = one.1.time;
            time >= request.min_time.unwrap_or(0)
                && request.max_time.is_none_or(|max| time <= max)
                && before.is_none_or(|before| place(one) < before)
        });
        found.sort_by_key(place);
        let complete = found.len() <= count;
        let page: Vec<_> =
            found.iter().skip(found.len().saturating_sub(count)).map(|(_, held)| held.sent()).collect();
        to_json(&c2c_page(&page, complete).map_err(|_| internal())?)
    }

    pub(crate) fn list_group(&self, call: &Call, caller: &Caller) -> Answer {
        let request: ListRequest = body::parse(call.body.as_bytes())?;
        let group_id = request.group_id.unwrap_or_default();
        let conversation = self.conversation_of(caller, &group_id).ok_or_else(no_such_group)?;
        let count = group_count(request.req_msg_number);
        let is_wanted = |held: &&Held| {
            held.conversation == conversation && request.req_msg_seq.is_none_or(|max| held.msg_seq <= max)
        };
        let found: Vec<_> = self.messages.iter().rev().filter(is_wanted).map(Held::sent).collect();
        let page: Vec<_> = found.iter().take(count).copied().collect();
        to_json(&group_page(group_id, &page, found.len() <= count).map_err(|_| internal())?)
    }
}

impl Held {
    /// Whether it is the other one, sent again: by its ID, or by its MsgKey.
    fn repeats(&self, other: &Self) -> bool {
        let is_c2c = matches!(self.conversation, Conversation::C2c { .. });
        let is_key = || is_c2c && self.sent().name() == other.sent().name();
        let is_place = self.sender == other.sender && self.conversation == other.conversation;
        is_place && (self.message_id == other.message_id || is_key())
    }
}
