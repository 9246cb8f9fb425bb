//! The store room: tables and indexes of the SQLite file, and how an older file becomes a newer one.
//!
//! Names that repeat on every row (collections, parameters, systems) are kept once and stand as small integers in
//! the index tables, which hold most rows of the file.

use super::ids;
use super::record::uncommittable;
use super::search_rows::{self, SearchRows};
use crate::store::keys::Keys;
use crate::store::rows::Change;
use rusqlite::{Connection, TransactionBehavior};

/// One step for each schema version: step N brings a file from version N to N + 1. A step that has been released
/// never changes; a new one is added.
const MIGRATIONS: [&str; 5] = [
    include_str!("schema_v1.sql"),
    include_str!("schema_v2.sql"),
    include_str!("schema_v3.sql"),
    include_str!("schema_v4.sql"),
    include_str!("schema_v5.sql"),
];

/// The last version whose step emptied the index tables: their rows are made anew from the resources' keys.
const EMPTIED: usize = 4;

/// The last version in which ids had an index of their own.
const IDS_APART: usize = 4;

/// Resources whose rows are made together.
const PART: i64 = 1000;
const PART_OF_IDS: i64 = 100_000;

/// The schema version that this program writes.
pub(super) const VERSION: usize = MIGRATIONS.len();

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum SchemaError {
    #[error("the file has schema version {found}, this program knows up to {}", MIGRATIONS.len())]
    TooNew { found: usize },
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
}

/// Brings the file to the newest schema; a new file gets all of it.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), SchemaError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: usize = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > MIGRATIONS.len() {
        return Err(SchemaError::TooNew { found });
    }
    for step in &MIGRATIONS[found..] {
        transaction.execute_batch(step)?;
    }
    if (1..EMPTIED).contains(&found) {
        make_rows(&transaction)?;
    }
    if (1..=IDS_APART).contains(&found) {
        make_ids(&transaction)?;
    }
    if found < MIGRATIONS.len() {
        transaction.pragma_update(None, "user_version", MIGRATIONS.len())?;
    }
    transaction.commit()?;
    Ok(())
}

/// Makes the search rows of all resources from their lists of keys.
fn make_rows(connection: &Connection) -> rusqlite::Result<()> {
    let mut rows = SearchRows::new(connection);
    rows.leave_aside()?;
    let mut next = connection.prepare("SELECT seq, search_keys FROM resource WHERE seq > ?1 ORDER BY seq LIMIT ?2")?;
    let mut reached = i64::MIN;
    loop {
        let part = next
            .query_map([reached, PART], |row| {
                Ok((row.get(0)?, Keys::read(row.get_ref(1)?.as_blob()?).map_err(uncommittable)?))
            })?
            .collect::<rusqlite::Result<Vec<(i64, Keys)>>>()?;
        for (seq, keys) in &part {
            rows.add(*seq, keys);
            reached = *seq;
        }
        search_rows::write(connection, rows.take())?;
        if part.is_empty() {
            return Ok(());
        }
    }
}

/// Makes the rows by which resources are found by their ids.
fn make_ids(connection: &Connection) -> rusqlite::Result<()> {
    let mut next =
        connection.prepare("SELECT seq, collection, id FROM resource WHERE seq > ?1 ORDER BY seq LIMIT ?2")?;
    let mut reached = i64::MIN;
    loop {
        let mut part = Vec::new();
        let mut found = next.query([reached, PART_OF_IDS])?;
        while let Some(row) = found.next()? {
            reached = row.get(0)?;
            part.push((ids::row(row.get(1)?, row.get_ref(2)?.as_str()?, reached), Change::Add));
        }
        if part.is_empty() {
            return Ok(());
        }
        part.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        search_rows::write(connection, part.into_iter())?;
    }
}

#[cfg(test)]
mod tests {
    use super::super::pending::View;
    use super::*;
    use crate::fhir::search;

    const GOAL: &str = r#"{"resourceType":"Goal","id":"g1","meta":{"versionId":"1","profile":["http://a/p"]},
        "identifier":[{"system":"s","value":"record-1/goal"}],"lifecycleStatus":"active","startDate":"2026-02-02",
        "description":{"text":"sleep"},"subject":{"reference":"Patient/p1"}}"#;

    fn rows(connection: &Connection) -> Vec<(String, i64)> {
        let count = |table: &str| connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0));
        ["token", "date", "text", "number"].map(|table| (table.to_owned(), count(table).unwrap())).into()
    }

    #[test]
    fn file_of_an_older_schema_gets_all_its_search_rows_anew() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "foreign_keys", false).unwrap();
        migrate(&mut connection).unwrap();
        connection.execute("INSERT INTO collection VALUES (1, 'default', 'Goal')", []).unwrap();
        let mut made = SearchRows::new(&connection);
        let keys = made.keys(1, &search::extract("Goal", GOAL.as_bytes()).unwrap()).unwrap();
        connection
            .execute(
                "INSERT INTO resource (seq, collection, id, version_id, last_updated, search_keys, body, of_record, made_by)
                 VALUES (7, 1, 'g1', 1, 1, ?1, ?2, 0, 0)",
                rusqlite::params![keys.bytes(), GOAL.as_bytes()],
            )
            .unwrap();
        made.add(7, &keys);
        let id = (ids::row(1, "g1", 7), Change::Add);
        search_rows::write(&connection, made.take().chain([id])).unwrap();
        drop(made);
        let wanted = rows(&connection);
        assert!(wanted.iter().any(|(table, rows)| table == "token" && *rows >= 3), "{wanted:?}");

        // As the version before had it: the codes' texts, of which nothing is used.
        connection
            .execute_batch(
                "DROP TABLE pending;
                 DROP TABLE token; CREATE TABLE token (code TEXT); INSERT INTO token VALUES ('x')",
            )
            .unwrap();
        connection.pragma_update(None, "user_version", 3).unwrap();
        migrate(&mut connection).unwrap();
        assert_eq!(rows(&connection), wanted);
        let found: i64 = connection
            .query_row(
                "SELECT resource FROM token WHERE code = ?1",
                [crate::store::code::code_number("record-1/goal")],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(found, 7);
        assert_eq!(ids::find(&connection, &View::default(), 1, "g1").unwrap(), Some(7));
        assert_eq!(ids::find(&connection, &View::default(), 1, "g2").unwrap(), None);
    }
}
