//! The body of a command: what is accepted is written again as the same; what is not, is refused for a reason that is so.

use std::fmt::Debug;

use message_extensions_core::code::{BAD_JSON, INVALID_PARAMETER};
use message_extensions_core::law::{Message, Operation, Terms, Writer};
use message_extensions_core::limits::Limits;
use message_extensions_core::wire::{
    CreateGroupRequest, GroupRequest, ListRequest, PullRequest, RegisterRequest, Rules, SendRequest,
    SetRequest,
};
use message_extensions_server::in_process::read_body;
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::value::RawValue;

use crate::{check_refusal, law};

/// The first byte says which request it is read as.
pub fn check(input: &[u8]) {
    let Some((kind, body)) = input.split_first() else { return };
    match kind {
        b's' | b'S' => {
            if let Some(request) = read::<SetRequest>(body) {
                operation(request, *kind == b'S');
            }
        }
        b'g' => drop(read::<PullRequest>(body)),
        b'r' => rules(read::<RegisterRequest>(body).and_then(|request| request.extension_rules)),
        b'm' => {
            rules(read::<SendRequest<Box<RawValue>, Rules>>(body).and_then(|request| request.extension_rules))
        }
        b'l' => drop(read::<ListRequest>(body)),
        b'c' => drop(read::<CreateGroupRequest>(body)),
        b'+' => drop(read::<GroupRequest>(body)),
        _ => {}
    }
}

fn read<T: DeserializeOwned + Serialize + Debug>(body: &[u8]) -> Option<T> {
    let text = std::str::from_utf8(body).unwrap_or_default();
    let is_json = serde_json::from_str::<IgnoredAny>(text).is_ok();
    match read_body::<T>(body) {
        Ok(request) => {
            assert!(is_json && body.trim_ascii_start().starts_with(b"{"));
            let written = serde_json::to_vec(&request).unwrap();
            let again = read_body::<T>(&written).unwrap();
            assert_eq!(format!("{request:?}"), format!("{again:?}"));
            Some(request)
        }
        Err(error) => {
            check_refusal(error.code.into(), &error.message);
            match error.code {
                INVALID_PARAMETER => assert!(is_json, "{error}"),
                BAD_JSON => {
                    let is_object = is_json && body.starts_with(b"{");
                    assert!(!is_object || error.message.contains("deep"), "{error}");
                }
                other => panic!("{other}: {error}"),
            }
            None
        }
    }
}

fn rules(rules: Option<Rules>) {
    if let Some(Err(error)) = rules.map(|rules| rules.check(&Limits::DEFAULT)) {
        assert_eq!(error.code, INVALID_PARAMETER);
        check_refusal(error.code.into(), &error.message);
    }
}

/// What is accepted is within the limits, and does to an empty message what the law says.
fn operation(request: SetRequest, admin: bool) {
    let asked = request.clone();
    let operation = match Operation::parse(request, admin, &Limits::DEFAULT) {
        Ok(operation) => operation,
        Err(error) => return check_refusal(error.code.into(), &error.message),
    };
    let list = asked.extension_list.unwrap_or_default();
    assert!(list.len() <= Limits::DEFAULT.items);
    for (i, item) in list.iter().enumerate() {
        assert!((1..=Limits::DEFAULT.key_bytes).contains(&item.key.len()));
        assert!(item.value.len() <= Limits::DEFAULT.value_bytes);
        assert!(admin || item.seq.is_some());
        assert!(list[..i].iter().all(|other| other.key != item.key));
    }
    let (mut message, writer) = (Message::default(), Writer { is_admin: admin, ..Writer::new("alice") });
    for _ in 0..2 {
        law::apply(&mut message, &operation, writer, Terms::new(&Limits::DEFAULT, 1));
    }
}
