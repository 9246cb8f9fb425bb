//! The store room: the resources of one transaction: what is there, what becomes of them, and the statements that make it
//! so, all on their way before the first is answered.

use super::clock::Ticks;
use super::error::PgError;
use super::index::body;
use super::names::{Names, clean, small};
use crate::store::body::Unversioned;
use crate::store::history::Origin;
use crate::store::keys::Keys;
use crate::store::packed::pack;
use crate::store::rows::{Change, Changes, Row};
use crate::store::{StoreError, Write, WriteMode, WriteOutcome};
use bytes::Bytes;
use deadpool_postgres::Transaction;
use futures_util::future::{try_join, try_join_all};
use std::collections::{BTreeMap, HashMap};
use tokio_postgres::types::ToSql;

/// The type's number, and the id.
pub(super) type Key = (i64, String);

/// A resource that is there, or was.
#[derive(Debug, Clone)]
pub(super) struct Current {
    pub(super) seq: i64,
    pub(super) version_id: i64,
    pub(super) last_updated: i64,
    pub(super) deleted: bool,
    pub(super) of_record: bool,
    patient: Option<String>,
    keys: Keys,
    body: Bytes,
}

/// The version of a resource that a record wrote last.
#[derive(Debug)]
pub(super) struct Own {
    pub(super) version_id: i64,
    /// Its time and body, where it is not the current one.
    pub(super) past: Option<(i64, Vec<u8>)>,
}

/// By the resource's number.
pub(super) type OwnVersions = HashMap<i64, Own>;

/// What became of one write.
#[derive(Debug)]
pub(super) struct Put {
    pub(super) seq: i64,
    pub(super) version_id: u64,
    pub(super) last_updated: i64,
    /// As it is stored now.
    pub(super) body: Bytes,
    pub(super) outcome: WriteOutcome,
}

struct Version {
    seq: i64,
    version_id: i64,
    collection: i64,
    last_updated: i64,
    body: Bytes,
    made_by: i64,
}

pub(super) const ADD_RESOURCES: &str =
    "INSERT INTO resource (tenant, seq, collection, id, version_id, last_updated, deleted,
                                         of_record, patient, search_keys)
                   SELECT $1::integer, given.* FROM unnest($2::bigint[], $3::integer[], $4::text[], $5::bigint[],
                       $6::bigint[], $7::boolean[], $8::boolean[], $9::text[], $10::bytea[]) AS given
                   ON CONFLICT DO NOTHING";
pub(super) const ADD_VERSIONS: &str =
    "INSERT INTO version (tenant, resource, version_id, collection, last_updated, body, made_by)
                   SELECT $1::integer, given.* FROM unnest($2::bigint[], $3::bigint[], $4::integer[], $5::bigint[],
                       $6::bytea[], $7::smallint[]) AS given";

pub(super) struct Work<'a> {
    names: &'a Names,
    tenant: i32,
    ticks: Ticks,
    known: HashMap<Key, Current>,
    /// Resources with a new version, and the version that was there before; in the order in which all lock them.
    touched: BTreeMap<Key, Option<i64>>,
    versions: Vec<Version>,
    changes: Changes,
}

impl<'a> Work<'a> {
    pub(super) fn new(names: &'a Names, tenant: i32, ticks: Ticks) -> Self {
        let mut changes = Changes::default();
        names.aside().into_iter().for_each(|field| changes.leave_aside(field));
        Self { names, tenant, ticks, known: HashMap::new(), touched: BTreeMap::new(), versions: Vec::new(), changes }
    }

    pub(super) fn collection(&self, resource_type: &str) -> Result<i64, PgError> {
        self.names.name(resource_type).ok_or(PgError::Again)
    }

