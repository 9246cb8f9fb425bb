//! The store room: a page of a search. <https://hl7.org/fhir/R4/search.html>
//!
//! A filter that few resources match is looked up in the search index, and those resources are checked by their keys.
//! Where no filter has few, the search walks in the order that was asked for and checks until the page is full. So a page
//! costs little either way.

use super::cursor::{Position, Scope as CursorScope};
use super::lead::scans;
use super::order::{By, Order, SortValue, compare};
use super::plan::Scope;
use super::reads;
use super::scan::Scan;
use super::searcher::{Searched, Searcher};
use crate::fhir::search;
use crate::store::matching::{FieldTest, Subject, Test};
use crate::store::{INCLUDE_LIMIT, SearchPage, SearchQuery, StoreError, StoredResource};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params, params_from_iter};
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

pub(super) fn page(connection: &mut Connection, tenant: &str, query: &SearchQuery) -> Result<SearchPage, StoreError> {
    // One snapshot for the page and its total.
    let transaction = connection.transaction()?;
    page_within(&transaction, tenant, query)
}

/// A page, inside a transaction that is open.
pub(super) fn page_within(
    connection: &Connection,
    tenant: &str,
    query: &SearchQuery,
) -> Result<SearchPage, StoreError> {
    let cursor = CursorScope { tenant, resource_type: &query.resource_type, sort: &query.sort };
    let after = query.after.as_ref().map(|after| cursor.position(after)).transpose()?;
    let searcher = Searcher::new(connection, tenant);
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
    let resources = found.iter().map(|seq| searcher.resource(*seq)).collect::<Searched<Vec<_>>>()?;
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
        for seq in few.range((behind, Bound::Unbounded)) {
            if let Some(subject) = self.searcher.subject(*seq)?
                && self.test.holds(&subject, self.searcher)?
            {
                found.push(*seq);
                if found.len() >= wanted {
                    break;
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
        for seq in seqs {
            found.extend(self.searcher.subject(*seq)?.map(|subject| (self.values(&subject), *seq)));
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
        let found = match self.orders {
            [] => {
                let from = self.after.map_or(i64::MIN, |after| after.seq);
                let is_led = ordered(self.test).is_some();
                let patience = if is_led { usize::MAX } else { MANY };
                self.in_steps(self.by_seq(false), from, wanted, patience, |_| true)?
            }
            [Order { by: By::LastUpdated, descending }] => self.by_update(*descending, wanted, MANY)?,
            [order @ Order { by: By::Parameter { fields, .. }, .. }] if self.is_of_one_date(fields) => {
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
            [order @ Order { by: By::Parameter { fields, .. }, .. }] if self.is_of_one_date(fields) => {
                self.by_date(order, fields, wanted, usize::MAX)?
            }
            [] => {
                let from = self.after.map_or(i64::MIN, |after| after.seq);
                self.in_steps(self.by_seq(false), from, wanted, usize::MAX, |_| true)?
            }
            _ => {
                let all = self.in_steps(self.by_seq(false), i64::MIN, MOST_SORTED + 1, usize::MAX, |_| true)?;
                Some(self.sorted(self.values_of(&all.unwrap_or_default())?, wanted))
            }
        };
        Ok(found.unwrap_or_default())
    }

    fn by_update(&self, descending: bool, wanted: usize, patience: usize) -> Searched<Option<Vec<i64>>> {
        let last = self.after.and_then(|after| integer(after.values.first()?.as_ref()?));
        self.along(&updated_sql(descending), self.scope.collection, last, descending, wanted, patience)
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
            match self.along(&dated_sql(descending), field, last, descending, wanted, patience)? {
                Some(dated) => found = dated,
                None => return Ok(None),
            }
        }
        if found.len() < wanted {
            let start = if descending { i64::MAX } else { i64::MIN };
            let from = self.after.filter(|_| matches!(after, Some(None))).map_or(start, |after| after.seq);
            let left = wanted - found.len();
            let is_undated = |subject: &Subject| order.value(subject).is_none();
            match self.in_steps(self.by_seq(descending), from, left, patience, is_undated)? {
                Some(undated) => found.extend(undated),
                None => return Ok(None),
            }
        }
        Ok(Some(found))
    }

    /// A walk along an index of numbers. `None`: it takes more patience.
    fn along(
        &self,
        sql: &str,
        scope: i64,
        last: Option<i64>,
        descending: bool,
        wanted: usize,
        mut patience: usize,
    ) -> Searched<Option<Vec<i64>>> {
        let end = if descending { i64::MAX } else { i64::MIN };
        let mut place = (last.unwrap_or(end), self.after.filter(|_| last.is_some()).map_or(end, |after| after.seq));
        let mut found = Vec::new();
        loop {
            let rows = self
                .searcher
                .connection
                .prepare_cached(sql)?
                .query_map([scope, place.0, place.1], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<rusqlite::Result<Vec<(i64, i64)>>>()?;
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
        (sql, values): (String, Vec<Value>),
        mut from: i64,
        wanted: usize,
        mut patience: usize,
        also: impl Fn(&Subject) -> bool,
    ) -> Searched<Option<Vec<i64>>> {
        let mut found = Vec::new();
        loop {
            let place = Value::Integer(from);
            let seqs = self.searcher.numbers(&sql, values.iter().chain([&place]))?;
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

    /// The statement of such a walk: along a filter where one is in that order, else along all of the type.
    fn by_seq(&self, descending: bool) -> (String, Vec<Value>) {
        if !descending && let Some(scan) = ordered(self.test) {
            return (format!("{} AND resource > ? ORDER BY resource LIMIT {STEP}", scan.sql), scan.values);
        }
        let (sign, direction) = if descending { ("<", "DESC") } else { (">", "ASC") };
        let sql = format!(
            "SELECT seq FROM resource WHERE collection = ? AND seq {sign} ? ORDER BY seq {direction} LIMIT {STEP}"
        );
        (sql, vec![Value::Integer(self.scope.collection)])
    }

    fn is_of_one_date(&self, fields: &[FieldTest]) -> bool {
        let [field] = fields else { return false };
        let sql = "SELECT EXISTS (SELECT 1 FROM date WHERE field = ?1)";
        let statement = self.searcher.connection.prepare_cached(sql);
        statement.and_then(|mut statement| statement.query_row([field.field], |row| row.get(0))).unwrap_or(false)
    }

    /// How many match. `None`: more than are counted.
    fn count(&self, query: &SearchQuery) -> Searched<Option<u64>> {
        if !query.total && !query.exact_total {
            return Ok(None);
        }
        let most = if query.exact_total { usize::MAX } else { COUNTED };
        let count = |sql: &str, values: &[Value]| -> Searched<Option<u64>> {
            let limit = Value::Integer(i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1));
            let sql = format!("SELECT count(*) FROM ({sql} LIMIT ?)");
            let mut statement = self.searcher.connection.prepare_cached(&sql)?;
            let found =
                statement.query_row(params_from_iter(values.iter().chain([&limit])), |row| row.get::<_, u64>(0))?;
            Ok(usize::try_from(found).is_ok_and(|found| found <= most).then_some(found))
        };
        if let Test::All(tests) = self.test {
            match tests.as_slice() {
                [] => {
                    let sql = "SELECT seq FROM resource WHERE collection = ?";
                    return count(sql, &[Value::Integer(self.scope.collection)]);
                }
                [_] => {
                    if let Some(scan) = ordered(self.test) {
                        return count(&scan.sql, &scan.values);
                    }
                }
                _ => {}
            }
        }
        let everything = Search { after: None, ..*self };
        let (most, patience) = if query.exact_total { (COUNTED_EXACTLY, usize::MAX) } else { (COUNTED, COUNTED) };
        let found = everything.in_steps(self.by_seq(false), i64::MIN, most + 1, patience, |_| true)?;
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

fn updated_sql(descending: bool) -> String {
    let (sign, direction) = if descending { ("<", "DESC") } else { (">", "ASC") };
    format!(
        "SELECT seq, last_updated FROM resource WHERE collection = ? AND (last_updated, seq) {sign} (?, ?)
         ORDER BY last_updated {direction}, seq {direction} LIMIT {STEP}"
    )
}

fn dated_sql(descending: bool) -> String {
    let (sign, direction) = if descending { ("<", "DESC") } else { (">", "ASC") };
    format!(
        "SELECT DISTINCT resource, low FROM date WHERE field = ? AND (low, resource) {sign} (?, ?)
         ORDER BY low {direction}, resource {direction} LIMIT {STEP}"
    )
}

fn integer(value: &SortValue) -> Option<i64> {
    match value {
        SortValue::Integer(number) => Some(*number),
        SortValue::Text(_) | SortValue::Number(_) => None,
    }
}

impl Searcher<'_> {
    pub(super) fn resource(&self, seq: i64) -> Searched<StoredResource> {
        let sql = "SELECT version_id, last_updated, body, resource_type, resource.id FROM resource
                   JOIN collection ON collection.id = resource.collection WHERE seq = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row([seq], reads::typed)?)
    }

    /// What the page before ended with, as it was then: the version that was shown.
    fn place(&self, scope: Scope<'_>, orders: &[Order], Position { key, seq }: Position) -> Searched<Place> {
        if orders.is_empty() {
            return Ok(Place { values: Vec::new(), seq });
        }
        let sql = "SELECT id, last_updated, body FROM resource WHERE seq = ?1 AND version_id = ?2 AND collection = ?3
                   UNION ALL
                   SELECT '', last_updated, body FROM past_version
                   WHERE resource = ?1 AND version_id = ?2 AND collection = ?3";
        let found: Option<(String, i64, Vec<u8>)> = self
            .connection
            .prepare_cached(sql)?
            .query_row(params![seq, key, scope.collection], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        let (mut id, last_updated, body) = found.ok_or(StoreError::InvalidCursor)?;
        if id.is_empty() {
            let sql = "SELECT id FROM resource WHERE seq = ?1 UNION ALL SELECT id FROM deletion WHERE resource = ?1";
            id = self.connection.prepare_cached(sql)?.query_row([seq], |row| row.get(0))?;
        }
        let rows = search::extract(scope.resource_type, &body).map_err(|_| StoreError::InvalidCursor)?;
        let values = orders.iter().map(|order| order.value_of_version(&id, last_updated, &rows)).collect();
        Ok(Place { values, seq })
    }
}

#[cfg(test)]
mod plans {
    use super::*;
    use crate::fhir::search::NumberKey;
    use crate::store::sqlite::schema;
    use crate::store::{DatePrefix, Filter, FilterValue, NumberTest, SortKey};

    /// 3,000 Observations of which the first `final` have that status; each has a date of its own.
    fn observations(finals: i64) -> Connection {
        let mut connection = Connection::open_in_memory().unwrap();
        schema::migrate(&mut connection).unwrap();
        let fill = format!(
            "INSERT INTO collection VALUES (1, 'default', 'Observation');
             INSERT INTO field VALUES (1, 1, 'status'), (2, 1, 'effective:date');
             WITH RECURSIVE one (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM one WHERE n < 3000)
             INSERT INTO resource SELECT n, 1, n, 1, n, NULL, x'', x'', 0, 0 FROM one;
             INSERT INTO token SELECT 1, 'final', 1, seq FROM resource WHERE seq <= {finals};
             INSERT INTO date SELECT 2, seq, seq, seq FROM resource;"
        );
        connection.execute_batch(&fill).unwrap();
        let token = |code: &str| (1, KeyValue::Token { system: 1, code: code.to_owned() });
        for seq in 1..=3000 {
            let status = token(if seq <= finals { "final" } else { "amended" });
            let date = (2, KeyValue::Date { low: seq, high: seq });
            let keys = [status, date].map(|(field, value)| Key { field, element: 0, value });
            let update = "UPDATE resource SET search_keys = ?2 WHERE seq = ?1";
            connection.execute(update, params![seq, Keys::of(keys.into()).bytes()]).unwrap();
        }
        connection
    }

    use crate::store::keys::{Key, KeyValue, Keys};

    fn plan(connection: &Connection, sql: &str, values: usize) -> String {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let values = vec![Value::Integer(1); values];
        let steps = statement.query_map(params_from_iter(values), |row| row.get::<_, String>(3)).unwrap();
        steps.map(Result::unwrap).collect::<Vec<_>>().join("\n")
    }

    fn finals(sort: &[(&str, bool)]) -> SearchQuery {
        let status = FilterValue::Token { system: None, code: Some("final".into()) };
        let filters = vec![Filter { parameter: "status".into(), any_of: vec![status] }];
        let key = |(parameter, descending): &(&str, bool)| SortKey {
            parameter: (*parameter).into(),
            descending: *descending,
        };
        let sort = sort.iter().map(key).collect();
        SearchQuery { resource_type: "Observation".into(), filters, sort, count: 10, ..SearchQuery::default() }
    }

    /// How many resources a page looks at.
    fn looks(connection: &Connection, query: &SearchQuery) -> usize {
        let searcher = Searcher::new(connection, "default");
        let scope = Scope { collection: 1, resource_type: "Observation" };
        let (test, orders) =
            (searcher.plan(scope, &query.filters).unwrap(), searcher.orders(scope, &query.sort).unwrap());
        let search = Search { searcher: &searcher, scope, test: &test, orders: &orders, after: None, counts: false };
        let found = match searcher.few(scope, &test).unwrap() {
            Some(few) => search.of_few(&few, 11).unwrap().0,
            None => search.walk(11).unwrap(),
        };
        assert_eq!(found.len(), 11);
        searcher.looks()
    }

    const SORTS: [&[(&str, bool)]; 5] =
        [&[], &[("date", false)], &[("date", true)], &[("_lastUpdated", false)], &[("_lastUpdated", true)]];

    #[test]
    fn filter_with_few_matches_leads_in_every_sort() {
        let connection = observations(50);
        for sort in SORTS {
            let looked_at = if sort.is_empty() { 11 } else { 50 };
            assert_eq!(looks(&connection, &finals(sort)), looked_at, "{sort:?}");
        }
    }

    #[test]
    fn filter_with_many_matches_is_checked_in_the_order_of_the_sort() {
        let connection = observations(2500);
        for sort in SORTS {
            // The last 500 are no matches.
            let passed = if sort.iter().any(|(_, descending)| *descending) { 500 } else { 0 };
            assert_eq!(looks(&connection, &finals(sort)), 11 + passed, "{sort:?}");
        }
    }

    #[test]
    fn every_walk_is_along_an_index() {
        let connection = observations(1);
        for descending in [false, true] {
            for (sql, index) in [
                (updated_sql(descending), "resource_by_last_updated (collection=? AND "),
                (dated_sql(descending), "date USING PRIMARY KEY (field=? AND "),
            ] {
                let plan = plan(&connection, &sql, 3);
                assert!(!plan.contains("TEMP B-TREE") && !plan.contains("SCAN"), "{plan}");
                assert!(plan.contains(index), "{plan}");
            }
        }
        let number = NumberTest {
            prefix: DatePrefix::Eq,
            value: NumberKey::LOWEST,
            from: NumberKey::LOWEST,
            to: NumberKey::LOWEST,
        };
        let mut scans = vec![
            Scan::token(1, Some(&"x".to_owned()), Some(1)).after(1),
            Scan::token(1, Some(&"x".to_owned()), None),
            Scan::token(1, None, Some(1)),
            Scan::codes(1, "x"),
            Scan::text(1, "x"),
            Scan::texts(1, "x"),
            Scan::numbers(1, Some(1), &number),
            Scan::all_numbers(1),
            Scan::updated(1, DatePrefix::Gt, 1, 1).unwrap(),
        ];
        scans.extend(Scan::dates(1, DatePrefix::Ge, 1, 1));
        for scan in scans {
            let plan = plan(&connection, &scan.sql, scan.values.len());
            assert!(plan.starts_with("SEARCH") && !plan.contains("TEMP B-TREE"), "{}: {plan}", scan.sql);
        }
    }
}
