//! The store room: all that a data file holds, part by part, for another engine. The file stays as it is, and no gateway
//! can use it meanwhile.

use super::flush::{self, Flush};
use super::pending::Pending;
use super::{Place, schema};
use crate::store::keys::Keys;
use crate::store::{Holdings, StoreError};
use rusqlite::{Connection, OpenFlags, Row, params};
use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

/// One resource with its versions, the oldest first.
#[derive(Debug)]
pub(in crate::store) struct Leaving {
    pub(in crate::store) seq: i64,
    pub(in crate::store) collection: i64,
    pub(in crate::store) id: String,
    pub(in crate::store) deleted: bool,
    pub(in crate::store) of_record: bool,
    pub(in crate::store) patient: Option<String>,
    pub(in crate::store) keys: Keys,
    pub(in crate::store) versions: Vec<LeavingVersion>,
}

#[derive(Debug)]
pub(in crate::store) struct LeavingVersion {
    pub(in crate::store) version_id: i64,
    pub(in crate::store) last_updated: i64,
    /// As it lies in the file (packed.rs). Empty: a deletion.
    pub(in crate::store) body: Vec<u8>,
    /// `Origin::made_by`.
    pub(in crate::store) made_by: i64,
}

/// An answer that is kept for a while.
#[derive(Debug)]
pub(in crate::store) struct LeavingAnswer {
    pub(in crate::store) tenant: String,
    pub(in crate::store) name: Vec<u8>,
    pub(in crate::store) request: Vec<u8>,
    pub(in crate::store) until: i64,
    pub(in crate::store) head: String,
    pub(in crate::store) body: Vec<u8>,
}

#[derive(Debug)]
pub(in crate::store) struct LeavingRecord {
    pub(in crate::store) seq: i64,
    pub(in crate::store) tenant: String,
    pub(in crate::store) kind: String,
    pub(in crate::store) record_id: String,
    pub(in crate::store) system: String,
    pub(in crate::store) revision: String,
    pub(in crate::store) digest: Vec<u8>,
    /// The instant of the resource's first version, and the version that the record wrote.
    pub(in crate::store) resources: Vec<(i64, i64)>,
}

/// What numbers in the file stand for.
#[derive(Debug)]
pub(in crate::store) struct Legend {
    /// Tenant and type.
    pub(in crate::store) collections: HashMap<i64, (String, String)>,
    pub(in crate::store) names: HashMap<i64, String>,
    /// Type and field.
    pub(in crate::store) fields: HashMap<i64, (String, String)>,
}

pub(in crate::store) struct Departure {
    connection: Connection,
    _claim: File,
}

impl Departure {
    /// Claims the file, which must be of this program's schema.
    pub(in crate::store) fn open(path: &Path) -> Result<Self, StoreError> {
        let place = Place::of(path)?;
        if !place.path.is_file() {
            return Err(StoreError::Unavailable(format!("{} is no data file", path.display())));
        }
        let claim = place.claim()?;
        let mut connection = place.connect(OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        schema::migrate(&mut connection).map_err(|error| StoreError::Unavailable(error.to_string()))?;
        // So that all search rows are in the tables that are counted.
        let pending = Pending::new();
        flush::recover(&connection, &pending)?;
        Flush::default().finish(&mut connection, &pending)?;
        Ok(Self { connection, _claim: claim })
    }

    /// The instant of the newest version.
    pub(in crate::store) fn newest(&self) -> Result<i64, StoreError> {
        const SQL: &str = "SELECT max(coalesce((SELECT max(last_updated) FROM resource), 0),
                                      coalesce((SELECT max(last_updated) FROM deletion), 0))";
        Ok(self.connection.query_row(SQL, [], |row| row.get(0))?)
    }

