//! The store room: writes one record and its resources in one transaction of PostgreSQL.

use super::error::PgError;
use super::names::{clean, digest};
use super::work::{Key, Own, OwnVersions, Put, Work};
use crate::store::history::Origin;
use crate::store::packed::unpack;
use crate::store::{Committed, RecordKey, RecordWrite, Write, WriteMode, WrittenResource};
use deadpool_postgres::Transaction;

/// Names a record in its table, however long its parts are.
pub(super) fn digest_of_key(key: &RecordKey) -> Vec<u8> {
    digest(&format!("{}\n{}\n{}", key.kind, key.record_id, key.system))
}

/// The transaction is not ended yet.
pub(super) async fn store(
    client: &Transaction<'_>,
    mut work: Work<'_>,
    tenant: i32,
    number: i64,
    write: &RecordWrite,
) -> Result<Committed, PgError> {
    let Some(record) = claim_revision(client, tenant, number, write).await? else {
        return Ok(Committed::Superseded);
    };
    let own = own_versions(client, tenant, record).await?;
    let all = || write.writes.iter().chain(&write.retractions);
    let key =
        |write: &Write| -> Result<Key, PgError> { Ok((work.collection(&write.resource_type)?, write.id.clone())) };
    let keys = all().map(key).collect::<Result<Vec<_>, _>>()?;
    // What is only named in passing must not make its many writers wait for each other.
    let to_change =
        all().filter(|write| write.mode != WriteMode::CreateIfAbsent).map(key).collect::<Result<Vec<_>, _>>()?;
    work.read(client, &keys, &to_change).await?;

    let mut written = Vec::with_capacity(keys.len());
    let (mut resources, mut versions) = (Vec::new(), Vec::new());
    for write in &write.writes {
        let put = work.put(write, &own, Origin::Record)?;
        resources.push(put.seq);
        versions.push(put.version_id.cast_signed());
        written.push(of(put, write));
    }
    for write in &write.retractions {
        // Judged by what is current: the record's own last word on it is another matter.
        written.push(of(work.put(write, &OwnVersions::new(), Origin::Record)?, write));
    }
    list(client, tenant, record, &resources, &versions).await?;
    work.write(client).await?;
    Ok(Committed::Stored(written))
}

fn of(put: Put, write: &Write) -> WrittenResource {
    WrittenResource {
        resource_type: write.resource_type.clone(),
        id: write.id.clone(),
        version_id: put.version_id,
        outcome: put.outcome,
    }
}

/// Writes revision and digest and gives the record's number, unless the stored revision is another than the write was
/// built on. Whoever else writes the record waits.
async fn claim_revision(
    client: &Transaction<'_>,
    tenant: i32,
    number: i64,
    write: &RecordWrite,
) -> Result<Option<i64>, PgError> {
    const FIND: &str = "SELECT seq, revision FROM record WHERE tenant = $1 AND digest_of_key = $2 FOR UPDATE";
    const CHANGE: &str = "UPDATE record SET revision = $3, digest = $4 WHERE tenant = $1 AND digest_of_key = $2";
    const ADD: &str = "INSERT INTO record (tenant, digest_of_key, seq, kind, record_id, system, revision, digest)
                       VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING";
    let RecordWrite { key, revision, digest, based_on, .. } = write;
    let (digest_of_key, digest) = (digest_of_key(key), digest.as_slice());
    let find = client.prepare_cached(FIND).await?;
    let stored: Option<(i64, String)> = match client.query_opt(&find, &[&tenant, &digest_of_key]).await? {
        Some(row) => Some((row.try_get(0)?, row.try_get(1)?)),
        None => None,
    };
    match (stored, based_on) {
        (Some((seq, stored)), Some(based_on)) if stored == *based_on => {
            let change = client.prepare_cached(CHANGE).await?;
            client.execute(&change, &[&tenant, &digest_of_key, revision, &digest]).await?;
            Ok(Some(seq))
        }
        (None, None) => {
            let add = client.prepare_cached(ADD).await?;
            let (kind, id, system) = (clean(&key.kind), clean(&key.record_id), clean(&key.system));
            let values: [&(dyn tokio_postgres::types::ToSql + Sync); 8] =
                [&tenant, &digest_of_key, &number, &kind, &id, &system, revision, &digest];
            // Another may have added it meanwhile: then this write was not built on it.
            Ok((client.execute(&add, &values).await? == 1).then_some(number))
        }
        (Some(_), _) | (None, Some(_)) => Ok(None),
    }
}

async fn own_versions(client: &Transaction<'_>, tenant: i32, record: i64) -> Result<OwnVersions, PgError> {
    const SQL: &str = "SELECT own.resource, own.version_id, version.last_updated, version.body
                       FROM (SELECT resource, max(version_id) AS version_id FROM record_resource
                             WHERE tenant = $1 AND record = $2 GROUP BY resource) AS own
                       JOIN resource ON resource.tenant = $1 AND resource.seq = own.resource
                       LEFT JOIN version ON version.tenant = $1 AND version.resource = own.resource
                           AND version.version_id = own.version_id AND version.version_id <> resource.version_id";
    let statement = client.prepare_cached(SQL).await?;
    let rows = client.query(&statement, &[&tenant, &record]).await?;
    let mut own = OwnVersions::with_capacity(rows.len());
    for row in &rows {
        let past: (Option<i64>, Option<&[u8]>) = (row.try_get(2)?, row.try_get(3)?);
        let past = past.0.zip(past.1.map(unpack).transpose().map_err(|_| PgError::Damaged)?);
        own.insert(row.try_get(0)?, Own { version_id: row.try_get(1)?, past });
    }
    Ok(own)
}

/// The record's new list of what it wrote.
async fn list(
    client: &Transaction<'_>,
    tenant: i32,
    record: i64,
    resources: &[i64],
    versions: &[i64],
) -> Result<(), PgError> {
    const CLEAR: &str = "DELETE FROM record_resource WHERE tenant = $1 AND record = $2";
    const ADD: &str = "INSERT INTO record_resource (tenant, record, position, resource, version_id)
                       SELECT $1::integer, $2::bigint, given.position - 1, given.resource, given.version_id
                       FROM unnest($3::bigint[], $4::bigint[]) WITH ORDINALITY AS given (resource, version_id, position)";
    let clear = client.prepare_cached(CLEAR).await?;
    client.execute(&clear, &[&tenant, &record]).await?;
    let add = client.prepare_cached(ADD).await?;
    client.execute(&add, &[&tenant, &record, &resources, &versions]).await?;
    Ok(())
}
