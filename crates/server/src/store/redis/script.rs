//! The scripts that the engine runs, and calls of them. A script compares and keeps; each key that it touches is named in
//! its call, so that a cluster which moves a slot never shows it half of one.

use redis::{Cmd, RedisWrite, Script, cmd};
use std::sync::LazyLock;

/// A script of ours.
pub(super) struct Source {
    text: &'static str,
    hash: LazyLock<String>,
}

macro_rules! scripts {
    ($($name:ident = $file:literal;)*) => {$(
        pub(super) static $name: Source = Source {
            text: include_str!(concat!("lua/", $file)),
            hash: LazyLock::new(|| Script::new(include_str!(concat!("lua/", $file))).get_hash().to_owned()),
        };
    )*};
}

scripts! {
    NUMBER = "number.lua";
    CREATE_GROUP = "create_group.lua";
    DESTROY_GROUP = "destroy_group.lua";
    MEMBERS = "members.lua";
    GROUP = "group.lua";
    INSERT_C2C = "insert_c2c.lua";
    INSERT_GROUP = "insert_group.lua";
    REMOVE = "remove.lua";
    FIND = "find.lua";
    LIST_C2C = "list_c2c.lua";
    LIST_GROUP = "list_group.lua";
    LOAD = "load.lua";
    COMMIT = "commit.lua";
    ANSWER = "answer.lua";
    WEBHOOKS_REMOVE = "webhooks_remove.lua";
    ARCHIVE = "archive.lua";
    BEAT = "beat.lua";
    LEAD = "lead.lua";
    ATTEMPTS = "attempts.lua";
    CALL = "call.lua";
}

/// A script or a command, with keys and arguments.
#[derive(Clone)]
pub(super) struct Call {
    what: What,
    keys: Vec<String>,
    arguments: Vec<Vec<u8>>,
}

#[derive(Clone, Copy)]
enum What {
    Script(&'static Source),
    /// Of the engine itself; its key comes first.
    Command(&'static str),
}

impl Call {
    pub(super) fn new(script: &'static Source, keys: Vec<String>) -> Self {
        Self { what: What::Script(script), keys, arguments: Vec::new() }
    }

    pub(super) fn command(name: &'static str, key: String) -> Self {
        Self { what: What::Command(name), keys: vec![key], arguments: Vec::new() }
    }

    pub(super) fn arg(mut self, argument: impl AsRef<[u8]>) -> Self {
        self.arguments.push(argument.as_ref().to_vec());
        self
    }

    pub(super) fn number(self, argument: impl std::fmt::Display) -> Self {
        self.arg(argument.to_string())
    }

    pub(super) fn args<T: AsRef<[u8]>>(mut self, arguments: impl IntoIterator<Item = T>) -> Self {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.as_ref().to_vec()));
        self
    }

    /// A script by its hash, or with its text for a server that has not seen it yet.
    pub(super) fn to_cmd(&self, prefix: &str, with_text: bool) -> Cmd {
        let mut command = match self.what {
            What::Command(name) => cmd(name),
            What::Script(script) => {
                let mut command = if with_text { cmd("EVAL") } else { cmd("EVALSHA") };
                command.arg(if with_text { script.text } else { script.hash.as_str() }).arg(self.keys.len());
                command
            }
        };
        for key in &self.keys {
            command.write_arg_fmt(format_args!("{prefix}{key}"));
        }
        command.arg(&self.arguments);
        command
    }
}
