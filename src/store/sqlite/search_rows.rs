//! The store room: the search rows of one transaction, written together and in the order of their index.
//!
//! Many records of a group put rows beside each other (all that are `final`, all of one code): in the index's order
//! one page takes many of them in turn, while row by row each would look for its place from the top.

use crate::fhir::search::{IndexQuantity, IndexRow, IndexValue, NumberKey, normalize};
use crate::store::keys::{Key, KeyValue, Keys, QuantityKey};
use rusqlite::{CachedStatement, Connection, OptionalExtension, ToSql, params};
use std::collections::{HashMap, HashSet};

/// The number of the empty name.
pub(super) const NO_NAME: i64 = 1;

/// Bytes of a text that searches compare, and of those how many the index holds.
const COMPARED_TEXT: usize = 1000;
pub(super) const INDEXED_TEXT: usize = 100;

/// The search rows of a transaction that are not written yet.
pub(super) struct SearchRows<'a> {
    connection: &'a Connection,
    /// Numbers of names that this transaction has used: nearly all rows share a few.
    names: HashMap<String, i64>,
    /// The same of fields, for each collection.
    fields: HashMap<i64, HashMap<String, i64>>,
    /// Fields that have no rows in the index tables.
    aside: HashSet<i64>,
    changes: Vec<(Row, Change)>,
}

/// A row of an index table, in the order of its key.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Row {
    Token { field: i64, code: String, system: i64, resource: i64 },
    Date { field: i64, low: i64, resource: i64, high: i64 },
    Text { field: i64, text: String, resource: i64 },
    Number { field: i64, unit: i64, low: NumberKey, high: NumberKey, resource: i64 },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Add,
    Remove,
}

impl Change {
    fn count(self) -> i32 {
        match self {
            Self::Add => 1,
            Self::Remove => -1,
        }
    }
}

impl<'a> SearchRows<'a> {
    pub(super) fn new(connection: &'a Connection) -> Self {
        Self { connection, names: HashMap::new(), fields: HashMap::new(), aside: HashSet::new(), changes: vec![] }
    }

    /// The keys of a resource's index rows. An element may say the same twice; once is enough to find it.
    pub(super) fn keys(&mut self, collection: i64, rows: &[IndexRow]) -> rusqlite::Result<Keys> {
        let mut keys = Vec::with_capacity(rows.len());
        for row in rows {
            let field = match &row.value {
                IndexValue::ReferenceIdentifier { is_alone, .. } => {
                    self.field(collection, &identifier_field(row.field, *is_alone))?
                }
                IndexValue::Token { .. }
                | IndexValue::Date { .. }
                | IndexValue::Reference { .. }
                | IndexValue::Uri(_)
                | IndexValue::Text(_)
                | IndexValue::Number { .. }
                | IndexValue::Quantity(_) => self.field(collection, row.field)?,
            };
            let value = match &row.value {
                IndexValue::Token { system, code } | IndexValue::ReferenceIdentifier { system, value: code, .. } => {
                    KeyValue::Token { system: self.name(system)?, code: code.clone() }
                }
                IndexValue::Reference { resource_type, id } => {
                    KeyValue::Token { system: self.name(resource_type)?, code: id.clone() }
                }
                IndexValue::Uri(uri) => KeyValue::Token { system: NO_NAME, code: uri.clone() },
                IndexValue::Date { low, high } => KeyValue::Date { low: *low, high: *high },
                IndexValue::Text(text) => KeyValue::Text(beginning(text, COMPARED_TEXT).to_owned()),
                IndexValue::Number { low, high } => KeyValue::Number { low: low.clone(), high: high.clone() },
                IndexValue::Quantity(quantity) => KeyValue::Quantity(self.quantity(quantity)?),
            };
            keys.push(Key { field, value, element: row.element });
        }
        Ok(Keys::of(keys))
    }

    fn quantity(&mut self, quantity: &IndexQuantity) -> rusqlite::Result<QuantityKey> {
        let IndexQuantity { low, high, system, code, unit, canonical } = quantity;
        let canonical = match canonical {
            Some((base, low, high)) => Some((self.name(base)?, low.clone(), high.clone())),
            None => None,
        };
        Ok(QuantityKey {
            low: low.clone(),
            high: high.clone(),
            system: self.name(system)?,
            code: self.name(code)?,
            unit: self.name(unit)?,
            canonical,
        })
    }

    pub(super) fn add(&mut self, resource: i64, keys: &Keys) {
        self.change(resource, keys, Change::Add);
    }

    pub(super) fn remove(&mut self, resource: i64, keys: &Keys) {
        self.change(resource, keys, Change::Remove);
    }

