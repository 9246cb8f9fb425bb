-- Codes stand in the index as numbers (src/store/code.rs): a row takes a third of the bytes. All search rows are made anew from
-- the lists that the resources keep (schema.rs).
DROP TABLE token;
CREATE TABLE token (
    field INTEGER NOT NULL REFERENCES field (id),
    code INTEGER NOT NULL,
    system INTEGER NOT NULL REFERENCES name (id),
    resource INTEGER NOT NULL REFERENCES resource (seq),
    PRIMARY KEY (field, code, system, resource)
) STRICT, WITHOUT ROWID;
DELETE FROM date;
DELETE FROM text;
DELETE FROM number;
