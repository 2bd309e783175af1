//! What users, groups and messages may be called, whoever asks.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::refusal::invalid;
use crate::code::Error;
use crate::message::MessageRef;

/// Longest UserID, bytes of UTF-8.
const USER_ID_BYTES: usize = 255;
/// Longest GroupId, bytes of UTF-8.
const GROUP_ID_BYTES: usize = 48;
/// Longest Name of a group, bytes of UTF-8.
const NAME_BYTES: usize = 100;
/// Users in one request.
const USERS: usize = 500;
/// The types of groups.
const TYPES: [&str; 5] = ["Private", "Public", "ChatRoom", "AVChatRoom", "Community"];

/// Checks UserIDs wherever they come in: 1 to 255 bytes, no control characters. `name` is that of the parameter.
///
/// # Errors
/// 10004.
pub fn check_user_id(name: &str, user_id: &str) -> Result<(), Error> {
    let is_good = (1..=USER_ID_BYTES).contains(&user_id.len()) && !user_id.chars().any(char::is_control);
    if is_good {
        return Ok(());
    }
    Err(invalid(format!(
        "{name} must be a UserID: 1 to {USER_ID_BYTES} bytes of UTF-8, no control characters"
    )))
}

/// Checks a list of UserIDs, which must name somebody.
///
/// # Errors
/// 10004.
pub fn user_ids(field: &str, users: Vec<String>) -> Result<Vec<String>, Error> {
    if users.is_empty() {
        return Err(invalid(format!("{field} must hold at least one UserID")));
    }
    user_ids_or_none(field, users)
}

/// Checks a list of UserIDs, which may be empty.
///
/// # Errors
/// 10004.
pub fn user_ids_or_none(field: &str, users: Vec<String>) -> Result<Vec<String>, Error> {
    if users.len() > USERS {
        return Err(invalid(format!("{field} holds {} UserIDs, at most {USERS} are allowed", users.len())));
    }
    for (i, user) in users.iter().enumerate() {
        check_user_id(&format!("{field}[{i}]"), user)?;
    }
    Ok(users)
}

/// Checks a GroupId: 1 to 48 bytes, no control characters.
///
/// # Errors
/// 10004.
pub fn check_group_id(group_id: &str) -> Result<(), Error> {
    if (1..=GROUP_ID_BYTES).contains(&group_id.len()) && !group_id.chars().any(char::is_control) {
        return Ok(());
    }
    Err(invalid(format!("GroupId must have 1 to {GROUP_ID_BYTES} bytes of UTF-8 and no control characters")))
}

/// Checks the type and the name of a new group.
///
/// # Errors
/// 10004.
pub fn check_group(group_type: &str, name: &str) -> Result<(), Error> {
    if !TYPES.contains(&group_type) {
        return Err(invalid(format!("Type must be one of {}", TYPES.join(", "))));
    }
    if !(1..=NAME_BYTES).contains(&name.len()) {
        return Err(invalid(format!("Name must have 1 to {NAME_BYTES} bytes of UTF-8")));
    }
    Ok(())
}

/// Checks what a message is named by.
///
/// # Errors
/// 10004.
pub fn check_message(named: &MessageRef) -> Result<(), Error> {
    match named {
        MessageRef::C2c { from, to, .. } => {
            from.iter().try_for_each(|from| check_user_id("From_Account", from))?;
            check_user_id("To_Account", to)
        }
        MessageRef::Group { group_id, .. } => check_group_id(group_id),
    }
}
