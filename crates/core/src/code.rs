//! The one list of error codes: numbers, names, texts; the TypeScript union and the tables in the docs are made from it.

use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt;

/// Where a code is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// By the server, for the whole request: the SDK's promise rejects with it.
    Request,
    /// By the server, for one item of a request that otherwise counts: the promise resolves.
    Item,
    /// By the SDK itself: the promise rejects with it.
    Client,
}

/// One row of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeInfo {
    /// The number on the wire and in `error.code`.
    pub code: u32,
    /// A constant's name.
    pub name: &'static str,
    /// Where it is given.
    pub scope: Scope,
    /// Whether the same call may succeed later without being changed.
    pub retryable: bool,
    /// What it means, for the documentation.
    pub text: &'static str,
    /// What to do about it, for the documentation.
    pub help: &'static str,
}

macro_rules! codes {
    ($($name:ident = $code:literal, $scope:ident, $retryable:literal, $text:literal, $help:literal;)*) => {
        $(#[doc = $text] pub const $name: u32 = $code;)*
        /// Every code that this project gives, ascending within its scope.
        pub const CODES: &[CodeInfo] = &[$(CodeInfo {
            code: $code, name: stringify!($name), scope: Scope::$scope, retryable: $retryable, text: $text,
            help: $help,
        }),*];
    };
}

codes! {
    INTERNAL = 10002, Request, true, "The server could not do its work (seeds 002 to 004). Nothing is known to be written.",
        "Call again. The operator finds the reason in the log: a full disk, a damaged file.";
    INVALID_PARAMETER = 10004, Request, false, "A parameter is malformed, missing, repeated or over a limit (seeds 002 to 004). Nothing was written.",
        "Correct what the text names.";
    NOT_ENABLED = 10008, Request, false, "Message extensions are switched off for this app (seeds 002 to 004).",
        "Ask the operator: --extensions-off is set.";
    NO_SUCH_GROUP = 10010, Request, false, "The group does not exist, or the caller may not see it.",
        "Create the group first, or log in as one of its members.";
    GROUP_EXISTS = 10021, Request, false, "A group with this GroupId exists already.",
        "Use the group that is there, or another GroupId.";
    NOT_SUPPORTED = 23002, Request, false, "The message does not support extensions (seed 002); Community and AVChatRoom never do.",
        "Send a message with support, to a user or to a Private, Public or ChatRoom group.";
    TOO_MANY_WRITES = 23003, Request, true, "More than 200 write attempts in a minute on one message, or more than one user's share of them (seed 002).",
        "Write again in a minute; put what belongs together into one call.";
    NO_SUCH_MESSAGE = 23004, Request, false, "The message does not exist, or the caller may not see it (seeds 002 to 004).",
        "Stop showing the message: it was removed, or the user has left the group.";
    CLEAR_REFUSED = 23107, Request, false, "The message's rules do not let the caller clear it: ClearBy, or ClosesAt has passed.",
        "Do not offer to clear; delete single keys where the rules let you.";
    BAD_HTTP = 60002, Request, false, "The HTTP request cannot be used: not a POST, or a body that is too large or unreadable.",
        "Send a POST with a body of up to 1 MiB.";
    BAD_JSON = 60003, Request, false, "The body is not a JSON object in UTF-8, or is nested more than 64 levels deep.",
        "Send one JSON object.";
    BAD_IDENTITY = 60004, Request, false, "identifier or usersig is missing from the URL.",
        "Put both into the URL.";
    TOO_FREQUENT = 60007, Request, true, "Calls are too frequent: 200 a second per command for admins, 50 a second for a user.",
        "Call again in a second; watch a message instead of asking for it again and again.";
    NO_SUCH_COMMAND = 60009, Request, false, "There is no such service or command.",
        "The endpoint is the URL without /v4.";
    ADMIN_ONLY = 60010, Request, false, "Only an app admin may make this call.",
        "Make this call on your backend, as an app admin.";
    NO_APP_ID = 60012, Request, false, "sdkappid is missing from the URL, or not a number.",
        "Put the SDKAppID into the URL.";
    SIGNATURE_EXPIRED = 70001, Request, false, "The UserSig has expired.",
        "Get a new UserSig from your backend and call login again.";
    SIGNATURE_UNREADABLE = 70003, Request, false, "The UserSig is cut short or not a UserSig.",
        "Hand the UserSig on as your backend made it, not shortened and not encoded twice.";
    SIGNATURE_REFUSED = 70009, Request, false, "The UserSig was not made with this app's secret key.",
        "Give your backend and the server the same secret key.";
    SIGNATURE_OF_ANOTHER_USER = 70013, Request, false, "The UserSig was made for another identifier.",
        "Sign for the user who logs in.";
    SIGNATURE_OF_ANOTHER_APP = 70014, Request, false, "The UserSig, or the sdkappid in the URL, is of another app.",
        "Use the SDKAppID that the server was started with, everywhere.";
    SEQ_CONFLICT = 23001, Item, true, "Somebody else wrote this key first (seed 002); the item carries what they wrote.",
        "Show their value; set again to write over it, or use mutateMessageExtension.";
    TOO_MANY_TOMBSTONES = 23101, Item, false, "The message remembers as many deleted keys as it may.",
        "Clear the message, or set keys again instead of deleting them.";
    KEY_OF_ANOTHER = 23102, Item, false, "By the message's rule KeyOwner the key is not the caller's to write.",
        "Write the user's own key: their UserID and the rule's suffix.";
    WRITTEN_ONCE = 23103, Item, false, "By the message's rule WriteOnce the key keeps the value that it has; the item carries it.",
        "Show the value that is there; it stays.";
    CLOSED = 23104, Item, false, "By the message's rule ClosesAt nothing is written any more.",
        "Say that it is over; nothing can be changed.";
    FULL = 23105, Item, false, "By the message's rule MaxKeys there is no room for another key.",
        "Say that it is full; a seat is free when a key is deleted.";
    VALUE_NOT_ALLOWED = 23106, Item, false, "The value is not in the message's rule Values.",
        "Offer only what the rule lists.";
    NOT_LOGGED_IN = 2024, Client, false, "Called before login.",
        "Call login first, and wait for its promise.";
    NETWORK = 2800, Client, true, "The server could not be reached.",
        "Call again when the network is back, or have writes wait with offline: true.";
    TIMEOUT = 2801, Client, true, "No answer within 15 seconds.",
        "Read before you write again: it may have been done all the same. Or have writes wait with offline: true.";
    UNUSABLE_REPLY = 2903, Client, true, "The server's reply cannot be used.",
        "Look at endpoint: what answers there is another server, or a proxy that changes answers.";
    UNSUPPORTED_CONVERSATION = 2998, Client, false, "This type of conversation has no message extensions.",
        "Use messages of one-to-one conversations and groups.";
    NOT_READY = 3000, Client, true, "Logged in, but not ready yet.",
        "Call after SDK_READY.";
    LOGGED_OUT = 3005, Client, false, "Called after logout, or the call was open when the user logged out.",
        "Log in again.";
    INVALID_ARGUMENT = 9001, Client, false, "An argument is missing or not what was expected; the text names it.",
        "Correct the argument that the text names.";
    MESSAGE_NOT_SENT = 9002, Client, false, "The message has not been sent (status is not \"success\").",
        "Wait for the promise of sendMessage.";
    EXTENSIONS_OFF = 9003, Client, false, "The message was sent without isSupportExtension.",
        "Create the message with isSupportExtension: true; it cannot be added later.";
    DESTROYED = 9004, Client, false, "Called after destroy, or the call was open when the instance was destroyed.",
        "Call create again, and use what it gives.";
    NOT_LOADED = 9005, Client, true, "The WebAssembly part could not be loaded; the text says why.",
        "Do what the text says; the next call tries again.";
    NOT_CACHED = 9006, Client, false, "Read with the source \"cache\", and the message has never been read before.",
        "Read without source, or watch the message.";
    STORAGE = 9007, Client, false, "What is read and written is not kept in the browser, only in memory; the text says why.",
        "Nothing has to be done: all calls work on. Say so, if what is queued would be missed after a reload.";
}

/// A coded error: of a whole request on the wire, of a rejected promise in the SDK.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// One of [`CODES`], or what a foreign server gave.
    pub code: u32,
    /// What was wrong, what was expected, and which argument.
    pub message: Cow<'static, str>,
}

impl Error {
    /// An error with a fixed text. There are many of them: a call of this is smaller than what it does.
    #[cold]
    #[inline(never)]
    pub const fn new(code: u32, message: &'static str) -> Self {
        Self { code, message: Cow::Borrowed(message) }
    }

    /// An error with a text made on the spot.
    #[cold]
    #[inline(never)]
    pub const fn with(code: u32, message: String) -> Self {
        Self { code, message: Cow::Owned(message) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl core::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_ascend_within_their_scope() {
        for scope in [Scope::Request, Scope::Item, Scope::Client] {
            assert!(CODES.iter().filter(|c| c.scope == scope).is_sorted_by_key(|c| c.code));
        }
    }

    #[test]
    fn no_code_is_listed_twice() {
        for (i, a) in CODES.iter().enumerate() {
            assert!(CODES[i + 1..].iter().all(|b| a.code != b.code && a.name != b.name), "{a:?}");
        }
    }
}