    /// The rows of one version, each once: elements and all but the beginnings of texts are not in them.
    fn change(&mut self, resource: i64, keys: &Keys, change: Change) {
        let from = self.changes.len();
        for key in keys.iter().filter(|key| !self.aside.contains(&key.field)) {
            let row = Row::of(key, resource);
            let own = self.changes.get(from..).unwrap_or_default();
            let is_again = match row {
                // Keys are in order: what comes again comes at once.
                Row::Token { .. } | Row::Date { .. } => own.last().is_some_and(|(last, _)| *last == row),
                Row::Text { .. } | Row::Number { .. } => own.iter().any(|(before, _)| *before == row),
            };
            if !is_again {
                self.changes.push((row, change));
            }
        }
    }

    /// Brings the index to what all changes so far ask for.
    pub(super) fn write(&mut self) -> rusqlite::Result<()> {
        let connection = self.connection;
        let mut add_token = connection.prepare_cached("INSERT INTO token VALUES (?1, ?2, ?3, ?4)")?;
        let mut add_date = connection.prepare_cached("INSERT INTO date VALUES (?1, ?2, ?3, ?4)")?;
        let mut add_text = connection.prepare_cached("INSERT INTO text VALUES (?1, ?2, ?3)")?;
        let mut add_number = connection.prepare_cached("INSERT INTO number VALUES (?1, ?2, ?3, ?4, ?5)")?;
        for (row, change) in net(std::mem::take(&mut self.changes)) {
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
                Row::Number { field, unit, low, high, resource } => run(
                    &mut add_number,
                    "DELETE FROM number WHERE field = ?1 AND unit = ?2 AND low = ?3 AND high = ?4 AND resource = ?5",
                    params![field, unit, low.0, high.0, resource],
                )?,
            };
        }
        Ok(())
    }

    /// The number that stands for a text in the index tables.
    fn name(&mut self, text: &str) -> rusqlite::Result<i64> {
        if text.is_empty() {
            return Ok(NO_NAME);
        }
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
            self.aside.insert(id);
        }
        Ok(id)
    }
}

impl Row {
    fn of(key: &Key, resource: i64) -> Self {
        let field = key.field;
        match &key.value {
            KeyValue::Token { system, code } => Row::Token { field, code: code.clone(), system: *system, resource },
            KeyValue::Date { low, high } => Row::Date { field, low: *low, resource, high: *high },
            KeyValue::Text(text) => Row::Text { field, text: indexed_text(text), resource },
            KeyValue::Number { low, high } => {
                Row::Number { field, unit: NO_NAME, low: low.clone(), high: high.clone(), resource }
            }
            KeyValue::Quantity(quantity) => {
                let (unit, low, high) = match &quantity.canonical {
                    Some((unit, low, high)) => (*unit, low, high),
                    None => (NO_NAME, &quantity.low, &quantity.high),
                };
                Row::Number { field, unit, low: low.clone(), high: high.clone(), resource }
            }
        }
    }
}

/// The field of the identifiers of a reference.
pub(super) fn identifier_field(field: &str, is_alone: bool) -> String {
    if is_alone { format!("{field}:identifier") } else { format!("{field}:identifier:beside") }
}

/// Whether the index tables have rows of a field. Where nearly every resource would make rows that few searches are led by, its
/// keys alone have them: profiles and labels, which many share, and identifiers beside a reference that names its target.
pub(super) fn is_indexed(field: &str) -> bool {
    !matches!(field, "meta.profile" | "meta.security") && !field.ends_with(":identifier:beside")
}

/// What the index holds of a text.
pub(super) fn indexed_text(text: &str) -> String {
    let mut normal = normalize(text);
    normal.truncate(beginning(&normal, INDEXED_TEXT).len());
    normal
}

fn beginning(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or(text)
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

/// Each row once, in order, with what is left of its changes: a row that one version took away and the next brought
/// back stays as it is.
fn net<Row: Ord>(mut changes: Vec<(Row, Change)>) -> impl Iterator<Item = (Row, Change)> {
    changes.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    let mut left: Vec<(Row, i32)> = Vec::with_capacity(changes.len());
    for (row, change) in changes {
        match left.last_mut() {
            Some((last, count)) if *last == row => *count += change.count(),
            _ => left.push((row, change.count())),
        }
    }
    left.into_iter().filter_map(|(row, count)| match count {
        0 => None,
        count => Some((row, if count > 0 { Change::Add } else { Change::Remove })),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_go_and_come_back_stay() {
        let changes = vec![("a", Change::Add), ("b", Change::Remove), ("c", Change::Remove), ("b", Change::Add)];
        assert_eq!(net(changes).collect::<Vec<_>>(), [("a", Change::Add), ("c", Change::Remove)]);
    }

    #[test]
    fn indexed_text_ends_between_letters() {
        assert_eq!(indexed_text(&"ŒŒ".repeat(100)).len(), INDEXED_TEXT);
        assert_eq!(indexed_text("Zoë"), "zoe");
    }
}
