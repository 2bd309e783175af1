//! JavaScript values to the machine's types, and back.

use js_sys::{Array, JSON, Reflect};
use message_extensions_core::client::{
    Answer, CONV_C2C, CONV_GROUP, ChatMessage, Conflict, EntryStatus, EntryView, Event, ExtensionArgument,
    MessageArgument, Notice, View, WatchId,
};
use message_extensions_core::wire::{MsgContent, MsgElement, Read, Source};
use serde::Serialize;
use wasm_bindgen::{JsCast, JsValue};

const CUSTOM: &str = "TIMCustomElem";
const TEXT: &str = "TIMTextElem";

/// What a JSON object says.
pub(crate) fn from_json<T: Read>(text: &str) -> Option<T> {
    Some(T::read(&Parsed(JSON::parse(text).ok().filter(JsValue::is_object)?)))
}

/// What an array of objects says.
pub(crate) fn read_list<T: Read>(value: &JsValue) -> Vec<T> {
    let list = value.dyn_ref::<Array>().map(|list| list.iter().map(|item| T::read(&Parsed(item))).collect());
    list.unwrap_or_default()
}

/// An object that the browser has parsed.
struct Parsed(JsValue);

impl Source for Parsed {
    fn text(&self, name: &'static str) -> Option<String> {
        text(&self.0, name)
    }

    fn number(&self, name: &'static str) -> Option<f64> {
        number(&self.0, name)
    }

    fn object(&self, name: &'static str) -> Option<Self> {
        property(&self.0, name).filter(JsValue::is_object).map(Self)
    }

    fn list(&self, name: &'static str) -> Option<Vec<Self>> {
        let list = property(&self.0, name)?;
        Some(list.dyn_ref::<Array>()?.iter().map(Self).collect())
    }
}

/// As JSON text.
pub(crate) fn to_json(value: &impl Serialize) -> String {
    JSON::stringify(&to_js(value)).map(String::from).unwrap_or_default()
}

fn to_js(value: &impl Serialize) -> JsValue {
    serde_wasm_bindgen::to_value(value).unwrap_or(JsValue::UNDEFINED)
}

/// A property; `None` if there is none, or no object.
pub(crate) fn property(value: &JsValue, name: &str) -> Option<JsValue> {
    Reflect::get(value, &name.into()).ok()
}

/// A property that is a string.
pub(crate) fn text(value: &JsValue, name: &str) -> Option<String> {
    property(value, name)?.as_string()
}

/// A property that is a number.
pub(crate) fn number(value: &JsValue, name: &str) -> Option<f64> {
    property(value, name)?.as_f64()
}

/// A message object, ours or a plain one with the same fields.
pub(crate) fn message(value: &JsValue) -> Option<MessageArgument> {
    value.is_object().then(|| MessageArgument {
        id: text(value, "ID"),
        conversation_type: text(value, "conversationType"),
        from: text(value, "from"),
        to: text(value, "to"),
        status: text(value, "status"),
        is_support_extension: property(value, "isSupportExtension").is_some_and(|v| v.is_truthy()),
        sequence: number(value, "sequence"),
        client_sequence: number(value, "clientSequence"),
        random: number(value, "random"),
        time: number(value, "time"),
        client_time: number(value, "clientTime"),
    })
}

/// An array of `{key, value}`.
pub(crate) fn extensions(value: &JsValue) -> Option<Vec<ExtensionArgument>> {
    let list = value.dyn_ref::<Array>()?;
    Some(list.iter().map(|item| (text(&item, "key"), text(&item, "value"))).collect())
}

/// `None`: left out; `Some(None)`: not an array.
pub(crate) fn optional_list(value: &JsValue) -> Option<Option<Vec<Option<String>>>> {
    if value.is_undefined() || value.is_null() {
        return None;
    }
    Some(value.dyn_ref::<Array>().map(|list| list.iter().map(|key| key.as_string()).collect()))
}

/// A string that may be left out. What is no string is handed on as one that nothing may be.
pub(crate) fn optional_text(value: &JsValue) -> Option<String> {
    (!value.is_undefined()).then(|| value.as_string().unwrap_or_default())
}

/// A message's payload as the wire's elements.
pub(crate) fn body(message: &JsValue) -> Option<Vec<MsgElement>> {
    let payload = property(message, "payload").filter(JsValue::is_object)?;
    let content = MsgContent {
        data: text(&payload, "data"),
        desc: text(&payload, "description"),
        ext: text(&payload, "extension"),
        text: text(&payload, "text"),
    };
    let msg_type = if content.text.is_some() { TEXT } else { CUSTOM };
    Some(vec![MsgElement { msg_type: msg_type.into(), msg_content: content }])
}

/// The `data` that a call's promise resolves with.
pub(crate) fn answer(answer: Answer) -> JsValue {
    match answer {
        Answer::Done => JsValue::UNDEFINED,
        Answer::Items(items) => {
            let item = |(code, key, value)| Extension { code: Some(code), key, value, queued: false };
            to_js(&Extensions { message_id: None, extensions: items.into_iter().map(item).collect() })
        }
        Answer::Queued(items) => {
            let item = |(key, value)| Extension { code: Some(0), key, value, queued: true };
            to_js(&Extensions { message_id: None, extensions: items.into_iter().map(item).collect() })
        }
        Answer::Extensions(list) => to_js(&Extensions { message_id: None, extensions: pairs(list) }),
        Answer::Sent { id, from, time, sequence } => to_js(&Sent { id, from, time, sequence }),
        Answer::Messages { list, next } => to_js(&Page {
            is_completed: next.is_empty(),
            message_list: list.into_iter().map(Message::from).collect(),
            next_req_message_id: next,
        }),
    }
}

