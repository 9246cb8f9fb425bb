//! The store room: a page of a search. <https://hl7.org/fhir/R4/search.html>
//!
//! A filter that few resources match is looked up in the search index, and those resources are checked by their keys.
//! Where no filter has few, the search walks in the order that was asked for and checks until the page is full. So a page
//! costs little either way.

mod cursor;
mod include;
mod index;
mod lead;
mod order;
mod plan;
mod scan;
mod searcher;

use crate::fhir::search;
use crate::store::matching::{FieldTest, Subject, Test};
use crate::store::{INCLUDE_LIMIT, SearchPage, SearchQuery, StoreError, StoredResource};
use cursor::{Position, Scope as CursorScope};
pub(super) use index::{Index, Shown};
use lead::scans;
use order::{By, Order, SortValue, compare};
use plan::Scope;
pub(super) use scan::{Column, Condition, Scan, Value};
pub(super) use searcher::Searched;
use searcher::{Searcher, TOGETHER};
use std::collections::BTreeSet;
use std::ops::Bound;

/// Resources that one step of a walk reads.
const STEP: usize = 256;

/// Up to so many resources are looked at all together where the order of the search does not lead to its matches.
const MANY: usize = 20_000;

/// Matches that are sorted where no index is in their order.
const MOST_SORTED: usize = 100_000;

/// Matches that are counted by the way, and where their number was asked for.
const COUNTED: usize = 10_000;
const COUNTED_EXACTLY: usize = 200_000;

/// A page. The index must show one moment, for the page and its total.
pub(super) fn page(index: &dyn Index, tenant: &str, query: &SearchQuery) -> Result<SearchPage, StoreError> {
    let cursor = CursorScope { tenant, resource_type: &query.resource_type, sort: &query.sort };
    let after = query.after.as_ref().map(|after| cursor.position(after)).transpose()?;
    let searcher = Searcher::new(index);
    let nothing = SearchPage { resources: vec![], included: vec![], total: query.total.then_some(0), next: None };
    let Some(collection) = searcher.collection(&query.resource_type)? else { return Ok(nothing) };
    let scope = Scope { collection, resource_type: &query.resource_type };
    let test = searcher.plan(scope, &query.filters)?;
    let orders = searcher.orders(scope, &query.sort)?;
    let after = after.map(|position| searcher.place(scope, &orders, position)).transpose()?;
    let counts = query.total || query.exact_total;
    let search = Search { searcher: &searcher, scope, test: &test, orders: &orders, after: after.as_ref(), counts };
    // One more than the page holds tells whether there is a next page.
    let wanted = query.count.max(1).saturating_add(1);
    let (mut found, total) = match searcher.few(scope, &test)? {
        Some(few) => search.of_few(&few, wanted)?,
        None => {
            let total = search.count(query)?;
            (search.walk(wanted)?, total)
        }
    };
    let more = found.len() >= wanted;
    found.truncate(wanted - 1);
    let resources = index.resources(&found)?;
    let next = match (found.last(), resources.last()) {
        (Some(seq), Some(last)) if more => Some(cursor.cursor(position(&orders, *seq, last))),
        (_, _) => None,
    };
    let included = searcher.included(&found, &query.includes, query.include_limit.unwrap_or(INCLUDE_LIMIT))?;
    Ok(SearchPage { resources, included, total: total.filter(|_| query.total), next })
}

/// Where a page ended: by its last resource, and that one's version. What it was sorted by stays out of the cursor: it may
/// be a name.
fn position(orders: &[Order], seq: i64, last: &StoredResource) -> Position {
    let key = if orders.is_empty() { seq } else { i64::try_from(last.version_id).unwrap_or(i64::MAX) };
    Position { key, seq }
}

/// What a page ended with.
struct Place {
    values: Vec<Option<SortValue>>,
    seq: i64,
}

/// By what a match is sorted, and its row number.
type Sorted = (Vec<Option<SortValue>>, i64);

struct Search<'s, 'a> {
    searcher: &'s Searcher<'a>,
    scope: Scope<'s>,
    test: &'s Test,
    orders: &'s [Order],
    after: Option<&'s Place>,
    /// The number of all matches is wanted.
    counts: bool,
}

