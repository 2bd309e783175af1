//! The JSON samples of the seeds and of docs/protocol.md, letter by letter.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail"
)]

mod support;

use message_extensions_core::code::{CODES, Scope};
use message_extensions_core::law::{Entry, Message};
use message_extensions_core::limits::Limits;
use message_extensions_core::wire::*;
use serde::{Serialize, de::DeserializeOwned};
use support::{Built, Parsed};

/// The sample without the white space that is not in a string.
fn compact(json: &str) -> String {
    let mut in_string = false;
    let mut escaped = false;
    json.chars()
        .filter(|c| {
            let quote = *c == '"' && !escaped;
            escaped = *c == '\\' && !escaped;
            in_string ^= quote;
            in_string || quote || !c.is_whitespace()
        })
        .collect()
}

fn holds<T: Serialize + DeserializeOwned>(sample: &str) -> T {
    let value: T = serde_json::from_str(sample).unwrap_or_else(|e| panic!("{e}: {sample}"));
    assert_eq!(serde_json::to_string(&value).unwrap(), compact(sample));
    value
}

/// The same for what the SDK reads and sends: its own reader and writer do what serde does.
fn crosses<T: Serialize + DeserializeOwned + Read + Write + PartialEq + std::fmt::Debug>(sample: &str) -> T {
    let by_serde: T = crosses_without(sample, &[]);
    let json: serde_json::Value = serde_json::from_str(sample).unwrap();
    assert_eq!(T::read(&Parsed(json)), by_serde);
    by_serde
}

/// The same where some of the fields are the server's alone.
fn crosses_without<T: Serialize + DeserializeOwned + Read + Write>(sample: &str, servers: &[&str]) -> T {
    let mut of_the_sdk: serde_json::Value = serde_json::from_str(sample).unwrap();
    remove(&mut of_the_sdk, servers);
    crosses_as(sample, &of_the_sdk)
}

/// The same of a reply, whose outcome the SDK reads as a [`Status`].
fn answers<T: Serialize + DeserializeOwned + Read + Write>(sample: &str, servers: &[&str]) {
    let json: serde_json::Value = serde_json::from_str(sample).unwrap();
    let status: Status = serde_json::from_str(sample).unwrap();
    assert_eq!(Status::read(&Parsed(json.clone())), status);
    let mut of_the_sdk = json;
    remove(&mut of_the_sdk, servers);
    let fields = of_the_sdk.as_object_mut().unwrap();
    fields.retain(|name, _| !["ActionStatus", "ErrorInfo", "ErrorCode"].contains(&name.as_str()));
    crosses_as::<T>(sample, &of_the_sdk);
}

fn crosses_as<T: Serialize + DeserializeOwned + Read + Write>(
    sample: &str,
    of_the_sdk: &serde_json::Value,
) -> T {
    let by_serde: T = holds(sample);
    let json: serde_json::Value = serde_json::from_str(sample).unwrap();
    assert_eq!(&by_serde.write::<Built>().json(), of_the_sdk);
    assert_eq!(&T::read(&Parsed(json)).write::<Built>().json(), of_the_sdk);
    by_serde
}

const SERVERS_OF_A_LIST: [&str; 6] =
    ["MsgFlagBits", "IsPlaceMsg", "MsgKey", "MsgCnt", "LastMsgTime", "GroupId"];