/// An event's name and data.
pub(crate) fn event(event: Event) -> (&'static str, JsValue) {
    match event {
        Event::Ready => ("sdkStateReady", JsValue::UNDEFINED),
        Event::NotReady => ("sdkStateNotReady", JsValue::UNDEFINED),
        Event::Error(e) => ("error", to_js(&Error { code: e.code, message: &e.message })),
        Event::Extensions(id, Notice::Updated(list)) => (
            "onMessageExtensionsUpdated",
            to_js(&Extensions { message_id: Some(id), extensions: pairs(list) }),
        ),
        Event::Extensions(id, Notice::Deleted(keys)) => {
            ("onMessageExtensionsDeleted", to_js(&Deleted { message_id: id, key_list: keys }))
        }
        Event::View(view) => ("view", to_js(&ShownView::from(view))),
        Event::Conflict(message_id, list) => {
            let extensions = list.into_iter().map(Conflicting::from).collect();
            ("onMessageExtensionsConflict", to_js(&Conflicts { message_id, extensions }))
        }
        Event::Load => ("load", JsValue::UNDEFINED),
        Event::Begin => ("begin", JsValue::UNDEFINED),
        Event::Stale => ("stale", JsValue::UNDEFINED),
        Event::Keep(states) => ("keep", to_js(&states)),
        Event::Queue(call, write) => ("queue", to_js(&(call, write))),
        Event::Unqueue(order) => ("unqueue", (order as f64).into()),
        Event::Drain => ("drain", JsValue::UNDEFINED),
        Event::Messages(list) => {
            ("onMessageReceived", to_js(&list.into_iter().map(Message::from).collect::<Vec<_>>()))
        }
    }
}

fn pairs(list: Vec<(String, String)>) -> Vec<Extension> {
    list.into_iter().map(|(key, value)| Extension { code: None, key, value, queued: false }).collect()
}

#[derive(Serialize)]
struct Extensions {
    #[serde(rename = "messageID", skip_serializing_if = "Option::is_none")]
    message_id: Option<String>,
    extensions: Vec<Extension>,
}

#[derive(Serialize)]
struct Extension {
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u32>,
    key: String,
    value: String,
    #[serde(skip_serializing_if = "<&bool as core::ops::Not>::not")]
    queued: bool,
}

#[derive(Serialize)]
struct Conflicts {
    #[serde(rename = "messageID")]
    message_id: String,
    extensions: Vec<Conflicting>,
}

#[derive(Serialize)]
struct Conflicting {
    code: u32,
    key: String,
    value: String,
    current: String,
}

#[derive(Serialize)]
struct Sent {
    #[serde(rename = "ID")]
    id: String,
    from: String,
    time: u64,
    sequence: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    message_list: Vec<Message>,
    #[serde(rename = "nextReqMessageID")]
    next_req_message_id: String,
    is_completed: bool,
}

#[derive(Serialize)]
struct Error<'a> {
    code: u32,
    message: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Deleted {
    #[serde(rename = "messageID")]
    message_id: String,
    key_list: Vec<String>,
}

#[derive(Serialize)]
struct ShownView {
    watches: Vec<WatchId>,
    changed: Vec<ShownEntry>,
    removed: Vec<String>,
    synced: bool,
}

#[derive(Serialize)]
struct ShownEntry {
    key: String,
    value: String,
    author: String,
    time: u64,
    status: &'static str,
}

impl From<Conflict> for Conflicting {
    fn from(conflict: Conflict) -> Self {
        let Conflict { code, key, value, current } = conflict;
        Self { code, key, value, current }
    }
}

impl From<View> for ShownView {
    fn from(view: View) -> Self {
        let changed = view.changed.into_iter().map(ShownEntry::from).collect();
        Self { watches: view.watches, changed, removed: view.removed, synced: view.synced }
    }
}

impl From<EntryView> for ShownEntry {
    fn from(entry: EntryView) -> Self {
        let status = match entry.status {
            EntryStatus::Confirmed => "confirmed",
            EntryStatus::Pending => "pending",
            EntryStatus::Queued => "queued",
            EntryStatus::Conflict => "conflict",
        };
        Self { key: entry.key, value: entry.value, author: entry.author, time: entry.time, status }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    #[serde(rename = "ID")]
    id: String,
    #[serde(rename = "conversationID")]
    conversation_id: String,
    conversation_type: &'static str,
    from: String,
    to: String,
    flow: &'static str,
    time: u64,
    client_time: u64,
    status: &'static str,
    sequence: u64,
    client_sequence: u64,
    random: u32,
    is_support_extension: bool,
    r#type: String,
    payload: Payload,
}

#[derive(Serialize, Default)]
struct Payload {
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extension: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

impl From<ChatMessage> for Message {
    fn from(m: ChatMessage) -> Self {
        let conversation_type = if m.is_group { CONV_GROUP } else { CONV_C2C };
        let peer = if m.is_group || m.is_out { &m.to } else { &m.from };
        let element = m.body.into_iter().next().unwrap_or_default();
        let (content, is_text) = (element.msg_content, element.msg_type == TEXT);
        let custom = |field: Option<String>| (!is_text).then(|| field.unwrap_or_default());
        Self {
            conversation_id: format!("{conversation_type}{peer}"),
            conversation_type,
            id: m.id,
            from: m.from,
            to: m.to,
            flow: if m.is_out { "out" } else { "in" },
            time: m.time,
            client_time: m.time,
            status: "success",
            sequence: m.sequence,
            client_sequence: m.sequence,
            random: m.random,
            is_support_extension: m.support,
            r#type: element.msg_type,
            payload: Payload {
                data: custom(content.data),
                description: custom(content.desc),
                extension: custom(content.ext),
                text: content.text,
            },
        }
    }
}
