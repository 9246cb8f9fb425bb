//! The store room: by what a search is sorted. <https://hl7.org/fhir/R4/search.html#sort>

use super::plan::Scope;
use super::searcher::{Searched, Searcher};
use crate::fhir::search::{self, IndexRow, IndexValue, NumberKey, Source, normalize};
use crate::store::SortKey;
use crate::store::keys::KeyValue;
use crate::store::matching::{FieldTest, Subject};
use std::cmp::Ordering;

/// What a resource is sorted by; of one parameter all are of one kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SortValue {
    Integer(i64),
    Text(String),
    Number(NumberKey),
}

/// One key of the order.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) by: By,
    pub(super) descending: bool,
}

#[derive(Debug)]
pub(super) enum By {
    Id,
    LastUpdated,
    Parameter { fields: Vec<FieldTest>, sources: &'static [Source] },
}

impl Searcher<'_> {
    pub(super) fn orders(&self, scope: Scope<'_>, keys: &[SortKey]) -> Searched<Vec<Order>> {
        let orders = keys.iter().map(|key| {
            let by = match key.parameter.as_str() {
                "_id" => By::Id,
                "_lastUpdated" => By::LastUpdated,
                name => {
                    let sources =
                        search::parameter(scope.resource_type, name).map_or(&[][..], |known| known.sources.as_slice());
                    By::Parameter { fields: self.fields(scope, sources)?, sources }
                }
            };
            Ok(Order { by, descending: key.descending })
        });
        orders.collect()
    }
}

impl Order {
    /// Of several values ascending the lowest counts, descending the highest.
    fn of(&self, values: impl Iterator<Item = SortValue>) -> Option<SortValue> {
        if self.descending { values.max() } else { values.min() }
    }

    pub(super) fn value(&self, subject: &Subject) -> Option<SortValue> {
        match &self.by {
            By::Id => Some(SortValue::Text(subject.id.clone())),
            By::LastUpdated => Some(SortValue::Integer(subject.last_updated)),
            By::Parameter { fields, .. } => self.of(subject.keys.iter().filter_map(|key| {
                let is_of = fields.iter().any(|field| field.field == key.field && field.takes(&key.value));
                is_of.then(|| of_key(&key.value))
            })),
        }
    }

    /// The same of a version that is no longer in the index.
    pub(super) fn value_of_version(&self, id: &str, last_updated: i64, rows: &[IndexRow]) -> Option<SortValue> {
        match &self.by {
            By::Id => Some(SortValue::Text(id.to_owned())),
            By::LastUpdated => Some(SortValue::Integer(last_updated)),
            By::Parameter { sources, .. } => self.of(rows.iter().filter_map(|row| {
                sources
                    .iter()
                    .any(|source| source.field == row.field && takes(source, &row.value))
                    .then(|| of_row(&row.value))
                    .flatten()
            })),
        }
    }
}

/// Which of two comes first: what has no value comes last, and what is equal in all keys goes by the order of storing.
pub(super) fn compare(
    orders: &[Order],
    (one, one_seq): (&[Option<SortValue>], i64),
    (other, other_seq): (&[Option<SortValue>], i64),
) -> Ordering {
    for ((order, one), other) in orders.iter().zip(one).zip(other) {
        let by_key = match (one, other) {
            (Some(one), Some(other)) if order.descending => other.cmp(one),
            (Some(one), Some(other)) => one.cmp(other),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        };
        if by_key != Ordering::Equal {
            return by_key;
        }
    }
    if orders.last().is_some_and(|last| last.descending) { other_seq.cmp(&one_seq) } else { one_seq.cmp(&other_seq) }
}

fn of_key(value: &KeyValue) -> SortValue {
    match value {
        KeyValue::Token { code, .. } => SortValue::Text(code.clone()),
        KeyValue::Date { low, .. } => SortValue::Integer(*low),
        KeyValue::Text(text) => SortValue::Text(normalize(text)),
        KeyValue::Number { low, .. } => SortValue::Number(low.clone()),
        KeyValue::Quantity(quantity) => {
            SortValue::Number(quantity.canonical.as_ref().map_or(&quantity.low, |(_, low, _)| low).clone())
        }
    }
}

fn of_row(value: &IndexValue) -> Option<SortValue> {
    Some(match value {
        IndexValue::Token { code, .. } => SortValue::Text(code.clone()),
        IndexValue::Reference { id, .. } => SortValue::Text(id.clone()),
        IndexValue::Uri(uri) => SortValue::Text(uri.clone()),
        IndexValue::Date { low, .. } => SortValue::Integer(*low),
        IndexValue::Text(text) => SortValue::Text(normalize(text)),
        IndexValue::Number { low, .. } => SortValue::Number(low.clone()),
        IndexValue::Quantity(quantity) => {
            SortValue::Number(quantity.canonical.as_ref().map_or(&quantity.low, |(_, low, _)| low).clone())
        }
        IndexValue::ReferenceIdentifier { .. } => return None,
    })
}

fn takes(source: &Source, value: &IndexValue) -> bool {
    let Some(target) = &source.target else { return true };
    if let IndexValue::Uri(uri) = value {
        return uri.split('|').next().and_then(|url| url.rsplit('/').nth(1)) == Some(target);
    }
    matches!(value, IndexValue::Reference { resource_type, .. } if resource_type == target)
}
