//! The store room: reads by key, which need no search rows.

use super::ids::{self, Ids};
use super::record::uncommittable;
use super::unavailable;
use crate::store::packed::unpack;
use crate::store::{RecordKey, StoreError, StoredRecord, StoredResource};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

/// The row number of a resource that is there.
fn seq(connection: &Connection, ids: &Ids, named: &Named<'_>) -> rusqlite::Result<Option<i64>> {
    match ids::collection(connection, named.tenant, named.resource_type)? {
        Some(collection) => ids.find(connection, collection, named.id),
        None => Ok(None),
    }
}

/// The same of a deleted resource, too.
pub(super) fn seq_ever(connection: &Connection, ids: &Ids, named: &Named<'_>) -> rusqlite::Result<Option<i64>> {
    match ids::collection(connection, named.tenant, named.resource_type)? {
        Some(collection) => ids.find_ever(connection, collection, named.id),
        None => Ok(None),
    }
}

/// What a resource is read by.
#[derive(Clone, Copy)]
pub(super) struct Named<'a> {
    pub(super) tenant: &'a str,
    pub(super) resource_type: &'a str,
    pub(super) id: &'a str,
}

pub(super) fn current(
    connection: &Connection,
    ids: &Ids,
    named: &Named<'_>,
) -> Result<Option<StoredResource>, StoreError> {
    let Some(seq) = seq(connection, ids, named).map_err(unavailable)? else { return Ok(None) };
    // Deleted since, where the two looks are not of one moment.
    connection
        .prepare_cached("SELECT version_id, last_updated, body FROM resource WHERE seq = ?1")
        .map_err(unavailable)?
        .query_row([seq], |row| stored(row, named))
        .optional()
        .map_err(unavailable)
}

pub(super) fn version(
    connection: &mut Connection,
    ids: &Ids,
    named: &Named<'_>,
    version_id: u64,
) -> Result<Option<StoredResource>, StoreError> {
    // A number that does not fit was never given to a version.
    if i64::try_from(version_id).is_err() {
        return Ok(None);
    }
    // One transaction, or a version could pass from the one table to the other between two looks.
    let transaction = connection.transaction().map_err(unavailable)?;
    if let Some(current) = current(&transaction, ids, named)? {
        if current.version_id == version_id {
            return Ok(Some(current));
        }
        if current.version_id < version_id {
            return Ok(None);
        }
    }
    let Some(seq) = seq_ever(&transaction, ids, named).map_err(unavailable)? else { return Ok(None) };
    const SQL: &str = "SELECT version_id, last_updated, body FROM past_version WHERE resource = ?1 AND version_id = ?2
         UNION ALL
         SELECT version_id, last_updated, x'' FROM deletion WHERE resource = ?1 AND version_id = ?2";
    let mut statement = transaction.prepare_cached(SQL).map_err(unavailable)?;
    statement.query_row(params![seq, version_id], |row| stored(row, named)).optional().map_err(unavailable)
}

pub(super) fn history(
    connection: &Connection,
    ids: &Ids,
    named: &Named<'_>,
    count: usize,
    before: Option<u64>,
) -> Result<Vec<StoredResource>, StoreError> {
    const SQL: &str = "SELECT version_id, last_updated, body FROM resource WHERE seq = ?1 AND version_id < ?2
         UNION ALL
         SELECT version_id, last_updated, body FROM past_version WHERE resource = ?1 AND version_id < ?2
         UNION ALL
         SELECT version_id, last_updated, x'' FROM deletion WHERE resource = ?1 AND version_id < ?2
         ORDER BY version_id DESC LIMIT ?3";
    let Some(seq) = seq_ever(connection, ids, named).map_err(unavailable)? else { return Ok(Vec::new()) };
    let before = before.map_or(i64::MAX, |version| i64::try_from(version).unwrap_or(i64::MAX));
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    collect(connection, SQL, params![seq, before, count], |row| stored(row, named))
}

pub(super) fn compartment(
    connection: &Connection,
    ids: &Ids,
    tenant: &str,
    patient: &str,
) -> Result<Vec<StoredResource>, StoreError> {
    const SQL: &str = "SELECT version_id, last_updated, body, resource_type, resource.id FROM resource
        JOIN collection ON collection.id = resource.collection
        WHERE seq IN (
            SELECT seq FROM resource WHERE patient = ?2
            UNION
            SELECT ?3
        ) AND tenant = ?1
        ORDER BY seq";
    let own = seq(connection, ids, &Named { tenant, resource_type: "Patient", id: patient }).map_err(unavailable)?;
    collect(connection, SQL, params![tenant, patient, own], typed)
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
fn stored(row: &Row<'_>, named: &Named<'_>) -> rusqlite::Result<StoredResource> {
    Ok(StoredResource {
        resource_type: named.resource_type.to_owned(),
        id: named.id.to_owned(),
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
    stored(row, &Named { tenant: "", resource_type: row.get_ref(3)?.as_str()?, id: row.get_ref(4)?.as_str()? })
}
