//! The store room: search rows of what is committed that are not in the index tables yet.
//!
//! A row stands where its value belongs, so the rows of one commit stand all over the index: written at once, each would
//! change a page of its own. Here they wait in memory, sorted, until many of them go to each page. The file names the
//! resources that they are of (table `pending`), so that a start finds them again.
//!
//! Searches look here too, and may find too much: rows of a commit that is still under way, and those that a later
//! version has taken away. They check what they find by the resources' keys, as they do with the index tables.

use crate::fhir::search::NumberKey;
use crate::store::matching::Subject;
use crate::store::rows::{Change, Row};
use crate::store::search::{Column, Condition, Scan, Value};
use std::collections::BTreeMap;
use std::collections::btree_map::Range;
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

/// Rows that are put in under one lock: searches have their turn between.
const PART: usize = 512;

/// Rows with what is to become of them in the index tables; of a row the last word counts.
#[derive(Default)]
pub(super) struct Rows {
    rows: RwLock<BTreeMap<Row, Change>>,
}

/// What was there before changes, to take them back.
#[derive(Default)]
pub(super) struct Undo(Vec<(Row, Option<Change>)>);

#[derive(Clone)]
struct State {
    /// How often rows have gone into the index tables, and from here.
    flushes: u64,
    /// Rows that are on their way into the index tables.
    leaving: Option<Arc<Rows>>,
    arriving: Arc<Rows>,
}

/// Shared by the writer, which alone changes it, and the readers.
pub(super) struct Pending {
    state: RwLock<State>,
}

impl Pending {
    pub(super) fn new() -> Self {
        let state = State { flushes: 0, leaving: None, arriving: Arc::default() };
        Self { state: RwLock::new(state) }
    }

    fn state(&self) -> State {
        self.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts rows in, in parts, and notes how to take them out again.
    pub(super) fn put(&self, changes: impl Iterator<Item = (Row, Change)>, undo: &mut Undo) {
        let arriving = self.state().arriving;
        let mut changes = changes.peekable();
        while changes.peek().is_some() {
            let mut rows = arriving.rows.write().unwrap_or_else(PoisonError::into_inner);
            for (row, change) in changes.by_ref().take(PART) {
                let before = rows.insert(row.clone(), change);
                undo.0.push((row, before));
            }
        }
    }

    /// Puts rows in that are committed already.
    pub(super) fn restore(&self, changes: impl Iterator<Item = (Row, Change)>) {
        let arriving = self.state().arriving;
        arriving.rows.write().unwrap_or_else(PoisonError::into_inner).extend(changes);
    }

    /// Takes back what a transaction has put in that was not committed.
    pub(super) fn take_back(&self, undo: Undo) {
        let arriving = self.state().arriving;
        let mut rows = arriving.rows.write().unwrap_or_else(PoisonError::into_inner);
        for (row, before) in undo.0.into_iter().rev() {
            match before {
                Some(change) => rows.insert(row, change),
                None => rows.remove(&row),
            };
        }
    }

    /// How many rows wait that are not on their way.
    pub(super) fn waiting(&self) -> usize {
        self.state().arriving.read().len()
    }

    /// From now on the rows that wait are on their way; others come behind them.
    pub(super) fn depart(&self) -> Arc<Rows> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let leaving = std::mem::take(&mut state.arriving);
        state.leaving = Some(Arc::clone(&leaving));
        leaving
    }

    /// The rows on their way are in the index tables, and that is committed.
    pub(super) fn arrived(&self) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.flushes += 1;
        state.leaving = None;
    }

    /// What a reader must look at whose view of the file begins with `begin`. `Err` is what `begin` failed with.
    ///
    /// Rows may go from here into the index tables while it begins: what was here before, and what is here after, have
    /// together all that its view lacks, unless rows went there twice; then it begins again.
    pub(super) fn view<E>(&self, mut begin: impl FnMut() -> Result<(), E>) -> Result<View, E> {
        loop {
            let before = self.state();
            begin()?;
            let after = self.state();
            if after.flushes > before.flushes + 1 {
                continue;
            }
            let mut parts: Vec<Arc<Rows>> = Vec::new();
            for part in
                [before.leaving, Some(before.arriving), after.leaving, Some(after.arriving)].into_iter().flatten()
            {
                if !parts.iter().any(|known| Arc::ptr_eq(known, &part)) {
                    parts.push(part);
                }
            }
            return Ok(View { parts });
        }
    }

    /// What the writer must look at: nobody else moves rows.
    pub(super) fn own_view(&self) -> View {
        let State { leaving, arriving, .. } = self.state();
        View { parts: leaving.into_iter().chain([arriving]).collect() }
    }
}