    pub(in crate::store) fn holdings(&self) -> Result<Holdings, StoreError> {
        let count = |table: &str| -> Result<u64, StoreError> {
            Ok(self.connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))?)
        };
        let (resources, deletions) = (count("resource")?, count("deletion")?);
        Ok(Holdings {
            resources,
            deletions,
            versions: resources + deletions + count("past_version")?,
            records: count("record")?,
            listed: count("record_resource")?,
            search_rows: count("token WHERE field > 0")? + count("date")? + count("text")? + count("number")?,
        })
    }

    pub(in crate::store) fn legend(&self) -> Result<Legend, StoreError> {
        let pair = |row: &Row<'_>| Ok((row.get(0)?, (row.get(1)?, row.get(2)?)));
        let pairs = |sql: &str| -> Result<HashMap<i64, (String, String)>, StoreError> {
            Ok(self.connection.prepare(sql)?.query_map([], pair)?.collect::<rusqlite::Result<_>>()?)
        };
        Ok(Legend {
            collections: pairs("SELECT id, tenant, resource_type FROM collection")?,
            names: self
                .connection
                .prepare("SELECT id, text FROM name")?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<rusqlite::Result<_>>()?,
            fields: pairs(
                "SELECT field.id, resource_type, name FROM field JOIN collection ON collection.id = field.collection",
            )?,
        })
    }

    /// Resources behind that one, deleted ones too, in the order of their numbers.
    pub(in crate::store) fn resources(&self, after: i64, count: usize) -> Result<Vec<Leaving>, StoreError> {
        const SQL: &str = "SELECT seq, collection, id, FALSE, of_record, patient, search_keys,
                                  version_id, last_updated, body, made_by
                           FROM resource WHERE seq > ?1
                           UNION ALL
                           SELECT resource, collection, id, TRUE, FALSE, NULL, x'', version_id, last_updated, x'', 0
                           FROM deletion WHERE resource > ?1
                           ORDER BY 1 LIMIT ?2";
        let read = |row: &Row<'_>| {
            let keys = Keys::read(row.get_ref(6)?.as_blob()?);
            let newest = LeavingVersion {
                version_id: row.get(7)?,
                last_updated: row.get(8)?,
                body: row.get(9)?,
                made_by: row.get(10)?,
            };
            let leaving = Leaving {
                seq: row.get(0)?,
                collection: row.get(1)?,
                id: row.get(2)?,
                deleted: row.get(3)?,
                of_record: row.get(4)?,
                patient: row.get(5)?,
                keys: Keys::default(),
                versions: vec![newest],
            };
            Ok(keys.map(|keys| Leaving { keys, ..leaving }))
        };
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let mut statement = self.connection.prepare_cached(SQL)?;
        let found = statement.query_map(params![after, count], read)?.collect::<rusqlite::Result<Vec<_>>>()?;
        let damaged = |error: crate::store::keys::DamagedKeys| StoreError::Unavailable(error.to_string());
        let mut found = found.into_iter().collect::<Result<Vec<Leaving>, _>>().map_err(damaged)?;
        const PAST: &str = "SELECT version_id, last_updated, body, made_by FROM past_version WHERE resource = ?1
                            ORDER BY version_id";
        let mut past = self.connection.prepare_cached(PAST)?;
        for leaving in &mut found {
            let read = |row: &Row<'_>| {
                Ok(LeavingVersion {
                    version_id: row.get(0)?,
                    last_updated: row.get(1)?,
                    body: row.get(2)?,
                    made_by: row.get(3)?,
                })
            };
            let versions = past.query_map([leaving.seq], read)?.collect::<rusqlite::Result<Vec<_>>>()?;
            leaving.versions.splice(0..0, versions);
        }
        Ok(found)
    }

    /// What the gateway noted: tenant, name and text.
    pub(in crate::store) fn notes(&self) -> Result<Vec<(String, String, String)>, StoreError> {
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        let mut statement = self.connection.prepare("SELECT tenant, name, text FROM note")?;
        Ok(statement.query_map([], read)?.collect::<rusqlite::Result<_>>()?)
    }

    /// Kept answers behind that one, in the order of tenant and name.
    pub(in crate::store) fn answers(
        &self,
        after: Option<(&str, &[u8])>,
        count: usize,
    ) -> Result<Vec<LeavingAnswer>, StoreError> {
        const SQL: &str = "SELECT tenant, name, request, until, head, body FROM kept_answer
                           WHERE (tenant, name) > (?1, ?2) ORDER BY tenant, name LIMIT ?3";
        let (tenant, name) = after.unwrap_or_default();
        let read = |row: &Row<'_>| {
            Ok(LeavingAnswer {
                tenant: row.get(0)?,
                name: row.get(1)?,
                request: row.get(2)?,
                until: row.get(3)?,
                head: row.get(4)?,
                body: row.get(5)?,
            })
        };
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let mut statement = self.connection.prepare_cached(SQL)?;
        Ok(statement.query_map(params![tenant, name, count], read)?.collect::<rusqlite::Result<_>>()?)
    }

    /// Records behind that one, in the order of their numbers.
    pub(in crate::store) fn records(&self, after: i64, count: usize) -> Result<Vec<LeavingRecord>, StoreError> {
        const SQL: &str = "SELECT seq, tenant, kind, record_id, system, revision, digest FROM record WHERE seq > ?1
                           ORDER BY seq LIMIT ?2";
        const LISTED: &str = "SELECT coalesce(
                                  (SELECT min(last_updated) FROM past_version WHERE resource = listed.resource),
                                  (SELECT last_updated FROM resource WHERE seq = listed.resource),
                                  (SELECT last_updated FROM deletion WHERE resource = listed.resource)), version_id
                              FROM record_resource AS listed WHERE record = ?1 ORDER BY position";
        let read = |row: &Row<'_>| {
            Ok(LeavingRecord {
                seq: row.get(0)?,
                tenant: row.get(1)?,
                kind: row.get(2)?,
                record_id: row.get(3)?,
                system: row.get(4)?,
                revision: row.get(5)?,
                digest: row.get(6)?,
                resources: Vec::new(),
            })
        };
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let mut statement = self.connection.prepare_cached(SQL)?;
        let mut found = statement.query_map(params![after, count], read)?.collect::<rusqlite::Result<Vec<_>>>()?;
        let mut listed = self.connection.prepare_cached(LISTED)?;
        for record in &mut found {
            let pairs = listed.query_map([record.seq], |row| Ok((row.get(0)?, row.get(1)?)))?;
            record.resources = pairs.collect::<rusqlite::Result<_>>()?;
        }
        Ok(found)
    }
}
