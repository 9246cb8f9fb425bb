//! The app room: which store the configuration names.

use crate::config::{Config, Database};
use crate::store::postgres::{self, PostgresStore};
use crate::store::{Opened, StoreError, sqlite::SqliteStore};
use std::sync::Arc;

/// Opens the file or the database.
pub fn open(config: &Config) -> Result<Opened, StoreError> {
    Ok(match &config.database {
        None => Arc::new(SqliteStore::open(&config.data_file)?),
        Some(database) => Arc::new(at(database, PostgresStore::open)??),
    })
}

/// What is done with the place of a database, whose password may stand in a file.
pub fn at<T>(database: &Database, work: impl FnOnce(postgres::Place<'_>) -> T) -> Result<T, StoreError> {
    let password = match &database.password_file {
        None => None,
        Some(file) => Some(std::fs::read_to_string(file).map_err(|error| {
            StoreError::Unavailable(format!("the password file {} cannot be read: {error}", file.display()))
        })?),
    };
    Ok(work(postgres::Place {
        url: database.url.reveal(),
        password: password.as_deref().map(|password| password.trim_end_matches(['\n', '\r'])),
        authority: database.ca.as_deref(),
        connections: database.connections,
    }))
}
