//! A message with everything that is kept of it, as lines of JSON: what `export` writes and `import` reads.
//!
//! The first line is the message, then one an entry by Seq, then one an answer that is remembered. Names are those of the
//! wire. The law numbers densely, and the keys of the latest operation always carry its Seq (or it was a clear), so the
//! state follows from the entries, and the same lines come out again wherever they went in.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::{BufRead, Write};

use message_extensions_core::law::{Change, ChangeKind, Entry, Message};
use message_extensions_core::message::MessageRef;
use message_extensions_core::wire::{Extension, Member, Rules};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{
    AnswerId, Commit, Conversation, MessageName, NewGroup, NewMessage, Store, StoreError, msg_key_numbers,
};

/// Of the lines; another one is refused.
const FORMAT_VERSION: u32 = 1;

/// Everything that is kept of a message, by names that mean the same in every store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    /// The group that it is in, with its present members in alphabetical order.
    pub group: Option<NewGroup>,
    /// The message. In a group: [`NewMessage::sequence`] is its MsgSeq, and the group's number has no meaning.
    pub message: NewMessage,
    /// Its extensions.
    pub state: Message,
    /// The remembered answers, by caller and turn.
    pub answers: Vec<(AnswerId, String)>,
}

/// What became of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Imported {
    /// The message is kept now.
    New,
    /// It was there with the same content, and nothing was done.
    WasThere,
}

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct MessageLine {
    format_version: u32,
    #[serde(rename = "From_Account")]
    from_account: String,
    #[serde(rename = "To_Account", default, skip_serializing_if = "Option::is_none")]
    to_account: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    msg_key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    group_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    msg_seq: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    msg_random: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    msg_time_stamp: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    r#type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    member_list: Option<Vec<Member>>,
    #[serde(rename = "MessageID")]
    message_id: String,
    support_message_extension: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    extension_rules: Option<Rules>,
    msg_body: Box<RawValue>,
    latest_seq: u64,
    clear_seq: u64,
    /// How many lines of them follow: so a file that was cut off is found out.
    entries: usize,
    answers: usize,
}

/// Read before the rest, of which another version may have more.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct VersionLine {
    format_version: u32,
}

/// A line of an answer.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AnswerLine {
    identifier: String,
    #[serde(rename = "Turn")]
    turn: u64,
    requestid: String,
    #[serde(rename = "Answer")]
    answer: Box<RawValue>,
}

impl Archive {
    /// Writes the lines.
    ///
    /// # Errors
    /// When `out` cannot be written to, or something that is kept as JSON is none.
    pub fn write(&self, out: &mut dyn Write) -> std::io::Result<()> {
        line(out, &self.message_line()?)?;
        for entry in self.entries() {
            line(out, &entry)?;
        }
        for (id, answer) in &self.answers {
            let requestid = format!("{:032x}", id.request_id);
            let answer = in_one_line(answer)?;
            line(out, &AnswerLine { identifier: id.caller.clone(), turn: id.turn, requestid, answer })?;
        }
        out.flush()
    }

    fn message_line(&self) -> serde_json::Result<MessageLine> {
        let message = &self.message;
        let group = self.group.as_ref();
        let in_group = |value: u32| group.map(|_| value);
        let to_account = match &message.conversation {
            Conversation::C2c { to } => Some(to.clone()),
            Conversation::Group { .. } => None,
        };
        let member = |user: &String| Member { member_account: user.clone(), result: None };
        Ok(MessageLine {
            format_version: FORMAT_VERSION,
            from_account: message.sender.clone(),
            msg_key: to_account.as_ref().map(|_| message.msg_key()),
            to_account,
            group_id: group.map(|group| group.group_id.clone()),
            msg_seq: in_group(message.sequence),
            msg_random: in_group(message.random),
            msg_time_stamp: group.map(|_| message.time),
            r#type: group.map(|group| group.group_type.clone()),
            name: group.map(|group| group.name.clone()),
            member_list: group.map(|group| group.members.iter().map(member).collect()),
            message_id: message.message_id.clone(),
            support_message_extension: message.extensible.into(),
            extension_rules: message.rules.clone(),
            msg_body: in_one_line(&message.body)?,
            latest_seq: self.state.latest_seq,
            clear_seq: self.state.clear_seq,
            entries: self.state.entries.len(),
            answers: self.answers.len(),
        })
    }

