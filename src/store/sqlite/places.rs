//! The store room: places at which writes leave a stamp, so that a page of a search can tell whether something has changed that
//! it hangs on (`pages`).

use crate::store::keys::{KeyValue, Keys};
use crate::store::{DatePrefix, Filter, FilterValue, SearchQuery};
use siphasher::sip::SipHasher13;
use std::hash::{Hash, Hasher};

/// Places of stamps. Two things that share one cost a page that could have been kept, no more.
pub(super) const STAMPS: usize = 1 << 16;

/// Stamped when rows of the index are made anew: what a parameter finds changes, though nobody writes.
const EVERYTHING: usize = 0;

/// Stamped with every change to any resource.
pub(super) const ANY_RESOURCE: usize = 1;

/// A search that names more values hangs on its whole type.
const MOST_VALUES: usize = 50;

/// What a transaction changes, as far as pages hang on it.
#[derive(Default)]
pub(super) struct Changed {
    pub(super) places: Vec<usize>,
}

impl Changed {
    /// A resource comes, goes, or becomes another: its keys before and after.
    pub(super) fn resource<'k>(
        &mut self,
        tenant: &str,
        resource_type: &str,
        id: &str,
        keys: impl Iterator<Item = &'k Keys>,
    ) {
        let of_type = TypePlaces::of(tenant, resource_type);
        self.places.push(of_type.whole());
        self.places.push(of_type.code(id));
        for key in keys.flat_map(Keys::iter) {
            if let KeyValue::Token { code, .. } = &key.value {
                self.places.push(of_type.code(code));
            }
        }
    }

    /// Rows of the index are made anew.
    pub(super) fn everything(&mut self) {
        self.places.push(EVERYTHING);
    }
}

/// The places of one type of one tenant.
struct TypePlaces(SipHasher13);

impl TypePlaces {
    fn of(tenant: &str, resource_type: &str) -> Self {
        let mut hasher = SipHasher13::new();
        (tenant, resource_type).hash(&mut hasher);
        Self(hasher)
    }

    fn whole(&self) -> usize {
        place(self.0.finish())
    }

    /// A code, the value of an identifier, or the id to which a reference leads: also the resource's own.
    fn code(&self, code: &str) -> usize {
        let mut hasher = self.0;
        code.hash(&mut hasher);
        place(hasher.finish())
    }
}

/// Not one of those that stand for more.
fn place(hash: u64) -> usize {
    usize::try_from(hash % (STAMPS as u64 - 2)).map_or(ANY_RESOURCE, |place| place + 2)
}

/// What a search's pages hang on. `None`: on something else too.
pub(super) fn places(tenant: &str, query: &SearchQuery) -> Option<Vec<usize>> {
    // Value sets change, and `ap` is about now.
    let hangs_on_more = |value: &FilterValue| {
        matches!(value, FilterValue::TokenIn(_) | FilterValue::Date { prefix: DatePrefix::Ap, .. })
    };
    if query.asks(&hangs_on_more) {
        return None;
    }
    let looks_beyond = |value: &FilterValue| matches!(value, FilterValue::Chain { .. } | FilterValue::Has { .. });
    if !query.includes.is_empty() || query.asks(&looks_beyond) {
        return Some(vec![EVERYTHING, ANY_RESOURCE]);
    }
    let of_type = TypePlaces::of(tenant, &query.resource_type);
    // All matches have one of the values of each filter; so one filter will do, best one whose values few resources have.
    let codes = query.filters.iter().filter_map(|filter| Some((is_of_many(filter), codes(filter)?)));
    let mut places = vec![EVERYTHING];
    match codes.min_by_key(|(is_of_many, _)| *is_of_many) {
        Some((_, codes)) => places.extend(codes.into_iter().map(|code| of_type.code(code))),
        None => places.push(of_type.whole()),
    }
    Some(places)
}

/// The values of a filter, where every match has a key with one of them, and they are not too many.
fn codes(filter: &Filter) -> Option<Vec<&str>> {
    filter.any_of.iter().map(code).collect::<Option<Vec<_>>>().filter(|codes| codes.len() <= MOST_VALUES)
}

/// The text of a key that every match of the value has.
fn code(value: &FilterValue) -> Option<&str> {
    match value {
        FilterValue::Token { code, .. } | FilterValue::ReferenceIdentifier { value: code, .. } => code.as_deref(),
        FilterValue::Reference { id, .. } | FilterValue::Compartment { id, .. } => Some(id),
        FilterValue::TokenText(_)
        | FilterValue::TokenIn(_)
        | FilterValue::OfType { .. }
        | FilterValue::Date { .. }
        | FilterValue::Uri { .. }
        | FilterValue::Text { .. }
        | FilterValue::Number(_)
        | FilterValue::Quantity { .. }
        | FilterValue::Composite(_)
        | FilterValue::Missing(_)
        | FilterValue::Not(_)
        | FilterValue::Chain { .. }
        | FilterValue::Has { .. } => None,
    }
}

/// Codes such as a status are shared by many resources, ids and identifiers by few.
fn is_of_many(filter: &Filter) -> bool {
    let names_one = ["_id", "identifier"].contains(&filter.parameter.as_str());
    !names_one && filter.any_of.iter().any(|value| matches!(value, FilterValue::Token { .. }))
}
