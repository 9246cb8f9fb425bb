//! The store room: what PostgreSQL refuses, in words that hold nothing of a patient: its own messages and details may
//! repeat values.

use crate::store::StoreError;
use deadpool_postgres::PoolError;
use tokio_postgres::error::SqlState;

/// Why a statement, or a whole piece of work, was not done.
#[derive(Debug, thiserror::Error)]
pub(super) enum PgError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{}", sentence(.0))]
    Database(#[from] tokio_postgres::Error),
    #[error("{}", waiting(.0))]
    Pool(#[from] PoolError),
    /// Another was faster, or a time that was given is too early: the same work anew may do.
    #[error("others write the same resources all the time")]
    Again,
    /// The database has not answered in time.
    #[error("the database has not answered within {0} seconds")]
    TooSlow(u64),
    #[error("a stored resource is not as it was written: the database is damaged")]
    Damaged,
    #[error("{0}")]
    Refused(String),
}

impl From<PgError> for StoreError {
    fn from(error: PgError) -> Self {
        match error {
            PgError::Store(error) => error,
            PgError::Database(_)
            | PgError::Pool(_)
            | PgError::Again
            | PgError::TooSlow(_)
            | PgError::Damaged
            | PgError::Refused(_) => StoreError::Unavailable(error.to_string()),
        }
    }
}

impl From<crate::store::keys::DamagedKeys> for PgError {
    fn from(_: crate::store::keys::DamagedKeys) -> Self {
        Self::Damaged
    }
}

impl PgError {
    /// Was it a conflict with another's transaction, so that this one may be tried again?
    pub(super) fn is_conflict(&self) -> bool {
        match self {
            Self::Again => true,
            Self::Database(error) => error.code().is_some_and(is_conflict),
            Self::Store(_) | Self::Pool(_) | Self::TooSlow(_) | Self::Damaged | Self::Refused(_) => false,
        }
    }
}

fn is_conflict(state: &SqlState) -> bool {
    const CONFLICTS: [SqlState; 4] = [
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::UNIQUE_VIOLATION,
        // What comes behind the statement that failed.
        SqlState::IN_FAILED_SQL_TRANSACTION,
    ];
    CONFLICTS.contains(state)
}

fn waiting(error: &PoolError) -> String {
    match error {
        PoolError::Backend(error) => sentence(error),
        PoolError::Timeout(_) => "no connection to the database became free in time".to_owned(),
        PoolError::Closed | PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => {
            format!("no connection to the database: {error}")
        }
    }
}

/// Messages of these classes speak of the server, of names in the schema and of who connects, never of values.
const TELLING: [&str; 11] = ["08", "0A", "25", "28", "3D", "42", "53", "55", "57", "58", "F0"];

fn sentence(error: &tokio_postgres::Error) -> String {
    let Some(found) = error.as_db_error() else {
        let source = std::error::Error::source(error).map(|source| format!(": {source}")).unwrap_or_default();
        return if error.is_closed() {
            "the connection to the database was lost".to_owned()
        } else {
            format!("the database cannot be used: {error}{source}")
        };
    };
    let code = found.code().code();
    let at = found.constraint().or(found.table()).map(|name| format!(" at {name}")).unwrap_or_default();
    match TELLING.iter().any(|class| code.starts_with(class)) {
        true => format!("the database says {code}{at}: {}", found.message()),
        false => format!("the database says {code}{at}"),
    }
}
