//! The store room: answers that are kept, in the same transaction of PostgreSQL as the work.

use super::error::PgError;
use crate::store::once::{Digest, Earlier, KeptAnswer, Once, OnceKey, Worked};
use bytes::Bytes;
use deadpool_postgres::{Client, GenericClient, Transaction};

/// Answers whose time has passed that go with each one that comes: more go than come, so none stay for ever.
const FORGOTTEN: i64 = 8;

/// What was kept under the key. Whoever comes with the same key waits here until this transaction ends, whichever gateway
/// they came to.
pub(super) async fn claim(client: &Transaction<'_>, tenant: i32, key: &OnceKey) -> Result<Option<Earlier>, PgError> {
    // Two names of one number wait for each other without need, and lose nothing.
    const LOCK: &str = "SELECT pg_advisory_xact_lock($1)";
    let [a, b, c, d, e, f, g, h, ..] = key.name;
    let number = i64::from_le_bytes([a, b, c, d, e, f, g, h]) ^ i64::from(tenant);
    let lock = client.prepare_cached(LOCK).await?;
    client.query_one(&lock, &[&number]).await?;
    find(client, tenant, &key.name, key.now).await
}

/// Keeps the answer of what was done.
pub(super) async fn keep(client: &Transaction<'_>, tenant: i32, once: &Once, worked: &Worked) -> Result<(), PgError> {
    const ADD: &str =
        "INSERT INTO kept_answer (tenant, name, request, until, head, body) VALUES ($1, $2, $3, $4, $5, $6)
                       ON CONFLICT (tenant, name) DO UPDATE SET request = excluded.request, until = excluded.until,
                           head = excluded.head, body = excluded.body";
    if !worked.is_done() {
        return Ok(());
    }
    let answer = (once.answer)(worked);
    let (name, request) = (once.key.name.as_slice(), once.key.request.as_slice());
    let add = client.prepare_cached(ADD).await?;
    client.execute(&add, &[&tenant, &name, &request, &once.key.until, &answer.head(), &&*answer.body]).await?;
    Ok(())
}

/// After the work and apart from it: those that are gone concern nobody, and must not make the work wait.
pub(super) async fn forget(client: &Client, tenant: i32, now: i64) {
    const SQL: &str = "DELETE FROM kept_answer WHERE tenant = $1 AND name IN (
                           SELECT name FROM kept_answer WHERE tenant = $1 AND until < $2 ORDER BY until LIMIT $3
                           FOR UPDATE SKIP LOCKED)";
    if let Ok(statement) = client.prepare_cached(SQL).await {
        // What stays this time goes the next time.
        let _ = client.execute(&statement, &[&tenant, &now, &FORGOTTEN]).await;
    }
}

pub(super) async fn find(
    client: &impl GenericClient,
    tenant: i32,
    name: &Digest,
    now: i64,
) -> Result<Option<Earlier>, PgError> {
    const SQL: &str = "SELECT request, head, body FROM kept_answer WHERE tenant = $1 AND name = $2 AND until >= $3";
    let statement = client.prepare_cached(SQL).await?;
    let Some(row) = client.query_opt(&statement, &[&tenant, &name.as_slice(), &now]).await? else { return Ok(None) };
    let request = row.try_get::<_, &[u8]>(0)?.try_into().map_err(|_| PgError::Damaged)?;
    let body = Bytes::copy_from_slice(row.try_get(2)?);
    let answer = KeptAnswer::read(row.try_get(1)?, body).ok_or(PgError::Damaged)?;
    Ok(Some(Earlier { request, answer }))
}