    fn entries(&self) -> Vec<Extension> {
        let entry = |(key, entry): (&String, &Entry)| Extension {
            key: key.clone(),
            value: entry.value.clone().unwrap_or_default(),
            seq: entry.seq,
            author: Some(entry.author.clone()),
            time: Some(entry.time),
        };
        let mut entries: Vec<_> = self.state.entries.iter().map(entry).collect();
        entries.sort_by_key(|entry| entry.seq);
        entries
    }

    /// Reads the lines.
    ///
    /// # Errors
    /// A sentence with the line's number, from 1, and its field.
    pub fn read(input: impl BufRead) -> Result<Self, String> {
        let mut lines = Lines { lines: input.lines(), number: 0 };
        let head = lines.next("the message")?;
        let version: VersionLine = lines.parse(&head)?;
        if version.format_version != FORMAT_VERSION {
            return Err(lines.wrong(&format!(
                "FormatVersion is {}, and this program reads {FORMAT_VERSION}",
                version.format_version
            )));
        }
        let head: MessageLine = lines.parse(&head)?;
        let (latest_seq, clear_seq) = (head.latest_seq, head.clear_seq);
        let (entry_count, answer_count) = (head.entries, head.answers);
        let (group, message) = head.into_message().map_err(|why| lines.wrong(&why))?;
        let mut entries = Entries { latest_seq, clear_seq, last: None, all: BTreeMap::new() };
        for _ in 0..entry_count {
            let entry = lines.next("an entry")?;
            entries.add(lines.parse(&entry)?).map_err(|why| lines.wrong(&why))?;
        }
        let last_seq = entries.last.as_ref().map_or(0, |last| last.seq);
        if latest_seq != last_seq.max(clear_seq) {
            return Err(format!(
                "line 1: LatestSeq is {latest_seq}, and neither ClearSeq nor the Seq of an entry is"
            ));
        }
        let state = Message::restore(latest_seq, clear_seq, entries.all);
        let mut answers = Vec::new();
        for _ in 0..answer_count {
            let answer = lines.next("an answer")?;
            answers.push(lines.parse::<AnswerLine>(&answer)?.into_answer().map_err(|why| lines.wrong(&why))?);
        }
        lines.end()?;
        Ok(Self { group, message, state, answers })
    }

    /// As a store takes it that has the message, without anything, under this number.
    #[must_use]
    pub fn commit(&self, message_no: i64) -> Commit {
        let clear =
            Change { seq: self.state.clear_seq, kind: ChangeKind::Clear, author: String::new(), time: 0 };
        let mut changes = Vec::new();
        if self.state.clear_seq > 0 {
            changes.push(clear);
        }
        for entry in self.entries() {
            let (author, time) = (entry.author.unwrap_or_default(), entry.time.unwrap_or_default());
            let last = changes.last_mut().filter(|last| last.seq == entry.seq);
            match (last.map(|last| &mut last.kind), entry.value.is_empty()) {
                (Some(ChangeKind::Set(items)), false) => items.push((entry.key, entry.value)),
                (Some(ChangeKind::Delete(keys)), true) => keys.push(entry.key),
                (_, true) => {
                    let kind = ChangeKind::Delete(vec![entry.key]);
                    changes.push(Change { seq: entry.seq, kind, author, time });
                }
                (_, false) => {
                    let kind = ChangeKind::Set(vec![(entry.key, entry.value)]);
                    changes.push(Change { seq: entry.seq, kind, author, time });
                }
            }
        }
        Commit {
            message_no,
            id: fastrand::u64(1..),
            changes,
            digest: self.state.digest(),
            answers: self.answers.clone(),
            ..Commit::default()
        }
    }
}

