//! The HTTP API, asked from outside: each test starts a whole gateway on a port of its own.

mod brute_force;
mod capabilities;
mod command_line;
mod contract;
mod course_state;
#[path = "../database/mod.rs"]
mod database;
mod door;
mod each_type;
mod errors;
mod foreign_clients;
mod formats;
mod history;
mod idempotency;
mod import;
mod instruments;
mod limits;
mod operations;
mod pages;
mod patches;
mod read;
mod record_life;
mod records;
mod rules;
mod search;
mod search_modifiers;
mod shared_resources;
mod summary;
mod terminology;
mod test_app;
mod transactions;
mod validate;
mod validate_files;
mod wholes;
mod writes;
mod writes_conditional;
