//! The store room: writes one record and its resources inside the writer's transaction. (`transact` writes what no
//! record asks for.)

use super::ids::{self, Ids};
use super::pending::{Pending, Undo};
use super::places::Changed;
use super::search_rows::SearchRows;
use super::writer::Clock;
use crate::store::body::Unversioned;
use crate::store::history::Origin;
use crate::store::keys::Keys;
use crate::store::packed::{pack, unpack};
use crate::store::rows::Change;
use crate::store::{Committed, RecordWrite, Write, WriteMode, WriteOutcome, WrittenResource};
use rusqlite::{Connection, Error, OptionalExtension, params};
use std::collections::HashMap;

/// Row numbers of resources, with the version of each that the record wrote last.
pub(super) type OwnVersions = HashMap<i64, u64>;

/// What became of one write.
pub(super) struct Put {
    /// The resource's row number.
    pub(super) seq: i64,
    pub(super) version_id: u64,
    pub(super) last_updated: i64,
    /// As it is stored now.
    pub(super) body: Vec<u8>,
    pub(super) outcome: WriteOutcome,
}

/// All resources of one type of one tenant: a transaction meets some twenty, so a list finds them soon enough.
struct Collection {
    tenant: String,
    resource_type: String,
    number: i64,
}

/// Writes records inside one transaction.
pub(super) struct Recorder<'a> {
    pub(super) connection: &'a Connection,
    pub(super) clock: &'a mut Clock,
    /// Numbers of the types' collections that this transaction has used.
    collections: Vec<Collection>,
    pub(super) rows: SearchRows<'a>,
    pub(super) pending: &'a Pending,
    pub(super) undo: &'a mut Undo,
    pub(super) changed: Changed,
}

impl<'a> Recorder<'a> {
    pub(super) fn new(
        connection: &'a Connection,
        clock: &'a mut Clock,
        pending: &'a Pending,
        undo: &'a mut Undo,
    ) -> Self {
        let rows = SearchRows::new(connection);
        Self { connection, clock, collections: Vec::new(), rows, pending, undo, changed: Changed::default() }
    }

    /// Shows searches what was written since the last time. Before the commit, so that there is no moment in which a
    /// resource is there and not found; `undo` takes it back.
    pub(super) fn show_rows(&mut self) {
        self.pending.put(self.rows.take(), self.undo);
    }

    /// Another version of a resource has these keys: the first, or the last, has none beside it.
    pub(super) fn index(&mut self, seq: i64, before: Option<&Keys>, after: Option<&Keys>) -> rusqlite::Result<()> {
        self.connection
            .prepare_cached("INSERT INTO pending (resource, before) VALUES (?1, ?2)")?
            .execute(params![seq, before.map(Keys::bytes)])?;
        if let Some(before) = before {
            self.rows.remove(seq, before);
        }
        if let Some(after) = after {
            self.rows.add(seq, after);
        }
        Ok(())
    }

    pub(super) fn store(&mut self, tenant: &str, write: &RecordWrite) -> rusqlite::Result<Committed> {
        let connection = self.connection;
        let Some(record) = claim_revision(connection, tenant, write)? else {
            return Ok(Committed::Superseded);
        };
        let own = own_versions(connection, record)?;
        connection.prepare_cached("DELETE FROM record_resource WHERE record = ?1")?.execute([record])?;
        let mut list = connection.prepare_cached("INSERT INTO record_resource VALUES (?1, ?2, ?3, ?4)")?;
        let mut written = Vec::with_capacity(write.writes.len() + write.retractions.len());
        for (position, write) in write.writes.iter().enumerate() {
            let put = self.put(tenant, write, &own, Origin::Record)?;
            list.execute(params![record, position, put.seq, put.version_id])?;
            written.push(put.of(write));
        }
        for write in &write.retractions {
            // Judged by what is current: the record's own last word on it is another matter.
            written.push(self.put(tenant, write, &OwnVersions::new(), Origin::Record)?.of(write));
        }
        Ok(Committed::Stored(written))
    }

    /// Writes the readiness row.
    pub(super) fn check(&mut self) -> rusqlite::Result<()> {
        let checked = self.clock.tick();
        self.connection.prepare_cached("UPDATE readiness SET checked = ?1")?.execute([checked])?;
        Ok(())
    }

    /// Stores one resource, if it says something new.
    pub(super) fn put(
        &mut self,
        tenant: &str,
        write: &Write,
        own: &OwnVersions,
        origin: Origin,
    ) -> rusqlite::Result<Put> {
        let collection = self.collection(tenant, &write.resource_type)?;
        let origin = if write.mode == WriteMode::Unowned { Origin::Other(None) } else { origin };
        let body = Unversioned::parse(write).map_err(uncommittable)?;
        let Some(current) = Current::find(self.connection, self.pending, collection, &write.id)? else {
            return self.create(tenant, collection, write, body, origin);
        };
        let known = match write.mode {
            WriteMode::CreateIfAbsent => Some(current.version_id),
            WriteMode::Put | WriteMode::Unowned => {
                unchanged(self.connection, &current, own.get(&current.seq).copied(), body)?
            }
        };
        match known {
            Some(version_id) => Ok(Put {
                seq: current.seq,
                version_id,
                last_updated: current.last_updated,
                body: unpack(&current.packed).map_err(uncommittable)?,
                outcome: WriteOutcome::Unchanged,
            }),
            None => self.update(tenant, collection, current, write, body, origin),
        }
    }

