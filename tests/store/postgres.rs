//! What only PostgreSQL promises: many gateways on one database.

use crate::database::{empty_database, sql};
use crate::store_of;
use kap_gateway::store::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn database_of_a_newer_program_is_refused() {
    let url = empty_database().await;
    drop(store_of(&url));
    sql(&url, "UPDATE schema_version SET version = 99").await;
    let place = postgres::Place { url: &url, password: None, authority: None, connections: 2 };
    let error = postgres::PostgresStore::open(place).err().unwrap();
    assert!(error.to_string().contains("schema version 99"), "{error}");
}