/// Takes fields out of an object and of those in it.
fn remove(json: &mut serde_json::Value, names: &[&str]) {
    match json {
        serde_json::Value::Object(fields) => {
            fields.retain(|name, _| !names.contains(&name.as_str()));
            fields.values_mut().for_each(|field| remove(field, names));
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(|item| remove(item, names)),
        _ => {}
    }
}

macro_rules! golden {
    ($name:literal) => {
        include_str!(concat!("../../../tests/golden/", $name, ".json"))
    };
}

#[test]
fn requests_of_seed_002_are_read_and_written_letter_by_letter() {
    let set: SetRequest = crosses(golden!("002_set_request"));
    assert_eq!(set.operate_type, Some(operate_type::SET));
    assert_eq!(set.extension_list.unwrap().len(), 3);
    let delete: SetRequest = crosses(golden!("002_delete_request"));
    assert_eq!(delete.operate_type, Some(operate_type::DELETE));
    let clear: SetRequest = crosses(golden!("002_clear_request"));
    assert_eq!((clear.operate_type, clear.extension_list), (Some(operate_type::CLEAR), None));
}

#[test]
fn requests_of_seeds_003_and_004_are_read_and_written_letter_by_letter() {
    assert_eq!(crosses::<PullRequest>(golden!("003_pull_request")).start_seq, None);
    assert_eq!(crosses::<PullRequest>(golden!("003_pull_from_seq_request")).start_seq, Some(2));
    assert_eq!(crosses::<PullRequest>(golden!("004_pull_request")).msg_seq, Some(158));
    assert_eq!(crosses::<PullRequest>(golden!("004_pull_from_seq_request")).start_seq, Some(2));
}

#[test]
fn responses_of_the_seeds_are_read_and_written_letter_by_letter() {
    answers::<SetReply>(golden!("002_set_response"), &[]);
    answers::<PullReply>(golden!("003_pull_response"), &[]);
    answers::<PullReply>(golden!("004_pull_response"), &[]);
}

#[test]
fn a_pull_may_spell_its_cursor_either_way() {
    let request: PullRequest = serde_json::from_str(r#"{"GroupId":"g","MsgSeq":1,"startSeq":7}"#).unwrap();
    assert_eq!(request.start_seq, Some(7));
}

#[test]
fn every_sample_of_the_protocol_document_is_what_the_types_say() {
    let document = include_str!("../../../docs/protocol.md");
    let mut count = 0;
    for part in document.split("<!-- sample ").skip(1) {
        let (name, rest) = part.split_once(" -->").unwrap();
        let sample = rest.split("```json\n").nth(1).unwrap().split("```").next().unwrap().trim();
        match name {
            "SetRequest" => drop(crosses::<SetRequest>(sample)),
            "PullRequest" => drop(crosses::<PullRequest>(sample)),
            "SendRequest" => drop(crosses_without::<SendRequest>(sample, &["SyncOtherMachine"])),
            "ListRequest" => drop(crosses::<ListRequest>(sample)),
            "ClientFrame" => drop(crosses::<ClientFrame>(sample)),
            "SetReply" => answers::<SetReply>(sample, &[]),
            "PullReply" => answers::<PullReply>(sample, &[]),
            "SendReply" => answers::<SendReply>(sample, &["MsgKey"]),
            "ListReply" => answers::<ListReply>(sample, &SERVERS_OF_A_LIST),
            "Event" => drop(crosses::<Event>(sample)),
            "ServerFrame" => drop(crosses::<ServerFrame>(sample)),
            // Only servers write these, and an empty list is not written back.
            "CreateGroupRequest" => drop(serde_json::from_str::<CreateGroupRequest>(sample).unwrap()),
            "GroupRequest" => drop(serde_json::from_str::<GroupRequest>(sample).unwrap()),
            "RegisterRequest" => drop(holds::<RegisterRequest>(sample)),
            "Rules" => holds::<Rules>(sample).check(&Limits::DEFAULT).unwrap(),
            "GroupReply" => drop(holds::<GroupReply>(sample)),
            other => panic!("a sample of {other}, which this test does not know"),
        }
        count += 1;
    }
    assert!(count >= 20, "only {count} samples found");
}

#[test]
fn the_digest_of_the_protocol_document_is_that_of_its_list() {
    let document = include_str!("../../../docs/protocol.md");
    let example = document.split("<!-- digest -->").nth(1).unwrap();
    let sample = example.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    let reply: PullReply = serde_json::from_str(sample).unwrap();
    let entry = |e: &Extension| {
        let (value, author) = (Some(e.value.clone()), String::new());
        (e.key.clone(), Entry { value, seq: e.seq, author, time: 0 })
    };
    let entries = reply.extension_list.iter().map(entry).collect();
    let message = Message::restore(reply.latest_seq, reply.clear_seq, entries);
    assert_eq!(reply.digest, Some(message.digest()));
    assert_eq!(Message::default().digest(), 0);
}

#[test]
fn every_close_code_is_in_the_protocol_document() {
    let document = include_str!("../../../docs/protocol.md");
    use close::*;
    for code in [REFUSED, BAD_FRAME, SILENT, TOO_SLOW, EXPIRED, GOING_AWAY, TOO_MANY] {
        assert!(document.contains(&format!("| {code} |")), "{code}");
    }
}

#[test]
fn codes_of_items_are_not_codes_of_requests() {
    assert!(CODES.iter().filter(|c| c.scope == Scope::Item).all(|c| c.code >= 23001));
}
