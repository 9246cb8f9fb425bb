//! The store room: a search as SQL. <https://hl7.org/fhir/R4/search.html>
//!
//! A filter that few resources match is looked up in the search index and leads the query; one that many match is
//! checked resource by resource while the query walks in the order of the sort. So a page costs little either way.

use super::cursor::{Position, Scope};
use super::{reads, unavailable};
use crate::store::{DatePrefix, Filter, FilterValue, SearchPage, SearchQuery, Sort, StoreError, StoredResource};
use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params, params_from_iter};

/// Up to so many matches a filter leads the query.
const FEW: i64 = 1000;

pub(super) fn page(connection: &mut Connection, tenant: &str, query: &SearchQuery) -> Result<SearchPage, StoreError> {
    let scope = Scope { tenant, resource_type: &query.resource_type, sort: query.sort };
    let after = query.after.as_ref().map(|cursor| scope.position(cursor)).transpose()?;
    // One snapshot for the page and its total.
    let transaction = connection.transaction().map_err(unavailable)?;
    let Some(conditions) = conditions(&transaction, tenant, query).map_err(unavailable)? else {
        return Ok(SearchPage { resources: vec![], total: query.total.then_some(0), next: None });
    };
    let total = query.total.then(|| total(&transaction, &conditions)).transpose().map_err(unavailable)?;
    let count = query.count.max(1);
    let mut found = resources(&transaction, query, &conditions, after, count).map_err(unavailable)?;
    let more = found.len() > count;
    found.truncate(count);
    let next = found.last().filter(|_| more).map(|(position, _)| scope.cursor(*position));
    Ok(SearchPage { resources: found.into_iter().map(|(_, resource)| resource).collect(), total, next })
}

fn total(connection: &Connection, conditions: &Conditions) -> rusqlite::Result<u64> {
    let sql = format!("SELECT count(*) FROM resource WHERE {}", conditions.sql);
    connection.prepare_cached(&sql)?.query_row(params_from_iter(&conditions.values), |row| row.get(0))
}

fn resources(
    connection: &Connection,
    query: &SearchQuery,
    conditions: &Conditions,
    after: Option<Position>,
    count: usize,
) -> rusqlite::Result<Vec<(Position, StoredResource)>> {
    let (key, order, beyond) = match query.sort {
        Sort::Stored => ("0", "seq", "seq > ?2"),
        Sort::Date { descending: false } => ("first_date", "first_date, seq", "(first_date, seq) > (?1, ?2)"),
        Sort::Date { descending: true } => ("last_date", "last_date DESC, seq DESC", "(last_date, seq) < (?1, ?2)"),
        Sort::LastUpdated { descending: false } => {
            ("last_updated", "last_updated, seq", "(last_updated, seq) > (?1, ?2)")
        }
        Sort::LastUpdated { descending: true } => {
            ("last_updated", "last_updated DESC, seq DESC", "(last_updated, seq) < (?1, ?2)")
        }
    };
    let mut sql =
        format!("SELECT version_id, last_updated, body, id, {key}, seq FROM resource WHERE {}", conditions.sql);
    let mut values = conditions.values.clone();
    if let Some(Position { key, seq }) = after {
        let (key_place, seq_place) = (format!("?{}", values.len() + 1), format!("?{}", values.len() + 2));
        sql.push_str(" AND ");
        sql.push_str(&beyond.replace("?1", &key_place).replace("?2", &seq_place));
        values.extend([Value::Integer(key), Value::Integer(seq)]);
    }
    // One more than the page holds tells whether there is a next page.
    sql.push_str(&format!(" ORDER BY {order} LIMIT {}", count.saturating_add(1).min(i64::MAX as usize)));
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params_from_iter(values), |row| {
        let resource = reads::stored(row, &query.resource_type, row.get_ref(3)?.as_str()?)?;
        Ok((Position { key: row.get(4)?, seq: row.get(5)? }, resource))
    })?;
    rows.collect()
}