/// The message that is named, as of one moment; `None`: there is none.
///
/// # Errors
/// A sentence for the operator.
pub async fn find(store: &dyn Store, named: MessageRef) -> Result<Option<Archive>, String> {
    let found = async {
        let name = match named {
            MessageRef::C2c { from, to, msg_key } => MessageName::C2c { from, to, msg_key },
            MessageRef::Group { group_id, msg_seq } => match store.group(&group_id).await? {
                Some(group) => MessageName::Group { no: group.no, msg_seq },
                None => return Ok(None),
            },
        };
        match store.find_messages(&name).await?.first() {
            Some(stored) => store.archive(stored.no).await,
            None => Ok(None),
        }
    };
    found.await.map_err(|error: StoreError| error.to_string())
}

/// Keeps the message, all of it or nothing; its group is made when there is none with its ID, and left as it is when there
/// is.
///
/// # Errors
/// A sentence: the message is there with another content, or the group is of another type, or the store could not work.
pub async fn import(store: &dyn Store, archive: &Archive) -> Result<Imported, String> {
    let failed = |error: &dyn Display| format!("the message could not be kept, nothing was done: {error}");
    if let Some(group) = &archive.group
        && let Some(there) = store.group(&group.group_id).await.map_err(|e| failed(&e))?
        && there.group_type != group.group_type
    {
        return Err(format!(
            "the group {} is there and of the Type {}, not {}: nothing was done",
            group.group_id, there.group_type, group.group_type
        ));
    }
    let inserted = store.restore(archive).await.map_err(|e| failed(&e))?;
    if inserted.is_new {
        return Ok(Imported::New);
    }
    let there = store.archive(inserted.stored.no).await.map_err(|e| failed(&e))?;
    // Members come and go, wherever the group is.
    let lines = |archive: &Archive| {
        let mut lines = Vec::new();
        let of_message = Archive { group: archive.group.clone().map(without_members), ..archive.clone() };
        of_message.write(&mut lines).map(|()| lines).map_err(|e| failed(&e))
    };
    if there.as_ref().map(lines).transpose()? == Some(lines(archive)?) {
        return Ok(Imported::WasThere);
    }
    Err(format!(
        "the message is there with another content, as {}: nothing was done",
        inserted.stored.message.message_id
    ))
}

fn without_members(group: NewGroup) -> NewGroup {
    NewGroup { members: Vec::new(), name: String::new(), ..group }
}

fn line(out: &mut dyn Write, value: &impl Serialize) -> std::io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}

/// Kept letter by letter but for line breaks, which JSON has between its tokens only.
fn in_one_line(json: &str) -> serde_json::Result<Box<RawValue>> {
    RawValue::from_string(json.replace(['\n', '\r'], " "))
}

impl MessageLine {
    fn into_message(self) -> Result<(Option<NewGroup>, NewMessage), String> {
        let missing = |field: &str| format!("{field} is missing");
        let is_given = |field: &str, value: &str| if value.is_empty() { Err(missing(field)) } else { Ok(()) };
        is_given("From_Account", &self.from_account)?;
        is_given("MessageID", &self.message_id)?;
        let extensible = match self.support_message_extension {
            0 => false,
            1 => true,
            other => return Err(format!("SupportMessageExtension must be 0 or 1, not {other}")),
        };
        let (group, conversation, (sequence, random, time)) = match (self.to_account, self.group_id) {
            (Some(to), None) => {
                is_given("To_Account", &to)?;
                let key = self.msg_key.ok_or_else(|| missing("MsgKey"))?;
                let numbers = msg_key_numbers(&key);
                let numbers = numbers.ok_or("MsgKey must be {sequence}_{random}_{time in seconds}")?;
                (None, Conversation::C2c { to }, numbers)
            }
            (None, Some(group_id)) => {
                is_given("GroupId", &group_id)?;
                let msg_seq = self.msg_seq.filter(|seq| *seq > 0).ok_or_else(|| missing("MsgSeq"))?;
                let random = self.msg_random.ok_or_else(|| missing("MsgRandom"))?;
                let time = self.msg_time_stamp.ok_or_else(|| missing("MsgTimeStamp"))?;
                let members = self.member_list.ok_or_else(|| missing("MemberList"))?;
                let mut members: Vec<_> = members.into_iter().map(|member| member.member_account).collect();
                members.sort();
                let group = NewGroup {
                    group_id: group_id.clone(),
                    group_type: self.r#type.ok_or_else(|| missing("Type"))?,
                    name: self.name.unwrap_or_default(),
                    members,
                };
                (Some(group), Conversation::Group { group_id, no: 0 }, (msg_seq, random, time))
            }
            _ => return Err("either To_Account and MsgKey or GroupId and MsgSeq must be there".into()),
        };
        let message = NewMessage {
            sender: self.from_account,
            conversation,
            sequence,
            random,
            time,
            extensible,
            message_id: self.message_id,
            body: self.msg_body.get().to_owned(),
            rules: self.extension_rules,
        };
        Ok((group, message))
    }
}

