//! The store room: what a search reads of the file.

use super::ids;
use super::pending::View;
use super::{reads, search_rows, unavailable};
use crate::store::code::code_number;
use crate::store::keys::Keys;
use crate::store::matching::Subject;
use crate::store::search::{Index, Scan, Searched, Shown, Value};
use crate::store::{StoreError, StoredResource};
use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params, params_from_iter};
use std::collections::BTreeSet;

/// Bytes of a statement that is kept for its next use.
const KEPT_TEXT: usize = 1000;

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        unavailable(error)
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Self::Integer(number) => number.to_sql(),
            Self::Text(text) => text.to_sql(),
            Self::Blob(bytes) => bytes.to_sql(),
        }
    }
}

/// Resources that one statement looks for in a part of the index, and what is in the place of one.
const AMONG: usize = 50;
const NOTHING: i64 = -1;

/// One tenant's part of the file, in the transaction of the connection.
pub(super) struct FileIndex<'a> {
    connection: &'a Connection,
    tenant: &'a str,
    /// Search rows that are not in the tables yet.
    pending: View,
}

impl<'a> FileIndex<'a> {
    pub(super) fn new(connection: &'a Connection, tenant: &'a str, pending: View) -> Self {
        Self { connection, tenant, pending }
    }

    /// The resources of a scan's rows; of an ordered scan in their order.
    fn found(&self, scan: &Scan, limit: usize) -> Searched<Vec<i64>> {
        let mut found = self.rows(scan, limit, |row| row.get(0))?;
        let pending = self.pending.resources(scan, limit);
        if !pending.is_empty() {
            found.extend(pending);
            if scan.is_ordered {
                found.sort_unstable();
                found.dedup();
                found.truncate(limit);
            }
        }
        Ok(found)
    }

    fn rows<T>(
        &self,
        scan: &Scan,
        limit: usize,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Searched<Vec<T>> {
        let sql = format!("{} LIMIT ?", scan.sql(""));
        let limit = Value::Integer(i64::try_from(limit).unwrap_or(i64::MAX));
        let values = params_from_iter(scan.values().into_iter().chain([limit]));
        Ok(match sql.len() > KEPT_TEXT {
            true => self.connection.prepare(&sql)?.query_map(values, read)?.collect::<rusqlite::Result<_>>()?,
            false => self.connection.prepare_cached(&sql)?.query_map(values, read)?.collect::<rusqlite::Result<_>>()?,
        })
    }

    /// Those of the resources that an ordered scan of the tables has.
    fn written_among(&self, scan: &Scan, seqs: &BTreeSet<i64>) -> Searched<BTreeSet<i64>> {
        let (Some(first), Some(last)) = (seqs.first(), seqs.last()) else { return Ok(BTreeSet::new()) };
        // What belongs together was mostly stored together: then all that lies between is read in one go.
        let rows: Vec<i64> = self.rows(&scan.clone().between(*first, *last), seqs.len() + 1, |row| row.get(0))?;
        if rows.len() <= seqs.len() {
            return Ok(rows.into_iter().filter(|seq| seqs.contains(seq)).collect());
        }
        let sql = format!("{} AND resource IN ({}?)", scan.sql(""), "?, ".repeat(AMONG - 1));
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut found = BTreeSet::new();
        let all: Vec<i64> = seqs.iter().copied().collect();
        for part in all.chunks(AMONG) {
            // The last part is filled up with a number that no resource has.
            let numbers = part.iter().copied().chain(std::iter::repeat(NOTHING)).take(AMONG).map(Value::Integer);
            let rows =
                statement.query_map(params_from_iter(scan.values().into_iter().chain(numbers)), |row| row.get(0))?;
            for row in rows {
                found.insert(row?);
            }
        }
        Ok(found)
    }

    fn count_written(&self, scan: &Scan, limit: usize) -> Searched<usize> {
        let sql = format!("SELECT count(*) FROM ({} LIMIT ?)", scan.sql(""));
        let limit = Value::Integer(i64::try_from(limit).unwrap_or(i64::MAX));
        let values = params_from_iter(scan.values().into_iter().chain([limit]));
        Ok(self.connection.prepare_cached(&sql)?.query_row(values, |row| row.get(0))?)
    }

    fn subject(&self, seq: i64) -> Searched<Option<Subject>> {
        let found = self
            .connection
            .prepare_cached("SELECT id, last_updated, search_keys, collection FROM resource WHERE seq = ?1")?
            .query_row([seq], |row| {
                let keys = Keys::read(row.get_ref(2)?.as_blob()?);
                let (id, last_updated, collection) = (row.get(0)?, row.get(1)?, row.get(3)?);
                Ok(keys.map(|keys| Subject { seq, collection, id, last_updated, keys }))
            })
            .optional()?;
        found.transpose().map_err(|error| StoreError::Unavailable(error.to_string()))
    }

    fn resource(&self, seq: i64) -> Searched<StoredResource> {
        let sql = "SELECT version_id, last_updated, body, resource_type, resource.id FROM resource
                   JOIN collection ON collection.id = resource.collection WHERE seq = ?1";
        Ok(self.connection.prepare_cached(sql)?.query_row([seq], reads::typed)?)
    }
}

impl Index for FileIndex<'_> {
    fn is_remote(&self) -> bool {
        false
    }

    fn collection(&self, resource_type: &str) -> Searched<Option<i64>> {
        Ok(ids::collection(self.connection, self.tenant, resource_type)?)
    }

    fn type_of(&self, collection: i64) -> Searched<String> {
        let sql = "SELECT resource_type FROM collection WHERE id = ?1";
        Ok(self.connection.prepare_cached(sql)?.query_row([collection], |row| row.get(0))?)
    }

