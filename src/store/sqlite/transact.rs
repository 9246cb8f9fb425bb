//! The store room: a transaction's changes inside the writer's transaction. All that it expects is looked at first, so
//! that one which must not be done has written nothing.

use super::ids::{self, Ids};
use super::index::FileIndex;
use super::record::{Current, OwnVersions, Put, Recorder};
use crate::store::history::Origin;
use crate::store::rows::Change;
use crate::store::search;
use crate::store::transaction::{
    Action, ChangeOutcome, Changed, Condition, Expected, Finds, Refusal, Transacted, Transaction,
};
use crate::store::{SearchQuery, StoreError, StoredResource, Write, WriteOutcome};
use bytes::Bytes;
use rusqlite::{Error, OptionalExtension, params};

impl Recorder<'_> {
    pub(super) fn transact(&mut self, tenant: &str, transaction: &Transaction) -> rusqlite::Result<Transacted> {
        if !transaction.conditions.is_empty() {
            // A search must see what earlier tasks of the group have written.
            self.show_rows();
        }
        for condition in &transaction.conditions {
            if !self.holds(tenant, condition)? {
                return Ok(Transacted::Superseded);
            }
        }
        let mut refused = Vec::new();
        for (place, change) in transaction.changes.iter().enumerate() {
            if let Some(refusal) = self.refusal(tenant, &change.action, change.expected)? {
                refused.push((place, refusal));
            }
        }
        if !refused.is_empty() {
            return Ok(Transacted::Refused(refused));
        }
        if transaction.trial {
            return Ok(Transacted::Done(Vec::new()));
        }
        let mut done = Vec::with_capacity(transaction.changes.len());
        for (place, change) in transaction.changes.iter().enumerate() {
            let origin = Origin::Other(transaction.methods.get(place).copied());
            done.push(match &change.action {
                Action::Put(write) => changed(write, self.put(tenant, write, &OwnVersions::new(), origin)?),
                Action::Delete { resource_type, id } => self.delete(tenant, resource_type, id)?,
            });
        }
        Ok(Transacted::Done(done))
    }

    fn holds(&self, tenant: &str, condition: &Condition) -> rusqlite::Result<bool> {
        // Two are enough to tell that there is more than one.
        let query = SearchQuery {
            count: 2,
            after: None,
            total: false,
            exact_total: false,
            includes: vec![],
            ..condition.query.clone()
        };
        let index = FileIndex::new(self.connection, tenant, self.pending.own_view());
        let found = search::page(&index, tenant, &query).map_err(carried)?.resources;
        Ok(match (&condition.finds, found.as_slice()) {
            (Finds::Nothing, []) => true,
            (Finds::One(id), [only]) => only.id == *id,
            (Finds::Nothing | Finds::One(_), _) => false,
        })
    }

    fn refusal(&mut self, tenant: &str, action: &Action, expected: Expected) -> rusqlite::Result<Option<Refusal>> {
        let collection = self.collection(tenant, action.resource_type())?;
        let current: Option<(u64, bool)> =
            match Ids::before(self.pending).find(self.connection, collection, action.id())? {
                Some(seq) => self
                    .connection
                    .prepare_cached("SELECT version_id, of_record FROM resource WHERE seq = ?1")?
                    .query_row([seq], |row| Ok((row.get(0)?, row.get(1)?)))
                    .optional()?,
                None => None,
            };
        let version = current.map(|(version, _)| version);
        let is_expected = match expected {
            Expected::Any => true,
            Expected::Nothing => version.is_none(),
            Expected::Something => version.is_some(),
            Expected::Version(expected) => version == Some(expected),
        };
        Ok(match current {
            Some((_, true)) if !action.is_unowned() => Some(Refusal::OfRecord),
            Some((_, _)) | None => (!is_expected).then_some(Refusal::Expectation { current: version }),
        })
    }

    fn delete(&mut self, tenant: &str, resource_type: &str, id: &str) -> rusqlite::Result<Changed> {
        let collection = self.collection(tenant, resource_type)?;
        let answer = |outcome, version_id, last_updated| Changed {
            outcome,
            resource: StoredResource {
                resource_type: resource_type.to_owned(),
                id: id.to_owned(),
                version_id,
                last_updated,
                body: Bytes::new(),
            },
        };
        let Some(current) = Current::find(self.connection, self.pending, collection, id)? else {
            return Ok(answer(ChangeOutcome::Absent, 0, 0));
        };
        current.keep(self.connection, collection)?;
        let (version_id, last_updated) = (current.version_id + 1, self.clock.tick());
        self.connection
            .prepare_cached(
                "INSERT INTO deletion (resource, collection, id, version_id, last_updated) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![current.seq, collection, id, version_id, last_updated])?;
        self.connection.prepare_cached("DELETE FROM resource WHERE seq = ?1")?.execute([current.seq])?;
        self.pending.put(std::iter::once((ids::row(collection, id, current.seq), Change::Remove)), self.undo);
        self.index(current.seq, Some(&current.keys), None)?;
        self.changed.resource(tenant, resource_type, id, std::iter::once(&current.keys));
        Ok(answer(ChangeOutcome::Deleted, version_id, last_updated))
    }
}

fn changed(write: &Write, put: Put) -> Changed {
    Changed {
        outcome: match put.outcome {
            WriteOutcome::Created => ChangeOutcome::Created,
            WriteOutcome::Updated => ChangeOutcome::Updated,
            WriteOutcome::Unchanged => ChangeOutcome::Unchanged,
        },
        resource: StoredResource {
            resource_type: write.resource_type.clone(),
            id: write.id.clone(),
            version_id: put.version_id,
            last_updated: put.last_updated,
            body: put.body.into(),
        },
    }
}

/// Carries a search's error through a transaction whose errors are SQLite's.
fn carried(error: StoreError) -> Error {
    Error::ToSqlConversionFailure(Box::new(error))
}