impl Rows {
    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<Row, Change>> {
        self.rows.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Some rows in their order, behind that one.
    pub(super) fn some(&self, after: Option<&Row>, count: usize) -> Vec<(Row, Change)> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let rows = self.read();
        rows.range::<Row, _>((from, Bound::Unbounded)).take(count).map(|(row, change)| (row.clone(), *change)).collect()
    }
}

/// Rows that a search looks at beside the index tables.
#[derive(Default)]
pub(super) struct View {
    parts: Vec<Arc<Rows>>,
}

impl View {
    /// Resources of a scan's rows, in the order of the rows in each part, up to so many of each part.
    pub(super) fn resources(&self, scan: &Scan, limit: usize) -> Vec<i64> {
        let mut found = Vec::new();
        self.each(scan, limit, |row| found.push(row.resource()));
        found
    }

    /// The rows of a scan of dates as resources and what they stand at.
    pub(super) fn dated(&self, scan: &Scan, limit: usize) -> Vec<(i64, i64)> {
        let mut found = Vec::new();
        self.each(scan, limit, |row| {
            if let Row::Date { low, resource, .. } = row {
                found.push((*resource, *low));
            }
        });
        found
    }

    /// The systems of a scan of tokens.
    pub(super) fn systems(&self, scan: &Scan) -> Vec<i64> {
        let mut found = Vec::new();
        self.each(scan, usize::MAX, |row| {
            if let Row::Token { system, .. } = row
                && !found.contains(system)
            {
                found.push(*system);
            }
        });
        found
    }

    pub(super) fn has(&self, scan: &Scan) -> bool {
        let mut has = false;
        self.each(scan, 1, |_| has = true);
        has
    }

    /// Do the keys of a resource say that it has a row of the scan?
    pub(super) fn is_of(&self, scan: &Scan, subject: &Subject) -> bool {
        let mut rows = subject.keys.iter().flat_map(|key| Row::all_of(key, subject.seq));
        rows.any(|row| holds(scan, &row))
    }

    fn each(&self, scan: &Scan, limit: usize, mut then: impl FnMut(&Row)) {
        for part in &self.parts {
            let rows = part.read();
            if rows.is_empty() {
                continue;
            }
            let Some(range) = range(&rows, scan) else { continue };
            let range = range.map(|(row, _)| row);
            if scan.descending {
                range.rev().filter(|row| holds(scan, row)).take(limit).for_each(&mut then);
            } else {
                range.filter(|row| holds(scan, row)).take(limit).for_each(&mut then);
            }
        }
    }
}

/// The span of all rows for which the scan's conditions can hold. `None`: its table is not of search rows.
fn range<'a>(rows: &'a BTreeMap<Row, Change>, scan: &Scan) -> Option<Range<'a, Row, Change>> {
    let [field, code, system, resource, low] =
        [Column::Field, Column::Code, Column::System, Column::Resource, Column::Low]
            .map(|column| Ends::of(scan, column));
    let (lowest, highest) = match scan.table {
        "token" => {
            let row = |end: fn(&Ends) -> i64| Row::Token {
                field: end(&field),
                code: end(&code),
                system: end(&system),
                resource: end(&resource),
            };
            (row(|ends| ends.low), row(|ends| ends.high))
        }
        "date" => {
            let row =
                |end: fn(&Ends) -> i64, out| Row::Date { field: end(&field), low: end(&low), resource: out, high: out };
            (row(|ends| ends.low, i64::MIN), row(|ends| ends.high, i64::MAX))
        }
        "text" => {
            let text = scan.conditions.iter().find_map(|condition| match condition {
                Condition::One(Column::Text, op, Value::Text(text)) if op.holds(std::cmp::Ordering::Equal) => {
                    Some(text)
                }
                Condition::One(..) | Condition::Two(..) => None,
            });
            let lowest = Row::Text { field: field.low, text: text.cloned().unwrap_or_default(), resource: i64::MIN };
            (lowest, Row::Text { field: field.high.saturating_add(1), text: String::new(), resource: i64::MIN })
        }
        "number" => {
            let row = |field, unit| Row::Number {
                field,
                unit,
                ends: Box::new((NumberKey::LOWEST, NumberKey::LOWEST)),
                resource: i64::MIN,
            };
            let unit = Ends::of(scan, Column::Unit);
            let highest = match unit.high {
                i64::MAX => row(field.high.saturating_add(1), i64::MIN),
                unit => row(field.high, unit + 1),
            };
            (row(field.low, unit.low), highest)
        }
        _ => return None,
    };
    // Conditions that exclude each other.
    if lowest > highest {
        return None;
    }
    Some(rows.range(lowest..=highest))
}

