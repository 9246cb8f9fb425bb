-- Answers that are kept for a while, so that a request with an idempotency key is done once (src/store/once.rs). name and
-- request are digests; head is JSON: status, headers and the rows that the body shows.
CREATE TABLE kept_answer (
    tenant TEXT NOT NULL,
    name BLOB NOT NULL,
    request BLOB NOT NULL,
    until INTEGER NOT NULL,
    head TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (tenant, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX kept_answer_by_until ON kept_answer (until);

-- How a version came to be: 0 not known, else 1 POST, 2 PUT, 3 PATCH, and 4 more where it created the resource.
ALTER TABLE resource ADD COLUMN made_by INTEGER NOT NULL DEFAULT 0;
ALTER TABLE past_version ADD COLUMN made_by INTEGER NOT NULL DEFAULT 0;
