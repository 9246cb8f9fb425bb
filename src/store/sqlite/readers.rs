//! The store room: a pool of read-only connections, each used by one thread at a time.

use super::pending::{Pending, View};
use super::{Place, unavailable};
use crate::store::StoreError;
use rusqlite::{Connection, OpenFlags};
use std::sync::{Mutex, PoisonError};

/// Connections kept for the next reader; more are opened while more read at once.
const KEPT: usize = 16;

pub(super) struct Readers {
    place: Place,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn new(place: Place) -> Self {
        Self { place, idle: Mutex::new(Vec::new()) }
    }

    /// Runs a read on a connection that nobody else uses meanwhile.
    pub(super) fn with<T>(&self, read: impl FnOnce(&mut Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => self.open().map_err(unavailable)?,
        };
        // A connection whose read failed is not kept: the next reader starts afresh.
        let answer = read(&mut connection)?;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT {
            idle.push(connection);
        }
        Ok(answer)
    }

    fn open(&self) -> rusqlite::Result<Connection> {
        let connection = self.place.connect(OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(connection)
    }
}

/// Reads what the file is at one moment, beside the search rows that it does not have then. A read that fails leaves the
/// connection in the middle of it: [`Readers::with`] does not keep that one.
pub(super) fn at_one_moment<T>(
    connection: &Connection,
    pending: &Pending,
    read: impl FnOnce(&Connection, View) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let view = pending.view(|| {
        if !connection.is_autocommit() {
            connection.prepare_cached("COMMIT")?.execute([])?;
        }
        begin(connection)?;
        // What a transaction sees is settled with its first read.
        connection.prepare_cached("SELECT checked FROM readiness")?.query_row([], |_| Ok(()))
    })?;
    let answer = read(connection, view)?;
    connection.prepare_cached("COMMIT")?.execute([])?;
    Ok(answer)
}

/// Kept prepared, as rusqlite's transactions are not.
fn begin(connection: &Connection) -> rusqlite::Result<()> {
    connection.prepare_cached("BEGIN")?.execute([])?;
    Ok(())
}