    /// Reads what is there; others wait with what is to be changed until this transaction ends.
    pub(super) async fn read(
        &mut self,
        client: &Transaction<'_>,
        keys: &[Key],
        to_change: &[Key],
    ) -> Result<(), PgError> {
        const LOCK: &str = "SELECT 1 FROM resource JOIN unnest($2::integer[], $3::text[]) AS wanted (collection, id)
                                ON resource.collection = wanted.collection AND resource.id = wanted.id
                            WHERE resource.tenant = $1 ORDER BY resource.collection, resource.id
                            FOR NO KEY UPDATE OF resource";
        const READ: &str = "SELECT resource.collection, resource.id, resource.seq, resource.version_id,
                                   resource.last_updated, resource.deleted, resource.of_record, resource.patient,
                                   resource.search_keys, version.body
                            FROM unnest($2::integer[], $3::text[]) AS wanted (collection, id)
                            JOIN resource ON resource.tenant = $1 AND resource.collection = wanted.collection
                                AND resource.id = wanted.id
                            JOIN version ON version.tenant = $1 AND version.resource = resource.seq
                                AND version.version_id = resource.version_id";
        let (lock, read) = try_join(client.prepare_cached(LOCK), client.prepare_cached(READ)).await?;
        let columns = |keys: &[Key]| -> (Vec<i32>, Vec<String>) {
            keys.iter().map(|(collection, id)| (small(*collection), clean(id))).unzip()
        };
        let (collections, ids) = columns(keys);
        let (locked_collections, locked_ids) = columns(to_change);
        // Two statements: the second sees what the first has waited for.
        let lock_values: [&(dyn ToSql + Sync); 3] = [&self.tenant, &locked_collections, &locked_ids];
        let read_values: [&(dyn ToSql + Sync); 3] = [&self.tenant, &collections, &ids];
        let (_, rows) = try_join(client.query(&lock, &lock_values), client.query(&read, &read_values)).await?;
        for row in &rows {
            let key = (i64::from(row.try_get::<_, i32>(0)?), row.try_get(1)?);
            let current = Current {
                seq: row.try_get(2)?,
                version_id: row.try_get(3)?,
                last_updated: row.try_get(4)?,
                deleted: row.try_get(5)?,
                of_record: row.try_get(6)?,
                patient: row.try_get(7)?,
                keys: Keys::read(row.try_get(8)?)?,
                body: body(row, 9)?.into(),
            };
            self.known.insert(key, current);
        }
        Ok(())
    }

    /// The resource, unless it is not there or deleted.
    pub(super) fn there(&self, key: &Key) -> Option<&Current> {
        self.known.get(key).filter(|current| !current.deleted)
    }

    /// Stores one resource, if it says something new.
    pub(super) fn put(&mut self, write: &Write, own: &OwnVersions, origin: Origin) -> Result<Put, PgError> {
        let origin = if write.mode == WriteMode::Unowned { Origin::Other(None) } else { origin };
        let key = (self.collection(&write.resource_type)?, write.id.clone());
        let body = Unversioned::parse(write)?;
        if let Some(current) = self.there(&key)
            && let Some(version_id) = match write.mode {
                WriteMode::CreateIfAbsent => Some(current.version_id),
                WriteMode::Put | WriteMode::Unowned => unchanged(current, own.get(&current.seq), body),
            }
        {
            return Ok(Put {
                seq: current.seq,
                version_id: version_id.cast_unsigned(),
                last_updated: current.last_updated,
                body: current.body.clone(),
                outcome: WriteOutcome::Unchanged,
            });
        }
        let is_there = self.there(&key).is_some();
        let keys = self.names.keys(key.0, &write.index)?;
        let version = |version_id: i64, last_updated| {
            let bytes = body.with_version(version_id.cast_unsigned(), last_updated);
            bytes.map(Bytes::from).map_err(|_| PgError::Damaged)
        };
        let current = self.advance(&key, origin.made_by(!is_there), version, |current| {
            current.deleted = false;
            current.of_record = origin == Origin::Record;
            current.patient = write.patient.as_deref().map(clean);
            current.keys = keys;
        })?;
        Ok(Put {
            seq: current.seq,
            version_id: current.version_id.cast_unsigned(),
            last_updated: current.last_updated,
            body: current.body,
            outcome: if is_there { WriteOutcome::Updated } else { WriteOutcome::Created },
        })
    }

    /// Makes a version without a body; of a resource that is there.
    pub(super) fn delete(&mut self, key: &Key) -> Result<Current, PgError> {
        self.advance(
            key,
            0,
            |_, _| Ok(Bytes::new()),
            |current| {
                current.deleted = true;
                current.patient = None;
                current.keys = Keys::default();
            },
        )
    }