impl Search<'_, '_> {
    /// From some resources those that match, in order, as many as wanted; and how many match in all.
    fn of_few(&self, few: &BTreeSet<i64>, wanted: usize) -> Searched<(Vec<i64>, Option<u64>)> {
        if self.orders.is_empty() && !self.counts {
            return Ok((self.first_of(few, wanted)?, None));
        }
        let matches = self.searcher.matches(few, self.test)?;
        let total = matches.len() as u64;
        let found = matches.iter().map(|subject| (self.values(subject), subject.seq)).collect();
        Ok((self.sorted(found, wanted), Some(total)))
    }

    /// In the order of storing the first will do.
    fn first_of(&self, few: &BTreeSet<i64>, wanted: usize) -> Searched<Vec<i64>> {
        let behind = self.after.map_or(Bound::Unbounded, |after| Bound::Excluded(after.seq));
        let mut found = Vec::new();
        let seqs: Vec<i64> = few.range((behind, Bound::Unbounded)).copied().collect();
        for part in seqs.chunks(TOGETHER) {
            self.searcher.approach_for(part, self.test)?;
            for seq in part {
                if let Some(subject) = self.searcher.subject(*seq)?
                    && self.test.holds(&subject, self.searcher)?
                {
                    found.push(*seq);
                    if found.len() >= wanted {
                        return Ok(found);
                    }
                }
            }
        }
        Ok(found)
    }

    fn values(&self, subject: &Subject) -> Vec<Option<SortValue>> {
        self.orders.iter().map(|order| order.value(subject)).collect()
    }

    fn values_of(&self, seqs: &[i64]) -> Searched<Vec<Sorted>> {
        if seqs.len() > MOST_SORTED {
            return Err(StoreError::TooCostly(
                "more resources match than this server sorts in that order: add a filter that few match, or sort by one date",
            ));
        }
        let mut found = Vec::with_capacity(seqs.len());
        for part in seqs.chunks(TOGETHER) {
            self.searcher.approach(part)?;
            for seq in part {
                found.extend(self.searcher.subject(*seq)?.map(|subject| (self.values(&subject), *seq)));
            }
        }
        Ok(found)
    }

    fn sorted(&self, mut found: Vec<Sorted>, wanted: usize) -> Vec<i64> {
        if let Some(after) = self.after {
            found.retain(|(values, seq)| compare(self.orders, (values, *seq), (&after.values, after.seq)).is_gt());
        }
        found.sort_unstable_by(|one, other| compare(self.orders, (&one.0, one.1), (&other.0, other.1)));
        found.truncate(wanted);
        found.into_iter().map(|(_, seq)| seq).collect()
    }

    /// The first matches behind the place, in order.
    fn walk(&self, wanted: usize) -> Searched<Vec<i64>> {
        let is_of_one_date = match self.orders {
            [Order { by: By::Parameter { fields, .. }, .. }] => self.is_of_one_date(fields)?,
            _ => false,
        };
        let found = match self.orders {
            [] => {
                let from = self.after.map_or(i64::MIN, |after| after.seq);
                let is_led = ordered(self.test).is_some();
                let patience = if is_led { usize::MAX } else { MANY };
                self.in_steps(false, from, wanted, patience, |_| true)?
            }
            [Order { by: By::LastUpdated, descending }] => self.by_update(*descending, wanted, MANY)?,
            [order @ Order { by: By::Parameter { fields, .. }, .. }] if is_of_one_date => {
                self.by_date(order, fields, wanted, MANY)?
            }
            _ => None,
        };
        if let Some(found) = found {
            return Ok(found);
        }
        // The order led past too many that do not match.
        if let Some(many) = self.searcher.up_to(MANY, self.scope, self.test)? {
            return Ok(self.of_few(&many, wanted)?.0);
        }
        let found = match self.orders {
            [Order { by: By::LastUpdated, descending }] => self.by_update(*descending, wanted, usize::MAX)?,
            [order @ Order { by: By::Parameter { fields, .. }, .. }] if is_of_one_date => {
                self.by_date(order, fields, wanted, usize::MAX)?
            }
            [] => {
                let from = self.after.map_or(i64::MIN, |after| after.seq);
                self.in_steps(false, from, wanted, usize::MAX, |_| true)?
            }
            _ => {
                let all = self.in_steps(false, i64::MIN, MOST_SORTED + 1, usize::MAX, |_| true)?;
                Some(self.sorted(self.values_of(&all.unwrap_or_default())?, wanted))
            }
        };
        Ok(found.unwrap_or_default())
    }

