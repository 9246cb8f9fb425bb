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
