-- Versions whose search rows may still be in memory alone, in the order of their commits: a start makes the rows again, from
-- the keys of the resource as it is, and takes away those of the version before (`before`, NULL where there was none).
CREATE TABLE pending (
    seq INTEGER PRIMARY KEY,
    resource INTEGER NOT NULL,
    before BLOB
) STRICT;

-- Ids stand among the tokens (ids.rs), where they are written in large groups as search rows are; so the table's own index of
-- them goes, and with it the constraint that was made of it: the writer looks for an id before it takes it.
CREATE TABLE resource_v5 (
    seq INTEGER PRIMARY KEY,
    collection INTEGER NOT NULL REFERENCES collection (id),
    id TEXT NOT NULL,
    version_id INTEGER NOT NULL,
    last_updated INTEGER NOT NULL,
    patient TEXT,
    search_keys BLOB NOT NULL,
    body BLOB NOT NULL,
    of_record INTEGER NOT NULL DEFAULT 1,
    made_by INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO resource_v5
SELECT seq, collection, id, version_id, last_updated, patient, search_keys, body, of_record, made_by FROM resource;
DROP TABLE resource;
ALTER TABLE resource_v5 RENAME TO resource;
CREATE INDEX resource_by_seq ON resource (collection);
CREATE INDEX resource_by_last_updated ON resource (collection, last_updated);
CREATE INDEX resource_by_patient ON resource (patient);
