//! The store room: what a search asks of PostgreSQL. A search thinks on a thread of its own and waits there; what it needs
//! of many resources it asks for at once.

use super::error::PgError;
use super::names::{Names, clean, small};
use crate::store::code::code_number;
use crate::store::keys::Keys;
use crate::store::matching::Subject;
use crate::store::packed::unpack;
use crate::store::rows::NO_NAME;
use crate::store::search::{Index, Scan, Searched, Shown, Value};
use crate::store::{StoreError, StoredResource};
use bytes::{BufMut, BytesMut};
use deadpool_postgres::{GenericClient, Transaction};
use futures_util::future::try_join_all;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio_postgres::Row;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

/// How long one answer of the database is waited for.
pub(super) const SECONDS: u64 = 30;

/// One tenant's rows as one transaction sees them.
pub(super) struct PgIndex<'a> {
    pub(super) handle: &'a Handle,
    pub(super) client: &'a Transaction<'a>,
    pub(super) names: &'a Names,
    pub(super) tenant: i32,
    /// Did a statement lose against another's transaction?
    pub(super) conflict: Cell<bool>,
}

impl PgIndex<'_> {
    fn wait<T>(&self, work: impl Future<Output = Result<T, PgError>>) -> Searched<T> {
        let answer = self.handle.block_on(in_time(work));
        self.conflict.set(self.conflict.get() || answer.as_ref().is_err_and(PgError::is_conflict));
        Ok(answer?)
    }

    async fn rows(&self, sql: &str, tenant: &i32, values: &[&Value]) -> Result<Vec<Row>, PgError> {
        let statement = self.client.prepare_cached(sql).await?;
        let values: Vec<&(dyn ToSql + Sync)> = std::iter::once(tenant as &(dyn ToSql + Sync))
            .chain(values.iter().map(|value| *value as &(dyn ToSql + Sync)))
            .collect();
        Ok(self.client.query(&statement, &values).await?)
    }

    async fn scanned(&self, scan: &Scan, limit: &Value) -> Result<Vec<Row>, PgError> {
        let values = scan.values();
        let values: Vec<&Value> = values.iter().chain([limit]).collect();
        self.rows(&format!("{} LIMIT ${}", sql(scan), values.len() + 1), &self.tenant, &values).await
    }
}

/// An answer, or that it took too long.
pub(super) async fn in_time<T>(work: impl Future<Output = Result<T, PgError>>) -> Result<T, PgError> {
    match tokio::time::timeout(Duration::from_secs(SECONDS), work).await {
        Ok(answer) => answer,
        Err(_) => Err(PgError::TooSlow(SECONDS)),
    }
}

/// A scan's statement, whose first parameter is the tenant.
pub(super) fn sql(scan: &Scan) -> String {
    let is_there = if scan.table == "resource" { "tenant = ? AND NOT deleted AND " } else { "tenant = ? AND " };
    let mut numbered = String::new();
    for (place, part) in scan.sql(is_there).split('?').enumerate() {
        if place > 0 {
            numbered.push_str(&format!("${place}"));
        }
        numbered.push_str(part);
    }
    numbered
}

/// What `subject` reads.
const SUBJECT: &str = "seq, collection, id, last_updated, search_keys";

fn subject(row: &Row) -> Result<Subject, PgError> {
    let keys = Keys::read(row.try_get(4)?)?;
    let collection = i64::from(row.try_get::<_, i32>(1)?);
    Ok(Subject { seq: row.try_get(0)?, collection, id: row.try_get(2)?, last_updated: row.try_get(3)?, keys })
}

fn limit(limit: usize) -> Value {
    Value::Integer(i64::try_from(limit).unwrap_or(i64::MAX))
}

/// As the column wants it.
impl ToSql for Value {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Integer(number) if *ty == Type::INT4 => out.put_i32(i32::try_from(*number)?),
            Self::Integer(number) => out.put_i64(*number),
            Self::Text(text) => out.put_slice(clean(text).as_bytes()),
            Self::Blob(bytes) => out.put_slice(bytes),
        }
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        [Type::INT4, Type::INT8, Type::TEXT, Type::BYTEA].contains(ty)
    }

    to_sql_checked!();
}

