//! The store room: answers that are kept, in the same transaction as the work.

use super::record::Recorder;
use super::unavailable;
use crate::store::StoreError;
use crate::store::once::{Digest, Earlier, KeptAnswer, Once, Onced, Work, Worked};
use bytes::Bytes;
use rusqlite::{Connection, Error, OptionalExtension, params};

/// Answers whose time has passed that go with each one that comes: more go than come, so none stay for ever.
const FORGOTTEN: i64 = 8;

impl Recorder<'_> {
    pub(super) fn once(&mut self, tenant: &str, work: &Work, once: &Once) -> rusqlite::Result<Onced> {
        let key = &once.key;
        if let Some(earlier) = find(self.connection, tenant, &key.name, key.now)? {
            return Ok(Onced::Before(earlier));
        }
        let worked = match work {
            Work::Record(write) => Worked::Record(self.store(tenant, write)?),
            Work::Transaction(transaction) => Worked::Transaction(self.transact(tenant, transaction)?),
        };
        if worked.is_done() {
            let answer = (once.answer)(&worked);
            self.connection
                .prepare_cached(
                    "DELETE FROM kept_answer WHERE (tenant, name) IN
                     (SELECT tenant, name FROM kept_answer WHERE until < ?1 ORDER BY until LIMIT ?2)",
                )?
                .execute([key.now, FORGOTTEN])?;
            self.connection
                .prepare_cached("INSERT OR REPLACE INTO kept_answer VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
                .execute(params![tenant, key.name, key.request, key.until, answer.head(), &*answer.body])?;
        }
        Ok(Onced::Now(worked))
    }
}

pub(super) fn kept(
    connection: &Connection,
    tenant: &str,
    name: &Digest,
    now: i64,
) -> Result<Option<Earlier>, StoreError> {
    find(connection, tenant, name, now).map_err(unavailable)
}

fn find(connection: &Connection, tenant: &str, name: &Digest, now: i64) -> rusqlite::Result<Option<Earlier>> {
    connection
        .prepare_cached("SELECT request, head, body FROM kept_answer WHERE tenant = ?1 AND name = ?2 AND until >= ?3")?
        .query_row(params![tenant, name, now], |row| {
            let body = Bytes::copy_from_slice(row.get_ref(2)?.as_blob()?);
            let answer = KeptAnswer::read(row.get_ref(1)?.as_str()?, body).ok_or(Error::InvalidQuery)?;
            Ok(Earlier { request: row.get(0)?, answer })
        })
        .optional()
}
