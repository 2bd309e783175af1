-- Version 3: the digest of the extensions, by which a client finds out that it knows another history.

-- NULL: nothing was committed since version 2.
ALTER TABLE counters ADD COLUMN digest INTEGER;
