-- All resources of one type of one tenant.
CREATE TABLE collection (
    id INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    resource_type TEXT NOT NULL,
    UNIQUE (tenant, resource_type)
) STRICT;

-- Code systems, identifier systems, types of reference targets, units, each text once. The empty text is 1.
CREATE TABLE name (
    id INTEGER PRIMARY KEY,
    text TEXT NOT NULL UNIQUE
) STRICT;
INSERT INTO name VALUES (1, '');

-- Fields of the search index: places in the resources of one type. Search parameters are made of them
-- (src/fhir/search/catalogue.rs), and some share one.
CREATE TABLE field (
    id INTEGER PRIMARY KEY,
    collection INTEGER NOT NULL REFERENCES collection (id),
    name TEXT NOT NULL,
    UNIQUE (collection, name)
) STRICT;

-- The current version of each resource. seq counts in the order of first storing and never changes.
-- search_keys lists the resource's search rows (keys.rs has the format): a search checks a resource by it, sorts by it, and
-- a newer version finds by it those rows that it no longer has, without a second index over all of them.
CREATE TABLE resource (
    seq INTEGER PRIMARY KEY,
    collection INTEGER NOT NULL REFERENCES collection (id),
    id TEXT NOT NULL,
    version_id INTEGER NOT NULL,
    last_updated INTEGER NOT NULL,
    patient TEXT,
    search_keys BLOB NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (collection, id)
) STRICT;
CREATE INDEX resource_by_seq ON resource (collection);
CREATE INDEX resource_by_last_updated ON resource (collection, last_updated);
CREATE INDEX resource_by_patient ON resource (patient);

-- Versions that a newer one has replaced.
CREATE TABLE past_version (
    resource INTEGER NOT NULL REFERENCES resource (seq),
    version_id INTEGER NOT NULL,
    last_updated INTEGER NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (resource, version_id)
) STRICT;

-- Search rows of current versions, one tree for each kind of value. A reference is a token too: system is the target's
-- type, code its id; so is a uri, without a system.
CREATE TABLE token (
    field INTEGER NOT NULL REFERENCES field (id),
    code TEXT NOT NULL,
    system INTEGER NOT NULL REFERENCES name (id),
    resource INTEGER NOT NULL REFERENCES resource (seq),
    PRIMARY KEY (field, code, system, resource)
) STRICT, WITHOUT ROWID;

-- Spans of time in microseconds since 1970-01-01T00:00:00Z, both ends inclusive.
CREATE TABLE date (
    field INTEGER NOT NULL REFERENCES field (id),
    low INTEGER NOT NULL,
    resource INTEGER NOT NULL REFERENCES resource (seq),
    high INTEGER NOT NULL,
    PRIMARY KEY (field, low, resource, high)
) STRICT, WITHOUT ROWID;

-- The beginnings of texts, without case and accents.
CREATE TABLE text (
    field INTEGER NOT NULL REFERENCES field (id),
    text TEXT NOT NULL,
    resource INTEGER NOT NULL REFERENCES resource (seq),
    PRIMARY KEY (field, text, resource)
) STRICT, WITHOUT ROWID;

-- Numbers and quantities as bytes that sort as they do (src/fhir/search/number.rs); of quantities in a unit of UCUM in base
-- units. unit is that base unit, and 1 for all else.
CREATE TABLE number (
    field INTEGER NOT NULL REFERENCES field (id),
    unit INTEGER NOT NULL REFERENCES name (id),
    low BLOB NOT NULL,
    high BLOB NOT NULL,
    resource INTEGER NOT NULL REFERENCES resource (seq),
    PRIMARY KEY (field, unit, low, high, resource)
) STRICT, WITHOUT ROWID;

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
