//! The commands by their URLs.

use crate::wire::{C2C_SERVICE, EXTENSION_SERVICE, GROUP_SERVICE};

/// What the server can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Command {
    /// Seed 002.
    SetC2c,
    /// Seed 002, for a group's message.
    SetGroup,
    /// Seed 003.
    PullC2c,
    /// Seed 004.
    PullGroup,
    /// `register_message`.
    Register,
    /// `sendmsg`.
    SendC2c,
    /// `send_group_msg`.
    SendGroup,
    /// `admin_getroammsg`.
    ListC2c,
    /// `group_msg_get_simple`.
    ListGroup,
    /// `create_group`.
    CreateGroup,
    /// `destroy_group`.
    DestroyGroup,
    /// `add_group_member`.
    AddMembers,
    /// `delete_group_member`.
    DeleteMembers,
}

impl Command {
    /// The command of `/v4/{service}/{command}`.
    #[must_use]
    pub fn of(service: &str, command: &str) -> Option<Self> {
        Some(match (service, command) {
            (EXTENSION_SERVICE, "set_key_values") => Self::SetC2c,
            (EXTENSION_SERVICE, "group_set_key_values") => Self::SetGroup,
            (EXTENSION_SERVICE, "get_key_values") => Self::PullC2c,
            (EXTENSION_SERVICE, "group_get_key_values") => Self::PullGroup,
            (EXTENSION_SERVICE, "register_message") => Self::Register,
            (C2C_SERVICE, "sendmsg") => Self::SendC2c,
            (C2C_SERVICE, "admin_getroammsg") => Self::ListC2c,
            (GROUP_SERVICE, "send_group_msg") => Self::SendGroup,
            (GROUP_SERVICE, "group_msg_get_simple") => Self::ListGroup,
            (GROUP_SERVICE, "create_group") => Self::CreateGroup,
            (GROUP_SERVICE, "destroy_group") => Self::DestroyGroup,
            (GROUP_SERVICE, "add_group_member") => Self::AddMembers,
            (GROUP_SERVICE, "delete_group_member") => Self::DeleteMembers,
            _ => return None,
        })
    }

    /// Whether it sets or pulls extensions, and so can be switched off (10008).
    #[must_use]
    pub const fn is_of_extensions(self) -> bool {
        matches!(self, Self::SetC2c | Self::SetGroup | Self::PullC2c | Self::PullGroup)
    }
}
