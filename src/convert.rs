//! What JavaScript hands in as the machine's types, and what the machine tells as JavaScript's.

use js_sys::Array;
use message_extensions_core::client::{
    Answer, CONV_C2C, CONV_GROUP, ChatMessage, Conflict, EntryStatus, EntryView, Event, ExtensionArgument,
    MessageArgument, Notice, View,
};
use message_extensions_core::code::Error;
use message_extensions_core::list::gather;
use message_extensions_core::text::join;
use message_extensions_core::wire::{Json, MsgContent, MsgElement, Read, Source, Write};
use serde::Serialize;
use wasm_bindgen::{JsCast, JsValue};

use crate::record::{Record, copied, list, to_list};

const CUSTOM: &str = "TIMCustomElem";
const TEXT: &str = "TIMTextElem";

/// A list of strings or numbers.
fn plain(values: &impl Serialize) -> JsValue {
    serde_wasm_bindgen::to_value(values).unwrap_or(JsValue::UNDEFINED)
}

/// A message object, ours or a plain one with the same fields.
pub(crate) fn message(value: &Record) -> Option<MessageArgument> {
    value.is_object().then(|| MessageArgument {
        id: value.text("ID"),
        conversation_type: value.text("conversationType"),
        from: value.text("from"),
        to: value.text("to"),
        status: value.text("status"),
        is_support_extension: value.property("isSupportExtension").is_some_and(|v| v.is_truthy()),
        sequence: value.number("sequence"),
        client_sequence: value.number("clientSequence"),
        random: value.number("random"),
        time: value.number("time"),
        client_time: value.number("clientTime"),
    })
}

/// An array of `{key, value}`.
pub(crate) fn extensions(value: &JsValue) -> Option<Vec<ExtensionArgument>> {
    Some(gather(list(value)?.iter().map(|item| (item.text("key"), item.text("value")))))
}

/// `None`: left out; `Some(None)`: not an array.
pub(crate) fn optional_list(value: &JsValue) -> Option<Option<Vec<Option<String>>>> {
    if value.is_undefined() || value.is_null() {
        return None;
    }
    Some(list(value).map(|list| gather(list.iter().map(|key| key.as_string()))))
}

/// A string that may be left out. What is no string is handed on as one that nothing may be.
pub(crate) fn optional_text(value: &JsValue) -> Option<String> {
    (!value.is_undefined()).then(|| value.as_string().unwrap_or_default())
}

/// A message's payload as the wire's elements.
pub(crate) fn body(message: &Record) -> Option<Vec<MsgElement>> {
    let payload = message.object("payload")?;
    let content = MsgContent {
        data: payload.text("data"),
        desc: payload.text("description"),
        ext: payload.text("extension"),
        text: payload.text("text"),
    };
    let msg_type = if content.text.is_some() { TEXT } else { CUSTOM };
    Some(vec![MsgElement { msg_type: msg_type.into(), msg_content: content }])
}

/// A message's rules, whose names JavaScript spells in its own way. What are no rules is handed on, for the server to refuse.
pub(crate) fn rules(message: &Record) -> Option<Json> {
    let rules: Record = message.property("extensionRules").filter(JsValue::is_truthy)?.unchecked_into();
    let upper = |name: &mut str| {
        if let Some(first) = name.get_mut(..1) {
            first.make_ascii_uppercase();
        }
    };
    let rules = copied(&rules).map_or(rules, |copy| copy.respelt(upper));
    Some(Json::read(&rules))
}

/// The `data` that a call's promise resolves with.
pub(crate) fn answer(answer: &Answer) -> JsValue {
    let data = Record::new();
    match answer {
        Answer::Done => return JsValue::UNDEFINED,
        Answer::Items(items) => {
            let list = Array::new();
            for (code, key, value) in items {
                let item = pair(key, value, &list);
                item.set_number("code", f64::from(*code));
            }
            data.set("extensions", &list);
        }
        Answer::Queued(items) => {
            let list = Array::new();
            for (key, value) in items {
                let item = pair(key, value, &list);
                item.set_number("code", 0.0);
                item.set("queued", &JsValue::TRUE);
            }
            data.set("extensions", &list);
        }
        // Told in another way, see `Mirror`.
        Answer::Extensions(_) => {}
        Answer::Sent { id, from, time, sequence } => {
            data.set_text("ID", id);
            data.set_text("from", from);
            data.set_number("time", *time as f64);
            data.set_number("sequence", *sequence as f64);
        }
        Answer::Messages { list, next } => {
            data.set("messageList", &messages(list));
            data.set_text("nextReqMessageID", next);
            data.set("isCompleted", &next.is_empty().into());
        }
    }
    data.into()
}

/// Why a call's promise rejects, or what listeners are told of an error.
pub(crate) fn error(error: &Error) -> JsValue {
    let data = Record::new();
    data.set_number("code", error.code.into());
    data.set_text("message", &error.message);
    data.into()
}