impl AnswerLine {
    fn into_answer(self) -> Result<(AnswerId, String), String> {
        let is_hex = self.requestid.len() == 32 && self.requestid.bytes().all(|b| b.is_ascii_hexdigit());
        let request_id = u128::from_str_radix(&self.requestid, 16).ok().filter(|_| is_hex);
        let request_id = request_id.ok_or("requestid must be 32 hexadecimal digits")?;
        let id = AnswerId { caller: self.identifier, turn: self.turn, request_id };
        Ok((id, self.answer.get().to_owned()))
    }
}

/// What has been read of the entries.
struct Entries {
    latest_seq: u64,
    clear_seq: u64,
    last: Option<Extension>,
    all: BTreeMap<String, Entry>,
}

impl Entries {
    /// Refuses what the law cannot have made: a state that is not one would be served for ever.
    fn add(&mut self, line: Extension) -> Result<(), String> {
        let seq = line.seq;
        let author = line.author.clone().ok_or("Author is missing")?;
        let time = line.time.ok_or("Time is missing")?;
        if line.key.is_empty() {
            return Err("Key is empty".into());
        }
        if seq <= self.clear_seq || seq > self.latest_seq {
            return Err(format!(
                "Seq is {seq}, and must be past the ClearSeq {} and at most the LatestSeq {}",
                self.clear_seq, self.latest_seq
            ));
        }
        if let Some(last) = &self.last {
            let of_one = |a: &Extension, b: &Extension| {
                a.author == b.author && a.time == b.time && a.value.is_empty() == b.value.is_empty()
            };
            if seq < last.seq {
                return Err(format!("Seq is {seq}, after {}: entries come by Seq", last.seq));
            }
            if seq == last.seq && !of_one(last, &line) {
                return Err(format!(
                    "Seq is {seq} as before, so Author and Time must be as well, and either all have a Value or none"
                ));
            }
        }
        let value = (!line.value.is_empty()).then(|| line.value.clone());
        if self.all.insert(line.key.clone(), Entry { value, seq, author, time }).is_some() {
            return Err(format!("the Key {:?} is there twice", line.key));
        }
        self.last = Some(line);
        Ok(())
    }
}

/// Lines that know where they are.
struct Lines<I> {
    lines: I,
    number: usize,
}

impl<I: Iterator<Item = std::io::Result<String>>> Lines<I> {
    fn next(&mut self, what: &str) -> Result<String, String> {
        self.number += 1;
        match self.lines.next() {
            Some(Ok(line)) => Ok(line),
            Some(Err(error)) => Err(self.wrong(&format!("it cannot be read: {error}"))),
            None => Err(self.wrong(&format!("{what} is missing: the file was cut off"))),
        }
    }

    fn end(&mut self) -> Result<(), String> {
        self.number += 1;
        match self.lines.next() {
            None => Ok(()),
            Some(_) => Err(self.wrong("the file goes on, and should have ended by what line 1 says")),
        }
    }

    fn parse<T: DeserializeOwned>(&self, line: &str) -> Result<T, String> {
        let mut json = serde_json::Deserializer::from_str(line);
        let parsed = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let path = error.path().to_string();
            let field = if path == "." { String::new() } else { format!("{path}: ") };
            self.wrong(&format!("{field}{}", without_line(&error.into_inner())))
        });
        let value = parsed?;
        json.end().map_err(|error| self.wrong(&without_line(&error)))?;
        Ok(value)
    }

    fn wrong(&self, why: &str) -> String {
        format!("line {}: {why}", self.number)
    }
}

/// serde's own line is always the first.
fn without_line(error: &serde_json::Error) -> String {
    error.to_string().replace(" at line 1 column ", ", at column ")
}