    fn name(&self, text: &str) -> Searched<Option<i64>> {
        Ok(search_rows::name(self.connection, text)?)
    }

    fn text(&self, name: i64) -> Searched<String> {
        let sql = "SELECT text FROM name WHERE id = ?1";
        Ok(self.connection.prepare_cached(sql)?.query_row([name], |row| row.get(0))?)
    }

    fn field(&self, collection: i64, name: &str) -> Searched<Option<i64>> {
        Ok(search_rows::field(self.connection, collection, name)?)
    }

    /// By two looks into the index.
    fn only_system(&self, field: i64, code: &str) -> Searched<Option<i64>> {
        let sql = "SELECT min(system), max(system) FROM token WHERE field = ?1 AND code = ?2";
        let ends: (Option<i64>, Option<i64>) = self
            .connection
            .prepare_cached(sql)?
            .query_row(params![field, code_number(code)], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let mut systems = self.pending.systems(&Scan::token(field, Some(&code.to_owned()), None));
        systems.extend([ends.0, ends.1].into_iter().flatten());
        systems.sort_unstable();
        systems.dedup();
        Ok(if let [only] = systems[..] { Some(only) } else { None })
    }

    fn has_dates(&self, field: i64) -> Searched<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM date WHERE field = ?1)";
        let is_there: bool = self.connection.prepare_cached(sql)?.query_row([field], |row| row.get(0))?;
        Ok(is_there || self.pending.has(&Scan::by_date(field, false, (i64::MIN, i64::MIN))))
    }

    fn seqs(&self, collection: i64, ids: &[&str]) -> Searched<Vec<Option<i64>>> {
        ids.iter().map(|id| Ok(ids::find(self.connection, &self.pending, collection, id)?)).collect()
    }

    fn subjects(&self, seqs: &[i64]) -> Searched<Vec<Option<Subject>>> {
        seqs.iter().map(|seq| self.subject(*seq)).collect()
    }

    fn scans(&self, scans: &[Scan], limit: usize) -> Searched<Vec<Vec<i64>>> {
        scans.iter().map(|scan| self.found(scan, limit)).collect()
    }

    fn listed(&self, _: &Scan, _: usize) -> Searched<Option<Vec<Subject>>> {
        Ok(None)
    }

    fn among(&self, scan: &Scan, seqs: &BTreeSet<i64>) -> Searched<Option<BTreeSet<i64>>> {
        let (Some(first), Some(last)) = (seqs.first(), seqs.last()) else { return Ok(Some(BTreeSet::new())) };
        let mut found = self.written_among(scan, seqs)?;
        let pending = self.pending.resources(&scan.clone().between(*first, *last), usize::MAX);
        found.extend(pending.into_iter().filter(|seq| seqs.contains(seq)));
        Ok(Some(found))
    }

    fn pairs(&self, scan: &Scan, limit: usize) -> Searched<Vec<(i64, i64)>> {
        let mut found: Vec<(i64, i64)> = self.rows(scan, limit, |row| Ok((row.get(0)?, row.get(1)?)))?;
        let pending = self.pending.dated(scan, limit);
        if !pending.is_empty() {
            found.extend(pending);
            found.sort_unstable_by_key(|(seq, place)| (*place, *seq));
            found.dedup();
            if scan.descending {
                found.reverse();
            }
            found.truncate(limit);
        }
        Ok(found)
    }

    /// Exactly: of rows that are not in the tables yet those count that their resources have, and of those in the tables
    /// these do not count a second time.
    fn count(&self, scan: &Scan, limit: usize) -> Searched<usize> {
        let pending: BTreeSet<i64> = self.pending.resources(scan, usize::MAX).into_iter().collect();
        let mut actual = 0;
        for seq in &pending {
            actual += usize::from(self.subject(*seq)?.is_some_and(|subject| self.pending.is_of(scan, &subject)));
            if actual >= limit {
                return Ok(limit);
            }
        }
        let also_written = if pending.is_empty() { 0 } else { self.written_among(scan, &pending)?.len() };
        let written = self.count_written(scan, limit.saturating_add(also_written))?;
        Ok((written - also_written.min(written) + actual).min(limit))
    }

    fn resources(&self, seqs: &[i64]) -> Searched<Vec<StoredResource>> {
        seqs.iter().map(|seq| self.resource(*seq)).collect()
    }

    fn body(&self, seq: i64) -> Searched<Vec<u8>> {
        let sql = "SELECT body FROM resource WHERE seq = ?1";
        Ok(self.connection.prepare_cached(sql)?.query_row([seq], |row| reads::body(row, 0))?)
    }

    fn version(&self, collection: i64, seq: i64, version_id: i64) -> Searched<Option<Shown>> {
        let sql = "SELECT id, last_updated, body FROM resource WHERE seq = ?1 AND version_id = ?2 AND collection = ?3
                   UNION ALL
                   SELECT '', last_updated, body FROM past_version
                   WHERE resource = ?1 AND version_id = ?2 AND collection = ?3";
        let found: Option<Shown> = self
            .connection
            .prepare_cached(sql)?
            .query_row(params![seq, version_id, collection], |row| Ok((row.get(0)?, row.get(1)?, reads::body(row, 2)?)))
            .optional()?;
        let Some((mut id, last_updated, body)) = found else { return Ok(None) };
        if id.is_empty() {
            let sql = "SELECT id FROM resource WHERE seq = ?1 UNION ALL SELECT id FROM deletion WHERE resource = ?1";
            id = self.connection.prepare_cached(sql)?.query_row([seq], |row| row.get(0))?;
        }
        Ok(Some((id, last_updated, body)))
    }
}
