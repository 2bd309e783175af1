//! Messages as they are sent, listed and received: the little of a chat that extensions need.

use alloc::string::String;
use alloc::vec::Vec;

use super::argument::{self, MessageArgument, fallback_id, invalid};
use super::calls::{Purpose, unusable};
use super::{Answer, Body, CallId, ChatMessage, Client, Event};
use crate::code::Error;
use crate::list::gather;
use crate::message::{MessageRef, msg_key_parts};
use crate::text::{decimal, whole};
use crate::wire::{
    self, C2C_SERVICE, GROUP_SERVICE, Json, ListReply, ListRequest, ListedMessage, MsgElement, SendReply,
    SendRequest,
};

/// Messages a page when the caller names no number, and at most.
const PAGE: u32 = 15;
const MOST_A_PAGE: f64 = 20.0;
/// Messages that may come once more as pushes: own ones, and those that came already.
const MOST_KNOWN: usize = 200;

/// A message on its way.
#[derive(Debug)]
pub(super) struct Sending {
    id: String,
    is_group: bool,
    sequence: u32,
}

/// A page on its way.
#[derive(Debug)]
pub(super) struct Listing {
    group_id: Option<String>,
}

impl Client {
    /// `sendMessage(message)`; `body` is its payload as wire elements, `rules` is as on the wire.
    pub fn handle_send(
        &mut self,
        call: CallId,
        message: Option<MessageArgument>,
        body: Option<Vec<MsgElement>>,
        rules: Option<Json>,
        now: u64,
    ) {
        let made = self.send(call, message.as_ref(), body, rules, now);
        self.made(call, made);
    }

    fn send(
        &mut self,
        call: CallId,
        message: Option<&MessageArgument>,
        body: Option<Vec<MsgElement>>,
        rules: Option<Json>,
        now: u64,
    ) -> Result<(), Error> {
        self.admit()?;
        let message = argument::sendable(message, &self.session.user_id)?;
        let Some(msg_body) = body.filter(|body| !body.is_empty()) else {
            return Err(invalid("message.payload must be {data, description, extension}"));
        };
        let is_group = message.is_group;
        let request = SendRequest {
            from_account: Some(self.session.user_id.clone()),
            to_account: (!is_group).then(|| message.to.clone()),
            group_id: is_group.then(|| message.to.clone()),
            msg_seq: (!is_group).then_some(message.sequence),
            msg_random: (!is_group).then_some(message.random),
            random: is_group.then_some(message.random),
            support_message_extension: message.support.then_some(1),
            message_id: Some(message.id.clone()),
            msg_body,
            extension_rules: rules,
            sync_other_machine: None,
        };
        let path = if is_group { (GROUP_SERVICE, "send_group_msg") } else { (C2C_SERVICE, "sendmsg") };
        self.remember(&message.id);
        let sending = Sending { id: message.id, is_group, sequence: message.sequence };
        self.request(path, Body::Send(request), Purpose::Send(call, sending), now);
        Ok(())
    }

    pub(super) fn sent(&mut self, call: CallId, sending: &Sending, reply: &SendReply) {
        let sequence = if sending.is_group { reply.msg_seq } else { Some(sending.sequence.into()) };
        let answer = |sequence| Answer::Sent {
            id: reply.message_id.as_ref().unwrap_or(&sending.id).clone(),
            from: self.session.user_id.clone(),
            time: reply.msg_time,
            sequence,
        };
        self.settle(call, sequence.map(answer).ok_or_else(unusable));
    }

    /// `getMessageList({conversationID, nextReqMessageID?, count?})`.
    pub fn handle_list(
        &mut self,
        call: CallId,
        conversation_id: Option<String>,
        next: Option<String>,
        count: Option<f64>,
        now: u64,
    ) {
        let made = self.list(call, &conversation_id.unwrap_or_default(), next, count, now);
        self.made(call, made);
    }

