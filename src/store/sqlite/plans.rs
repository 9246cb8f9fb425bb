//! The store room: searches of a file are led by its indexes.

use super::index::FileIndex;
use super::pending::View;
use super::{Place, schema};
use crate::fhir::search::NumberKey;
use crate::store::code::code_number;
use crate::store::keys::{Key, KeyValue, Keys};
use crate::store::search::{self, Scan, Value};
use crate::store::{DatePrefix, Filter, FilterValue, NumberTest, SearchQuery, SortKey};
use rusqlite::{Connection, OpenFlags, StatementStatus, params, params_from_iter};

/// 3,000 Observations of which the first `final` have that status; each has a date of its own.
fn observations(finals: i64) -> Connection {
    let mut connection = Connection::open_in_memory().unwrap();
    schema::migrate(&mut connection).unwrap();
    let code = code_number("final");
    let fill = format!(
        "INSERT INTO collection VALUES (1, 'default', 'Observation');
         INSERT INTO field VALUES (1, 1, 'status'), (2, 1, 'effective:date');
         WITH RECURSIVE one (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM one WHERE n < 3000)
         INSERT INTO resource SELECT n, 1, n, 1, n, NULL, x'', x'', 0, 0 FROM one;
         INSERT INTO token SELECT 1, {code}, 1, seq FROM resource WHERE seq <= {finals};
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

fn plan(connection: &Connection, sql: &str, values: usize) -> String {
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let values = vec![Value::Integer(1); values];
    let steps = statement.query_map(params_from_iter(values), |row| row.get::<_, String>(3)).unwrap();
    steps.map(Result::unwrap).collect::<Vec<_>>().join("\n")
}

fn finals(sort: &[(&str, bool)]) -> SearchQuery {
    let status = FilterValue::Token { system: None, code: Some("final".into()) };
    let filters = vec![Filter { parameter: "status".into(), any_of: vec![status] }];
    let key =
        |(parameter, descending): &(&str, bool)| SortKey { parameter: (*parameter).into(), descending: *descending };
    let sort = sort.iter().map(key).collect();
    SearchQuery { resource_type: "Observation".into(), filters, sort, count: 10, ..SearchQuery::default() }
}

/// How many resources a page looks at.
fn looks(connection: &Connection, query: &SearchQuery) -> usize {
    search::looks(&FileIndex::new(connection, "default", View::default()), query)
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
fn of_two_filters_only_what_both_have_is_looked_at() {
    let connection = observations(300);
    connection.execute_batch("INSERT INTO field VALUES (3, 1, 'code')").unwrap();
    for seq in (30..=3000).step_by(30) {
        let keys: Vec<u8> =
            connection.query_row("SELECT search_keys FROM resource WHERE seq = ?1", [seq], |row| row.get(0)).unwrap();
        let code = KeyValue::Token { system: 1, code: "x".to_owned() };
        let with_code = [keys, Keys::of(vec![Key { field: 3, element: 0, value: code }]).bytes()].concat();
        connection.execute("UPDATE resource SET search_keys = ?2 WHERE seq = ?1", params![seq, with_code]).unwrap();
        connection.execute("INSERT INTO token VALUES (3, ?2, 1, ?1)", params![seq, code_number("x")]).unwrap();
    }
    let code = FilterValue::Token { system: None, code: Some("x".into()) };
    for sort in SORTS {
        let mut query = finals(sort);
        query.filters.push(Filter { parameter: "code".into(), any_of: vec![code.clone()] });
        for filters in [query.filters.clone(), query.filters.iter().rev().cloned().collect()] {
            let query = SearchQuery { filters, count: 9, ..query.clone() };
            assert_eq!(looks(&connection, &query), 10, "{sort:?}");
        }
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
        for (scan, index) in [
            (Scan::by_update(1, descending, (1, 1)), "resource_by_last_updated (collection=? AND "),
            (Scan::by_date(1, descending, (1, 1)), "date USING PRIMARY KEY (field=? AND "),
        ] {
            let plan = plan(&connection, &scan.sql(""), 3);
            assert!(!plan.contains("TEMP B-TREE") && !plan.contains("SCAN"), "{plan}");
            assert!(plan.contains(index), "{plan}");
        }
    }
    let number =
        NumberTest { prefix: DatePrefix::Eq, value: NumberKey::LOWEST, from: NumberKey::LOWEST, to: NumberKey::LOWEST };
    let token = Scan::token(1, Some(&"x".to_owned()), Some(1));
    let mut scans = vec![
        Scan::token(1, Some(&"x".to_owned()), Some(1)).after(1),
        token.clone().between(1, 2),
        Scan::token(1, Some(&"x".to_owned()), None),
        Scan::token(1, None, Some(1)),
        Scan::versions(1, "x"),
        Scan::text(1, "x"),
        Scan::texts(1, "x"),
        Scan::numbers(1, 1, &number),
        Scan::all_numbers(1),
        Scan::by_seq(1, false, 1),
        Scan::by_seq(1, true, 1),
        Scan::collection(1),
        Scan::updated(1, DatePrefix::Gt, 1, 1).unwrap(),
    ];
    scans.extend(Scan::dates(1, DatePrefix::Ge, 1, 1));
    let among = format!("{} AND resource IN (?, ?)", token.sql(""));
    let mut texts: Vec<(String, usize)> = scans.iter().map(|scan| (scan.sql(""), scan.values().len())).collect();
    texts.push((among, token.values().len() + 2));
    for (scan, values) in texts {
        let plan = plan(&connection, &scan, values);
        assert!(plan.starts_with("SEARCH") && !plan.contains("TEMP B-TREE"), "{scan}: {plan}");
    }
}

/// To prepare a statement takes longer than to run it: SQLite does so anew for each value that it plans by.
#[test]
fn statements_are_prepared_once_for_all_values() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::of(&folder.path().join("a.db")).unwrap();
    let mut connection = place.connect(OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE).unwrap();
    schema::migrate(&mut connection).unwrap();
    let scans = [
        Scan::token(1, Some(&"final".to_owned()), Some(1)).after(1),
        Scan::token(1, Some(&"final".to_owned()), None),
        Scan::by_seq(1, false, 1),
        Scan::by_update(1, true, (1, 1)),
        Scan::by_date(2, true, (1, 1)),
    ];
    for scan in scans {
        let mut statement = connection.prepare(&format!("{} LIMIT ?", scan.sql(""))).unwrap();
        for round in 1..4 {
            let values = vec![Value::Integer(round); scan.values().len() + 1];
            let rows = statement.query_map(params_from_iter(values), |row| row.get::<_, i64>(0)).unwrap();
            assert_eq!(rows.map(Result::unwrap).count(), 0);
        }
        assert_eq!(statement.get_status(StatementStatus::RePrepare), 0, "{scan:?}");
    }
}
