//! The store room: search rows made anew in PostgreSQL, a few resources at a time, and the gateway's own notes.

use super::error::PgError;
use super::index::body;
use super::names::{Names, Wanted, clean, small};
use super::work::IndexRows;
use crate::fhir::search;
use crate::store::Reindexed;
use crate::store::keys::Keys;
use crate::store::rows::Changes;
use deadpool_postgres::{Client, GenericClient};

/// Current resources of a type behind a number.
struct Step {
    seq: i64,
    before: Keys,
    body: Vec<u8>,
}

async fn read(
    client: &impl GenericClient,
    tenant: i32,
    collection: i32,
    after: i64,
    count: usize,
    lock: &str,
) -> Result<Vec<Step>, PgError> {
    let sql = format!(
        "SELECT resource.seq, resource.search_keys, version.body
         FROM resource JOIN version ON version.tenant = $1 AND version.resource = resource.seq
             AND version.version_id = resource.version_id
         WHERE resource.tenant = $1 AND resource.collection = $2 AND NOT resource.deleted AND resource.seq > $3
         ORDER BY resource.seq LIMIT $4 {lock}"
    );
    let statement = client.prepare_cached(&sql).await?;
    let count = i64::try_from(count.max(1)).unwrap_or(i64::MAX);
    let rows = client.query(&statement, &[&tenant, &collection, &after, &count]).await?;
    rows.iter()
        .map(|row| Ok(Step { seq: row.try_get(0)?, before: Keys::read(row.try_get(1)?)?, body: body(row, 2)? }))
        .collect()
}

/// One attempt at one step.
pub(super) async fn attempt(
    names: &Names,
    client: &mut Client,
    tenant: i32,
    resource_type: &str,
    after: i64,
    count: usize,
) -> Result<Reindexed, PgError> {
    const CHANGE: &str = "UPDATE resource SET search_keys = given.search_keys
                          FROM unnest($2::bigint[], $3::bytea[]) AS given (seq, search_keys)
                          WHERE resource.tenant = $1 AND resource.seq = given.seq";
    let rows = |body: &[u8]| search::extract(resource_type, body).map_err(|_| PgError::Damaged);
    let mut wanted = Wanted::default();
    wanted.names.insert(resource_type.to_owned());
    names.intern(&*client, &wanted).await?;
    let collection = names.name(resource_type).ok_or(PgError::Again)?;
    // What the rows name has its numbers before the transaction begins that uses them.
    for step in read(&*client, tenant, small(collection), after, count, "").await? {
        wanted.rows(resource_type, &rows(&step.body)?);
    }
    names.intern(&*client, &wanted).await?;

    let open = client.transaction().await?;
    let found = read(&open, tenant, small(collection), after, count, "FOR NO KEY UPDATE OF resource").await?;
    let mut changes = Changes::default();
    names.aside().into_iter().for_each(|field| changes.leave_aside(field));
    let (mut seqs, mut keys_of) = (Vec::new(), Vec::new());
    for Step { seq, before, body } in &found {
        let keys = names.keys(collection, &rows(body)?)?;
        if keys != *before {
            changes.remove(*seq, before);
            changes.add(*seq, &keys);
            seqs.push(*seq);
            keys_of.push(keys.bytes());
        }
    }
    let change = open.prepare_cached(CHANGE).await?;
    open.execute(&change, &[&tenant, &seqs, &keys_of]).await?;
    IndexRows::of(&mut changes).write(&open, tenant).await?;
    open.commit().await?;
    let is_last = found.len() < count.max(1);
    let next = found.last().map(|last| last.seq).filter(|_| !is_last);
    Ok(Reindexed { looked_at: found.len() as u64, changed: seqs.len() as u64, next })
}

pub(super) async fn note(client: &Client, tenant: i32, name: &str) -> Result<Option<String>, PgError> {
    let statement = client.prepare_cached("SELECT text FROM note WHERE tenant = $1 AND name = $2").await?;
    let row = client.query_opt(&statement, &[&tenant, &clean(name)]).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

pub(super) async fn set_note(client: &Client, tenant: i32, name: &str, text: Option<&str>) -> Result<(), PgError> {
    const SET: &str = "INSERT INTO note (tenant, name, text) VALUES ($1, $2, $3)
                       ON CONFLICT (tenant, name) DO UPDATE SET text = excluded.text";
    const FORGET: &str = "DELETE FROM note WHERE tenant = $1 AND name = $2";
    match text {
        Some(text) => {
            let set = client.prepare_cached(SET).await?;
            client.execute(&set, &[&tenant, &clean(name), &clean(text)]).await?;
        }
        None => {
            let forget = client.prepare_cached(FORGET).await?;
            client.execute(&forget, &[&tenant, &clean(name)]).await?;
        }
    }
    Ok(())
}
