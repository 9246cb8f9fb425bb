//! The store room: the search rows of one transaction, together and in the order of their index; and how rows come into the
//! index tables.
//!
//! Many resources put rows beside each other (all that are `final`, all of one code): in the index's order one page takes
//! many of them in turn, while row by row each would look for its place from the top.

use crate::fhir::search::IndexRow;
use crate::store::keys::Keys;
use crate::store::rows::{self, Change, Changes, Numbers, Row, is_indexed};
use rusqlite::{CachedStatement, Connection, OptionalExtension, ToSql, params};
use std::collections::HashMap;

/// The search rows of a transaction that searches do not see yet.
pub(super) struct SearchRows<'a> {
    connection: &'a Connection,
    /// Numbers of names that this transaction has used: nearly all rows share a few.
    names: HashMap<String, i64>,
    /// The same of fields, for each collection.
    fields: HashMap<i64, HashMap<String, i64>>,
    changes: Changes,
}

impl<'a> SearchRows<'a> {
    pub(super) fn new(connection: &'a Connection) -> Self {
        Self { connection, names: HashMap::new(), fields: HashMap::new(), changes: Changes::default() }
    }

    /// Keeps the rows of fields aside that the index has none of, where keys come with numbers from elsewhere.
    pub(super) fn leave_aside(&mut self) -> rusqlite::Result<()> {
        let mut fields = self.connection.prepare("SELECT id, name FROM field")?;
        let mut fields = fields.query([])?;
        while let Some(field) = fields.next()? {
            if !is_indexed(field.get_ref(1)?.as_str()?) {
                self.changes.leave_aside(field.get(0)?);
            }
        }
        Ok(())
    }

    pub(super) fn keys(&mut self, collection: i64, rows: &[IndexRow]) -> rusqlite::Result<Keys> {
        rows::keys(self, collection, rows)
    }

    pub(super) fn add(&mut self, resource: i64, keys: &Keys) {
        self.changes.add(resource, keys);
    }

    pub(super) fn remove(&mut self, resource: i64, keys: &Keys) {
        self.changes.remove(resource, keys);
    }

    /// What all changes since the last time ask for, in the order of the index.
    pub(super) fn take(&mut self) -> impl Iterator<Item = (Row, Change)> + use<> {
        self.changes.take()
    }
}

/// Brings the index tables to what the changes ask for. A row that is there already, or is gone, is no error.
pub(super) fn write(connection: &Connection, changes: impl Iterator<Item = (Row, Change)>) -> rusqlite::Result<()> {
    let mut add_token = connection.prepare_cached("INSERT OR IGNORE INTO token VALUES (?1, ?2, ?3, ?4)")?;
    let mut add_date = connection.prepare_cached("INSERT OR IGNORE INTO date VALUES (?1, ?2, ?3, ?4)")?;
    let mut add_text = connection.prepare_cached("INSERT OR IGNORE INTO text VALUES (?1, ?2, ?3)")?;
    let mut add_number = connection.prepare_cached("INSERT OR IGNORE INTO number VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for (row, change) in changes {
        let run = |add: &mut CachedStatement<'_>, remove, values: &[&dyn ToSql]| match change {
            Change::Add => add.execute(values),
            Change::Remove => connection.prepare_cached(remove)?.execute(values),
        };
        match row {
            Row::Token { field, code, system, resource } => run(
                &mut add_token,
                "DELETE FROM token WHERE field = ?1 AND code = ?2 AND system = ?3 AND resource = ?4",
                params![field, code, system, resource],
            )?,
            Row::Date { field, low, resource, high } => run(
                &mut add_date,
                "DELETE FROM date WHERE field = ?1 AND low = ?2 AND resource = ?3 AND high = ?4",
                params![field, low, resource, high],
            )?,
            Row::Text { field, text, resource } => run(
                &mut add_text,
                "DELETE FROM text WHERE field = ?1 AND text = ?2 AND resource = ?3",
                params![field, text, resource],
            )?,
            Row::Number { field, unit, ends, resource } => run(
                &mut add_number,
                "DELETE FROM number WHERE field = ?1 AND unit = ?2 AND low = ?3 AND high = ?4 AND resource = ?5",
                params![field, unit, ends.0.0, ends.1.0, resource],
            )?,
        };
    }
    Ok(())
}

impl Numbers for SearchRows<'_> {
    type Error = rusqlite::Error;

    fn name(&mut self, text: &str) -> rusqlite::Result<i64> {
        if let Some(id) = self.names.get(text) {
            return Ok(*id);
        }
        let id = match name(self.connection, text)? {
            Some(id) => id,
            None => self.connection.prepare_cached("INSERT INTO name (text) VALUES (?1)")?.insert([text])?,
        };
        self.names.insert(text.to_owned(), id);
        Ok(id)
    }

    fn field(&mut self, collection: i64, name: &str) -> rusqlite::Result<i64> {
        let known = self.fields.entry(collection).or_default();
        if let Some(id) = known.get(name) {
            return Ok(*id);
        }
        let id = match field(self.connection, collection, name)? {
            Some(id) => id,
            None => self
                .connection
                .prepare_cached("INSERT INTO field (collection, name) VALUES (?1, ?2)")?
                .insert(params![collection, name])?,
        };
        known.insert(name.to_owned(), id);
        if !is_indexed(name) {
            self.changes.leave_aside(id);
        }
        Ok(id)
    }
}

pub(super) fn name(connection: &Connection, text: &str) -> rusqlite::Result<Option<i64>> {
    connection.prepare_cached("SELECT id FROM name WHERE text = ?1")?.query_row([text], |row| row.get(0)).optional()
}

pub(super) fn field(connection: &Connection, collection: i64, name: &str) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT id FROM field WHERE collection = ?1 AND name = ?2")?
        .query_row(params![collection, name], |row| row.get(0))
        .optional()
}
