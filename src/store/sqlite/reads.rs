//! The store room: reads by key, which need no search rows.

use super::record::uncommittable;
use super::unavailable;
use crate::store::packed::unpack;
use crate::store::{RecordKey, StoreError, StoredRecord, StoredResource};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

/// A resource's row number, also of a deleted one; `?1` tenant, `?2` type, `?3` id.
pub(super) const SEQ: &str = "(SELECT seq FROM resource WHERE id = ?3 AND collection =
                    (SELECT id FROM collection WHERE tenant = ?1 AND resource_type = ?2)
                    UNION ALL
                    SELECT resource FROM deletion WHERE id = ?3 AND collection =
                    (SELECT id FROM collection WHERE tenant = ?1 AND resource_type = ?2))";

pub(super) fn current(
    connection: &Connection,
    tenant: &str,
    resource_type: &str,
    id: &str,
) -> Result<Option<StoredResource>, StoreError> {
    const SQL: &str = "SELECT version_id, last_updated, body FROM resource WHERE id = ?3 AND collection =
                       (SELECT id FROM collection WHERE tenant = ?1 AND resource_type = ?2)";
    let mut statement = connection.prepare_cached(SQL).map_err(unavailable)?;
    statement
        .query_row(params![tenant, resource_type, id], |row| stored(row, resource_type, id))
        .optional()
        .map_err(unavailable)
}

pub(super) fn version(
    connection: &mut Connection,
    tenant: &str,
    resource_type: &str,
    id: &str,
    version_id: u64,
) -> Result<Option<StoredResource>, StoreError> {
    // A number that does not fit was never given to a version.
    if i64::try_from(version_id).is_err() {
        return Ok(None);
    }
    // One transaction, or a version could pass from the one table to the other between two looks.
    let transaction = connection.transaction().map_err(unavailable)?;
    if let Some(current) = current(&transaction, tenant, resource_type, id)? {
        if current.version_id == version_id {
            return Ok(Some(current));
        }
        if current.version_id < version_id {
            return Ok(None);
        }
    }
    let sql = format!(
        "SELECT version_id, last_updated, body FROM past_version WHERE resource = {SEQ} AND version_id = ?4
         UNION ALL
         SELECT version_id, last_updated, x'' FROM deletion WHERE resource = {SEQ} AND version_id = ?4"
    );
    let mut statement = transaction.prepare_cached(&sql).map_err(unavailable)?;
    statement
        .query_row(params![tenant, resource_type, id, version_id], |row| stored(row, resource_type, id))
        .optional()
        .map_err(unavailable)
}

pub(super) fn history(
    connection: &Connection,
    tenant: &str,
    resource_type: &str,
    id: &str,
    count: usize,
    before: Option<u64>,
) -> Result<Vec<StoredResource>, StoreError> {
    let sql = format!(
        "SELECT version_id, last_updated, body FROM resource WHERE seq = {SEQ} AND version_id < ?4
         UNION ALL
         SELECT version_id, last_updated, body FROM past_version WHERE resource = {SEQ} AND version_id < ?4
         UNION ALL
         SELECT version_id, last_updated, x'' FROM deletion WHERE resource = {SEQ} AND version_id < ?4
         ORDER BY version_id DESC LIMIT ?5"
    );
    let before = before.map_or(i64::MAX, |version| i64::try_from(version).unwrap_or(i64::MAX));
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    collect(connection, &sql, params![tenant, resource_type, id, before, count], |row| stored(row, resource_type, id))
}

pub(super) fn compartment(
    connection: &Connection,
    tenant: &str,
    patient: &str,
) -> Result<Vec<StoredResource>, StoreError> {
    const SQL: &str = "SELECT version_id, last_updated, body, resource_type, resource.id FROM resource
        JOIN collection ON collection.id = resource.collection
        WHERE seq IN (
            SELECT seq FROM resource WHERE patient = ?2
            UNION
            SELECT seq FROM resource WHERE id = ?2 AND collection =
                (SELECT id FROM collection WHERE tenant = ?1 AND resource_type = 'Patient')
        ) AND tenant = ?1
        ORDER BY seq";
    collect(connection, SQL, params![tenant, patient], typed)
}

pub(super) fn records(
    connection: &mut Connection,
    tenant: &str,
    kind: &str,
    record_id: &str,
    system: Option<&str>,
) -> Result<Vec<StoredRecord>, StoreError> {
    let transaction = connection.transaction().map_err(unavailable)?;
    let rows = collect(
        &transaction,
        "SELECT seq, system, revision, digest FROM record
         WHERE tenant = ?1 AND kind = ?2 AND record_id = ?3 AND (?4 IS NULL OR system = ?4)
         ORDER BY seq",
        params![tenant, kind, record_id, system],
        |row| Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
    )?;
    rows.into_iter()
        .map(|(seq, system, revision, digest)| {
            let key = RecordKey { kind: kind.to_owned(), system, record_id: record_id.to_owned() };
            Ok(StoredRecord { key, revision, digest, resources: record_resources(&transaction, seq)? })
        })
        .collect()
}

fn record_resources(transaction: &Transaction<'_>, record: i64) -> Result<Vec<StoredResource>, StoreError> {
    const SQL: &str = "SELECT listed.version_id,
            coalesce(past.last_updated, resource.last_updated),
            coalesce(past.body, resource.body),
            resource_type, resource.id
        FROM record_resource AS listed
        JOIN resource ON resource.seq = listed.resource
        JOIN collection ON collection.id = resource.collection
        LEFT JOIN past_version AS past
            ON past.resource = listed.resource AND past.version_id = listed.version_id
        WHERE listed.record = ?1
        ORDER BY position";
    collect(transaction, SQL, params![record], typed)
}

fn collect<T>(
    connection: &Connection,
    sql: &str,
    values: impl rusqlite::Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = connection.prepare_cached(sql).map_err(unavailable)?;
    let rows = statement.query_map(values, read).map_err(unavailable)?;
    rows.collect::<Result<_, _>>().map_err(unavailable)
}

/// Reads `version_id, last_updated, body` of a resource whose type and id are known.
pub(super) fn stored(row: &Row<'_>, resource_type: &str, id: &str) -> rusqlite::Result<StoredResource> {
    Ok(StoredResource {
        resource_type: resource_type.to_owned(),
        id: id.to_owned(),
        version_id: row.get(0)?,
        last_updated: row.get(1)?,
        body: body(row, 2)?.into(),
    })
}

/// Reads a body from that column.
pub(super) fn body(row: &Row<'_>, column: usize) -> rusqlite::Result<Vec<u8>> {
    unpack(row.get_ref(column)?.as_blob()?).map_err(uncommittable)
}

/// Reads `version_id, last_updated, body, resource_type, id`.
pub(super) fn typed(row: &Row<'_>) -> rusqlite::Result<StoredResource> {
    stored(row, row.get_ref(3)?.as_str()?, row.get_ref(4)?.as_str()?)
}
