//! The store room: reads by key, each one statement, so that it sees one moment.

use super::error::PgError;
use super::index::stored;
use super::names::{Names, clean, small};
use crate::store::history::{HistoryPage, HistoryQuery, MadeBy};
use crate::store::once::ShownRow;
use crate::store::{RecordKey, StoredRecord, StoredResource};
use deadpool_postgres::{Client, GenericClient};
use std::collections::BTreeMap;
use tokio_postgres::types::ToSql;

/// The number of the type; `None`: no resource has ever been of it.
async fn collection(names: &Names, client: &Client, resource_type: &str) -> Result<Option<i32>, PgError> {
    if names.name(resource_type).is_none() {
        names.look_up(client, &[resource_type.to_owned()]).await?;
    }
    Ok(names.name(resource_type).map(small))
}

pub(super) async fn current(
    names: &Names,
    client: &Client,
    tenant: i32,
    resource_type: &str,
    id: &str,
) -> Result<Option<StoredResource>, PgError> {
    const SQL: &str = "SELECT resource.id, version.version_id, version.last_updated, version.body
                       FROM resource JOIN version ON version.tenant = $1 AND version.resource = resource.seq
                           AND version.version_id = resource.version_id
                       WHERE resource.tenant = $1 AND resource.collection = $2 AND resource.id = $3
                           AND NOT resource.deleted";
    let Some(collection) = collection(names, client, resource_type).await? else { return Ok(None) };
    let statement = client.prepare_cached(SQL).await?;
    let row = client.query_opt(&statement, &[&tenant, &collection, &clean(id)]).await?;
    row.map(|row| stored(&row, 0, resource_type.to_owned())).transpose()
}

pub(super) async fn version(
    names: &Names,
    client: &Client,
    tenant: i32,
    resource_type: &str,
    id: &str,
    version_id: u64,
) -> Result<Option<StoredResource>, PgError> {
    const SQL: &str = "SELECT resource.id, version.version_id, version.last_updated, version.body
                       FROM resource JOIN version ON version.tenant = $1 AND version.resource = resource.seq
                       WHERE resource.tenant = $1 AND resource.collection = $2 AND resource.id = $3
                           AND version.version_id = $4";
    // A number that does not fit was never given to a version.
    let Ok(version_id) = i64::try_from(version_id) else { return Ok(None) };
    let Some(collection) = collection(names, client, resource_type).await? else { return Ok(None) };
    let statement = client.prepare_cached(SQL).await?;
    let row = client.query_opt(&statement, &[&tenant, &collection, &clean(id), &version_id]).await?;
    row.map(|row| stored(&row, 0, resource_type.to_owned())).transpose()
}

pub(super) async fn history(
    names: &Names,
    client: &Client,
    tenant: i32,
    (resource_type, id): (&str, &str),
    count: usize,
    before: Option<u64>,
) -> Result<Vec<StoredResource>, PgError> {
    const SQL: &str = "SELECT resource.id, version.version_id, version.last_updated, version.body
                       FROM resource JOIN version ON version.tenant = $1 AND version.resource = resource.seq
                       WHERE resource.tenant = $1 AND resource.collection = $2 AND resource.id = $3
                           AND version.version_id < $4
                       ORDER BY version.version_id DESC LIMIT $5";
    let Some(collection) = collection(names, client, resource_type).await? else { return Ok(Vec::new()) };
    let before = before.map_or(i64::MAX, |version| i64::try_from(version).unwrap_or(i64::MAX));
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let statement = client.prepare_cached(SQL).await?;
    let rows = client.query(&statement, &[&tenant, &collection, &clean(id), &before, &count]).await?;
    rows.iter().map(|row| stored(row, 0, resource_type.to_owned())).collect()
}

