//! The store room: which resource an id names. Ids are digests and names of their own, so they stand anywhere in an index,
//! and wait as search rows do until many of them are written together.

use super::pending::{Pending, View};
use crate::store::code::code_number;
use crate::store::rows::{NO_NAME, Row};
use crate::store::search::Scan;
use rusqlite::{Connection, OptionalExtension, params};

/// Ids stand among the tokens, in the place of a field that no parameter has.
pub(super) fn row(collection: i64, id: &str, resource: i64) -> Row {
    Row::Token { field: field(collection), code: code_number(id), system: NO_NAME, resource }
}

fn field(collection: i64) -> i64 {
    -collection
}

/// Finds resources that are there.
pub(super) struct Ids {
    pending: View,
}

impl Ids {
    /// Must be made before the reader's view of the file begins: what is not pending then is in the tables.
    pub(super) fn before(pending: &Pending) -> Self {
        Self { pending: pending.own_view() }
    }

    /// The row number.
    pub(super) fn find(&self, connection: &Connection, collection: i64, id: &str) -> rusqlite::Result<Option<i64>> {
        find(connection, &self.pending, collection, id)
    }

    /// The same of a deleted resource, too.
    pub(super) fn find_ever(
        &self,
        connection: &Connection,
        collection: i64,
        id: &str,
    ) -> rusqlite::Result<Option<i64>> {
        if let Some(seq) = self.find(connection, collection, id)? {
            return Ok(Some(seq));
        }
        connection
            .prepare_cached("SELECT resource FROM deletion WHERE collection = ?1 AND id = ?2")?
            .query_row(params![collection, id], |row| row.get(0))
            .optional()
    }
}

pub(super) fn find(
    connection: &Connection,
    pending: &View,
    collection: i64,
    id: &str,
) -> rusqlite::Result<Option<i64>> {
    let scan = Scan::token(field(collection), Some(&id.to_owned()), Some(NO_NAME));
    for seq in pending.resources(&scan, usize::MAX) {
        let is_it: Option<bool> = connection
            .prepare_cached("SELECT collection = ?2 AND id = ?3 FROM resource WHERE seq = ?1")?
            .query_row(params![seq, collection, id], |row| row.get(0))
            .optional()?;
        if is_it == Some(true) {
            return Ok(Some(seq));
        }
    }
    // Of the rows that the id's number leads to the one with that very id.
    connection
        .prepare_cached(
            "SELECT seq FROM resource WHERE seq IN (SELECT resource FROM token WHERE field = ?1 AND code = ?2 AND system = ?3)
             AND collection = ?4 AND id = ?5",
        )?
        .query_row(params![field(collection), code_number(id), NO_NAME, collection, id], |row| row.get(0))
        .optional()
}

/// The number of a type's resources. `None`: there never was one.
pub(super) fn collection(connection: &Connection, tenant: &str, resource_type: &str) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT id FROM collection WHERE tenant = ?1 AND resource_type = ?2")?
        .query_row([tenant, resource_type], |row| row.get(0))
        .optional()
}
