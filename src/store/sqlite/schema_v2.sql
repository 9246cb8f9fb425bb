-- Whether a record of a sender made the current version: then only that record changes it. All resources of an older
-- file are of records.
ALTER TABLE resource ADD COLUMN of_record INTEGER NOT NULL DEFAULT 1;

-- The history of a type goes by the time of its versions.
ALTER TABLE past_version ADD COLUMN collection INTEGER NOT NULL DEFAULT 0;
UPDATE past_version SET collection = (SELECT collection FROM resource WHERE seq = past_version.resource);
CREATE INDEX past_version_by_last_updated ON past_version (collection, last_updated);

-- Resources that are deleted now: their last version, which has no body. They have no row in the table resource, so that
-- no search meets them; their row number stays theirs. Stored again, the deletion becomes a past version with an empty
-- body.
CREATE TABLE deletion (
    resource INTEGER PRIMARY KEY,
    collection INTEGER NOT NULL REFERENCES collection (id),
    id TEXT NOT NULL,
    version_id INTEGER NOT NULL,
    last_updated INTEGER NOT NULL,
    UNIQUE (collection, id)
) STRICT;
CREATE INDEX deletion_by_last_updated ON deletion (collection, last_updated);
