-- All resources of one type of one tenant.
CREATE TABLE collection (
    id INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    resource_type TEXT NOT NULL,
    UNIQUE (tenant, resource_type)
) STRICT;

-- Search parameters, code systems, identifier systems and types of reference targets, each text once.
CREATE TABLE name (
    id INTEGER PRIMARY KEY,
    text TEXT NOT NULL UNIQUE
) STRICT;

-- The current version of each resource. seq counts in the order of first storing and never changes.
-- first_date and last_date are the lowest and highest start of its dates, for sorting; without any they are
-- the highest and the lowest integer, so that such a resource comes last in either direction.
-- search_keys lists the resource's token rows (search_rows.rs has the format), so that a newer version finds those it
-- no longer has without a second index over all of them.
CREATE TABLE resource (
    seq INTEGER PRIMARY KEY,
    collection INTEGER NOT NULL REFERENCES collection (id),
    id TEXT NOT NULL,
    version_id INTEGER NOT NULL,
    last_updated INTEGER NOT NULL,
    patient TEXT,
    first_date INTEGER NOT NULL,
    last_date INTEGER NOT NULL,
    search_keys BLOB NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (collection, id)
) STRICT;
CREATE INDEX resource_by_seq ON resource (collection);
CREATE INDEX resource_by_last_updated ON resource (collection, last_updated);
CREATE INDEX resource_by_first_date ON resource (collection, first_date);
CREATE INDEX resource_by_last_date ON resource (collection, last_date);
CREATE INDEX resource_by_patient ON resource (patient);

-- Versions that a newer one has replaced.
CREATE TABLE past_version (
    resource INTEGER NOT NULL REFERENCES resource (seq),
    version_id INTEGER NOT NULL,
    last_updated INTEGER NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (resource, version_id)
) STRICT;

-- Search rows of current versions. A reference is a token too: system is the target's type, code its id.
CREATE TABLE token (
    collection INTEGER NOT NULL REFERENCES collection (id),
    parameter INTEGER NOT NULL REFERENCES name (id),
    code TEXT NOT NULL,
    system INTEGER NOT NULL REFERENCES name (id),
    resource INTEGER NOT NULL REFERENCES resource (seq),
    PRIMARY KEY (collection, parameter, code, system, resource)
) STRICT, WITHOUT ROWID;

-- Spans of time in microseconds since 1970-01-01T00:00:00Z, both ends inclusive.
CREATE TABLE date (
    resource INTEGER NOT NULL REFERENCES resource (seq),
    parameter INTEGER NOT NULL REFERENCES name (id),
    low INTEGER NOT NULL,
    high INTEGER NOT NULL,
    collection INTEGER NOT NULL REFERENCES collection (id),
    PRIMARY KEY (resource, parameter, low, high)
) STRICT, WITHOUT ROWID;
CREATE INDEX date_by_low ON date (collection, parameter, low, high, resource);

-- The senders' records, and which resources each wrote, in which versions.
CREATE TABLE record (
    seq INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    kind TEXT NOT NULL,
    record_id TEXT NOT NULL,
    system TEXT NOT NULL,
    revision TEXT NOT NULL,
    digest BLOB NOT NULL,
    UNIQUE (tenant, kind, record_id, system)
) STRICT;
CREATE TABLE record_resource (
    record INTEGER NOT NULL REFERENCES record (seq),
    position INTEGER NOT NULL,
    resource INTEGER NOT NULL REFERENCES resource (seq),
    version_id INTEGER NOT NULL,
    PRIMARY KEY (record, position)
) STRICT, WITHOUT ROWID;

-- One row that the readiness check writes.
CREATE TABLE readiness (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    checked INTEGER NOT NULL
) STRICT;
INSERT INTO readiness VALUES (1, 0);
