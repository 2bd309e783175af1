-- A file of version 1 as it was released: its schema, letter by letter, and what two votes had left in it.
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

PRAGMA user_version = 1;

INSERT INTO groups VALUES (3, 'lunch', 'Public', 'Lunch', 41);
INSERT INTO members VALUES (3, 'alice'), (3, 'bob');
-- One from alice to bob that was voted on, one in the group that nobody has touched.
INSERT INTO messages VALUES
    (7, 'alice', 'bob', '5_6_1600000000', NULL, 5, 6, 1600000000, 1, 'alice-1600000000-6', '[{"MsgType":"T","MsgContent":{}}]'),
    (9, 'bob', NULL, NULL, 3, 41, 8, 1600000100, 1, 'bob-1600000100-8', '[]');
INSERT INTO counters VALUES (7, 5, 2), (9, 0, 0);
INSERT INTO entries VALUES
    (7, 'bob_0', '1', 4, 'bob', 1600000000777),
    (7, 'gone', NULL, 5, 'alice', 1600000000999),
    (7, '人', '🗳', 3, 'alice', 1600000000555);
INSERT INTO answers VALUES
    (7, 'bob', 1, 9, x'000102030405060708090a0b0c0d0e0f', '{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0,"Seq":4}');
