//! The consent room: the one door. Every stored row that leaves the gateway passes `Sight::shows`, whatever the route: read,
//! search, include, history, document, record, condition of a write.
//!
//! Who may see what is a `Policy`; the one of today permits all. Access control and patients' consent take its place, and
//! nothing else has to change: no other room can reach the store's reads (`tests/architecture.rs` holds them to it).

mod condition;
mod context;
mod door;
mod history;
mod linked;
mod narrowed;
mod policy;
mod row;

pub use condition::Found;
pub use context::{Context, Purpose, Requester};
pub use door::{Compartment, Door, Sight};
pub use policy::{Decision, PermitAll, Policy};
pub use row::Row;