/// A WHERE clause on `resource`, with its values.
struct Conditions {
    sql: String,
    values: Vec<Value>,
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
    let mut all = Conditions { sql: "collection = ?".into(), values: vec![Value::Integer(collection)] };
    for filter in &query.filters {
        let Some(condition) = condition(connection, collection, filter)? else {
            return Ok(None);
        };
        all.sql.push_str(" AND ");
        all.sql.push_str(&condition.sql);
        all.values.extend(condition.values);
    }
    Ok(Some(all))
}

fn condition(connection: &Connection, collection: i64, filter: &Filter) -> rusqlite::Result<Option<Conditions>> {
    let mut any_of = Vec::new();
    for value in &filter.any_of {
        any_of.extend(tests(connection, &filter.parameter, value)?);
    }
    if any_of.is_empty() {
        return Ok(None);
    }
    if filter.parameter.starts_with('_') {
        return Ok(Some(Conditions {
            sql: format!("({})", any_of.iter().map(|test| test.sql.as_str()).collect::<Vec<_>>().join(" OR ")),
            values: any_of.into_iter().flat_map(|test| test.values).collect(),
        }));
    }
    let Some(parameter) = name(connection, &filter.parameter)? else {
        return Ok(None);
    };
    let by_index = by_index(collection, parameter, &any_of);
    let few = format!("SELECT count(*) FROM ({} LIMIT {FEW})", by_index.sql);
    let matches: i64 =
        connection.prepare_cached(&few)?.query_row(params_from_iter(&by_index.values), |row| row.get(0))?;
    Ok(Some(if matches < FEW {
        Conditions { sql: format!("seq IN ({})", by_index.sql), values: by_index.values }
    } else {
        by_resource(parameter, any_of)
    }))
}

/// All resources that the search index gives for the filter.
fn by_index(collection: i64, parameter: i64, any_of: &[Test]) -> Conditions {
    let mut selects = Vec::new();
    let mut values = Vec::new();
    for Test { table, sql, values: own } in any_of {
        selects.push(format!("SELECT resource FROM {table} WHERE collection = ? AND parameter = ? AND {sql}"));
        values.extend([Value::Integer(collection), Value::Integer(parameter)]);
        values.extend(own.iter().cloned());
    }
    Conditions { sql: selects.join(" UNION ALL "), values }
}

/// Whether one resource, at hand already, passes the filter.
fn by_resource(parameter: i64, any_of: Vec<Test>) -> Conditions {
    let mut exists = Vec::new();
    let mut values = Vec::new();
    for Test { table, sql, values: own } in any_of {
        exists.push(format!("EXISTS (SELECT 1 FROM {table} WHERE resource = seq AND parameter = ? AND {sql})"));
        values.push(Value::Integer(parameter));
        values.extend(own);
    }
    Conditions { sql: format!("({})", exists.join(" OR ")), values }
}

/// A test on one search row (or on `resource`, for `_id` and `_lastUpdated`).
struct Test {
    table: &'static str,
    sql: String,
    values: Vec<Value>,
}

/// The tests of which any must hold for the value to match; none: nothing matches.
fn tests(connection: &Connection, parameter: &str, value: &FilterValue) -> rusqlite::Result<Vec<Test>> {
    Ok(match value {
        FilterValue::Token { system, code } if parameter == "_id" => {
            match (system.as_deref(), code) {
                // Ids have no system.
                (None | Some(""), Some(id)) => {
                    vec![Test { table: "resource", sql: "id = ?".into(), values: vec![Value::Text(id.clone())] }]
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
    if let Some(system) = system {
        let Some(system) = name(connection, system)? else {
            return Ok(vec![]);
        };
        sql.push("system = ?");
        values.push(Value::Integer(system));
    }
    let sql = if sql.is_empty() { "TRUE".into() } else { sql.join(" AND ") };
    Ok(vec![Test { table: "token", sql, values }])
}

/// The prefixes as R4 defines them on spans: `low`, `high` name the columns of the resource's span, `from` and `to`
/// are the ends of the value's. <https://hl7.org/fhir/R4/search.html#prefix>
fn dates(table: &'static str, low: &str, high: &str, prefix: DatePrefix, from: i64, to: i64) -> Vec<Test> {
    let test =
        |sql: String, values: &[i64]| Test { table, sql, values: values.iter().copied().map(Value::Integer).collect() };
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