impl Index for PgIndex<'_> {
    fn is_remote(&self) -> bool {
        true
    }

    /// Resources are told apart by the number of their type's name.
    fn collection(&self, resource_type: &str) -> Searched<Option<i64>> {
        self.name(resource_type)
    }

    fn type_of(&self, collection: i64) -> Searched<String> {
        self.text(collection)
    }

    fn name(&self, text: &str) -> Searched<Option<i64>> {
        if self.names.name(text).is_none() {
            self.wait(self.names.look_up(self.client, &[text.to_owned()]))?;
        }
        Ok(self.names.name(text))
    }

    fn text(&self, name: i64) -> Searched<String> {
        if name == NO_NAME {
            return Ok(String::new());
        }
        self.wait(self.names.look_up_text(self.client, name))
    }

    fn field(&self, collection: i64, name: &str) -> Searched<Option<i64>> {
        if self.names.field(collection, name).is_none() {
            self.wait(self.names.look_up_fields(self.client, collection))?;
        }
        Ok(self.names.field(collection, name))
    }

    fn only_system(&self, field: i64, code: &str) -> Searched<Option<i64>> {
        const SQL: &str = "SELECT (SELECT system FROM token WHERE tenant = $1 AND field = $2 AND code = $3
                                   ORDER BY system LIMIT 1),
                                  (SELECT system FROM token WHERE tenant = $1 AND field = $2 AND code = $3
                                   ORDER BY system DESC LIMIT 1)";
        let values = [Value::Integer(field), Value::Integer(code_number(code))];
        self.wait(async {
            let rows = self.rows(SQL, &self.tenant, &values.each_ref()).await?;
            let row = rows.first().ok_or(PgError::Damaged)?;
            let (first, last): (Option<i32>, Option<i32>) = (row.try_get(0)?, row.try_get(1)?);
            Ok(first.filter(|_| first == last).map(i64::from))
        })
    }

    fn has_dates(&self, field: i64) -> Searched<bool> {
        const SQL: &str = "SELECT 1 FROM date WHERE tenant = $1 AND field = $2 LIMIT 1";
        self.wait(async { Ok(!self.rows(SQL, &self.tenant, &[&Value::Integer(field)]).await?.is_empty()) })
    }

    fn seqs(&self, collection: i64, ids: &[&str]) -> Searched<Vec<Option<i64>>> {
        const SQL: &str = "SELECT id, seq FROM resource
                           WHERE tenant = $1 AND collection = $2 AND id = ANY($3) AND NOT deleted";
        self.wait(async {
            let clean: Vec<String> = ids.iter().map(|id| clean(id)).collect();
            let statement = self.client.prepare_cached(SQL).await?;
            let rows = self.client.query(&statement, &[&self.tenant, &small(collection), &clean]).await?;
            let mut found = HashMap::new();
            for row in &rows {
                found.insert(row.try_get::<_, String>(0)?, row.try_get::<_, i64>(1)?);
            }
            Ok(ids.iter().map(|id| found.get(*id).copied()).collect())
        })
    }

    fn subjects(&self, seqs: &[i64]) -> Searched<Vec<Option<Subject>>> {
        const SQL: &str = "SELECT seq, collection, id, last_updated, search_keys FROM resource
                           WHERE tenant = $1 AND seq = ANY($2) AND NOT deleted";
        self.wait(async {
            let statement = self.client.prepare_cached(SQL).await?;
            let rows = self.client.query(&statement, &[&self.tenant, &seqs]).await?;
            let mut found = HashMap::with_capacity(rows.len());
            for row in &rows {
                let subject = subject(row)?;
                found.insert(subject.seq, subject);
            }
            Ok(seqs.iter().map(|seq| found.remove(seq)).collect())
        })
    }

    /// All on their way before the first answer is read.
    fn scans(&self, scans: &[Scan], most: usize) -> Searched<Vec<Vec<i64>>> {
        let limit = limit(most);
        self.wait(try_join_all(scans.iter().map(async |scan| {
            let rows = self.scanned(scan, &limit).await?;
            rows.iter().map(|row| Ok(row.try_get(0)?)).collect::<Result<Vec<i64>, PgError>>()
        })))
    }

    /// In one way to the database, and neighbours lie on one page.
    fn listed(&self, scan: &Scan, most: usize) -> Searched<Option<Vec<Subject>>> {
        if scan.table != "resource" {
            return Ok(None);
        }
        let scan = Scan { columns: SUBJECT, ..scan.clone() };
        self.wait(async {
            let rows = self.scanned(&scan, &limit(most)).await?;
            Ok(Some(rows.iter().map(subject).collect::<Result<_, _>>()?))
        })
    }

    /// Reading the keys of all of them is one way to the database as well.
    fn among(&self, _: &Scan, _: &BTreeSet<i64>) -> Searched<Option<BTreeSet<i64>>> {
        Ok(None)
    }

    fn pairs(&self, scan: &Scan, most: usize) -> Searched<Vec<(i64, i64)>> {
        self.wait(async {
            let rows = self.scanned(scan, &limit(most)).await?;
            rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
        })
    }

    fn count(&self, scan: &Scan, most: usize) -> Searched<usize> {
        let limit = limit(most);
        let values = scan.values();
        let values: Vec<&Value> = values.iter().chain([&limit]).collect();
        let sql = format!("SELECT count(*) FROM ({} LIMIT ${}) AS found", sql(scan), values.len() + 1);
        self.wait(async {
            let rows = self.rows(&sql, &self.tenant, &values).await?;
            let count: i64 = rows.first().ok_or(PgError::Damaged)?.try_get(0)?;
            usize::try_from(count).map_err(|_| PgError::Damaged)
        })
    }

    fn resources(&self, seqs: &[i64]) -> Searched<Vec<StoredResource>> {
        const SQL: &str = "SELECT resource.seq, resource.collection, resource.id, version.version_id,
                                  version.last_updated, version.body
                           FROM resource JOIN version ON version.tenant = resource.tenant
                               AND version.resource = resource.seq AND version.version_id = resource.version_id
                           WHERE resource.tenant = $1 AND resource.seq = ANY($2)";
        if seqs.is_empty() {
            return Ok(Vec::new());
        }
        let mut found = self.wait(async {
            let statement = self.client.prepare_cached(SQL).await?;
            let rows = self.client.query(&statement, &[&self.tenant, &seqs]).await?;
            let mut found = HashMap::with_capacity(rows.len());
            for row in &rows {
                let resource_type = self.names.look_up_text(self.client, row.try_get::<_, i32>(1)?.into()).await?;
                found.insert(row.try_get::<_, i64>(0)?, stored(row, 2, resource_type)?);
            }
            Ok(found)
        })?;
        seqs.iter().map(|seq| found.remove(seq).ok_or_else(|| StoreError::from(PgError::Damaged))).collect()
    }

    fn body(&self, seq: i64) -> Searched<Vec<u8>> {
        const SQL: &str = "SELECT body FROM version WHERE tenant = $1 AND resource = $2 AND version_id =
                           (SELECT version_id FROM resource WHERE tenant = $1 AND seq = $2)";
        self.wait(async {
            let rows = self.rows(SQL, &self.tenant, &[&Value::Integer(seq)]).await?;
            body(rows.first().ok_or(PgError::Damaged)?, 0)
        })
    }

    fn version(&self, collection: i64, seq: i64, version_id: i64) -> Searched<Option<Shown>> {
        const SQL: &str = "SELECT resource.id, version.last_updated, version.body
                           FROM version JOIN resource ON resource.tenant = $1 AND resource.seq = $3
                           WHERE version.tenant = $1 AND version.collection = $2 AND version.resource = $3
                               AND version.version_id = $4 AND version.body <> ''";
        let values = [collection, seq, version_id].map(Value::Integer);
        self.wait(async {
            let rows = self.rows(SQL, &self.tenant, &values.each_ref()).await?;
            let shown = rows.first().map(|row| Ok((row.try_get(0)?, row.try_get(1)?, body(row, 2)?)));
            shown.transpose()
        })
    }
}

/// Reads a body from that column.
pub(super) fn body(row: &Row, column: usize) -> Result<Vec<u8>, PgError> {
    unpack(row.try_get(column)?).map_err(|_| PgError::Damaged)
}

/// Reads `id, version_id, last_updated, body` from that column on.
pub(super) fn stored(row: &Row, from: usize, resource_type: String) -> Result<StoredResource, PgError> {
    let version_id: i64 = row.try_get(from + 1)?;
    Ok(StoredResource {
        resource_type,
        id: row.try_get(from)?,
        version_id: u64::try_from(version_id).map_err(|_| PgError::Damaged)?,
        last_updated: row.try_get(from + 2)?,
        body: body(row, from + 3)?.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scan_becomes_a_statement_of_one_tenant() {
        let scan = Scan::token(7, Some(&"x".to_owned()), Some(1)).after(9);
        let text = "SELECT resource FROM token WHERE tenant = $1 AND field = $2 AND code = $3 AND system = $4 \
                    AND resource > $5 ORDER BY resource";
        assert_eq!(sql(&scan), text);
        assert!(sql(&Scan::collection(1)).contains("tenant = $1 AND NOT deleted AND collection = $2"));
    }
}
