//! Gateways on one PostgreSQL, as programs: side by side, without their database for a while, killed, and moved to it from
//! a file.

// Here an unwrap is an assertion, also outside of functions marked as tests.
#![allow(clippy::unwrap_used)]

mod command_line;
#[path = "../database/mod.rs"]
mod database;
mod gateway;
mod loss;
mod moving;
mod scale;
mod side_by_side;
mod statements;
