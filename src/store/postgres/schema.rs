//! The store room: tables of a PostgreSQL database, and how an older schema becomes a newer one. Gateways that start at
//! the same time wait for each other.

use super::error::PgError;
use deadpool_postgres::Client;

/// What makes an empty database one of version 2, and then one step for each schema version. A step that has been released
/// never changes; a new one is added.
const MIGRATIONS: [&str; 1] = [include_str!("schema_v2.sql")];

/// The oldest version that can be brought to the newest. Version 1 was in no release.
const FIRST: i32 = 2;

/// The schema version that this program writes.
pub(super) const VERSION: i32 = FIRST - 1 + MIGRATIONS.len() as i32;

/// Whoever migrates holds this lock: "kap-gate" in ASCII.
const LOCK: i64 = 0x6b61_702d_6761_7465;

/// Brings the database to the newest schema; an empty one gets all of it.
pub(super) async fn migrate(client: &mut Client) -> Result<(), PgError> {
    // Most gateways start on a database that is as it should be: then nobody waits.
    if found(client).await? == Some(VERSION) {
        return Ok(());
    }
    let transaction = client.transaction().await?;
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await?;
    let found = found(&transaction).await?;
    let steps = match found {
        None => MIGRATIONS.as_slice(),
        Some(found) => {
            check(found)?;
            MIGRATIONS.get(usize::try_from(found - FIRST + 1)?..).unwrap_or_default()
        }
    };
    if found.is_none() {
        transaction.batch_execute("CREATE TABLE schema_version (version integer NOT NULL)").await?;
        transaction.batch_execute("INSERT INTO schema_version VALUES (0)").await?;
    }
    for step in steps {
        transaction.batch_execute(step).await?;
    }
    transaction.execute("UPDATE schema_version SET version = $1", &[&VERSION]).await?;
    transaction.commit().await?;
    Ok(())
}

/// Can this program use a database of that version, or bring it to one that it can?
pub(super) fn check(found: i32) -> Result<(), PgError> {
    let why = match found {
        ..FIRST => {
            format!(
                "which was in no release and is not brought to version {VERSION}: take an empty database, and fill it again"
            )
        }
        FIRST..=VERSION => return Ok(()),
        _ => format!("this program knows up to {VERSION}: a newer kap-gateway has used it"),
    };
    Err(PgError::Refused(format!("the database has schema version {found}, {why}")))
}

/// `None`: no gateway has used this database yet.
pub(super) async fn found(client: &impl deadpool_postgres::GenericClient) -> Result<Option<i32>, PgError> {
    // By a look into the table of tables: a look for the name may answer from before the lock.
    const IS_THERE: &str = "SELECT EXISTS (SELECT 1 FROM information_schema.tables
                                           WHERE table_schema = current_schema() AND table_name = 'schema_version')";
    let is_there: bool = client.query_one(IS_THERE, &[]).await?.try_get(0)?;
    if !is_there {
        return Ok(None);
    }
    Ok(Some(client.query_one("SELECT version FROM schema_version", &[]).await?.try_get(0)?))
}
