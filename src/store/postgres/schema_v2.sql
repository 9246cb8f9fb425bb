-- Whose data. Every key of a tenant's rows begins with its number: where tables are spread over machines, that is how.
CREATE TABLE tenant (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE
);

-- Resource types, code systems, identifier systems, units, each text once: rows of all tenants name them by number.
-- Rows are added and never changed, so what a gateway remembers of them stays right. They are found by SHA-256, because an
-- index takes no long text. The empty text is 1.
CREATE TABLE name (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    digest bytea NOT NULL UNIQUE,
    text text COLLATE "C" NOT NULL
);
INSERT INTO name (digest, text) VALUES (sha256(''), '');

-- Fields of the search index: places in the resources of one type (collection: its name's number).
CREATE TABLE field (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    collection integer NOT NULL,
    name text COLLATE "C" NOT NULL,
    UNIQUE (collection, name)
);

-- The last instant that was given to a version: no two versions of a tenant share theirs.
CREATE TABLE clock (
    tenant integer PRIMARY KEY,
    last bigint NOT NULL
);

-- Each resource that ever was. seq is the instant of its first version, in microseconds since 1970-01-01T00:00:00Z: it
-- never changes, and sorts as they were first stored. search_keys lists its search rows (keys.rs has the format).
CREATE TABLE resource (
    tenant integer NOT NULL,
    seq bigint NOT NULL,
    collection integer NOT NULL,
    id text COLLATE "C" NOT NULL,
    version_id bigint NOT NULL,
    last_updated bigint NOT NULL,
    deleted boolean NOT NULL,
    of_record boolean NOT NULL,
    patient text COLLATE "C",
    search_keys bytea NOT NULL,
    PRIMARY KEY (tenant, collection, id)
);
CREATE UNIQUE INDEX resource_by_number ON resource (tenant, seq);
CREATE INDEX resource_by_seq ON resource (tenant, collection, seq) WHERE NOT deleted;
CREATE INDEX resource_by_last_updated ON resource (tenant, collection, last_updated, seq) WHERE NOT deleted;
CREATE INDEX resource_by_patient ON resource (tenant, patient, seq) WHERE NOT deleted AND patient IS NOT NULL;

-- All versions. Without bytes in its body: it says that the resource was deleted.
CREATE TABLE version (
    tenant integer NOT NULL,
    resource bigint NOT NULL,
    version_id bigint NOT NULL,
    collection integer NOT NULL,
    last_updated bigint NOT NULL,
    -- Packed (src/store/packed.rs).
    body bytea NOT NULL,
    -- How it came to be: 0 not known, else 1 POST, 2 PUT, 3 PATCH, and 4 more where it created the resource.
    made_by smallint NOT NULL,
    PRIMARY KEY (tenant, resource, version_id)
);
CREATE UNIQUE INDEX version_by_time ON version (tenant, last_updated);
CREATE INDEX version_by_type ON version (tenant, collection, last_updated);

-- Search rows of current versions. A reference is a token too: system is the target's type, code its id; so is a uri,
-- without a system. A code stands as its number (src/store/code.rs).
CREATE TABLE token (
    tenant integer NOT NULL,
    field integer NOT NULL,
    code bigint NOT NULL,
    system integer NOT NULL,
    resource bigint NOT NULL,
    PRIMARY KEY (tenant, field, code, system, resource)
);

-- Spans of time in microseconds, both ends inclusive.
CREATE TABLE date (
    tenant integer NOT NULL,
    field integer NOT NULL,
    low bigint NOT NULL,
    resource bigint NOT NULL,
    high bigint NOT NULL,
    PRIMARY KEY (tenant, field, low, resource, high)
);
-- What ends after an instant is not found by where it begins.
CREATE INDEX date_by_high ON date (tenant, field, high, resource);

-- The beginnings of texts, without case and accents.
CREATE TABLE text (
    tenant integer NOT NULL,
    field integer NOT NULL,
    text text COLLATE "C" NOT NULL,
    resource bigint NOT NULL,
    PRIMARY KEY (tenant, field, text, resource)
);

-- Numbers and quantities as bytes that sort as they do; of quantities in a unit of UCUM in base units. unit is that base
-- unit, and 1 for all else.
CREATE TABLE number (
    tenant integer NOT NULL,
    field integer NOT NULL,
    unit integer NOT NULL,
    low bytea NOT NULL,
    high bytea NOT NULL,
    resource bigint NOT NULL,
    PRIMARY KEY (tenant, field, unit, low, high, resource)
);
CREATE INDEX number_by_high ON number (tenant, field, unit, high, resource);

-- The senders' records, by the SHA-256 of kind, record id and system, and which resources each wrote, in which versions.
CREATE TABLE record (
    tenant integer NOT NULL,
    digest_of_key bytea NOT NULL,
    seq bigint NOT NULL,
    kind text COLLATE "C" NOT NULL,
    record_id text COLLATE "C" NOT NULL,
    system text COLLATE "C" NOT NULL,
    revision text COLLATE "C" NOT NULL,
    digest bytea NOT NULL,
    PRIMARY KEY (tenant, digest_of_key)
);
CREATE UNIQUE INDEX record_by_number ON record (tenant, seq);
CREATE INDEX record_by_id ON record (tenant, record_id, kind);
CREATE TABLE record_resource (
    tenant integer NOT NULL,
    record bigint NOT NULL,
    position integer NOT NULL,
    resource bigint NOT NULL,
    version_id bigint NOT NULL,
    PRIMARY KEY (tenant, record, position)
);

-- Answers that are kept for a while, so that a request with an idempotency key is done once (src/store/once.rs). name and
-- request are digests; head is JSON: status, headers and the rows that the body shows.
CREATE TABLE kept_answer (
    tenant integer NOT NULL,
    name bytea NOT NULL,
    request bytea NOT NULL,
    until bigint NOT NULL,
    head text NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (tenant, name)
);
CREATE INDEX kept_answer_by_until ON kept_answer (tenant, until);

-- What the gateway notes for its own work: how far search rows are made anew (src/ingest/parameters.rs).
CREATE TABLE note (
    tenant integer NOT NULL,
    name text COLLATE "C" NOT NULL,
    text text NOT NULL,
    PRIMARY KEY (tenant, name)
);

-- One row that the readiness check writes.
CREATE TABLE readiness (
    id integer PRIMARY KEY CHECK (id = 1),
    checked bigint NOT NULL
);
INSERT INTO readiness VALUES (1, 0);

-- How far the copy of an embedded store has come; no gateway serves an unfinished one.
CREATE TABLE arrival (
    id integer PRIMARY KEY CHECK (id = 1),
    source text NOT NULL,
    newest bigint NOT NULL,
    resource bigint NOT NULL,
    record bigint NOT NULL,
    finished boolean NOT NULL
);