    /// Takes the place of what was deleted, or a new one.
    fn create(
        &mut self,
        tenant: &str,
        collection: i64,
        write: &Write,
        body: Unversioned<'_>,
        origin: Origin,
    ) -> rusqlite::Result<Put> {
        let (seq, version_id) = match Deletion::find(self.connection, collection, &write.id)? {
            Some(deletion) => {
                deletion.end(self.connection, collection)?;
                (deletion.seq, deletion.version_id + 1)
            }
            None => (self.clock.next_seq(), 1),
        };
        let last_updated = self.clock.tick();
        let keys = self.rows.keys(collection, &write.index)?;
        let body = body.with_version(version_id, last_updated).map_err(uncommittable)?;
        self.connection
            .prepare_cached(
                "INSERT INTO resource
                 (seq, collection, id, version_id, last_updated, patient, search_keys, body, of_record, made_by)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?
            .execute(params![
                seq,
                collection,
                write.id,
                version_id,
                last_updated,
                write.patient,
                keys.bytes(),
                pack(&body),
                origin == Origin::Record,
                origin.made_by(true)
            ])?;
        self.pending.put(std::iter::once((ids::row(collection, &write.id, seq), Change::Add)), self.undo);
        self.index(seq, None, Some(&keys))?;
        self.changed.resource(tenant, &write.resource_type, &write.id, std::iter::once(&keys));
        Ok(Put { seq, version_id, last_updated, body, outcome: WriteOutcome::Created })
    }

    /// Moves the current version to the past ones and takes its place.
    fn update(
        &mut self,
        tenant: &str,
        collection: i64,
        current: Current,
        write: &Write,
        body: Unversioned<'_>,
        origin: Origin,
    ) -> rusqlite::Result<Put> {
        let connection = self.connection;
        current.keep(connection, collection)?;
        let version_id = current.version_id + 1;
        let last_updated = self.clock.tick();
        let keys = self.rows.keys(collection, &write.index)?;
        let body = body.with_version(version_id, last_updated).map_err(uncommittable)?;
        connection
            .prepare_cached(
                "UPDATE resource SET version_id = ?2, last_updated = ?3, patient = ?4, search_keys = ?5, body = ?6,
                 of_record = ?7, made_by = ?8 WHERE seq = ?1",
            )?
            .execute(params![
                current.seq,
                version_id,
                last_updated,
                write.patient,
                keys.bytes(),
                pack(&body),
                origin == Origin::Record,
                origin.made_by(false)
            ])?;
        self.index(current.seq, Some(&current.keys), Some(&keys))?;
        self.changed.resource(tenant, &write.resource_type, &write.id, [&current.keys, &keys].into_iter());
        Ok(Put { seq: current.seq, version_id, last_updated, body, outcome: WriteOutcome::Updated })
    }

    /// The number that stands for all resources of a type.
    pub(super) fn collection(&mut self, tenant: &str, resource_type: &str) -> rusqlite::Result<i64> {
        let is_it = |known: &&Collection| known.resource_type == resource_type && known.tenant == tenant;
        if let Some(known) = self.collections.iter().find(is_it) {
            return Ok(known.number);
        }
        let known = self
            .connection
            .prepare_cached("SELECT id FROM collection WHERE tenant = ?1 AND resource_type = ?2")?
            .query_row([tenant, resource_type], |row| row.get(0))
            .optional()?;
        let number = match known {
            Some(number) => number,
            None => self
                .connection
                .prepare_cached("INSERT INTO collection (tenant, resource_type) VALUES (?1, ?2)")?
                .insert([tenant, resource_type])?,
        };
        self.collections.push(Collection {
            tenant: tenant.to_owned(),
            resource_type: resource_type.to_owned(),
            number,
        });
        Ok(number)
    }
}

/// Writes revision and digest and gives the record's row number, unless the stored revision is another than the
/// write was built on.
fn claim_revision(connection: &Connection, tenant: &str, write: &RecordWrite) -> rusqlite::Result<Option<i64>> {
    let RecordWrite { key, revision, digest, based_on, .. } = write;
    let stored: Option<(i64, String)> = connection
        .prepare_cached(
            "SELECT seq, revision FROM record WHERE tenant = ?1 AND kind = ?2 AND record_id = ?3 AND system = ?4",
        )?
        .query_row(params![tenant, key.kind, key.record_id, key.system], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    match (stored, based_on) {
        (Some((seq, stored)), Some(based_on)) if stored == *based_on => {
            connection
                .prepare_cached("UPDATE record SET revision = ?2, digest = ?3 WHERE seq = ?1")?
                .execute(params![seq, revision, digest])?;
            Ok(Some(seq))
        }
        (None, None) => connection
            .prepare_cached(
                "INSERT INTO record (tenant, kind, record_id, system, revision, digest) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .insert(params![tenant, key.kind, key.record_id, key.system, revision, digest])
            .map(Some),
        (Some(_), _) | (None, Some(_)) => Ok(None),
    }
}

fn own_versions(connection: &Connection, record: i64) -> rusqlite::Result<OwnVersions> {
    connection
        .prepare_cached("SELECT resource, max(version_id) FROM record_resource WHERE record = ?1 GROUP BY resource")?
        .query_map([record], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

impl Put {
    fn of(self, write: &Write) -> WrittenResource {
        WrittenResource {
            resource_type: write.resource_type.clone(),
            id: write.id.clone(),
            version_id: self.version_id,
            outcome: self.outcome,
        }
    }
}

/// The row of a resource that is there.
pub(super) struct Current {
    pub(super) seq: i64,
    pub(super) version_id: u64,
    last_updated: i64,
    pub(super) keys: Keys,
    /// The body as it lies in the file.
    packed: Vec<u8>,
    made_by: i64,
}

impl Current {
    pub(super) fn find(
        connection: &Connection,
        pending: &Pending,
        collection: i64,
        id: &str,
    ) -> rusqlite::Result<Option<Self>> {
        let Some(seq) = Ids::before(pending).find(connection, collection, id)? else { return Ok(None) };
        connection
            .prepare_cached(
                "SELECT seq, version_id, last_updated, search_keys, body, made_by FROM resource WHERE seq = ?1",
            )?
            .query_row([seq], |row| {
                Ok(Self {
                    seq: row.get(0)?,
                    version_id: row.get(1)?,
                    last_updated: row.get(2)?,
                    keys: Keys::read(row.get_ref(3)?.as_blob()?).map_err(uncommittable)?,
                    packed: row.get(4)?,
                    made_by: row.get(5)?,
                })
            })
            .optional()
    }

    /// Puts a copy among the past versions.
    pub(super) fn keep(&self, connection: &Connection, collection: i64) -> rusqlite::Result<()> {
        connection
            .prepare_cached(
                "INSERT INTO past_version (resource, version_id, last_updated, body, collection, made_by)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![self.seq, self.version_id, self.last_updated, self.packed, collection, self.made_by])?;
        Ok(())
    }
}

/// The row of a resource that is deleted.
struct Deletion {
    seq: i64,
    version_id: u64,
    last_updated: i64,
}

impl Deletion {
    fn find(connection: &Connection, collection: i64, id: &str) -> rusqlite::Result<Option<Self>> {
        connection
            .prepare_cached(
                "SELECT resource, version_id, last_updated FROM deletion WHERE collection = ?1 AND id = ?2",
            )?
            .query_row(params![collection, id], |row| {
                Ok(Self { seq: row.get(0)?, version_id: row.get(1)?, last_updated: row.get(2)? })
            })
            .optional()
    }

    /// It becomes a past version.
    fn end(&self, connection: &Connection, collection: i64) -> rusqlite::Result<()> {
        connection
            .prepare_cached(
                "INSERT INTO past_version (resource, version_id, last_updated, body, collection)
                 VALUES (?1, ?2, ?3, x'', ?4)",
            )?
            .execute(params![self.seq, self.version_id, self.last_updated, collection])?;
        connection.prepare_cached("DELETE FROM deletion WHERE resource = ?1")?.execute([self.seq])?;
        Ok(())
    }
}

/// The version that says the same already: the record's own last one where it has one, else the current one.
/// Another record's later word on the resource is not undone by sending this record again.
fn unchanged(
    connection: &Connection,
    current: &Current,
    own: Option<u64>,
    body: Unversioned<'_>,
) -> rusqlite::Result<Option<u64>> {
    let same = |version_id, last_updated, packed: &[u8]| -> rusqlite::Result<bool> {
        let stored = unpack(packed).map_err(uncommittable)?;
        Ok(body.with_version(version_id, last_updated).is_ok_and(|body| body == stored))
    };
    let version_id = own.unwrap_or(current.version_id);
    let is_same = if version_id == current.version_id {
        same(version_id, current.last_updated, &current.packed)?
    } else {
        connection
            .prepare_cached("SELECT last_updated, body FROM past_version WHERE resource = ?1 AND version_id = ?2")?
            .query_row(params![current.seq, version_id], |row| {
                same(version_id, row.get(0)?, row.get_ref(1)?.as_blob()?)
            })?
    };
    Ok(is_same.then_some(version_id))
}

/// Carries our own error through a transaction whose errors are SQLite's.
pub(super) fn uncommittable(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::ToSqlConversionFailure(Box::new(error))
}