    /// The next version of a resource, or its first.
    fn advance(
        &mut self,
        key: &Key,
        made_by: i64,
        body: impl FnOnce(i64, i64) -> Result<Bytes, PgError>,
        change: impl FnOnce(&mut Current),
    ) -> Result<Current, PgError> {
        let before = self.known.get(key);
        let (version_id, last) = before.map_or((0, i64::MIN), |before| (before.version_id, before.last_updated));
        let (version_id, last_updated) = (version_id + 1, self.ticks.take(last)?);
        let seq = before.map_or(last_updated, |before| before.seq);
        let body = body(version_id, last_updated)?;
        self.touched.entry(key.clone()).or_insert(before.map(|before| before.version_id));
        if let Some(before) = before {
            self.changes.remove(seq, &before.keys);
        }
        let mut current = Current {
            seq,
            version_id,
            last_updated,
            deleted: false,
            of_record: false,
            patient: None,
            keys: Keys::default(),
            body: body.clone(),
        };
        change(&mut current);
        self.changes.add(seq, &current.keys);
        self.versions.push(Version { seq, version_id, collection: key.0, last_updated, body, made_by });
        self.known.insert(key.clone(), current.clone());
        Ok(current)
    }

    /// Brings the tables to what has been decided.
    pub(super) async fn write(mut self, client: &Transaction<'_>) -> Result<(), PgError> {
        try_join_all([self.write_resources(client, true), self.write_resources(client, false)]).await?;
        let rows = IndexRows::of(&mut self.changes);
        try_join(self.write_versions(client), rows.write(client, self.tenant)).await?;
        Ok(())
    }

    async fn write_resources(&self, client: &Transaction<'_>, new: bool) -> Result<(), PgError> {
        // Unless another has changed it since it was read.
        const CHANGE: &str = "UPDATE resource SET version_id = given.version_id, last_updated = given.last_updated,
                                  deleted = given.deleted, of_record = given.of_record, patient = given.patient,
                                  search_keys = given.search_keys
                              FROM unnest($2::bigint[], $3::integer[], $4::text[], $5::bigint[], $6::bigint[],
                                  $7::boolean[], $8::boolean[], $9::text[], $10::bytea[], $11::bigint[])
                                  AS given (seq, collection, id, version_id, last_updated, deleted, of_record, patient,
                                          search_keys, before)
                              WHERE resource.tenant = $1 AND resource.seq = given.seq
                                  AND resource.version_id = given.before";
        let touched: Vec<_> = self
            .touched
            .iter()
            .filter(|(_, before)| before.is_none() == new)
            .filter_map(|(key, before)| Some((key, self.known.get(key)?, before.unwrap_or_default())))
            .collect();
        if touched.is_empty() {
            return Ok(());
        }
        let seqs: Vec<i64> = touched.iter().map(|(_, current, _)| current.seq).collect();
        let collections: Vec<i32> = touched.iter().map(|((collection, _), _, _)| small(*collection)).collect();
        let ids: Vec<&str> = touched.iter().map(|((_, id), _, _)| id.as_str()).collect();
        let version_ids: Vec<i64> = touched.iter().map(|(_, current, _)| current.version_id).collect();
        let times: Vec<i64> = touched.iter().map(|(_, current, _)| current.last_updated).collect();
        let deleted: Vec<bool> = touched.iter().map(|(_, current, _)| current.deleted).collect();
        let of_record: Vec<bool> = touched.iter().map(|(_, current, _)| current.of_record).collect();
        let patients: Vec<Option<&str>> = touched.iter().map(|(_, current, _)| current.patient.as_deref()).collect();
        let keys: Vec<Vec<u8>> = touched.iter().map(|(_, current, _)| current.keys.bytes()).collect();
        let before: Vec<i64> = touched.iter().map(|(_, _, before)| *before).collect();
        let mut values: Vec<&(dyn ToSql + Sync)> =
            vec![&self.tenant, &seqs, &collections, &ids, &version_ids, &times, &deleted, &of_record, &patients, &keys];
        if !new {
            values.push(&before);
        }
        let statement = client.prepare_cached(if new { ADD_RESOURCES } else { CHANGE }).await?;
        let done = client.execute(&statement, &values).await?;
        if done == touched.len() as u64 { Ok(()) } else { Err(PgError::Again) }
    }

