//! The store room: a search as SQL. <https://hl7.org/fhir/R4/search.html>
//!
//! A filter that few resources match is looked up in the search index and leads the query; one that many match is
//! checked resource by resource while the query walks in the order of the sort. So a page costs little either way.

use super::cursor::{Position, Scope};
use super::{reads, unavailable};
use crate::store::{DatePrefix, Filter, FilterValue, SearchPage, SearchQuery, Sort, StoreError, StoredResource};
use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Statement, params, params_from_iter};

/// Bytes of a statement that is kept for its next use. A long one (many values in a filter) takes megabytes.
const KEPT_TEXT: usize = 1000;

/// Runs a statement whose text depends on the client's filters.
fn run<T>(
    connection: &Connection,
    sql: &str,
    read: impl FnOnce(&mut Statement<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    if sql.len() > KEPT_TEXT {
        read(&mut connection.prepare(sql)?)
    } else {
        read(&mut *connection.prepare_cached(sql)?)
    }
}

/// Up to so many matches a filter leads the query.
const FEW: i64 = 1000;

pub(super) fn page(connection: &mut Connection, tenant: &str, query: &SearchQuery) -> Result<SearchPage, StoreError> {
    // One snapshot for the page and its total.
    let transaction = connection.transaction().map_err(unavailable)?;
    page_within(&transaction, tenant, query)
}

/// A page, inside a transaction that is open.
pub(super) fn page_within(
    transaction: &Connection,
    tenant: &str,
    query: &SearchQuery,
) -> Result<SearchPage, StoreError> {
    let scope = Scope { tenant, resource_type: &query.resource_type, sort: query.sort };
    let after = query.after.as_ref().map(|cursor| scope.position(cursor)).transpose()?;
    let Some(conditions) = conditions(transaction, tenant, query).map_err(unavailable)? else {
        return Ok(SearchPage { resources: vec![], total: query.total.then_some(0), next: None });
    };
    let total = query.total.then(|| total(transaction, &conditions)).transpose().map_err(unavailable)?;
    let count = query.count.max(1);
    let mut found = resources(transaction, query, &conditions, after, count).map_err(unavailable)?;
    let more = found.len() > count;
    found.truncate(count);
    let next = found.last().filter(|_| more).map(|(position, _)| scope.cursor(*position));
    Ok(SearchPage { resources: found.into_iter().map(|(_, resource)| resource).collect(), total, next })
}

fn total(connection: &Connection, conditions: &Conditions) -> rusqlite::Result<u64> {
    let sql = format!("SELECT count(*) FROM resource WHERE {}", conditions.sql);
    run(connection, &sql, |statement| statement.query_row(params_from_iter(&conditions.values), |row| row.get(0)))
}

fn resources(
    connection: &Connection,
    query: &SearchQuery,
    conditions: &Conditions,
    after: Option<Position>,
    count: usize,
) -> rusqlite::Result<Vec<(Position, StoredResource)>> {
    let mut values = conditions.values.clone();
    if let Some(Position { key, seq }) = after {
        values.extend([Value::Integer(key), Value::Integer(seq)]);
    }
    // One more than the page holds tells whether there is a next page.
    values.push(Value::Integer(i64::try_from(count).unwrap_or(i64::MAX).saturating_add(1)));
    run(connection, &page_sql(query.sort, conditions, after.is_some()), |statement| {
        let rows = statement.query_map(params_from_iter(values), |row| {
            let resource = reads::stored(row, &query.resource_type, row.get_ref(3)?.as_str()?)?;
            Ok((Position { key: row.get(4)?, seq: row.get(5)? }, resource))
        })?;
        rows.collect()
    })
}

/// Takes the conditions' values, then key and row number to start behind if there are such, then the limit.
fn page_sql(sort: Sort, conditions: &Conditions, after: bool) -> String {
    let (key, is_descending) = match sort {
        Sort::Stored => ("seq", false),
        Sort::Date { descending: false } => ("first_date", false),
        Sort::Date { descending: true } => ("last_date", true),
        Sort::LastUpdated { descending } => ("last_updated", descending),
    };
    let (direction, beyond) = if is_descending { ("DESC", "<") } else { ("ASC", ">") };
    let after = if after { format!("AND ({key}, seq) {beyond} (?, ?)") } else { String::new() };
    format!(
        "SELECT version_id, last_updated, body, id, {key}, seq FROM resource WHERE {} {after}
         ORDER BY {key} {direction}, seq {direction} LIMIT ?",
        conditions.sql
    )
}

/// A WHERE clause on `resource`, with its values.
struct Conditions {
    sql: String,
    values: Vec<Value>,
}

/// One filter's part of the clause.
struct Condition {
    sql: String,
    values: Vec<Value>,
    /// It names few resources of the collection, and no other.
    leads: bool,
}

/// `None`: nothing can match.
fn conditions(connection: &Connection, tenant: &str, query: &SearchQuery) -> rusqlite::Result<Option<Conditions>> {
    let collection: Option<i64> = connection
        .prepare_cached("SELECT id FROM collection WHERE tenant = ?1 AND resource_type = ?2")?
        .query_row(params![tenant, query.resource_type], |row| row.get(0))
        .optional()?;
    let Some(collection) = collection else {
        return Ok(None);
    };
    let mut all = Vec::new();
    for filter in &query.filters {
        let Some(condition) = condition(connection, collection, filter)? else {
            return Ok(None);
        };
        all.push(condition);
    }
    if !all.iter().any(|condition| condition.leads) {
        // Where a filter leads this is left out: SQLite would take it for the best way in, and walk the collection.
        let whole = Condition { sql: "collection = ?".into(), values: vec![Value::Integer(collection)], leads: true };
        all.insert(0, whole);
    }
    let sql = all.iter().map(|condition| condition.sql.as_str()).collect::<Vec<_>>().join(" AND ");
    Ok(Some(Conditions { sql, values: all.into_iter().flat_map(|condition| condition.values).collect() }))
}

fn condition(connection: &Connection, collection: i64, filter: &Filter) -> rusqlite::Result<Option<Condition>> {
    let mut any_of = Vec::new();
    for value in &filter.any_of {
        any_of.extend(tests(connection, &filter.parameter, value)?);
    }
    if any_of.is_empty() {
        return Ok(None);
    }
    if filter.parameter.starts_with('_') {
        let sql = format!("({})", any_of.iter().map(|test| test.sql.as_str()).collect::<Vec<_>>().join(" OR "));
        let values = any_of.into_iter().flat_map(|test| test.values).collect();
        return Ok(Some(Condition { sql, values, leads: false }));
    }
    let Some(parameter) = name(connection, &filter.parameter)? else {
        return Ok(None);
    };
    let (by_index, values) = by_index(collection, parameter, &any_of);
    let count = format!("SELECT count(*) FROM ({by_index} LIMIT {FEW})");
    let matches: i64 =
        run(connection, &count, |statement| statement.query_row(params_from_iter(&values), |row| row.get(0)))?;
    if matches >= FEW
        && let Some(condition) = by_resource(connection, collection, parameter, &any_of)?
    {
        return Ok(Some(condition));
    }
    Ok(Some(Condition { sql: format!("seq IN ({by_index})"), values, leads: true }))
}

/// All resources that the search index gives for the filter.
fn by_index(collection: i64, parameter: i64, any_of: &[Test]) -> (String, Vec<Value>) {
    let mut selects = Vec::new();
    let mut values = Vec::new();
    for Test { table, sql, values: own, .. } in any_of {
        selects.push(format!("SELECT resource FROM {table} WHERE collection = ? AND parameter = ? AND {sql}"));
        values.extend([Value::Integer(collection), Value::Integer(parameter)]);
        values.extend(own.iter().cloned());
    }
    (selects.join(" UNION ALL "), values)
}

/// Whether one resource, at hand already, passes the filter. `None`: the index cannot tell that of one resource, as
/// where any code of a system will do.
fn by_resource(
    connection: &Connection,
    collection: i64,
    parameter: i64,
    any_of: &[Test],
) -> rusqlite::Result<Option<Condition>> {
    let mut exists = Vec::new();
    let mut values = Vec::new();
    for Test { table, sql, values: own, token } in any_of {
        let mut look =
            |sql: &str| exists.push(format!("EXISTS (SELECT 1 FROM {table} WHERE resource = seq AND {sql})"));
        match token {
            None => {
                look(&format!("parameter = ? AND {sql}"));
                values.push(Value::Integer(parameter));
                values.extend(own.iter().cloned());
            }
            Some(Token { code: None, .. }) => return Ok(None),
            Some(Token { code: Some(code), system }) => {
                let systems = match system {
                    Some(system) => vec![*system],
                    None => systems(connection, collection, parameter, code)?,
                };
                for system in systems {
                    look("collection = ? AND parameter = ? AND code = ? AND system = ?");
                    values.extend([collection, parameter].map(Value::Integer));
                    values.extend([Value::Text(code.clone()), Value::Integer(system)]);
                }
            }
        }
    }
    Ok(Some(Condition { sql: format!("({})", exists.join(" OR ")), values, leads: false }))
}

/// The systems in which a code stands, by one look into the index for each.
fn systems(connection: &Connection, collection: i64, parameter: i64, code: &str) -> rusqlite::Result<Vec<i64>> {
    const NEXT: &str = "SELECT min(system) FROM token
                        WHERE collection = ?1 AND parameter = ?2 AND code = ?3 AND system > ?4";
    let mut next = connection.prepare_cached(NEXT)?;
    let mut systems = Vec::new();
    let mut last = i64::MIN;
    while let Some(system) =
        next.query_row(params![collection, parameter, code, last], |row| row.get::<_, Option<i64>>(0))?
    {
        systems.push(system);
        last = system;
    }
    Ok(systems)
}

/// A test on one search row (or on `resource`, for `_id` and `_lastUpdated`).
struct Test {
    table: &'static str,
    sql: String,
    values: Vec<Value>,
    /// What a test on the table `token` asks for.
    token: Option<Token>,
}

struct Token {
    code: Option<String>,
    system: Option<i64>,
}

/// The tests of which any must hold for the value to match; none: nothing matches.
fn tests(connection: &Connection, parameter: &str, value: &FilterValue) -> rusqlite::Result<Vec<Test>> {
    Ok(match value {
        FilterValue::Token { system, code } if parameter == "_id" => {
            match (system.as_deref(), code) {
                // Ids have no system.
                (None | Some(""), Some(id)) => {
                    let values = vec![Value::Text(id.clone())];
                    vec![Test { table: "resource", sql: "id = ?".into(), values, token: None }]
                }
                (Some(_), _) | (None, None) => vec![],
            }
        }
        FilterValue::Token { system, code } => token(connection, system.as_deref(), code.as_deref())?,
        FilterValue::Reference { resource_type, id } => token(connection, resource_type.as_deref(), Some(id))?,
        FilterValue::Date { prefix, low, high } if parameter == "_lastUpdated" => {
            dates("resource", "last_updated", "last_updated", *prefix, *low, *high)
        }
        FilterValue::Date { prefix, low, high } => dates("date", "low", "high", *prefix, *low, *high),
    })
}

fn token(connection: &Connection, system: Option<&str>, code: Option<&str>) -> rusqlite::Result<Vec<Test>> {
    let mut sql = vec![];
    let mut values = vec![];
    if let Some(code) = code {
        sql.push("code = ?");
        values.push(Value::Text(code.to_owned()));
    }
    let system = match system.map(|system| name(connection, system)).transpose()? {
        Some(None) => return Ok(vec![]),
        Some(Some(system)) => {
            sql.push("system = ?");
            values.push(Value::Integer(system));
            Some(system)
        }
        None => None,
    };
    let sql = if sql.is_empty() { "TRUE".into() } else { sql.join(" AND ") };
    let token = Token { code: code.map(str::to_owned), system };
    Ok(vec![Test { table: "token", sql, values, token: Some(token) }])
}

/// The prefixes as R4 defines them on spans: `low`, `high` name the columns of the resource's span, `from` and `to`
/// are the ends of the value's. <https://hl7.org/fhir/R4/search.html#prefix>
fn dates(table: &'static str, low: &str, high: &str, prefix: DatePrefix, from: i64, to: i64) -> Vec<Test> {
    let test = |sql: String, values: &[i64]| Test {
        table,
        sql,
        values: values.iter().copied().map(Value::Integer).collect(),
        token: None,
    };
    let above = || test(format!("{high} > ?"), &[to]);
    let below = || test(format!("{low} < ?"), &[from]);
    // The bound on `low` from above follows from the others; it keeps the walk along the index short.
    let within = || test(format!("{low} BETWEEN ? AND ? AND {high} <= ?"), &[from, to, to]);
    match prefix {
        DatePrefix::Eq => vec![within()],
        DatePrefix::Ne => vec![below(), above()],
        DatePrefix::Gt => vec![above()],
        DatePrefix::Lt => vec![below()],
        DatePrefix::Ge => vec![above(), within()],
        DatePrefix::Le => vec![below(), within()],
        DatePrefix::Sa => vec![test(format!("{low} > ?"), &[to])],
        DatePrefix::Eb => vec![test(format!("{high} < ?"), &[from])],
        DatePrefix::Ap => {
            let now = Timestamp::now().as_microsecond();
            let distance = from.saturating_sub(now).max(now.saturating_sub(to)).max(0);
            let (from, to) = (from.saturating_sub(distance / 10), to.saturating_add(distance / 10));
            vec![test(format!("{low} <= ? AND {high} >= ?"), &[to, from])]
        }
    }
}

fn name(connection: &Connection, text: &str) -> rusqlite::Result<Option<i64>> {
    connection.prepare_cached("SELECT id FROM name WHERE text = ?1")?.query_row([text], |row| row.get(0)).optional()
}

#[cfg(test)]
mod plans {
    use super::*;
    use crate::store::sqlite::schema;

    /// How SQLite would walk a page of Flags of which `flags` have the status; each has a date of its own.
    fn plan(flags: i64, sort: Sort) -> String {
        let mut connection = Connection::open_in_memory().unwrap();
        schema::migrate(&mut connection).unwrap();
        let fill = format!(
            "INSERT INTO collection VALUES (1, 'default', 'Flag');
             INSERT INTO name VALUES (1, 'status'), (2, '');
             WITH RECURSIVE flag (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM flag WHERE n < 3000)
             INSERT INTO resource SELECT n, 1, n, 1, n, NULL, n, n, x'', x'', 0 FROM flag;
             INSERT INTO token SELECT 1, 1, 'active', 2, seq FROM resource WHERE seq <= {flags};"
        );
        connection.execute_batch(&fill).unwrap();
        let active = FilterValue::Token { system: None, code: Some("active".into()) };
        let filters = vec![Filter { parameter: "status".into(), any_of: vec![active] }];
        let query = SearchQuery { resource_type: "Flag".into(), filters, sort, count: 10, ..SearchQuery::default() };
        let conditions = conditions(&connection, "default", &query).unwrap().unwrap();
        let sql = format!("EXPLAIN QUERY PLAN {}", page_sql(sort, &conditions, true));
        let values = [conditions.values, vec![Value::Integer(1); 3]].concat();
        let mut statement = connection.prepare(&sql).unwrap();
        let steps = statement.query_map(params_from_iter(values), |row| row.get::<_, String>(3)).unwrap();
        steps.map(Result::unwrap).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn filter_with_few_matches_leads_in_every_sort() {
        for sort in [Sort::Stored, Sort::Date { descending: true }, Sort::LastUpdated { descending: false }] {
            let plan = plan(50, sort);
            assert!(plan.starts_with("SEARCH resource USING INTEGER PRIMARY KEY"), "{sort:?}: {plan}");
            assert!(plan.contains("token USING PRIMARY KEY (collection=? AND parameter=? AND code=?"), "{plan}");
        }
    }

    #[test]
    fn filter_with_many_matches_is_checked_in_the_order_of_the_sort() {
        for (sort, index) in [
            (Sort::Stored, "resource_by_seq (collection=? AND rowid>?)"),
            (Sort::Date { descending: false }, "resource_by_first_date (collection=? AND first_date>?)"),
            (Sort::Date { descending: true }, "resource_by_last_date (collection=? AND last_date<?)"),
            (Sort::LastUpdated { descending: true }, "resource_by_last_updated (collection=? AND last_updated<?)"),
        ] {
            let plan = plan(2500, sort);
            assert!(plan.contains(index) && !plan.contains("TEMP B-TREE"), "{sort:?}: {plan}");
            assert!(plan.contains("code=? AND system=? AND resource=?"), "{plan}");
        }
    }
}
