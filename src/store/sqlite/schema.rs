//! The store room: tables and indexes of the SQLite file, and how an older file becomes a newer one.
//!
//! Names that repeat on every row (collections, parameters, systems) are kept once and stand as small integers in
//! the index tables, which hold most rows of the file.

use rusqlite::{Connection, TransactionBehavior};

/// One step for each schema version: step N brings a file from version N to N + 1. A step that has been released
/// never changes; a new one is added.
const MIGRATIONS: [&str; 3] =
    [include_str!("schema_v1.sql"), include_str!("schema_v2.sql"), include_str!("schema_v3.sql")];

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
    if found < MIGRATIONS.len() {
        transaction.pragma_update(None, "user_version", MIGRATIONS.len())?;
    }
    transaction.commit()?;
    Ok(())
}
