//! The store room: the search rows of one transaction, written together and in the order of their index.
//!
//! Many records of a group put rows beside each other (all that are `final`, all of one code): in the index's order
//! one page takes many of them in turn, while row by row each would look for its place from the top.

use crate::fhir::search::{IndexRow, IndexValue};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::HashMap;

/// The search rows of a transaction that are not written yet.
pub(super) struct SearchRows<'a> {
    connection: &'a Connection,
    /// Numbers of names that this transaction has used: nearly all rows share a few.
    names: HashMap<String, i64>,
    tokens: Vec<(TokenRow, Change)>,
    dates: Vec<(DateRow, Change)>,
}

/// A row of the table `token`, in the order of its key.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct TokenRow {
    collection: i64,
    parameter: i64,
    code: String,
    system: i64,
    resource: i64,
}

/// A row of the table `date`, in the order of its index.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct DateRow {
    collection: i64,
    parameter: i64,
    low: i64,
    high: i64,
    resource: i64,
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

/// What a resource puts into the index, each row once.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Keys {
    /// Parameter, system, code.
    tokens: Vec<(i64, i64, String)>,
    /// Parameter, low, high.
    dates: Vec<(i64, i64, i64)>,
}

/// A stored list of keys that is not as it was written: the file is damaged.
#[derive(Debug, thiserror::Error)]
#[error("a resource's list of search rows is damaged")]
pub(super) struct DamagedKeys;

impl Keys {
    /// The number of dates, each as three 8-byte integers; then tokens until the end, each as parameter, system and
    /// the code's length in 4 bytes and the code's bytes; little-endian.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(4 + 24 * self.dates.len() + 48 * self.tokens.len());
        bytes.extend((self.dates.len() as u32).to_le_bytes());
        for (parameter, low, high) in &self.dates {
            bytes.extend([parameter, low, high].into_iter().flat_map(|number| number.to_le_bytes()));
        }
        for (parameter, system, code) in &self.tokens {
            bytes.extend([parameter, system].into_iter().flat_map(|number| number.to_le_bytes()));
            bytes.extend((code.len() as u32).to_le_bytes());
            bytes.extend(code.as_bytes());
        }
        bytes
    }

    pub(super) fn read(mut bytes: &[u8]) -> Result<Self, DamagedKeys> {
        let mut keys = Self::default();
        for _ in 0..length(&mut bytes)? {
            keys.dates.push((integer(&mut bytes)?, integer(&mut bytes)?, integer(&mut bytes)?));
        }
        while !bytes.is_empty() {
            let (parameter, system, length) = (integer(&mut bytes)?, integer(&mut bytes)?, length(&mut bytes)?);
            let (code, rest) = bytes.split_at_checked(length).ok_or(DamagedKeys)?;
            let code = std::str::from_utf8(code).map_err(|_| DamagedKeys)?;
            keys.tokens.push((parameter, system, code.to_owned()));
            bytes = rest;
        }
        Ok(keys)
    }
}

fn length(bytes: &mut &[u8]) -> Result<usize, DamagedKeys> {
    let (number, rest) = bytes.split_first_chunk().ok_or(DamagedKeys)?;
    *bytes = rest;
    Ok(u32::from_le_bytes(*number) as usize)
}

fn integer(bytes: &mut &[u8]) -> Result<i64, DamagedKeys> {
    let (number, rest) = bytes.split_first_chunk().ok_or(DamagedKeys)?;
    *bytes = rest;
    Ok(i64::from_le_bytes(*number))
}

impl<'a> SearchRows<'a> {
    pub(super) fn new(connection: &'a Connection) -> Self {
        Self { connection, names: HashMap::new(), tokens: vec![], dates: vec![] }
    }

    /// The keys of a resource's index rows. An element may say the same twice; once is enough to find it.
    pub(super) fn keys(&mut self, rows: &[IndexRow]) -> rusqlite::Result<Keys> {
        let mut keys = Keys::default();
        for row in rows {
            let parameter = self.name(row.parameter)?;
            match &row.value {
                IndexValue::Token { system, code } => keys.tokens.push((parameter, self.name(system)?, code.clone())),
                IndexValue::Reference { resource_type, id } => {
                    keys.tokens.push((parameter, self.name(resource_type)?, id.clone()));
                }
                IndexValue::Date { low, high } => keys.dates.push((parameter, *low, *high)),
            }
        }
        keys.tokens.sort_unstable();
        keys.tokens.dedup();
        keys.dates.sort_unstable();
        keys.dates.dedup();
        Ok(keys)
    }

