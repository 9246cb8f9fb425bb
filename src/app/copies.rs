//! The app room: `backup` and `restore` of the embedded store.

use crate::config::Secret;
use crate::store::{
    StoreError,
    sqlite::{Copied, copy},
};
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub struct Backup {
    /// Where the copy goes; nothing is overwritten
    #[arg(value_name = "FILE")]
    to: PathBuf,

    /// The data file, which a gateway may be using
    #[arg(long, env = "KAP_GATEWAY_DATA_FILE", value_name = "FILE", default_value = "kap-gateway.db")]
    data_file: PathBuf,

    /// Set where the gateway keeps its data in PostgreSQL, which has copies of its own
    #[arg(long, env = "KAP_GATEWAY_DATABASE", value_name = "URL", hide_env_values = true)]
    database: Option<Secret>,
}

#[derive(Debug, clap::Args)]
pub struct Restore {
    /// A file that `backup` made; it stays as it is
    #[arg(value_name = "FILE")]
    from: PathBuf,

    /// The data file to make; nothing is overwritten
    #[arg(long, env = "KAP_GATEWAY_DATA_FILE", value_name = "FILE", default_value = "kap-gateway.db")]
    data_file: PathBuf,

    /// Set where the gateway keeps its data in PostgreSQL, which has copies of its own
    #[arg(long, env = "KAP_GATEWAY_DATABASE", value_name = "URL", hide_env_values = true)]
    database: Option<Secret>,
}

/// Answers with the sentence that tells what was done.
pub fn backup(arguments: &Backup) -> Result<String, StoreError> {
    of_a_file(arguments.database.as_ref(), "pg_dump --format=custom --file=kap.dump, or a base backup with its log")?;
    let copied = copy::backup(&arguments.data_file, &arguments.to)?;
    Ok(sentence("backed up", copied, &arguments.to))
}

/// Answers with the sentence that tells what was done.
pub fn restore(arguments: &Restore) -> Result<String, StoreError> {
    of_a_file(arguments.database.as_ref(), "pg_restore --exit-on-error --dbname=… kap.dump into an empty database")?;
    let copied = copy::restore(&arguments.from, &arguments.data_file)?;
    Ok(sentence("restored", copied, &arguments.data_file))
}

fn of_a_file(database: Option<&Secret>, instead: &str) -> Result<(), StoreError> {
    match database {
        None => Ok(()),
        Some(_) => Err(StoreError::Unavailable(format!(
            "backup and restore are for the data file of the embedded store. A PostgreSQL database is copied by \
             PostgreSQL's own programs: {instead}"
        ))),
    }
}

fn sentence(done: &str, Copied { resources, records, size }: Copied, to: &Path) -> String {
    format!("{done} {resources} resources of {records} records, {size} bytes, checked whole: {}", to.display())
}