/// How versions came to be, in the order given.
pub(super) async fn made_by(
    names: &Names,
    client: &Client,
    tenant: i32,
    versions: &[ShownRow],
) -> Result<Vec<Option<MadeBy>>, PgError> {
    const SQL: &str = "SELECT wanted.place, version.made_by
                       FROM unnest($2::integer[], $3::text[], $4::bigint[])
                           WITH ORDINALITY AS wanted (collection, id, version_id, place)
                       JOIN resource ON resource.tenant = $1 AND resource.collection = wanted.collection
                           AND resource.id = wanted.id
                       JOIN version ON version.tenant = $1 AND version.resource = resource.seq
                           AND version.version_id = wanted.version_id";
    let (mut collections, mut ids, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
    for version in versions {
        // No resource has the number 0, nor a version that one.
        collections.push(collection(names, client, &version.resource_type).await?.unwrap_or(0));
        ids.push(clean(&version.id));
        numbers.push(i64::try_from(version.version_id).unwrap_or(-1));
    }
    let statement = client.prepare_cached(SQL).await?;
    let mut found = vec![None; versions.len()];
    for row in client.query(&statement, &[&tenant, &collections, &ids, &numbers]).await? {
        let place = usize::try_from(row.try_get::<_, i64>(0)? - 1).map_err(|_| PgError::Damaged)?;
        let made_by = MadeBy::of(i64::from(row.try_get::<_, i16>(1)?));
        *found.get_mut(place).ok_or(PgError::Damaged)? = made_by;
    }
    Ok(found)
}

/// Versions by the time of writing, newest first.
pub(super) async fn versions(
    names: &Names,
    client: &Client,
    tenant: i32,
    query: &HistoryQuery,
) -> Result<HistoryPage, PgError> {
    let nothing = HistoryPage { versions: Vec::new(), next: None };
    let (from, to) = query.at.unzip();
    let (before, since, to) =
        (query.before.unwrap_or(i64::MAX), query.since.unwrap_or(i64::MIN), to.unwrap_or(i64::MAX));
    let count = i64::try_from(query.count.max(1)).unwrap_or(i64::MAX).saturating_add(1);
    let mut values: Vec<&(dyn ToSql + Sync)> = vec![&tenant, &before, &since, &to, &count];
    let mut also = String::new();
    if let Some(from) = &from {
        // What was written before the span was current in it unless the next version came before it, too.
        values.push(from);
        also.push_str(&format!(
            " AND (version.last_updated > ${0} OR coalesce((SELECT next.last_updated FROM version AS next
                   WHERE next.tenant = $1 AND next.resource = version.resource
                       AND next.version_id = version.version_id + 1), {1}) > ${0})",
            values.len(),
            i64::MAX
        ));
    }
    let number = match &query.resource_type {
        Some(resource_type) => match collection(names, client, resource_type).await? {
            None => return Ok(nothing),
            some => some,
        },
        None => None,
    };
    let id = query.id.as_deref().map(clean);
    if let Some(number) = &number {
        values.push(number);
        also.push_str(&format!(" AND version.collection = ${}", values.len()));
        if let Some(id) = &id {
            values.push(id);
            also.push_str(&format!(
                " AND version.resource = (SELECT seq FROM resource
                      WHERE tenant = $1 AND collection = ${} AND id = ${})",
                values.len() - 1,
                values.len()
            ));
        }
    }
    // The newest are found by their times alone, and then told in full.
    let sql = format!(
        "SELECT resource.id, found.version_id, found.last_updated, found.body, name.text
         FROM (SELECT version.* FROM version
               WHERE version.tenant = $1 AND version.last_updated < $2 AND version.last_updated >= $3
                   AND version.last_updated <= $4{also}
               ORDER BY version.last_updated DESC LIMIT $5) AS found
         JOIN resource ON resource.tenant = $1 AND resource.seq = found.resource
         JOIN name ON name.id = found.collection
         ORDER BY found.last_updated DESC"
    );
    let statement = client.prepare_cached(&sql).await?;
    let rows = client.query(&statement, &values).await?;
    let mut versions =
        rows.iter().map(|row| stored(row, 0, row.try_get(4)?)).collect::<Result<Vec<StoredResource>, PgError>>()?;
    let more = versions.len() > query.count.max(1);
    versions.truncate(query.count.max(1));
    let next = versions.last().filter(|_| more).map(|version| version.last_updated);
    Ok(HistoryPage { versions, next })
}

pub(super) async fn compartment(
    names: &Names,
    client: &Client,
    tenant: i32,
    patient: &str,
) -> Result<Vec<StoredResource>, PgError> {
    const SQL: &str = "SELECT resource.id, version.version_id, version.last_updated, version.body, name.text
                       FROM (SELECT seq FROM resource WHERE tenant = $1 AND patient = $2 AND NOT deleted
                             UNION
                             SELECT seq FROM resource
                             WHERE tenant = $1 AND collection = $3 AND id = $2 AND NOT deleted) AS found
                       JOIN resource ON resource.tenant = $1 AND resource.seq = found.seq
                       JOIN version ON version.tenant = $1 AND version.resource = resource.seq
                           AND version.version_id = resource.version_id
                       JOIN name ON name.id = resource.collection
                       ORDER BY found.seq";
    let patients = collection(names, client, "Patient").await?.unwrap_or_default();
    let statement = client.prepare_cached(SQL).await?;
    let rows = client.query(&statement, &[&tenant, &clean(patient), &patients]).await?;
    rows.iter().map(|row| stored(row, 0, row.try_get(4)?)).collect()
}

pub(super) async fn records(
    client: &Client,
    tenant: i32,
    kind: &str,
    record_id: &str,
    system: Option<&str>,
) -> Result<Vec<StoredRecord>, PgError> {
    // A record without resources is one row; its system is told apart here: it is no part of the index.
    const SQL: &str = "SELECT resource.id, version.version_id, version.last_updated, version.body, name.text,
                              record.seq, record.system, record.revision, record.digest
                       FROM record
                       LEFT JOIN record_resource AS listed ON listed.tenant = $1 AND listed.record = record.seq
                       LEFT JOIN resource ON resource.tenant = $1 AND resource.seq = listed.resource
                           AND NOT resource.deleted
                       LEFT JOIN version ON version.tenant = $1 AND version.resource = resource.seq
                           AND version.version_id = listed.version_id
                       LEFT JOIN name ON name.id = resource.collection
                       WHERE record.tenant = $1 AND record.record_id = $2 AND record.kind = $3
                       ORDER BY record.seq, listed.position";
    let statement = client.prepare_cached(SQL).await?;
    let rows = client.query(&statement, &[&tenant, &clean(record_id), &clean(kind)]).await?;
    let mut records: BTreeMap<i64, StoredRecord> = BTreeMap::new();
    let wanted = system.map(clean);
    for row in &rows {
        let system: String = row.try_get(6)?;
        if wanted.as_ref().is_some_and(|wanted| *wanted != system) {
            continue;
        }
        let record = match records.entry(row.try_get(5)?) {
            std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::btree_map::Entry::Vacant(new) => {
                let digest: &[u8] = row.try_get(8)?;
                new.insert(StoredRecord {
                    key: RecordKey { kind: kind.to_owned(), system, record_id: record_id.to_owned() },
                    revision: row.try_get(7)?,
                    digest: digest.try_into().map_err(|_| PgError::Damaged)?,
                    resources: Vec::new(),
                })
            }
        };
        if let Some(resource_type) = row.try_get::<_, Option<String>>(4)? {
            record.resources.push(stored(row, 0, resource_type)?);
        }
    }
    Ok(records.into_values().collect())
}