    fn by_update(&self, descending: bool, wanted: usize, patience: usize) -> Searched<Option<Vec<i64>>> {
        let last = self.after.and_then(|after| integer(after.values.first()?.as_ref()?));
        let scan = |place| Scan::by_update(self.scope.collection, descending, place);
        self.along(&scan, last, descending, wanted, patience)
    }

    /// Along the dates, and then those without one.
    fn by_date(
        &self,
        order: &Order,
        fields: &[FieldTest],
        wanted: usize,
        patience: usize,
    ) -> Searched<Option<Vec<i64>>> {
        let field = fields.first().map_or(0, |field| field.field);
        let after = self.after.and_then(|after| after.values.first());
        let descending = order.descending;
        let mut found = Vec::new();
        if !matches!(after, Some(None)) {
            let last = after.and_then(|value| integer(value.as_ref()?));
            match self.along(&|place| Scan::by_date(field, descending, place), last, descending, wanted, patience)? {
                Some(dated) => found = dated,
                None => return Ok(None),
            }
        }
        if found.len() < wanted {
            let start = if descending { i64::MAX } else { i64::MIN };
            let from = self.after.filter(|_| matches!(after, Some(None))).map_or(start, |after| after.seq);
            let left = wanted - found.len();
            let is_undated = |subject: &Subject| order.value(subject).is_none();
            match self.in_steps(descending, from, left, patience, is_undated)? {
                Some(undated) => found.extend(undated),
                None => return Ok(None),
            }
        }
        Ok(Some(found))
    }

    /// A walk along an index of numbers. `None`: it takes more patience.
    fn along(
        &self,
        scan: &dyn Fn((i64, i64)) -> Scan,
        last: Option<i64>,
        descending: bool,
        wanted: usize,
        mut patience: usize,
    ) -> Searched<Option<Vec<i64>>> {
        let end = if descending { i64::MAX } else { i64::MIN };
        let mut place = (last.unwrap_or(end), self.after.filter(|_| last.is_some()).map_or(end, |after| after.seq));
        let mut found = Vec::new();
        loop {
            let rows = self.searcher.index.pairs(&scan(place), STEP)?;
            let seqs: Vec<i64> = rows.iter().map(|(seq, _)| *seq).collect();
            self.searcher.approach_for(&seqs, self.test)?;
            for (seq, key) in &rows {
                place = (*key, *seq);
                if let Some(subject) = self.searcher.subject(*seq)?
                    // Of a resource's dates only the one counts by which it is sorted.
                    && self.orders.first().and_then(|order| order.value(&subject)) == Some(SortValue::Integer(*key))
                    && self.test.holds(&subject, self.searcher)?
                {
                    found.push(*seq);
                    if found.len() >= wanted {
                        return Ok(Some(found));
                    }
                }
            }
            if rows.len() < STEP {
                return Ok(Some(found));
            }
            patience = patience.saturating_sub(rows.len());
            if patience == 0 {
                return Ok(None);
            }
        }
    }

    /// A walk by row numbers behind `from`. `None`: it takes more patience.
    fn in_steps(
        &self,
        descending: bool,
        mut from: i64,
        wanted: usize,
        mut patience: usize,
        also: impl Fn(&Subject) -> bool,
    ) -> Searched<Option<Vec<i64>>> {
        let mut found = Vec::new();
        loop {
            let seqs = self.searcher.step(&self.by_seq(descending, from), STEP)?;
            self.searcher.approach_for(&seqs, self.test)?;
            for seq in &seqs {
                if let Some(subject) = self.searcher.subject(*seq)?
                    && also(&subject)
                    && self.test.holds(&subject, self.searcher)?
                {
                    found.push(*seq);
                    if found.len() >= wanted {
                        return Ok(Some(found));
                    }
                }
            }
            match seqs.last() {
                Some(last) if seqs.len() == STEP => from = *last,
                Some(_) | None => return Ok(Some(found)),
            }
            patience = patience.saturating_sub(seqs.len());
            if patience == 0 {
                return Ok(None);
            }
        }
    }

