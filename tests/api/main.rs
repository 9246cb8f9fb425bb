//! The HTTP API, asked from outside: each test starts a whole gateway on a port of its own.

mod brute_force;
mod capabilities;
mod command_line;
mod contract;
mod errors;
mod formats;
mod history;
mod import;
mod operations;
mod pages;
mod read;
mod records;
mod search;
mod search_modifiers;
mod shared_resources;
mod summary;
mod terminology;
mod test_app;
mod validate;
mod validate_files;
