-- Version 2: rules of a message, when it was last changed, and the webhooks that wait.

-- ExtensionRules as JSON; NULL: none.
ALTER TABLE messages ADD COLUMN rules TEXT;

-- When the message was made or last changed, milliseconds since 1970. Without an index, which every write would have to
-- pay for; retention looks at all of them once in a while.
ALTER TABLE counters ADD COLUMN time INTEGER NOT NULL DEFAULT 0;
UPDATE counters SET time = max(
    (SELECT m.time * 1000 FROM messages m WHERE m.no = message_no),
    ifnull((SELECT max(e.time) FROM entries e WHERE e.message_no = counters.message_no), 0)
);

-- Outlive their message: what happened is told, whatever became of the message since. Numbered as they came.
CREATE TABLE webhooks (
    no INTEGER PRIMARY KEY,
    message_no INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    time INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX webhooks_by_message ON webhooks (message_no, seq);