    async fn write_versions(&self, client: &Transaction<'_>) -> Result<(), PgError> {
        if self.versions.is_empty() {
            return Ok(());
        }
        let statement = client.prepare_cached(ADD_VERSIONS).await?;
        let seqs: Vec<i64> = self.versions.iter().map(|version| version.seq).collect();
        let version_ids: Vec<i64> = self.versions.iter().map(|version| version.version_id).collect();
        let collections: Vec<i32> = self.versions.iter().map(|version| small(version.collection)).collect();
        let times: Vec<i64> = self.versions.iter().map(|version| version.last_updated).collect();
        let bodies: Vec<Vec<u8>> = self.versions.iter().map(|version| pack(&version.body)).collect();
        let made_by: Vec<i16> = self.versions.iter().map(|version| narrow(version.made_by)).collect();
        let values: [&(dyn ToSql + Sync); 7] =
            [&self.tenant, &seqs, &version_ids, &collections, &times, &bodies, &made_by];
        client.execute(&statement, &values).await?;
        Ok(())
    }
}

/// `Origin::made_by` has seven values.
pub(super) fn narrow(made_by: i64) -> i16 {
    i16::try_from(made_by).unwrap_or_default()
}

/// The version that says the same already: the record's own last one where it has one, else the current one.
/// Another record's later word on the resource is not undone by sending this record again.
fn unchanged(current: &Current, own: Option<&Own>, body: Unversioned<'_>) -> Option<i64> {
    let (version_id, last_updated, stored) = match own {
        Some(Own { version_id, past: Some((last_updated, stored)) }) => (*version_id, *last_updated, stored.as_slice()),
        Some(Own { past: None, .. }) | None => (current.version_id, current.last_updated, current.body.as_ref()),
    };
    let same = body.with_version(version_id.cast_unsigned(), last_updated).is_ok_and(|body| body == stored);
    same.then_some(version_id)
}

/// Rows of the index, column by column: added and removed ones of each table.
#[derive(Default)]
pub(super) struct IndexRows {
    tokens: [Columns<i64, i32>; 2],
    dates: [Columns<i64, i64>; 2],
    texts: [Columns<String, ()>; 2],
    numbers: [Columns<Ends, i32>; 2],
}

/// Of numbers, as bytes.
type Ends = (Vec<u8>, Vec<u8>);

/// Field, what the table is sorted by, one more, and the resource.
struct Columns<A, B> {
    fields: Vec<i32>,
    values: Vec<A>,
    also: Vec<B>,
    resources: Vec<i64>,
}

impl<A, B> Default for Columns<A, B> {
    fn default() -> Self {
        Self { fields: vec![], values: vec![], also: vec![], resources: vec![] }
    }
}

impl<A, B> Columns<A, B> {
    fn push(&mut self, field: i64, value: A, also: B, resource: i64) {
        self.fields.push(small(field));
        self.values.push(value);
        self.also.push(also);
        self.resources.push(resource);
    }
}

impl IndexRows {
    pub(super) fn of(changes: &mut Changes) -> Self {
        let mut rows = Self::default();
        for (row, change) in changes.take() {
            let at = usize::from(change == Change::Remove);
            match row {
                Row::Token { field, code, system, resource } => {
                    rows.tokens[at].push(field, code, small(system), resource);
                }
                Row::Date { field, low, resource, high } => rows.dates[at].push(field, low, high, resource),
                Row::Text { field, text, resource } => rows.texts[at].push(field, clean(&text), (), resource),
                Row::Number { field, unit, ends, resource } => {
                    let (low, high) = *ends;
                    rows.numbers[at].push(field, (low.0, high.0), small(unit), resource);
                }
            }
        }
        rows
    }

