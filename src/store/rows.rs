//! The store room: rows of the search index: which a resource has by its keys, and what is left of many changes.

use super::code::{code_number, versionless, versions_number};
use super::keys::{Key, KeyValue, Keys, QuantityKey};
use crate::fhir::search::{IndexQuantity, IndexRow, IndexValue, NumberKey, normalize};
use std::collections::HashSet;

/// The number of the empty name.
pub(super) const NO_NAME: i64 = 1;

/// Bytes of a text that searches compare, and of those how many the index holds.
const COMPARED_TEXT: usize = 1000;
pub(super) const INDEXED_TEXT: usize = 100;

/// Gives the numbers that stand for texts in the index; what has none yet gets one.
pub(super) trait Numbers {
    type Error;

    /// Of a text that is not empty.
    fn name(&mut self, text: &str) -> Result<i64, Self::Error>;

    fn field(&mut self, collection: i64, name: &str) -> Result<i64, Self::Error>;
}

/// The keys of a resource's index rows. An element may say the same twice; once is enough to find it.
pub(super) fn keys<N: Numbers>(numbers: &mut N, collection: i64, rows: &[IndexRow]) -> Result<Keys, N::Error> {
    let mut keys = Vec::with_capacity(rows.len());
    for row in rows {
        let field = match &row.value {
            IndexValue::ReferenceIdentifier { is_alone, .. } => {
                numbers.field(collection, &identifier_field(row.field, *is_alone))?
            }
            IndexValue::Token { .. }
            | IndexValue::Date { .. }
            | IndexValue::Reference { .. }
            | IndexValue::Uri(_)
            | IndexValue::Text(_)
            | IndexValue::Number { .. }
            | IndexValue::Quantity(_) => numbers.field(collection, row.field)?,
        };
        let value = match &row.value {
            IndexValue::Token { system, code } | IndexValue::ReferenceIdentifier { system, value: code, .. } => {
                KeyValue::Token { system: named(numbers, system)?, code: code.clone() }
            }
            IndexValue::Reference { resource_type, id } => {
                KeyValue::Token { system: named(numbers, resource_type)?, code: id.clone() }
            }
            IndexValue::Uri(uri) => KeyValue::Token { system: NO_NAME, code: uri.clone() },
            IndexValue::Date { low, high } => KeyValue::Date { low: *low, high: *high },
            IndexValue::Text(text) => KeyValue::Text(beginning(text, COMPARED_TEXT).to_owned()),
            IndexValue::Number { low, high } => KeyValue::Number { low: low.clone(), high: high.clone() },
            IndexValue::Quantity(quantity) => KeyValue::Quantity(quantity_key(numbers, quantity)?),
        };
        keys.push(Key { field, value, element: row.element });
    }
    Ok(Keys::of(keys))
}

fn quantity_key<N: Numbers>(numbers: &mut N, quantity: &IndexQuantity) -> Result<QuantityKey, N::Error> {
    let IndexQuantity { low, high, system, code, unit, canonical } = quantity;
    let canonical = match canonical {
        Some((base, low, high)) => Some((named(numbers, base)?, low.clone(), high.clone())),
        None => None,
    };
    Ok(QuantityKey {
        low: low.clone(),
        high: high.clone(),
        system: named(numbers, system)?,
        code: named(numbers, code)?,
        unit: named(numbers, unit)?,
        canonical,
    })
}

fn named<N: Numbers>(numbers: &mut N, text: &str) -> Result<i64, N::Error> {
    if text.is_empty() { Ok(NO_NAME) } else { numbers.name(text) }
}

/// A row of an index table, in the order of its key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Row {
    /// The code by its number.
    Token {
        field: i64,
        code: i64,
        system: i64,
        resource: i64,
    },
    Date {
        field: i64,
        low: i64,
        resource: i64,
        high: i64,
    },
    Text {
        field: i64,
        text: String,
        resource: i64,
    },
    Number {
        field: i64,
        unit: i64,
        /// Low and high. Apart, because rows of the other tables are many, and shorter.
        ends: Box<(NumberKey, NumberKey)>,
        resource: i64,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
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

/// What is to become of the index, put off until all is known.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// Fields that have no rows in the index tables.
    aside: HashSet<i64>,
    rows: Vec<(Row, Change)>,
}

impl Changes {
    pub(super) fn leave_aside(&mut self, field: i64) {
        self.aside.insert(field);
    }

    pub(super) fn add(&mut self, resource: i64, keys: &Keys) {
        self.change(resource, keys, Change::Add);
    }

    pub(super) fn remove(&mut self, resource: i64, keys: &Keys) {
        self.change(resource, keys, Change::Remove);
    }

    /// The rows of one version, each once: elements and all but the beginnings of texts are not in them.
    fn change(&mut self, resource: i64, keys: &Keys, change: Change) {
        let mut rows = Vec::new();
        for key in keys.iter().filter(|key| !self.aside.contains(&key.field)) {
            rows.extend(Row::all_of(key, resource));
        }
        rows.sort_unstable();
        rows.dedup();
        self.rows.extend(rows.into_iter().map(|row| (row, change)));
    }

    /// All changes so far, in the order of the index; none is left.
    pub(super) fn take(&mut self) -> impl Iterator<Item = (Row, Change)> + use<> {
        net(std::mem::take(&mut self.rows))
    }
}

impl Row {
    /// The rows of one key.
    pub(super) fn all_of(key: &Key, resource: i64) -> impl Iterator<Item = Self> {
        std::iter::once(Self::of(key, resource)).chain(Self::of_versions(key, resource))
    }

    pub(super) fn field(&self) -> i64 {
        match self {
            Self::Token { field, .. }
            | Self::Date { field, .. }
            | Self::Text { field, .. }
            | Self::Number { field, .. } => *field,
        }
    }

    pub(super) fn resource(&self) -> i64 {
        match self {
            Self::Token { resource, .. }
            | Self::Date { resource, .. }
            | Self::Text { resource, .. }
            | Self::Number { resource, .. } => *resource,
        }
    }

    /// A second row, by which a canonical with a version is found without it.
    fn of_versions(key: &Key, resource: i64) -> Option<Self> {
        let KeyValue::Token { system: NO_NAME, code } = &key.value else { return None };
        let code = versions_number(versionless(code)?);
        Some(Row::Token { field: key.field, code, system: NO_NAME, resource })
    }

    fn of(key: &Key, resource: i64) -> Self {
        let field = key.field;
        match &key.value {
            KeyValue::Token { system, code } => {
                Row::Token { field, code: code_number(code), system: *system, resource }
            }
            KeyValue::Date { low, high } => Row::Date { field, low: *low, resource, high: *high },
            KeyValue::Text(text) => Row::Text { field, text: indexed_text(text), resource },
            KeyValue::Number { low, high } => {
                Row::Number { field, unit: NO_NAME, ends: Box::new((low.clone(), high.clone())), resource }
            }
            KeyValue::Quantity(quantity) => {
                let (unit, low, high) = match &quantity.canonical {
                    Some((unit, low, high)) => (*unit, low, high),
                    None => (NO_NAME, &quantity.low, &quantity.high),
                };
                Row::Number { field, unit, ends: Box::new((low.clone(), high.clone())), resource }
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

pub(super) fn beginning(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or(text)
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
