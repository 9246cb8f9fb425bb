//! The store room: search rows made anew, a few resources at a time, so that other writes have their turn between.

use super::record::{Recorder, uncommittable};
use super::{reads, unavailable};
use crate::fhir::search;
use crate::store::keys::Keys;
use crate::store::{Reindexed, StoreError};
use rusqlite::{Connection, OptionalExtension, params};

impl Recorder<'_> {
    pub(super) fn reindex(
        &mut self,
        tenant: &str,
        resource_type: &str,
        after: i64,
        count: usize,
    ) -> rusqlite::Result<Reindexed> {
        let collection = self.collection(tenant, resource_type)?;
        let limit = i64::try_from(count.max(1)).unwrap_or(i64::MAX);
        let rows = self
            .connection
            .prepare_cached(
                "SELECT seq, search_keys, body FROM resource WHERE collection = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
            )?
            .query_map([collection, after, limit], |row| {
                let keys = Keys::read(row.get_ref(1)?.as_blob()?).map_err(uncommittable)?;
                Ok((row.get::<_, i64>(0)?, keys, reads::body(row, 2)?))
            })?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        let mut changed = 0;
        for (seq, before, body) in &rows {
            let index = search::extract(resource_type, body).map_err(uncommittable)?;
            let keys = self.rows.keys(collection, &index)?;
            if keys != *before {
                self.connection
                    .prepare_cached("UPDATE resource SET search_keys = ?2 WHERE seq = ?1")?
                    .execute(params![seq, keys.bytes()])?;
                self.index(*seq, Some(before), Some(&keys))?;
                changed += 1;
            }
        }
        self.changed.everything();
        let is_last = rows.len() < count.max(1);
        let next = rows.last().map(|(seq, ..)| *seq).filter(|_| !is_last);
        Ok(Reindexed { looked_at: rows.len() as u64, changed, next })
    }

    pub(super) fn set_note(&self, tenant: &str, name: &str, text: Option<&str>) -> rusqlite::Result<()> {
        match text {
            Some(text) => self
                .connection
                .prepare_cached("INSERT OR REPLACE INTO note VALUES (?1, ?2, ?3)")?
                .execute([tenant, name, text])?,
            None => self
                .connection
                .prepare_cached("DELETE FROM note WHERE tenant = ?1 AND name = ?2")?
                .execute([tenant, name])?,
        };
        Ok(())
    }
}

pub(super) fn note(connection: &Connection, tenant: &str, name: &str) -> Result<Option<String>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT text FROM note WHERE tenant = ?1 AND name = ?2").map_err(unavailable)?;
    statement.query_row([tenant, name], |row| row.get(0)).optional().map_err(unavailable)
}
