//! From a body to a request; from a text to a frame.

use alloc::format;
use alloc::string::{String, ToString};
use core::fmt::Display;

use crate::code::{BAD_JSON, Error, INVALID_PARAMETER};
use crate::wire::ClientFrame;
use serde::de::{DeserializeOwned, IgnoredAny};

/// Levels of objects and arrays in a body, the outermost counted. What is kept of it comes back a few levels deeper in
/// lists and pushes, and must be readable there for parsers with a limit of 100 or more.
const LEVELS: usize = 64;

/// Bytes of an error about a value that are told.
const TOLD: usize = 240;

/// Reads a JSON object.
///
/// # Errors
/// What is not JSON is 60003; what has a field of the wrong type is 10004 and names the field.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    let body = core::str::from_utf8(body)
        .map_err(|e| not_json(&format_args!("byte {} is not UTF-8", e.valid_up_to())))?;
    if body.starts_with('\u{feff}') {
        return Err(not_json(&"it begins with a byte order mark"));
    }
    if !body.trim_ascii_start().starts_with('{') {
        return Err(not_json(&"it does not begin with {"));
    }
    if is_deeper_than(LEVELS, body) {
        return Err(not_json(&format_args!("it is nested more than {LEVELS} levels deep")));
    }
    let mut json = serde_json::Deserializer::from_str(body);
    let parsed = serde_path_to_error::deserialize(&mut json);
    match parsed {
        Ok(request) => json.end().map(|()| request).map_err(|e| not_json(&e)),
        Err(error) => match serde_json::from_str::<IgnoredAny>(body) {
            Ok(_) => {
                Err(Error::with(INVALID_PARAMETER, format!("{}: {}", error.path(), brief(error.inner()))))
            }
            Err(syntax) => Err(not_json(&syntax)),
        },
    }
}

/// A frame of the push connection: an object. serde would also take an array of its fields' values.
#[must_use]
pub fn read_frame(text: &str) -> Option<ClientFrame> {
    let is_object = text.trim_ascii_start().starts_with('{');
    serde_json::from_str(text).ok().filter(|_| is_object)
}

/// What is wrong, without the most of a long value that was sent: an answer must not be as large as the request.
fn brief(error: &dyn Display) -> String {
    let text = error.to_string();
    let before = text.floor_char_boundary(TOLD / 2);
    let after = text.ceil_char_boundary(text.len().saturating_sub(TOLD / 2));
    match (text.get(..before), text.get(after..)) {
        (Some(start), Some(end)) if before < after => format!("{start}…{end}"),
        _ => text,
    }
}

fn not_json(why: &dyn Display) -> Error {
    Error::with(BAD_JSON, format!("the body is not a JSON object: {why}"))
}

/// Looked for before anything is parsed: what is skipped, or kept as it came, passes the parser's own limit.
fn is_deeper_than(levels: usize, json: &str) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    json.bytes().any(|byte| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > levels
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_error_the_start_and_the_end_are_told() {
        assert_eq!(brief(&"short"), "short");
        assert_eq!(brief(&"人".repeat(80)), "人".repeat(80));
        let long = brief(&format!("expected {} but got", "人".repeat(1000)));
        assert!(long.starts_with("expected 人") && long.ends_with("人 but got"), "{long}");
        assert!(long.len() <= TOLD + "…".len());
    }

    #[test]
    fn brackets_count_as_levels_unless_they_are_in_a_string() {
        let nested = |n| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(!is_deeper_than(3, &nested(3)));
        assert!(is_deeper_than(3, &nested(4)));
        assert!(!is_deeper_than(1, &"[]".repeat(9)));
        assert!(!is_deeper_than(1, r#"{"[[[":"\"{{{\\"}"#));
        assert!(is_deeper_than(1, r#"{"\\":["#));
    }
}