/// An event's name and data.
pub(crate) fn event(event: &Event) -> (&'static str, JsValue) {
    let data = Record::new();
    let name = match event {
        Event::Ready => return ("sdkStateReady", JsValue::UNDEFINED),
        Event::NotReady => return ("sdkStateNotReady", JsValue::UNDEFINED),
        Event::Load(user) => return ("load", user.into()),
        Event::Begin => return ("begin", JsValue::UNDEFINED),
        Event::Stale => return ("stale", JsValue::UNDEFINED),
        Event::Drain => return ("drain", JsValue::UNDEFINED),
        Event::Keep(states) => return ("keep", to_list(states).into()),
        Event::Unqueue(order) => return ("unqueue", (*order as f64).into()),
        Event::Messages(list) => return ("onMessageReceived", messages(list).into()),
        Event::Queue(call, write) => {
            data.set_number("call", (*call).into());
            data.set("write", &write.write::<Record>());
            "queue"
        }
        Event::Error(e) => return ("error", error(e)),
        Event::Extensions(id, notice) => {
            data.set_text("messageID", id);
            match notice {
                Notice::Updated(list) => {
                    data.set("extensions", &pairs(list));
                    "onMessageExtensionsUpdated"
                }
                Notice::Deleted(keys) => {
                    data.set("keyList", &plain(keys));
                    "onMessageExtensionsDeleted"
                }
            }
        }
        Event::Conflict(id, conflicts) => {
            data.set_text("messageID", id);
            let list = Array::new();
            for Conflict { code, key, value, current } in conflicts {
                let item = pair(key, value, &list);
                item.set_number("code", f64::from(*code));
                item.set_text("current", current);
            }
            data.set("extensions", &list);
            "onMessageExtensionsConflict"
        }
        Event::View(View { watches, changed, removed, synced }) => {
            let list = Array::new();
            for EntryView { key, value, author, time, status, seq } in changed {
                let entry = pair(key, value, &list);
                entry.set_text("author", author);
                entry.set_number("time", *time as f64);
                entry.set_text("status", status_name(*status));
                entry.set_number("seq", *seq as f64);
            }
            data.set("changed", &list);
            data.set("watches", &plain(watches));
            data.set("removed", &plain(removed));
            data.set("synced", &(*synced).into());
            "view"
        }
    };
    (name, data.into())
}

const fn status_name(status: EntryStatus) -> &'static str {
    match status {
        EntryStatus::Confirmed => "confirmed",
        EntryStatus::Pending => "pending",
        EntryStatus::Queued => "queued",
        EntryStatus::Conflict => "conflict",
    }
}

/// `{key, value}`, added to a list.
fn pair(key: &str, value: &str, list: &Array) -> Record {
    let pair = Record::new();
    pair.set_text("key", key);
    pair.set_text("value", value);
    list.push(&pair);
    pair
}

fn pairs(pairs: &[(String, String)]) -> Array {
    let list = Array::new();
    for (key, value) in pairs {
        pair(key, value, &list);
    }
    list
}

fn messages(messages: &[ChatMessage]) -> Array {
    let list = Array::new();
    for chat in messages {
        list.push(&chat_message(chat));
    }
    list
}

fn chat_message(m: &ChatMessage) -> Record {
    let message = Record::new();
    let conversation_type = if m.is_group { CONV_GROUP } else { CONV_C2C };
    let peer = if m.is_group || m.is_out { &m.to } else { &m.from };
    message.set_text("ID", &m.id);
    message.set_text("conversationID", &join(&[conversation_type, peer]));
    message.set_text("conversationType", conversation_type);
    message.set_text("from", &m.from);
    message.set_text("to", &m.to);
    message.set_text("flow", if m.is_out { "out" } else { "in" });
    message.set_number("time", m.time as f64);
    message.set_number("clientTime", m.time as f64);
    message.set_text("status", "success");
    message.set_number("sequence", m.sequence as f64);
    message.set_number("clientSequence", m.sequence as f64);
    message.set_number("random", m.random.into());
    message.set("isSupportExtension", &m.support.into());
    if let Some(rules) = &m.rules {
        let rules = rules.write::<Record>().respelt(|name| {
            if let Some(first) = name.get_mut(..1) {
                first.make_ascii_lowercase();
            }
        });
        message.set("extensionRules", &rules);
    }
    let nothing = MsgElement::default();
    let MsgElement { msg_type, msg_content } = m.body.first().unwrap_or(&nothing);
    message.set_text("type", msg_type);
    let payload = Record::new();
    let set = |name, value: &Option<String>| payload.set_text(name, value.as_deref().unwrap_or(""));
    if msg_type == TEXT {
        set("text", &msg_content.text);
    } else {
        set("data", &msg_content.data);
        set("description", &msg_content.desc);
        set("extension", &msg_content.ext);
    }
    message.set("payload", &payload);
    message
}
