//! The app room: `migrate-store` copies an embedded store's file into a PostgreSQL database.

use super::store::at;
use crate::config::{Database, Secret};
use crate::store::postgres::arrival::{self, Progress};
use crate::store::{Holdings, StoreError};
use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub struct MigrateStore {
    /// The data file, which no gateway may be using; it stays as it is
    #[arg(long, value_name = "FILE")]
    from: PathBuf,

    /// The database, which must be empty: postgres://user@host/name
    #[arg(long, env = "KAP_GATEWAY_DATABASE", value_name = "URL", hide_env_values = true)]
    to: Secret,

    /// File with the password of the database's user
    #[arg(long, env = "KAP_GATEWAY_DATABASE_PASSWORD_FILE", value_name = "FILE")]
    database_password_file: Option<PathBuf>,

    /// Certificates in PEM by which the database's own is verified [default: those of the system]
    #[arg(long, env = "KAP_GATEWAY_DATABASE_CA", value_name = "FILE")]
    database_ca: Option<PathBuf>,
}

/// Answers with the sentence that tells what was done.
pub fn migrate_store(arguments: MigrateStore) -> Result<String, StoreError> {
    let MigrateStore { from, to, database_password_file, database_ca } = arguments;
    let database = Database { url: to, password_file: database_password_file, ca: database_ca, connections: 2 };
    // On a terminal alone: elsewhere it stays hidden.
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {percent:>3} %  {msg}  {per_sec}  {eta} left") {
        bar.set_style(style);
    }
    let mut started = false;
    let tell = |progress: Progress| {
        let Progress { resources, records, of } = progress;
        bar.set_length(of.resources + of.deletions + of.records);
        if !started {
            // What an earlier run has done tells nothing of the rate of this one.
            bar.reset_eta();
            started = true;
        }
        bar.set_position(resources + records);
        bar.set_message(format!("{} resources, {} records", HumanCount(resources), HumanCount(records)));
    };
    let copied = at(&database, |place| arrival::copy(&from, place, tell))?;
    bar.finish_and_clear();
    let Holdings { resources, deletions, versions, records, search_rows, .. } = copied?;
    Ok(format!(
        "copied and counted: {} resources and {} deleted ones in {} versions, {} records, {} search rows. Start gateways \
         with --database, and keep {} until you have a backup of the database",
        HumanCount(resources),
        HumanCount(deletions),
        HumanCount(versions),
        HumanCount(records),
        HumanCount(search_rows),
        from.display()
    ))
}