    pub(super) async fn write(&self, client: &Transaction<'_>, tenant: i32) -> Result<(), PgError> {
        let run = async |sql: &str, values: &[&(dyn ToSql + Sync)], rows: usize| -> Result<(), PgError> {
            if rows > 0 {
                let statement = client.prepare_cached(sql).await?;
                let values: Vec<&(dyn ToSql + Sync)> =
                    std::iter::once(&tenant as &(dyn ToSql + Sync)).chain(values.iter().copied()).collect();
                client.execute(&statement, &values).await?;
            }
            Ok(())
        };
        for (at, [token, date, text, number]) in STATEMENTS.iter().enumerate() {
            let (tokens, dates, texts, numbers) =
                (&self.tokens[at], &self.dates[at], &self.texts[at], &self.numbers[at]);
            let (lows, highs): (Vec<&[u8]>, Vec<&[u8]>) =
                numbers.values.iter().map(|(low, high)| (low.as_slice(), high.as_slice())).unzip();
            let token_values: [&(dyn ToSql + Sync); 4] =
                [&tokens.fields, &tokens.values, &tokens.also, &tokens.resources];
            let date_values: [&(dyn ToSql + Sync); 4] = [&dates.fields, &dates.values, &dates.also, &dates.resources];
            let text_values: [&(dyn ToSql + Sync); 3] = [&texts.fields, &texts.values, &texts.resources];
            let number_values: [&(dyn ToSql + Sync); 5] =
                [&numbers.fields, &numbers.also, &lows, &highs, &numbers.resources];
            try_join_all([
                run(token, &token_values, tokens.fields.len()),
                run(date, &date_values, dates.fields.len()),
                run(text, &text_values, texts.fields.len()),
                run(number, &number_values, numbers.fields.len()),
            ])
            .await?;
        }
        Ok(())
    }
}

/// For tokens, dates, texts and numbers, first what adds, then what removes.
const STATEMENTS: [[&str; 4]; 2] = [
    [
        "INSERT INTO token (tenant, field, code, system, resource)
         SELECT $1::integer, given.* FROM unnest($2::integer[], $3::bigint[], $4::integer[], $5::bigint[]) AS given
         ON CONFLICT DO NOTHING",
        "INSERT INTO date (tenant, field, low, high, resource)
         SELECT $1::integer, given.* FROM unnest($2::integer[], $3::bigint[], $4::bigint[], $5::bigint[]) AS given
         ON CONFLICT DO NOTHING",
        "INSERT INTO text (tenant, field, text, resource)
         SELECT $1::integer, given.* FROM unnest($2::integer[], $3::text[], $4::bigint[]) AS given
         ON CONFLICT DO NOTHING",
        "INSERT INTO number (tenant, field, unit, low, high, resource)
         SELECT $1::integer, given.* FROM unnest($2::integer[], $3::integer[], $4::bytea[], $5::bytea[], $6::bigint[]) AS given
         ON CONFLICT DO NOTHING",
    ],
    [
        "DELETE FROM token USING unnest($2::integer[], $3::bigint[], $4::integer[], $5::bigint[])
             AS given (field, code, system, resource)
         WHERE token.tenant = $1 AND token.field = given.field AND token.code = given.code
             AND token.system = given.system AND token.resource = given.resource",
        "DELETE FROM date USING unnest($2::integer[], $3::bigint[], $4::bigint[], $5::bigint[])
             AS given (field, low, high, resource)
         WHERE date.tenant = $1 AND date.field = given.field AND date.low = given.low
             AND date.resource = given.resource AND date.high = given.high",
        "DELETE FROM text USING unnest($2::integer[], $3::text[], $4::bigint[]) AS given (field, text, resource)
         WHERE text.tenant = $1 AND text.field = given.field AND text.text = given.text
             AND text.resource = given.resource",
        "DELETE FROM number USING unnest($2::integer[], $3::integer[], $4::bytea[], $5::bytea[], $6::bigint[])
             AS given (field, unit, low, high, resource)
         WHERE number.tenant = $1 AND number.field = given.field AND number.unit = given.unit
             AND number.low = given.low AND number.high = given.high AND number.resource = given.resource",
    ],
];

impl From<std::num::TryFromIntError> for PgError {
    fn from(_: std::num::TryFromIntError) -> Self {
        PgError::Store(StoreError::Unavailable("a number is larger than the database takes".to_owned()))
    }
}