    fn list(
        &mut self,
        call: CallId,
        id: &str,
        next: Option<String>,
        count: Option<f64>,
        now: u64,
    ) -> Result<(), Error> {
        self.admit()?;
        let next = next.filter(|next| !next.is_empty());
        let count = count.map_or(PAGE, |count| count.clamp(1.0, MOST_A_PAGE) as u32);
        let (path, request) = if let Some(peer) =
            id.strip_prefix(argument::CONV_C2C).filter(|p| !p.is_empty())
        {
            // A MsgKey ends with its message's time, where the next page goes on.
            let time = next.as_deref().and_then(|key| whole(msg_key_parts(key)?.2));
            let request = ListRequest {
                operator_account: Some(self.session.user_id.clone()),
                peer_account: Some(peer.into()),
                max_cnt: Some(count),
                min_time: Some(0),
                max_time: time.or(Some(u32::MAX.into())),
                last_msg_key: next,
                ..ListRequest::default()
            };
            ((C2C_SERVICE, "admin_getroammsg"), request)
        } else if let Some(group) = id.strip_prefix(argument::CONV_GROUP).filter(|g| !g.is_empty()) {
            let request = ListRequest {
                group_id: Some(group.into()),
                req_msg_number: Some(count),
                req_msg_seq: next.as_deref().and_then(whole),
                ..ListRequest::default()
            };
            ((GROUP_SERVICE, "group_msg_get_simple"), request)
        } else {
            return Err(invalid("conversationID must be \"C2C\" and a UserID, or \"GROUP\" and a GroupID"));
        };
        let listing = Listing { group_id: request.group_id.clone() };
        self.request(path, Body::List(request), Purpose::List(call, listing), now);
        Ok(())
    }

    pub(super) fn listed(&mut self, call: CallId, listing: &Listing, reply: &ListReply) {
        let group = listing.group_id.as_deref();
        let messages = if group.is_some() { &reply.rsp_msg_list } else { &reply.msg_list };
        let mut list = gather(messages.iter().flatten().map(|m| self.listed_message(group, m)));
        let next = match group {
            Some(_) if reply.is_finished != Some(1) => {
                list.iter().map(|m| m.sequence).min().filter(|seq| *seq > 1).map(|seq| decimal(seq - 1))
            }
            None if reply.complete != Some(1) => reply.last_msg_key.clone(),
            _ => None,
        };
        if group.is_some() {
            list.reverse();
        }
        self.settle(call, Ok(Answer::Messages { list, next: next.unwrap_or_default() }));
    }

    fn listed_message(&self, group: Option<&str>, m: &ListedMessage) -> ChatMessage {
        let to = group.map_or_else(|| m.to_account.clone().unwrap_or_default(), String::from);
        let id = m.message_id.clone().unwrap_or_else(|| match group {
            Some(group_id) => {
                fallback_id(&MessageRef::Group { group_id: group_id.into(), msg_seq: m.msg_seq })
            }
            None => crate::message::message_id(&m.from_account, m.msg_time_stamp, m.msg_random),
        });
        ChatMessage {
            id,
            is_group: group.is_some(),
            is_out: m.from_account == self.session.user_id,
            from: m.from_account.clone(),
            to,
            time: m.msg_time_stamp,
            sequence: m.msg_seq,
            random: m.msg_random,
            support: m.support_message_extension == 1,
            rules: m.extension_rules.clone(),
            body: m.msg_body.clone(),
        }
    }

    /// Whether the message was not known until now.
    fn remember(&mut self, id: &String) -> bool {
        let is_new = !self.known.contains(id);
        if is_new {
            if self.known.len() == MOST_KNOWN {
                self.known.remove(0);
            }
            self.known.push(id.clone());
        }
        is_new
    }

    /// New messages were pushed; those sent from here are known already, and a server that does not know whether it has pushed one
    /// does it again.
    pub(super) fn received(&mut self, event: &wire::Event) {
        if event.message_id.as_ref().is_some_and(|id| !self.remember(id)) {
            return;
        }
        let listed = ListedMessage {
            from_account: event.from_account.clone().unwrap_or_default(),
            to_account: event.to_account.clone(),
            msg_seq: event.msg_seq.unwrap_or(0),
            msg_random: event.msg_random.unwrap_or(0),
            msg_time_stamp: event.msg_time.unwrap_or(0),
            support_message_extension: event.support_message_extension.unwrap_or(0),
            extension_rules: event.extension_rules.clone(),
            message_id: event.message_id.clone(),
            msg_body: event.msg_body.clone().unwrap_or_default(),
            ..ListedMessage::default()
        };
        let message = self.listed_message(event.group_id.as_deref(), &listed);
        self.emit(Event::Messages(alloc::vec![message]));
    }
}
