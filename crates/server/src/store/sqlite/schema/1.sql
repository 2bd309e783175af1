-- Version 1. Numbers (`no`) are never used again, so that nothing can be taken for what was removed before it.
CREATE TABLE groups (
    no INTEGER PRIMARY KEY AUTOINCREMENT,
    group_id TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL,
    name TEXT NOT NULL,
    last_msg_seq INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE members (
    group_no INTEGER NOT NULL REFERENCES groups (no) ON DELETE CASCADE,
    user TEXT NOT NULL,
    PRIMARY KEY (group_no, user)
) STRICT, WITHOUT ROWID;

-- A message has either a recipient and a msg_key, or a group_no.
CREATE TABLE messages (
    no INTEGER PRIMARY KEY AUTOINCREMENT,
    sender TEXT NOT NULL,
    recipient TEXT,
    msg_key TEXT,
    group_no INTEGER REFERENCES groups (no) ON DELETE CASCADE,
    msg_seq INTEGER NOT NULL,
    random INTEGER NOT NULL,
    time INTEGER NOT NULL,
    extensible INTEGER NOT NULL,
    message_id TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX messages_by_key ON messages (recipient, msg_key, sender) WHERE group_no IS NULL;
CREATE UNIQUE INDEX messages_by_id ON messages (sender, recipient, message_id) WHERE group_no IS NULL;
CREATE INDEX messages_by_time ON messages (sender, recipient, time) WHERE group_no IS NULL;
CREATE UNIQUE INDEX group_messages_by_seq ON messages (group_no, msg_seq) WHERE group_no IS NOT NULL;
CREATE UNIQUE INDEX group_messages_by_id ON messages (group_no, sender, message_id) WHERE group_no IS NOT NULL;

-- Apart from messages, so that a set does not rewrite the message's body.
CREATE TABLE counters (
    message_no INTEGER PRIMARY KEY REFERENCES messages (no) ON DELETE CASCADE,
    latest_seq INTEGER NOT NULL,
    clear_seq INTEGER NOT NULL
) STRICT;

-- A value of NULL is a tombstone.
CREATE TABLE entries (
    message_no INTEGER NOT NULL REFERENCES counters (message_no) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT,
    seq INTEGER NOT NULL,
    author TEXT NOT NULL,
    time INTEGER NOT NULL,
    PRIMARY KEY (message_no, key)
) STRICT, WITHOUT ROWID;

-- A ring for each caller: the slot is the turn modulo how many answers are remembered.
CREATE TABLE answers (
    message_no INTEGER NOT NULL REFERENCES counters (message_no) ON DELETE CASCADE,
    caller TEXT NOT NULL,
    slot INTEGER NOT NULL,
    turn INTEGER NOT NULL,
    request_id BLOB NOT NULL,
    answer TEXT NOT NULL,
    PRIMARY KEY (message_no, caller, slot)
) STRICT, WITHOUT ROWID;