    pub(super) fn add(&mut self, collection: i64, resource: i64, keys: Keys) {
        self.change(collection, resource, keys, Change::Add);
    }

    pub(super) fn remove(&mut self, collection: i64, resource: i64, keys: Keys) {
        self.change(collection, resource, keys, Change::Remove);
    }

    fn change(&mut self, collection: i64, resource: i64, keys: Keys, change: Change) {
        self.tokens.extend(
            keys.tokens
                .into_iter()
                .map(|(parameter, system, code)| (TokenRow { collection, parameter, code, system, resource }, change)),
        );
        self.dates.extend(
            keys.dates
                .into_iter()
                .map(|(parameter, low, high)| (DateRow { collection, parameter, low, high, resource }, change)),
        );
    }

    /// Brings the index to what all changes so far ask for.
    pub(super) fn write(&mut self) -> rusqlite::Result<()> {
        let connection = self.connection;
        for (row, change) in net(std::mem::take(&mut self.tokens)) {
            let TokenRow { collection, parameter, code, system, resource } = row;
            let sql = match change {
                Change::Add => {
                    "INSERT INTO token (collection, parameter, code, system, resource) VALUES (?1, ?2, ?3, ?4, ?5)"
                }
                Change::Remove => {
                    "DELETE FROM token WHERE collection = ?1 AND parameter = ?2 AND code = ?3 AND system = ?4
                     AND resource = ?5"
                }
            };
            connection.prepare_cached(sql)?.execute(params![collection, parameter, code, system, resource])?;
        }
        for (row, change) in net(std::mem::take(&mut self.dates)) {
            let DateRow { collection, parameter, low, high, resource } = row;
            let sql = match change {
                Change::Add => {
                    "INSERT INTO date (collection, parameter, low, high, resource) VALUES (?1, ?2, ?3, ?4, ?5)"
                }
                Change::Remove => {
                    "DELETE FROM date WHERE collection = ?1 AND parameter = ?2 AND low = ?3 AND high = ?4
                     AND resource = ?5"
                }
            };
            connection.prepare_cached(sql)?.execute(params![collection, parameter, low, high, resource])?;
        }
        Ok(())
    }

    /// The number that stands for a text in the index tables.
    fn name(&mut self, text: &str) -> rusqlite::Result<i64> {
        if let Some(id) = self.names.get(text) {
            return Ok(*id);
        }
        let known = self
            .connection
            .prepare_cached("SELECT id FROM name WHERE text = ?1")?
            .query_row([text], |row| row.get(0))
            .optional()?;
        let id = match known {
            Some(id) => id,
            None => self.connection.prepare_cached("INSERT INTO name (text) VALUES (?1)")?.insert([text])?,
        };
        self.names.insert(text.to_owned(), id);
        Ok(id)
    }
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
    fn keys_are_read_as_they_were_written() {
        let tokens = vec![(1, 2, "8480-6".to_owned()), (1, 3, String::new()), (i64::MAX, 4, "ä".to_owned())];
        for dates in [vec![], vec![(5, i64::MIN, i64::MAX), (6, 0, 0)]] {
            let keys = Keys { tokens: tokens.clone(), dates };
            assert_eq!(Keys::read(&keys.bytes()).unwrap(), keys);
        }
    }

    #[test]
    fn damaged_keys_are_an_error() {
        let whole = Keys { tokens: vec![(1, 2, "final".to_owned())], dates: vec![(5, 1, 2)] }.bytes();
        for length in 0..whole.len() {
            // Cut after the last date the list is whole, only shorter.
            assert_eq!(Keys::read(&whole[..length]).is_err(), length != 28, "{length}");
        }
        let mut not_text = whole;
        if let Some(last) = not_text.last_mut() {
            *last = 0xff;
        }
        assert!(Keys::read(&not_text).is_err());
    }

    #[test]
    fn rows_that_go_and_come_back_stay() {
        let changes = vec![("a", Change::Add), ("b", Change::Remove), ("c", Change::Remove), ("b", Change::Add)];
        assert_eq!(net(changes).collect::<Vec<_>>(), [("a", Change::Add), ("c", Change::Remove)]);
    }
}