    /// Such a walk goes along a filter where one is in that order, else along all of the type.
    fn by_seq(&self, descending: bool, from: i64) -> Scan {
        match ordered(self.test).filter(|_| !descending) {
            Some(scan) => scan.after(from),
            None => Scan::by_seq(self.scope.collection, descending, from),
        }
    }

    fn is_of_one_date(&self, fields: &[FieldTest]) -> Searched<bool> {
        let [field] = fields else { return Ok(false) };
        self.searcher.index.has_dates(field.field)
    }

    /// How many match. `None`: more than are counted.
    fn count(&self, query: &SearchQuery) -> Searched<Option<u64>> {
        if !query.total && !query.exact_total {
            return Ok(None);
        }
        let most = if query.exact_total { usize::MAX } else { COUNTED };
        let count = |scan: &Scan| -> Searched<Option<u64>> {
            let found = self.searcher.index.count(scan, most.saturating_add(1))?;
            Ok((found <= most).then_some(found as u64))
        };
        if let Test::All(tests) = self.test {
            match tests.as_slice() {
                [] => return count(&Scan::collection(self.scope.collection)),
                [_] => {
                    if let Some(scan) = ordered(self.test) {
                        return count(&scan);
                    }
                }
                _ => {}
            }
        }
        let everything = Search { after: None, ..*self };
        let (most, patience) = if query.exact_total { (COUNTED_EXACTLY, usize::MAX) } else { (COUNTED, COUNTED) };
        let found = everything.in_steps(false, i64::MIN, most + 1, patience, |_| true)?;
        Ok(found.filter(|found| found.len() <= most).map(|found| found.len() as u64))
    }
}

/// The scan of a filter that has its resources in the order of their numbers.
fn ordered(test: &Test) -> Option<Scan> {
    if let Test::All(tests) = test {
        return tests.iter().find_map(ordered);
    }
    let Test::Leaf(leaf) = test else { return None };
    if leaf.fields.iter().any(|field| field.target.is_some()) {
        return None;
    }
    let mut scans = scans(leaf)?;
    (scans.len() == 1).then(|| scans.remove(0)).filter(|scan| scan.is_ordered)
}

fn integer(value: &SortValue) -> Option<i64> {
    match value {
        SortValue::Integer(number) => Some(*number),
        SortValue::Text(_) | SortValue::Number(_) => None,
    }
}

impl Searcher<'_> {
    /// What the page before ended with, as it was then: the version that was shown.
    fn place(&self, scope: Scope<'_>, orders: &[Order], Position { key, seq }: Position) -> Searched<Place> {
        if orders.is_empty() {
            return Ok(Place { values: Vec::new(), seq });
        }
        let shown = self.index.version(scope.collection, seq, key)?;
        let (id, last_updated, body) = shown.ok_or(StoreError::InvalidCursor)?;
        let rows = search::extract(scope.resource_type, &body).map_err(|_| StoreError::InvalidCursor)?;
        let values = orders.iter().map(|order| order.value_of_version(&id, last_updated, &rows)).collect();
        Ok(Place { values, seq })
    }
}

/// How many resources a page without a place looks at.
#[cfg(test)]
pub(super) fn looks(index: &dyn Index, query: &SearchQuery) -> usize {
    let searcher = Searcher::new(index);
    let collection = searcher.collection(&query.resource_type).unwrap().unwrap();
    let scope = Scope { collection, resource_type: &query.resource_type };
    let (test, orders) = (searcher.plan(scope, &query.filters).unwrap(), searcher.orders(scope, &query.sort).unwrap());
    let search = Search { searcher: &searcher, scope, test: &test, orders: &orders, after: None, counts: false };
    let found = match searcher.few(scope, &test).unwrap() {
        Some(few) => search.of_few(&few, query.count + 1).unwrap().0,
        None => search.walk(query.count + 1).unwrap(),
    };
    assert_eq!(found.len(), query.count + 1);
    searcher.looks()
}
