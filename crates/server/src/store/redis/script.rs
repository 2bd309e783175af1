//! The scripts that the engine runs, and calls of them. A script compares and keeps; each key that it touches is named in
//! its call, so that a cluster which moves a slot never shows it half of one.

use redis::{Cmd, RedisWrite, Script, cmd};
use std::io::Write;
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
    /// One after the other, and where each ends.
    arguments: Vec<u8>,
    ends: Vec<usize>,
}

#[derive(Clone, Copy)]
enum What {
    Script(&'static Source),
    /// Of the engine itself; its key comes first.
    Command(&'static str),
}

impl Call {
    pub(super) fn new(script: &'static Source, keys: Vec<String>) -> Self {
        Self { what: What::Script(script), keys, arguments: Vec::new(), ends: Vec::new() }
    }

    pub(super) fn command(name: &'static str, key: String) -> Self {
        Self { what: What::Command(name), keys: vec![key], arguments: Vec::new(), ends: Vec::new() }
    }

    pub(super) fn arg(mut self, argument: impl AsRef<[u8]>) -> Self {
        self.arguments.extend_from_slice(argument.as_ref());
        self.ends.push(self.arguments.len());
        self
    }

    pub(super) fn number(mut self, argument: impl std::fmt::Display) -> Self {
        // Memory does not refuse.
        let _ = write!(self.arguments, "{argument}");
        self.ends.push(self.arguments.len());
        self
    }

    pub(super) fn args<T: AsRef<[u8]>>(self, arguments: impl IntoIterator<Item = T>) -> Self {
        arguments.into_iter().fold(self, Self::arg)
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
        let mut begin = 0;
        for end in &self.ends {
            command.arg(self.arguments.get(begin..*end).unwrap_or_default());
            begin = *end;
        }
        command
    }
}