/// Between what a column of whole numbers can be.
struct Ends {
    low: i64,
    high: i64,
}

impl Ends {
    fn of(scan: &Scan, column: Column) -> Self {
        let mut ends = Self { low: i64::MIN, high: i64::MAX };
        for condition in &scan.conditions {
            let (op, value) = match condition {
                Condition::One(of, op, Value::Integer(value)) if *of == column => (*op, *value),
                Condition::Two([of, _], op, [value, _]) if *of == column => (*op, *value),
                Condition::One(..) | Condition::Two(..) => continue,
            };
            // An end that is not itself in the span does no harm: each row is looked at.
            if op.holds(std::cmp::Ordering::Greater) {
                ends.low = ends.low.max(value);
            } else if op.holds(std::cmp::Ordering::Less) {
                ends.high = ends.high.min(value);
            } else {
                (ends.low, ends.high) = (ends.low.max(value), ends.high.min(value));
            }
        }
        ends
    }
}

fn holds(scan: &Scan, row: &Row) -> bool {
    scan.conditions.iter().all(|condition| match condition {
        Condition::One(column, op, value) => {
            let compared = match (column, row, value) {
                (Column::Field, row, Value::Integer(value)) => row.field().cmp(value),
                (Column::Resource, row, Value::Integer(value)) => row.resource().cmp(value),
                (Column::Code, Row::Token { code, .. }, Value::Integer(value)) => code.cmp(value),
                (Column::System, Row::Token { system, .. }, Value::Integer(value)) => system.cmp(value),
                (Column::Low, Row::Date { low, .. }, Value::Integer(value)) => low.cmp(value),
                (Column::High, Row::Date { high, .. }, Value::Integer(value)) => high.cmp(value),
                (Column::Text, Row::Text { text, .. }, Value::Text(value)) => text.cmp(value),
                (Column::Unit, Row::Number { unit, .. }, Value::Integer(value)) => unit.cmp(value),
                (Column::Low, Row::Number { ends, .. }, Value::Blob(value)) => ends.0.0.cmp(value),
                (Column::High, Row::Number { ends, .. }, Value::Blob(value)) => ends.1.0.cmp(value),
                // A row of another table.
                (_, _, Value::Integer(_) | Value::Text(_) | Value::Blob(_)) => return false,
            };
            op.holds(compared)
        }
        Condition::Two([Column::Low, Column::Resource], op, [first, second]) => match row {
            Row::Date { low, resource, .. } => op.holds((low, resource).cmp(&(first, second))),
            Row::Token { .. } | Row::Text { .. } | Row::Number { .. } => false,
        },
        Condition::Two(..) => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fhir::search::Decimal;
    use crate::store::code::code_number;
    use crate::store::sqlite::{schema, search_rows};
    use crate::store::{DatePrefix, NumberTest};
    use rusqlite::{Connection, ToSql, params_from_iter};
    use std::collections::BTreeSet;

    const CODES: [&str; 3] = ["final", "http://a/b|1", "8480-6"];
    const TEXTS: [&str; 4] = ["", "a", "ab", "Ä"];

    fn number(number: i64) -> NumberKey {
        Decimal::parse(&format!("{}.5", number - 5)).unwrap().key()
    }

    /// Rows of all tables, of few values each, so that many are alike.
    fn rows() -> Vec<Row> {
        let mut rows = Vec::new();
        for n in 0_i64..400 {
            let (field, resource) = (1 + n % 3, 1 + n % 41);
            let pick = usize::try_from(n % 7).unwrap();
            rows.push(Row::Token { field, code: code_number(CODES[pick % 3]), system: 1 + n % 2, resource });
            rows.push(Row::Date { field, low: n % 11, high: n % 11 + n % 5, resource });
            rows.push(Row::Text { field, text: TEXTS[pick % 4].to_owned(), resource });
            let ends = Box::new((number(n % 13), number(n % 13 + n % 3)));
            rows.push(Row::Number { field, unit: 1 + n % 2, ends, resource });
        }
        rows
    }

    fn scans() -> Vec<Scan> {
        let mut scans = Vec::new();
        for field in 1..4 {
            for code in CODES.map(str::to_owned) {
                scans.extend([None, Some(1), Some(2), Some(3)].map(|system| Scan::token(field, Some(&code), system)));
                scans.push(Scan::token(field, Some(&code), Some(1)).after(20));
                scans.push(Scan::token(field, Some(&code), Some(2)).between(7, 30));
                scans.push(Scan::versions(field, &code));
            }
            scans.push(Scan::versions(field, "http://a/b"));
            scans.extend([Scan::token(field, None, None), Scan::token(field, None, Some(2)), Scan::all_numbers(field)]);
            for text in TEXTS {
                scans.extend([Scan::text(field, text), Scan::texts(field, text)]);
            }
            for prefix in DatePrefix::ALL {
                scans.extend(Scan::dates(field, prefix, 3, 6));
                let test = NumberTest { prefix, value: number(6), from: number(4), to: number(8) };
                scans.extend([1, 2, 3].map(|unit| Scan::numbers(field, unit, &test)));
            }
            for place in [(i64::MIN, i64::MIN), (4, 17), (i64::MAX, i64::MAX)] {
                scans.extend([false, true].map(|descending| Scan::by_date(field, descending, place)));
            }
        }
        scans
    }

    #[test]
    fn rows_in_memory_answer_every_scan_as_the_tables_do() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "foreign_keys", false).unwrap();
        schema::migrate(&mut connection).unwrap();
        search_rows::write(&connection, rows().into_iter().map(|row| (row, Change::Add))).unwrap();
        let pending = Pending::new();
        pending.restore(rows().into_iter().map(|row| (row, Change::Add)));
        let view = pending.own_view();
        let mut found = 0;
        for scan in scans() {
            let mut statement = connection.prepare(&scan.sql("")).unwrap();
            let values = scan.values();
            let values = params_from_iter(values.iter().map(|value| value as &dyn ToSql));
            if scan.columns.contains("low") {
                let pairs = statement.query_map(values, |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
                let written: Vec<(i64, i64)> = pairs.map(Result::unwrap).collect();
                let mut in_memory = view.dated(&scan, usize::MAX);
                in_memory.dedup();
                assert_eq!(in_memory, written, "{scan:?}");
                found += written.len();
            } else {
                let written: BTreeSet<i64> =
                    statement.query_map(values, |row| row.get(0)).unwrap().map(Result::unwrap).collect();
                let resources = view.resources(&scan, usize::MAX);
                if scan.is_ordered {
                    assert!(resources.is_sorted(), "{scan:?}");
                }
                assert_eq!(resources.into_iter().collect::<BTreeSet<_>>(), written, "{scan:?}");
                assert_eq!(view.has(&scan), !written.is_empty(), "{scan:?}");
                found += written.len();
            }
        }
        assert!(found > 1000, "the scans find next to nothing: {found}");
    }

    fn token(resource: i64) -> Row {
        Row::Token { field: 1, code: code_number("final"), system: 1, resource }
    }

    fn seen(view: &View) -> Vec<i64> {
        view.resources(&Scan::token(1, Some(&"final".to_owned()), Some(1)), usize::MAX)
    }

    #[test]
    fn what_was_not_committed_is_taken_back() {
        let pending = Pending::new();
        pending.restore([(token(1), Change::Add)].into_iter());
        let mut undo = Undo::default();
        pending.put([(token(1), Change::Remove), (token(2), Change::Add)].into_iter(), &mut undo);
        pending.put([(token(2), Change::Remove)].into_iter(), &mut undo);
        pending.take_back(undo);
        let kept = pending.depart().some(None, 9);
        assert_eq!(kept, [(token(1), Change::Add)]);
    }

    #[test]
    fn reader_that_begins_while_rows_go_into_the_tables_misses_none() {
        let pending = Pending::new();
        pending.restore([(token(1), Change::Add)].into_iter());
        let mut rounds = 0;
        let view = pending.view(|| {
            rounds += 1;
            // Its view of the file is settled here; then rows go where it does not see them.
            pending.depart();
            pending.restore([(token(2), Change::Add)].into_iter());
            pending.arrived();
            if rounds == 1 {
                pending.depart();
                pending.arrived();
            }
            Ok::<_, ()>(())
        });
        assert_eq!(rounds, 2, "rows that went twice make it begin again");
        assert_eq!(seen(&view.unwrap()), [2]);
        assert_eq!(seen(&pending.own_view()), [2]);
    }
}
